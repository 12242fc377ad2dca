//! The event stores of the source: by root on every timeline, by correlation id, by external id, by edition, and by the value
//! of a field. A store knows what caused an event.

use std::collections::BTreeSet;

use super::{Found, Haystack, Newest, Search};
use crate::event_store::{EventStore, StoreError, StoredRun, StoredScan};
use crate::finding::clue::{Clues, Id, Matched, Wanted};
use crate::finding::occurrence::{Cause, Occurrence, OccurrenceKind, Place};
use crate::model::{Domain, Edition};
use crate::project::StoreOfDomains;

pub(super) struct Stores<'a> {
    search: &'a Search<'a>,
    /// The stores, once they are open.
    open: Option<Vec<StoreOfDomains>>,
    /// Workflows that were asked for.
    asked: BTreeSet<String>,
}

impl<'a> Stores<'a> {
    pub(super) const fn of(search: &'a Search<'a>) -> Self {
        Self {
            search,
            open: None,
            asked: BTreeSet::new(),
        }
    }

    /// Opens the stores once. A store that cannot be opened is reported once.
    fn open(&mut self, found: &mut Found) {
        if self.open.is_some() {
            return;
        }
        let (source, domain) = (&self.search.source, self.search.request.domain.as_ref());
        let opened = self.search.project.event_stores(source, domain);
        let opened = opened.unwrap_or_else(|error| {
            found.not_looked("the event stores", error);
            Vec::new()
        });
        for of_domains in &opened {
            if let Err(error) = &of_domains.store {
                found.not_looked(&name_of(of_domains), error);
            }
        }
        self.open = Some(opened);
    }
}

impl Haystack for Stores<'_> {
    fn search(&mut self, wanted: &Wanted<'_>, found: &mut Found) {
        self.open(found);
        let around: Vec<&String> = match wanted {
            Wanted::Clues(_) => Vec::new(),
            Wanted::Around(around) => {
                let ids = around.workflows.iter();
                ids.filter(|id| self.asked.insert((*id).clone())).collect()
            }
        };
        for of_domains in self.open.iter().flatten() {
            let Ok(store) = &of_domains.store else {
                continue;
            };
            let mut asked = Asked {
                search: self.search,
                store,
                domains: &of_domains.domains,
                name: name_of(of_domains),
                newest: Newest::default(),
                has_failed: false,
                found,
            };
            match wanted {
                Wanted::Clues(clues) => asked.clues(clues),
                Wanted::Around(_) => {
                    for id in &around {
                        asked.workflow(id, &[]);
                    }
                }
            }
            let newest = std::mem::take(&mut asked.newest);
            found.add(newest);
        }
        if let Wanted::Clues(clues) = wanted {
            let ids = clues.ids.iter().filter(|id| id.may_be_workflow());
            self.asked.extend(ids.map(|id| id.text.clone()));
        }
    }
}

/// A store in words.
fn name_of(of_domains: &StoreOfDomains) -> String {
    let domains: Vec<&str> = of_domains.domains.iter().map(Domain::as_str).collect();
    format!(
        "the event store {} ({})",
        of_domains.place,
        domains.join(", ")
    )
}

/// A store that is asked.
struct Asked<'a> {
    search: &'a Search<'a>,
    store: &'a EventStore,
    domains: &'a [Domain],
    name: String,
    newest: Newest,
    /// Whether a question had no answer.
    has_failed: bool,
    found: &'a mut Found,
}

impl Asked<'_> {
    fn clues(&mut self, clues: &Clues) {
        for id in &clues.ids {
            let before = self.newest.count();
            self.root(id);
            if id.may_be_workflow() {
                self.workflow(&id.text, &[Matched::CorrelationId]);
                // Every row with an external id is passed over, so it is the last guess.
                if self.newest.count() == before {
                    self.external_id(&id.text);
                    self.edition(&id.text);
                }
            }
        }
        if let Some(type_name) = clues.field_type() {
            self.field(clues, type_name);
        } else if !self.has_failed {
            self.found.looked(self.name.clone());
        }
    }

    fn root(&mut self, id: &Id) {
        let Some(spec) = &id.root else { return };
        let is_wanted = |domain: &&Domain| spec.domain.as_ref().is_none_or(|it| it == *domain);
        for domain in self.domains.iter().filter(is_wanted) {
            let read = self.store.streams(domain, &spec.root);
            self.keep(
                read,
                &[Matched::Root],
                "aggregates or editions than the first of each domain",
            );
        }
    }

    fn workflow(&mut self, id: &str, matched: &[Matched]) {
        let read = self.store.runs_of_workflow(id);
        self.keep(
            read,
            matched,
            "events of the workflow than the first 10,000",
        );
    }

    fn external_id(&mut self, id: &str) {
        let read = self.store.runs_of_external_id(id);
        let more = "events with the external id than the first 10,000";
        self.keep(read, &[Matched::ExternalId], more);
    }

    fn edition(&mut self, id: &str) {
        let Ok(Edition::Named { name, .. }) = Edition::from_name(id) else {
            return;
        };
        for domain in self.domains {
            let read = self.store.streams_of_edition(domain, &name);
            let more = "aggregates of the edition than the first 20 of each domain";
            self.keep(read, &[Matched::Edition], more);
        }
    }

    /// Reads every event of a type.
    fn field(&mut self, clues: &Clues, type_name: &str) {
        for domain in self.domains {
            let mut newest = std::mem::take(&mut self.newest);
            let mut progress = self.search.project.event_progress();
            let passed = &mut |events| progress.add(events);
            let StoredScan { reached, stopped } =
                self.store
                    .each_of_type(domain, type_name, passed, &mut |event| {
                        let payload = event.page.body.event();
                        if payload.is_some_and(|payload| clues.has_value(payload)) {
                            newest.push(self.occurrence(event.run, &[Matched::Field]));
                        }
                    });
            self.newest = newest;
            match stopped {
                None => self
                    .found
                    .looked(format!("{}: every {type_name} of {domain}", self.name)),
                Some(error) => {
                    let after = reached.map_or_else(
                        || format!("events of {domain}"),
                        |last| format!("events after {last}"),
                    );
                    self.found
                        .not_looked(&format!("{}, {after}", self.name), error);
                }
            }
        }
    }

    /// Keeps what was read. `more` says what else there is if not everything was read.
    fn keep(
        &mut self,
        read: Result<(Vec<StoredRun>, bool), StoreError>,
        matched: &[Matched],
        more: &str,
    ) {
        let (mut runs, has_more) = match read {
            Ok(read) => read,
            Err(error) => {
                self.has_failed = true;
                self.found.not_looked(&self.name, error);
                return;
            }
        };
        if has_more {
            self.found
                .not_looked(&self.name, format!("it has more {more}"));
        }
        runs.retain(|run| self.domains.contains(&run.cover.domain));
        runs.sort_by_key(|run| run.time);
        for run in runs {
            let occurrence = self.occurrence(run, matched);
            self.newest.push(occurrence);
        }
    }

    fn occurrence(&self, run: StoredRun, matched: &[Matched]) -> Occurrence {
        let place = Place::Store(self.store.place().to_owned());
        Occurrence {
            time: run.time,
            domain: Some(run.cover.domain),
            root: Some(run.cover.root),
            edition: run.cover.edition,
            redacted_id: self.search.messages.id(&run.correlation_id),
            correlation_id: run.correlation_id,
            type_name: run.last_type,
            cause: run.cause.map(|cause| Cause {
                domain: cause.domain,
                root: cause.root,
                sequence: cause.sequence,
                component: String::new(),
            }),
            sequences: Some((run.first, run.last)),
            ..Occurrence::new(OccurrenceKind::Events, place, matched.to_vec())
        }
    }
}
