//! `poker --domain player --port 50052`: the demo logic as a server, like client logic of any language.

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use angzarr_replay::model::Logic;
use angzarr_replay::wire::{Dialect, serve_logic};
use clap::{Parser, ValueEnum};
use poker::{Player, Table};

/// Serves the demo's business logic over gRPC on 127.0.0.1 until it is ended.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Whose logic.
    #[arg(long, value_enum)]
    domain: Domain,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, env = "PORT", default_value_t = 50052)]
    port: u16,
    /// Dialect to speak.
    #[arg(long, default_value_t = Dialect::ANGZARR)]
    dialect: Dialect,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Domain {
    Player,
    Table,
}

impl Domain {
    const fn name(self) -> &'static str {
        match self {
            Self::Player => "player",
            Self::Table => "table",
        }
    }

    fn logic(self) -> Arc<dyn Logic> {
        match self {
            Self::Player => Arc::new(Player::default()),
            Self::Table => Arc::new(Table::default()),
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
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))?;
    let server = serve_logic(listener, arguments.dialect, arguments.domain.logic())?;
    let (domain, address) = (arguments.domain.name(), server.address());
    println!("{domain} on {address}, dialect {}", arguments.dialect);
    server.wait();
    Ok(())
}
