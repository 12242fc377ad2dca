//! `poker --domain player --port 50052` serves the demo logic, like client logic in any language; `--component` serves sagas
//! and the other components.

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use angzarr_replay::internal::grpc::serve_component;
use angzarr_replay::internal::model::Component;
use angzarr_replay::internal::wire::Dialect;
use clap::{Args, Parser, ValueEnum};
use poker::{BuyIn, HandPlayer, Player, PlayerTable, PlayerUpcaster, Seats, Table};

/// Serves one part of the demo over gRPC on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    part: Part,
    /// Port to listen on; 0 for a free one.
    #[arg(long, env = "PORT", default_value_t = 50052)]
    port: u16,
    /// Dialect to speak.
    #[arg(long, default_value_t = Dialect::ANGZARR)]
    dialect: Dialect,
}

/// What to serve.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Part {
    /// The business logic of a domain.
    #[arg(long, value_enum)]
    domain: Option<Domain>,
    /// A saga, process manager, projector or upcaster.
    #[arg(long, value_enum)]
    component: Option<Other>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Domain {
    Player,
    Table,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Other {
    HandPlayer,
    PlayerTable,
    BuyIn,
    Seats,
    PlayerUpcaster,
}

impl Part {
    /// The name and the component; clap ensures that there is exactly one.
    fn chosen(&self) -> Option<(&'static str, Component)> {
        let domain = self.domain.map(Domain::component);
        domain.or_else(|| self.component.map(Other::component))
    }
}

impl Domain {
    fn component(self) -> (&'static str, Component) {
        match self {
            Self::Player => ("player", Component::Aggregate(Arc::new(Player::default()))),
            Self::Table => ("table", Component::Aggregate(Arc::new(Table::default()))),
        }
    }
}

impl Other {
    fn component(self) -> (&'static str, Component) {
        match self {
            Self::HandPlayer => ("hand-player", Component::Saga(Arc::new(HandPlayer))),
            Self::PlayerTable => ("player-table", Component::Saga(Arc::new(PlayerTable))),
            Self::BuyIn => (
                "buy-in",
                Component::ProcessManager(Arc::new(BuyIn::default())),
            ),
            Self::Seats => ("seats", Component::Projector(Arc::new(Seats::default()))),
            Self::PlayerUpcaster => (
                "player-upcaster",
                Component::Upcaster(Arc::new(PlayerUpcaster)),
            ),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match serve(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot serve on port {}: {error}", arguments.port);
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> std::io::Result<()> {
    let chosen = arguments.part.chosen();
    let (name, component) = chosen.expect("clap requires one part");
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))?;
    let server = serve_component(listener, arguments.dialect, component)?;
    let address = server.address();
    println!("{name} on {address}, dialect {}", arguments.dialect);
    server.wait();
    Ok(())
}
