//! A real coordinator in isolation: a captured history is loaded into it as facts, then it is asked to speculate.
//!
//! The only target that writes: into a store of its own, or into an edition of aggregates that the store does not have.
//! The code that captures cannot reach the client that it writes with.

mod error;
mod load;
mod name;

use std::error::Error;
use std::sync::{Mutex, PoisonError};

pub use error::{IsolatedError, StoredDifference};
use load::{IsolatedStore, demand_loadable};
pub use name::debug_edition;

use super::{Target, TargetError};
use crate::coordination::{COMMAND_BYTES, COMMAND_PAGES};
use crate::grpc::{Connection, FactClient, QueryClient, SpeculativeClient};
use crate::model::{
    CommandBook, Cover, Edition, EditionName, EventBook, Failure, Outcome, Page, Stimulus,
};
use crate::wire::{Dialect, UnknownFields};

/// Records an edition and an aggregate that will be left behind, before anything is loaded. An error stops the load.
pub type LeftoverRecorder =
    Box<dyn Fn(&EditionName, &Cover) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync>;

/// Where histories are loaded.
enum Place {
    /// Into the captured timeline, in a store that nobody else uses.
    FreshStore,
    /// Into an edition made for this purpose; what is left behind is recorded.
    Edition(EditionName, LeftoverRecorder),
}

/// The loaded pages of one aggregate.
struct Loaded {
    cover: Cover,
    pages: Vec<Page>,
}

/// A coordinator, which asks the logic behind it.
pub struct Isolated {
    store: IsolatedStore,
    speculation: SpeculativeClient,
    dialect: Dialect,
    place: Place,
    loaded: Mutex<Vec<Loaded>>,
}

impl Isolated {
    /// A coordinator on a store of its own.
    #[must_use]
    pub fn on_fresh_store(connection: &Connection, dialect: Dialect) -> Self {
        Self::new(connection, dialect, Place::FreshStore)
    }

    /// A coordinator that others may use too: histories go into an edition, and only those of aggregates that it does not
    /// have.
    #[must_use]
    pub fn in_edition(
        connection: &Connection,
        dialect: Dialect,
        edition: EditionName,
        recorder: LeftoverRecorder,
    ) -> Self {
        Self::new(connection, dialect, Place::Edition(edition, recorder))
    }

    fn new(connection: &Connection, dialect: Dialect, place: Place) -> Self {
        Self {
            store: IsolatedStore {
                queries: QueryClient::new(connection.clone(), dialect),
                facts: FactClient::new(connection.clone(), dialect),
            },
            speculation: SpeculativeClient::new(connection.clone(), dialect),
            dialect,
            place,
            loaded: Mutex::default(),
        }
    }

    fn command(&self, prior: &EventBook, command: &CommandBook) -> Result<Outcome, IsolatedError> {
        demand_size(command)?;
        demand_loadable(prior, self.dialect)?;
        let cover = self.addressed(&prior.cover);
        self.load(&cover, prior.history.pages())?;
        let mut command = command.clone();
        if command.cover.edition.label() != cover.edition.label() {
            command.cover.edition = cover.edition;
            command.original = None;
        }
        // Without pages the aggregate does not exist there, and the sequence has no meaning.
        let after = prior.history.next_sequence().saturating_sub(1);
        Ok(self.speculation.command(&command, after)?)
    }

    /// The aggregate on the timeline that its history is loaded into.
    fn addressed(&self, captured: &Cover) -> Cover {
        let edition = match &self.place {
            Place::FreshStore => Edition::from_label(captured.edition.label()).unwrap_or_default(),
            Place::Edition(name, _) => Edition::Named {
                name: name.clone(),
                divergences: Vec::new(),
            },
        };
        Cover {
            edition,
            ..Cover::main(captured.domain.clone(), captured.root)
        }
    }

    /// Loads the pages of a history that are not in the store yet.
    fn load(&self, cover: &Cover, pages: &[Page]) -> Result<(), IsolatedError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = loaded
            .iter_mut()
            .find(|known| known.cover.is_same_stream(cover));
        let other = || IsolatedError::OtherHistory {
            domain: cover.domain.clone(),
            root: cover.root,
        };
        let Some(known) = known else {
            self.store.demand_absent(cover)?;
            if pages.is_empty() {
                return Ok(());
            }
            if let Place::Edition(edition, record) = &self.place {
                record(edition, cover).map_err(|error| IsolatedError::Unnoted {
                    reason: error.to_string(),
                })?;
            }
            self.store.append(cover, self.key(), pages)?;
            loaded.push(Loaded {
                cover: cover.clone(),
                pages: pages.to_vec(),
            });
            return Ok(());
        };
        // A coordinator cannot be asked for the state before the first event once that is stored.
        let shared = known.pages.len().min(pages.len());
        if pages.is_empty() || known.pages[..shared] != pages[..shared] {
            return Err(other());
        }
        self.store.append(cover, self.key(), &pages[shared..])?;
        known.pages.extend_from_slice(&pages[shared..]);
        Ok(())
    }

    /// First part of the facts' idempotency keys. Nothing else is in a store of its own, so one key is enough there.
    fn key(&self) -> &str {
        match &self.place {
            Place::FreshStore => "angzarr-replay",
            Place::Edition(name, _) => name.as_str(),
        }
    }
}

impl Target for Isolated {
    fn ask(&self, stimulus: &Stimulus) -> Result<Outcome, TargetError> {
        match stimulus {
            Stimulus::Command { prior, command } => Ok(self.command(prior, command)?),
            Stimulus::Saga { .. }
            | Stimulus::ProcessManager { .. }
            | Stimulus::Project {
                with_effects: false,
                ..
            } => Ok(self
                .speculation
                .react(stimulus)
                .map_err(IsolatedError::from)?),
            // A coordinator calls `Prepare` itself, and does not pass on the answer.
            Stimulus::Prepare { .. } => Ok(Outcome::Unimplemented(Failure::unimplemented(
                "a coordinator prepares by itself",
            ))),
            Stimulus::Fact { .. } => Err(IsolatedError::FACTS.into()),
            Stimulus::Fold { .. } => Err(IsolatedError::FOLD.into()),
            Stimulus::Upcast { .. } => Err(IsolatedError::UPCASTER.into()),
            Stimulus::Project {
                with_effects: true, ..
            } => Err(IsolatedError::EFFECTS.into()),
        }
    }

    fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The coordinator upcasts the pages that it loads itself.
    fn upcasts(&self) -> bool {
        false
    }

    fn take_unknown(&self) -> UnknownFields {
        self.speculation.take_unknown()
    }
}

fn demand_size(command: &CommandBook) -> Result<(), IsolatedError> {
    let pages = command.pages.len();
    if pages > COMMAND_PAGES {
        return Err(IsolatedError::TooLarge {
            what: format!("the command book has {pages} pages"),
            limit: "100",
        });
    }
    let sizes = command
        .pages
        .iter()
        .filter_map(|page| page.command.as_ref())
        .map(|command| command.value.len());
    if let Some(size) = sizes.max().filter(|size| *size > COMMAND_BYTES) {
        return Err(IsolatedError::TooLarge {
            what: format!("the command has {size} bytes"),
            limit: "256 KiB",
        });
    }
    Ok(())
}
