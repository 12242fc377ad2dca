//! The hot paths, and what they work on.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use angzarr_replay::internal::fixture::{Fixture, Rendered, render};
use angzarr_replay::internal::model::{
    CaseStimulus, CommandBook, Header, History, Page, Redactions, Timestamp,
};
use angzarr_replay::internal::payload::Decoded;
use angzarr_replay::internal::project::{Config, Project};
use angzarr_replay::internal::record::{
    Answer, CallStore, KeepMode, RecordedCall, RecordingFile, Ring, redacted,
};
use angzarr_replay::internal::redact::Redactor;
use angzarr_replay::internal::replay::{InProcess, Replay, replay_command};
use angzarr_replay::internal::snapshot::{Renderer, Rules, Verdict, stored};
use angzarr_replay::internal::wire::Dialect;
use poker::Player;
use serde_yaml::Value;

use crate::Outcome;
use crate::calls::{ACCEPTED, message, redactor};

/// The fixture whose events are repeated until a history is long enough.
const FIXTURE: &str = "fixtures/player/withdraw-funds-446f7261-12.yaml";

/// A command on a player, saved as a fixture, and what today's code makes of it.
pub(crate) struct Case {
    project: Project,
    path: PathBuf,
    fixture: Fixture,
    command: CommandBook,
    views: Vec<(String, Value)>,
    logic: InProcess,
    replay: Replay,
    rules: Rules,
    value: Value,
    accepted: String,
}

impl Case {
    pub(crate) fn new(folder: &Path, events: u32) -> Outcome<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let config = Config::load(&repository, [])?;
        let project = Project::with_config(poker::app(), config).with_fixtures(folder);
        let path = saved(&project, &repository.join(FIXTURE), events)?;
        let fixture = project.folder().read(&path)?;
        let CaseStimulus::Command(command) = fixture.case.stimulus.clone() else {
            return Err("the fixture is not a command".into());
        };
        let logic = InProcess::new(Arc::new(Player::default()), Dialect::ANGZARR, false);
        let mut case = Self {
            project,
            path,
            views: Vec::new(),
            replay: replay_command(&logic, &fixture.case.event_book(), &command, true)?,
            fixture,
            command,
            logic,
            rules: Rules::default(),
            value: Value::Null,
            accepted: String::new(),
        };
        for payload in case.fixture.case.payloads() {
            if let Decoded::Exact(view) = case.fixture.descriptors.decode(payload) {
                case.views.push((payload.type_name().to_owned(), view));
            }
        }
        case.value = case.value()?;
        case.accepted = case.text();
        Ok(case)
    }

    pub(crate) fn read(&self) -> Outcome<Fixture> {
        Ok(self.project.folder().read(&self.path)?)
    }

    pub(crate) fn render(&self) -> Outcome<Rendered> {
        Ok(render(&self.fixture.case, self.project.registry()?)?)
    }

    pub(crate) fn encode(&self) -> Outcome<()> {
        for (name, view) in &self.views {
            black_box(self.fixture.descriptors.encode(name, view)?);
        }
        Ok(())
    }

    pub(crate) fn decode(&self) -> Vec<Decoded> {
        let payloads = self.fixture.case.payloads();
        let decoded = payloads.map(|payload| self.fixture.descriptors.decode(payload));
        decoded.collect()
    }

    pub(crate) fn replay(&self) -> Outcome<Replay> {
        let book = self.fixture.case.event_book();
        Ok(replay_command(&self.logic, &book, &self.command, true)?)
    }

    /// The outcome as a value, with the rules applied.
    pub(crate) fn value(&self) -> Outcome<Value> {
        Ok(self.renderer()?.step(&self.replay))
    }

    /// The outcome as text.
    pub(crate) fn text(&self) -> String {
        Renderer::text(&self.value)
    }

    /// The comparison with the snapshot and with what production did.
    pub(crate) fn compare(&self) -> Outcome<(bool, Verdict)> {
        let is_same = stored::is_same(&self.accepted, black_box(&self.accepted));
        let observed = self.fixture.case.observed.as_ref();
        let verdict = Verdict::judge(observed, &self.replay.outcome, &self.renderer()?);
        Ok((is_same, verdict))
    }

    fn renderer(&self) -> Outcome<Renderer<'_>> {
        Ok(Renderer::new(
            vec![self.project.registry()?, &self.fixture.descriptors],
            vec![&self.rules, self.project.rules()],
            &self.fixture.case.cover,
            self.fixture.case.event_book().next_sequence,
        ))
    }
}

/// Saves the fixture with a history of this length.
fn saved(project: &Project, fixture: &Path, events: u32) -> Outcome<PathBuf> {
    let mut case = project.folder().read(fixture)?.case;
    case.snapshot = None;
    let pages = case.history.pages();
    let (first, others) = pages.split_first().ok_or("the fixture has no events")?;
    let repeated = std::iter::once(first).chain(others.iter().cycle());
    let longer = (0..events).zip(repeated).map(|(sequence, page)| Page {
        sequence,
        original: None,
        ..page.clone()
    });
    case.history = History::new(longer.collect())?;
    if let CaseStimulus::Command(command) = &mut case.stimulus {
        command.original = None;
        for page in &mut command.pages {
            page.header = Header::Sequence(events);
        }
    }
    let rendered = render(&case, project.registry()?)?;
    let name = format!("case-{events}.yaml");
    project.folder().save(&rendered, Path::new(&name), false)?;
    Ok(project.folder().root().join(name))
}

/// A recording, and a call for it.
pub(crate) struct Recording {
    file: RecordingFile,
    call: RecordedCall,
    redactor: Redactor,
}

impl Recording {
    pub(crate) fn new(folder: &Path) -> Outcome<Self> {
        let ring = Ring {
            count: 1_000,
            age: Duration::from_secs(60),
        };
        Ok(Self {
            file: RecordingFile::open(&folder.join("recording.jsonl"), ring)?,
            call: RecordedCall {
                number: 1,
                time: Timestamp {
                    seconds: 1_795_392_090,
                    nanos: 0,
                },
                path: Dialect::ANGZARR.path("CommandHandlerService", "Handle"),
                dialect: Dialect::ANGZARR,
                dialect_assumed: false,
                request: message(ACCEPTED, "request")?,
                answer: Answer::Reply(message(ACCEPTED, "response")?),
                redacted: Redactions::default(),
            },
            redactor: redactor()?,
        })
    }

    /// Reads what the call is about, and writes it.
    pub(crate) fn keep(&mut self) -> Outcome<()> {
        let subject = self.call.subject()?;
        let kept = KeepMode::InRing;
        Ok(self.file.keep(&self.call, Some(&subject), kept)?)
    }

    pub(crate) fn redact(&self) -> Outcome<RecordedCall> {
        Ok(redacted(&self.call, &self.redactor)?.0)
    }
}
