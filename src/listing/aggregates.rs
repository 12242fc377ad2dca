//! The aggregates of a source, with their newest known failures; on request also with their events.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::mpsc;

use crate::capture::{
    CaptureError, EventQueries, RootPart, RootSpec, StoreQueries, UpTo, fetch_history,
    select_ticket,
};
use crate::capturing::{Messages, one_domain};
use crate::model::{AnsweredBy, Code, Cover, Domain, Page, Payload, Root};
use crate::project::{OpenSource, OperationError, Project};
use crate::ticket::Ticket;
use crate::wire::Dialect;

/// What the list of a coordinator cannot show, whatever the source holds.
const COORDINATOR_LIMITS: &str = "a coordinator lists only the main timeline: an aggregate that exists only in an edition is \
                               missing; core 0.5 leaves out a domain that it cannot read, without an error";

/// What the list of an event store does not show.
const STORE_LIMITS: &str = "an aggregate that exists only in an edition is not listed; `find EDITION` lists those of an edition";

/// Which aggregates to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AggregatesRequest {
    /// Name of the source; the configured one if there is none.
    pub source: Option<String>,
    /// Only this domain.
    pub domain: Option<Domain>,
    /// Only these aggregates.
    pub filter: AggregateFilter,
    /// Whether to read the events of each aggregate, one aggregate after the other.
    pub with_counts: bool,
}

/// Aggregates of one domain, or with the same first digits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AggregateFilter {
    /// The domain.
    pub domain: Option<Domain>,
    /// A root, or the beginning of one.
    pub root: Option<RootPart>,
}

/// Why a text does not select aggregates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a root nor the beginning of one: expected DOMAIN/, DOMAIN/ROOT or ROOT")]
pub struct FilterError(String);

impl FromStr for AggregateFilter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let refused = || FilterError(text.to_owned());
        if let Some(domain) = text.strip_suffix('/') {
            return Ok(Self {
                domain: Some(domain.parse().map_err(|_| refused())?),
                root: None,
            });
        }
        let spec: RootSpec = text.parse().map_err(|_| refused())?;
        Ok(Self {
            domain: spec.domain,
            root: Some(spec.root),
        })
    }
}

impl AggregateFilter {
    fn fits(&self, root: &Root) -> bool {
        self.root.as_ref().is_none_or(|part| part.fits(root))
    }
}

/// The aggregates of a source, which are about to be listed.
pub struct AggregateList<'a> {
    project: &'a Project,
    source: OpenSource,
    messages: Messages,
    /// Failures by domain and root, on the main timeline.
    failures: BTreeMap<(Domain, Root), Vec<Ticket>>,
    request: &'a AggregatesRequest,
}

/// An aggregate of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAggregate {
    /// Its domain.
    pub domain: Domain,
    /// Its root.
    pub root: Root,
    /// Its events, or why they cannot be read; none if they were not requested.
    pub stored: Option<Result<StoredEvents, String>>,
    /// The failure that a capture would select.
    pub newest_failure: Option<NewestFailure>,
}

/// The events of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvents {
    /// How many there are.
    pub count: usize,
    /// Type of the last; empty if its page holds no event.
    pub last_type: String,
}

/// The newest failure of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestFailure {
    /// Type of the command.
    pub command: String,
    /// Code of the answer.
    pub code: Code,
    /// Message of the answer, redacted.
    pub message: String,
}

/// What is known when all aggregates are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListSummary {
    /// How many were listed.
    pub listed: usize,
    /// How many of them cannot be read.
    pub unread: usize,
    /// The failed aggregate to capture first: one whose logic is configured, if there is one.
    pub suggested: Option<Root>,
    has_logic: bool,
}

impl<'a> AggregateList<'a> {
    /// Connects to a source and reads its failure logs.
    ///
    /// # Errors
    /// If the source cannot be reached, or its logs cannot be read.
    pub fn open(
        project: &'a Project,
        request: &'a AggregatesRequest,
    ) -> Result<Self, OperationError> {
        let domain = one_domain(request.domain.as_ref(), request.filter.domain.as_ref())?;
        let mut source = project.source(request.source.as_deref(), domain)?;
        let mut failures: BTreeMap<_, Vec<Ticket>> = BTreeMap::new();
        for ticket in std::mem::take(&mut source.tickets) {
            let cover = &ticket.command.cover;
            let key = (cover.domain.clone(), cover.root);
            failures.entry(key).or_default().push(ticket);
        }
        Ok(Self {
            messages: Messages::of(project, &source.name),
            project,
            source,
            failures,
            request,
        })
    }

    /// The domains whose aggregates are listed.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.source.domains.keys()
    }

    /// What the list does not show: for the coordinators and for the event stores that it is from.
    #[must_use]
    pub fn limits(&self) -> Vec<&'static str> {
        let has = |is_store: bool| {
            let mut all = self.source.domains.values();
            all.any(|queries| queries.store().is_some() == is_store)
        };
        let limits = [(false, COORDINATOR_LIMITS), (true, STORE_LIMITS)];
        let limits = limits.into_iter().filter(|(is_store, _)| has(*is_store));
        limits.map(|(_, words)| words).collect()
    }

    /// Lines of the source's logs that look like failures and are not usable, with the reason.
    #[must_use]
    pub fn unusable(&self) -> &[String] {
        &self.source.failures.unusable
    }

    /// The dialect, if the source does not reveal it.
    #[must_use]
    pub const fn assumed_dialect(&self) -> Option<Dialect> {
        self.source.assumed_dialect
    }

    /// Why no message of a failure is shown; none if they are.
    #[must_use]
    pub fn messages_hidden(&self) -> Option<&str> {
        self.messages.hidden()
    }

    /// Lists the aggregates domain by domain. `found` gets each as soon as it is known, on another thread, so that a slow
    /// reader does not hold up the coordinator. An aggregate whose events cannot be read does not hide the others.
    ///
    /// # Errors
    /// If a coordinator does not list its aggregates. Those that it listed before are not lost.
    pub fn each(
        &self,
        found: &mut (dyn FnMut(&ListedAggregate) + Send),
    ) -> Result<ListSummary, OperationError> {
        let (send, receive) = mpsc::channel::<ListedAggregate>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for aggregate in receive {
                    found(&aggregate);
                }
            });
            let mut summary = ListSummary::default();
            let mut listed = ListedPlaces::default();
            for (domain, queries) in &self.source.domains {
                self.list(domain, queries.as_ref(), &mut listed, &mut |aggregate| {
                    self.count(&aggregate, &mut summary);
                    // The receiver is alive until the sender is dropped.
                    let _ = send.send(aggregate);
                })?;
            }
            drop(send);
            Ok(summary)
        })
    }

    fn list(
        &self,
        domain: &Domain,
        queries: &dyn EventQueries,
        places: &mut ListedPlaces,
        found: &mut dyn FnMut(ListedAggregate),
    ) -> Result<(), OperationError> {
        if let Some(store) = queries.store() {
            return self.list_of_store(domain, store, found);
        }
        // No query may be sent while the list arrives, so roots whose events are read are collected first.
        let mut roots = Vec::new();
        let with_counts = self.request.with_counts;
        let mut listed = |root| {
            if with_counts {
                roots.push(root);
            } else {
                found(self.aggregate(domain, root, None));
            }
        };
        let place = queries.place();
        if let Some(mut others) = places.0.remove(&place) {
            others
                .remove(domain)
                .into_iter()
                .flatten()
                .for_each(&mut listed);
            places.0.insert(place, others);
        } else {
            let others = self.list_place(domain, queries, &mut listed)?;
            places.0.insert(place, others);
        }
        roots.sort();
        for root in roots {
            let cover = Cover::main(domain.clone(), root);
            let stored = fetch_history(queries, &cover, UpTo::Head, &mut |_| {})
                .map(|fetched| {
                    let pages = fetched.history.pages();
                    stored_events(pages.len(), pages.last())
                })
                .map_err(|error| error.to_string());
            found(self.aggregate(domain, root, Some(stored)));
        }
        Ok(())
    }

    /// Asks a coordinator for its list. Returns the aggregates of the other domains that it lists.
    fn list_place(
        &self,
        domain: &Domain,
        queries: &dyn EventQueries,
        found: &mut dyn FnMut(Root),
    ) -> Result<BTreeMap<Domain, Vec<Root>>, OperationError> {
        let mut others: BTreeMap<Domain, Vec<Root>> = BTreeMap::new();
        let listed = queries.each_aggregate_root(&mut |owner, root| {
            if !self.request.filter.fits(&root) {
                return;
            }
            if owner == *domain {
                found(root);
            } else if self.source.domains.contains_key(&owner) {
                others.entry(owner).or_default().push(root);
            }
        });
        listed.map_err(CaptureError::from)?;
        Ok(others)
    }

    /// A store lists one domain, and counts its events itself.
    fn list_of_store(
        &self,
        domain: &Domain,
        store: &dyn StoreQueries,
        found: &mut dyn FnMut(ListedAggregate),
    ) -> Result<(), OperationError> {
        let every = RootPart::Prefix(String::new());
        let part = self.request.filter.root.as_ref().unwrap_or(&every);
        let listed = if self.request.with_counts {
            store.each_summary(domain, part, &mut |summary| {
                let stored = stored_events(summary.count, Some(&summary.last));
                found(self.aggregate(domain, summary.root, Some(Ok(stored))));
            })
        } else {
            store.each_root(domain, part, &mut |root| {
                found(self.aggregate(domain, root, None));
            })
        };
        Ok(listed.map_err(CaptureError::from)?)
    }

    fn aggregate(
        &self,
        domain: &Domain,
        root: Root,
        stored: Option<Result<StoredEvents, String>>,
    ) -> ListedAggregate {
        let tickets = self.failures.get(&(domain.clone(), root));
        let cover = Cover::main(domain.clone(), root);
        let newest = tickets
            .and_then(|tickets| select_ticket(tickets, &cover, AnsweredBy::NotKnown))
            .map(|selected| selected.ticket);
        ListedAggregate {
            domain: domain.clone(),
            root,
            stored,
            newest_failure: newest.map(|newest| NewestFailure {
                command: newest.command.type_name().to_owned(),
                code: newest.failure.code,
                message: self.messages.of_ticket(newest),
            }),
        }
    }

    fn count(&self, aggregate: &ListedAggregate, summary: &mut ListSummary) {
        summary.listed += 1;
        summary.unread += usize::from(matches!(aggregate.stored, Some(Err(_))));
        if aggregate.newest_failure.is_none() || summary.has_logic {
            return;
        }
        let has_logic = self.project.logics().of_domain(&aggregate.domain).is_some();
        if has_logic || summary.suggested.is_none() {
            summary.suggested = Some(aggregate.root);
            summary.has_logic = has_logic;
        }
    }
}

/// Coordinators that were asked, by address, with the aggregates of the domains that are still to come: a coordinator that
/// serves several domains lists all of them at once.
#[derive(Default)]
struct ListedPlaces(BTreeMap<String, BTreeMap<Domain, Vec<Root>>>);

fn stored_events(count: usize, last: Option<&Page>) -> StoredEvents {
    let last = last.and_then(|page| page.body.event());
    StoredEvents {
        count,
        last_type: last.map_or("", Payload::type_name).to_owned(),
    }
}
