//! `serve`: the local coordinator, for any client.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{Done, Stop, say, words};
use crate::coordinator::{LocalCoordinator, SeedBook, Store, Stores};
use crate::harness::{DiscoveryError, discover};
use crate::model::{ComponentKind, Domain};
use crate::project::{Project, SelectedLogic, system_clock};
use crate::wire::Dialect;

/// Serve the local coordinator on 127.0.0.1: queries, commands and speculation, as the real one answers them.
///
/// Without --store or --fixtures it holds the embedded demo, in memory: a playground.
#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Port; 0 takes a free one.
    #[arg(long, default_value_t = 1310)]
    port: u16,
    /// A SQLite file as its store; made where it is not there.
    #[arg(long, value_name = "FILE", conflicts_with = "fixtures")]
    store: Option<PathBuf>,
    /// Histories of a folder's fixtures as its store, in memory.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Dialect that it speaks.
    #[arg(long, default_value = "angzarr")]
    dialect: Dialect,
    /// Logic behind it: a name in replay.toml, or DOMAIN=ADDRESS; all configured logic where it is left out.
    #[arg(long, value_name = "NAME|DOMAIN=ADDRESS")]
    logic: Vec<String>,
}

pub(super) fn run(project: &Project, arguments: &ServeArguments) -> Done {
    let failed = |error: &dyn std::fmt::Display| Stop::Failed(error.to_string());
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).map_err(|error| {
        Stop::Failed(format!(
            "cannot listen on 127.0.0.1:{}: {}; choose another with --port",
            arguments.port,
            words(&error)
        ))
    })?;
    // Before the store, whose file is made by opening it.
    let chosen = logics(project, &arguments.logic)?;
    let mut backends = Vec::new();
    for (_, logic) in &chosen {
        backends.push(project.logics().backend(logic, arguments.dialect)?);
    }
    let store = match &arguments.store {
        Some(file) => Store::open(file).map_err(|error| failed(&error))?,
        None => Store::in_memory().map_err(|error| failed(&error))?,
    };
    let mut coordinator = LocalCoordinator::new(
        Stores::Shared(Arc::new(store)),
        arguments.dialect,
        system_clock(),
    );
    for ((domain, logic), backend) in chosen.iter().zip(backends) {
        say(format_args!("{domain}: {}", logic.describe()));
        coordinator = coordinator.with_logic(domain.clone(), backend);
    }
    let contents = fill(project, arguments, &coordinator)?;
    let server = coordinator
        .start(listener)
        .map_err(|error| failed(&error))?;
    say(format_args!(
        "serving {contents} on {}, dialect {}; end with Ctrl-C",
        server.address(),
        arguments.dialect
    ));
    server.wait();
    Ok(())
}

fn logics(project: &Project, asked: &[String]) -> Result<Vec<(Domain, SelectedLogic)>, Stop> {
    if asked.is_empty() {
        return Ok(project.logics().by_domain().collect());
    }
    asked
        .iter()
        .map(|asked| match asked.split_once('=') {
            Some((domain, address)) => {
                let domain: Domain = domain
                    .parse()
                    .map_err(|error| Stop::Usage(format!("--logic {asked}: {error}")))?;
                let logic = SelectedLogic::at_address(address, ComponentKind::Aggregate, &domain);
                Ok((domain, logic))
            }
            None => {
                let logic = project.logics().named(asked)?;
                let domain = logic.config.domain.clone();
                let domain = domain.filter(|_| logic.config.kind == ComponentKind::Aggregate);
                let domain = domain.ok_or_else(|| {
                    Stop::Usage(format!(
                        "--logic {asked}: it is no business logic of a domain"
                    ))
                })?;
                Ok((domain, logic))
            }
        })
        .collect()
}

/// Puts in what was asked for, and says what it is.
fn fill(
    project: &Project,
    arguments: &ServeArguments,
    coordinator: &LocalCoordinator,
) -> Result<String, Stop> {
    let failed = |error: crate::coordinator::SeedError| Stop::Failed(error.to_string());
    if let Some(file) = &arguments.store {
        return Ok(Project::shown(file));
    }
    if let Some(folder) = &arguments.fixtures {
        let now = system_clock()();
        let books = longest_histories(project, folder)?;
        let count = books.len();
        coordinator.seed(&books, now).map_err(failed)?;
        return Ok(format!("{count} histories of {}", Project::shown(folder)));
    }
    match project.embedded() {
        Some(embedded) => {
            embedded.seed(coordinator).map_err(failed)?;
            Ok("the embedded demo, in memory,".into())
        }
        None => Ok("an empty store, in memory,".into()),
    }
}

/// Several fixtures may hold the same aggregate: the longest history has them all.
fn longest_histories(project: &Project, folder: &std::path::Path) -> Result<Vec<SeedBook>, Stop> {
    let project = project.at_fixtures(folder);
    let entries = discover(&project).map_err(|error| match error {
        DiscoveryError::Empty { folder } => {
            Stop::Failed(format!("there is no fixture in {folder} to serve"))
        }
        DiscoveryError::Unreadable(_) => Stop::Failed(error.to_string()),
    })?;
    let mut books: Vec<SeedBook> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.twin.is_none()) {
        let case = project.folder().read(&entry.path)?.case;
        let book = SeedBook {
            cover: case.cover,
            pages: case.history.into_pages(),
            snapshot: case.snapshot,
        };
        let same = |other: &SeedBook| other.cover.is_same_stream(&book.cover);
        match books.iter_mut().find(|other| same(other)) {
            Some(other) if other.pages.len() >= book.pages.len() => {}
            Some(other) => *other = book,
            None => books.push(book),
        }
    }
    Ok(books)
}
