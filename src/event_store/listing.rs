//! The domains, editions and aggregates of a store. Lists are read in windows, each of which begins after the last row of the
//! one before it, so that memory is bounded and no query takes long.

use super::StoreError;
use super::database::Parameter;
use super::reader::EventStore;
use super::rows::{Fields, content, text};
use crate::capture::{RootPart, StreamSummary};
use crate::model::{Domain, Edition, EditionName, Root};

/// Number of aggregates that one query lists.
const ROOTS: usize = 2_000;
/// Number of aggregates whose last event one query reads.
const SUMMARIES: usize = 500;
/// Number of editions of a domain that are looked at.
pub(super) const EDITIONS: usize = 1_000;

/// The beginning of every root.
pub(super) const ANY_ROOT: RootPart = RootPart::Prefix(String::new());

/// The timelines of a domain.
pub(super) struct Editions {
    /// The named ones, in order.
    pub(super) named: Vec<EditionName>,
    /// How the main timeline is written, as conditions.
    pub(super) main: Vec<&'static str>,
    /// Whether there are more than were looked at.
    pub(super) are_cut: bool,
}

impl EventStore {
    /// The domains that have events.
    pub fn domains(&self) -> Result<Vec<Domain>, StoreError> {
        let mut domains: Vec<Domain> = Vec::new();
        // One look into the index for each domain, not for each event.
        let statement = format!(
            "SELECT {} FROM (SELECT min(domain) AS next FROM events WHERE domain > $1) AS least WHERE next IS NOT NULL",
            text("next")
        );
        loop {
            let after = domains.last().map_or("", Domain::as_str).to_owned();
            let after = [Parameter::Text(&after)];
            let next = self.rows("the table `events`", &statement, &after, &|mut fields| {
                fields.domain()
            })?;
            match next.into_iter().next() {
                Some(domain) => domains.push(domain),
                None => return Ok(domains),
            }
        }
    }

    /// The timelines of a domain. One look into the index for each, not for each event.
    pub(super) fn editions(&self, domain: &Domain) -> Result<Editions, StoreError> {
        let statement = format!(
            "WITH RECURSIVE names(name) AS (
                 SELECT min(edition) FROM events WHERE domain = $1
                 UNION ALL
                 SELECT (SELECT min(edition) FROM events WHERE domain = $1 AND edition > name) FROM names WHERE name IS NOT NULL)
             SELECT {} FROM names WHERE name IS NOT NULL LIMIT {}",
            text("name"),
            EDITIONS + 1
        );
        let parameters = [Parameter::Text(domain.as_str())];
        let what = format!("domain {domain}");
        let all = self.rows(&what, &statement, &parameters, &|mut fields| {
            fields.edition()
        })?;
        let are_cut = all.len() > EDITIONS;
        let named = all
            .into_iter()
            .take(EDITIONS)
            .filter_map(|edition| match edition {
                Edition::Named { name, .. } => Some(name),
                Edition::Main => None,
            });
        Ok(Editions {
            named: named.collect(),
            main: self.spellings_of_main(domain)?,
            are_cut,
        })
    }

    /// How the main timeline of a domain is written, as conditions. Each is one value of the column, so the index has its
    /// rows in the order of their roots.
    fn spellings_of_main(&self, domain: &Domain) -> Result<Vec<&'static str>, StoreError> {
        let mut used = Vec::new();
        for spelling in ["edition IS NULL", "edition = 'angzarr'", "edition = ''"] {
            let statement = format!(
                "SELECT 1 FROM events WHERE domain = $1 AND {spelling} ORDER BY root LIMIT 1"
            );
            let parameters = [Parameter::Text(domain.as_str())];
            let rows = self.rows("the table `events`", &statement, &parameters, &|_| Ok(()))?;
            if !rows.is_empty() {
                used.push(spelling);
            }
        }
        Ok(used)
    }

    /// The condition for rows on the main timeline of a domain.
    fn on_main(&self, domain: &Domain) -> Result<String, StoreError> {
        let used = self.spellings_of_main(domain)?;
        Ok(if used.is_empty() {
            "edition IS NULL".to_owned()
        } else {
            format!("({})", used.join(" OR "))
        })
    }

    /// The aggregates of a domain on the main timeline, in order of their roots.
    pub fn each_root(
        &self,
        domain: &Domain,
        part: &RootPart,
        found: &mut dyn FnMut(Root),
    ) -> Result<(), StoreError> {
        let statement = format!(
            "SELECT {} FROM events WHERE domain = $1 AND {} AND root > $2 AND {}
             GROUP BY root ORDER BY root LIMIT {ROOTS}",
            text("root"),
            self.on_main(domain)?,
            between(part, 3)
        );
        let window = Window {
            domain,
            part,
            statement: &statement,
            size: ROOTS,
        };
        self.in_windows(&window, &|_, root| Ok(root), found)
    }

    /// The aggregates of a domain on the main timeline, with their number of events and the last of these.
    pub fn each_summary(
        &self,
        domain: &Domain,
        part: &RootPart,
        found: &mut dyn FnMut(StreamSummary),
    ) -> Result<(), StoreError> {
        let main = self.on_main(domain)?;
        let statement = format!(
            "WITH streams AS (
                 SELECT root AS stream, count(*) AS many, max(sequence) AS newest FROM events
                 WHERE domain = $1 AND {main} AND root > $2 AND {}
                 GROUP BY root ORDER BY root LIMIT {SUMMARIES})
             SELECT {}, CAST(many AS BIGINT), {} FROM streams JOIN events ON root = stream AND sequence = newest
             WHERE domain = $1 AND {main} ORDER BY stream",
            between(part, 3),
            text("stream"),
            content("event_data"),
        );
        let window = Window {
            domain,
            part,
            statement: &statement,
            size: SUMMARIES,
        };
        let summary = |fields: &mut Fields<'_>, root| {
            let count = fields.number("count")?;
            fields.named(format!("{domain}/{root}"));
            Ok(StreamSummary {
                root,
                count: usize::try_from(count).unwrap_or(usize::MAX),
                last: fields.page()?.0,
            })
        };
        self.in_windows(&window, &summary, found)
    }

    /// Runs a statement whose first column is a root, and runs it again after the last root, until there are no more.
    fn in_windows<T>(
        &self,
        window: &Window<'_>,
        row: &dyn Fn(&mut Fields<'_>, Root) -> Result<T, StoreError>,
        found: &mut dyn FnMut(T),
    ) -> Result<(), StoreError> {
        let what = format!("domain {}", window.domain);
        let bounds = bounds(window.part);
        let mut after = String::new();
        loop {
            let mut parameters = vec![
                Parameter::Text(window.domain.as_str()),
                Parameter::Text(&after),
            ];
            parameters.extend(bounds.iter().map(|bound| Parameter::Text(bound)));
            let read = self.rows(&what, window.statement, &parameters, &|mut fields| {
                let (text, root) = fields.written_root()?;
                Ok((text, row(&mut fields, root)?))
            })?;
            let is_last = read.len() < window.size;
            for (text, value) in read {
                after = text;
                found(value);
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// A list that is read in windows.
struct Window<'a> {
    domain: &'a Domain,
    part: &'a RootPart,
    statement: &'a str,
    size: usize,
}

/// The condition for roots that begin like this, with parameters from a number on. Text is compared as the database sorts
/// it; in every locale, digits come before letters.
pub(super) fn between(part: &RootPart, first: usize) -> String {
    if bounds(part).is_empty() {
        return "root IS NOT NULL".to_owned();
    }
    format!("root >= ${first} AND root <= ${}", first + 1)
}

/// The first and the last root that begin like this; none if every root does.
pub(super) fn bounds(part: &RootPart) -> Vec<String> {
    let digits = match part {
        RootPart::Full(root) => root.hex(),
        RootPart::Prefix(digits) if digits.is_empty() => return Vec::new(),
        RootPart::Prefix(digits) => digits.clone(),
    };
    let filled = |with: char| {
        let all = digits.chars().chain(std::iter::repeat(with)).take(32);
        let dashed = all.enumerate().flat_map(|(index, digit)| {
            let dash = matches!(index, 8 | 12 | 16 | 20).then_some('-');
            dash.into_iter().chain([digit])
        });
        dashed.collect()
    };
    vec![filled('0'), filled('f')]
}
