//! The title of a case that the user has given none.

use crate::model::{Case, CaseStimulus, short_name};

/// A title made from what the case contains: what is asked, and how it ended if that is known.
#[must_use]
pub fn generated_title(case: &Case) -> String {
    let asked = asked(case);
    let is_command = matches!(
        case.stimulus,
        CaseStimulus::Command(_) | CaseStimulus::Compensation(_)
    );
    let observed = case.observed.as_ref();
    if let Some(failure) = observed.and_then(|observed| observed.failure()) {
        let word = observed.map_or("", |observed| observed.word());
        return format!("{asked} {word}: {}", failure.message);
    }
    match (observed, &case.noted) {
        (Some(observed), _) if is_command => format!("{asked} {}", observed.word()),
        (None, Some(noted)) if is_command => format!("{asked} given up: {}", noted.message),
        (None, Some(noted)) => format!("{asked} before a failure: {}", noted.message),
        (Some(_), _) | (None, None) => asked,
    }
}

/// Which logic is asked about what.
fn asked(case: &Case) -> String {
    let domain = &case.cover.domain;
    let root = case.cover.root.short();
    let who = |unnamed| case.logic.as_deref().unwrap_or(unnamed);
    let about = case.stimulus.about(&case.history).map(short_name);
    let about = about.filter(|name| !name.is_empty());
    let about = about.unwrap_or("the history");
    match &case.stimulus {
        CaseStimulus::Command(command) if command.type_name().is_empty() => {
            format!("Command for {domain} {root}")
        }
        CaseStimulus::Command(_) => about.to_owned(),
        CaseStimulus::Compensation(_) if case.observed.is_none() && case.noted.is_none() => {
            format!("Compensation for {domain} {root}")
        }
        CaseStimulus::Compensation(_) => "Compensation".to_owned(),
        CaseStimulus::History => format!("History of {domain} {root}"),
        CaseStimulus::Upcaster => format!("Upcast history of {domain} {root}"),
        CaseStimulus::Fact(_) => {
            let who = who(domain.as_str());
            format!("{about} as a fact for {who} {root}")
        }
        CaseStimulus::Flow(_) => format!("Flow of {about} from {domain} {root}"),
        CaseStimulus::Saga { .. }
        | CaseStimulus::ProcessManager(_)
        | CaseStimulus::ProcessCompensation(_)
        | CaseStimulus::Projector { .. } => {
            let who = who(case.stimulus.word());
            format!("{who} on {about} of {domain} {root}")
        }
    }
}
