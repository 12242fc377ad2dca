//! The aggregates of the source: by root, and by correlation id. Asked only as much as the clues need.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Haystack, Newest, Search};
use crate::capture::{CaptureError, EventQueries, RootPart, RootSpec, UpTo, fetch_history};
use crate::finding::clue::{Matched, Wanted};
use crate::finding::occurrence::{Occurrence, OccurrenceKind, Place};
use crate::model::{Cover, Domain, Page, Payload};
use crate::project::OpenSource;

pub(super) struct Aggregates<'a> {
    search: &'a Search<'a>,
    /// Connections that are open, by the domain that they serve; without one they serve all domains.
    open: BTreeMap<Option<Domain>, OpenSource>,
    /// Workflows that were asked for.
    asked: BTreeSet<String>,
}

/// Maximum number of aggregates with the same first digits.
const MOST: usize = 20;

impl Haystack for Aggregates<'_> {
    fn search(&mut self, wanted: &Wanted<'_>, found: &mut Found) {
        if !self.search.is_embedded && !has_coordinators(self.search) {
            return;
        }
        let mut questions = Questions::of(self.search, wanted, found);
        questions
            .workflows
            .retain(|(id, _)| self.asked.insert((*id).to_owned()));
        if questions.is_empty() {
            return;
        }
        for domain in self.domains(&questions, found) {
            let key = (!self.search.is_embedded).then(|| domain.clone());
            let queries = self.open.get(&key).and_then(|it| it.domains.get(&domain));
            let Some(queries) = queries else { continue };
            let place = if self.search.is_embedded {
                self.search.source.clone()
            } else {
                queries.place()
            };
            let coordinator = if self.search.is_embedded {
                format!("the embedded coordinator of {domain}")
            } else {
                format!("the coordinator of {domain} at {place}")
            };
            let asked = Asked {
                domain: &domain,
                queries: queries.as_ref(),
                place: &place,
            };
            match questions.ask(&asked) {
                Ok(newest) => {
                    found.add(newest);
                    found.looked(coordinator);
                }
                Err(error) => found.not_looked(&coordinator, error),
            }
        }
    }
}

impl<'a> Aggregates<'a> {
    pub(super) const fn of(search: &'a Search<'a>) -> Self {
        Self {
            search,
            open: BTreeMap::new(),
            asked: BTreeSet::new(),
        }
    }

    /// Connects to the domains to ask, and returns them. A domain that cannot be reached does not hide the others.
    fn domains(&mut self, questions: &Questions<'_>, found: &mut Found) -> Vec<Domain> {
        let named = questions
            .only_domain()
            .or(self.search.request.domain.as_ref());
        if self.search.is_embedded {
            self.connect(None, found);
            let all = self.open.get(&None).into_iter();
            let all = all.flat_map(|source| source.domains.keys());
            let all = all.filter(|domain| named.is_none_or(|named| named == *domain));
            return all.cloned().collect();
        }
        let config = &self.search.project.config().sources[&self.search.source];
        let domains: Vec<Domain> = match named {
            Some(domain) => vec![domain.clone()],
            None => config.domains().cloned().collect(),
        };
        // `stores` searches the others.
        let has_none = domains.is_empty();
        let domains: Vec<Domain> = domains
            .into_iter()
            .filter(|domain| config.stores.location(domain).is_none())
            .collect();
        if has_none {
            found.not_looked(
                "aggregates",
                "the source has one address for every domain; say which with --domain, or list `domains`",
            );
        }
        for domain in &domains {
            self.connect(Some(domain), found);
        }
        domains
    }

    fn connect(&mut self, domain: Option<&Domain>, found: &mut Found) {
        if self.open.contains_key(&domain.cloned()) {
            return;
        }
        let (project, source) = (self.search.project, &self.search.source);
        match project.source_without_failures(Some(source), domain) {
            Ok(source) => {
                self.open.insert(domain.cloned(), source);
            }
            Err(error) => {
                let of = domain.map_or_else(String::new, |domain| format!(" of {domain}"));
                found.not_looked(&format!("aggregates{of}"), error);
            }
        }
    }
}

/// Whether a coordinator answers for any of the domains that are searched.
fn has_coordinators(search: &Search<'_>) -> bool {
    let Some(config) = search.project.config().sources.get(&search.source) else {
        return false;
    };
    let is_asked = |domain: &Domain| {
        config.address(domain).is_some() && config.stores.location(domain).is_none()
    };
    match &search.request.domain {
        Some(domain) => is_asked(domain),
        None => config.template.is_some() || config.domains().any(is_asked),
    }
}

/// A coordinator that is asked.
struct Asked<'a> {
    domain: &'a Domain,
    queries: &'a dyn EventQueries,
    place: &'a str,
}

/// What to ask the coordinators.
struct Questions<'a> {
    roots: Vec<&'a RootSpec>,
    workflows: Vec<(&'a str, Vec<Matched>)>,
}

impl<'a> Questions<'a> {
    fn of(search: &'a Search<'a>, wanted: &Wanted<'a>, found: &mut Found) -> Self {
        let clues = match wanted {
            Wanted::Around(around) => {
                let ids = around.workflows.iter();
                return Self {
                    roots: Vec::new(),
                    workflows: ids.map(|id| (id.as_str(), Vec::new())).collect(),
                };
            }
            Wanted::Clues(clues) => clues,
        };
        if clues.has_field() {
            found.not_looked(
                "stored events, by field",
                "no query of a coordinator searches by the value of a field",
            );
        }
        let mut roots = Vec::new();
        for spec in clues.ids.iter().filter_map(|id| id.root.as_ref()) {
            let config = search.project.config().sources.get(&search.source);
            let domains = config.map_or(1, |config| {
                let domains = config.domains();
                let asked = domains.filter(|domain| config.stores.location(domain).is_none());
                asked.count()
            });
            let is_named = spec.domain.is_some() || search.request.domain.is_some();
            if matches!(spec.root, RootPart::Prefix(_)) && !is_named && domains != 1 {
                found.not_looked(
                    &format!("aggregates whose root begins with {spec}"),
                    "this needs the list of every aggregate; name the domain, as in player/6513",
                );
            } else {
                roots.push(spec);
            }
        }
        if !roots.is_empty() {
            found.not_looked(
                "editions of these aggregates",
                "a query names its edition; `show ROOT --edition NAME` reads one",
            );
        }
        let ids = clues.ids.iter().filter(|id| id.may_be_workflow());
        Self {
            roots,
            workflows: ids
                .map(|id| (id.text.as_str(), vec![Matched::CorrelationId]))
                .collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.workflows.is_empty()
    }

    /// The only domain to ask, if every question names the same one.
    fn only_domain(&self) -> Option<&'a Domain> {
        if !self.workflows.is_empty() {
            return None;
        }
        let domains: Option<BTreeSet<&Domain>> =
            self.roots.iter().map(|spec| spec.domain.as_ref()).collect();
        let mut domains = domains?.into_iter();
        domains.next().filter(|_| domains.next().is_none())
    }

    fn ask(&self, asked: &Asked<'_>) -> Result<Newest, CaptureError> {
        let mut newest = Newest::default();
        for spec in &self.roots {
            if spec
                .domain
                .as_ref()
                .is_none_or(|named| named == asked.domain)
            {
                asked.root(&spec.root, &mut newest)?;
            }
        }
        for (id, matched) in &self.workflows {
            for (cover, pages) in asked.shares(id)? {
                let mut occurrence = asked.stored(&cover, &pages, matched.clone());
                (*id).clone_into(&mut occurrence.correlation_id);
                (*id).clone_into(&mut occurrence.redacted_id);
                newest.push(occurrence);
            }
        }
        Ok(newest)
    }
}

impl Asked<'_> {
    /// A whole root is read; of the beginning of one, only the aggregates are listed.
    fn root(&self, root: &RootPart, newest: &mut Newest) -> Result<(), CaptureError> {
        if let RootPart::Full(root) = root {
            let cover = Cover::main(self.domain.clone(), *root);
            let fetched = fetch_history(self.queries, &cover, UpTo::Head, &mut |_| {})?;
            let pages = fetched.history.into_pages();
            if !pages.is_empty() {
                newest.push(self.stored(&cover, &pages, vec![Matched::Root]));
            }
            return Ok(());
        }
        let mut matching = Vec::new();
        self.queries.each_aggregate_root(&mut |owner, own| {
            if owner == *self.domain && root.fits(&own) && matching.len() < MOST {
                matching.push(own);
            }
        })?;
        for root in matching {
            let place = Place::Coordinator(self.place.to_owned());
            newest.push(Occurrence {
                domain: Some(self.domain.clone()),
                root: Some(root),
                ..Occurrence::new(OccurrenceKind::Aggregate, place, vec![Matched::Root])
            });
        }
        Ok(())
    }

    /// The events of a workflow that belong to the domain, by aggregate and edition. A shared store returns those of other
    /// domains too.
    fn shares(&self, id: &str) -> Result<Vec<(Cover, Vec<Page>)>, CaptureError> {
        let mut found: BTreeMap<_, (Cover, Vec<Page>)> = BTreeMap::new();
        for book in self.queries.workflow(self.domain, id)? {
            let Some(cover) = book.cover else { continue };
            if cover.domain == *self.domain {
                let key = (cover.root, cover.edition.label().to_owned());
                found.insert(key, (cover, book.history.into_pages()));
            }
        }
        Ok(found.into_values().collect())
    }

    fn stored(&self, cover: &Cover, pages: &[Page], matched: Vec<Matched>) -> Occurrence {
        let last = pages.last();
        let last_type = last
            .and_then(|page| page.body.event())
            .map_or("", Payload::type_name);
        let first = pages.first().map(|page| page.sequence);
        let place = Place::Coordinator(self.place.to_owned());
        Occurrence {
            time: pages.first().and_then(|page| page.created_at),
            domain: Some(cover.domain.clone()),
            root: Some(cover.root),
            edition: cover.edition.clone(),
            type_name: last_type.to_owned(),
            sequences: first.zip(last.map(|page| page.sequence)),
            ..Occurrence::new(OccurrenceKind::Events, place, matched)
        }
    }
}
