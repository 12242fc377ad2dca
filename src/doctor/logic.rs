//! Checks that each logic is available: registered, serving, or started and serving.

use super::{CheckedPart, State};
use crate::grpc::{Connection, ConnectionOptions, HealthAnswer, check_health};
use crate::model::ComponentKind;
use crate::project::{LogicConfig, LogicPlace, Project};
use crate::wire::Dialect;

pub(super) fn examine(project: &Project, watch: &mut dyn FnMut(CheckedPart)) {
    let mut is_any = false;
    for logic in project.logics().all() {
        is_any = true;
        let subject = format!("{} {}", kind_word(logic), logic.name);
        watch(CheckedPart::new(subject, state(project, logic)));
    }
    if !is_any {
        let text = "no logic is configured or registered: add [logic.NAME] to replay.toml";
        watch(CheckedPart::new("logic", State::Wrong(text.into())));
    }
}

fn kind_word(logic: &LogicConfig) -> &'static str {
    match logic.kind {
        ComponentKind::Aggregate => "logic",
        kind => kind.word(),
    }
}

fn state(project: &Project, logic: &LogicConfig) -> State {
    if let Some(missing) = logic.missing_requirement() {
        return if logic.twin && !project.config().demand_twins {
            State::Notice(format!("{missing}; its trials are ignored"))
        } else {
            State::Wrong(missing)
        };
    }
    let is_served = match &logic.place {
        LogicPlace::InProcess(_) | LogicPlace::Command { .. } => started(project, logic),
        LogicPlace::Address(address) => serving(address),
    };
    match is_served {
        Err(problem) => State::Wrong(problem),
        Ok(seen) if hears_nothing(logic) => State::Notice(format!(
            "{seen}; without `subscriptions` it is sent nothing in a flow"
        )),
        Ok(seen) => State::Fine(seen),
    }
}

/// Whether a component takes part in flows but subscribes to nothing.
fn hears_nothing(logic: &LogicConfig) -> bool {
    let reacts = match logic.kind {
        ComponentKind::Saga | ComponentKind::ProcessManager | ComponentKind::Projector => true,
        ComponentKind::Aggregate | ComponentKind::Upcaster => false,
    };
    reacts && logic.subscriptions.is_empty()
}

/// Makes the logic ready as for a case.
fn started(project: &Project, logic: &LogicConfig) -> Result<String, String> {
    let selected = project
        .logics()
        .named(&logic.name)
        .map_err(|error| error.to_string())?;
    let dialect = logic.dialect.unwrap_or_else(|| Dialect::all()[0]);
    project
        .logics()
        .target(&selected, dialect.name())
        .map(|_| match &logic.place {
            LogicPlace::Command { .. } => "starts and serves".to_owned(),
            LogicPlace::InProcess(_) | LogicPlace::Address(_) => {
                "registered in this process".to_owned()
            }
        })
        .map_err(|error| error.to_string())
}

fn serving(address: &str) -> Result<String, String> {
    let connection = Connection::new(address, ConnectionOptions::default());
    let connection = connection.map_err(|error| error.to_string())?;
    match check_health(&connection) {
        HealthAnswer::Serving => Ok(format!("serves at {address}")),
        HealthAnswer::NotYet => Err(format!(
            "nothing serves at {address}, or it reports that it is not ready; start it, or give `command` instead of `address`"
        )),
        HealthAnswer::NotGrpc => Err(format!("what answers at {address} is not a gRPC server")),
    }
}
