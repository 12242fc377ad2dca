//! `serve`: parses the arguments and prints what is being served.

use std::path::PathBuf;

use clap::Args;

use super::{Done, Stop, say};
use crate::model::ComponentKind;
use crate::project::Project;
use crate::serving::{
    RequestedComponent, RequestedLogic, RequestedStore, SPECULATIVE_KINDS, ServeRequest, serve,
};
use crate::wire::Dialect;

/// Serve the local coordinator on 127.0.0.1. It answers queries, commands and speculative calls like the real one.
///
/// Without --store or --fixtures, its store holds the embedded demo, in memory. Without --logic and --component, all
/// configured logic stands behind it; otherwise only the named logic.
#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Port; 0 for a free one.
    #[arg(long, default_value_t = 1310)]
    port: u16,
    /// Use a SQLite file as its store, which is created if it does not exist.
    #[arg(long, value_name = "FILE", conflicts_with = "fixtures")]
    store: Option<PathBuf>,
    /// Use the histories in a folder of fixtures as its store, in memory.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Dialect of the coordinator.
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
    let served = serve(project, &arguments.request()?)?;
    for line in &served.behind {
        say(line);
    }
    say(format_args!(
        "serving {} on {}, dialect {}; end with Ctrl-C",
        served.contents,
        served.address(),
        arguments.dialect
    ));
    served.wait();
    Ok(())
}

impl ServeArguments {
    fn request(&self) -> Result<ServeRequest, Stop> {
        let logic = self.logic.iter().map(|text| parse_logic(text));
        let components = self.component.iter().map(|text| parse_component(text));
        Ok(ServeRequest {
            port: self.port,
            store: match (&self.store, &self.fixtures) {
                (Some(file), _) => RequestedStore::File(file.clone()),
                (None, Some(folder)) => RequestedStore::Fixtures(folder.clone()),
                (None, None) => RequestedStore::Demo,
            },
            dialect: self.dialect,
            logic: logic.collect::<Result<_, _>>()?,
            components: components.collect::<Result<_, _>>()?,
        })
    }
}

fn parse_logic(text: &str) -> Result<RequestedLogic, Stop> {
    let Some((domain, address)) = text.split_once('=') else {
        return Ok(RequestedLogic::Named(text.to_owned()));
    };
    let domain = domain
        .parse()
        .map_err(|error| Stop::Usage(format!("--logic {text}: {error}")))?;
    Ok(RequestedLogic::Running {
        domain,
        address: address.to_owned(),
    })
}

fn parse_component(text: &str) -> Result<RequestedComponent, Stop> {
    let Some((word, address)) = text.split_once('=') else {
        return Ok(RequestedComponent::Named(text.to_owned()));
    };
    let kind = SPECULATIVE_KINDS
        .into_iter()
        .find(|kind| kind.word() == word);
    let kind = kind.ok_or_else(|| {
        Stop::Usage(format!(
            "--component {text}: `{word}` is none of {}",
            SPECULATIVE_KINDS.map(ComponentKind::word).join(", ")
        ))
    })?;
    Ok(RequestedComponent::Running {
        kind,
        address: address.to_owned(),
    })
}
