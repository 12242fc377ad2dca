//! `serve`: the local coordinator, for any client.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{Done, Stop, say, words};
use crate::coordinator::{Backend, HostedComponent, LocalCoordinator, SeedBook, Store, Stores};
use crate::harness::{DiscoveryError, discover};
use crate::model::{ComponentKind, Domain};
use crate::project::{Project, SelectedLogic, system_clock};
use crate::wire::Dialect;

/// Serve the local coordinator on 127.0.0.1: queries, commands and speculation, as the real one answers them.
///
/// Without --store or --fixtures it holds the embedded demo, in memory: a playground. Without --logic and --component
/// everything that is configured stands behind it; where one of them is given, only what they name.
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
    /// Business logic behind it: a name in replay.toml, or DOMAIN=ADDRESS.
    #[arg(long, value_name = "NAME|DOMAIN=ADDRESS")]
    logic: Vec<String>,
    /// Saga, process manager or projector behind it, for speculation: a name in replay.toml, or KIND=ADDRESS.
    #[arg(long, value_name = "NAME|KIND=ADDRESS")]
    component: Vec<String>,
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
    let chosen = Chosen::of(project, arguments)?;
    let store = match &arguments.store {
        Some(file) => Store::open(file).map_err(|error| failed(&error))?,
        None => Store::in_memory().map_err(|error| failed(&error))?,
    };
    let mut coordinator = LocalCoordinator::new(
        Stores::Shared(Arc::new(store)),
        arguments.dialect,
        system_clock(),
    );
    for said in &chosen.said {
        say(said);
    }
    for (domain, backend) in chosen.logic {
        coordinator = coordinator.with_logic(domain, backend);
    }
    for (domain, backend) in chosen.upcasters {
        coordinator = coordinator.with_upcaster(domain, backend);
    }
    for component in chosen.reacting {
        coordinator = coordinator.with_reacting(component);
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

/// What stands behind the coordinator, made ready.
#[derive(Default)]
struct Chosen {
    /// A line for each.
    said: Vec<String>,
    logic: Vec<(Domain, Backend)>,
    upcasters: Vec<(Domain, Backend)>,
    reacting: Vec<HostedComponent>,
}

const REACTING: [ComponentKind; 3] = [
    ComponentKind::Saga,
    ComponentKind::ProcessManager,
    ComponentKind::Projector,
];

impl Chosen {
    fn of(project: &Project, arguments: &ServeArguments) -> Result<Self, Stop> {
        let is_everything = arguments.logic.is_empty() && arguments.component.is_empty();
        let (logic, components) = if is_everything {
            let components = REACTING
                .into_iter()
                .flat_map(|kind| project.logics().of_component_kind(kind));
            (project.logics().by_domain().collect(), components.collect())
        } else {
            (
                logics(project, &arguments.logic)?,
                components(project, &arguments.component)?,
            )
        };
        let mut chosen = Self::default();
        for (domain, logic) in logic {
            chosen.add_logic(project, arguments.dialect, domain, &logic)?;
        }
        for component in components {
            let config = &component.config;
            let kind = config.kind.word();
            chosen.said.push(format!("{kind} {}", component.describe()));
            chosen.reacting.push(HostedComponent {
                name: config.name.clone(),
                kind: config.kind,
                subscriptions: config.subscriptions.clone(),
                backend: project.logics().backend(&component, arguments.dialect)?,
            });
        }
        Ok(chosen)
    }

    /// Logic of a domain, with the upcaster that a coordinator would have it go through.
    fn add_logic(
        &mut self,
        project: &Project,
        dialect: Dialect,
        domain: Domain,
        logic: &SelectedLogic,
    ) -> Result<(), Stop> {
        let backend = project.logics().backend(logic, dialect)?;
        self.said.push(format!("{domain}: {}", logic.describe()));
        let own = project.logics().upcaster_of(&domain);
        let own = own.filter(|upcaster| upcaster.config.kind == ComponentKind::Upcaster);
        if let Some(upcaster) = own {
            self.said
                .push(format!("{domain}, upcast by {}", upcaster.describe()));
            let upcaster = project.logics().backend(&upcaster, dialect)?;
            self.upcasters.push((domain.clone(), upcaster));
        } else if logic.config.upcaster {
            self.upcasters.push((domain.clone(), backend.clone()));
        }
        self.logic.push((domain, backend));
        Ok(())
    }
}

fn logics(project: &Project, asked: &[String]) -> Result<Vec<(Domain, SelectedLogic)>, Stop> {
    let at_address = |asked: &str, domain: &str, address: &str| {
        let domain: Domain = domain
            .parse()
            .map_err(|error| Stop::Usage(format!("--logic {asked}: {error}")))?;
        let logic = SelectedLogic::at_address(address, ComponentKind::Aggregate, &domain);
        Ok((domain, logic))
    };
    let named = |name: &str| {
        let logic = project.logics().named(name)?;
        let domain = logic.config.domain.clone();
        let domain = domain.filter(|_| logic.config.kind == ComponentKind::Aggregate);
        let domain = domain.ok_or_else(|| {
            Stop::Usage(format!(
                "--logic {name}: it is no business logic of a domain; sagas, process managers and projectors go with \
                 --component"
            ))
        })?;
        Ok((domain, logic))
    };
    let chosen = asked.iter().map(|asked| {
        asked.split_once('=').map_or_else(
            || named(asked),
            |(domain, address)| at_address(asked, domain, address),
        )
    });
    chosen.collect()
}

fn components(project: &Project, asked: &[String]) -> Result<Vec<SelectedLogic>, Stop> {
    let at_address = |asked: &str, word: &str, address: &str| {
        let kind = REACTING.into_iter().find(|kind| kind.word() == word);
        let kind = kind.ok_or_else(|| {
            Stop::Usage(format!(
                "--component {asked}: `{word}` is none of {}",
                REACTING.map(ComponentKind::word).join(", ")
            ))
        })?;
        Ok(SelectedLogic::component_at(address, kind))
    };
    let named = |name: &str| {
        let component = project.logics().named(name)?;
        if REACTING.contains(&component.config.kind) {
            return Ok(component);
        }
        Err(Stop::Usage(format!(
            "--component {name}: it is no saga, process manager or projector; business logic goes with --logic"
        )))
    };
    let chosen = asked.iter().map(|asked| {
        asked.split_once('=').map_or_else(
            || named(asked),
            |(word, address)| at_address(asked, word, address),
        )
    });
    chosen.collect()
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
