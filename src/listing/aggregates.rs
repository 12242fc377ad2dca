//! The aggregates of a source, with their events and newest failures.

use crate::capture::{CaptureError, UpTo, fetch_history, select_ticket};
use crate::capturing::Messages;
use crate::model::{AnsweredBy, Code, Cover, Domain, Page, Payload, Root};
use crate::project::{OperationError, Project};
use crate::ticket::Ticket;
use crate::wire::Dialect;

/// Which aggregates to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AggregatesRequest {
    /// Name of the source; the configured one if there is none.
    pub source: Option<String>,
    /// Only this domain.
    pub domain: Option<Domain>,
}

/// The aggregates of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAggregates {
    /// The aggregates, by domain and root.
    pub aggregates: Vec<ListedAggregate>,
    /// Lines of the source's logs that look like failures and are not usable, with the reason.
    pub unusable: Vec<String>,
    /// The dialect, if the source does not reveal it.
    pub assumed_dialect: Option<Dialect>,
    /// Why no message of a failure is shown; none if they are.
    pub messages_hidden: Option<String>,
    /// The failed aggregate to capture first: one whose logic is configured, if there is one.
    pub suggested: Option<Root>,
}

/// An aggregate of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAggregate {
    /// Its domain.
    pub domain: Domain,
    /// Its root.
    pub root: Root,
    /// Its events, or why they cannot be read.
    pub stored: Result<StoredEvents, String>,
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

/// Lists the aggregates of a source. An aggregate whose events cannot be read does not hide the others. `watch` receives
/// how many aggregates have been read, and how many there are.
///
/// # Errors
/// If the source cannot be reached, or does not list its aggregates.
pub fn list_aggregates(
    project: &Project,
    request: &AggregatesRequest,
    watch: &mut dyn FnMut(usize, usize),
) -> Result<ListedAggregates, OperationError> {
    let source = project.source(request.source.as_deref(), request.domain.as_ref())?;
    let messages = Messages::of(project, &source.name);
    let mut known = Vec::new();
    for (domain, queries) in &source.domains {
        if let Some(store) = queries.store() {
            let summaries = store.summaries(domain).map_err(CaptureError::from)?;
            known.extend(summaries.into_iter().map(|summary| {
                let stored = stored_events(summary.count, Some(&summary.last));
                (queries, domain.clone(), summary.root, Some(stored))
            }));
            continue;
        }
        let mut roots = queries.aggregate_roots().map_err(CaptureError::from)?;
        // A shared store lists every domain.
        roots.retain(|(owner, _)| owner == domain);
        roots.sort();
        known.extend(
            roots
                .into_iter()
                .map(|(domain, root)| (queries, domain, root, None)),
        );
    }
    let count = known.len();
    let mut aggregates = Vec::new();
    for (queries, domain, root, stored) in known {
        watch(aggregates.len(), count);
        let cover = Cover::main(domain.clone(), root);
        let stored = match stored {
            Some(stored) => Ok(stored),
            None => fetch_history(queries.as_ref(), &cover, UpTo::Head, &mut |_| {})
                .map(|fetched| {
                    let pages = fetched.history.pages();
                    stored_events(pages.len(), pages.last())
                })
                .map_err(|error| error.to_string()),
        };
        aggregates.push(ListedAggregate {
            newest_failure: newest_failure(&source.tickets, &cover, &messages),
            domain,
            root,
            stored,
        });
    }
    Ok(ListedAggregates {
        suggested: suggested(project, &aggregates),
        aggregates,
        messages_hidden: messages.hidden().map(str::to_owned),
        assumed_dialect: source.assumed_dialect,
        unusable: source.failures.unusable,
    })
}

impl ListedAggregates {
    /// How many aggregates cannot be read.
    #[must_use]
    pub fn count_unread(&self) -> usize {
        let unread = self.aggregates.iter().filter(|it| it.stored.is_err());
        unread.count()
    }
}

fn stored_events(count: usize, last: Option<&Page>) -> StoredEvents {
    let last = last.and_then(|page| page.body.event());
    StoredEvents {
        count,
        last_type: last.map_or("", Payload::type_name).to_owned(),
    }
}

fn newest_failure(tickets: &[Ticket], cover: &Cover, messages: &Messages) -> Option<NewestFailure> {
    let newest = select_ticket(tickets, cover, AnsweredBy::NotKnown)?.ticket;
    Some(NewestFailure {
        command: newest.command.type_name().to_owned(),
        code: newest.failure.code,
        message: messages.of_ticket(newest),
    })
}

fn suggested(project: &Project, aggregates: &[ListedAggregate]) -> Option<Root> {
    let failed = || aggregates.iter().filter(|it| it.newest_failure.is_some());
    let has_logic = |it: &&ListedAggregate| project.logics().of_domain(&it.domain).is_some();
    let first = failed().find(has_logic).or_else(|| failed().next());
    first.map(|it| it.root)
}
