//! Events that have an id or a type. Answers are bounded: each says if there is more.

use super::StoreError;
use super::database::Parameter;
use super::listing::{between, bounds};
use super::reader::EventStore;
use super::rows::{Fields, content, text};
use crate::capture::RootPart;
use crate::model::{Cover, Domain, EditionName, Page, Root, Timestamp};

/// Number of events with an id that are read.
const EVENTS: usize = 10_000;
/// Number of aggregates that are named.
const STREAMS: usize = 20;
/// Number of events that one query of a search through all events passes over.
const WINDOW: usize = 20_000;

/// The event that caused an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCause {
    /// Its domain.
    pub domain: Domain,
    /// Its root.
    pub root: Root,
    /// Its sequence.
    pub sequence: u32,
}

/// Successive events of one aggregate, with the same cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRun {
    /// The aggregate, with its edition.
    pub cover: Cover,
    /// Sequence of the first.
    pub first: u32,
    /// Sequence of the last.
    pub last: u32,
    /// When the first was stored.
    pub time: Option<Timestamp>,
    /// Type of the last; empty if its page holds no event.
    pub last_type: String,
    /// Their correlation id; empty if they have none, or if the run is a whole aggregate.
    pub correlation_id: String,
    /// What caused them, if the store knows it.
    pub cause: Option<StoredCause>,
}

/// An event that was found by its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// It, as a run of one.
    pub run: StoredRun,
    /// Its page.
    pub page: Page,
}

/// How far a search through all events went.
#[derive(Debug)]
pub struct StoredScan {
    /// The last event that was passed over before a query failed, in words; `None` before the first.
    pub reached: Option<String>,
    /// Why it ended too early.
    pub stopped: Option<StoreError>,
}

/// Runs, and whether there are more.
type Runs = (Vec<StoredRun>, bool);

impl EventStore {
    /// The events with a correlation id.
    pub fn runs_of_workflow(&self, id: &str) -> Result<Runs, StoreError> {
        self.runs("correlation_id = $1", id)
    }

    /// The events with the key of a fact. The store has an index of rows that have one.
    pub fn runs_of_external_id(&self, id: &str) -> Result<Runs, StoreError> {
        if !self.layout.has_external_ids {
            return Ok((Vec::new(), false));
        }
        self.runs("external_id = $1 AND external_id <> ''", id)
    }

    /// The events that fulfil a condition, in runs.
    fn runs(&self, condition: &str, id: &str) -> Result<Runs, StoreError> {
        let statement = format!(
            "SELECT {} FROM events WHERE {condition} ORDER BY domain, root, edition, sequence LIMIT {}",
            self.event_columns(),
            EVENTS + 1
        );
        let what = "an event with the id";
        let events = self.rows(what, &statement, &[Parameter::Text(id)], &|fields| {
            Ok(event(fields)?.run)
        })?;
        let has_more = events.len() > EVENTS;
        let mut runs: Vec<StoredRun> = Vec::new();
        for run in events.into_iter().take(EVENTS) {
            match runs.last_mut() {
                Some(last)
                    if last.cover == run.cover
                        && last.cause == run.cause
                        && last.correlation_id == run.correlation_id
                        && last.last.checked_add(1) == Some(run.first) =>
                {
                    last.last = run.last;
                    last.last_type = run.last_type;
                }
                _ => runs.push(run),
            }
        }
        Ok((runs, has_more))
    }

    /// The aggregates of a domain whose root begins like this, on every timeline.
    pub fn streams(&self, domain: &Domain, part: &RootPart) -> Result<Runs, StoreError> {
        let editions = self.editions(domain)?;
        let mut parameters = vec![Parameter::Text(domain.as_str())];
        let bounds = bounds(part);
        parameters.extend(bounds.iter().map(|bound| Parameter::Text(bound)));
        let rows = between(part, 2);
        let mut conditions: Vec<String> = editions.main.iter().map(ToString::to_string).collect();
        if !editions.named.is_empty() {
            let first = parameters.len() + 1;
            let numbers = (first..first + editions.named.len()).map(|number| format!("${number}"));
            let numbers: Vec<String> = numbers.collect();
            conditions.push(format!("edition IN ({})", numbers.join(", ")));
            let names = editions.named.iter();
            parameters.extend(names.map(|name| Parameter::Text(name.as_str())));
        }
        let mut runs = Vec::new();
        let mut has_more = editions.are_cut;
        // Each condition is a query of its own, which uses the index.
        for condition in conditions {
            let parameters = if condition.contains('$') {
                &parameters[..]
            } else {
                &parameters[..=bounds.len()]
            };
            let condition = format!("domain = $1 AND {condition} AND {rows}");
            let (found, more) = self.whole_streams(domain, &condition, parameters)?;
            runs.extend(found);
            has_more |= more;
        }
        Ok((runs, has_more))
    }

    /// The aggregates of a domain that have events of their own in an edition.
    pub fn streams_of_edition(
        &self,
        domain: &Domain,
        edition: &EditionName,
    ) -> Result<Runs, StoreError> {
        let parameters = [
            Parameter::Text(domain.as_str()),
            Parameter::Text(edition.as_str()),
        ];
        self.whole_streams(domain, "domain = $1 AND edition = $2", &parameters)
    }

    fn whole_streams(
        &self,
        domain: &Domain,
        condition: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Runs, StoreError> {
        let statement = format!(
            "SELECT {}, {}, CAST(min(sequence) AS BIGINT), CAST(max(sequence) AS BIGINT) FROM events
             WHERE {condition} GROUP BY root, edition ORDER BY root, edition LIMIT {}",
            text("root"),
            text("edition"),
            STREAMS + 1
        );
        let what = format!("domain {domain}");
        let found = self.rows(&what, &statement, parameters, &|mut fields| {
            let (root, edition) = (fields.root()?, fields.edition()?);
            let cover = Cover {
                edition,
                ..Cover::main(domain.clone(), root)
            };
            Ok((
                cover,
                fields.number("sequence")?,
                fields.number("sequence")?,
            ))
        })?;
        let has_more = found.len() > STREAMS;
        let mut runs = Vec::new();
        for (cover, first, last) in found.into_iter().take(STREAMS) {
            let page = self.pages(&cover, (last, last))?.pop();
            let note = self.notes(&cover, (first, first))?.pop();
            runs.push(StoredRun {
                first,
                last,
                time: note.and_then(|note| note.inserted_at),
                last_type: page.as_ref().map_or_else(String::new, type_of),
                correlation_id: String::new(),
                cause: None,
                cover,
            });
        }
        Ok((runs, has_more))
    }

    /// Searches all events of a domain for those of a type, in windows. The database passes over the others, so that they
    /// are not sent. `passed` receives how many events a window has, when the next one begins.
    pub fn each_of_type(
        &self,
        domain: &Domain,
        type_name: &str,
        passed: &mut dyn FnMut(u64),
        found: &mut dyn FnMut(StoredEvent),
    ) -> StoredScan {
        let mut scan = StoredScan {
            reached: None,
            stopped: None,
        };
        let scanned = self.scan(domain, type_name, &mut scan.reached, passed, found);
        scan.stopped = scanned.err();
        scan
    }

    fn scan(
        &self,
        domain: &Domain,
        type_name: &str,
        reached: &mut Option<String>,
        passed: &mut dyn FnMut(u64),
        found: &mut dyn FnMut(StoredEvent),
    ) -> Result<(), StoreError> {
        let editions = self.editions(domain)?;
        let main = editions.main.iter().map(|condition| (*condition, None));
        let named = editions
            .named
            .iter()
            .map(|name| ("edition = $4", Some(name)));
        let type_condition = self.contains("event_data", type_name);
        for (condition, name) in main.chain(named) {
            let timeline = Timeline {
                domain,
                condition,
                name,
            };
            let mut after = (String::new(), i64::from(u32::MAX));
            loop {
                let next = self.window_end(&timeline, &after)?;
                self.window(&timeline, &type_condition, &after, next.as_ref(), found)?;
                let Some(next) = next else { break };
                passed(WINDOW as u64);
                let edition = name.map_or("main", |name| name.as_str());
                *reached = Some(format!(
                    "{domain}/{}, sequence {} (edition {edition})",
                    next.0, next.1
                ));
                after = next;
            }
        }
        Ok(())
    }

    /// The last row of the window after a row; `None` if the window reaches to the end.
    fn window_end(&self, timeline: &Timeline<'_>, after: &Key) -> Result<Option<Key>, StoreError> {
        let statement = format!(
            "SELECT {}, CAST(sequence AS BIGINT) FROM events WHERE {} ORDER BY root, sequence LIMIT 1 OFFSET {}",
            text("root"),
            timeline.rows(),
            WINDOW - 1
        );
        let rows = self.rows(
            "the table `events`",
            &statement,
            &timeline.parameters(after),
            &|mut fields| Ok((fields.text("root")?, fields.number("sequence")?.into())),
        )?;
        Ok(rows.into_iter().next())
    }

    fn window(
        &self,
        timeline: &Timeline<'_>,
        type_condition: &str,
        after: &Key,
        last: Option<&Key>,
        found: &mut dyn FnMut(StoredEvent),
    ) -> Result<(), StoreError> {
        let mut parameters = timeline.parameters(after);
        let until = last.map_or_else(String::new, |(root, sequence)| {
            let first = parameters.len() + 1;
            parameters.extend([Parameter::Text(root), Parameter::Integer(*sequence)]);
            format!(
                " AND root <= ${first} AND (root, sequence) <= (${first}, CAST(${} AS BIGINT))",
                first + 1
            )
        });
        let statement = format!(
            "SELECT {} FROM events WHERE {}{until} AND {type_condition} ORDER BY root, sequence",
            self.event_columns(),
            timeline.rows()
        );
        for event in self.rows("the table `events`", &statement, &parameters, &event)? {
            found(event);
        }
        Ok(())
    }

    /// The columns that [`event`] reads.
    fn event_columns(&self) -> String {
        format!(
            "{}, {}, {}, {}, {}, {}, {}",
            text("domain"),
            text("root"),
            text("edition"),
            text("correlation_id"),
            text("created_at"),
            self.layout.cause(),
            content("event_data")
        )
    }
}

/// Root and sequence of a row.
type Key = (String, i64);

/// One way in which a timeline of a domain is written.
struct Timeline<'a> {
    domain: &'a Domain,
    /// The condition of its rows; `$4` is its name.
    condition: &'a str,
    name: Option<&'a EditionName>,
}

impl Timeline<'_> {
    /// The rows after one. The bound of the root alone says nothing new, but Postgres estimates by it how few rows there are,
    /// and so uses the index.
    fn rows(&self) -> String {
        format!(
            "domain = $1 AND {} AND root >= $2 AND (root, sequence) > ($2, CAST($3 AS BIGINT))",
            self.condition
        )
    }

    fn parameters<'a>(&'a self, after: &'a Key) -> Vec<Parameter<'a>> {
        let mut parameters = vec![
            Parameter::Text(self.domain.as_str()),
            Parameter::Text(&after.0),
            Parameter::Integer(after.1),
        ];
        parameters.extend(self.name.map(|name| Parameter::Text(name.as_str())));
        parameters
    }
}

fn event(mut fields: Fields<'_>) -> Result<StoredEvent, StoreError> {
    let cover = fields.cover()?;
    let correlation_id = fields.text_or_null().unwrap_or_default();
    let (time, cause) = (fields.time(), fields.cause());
    let page = fields.page()?.0;
    let run = StoredRun {
        cover,
        first: page.sequence,
        last: page.sequence,
        time: page.created_at.or(time),
        last_type: type_of(&page),
        correlation_id,
        cause,
    };
    Ok(StoredEvent { run, page })
}

fn type_of(page: &Page) -> String {
    let event = page.body.event();
    event.map_or_else(String::new, |event| event.type_name().to_owned())
}
