//! The process manager's own stream: where it is, and what it held before the trigger.

use super::StreamCapture;
use crate::capture::workflow::{Share, gather};
use crate::capture::{CutBook, CutRule, Fetched, UpTo, cut, fetch_history};
use crate::capturing::OperationError;
use crate::model::{Cover, Domain, EventBook, Page, ProcessRoot, Root};
use crate::project::{LogicConfig, OpenSource};

impl StreamCapture<'_> {
    /// The process manager's own stream as it was before its trigger, and how it was found.
    pub(super) fn process_state(
        &self,
        component: &LogicConfig,
        trigger: Option<&Page>,
    ) -> Result<(CutBook, String), OperationError> {
        let domain = component.domain.clone().ok_or_else(|| {
            OperationError::Usage(format!(
                "logic `{}` does not say the `domain` of its stream",
                component.name
            ))
        })?;
        let request = self.context.request;
        let mut named = request.kind.books().iter();
        let named = named.rfind(|book| book.domain == domain);
        let cut_at = named.and_then(|book| book.cut);
        let began = trigger.and_then(|page| self.fetched.time_of(page));
        let candidates = match named {
            Some(book) => vec![(book.root, "as given".to_owned())],
            None => self.process_roots(component)?,
        };
        let others = self.context.project.source(Some(&self.source.name), None)?;
        let by_id = request.correlation.as_deref();
        let by_id = by_id.filter(|_| named.is_none() && component.process_root.is_none());
        if let Some(id) = by_id
            && let Some(found) = self.carrying(&others, &domain, id)?
        {
            let cover = self.of_stream(&domain, found.cover.root);
            let fetched = Fetched::of_pages(found.pages, found.notes)?;
            let state = cut(cover, &fetched, &[], cut_at, began);
            return Ok((state, "found by its correlation id".to_owned()));
        }
        let Some(queries) = others.domains.get(&domain) else {
            return Err(OperationError::Failed(format!(
                "the state of process manager `{}` cannot be read: source `{}` has no domain `{domain}`, and its other \
                 domains know no event of that domain with this correlation id; add the domain to the source",
                component.name, self.source.name
            )));
        };
        for (root, how) in &candidates {
            let cover = self.of_stream(&domain, *root);
            let query = Cover {
                correlation_id: String::new(),
                ..cover.clone()
            };
            let fetched = fetch_history(queries.as_ref(), &query, UpTo::Head, &mut |_| {})?;
            if fetched.head > 0 {
                return Ok((cut(cover, &fetched, &[], cut_at, began), how.clone()));
            }
        }
        Ok(self.new_process(&domain, &candidates, by_id.is_some()))
    }

    /// An empty stream, because nothing is stored under any of the roots that it may have.
    fn new_process(
        &self,
        domain: &Domain,
        candidates: &[(Root, String)],
        is_searched_by_id: bool,
    ) -> (CutBook, String) {
        let (root, how) = &candidates[0];
        let searched: Vec<String> = candidates
            .iter()
            .map(|(root, _)| root.to_string())
            .collect();
        let by_id = if is_searched_by_id {
            ", and nothing with its correlation id"
        } else {
            ""
        };
        let found = format!(
            "{how}; nothing is stored under {}{by_id}: taken for a workflow that has just begun",
            searched.join(", ")
        );
        let state = CutBook {
            book: EventBook::empty(self.of_stream(domain, *root)),
            after: Vec::new(),
            rule: CutRule::Whole,
        };
        (state, found)
    }

    /// The pages of a process manager's domain that carry the correlation id, whatever their root.
    fn carrying(
        &self,
        source: &OpenSource,
        domain: &Domain,
        id: &str,
    ) -> Result<Option<Share>, OperationError> {
        let shares = gather(&source.domains, id, &self.cover.edition)?.into_iter();
        let mut shares: Vec<Share> = shares
            .filter(|share| share.cover.domain == *domain)
            .collect();
        if shares.len() > 1 {
            let roots: Vec<String> = shares
                .iter()
                .map(|share| format!("--book {domain}/{}", share.cover.root))
                .collect();
            return Err(OperationError::Usage(format!(
                "several streams of `{domain}` carry this correlation id; name the one that is meant: {}",
                roots.join(", or ")
            )));
        }
        Ok(shares.pop())
    }

    pub(super) fn of_stream(&self, domain: &Domain, root: Root) -> Cover {
        Cover {
            correlation_id: self.cover.correlation_id.clone(),
            edition: self.cover.edition.clone(),
            ..Cover::main(domain.clone(), root)
        }
    }

    /// Roots that the stream of the workflow may have, the likeliest first.
    fn process_roots(
        &self,
        component: &LogicConfig,
    ) -> Result<Vec<(Root, String)>, OperationError> {
        let Some(id) = self.context.request.correlation.as_deref() else {
            return Err(OperationError::Usage(
                "a process manager's stream is found by the workflow: name it with --correlation ID, or the stream itself with --book \
                 DOMAIN/ROOT"
                    .into(),
            ));
        };
        let mut rules = vec![ProcessRoot::CorrelationId, ProcessRoot::Uuid5];
        let usual = self.queries.dialect().rules().process_root;
        if component.process_root.unwrap_or(usual) == ProcessRoot::Uuid5 {
            rules.reverse();
        }
        if component.process_root.is_some() {
            rules.truncate(1);
        }
        let named = rules.into_iter().map(|rule| {
            let how = match rule {
                ProcessRoot::CorrelationId => "found by the correlation id as a UUID",
                ProcessRoot::Uuid5 => "found by the UUID of version 5 of the correlation id",
            };
            (rule.of(id), how.to_owned())
        });
        Ok(named.collect())
    }
}
