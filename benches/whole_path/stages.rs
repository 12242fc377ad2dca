//! Measures each stage of a trial separately, on one thread, over all cases.

use std::error::Error;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use angzarr_replay::internal::fixture::Fixture;
use angzarr_replay::internal::grpc::{Connection, ConnectionOptions, LogicClient, Methods, Server};
use angzarr_replay::internal::harness::{Entry, discover};
use angzarr_replay::internal::model::{CaseStimulus, CommandBook, EventBook, Payload};
use angzarr_replay::internal::payload::{Decoded, Registry};
use angzarr_replay::internal::project::Project;
use angzarr_replay::internal::replay::{GrpcTarget, InProcess, Replay, Target, replay_command};
use angzarr_replay::internal::snapshot::{Renderer, Rules, Verdict, stored};
use angzarr_replay::internal::wire::{Dialect, FailingStatus};
use angzarr_replay::internal::yaml::to_yaml;
use bytes::Bytes;
use poker::Player;

use super::corpus::EVENTS;

/// All cases, already read.
pub(crate) struct Cases {
    entries: Vec<Entry>,
    texts: Vec<String>,
    fixtures: Vec<Fixture>,
}

impl Cases {
    pub(crate) fn read(project: &Project) -> Result<Self, Box<dyn Error>> {
        let entries = discover(project)?;
        let mut texts = Vec::with_capacity(entries.len());
        let mut fixtures = Vec::with_capacity(entries.len());
        for entry in &entries {
            texts.push(std::fs::read_to_string(&entry.path)?);
            fixtures.push(project.folder().read(&entry.path)?);
        }
        Ok(Self {
            entries,
            texts,
            fixtures,
        })
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Mean size of a fixture.
    pub(crate) fn text_bytes(&self) -> usize {
        self.texts.iter().map(String::len).sum::<usize>() / self.texts.len()
    }

    fn commands(&self) -> impl Iterator<Item = (&Fixture, EventBook, &CommandBook)> {
        self.fixtures
            .iter()
            .filter_map(|fixture| match &fixture.case.stimulus {
                CaseStimulus::Command(command) => {
                    Some((fixture, fixture.case.event_book(), command))
                }
                _ => None,
            })
    }

    /// The requests that our client sends, caught by a server with empty answers.
    pub(crate) fn requests(&self) -> Result<Vec<Bytes>, Box<dyn Error>> {
        let caught = Arc::new(Catcher::default());
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let server = Server::start(listener, Dialect::ANGZARR, caught.clone(), None)?;
        let target = grpc_target(&server.address().to_string())?;
        for (_, book, command) in self.commands() {
            replay_command(&target, &book, command, false)?;
        }
        let caught = std::mem::take(&mut *caught.0.lock().expect("no panic before"));
        Ok(caught)
    }

    /// A pass over all stages.
    pub(crate) fn pass(
        &self,
        project: &Project,
        address: &str,
        requests: &[Bytes],
    ) -> Result<Stages, Box<dyn Error>> {
        let local = InProcess::new(Arc::new(Player::default()), Dialect::ANGZARR, false);
        let remote = grpc_target(address)?;
        let connection = Connection::new(address, ConnectionOptions::default())?;
        let path = Dialect::ANGZARR.path("CommandHandlerService", "Handle");
        let mut stages = Stages::default();
        stages.time("discover, file names only", || {
            black_box(discover(project)).map(drop)
        })?;
        stages.time("read the file", || {
            self.entries
                .iter()
                .try_for_each(|entry| std::fs::read(&entry.path).map(drop))
        })?;
        let whole = stages.time("read_text", || {
            self.entries
                .iter()
                .zip(&self.texts)
                .try_for_each(|(entry, text)| {
                    project.folder().read_text(text, &entry.path).map(drop)
                })
        })?;
        let encode = self.encode(&mut stages)?;
        stages.replace(
            "read_text",
            "YAML to structs to model",
            whole.saturating_sub(encode),
        );
        stages.time("engine and logic, in process", || {
            self.replay(&local).map(drop)
        })?;
        let call = stages.time("call: bytes to bytes over gRPC", || {
            for request in requests {
                // A failing status is an answer too.
                let _ = black_box(connection.call(&path, request.clone()));
            }
            Ok::<_, std::io::Error>(())
        })?;
        let remote = stages.time("remote", || self.replay(&remote).map(drop))?;
        stages.replace(
            "remote",
            "engine, request and reply, gRPC",
            remote.saturating_sub(call),
        );
        let replays = self.replay(&local)?;
        self.compare(project, &mut stages, &replays)?;
        Ok(stages)
    }

    fn encode(&self, stages: &mut Stages) -> Result<Duration, Box<dyn Error>> {
        let mut views = Vec::new();
        for fixture in &self.fixtures {
            for payload in fixture.case.payloads() {
                if let Decoded::Exact(view) = fixture.descriptors.decode(payload) {
                    views.push((&fixture.descriptors, payload.type_name(), to_yaml(&view)));
                }
            }
        }
        stages.time("views to payload bytes", || {
            views.iter().try_for_each(|(registry, name, lines)| {
                registry
                    .encode_lines(name, lines)
                    .map(drop)
                    .ok_or("not canonical")
            })
        })
    }

    fn replay(&self, target: &dyn Target) -> Result<Vec<Replay>, Box<dyn Error>> {
        self.commands()
            .map(|(_, book, command)| Ok(replay_command(target, &book, command, true)?))
            .collect()
    }

    fn compare(
        &self,
        project: &Project,
        stages: &mut Stages,
        replays: &[Replay],
    ) -> Result<(), Box<dyn Error>> {
        let rules = Rules::new(project.config().rules.clone());
        let own = Rules::default();
        let today = project.registry()?;
        let both = [&own, &rules];
        let mut values = Vec::with_capacity(replays.len());
        stages.time("reply to value (decode, rules)", || {
            for (fixture, replay) in self.fixtures.iter().zip(replays) {
                values.push(renderer(today, fixture, both).step(replay));
            }
            Ok::<_, std::io::Error>(())
        })?;
        let mut texts = Vec::with_capacity(values.len());
        stages.time("value to text", || {
            texts.extend(values.iter().map(Renderer::text));
            Ok::<_, std::io::Error>(())
        })?;
        stages.time("read the snapshot and compare", || {
            for (entry, text) in self.entries.iter().zip(&texts) {
                let accepted = stored::accepted(&Project::snapshot_path(&entry.path))?;
                let accepted = accepted.ok_or("a snapshot is missing")?;
                if !stored::is_same(&accepted, text) {
                    return Err("a snapshot differs".to_owned());
                }
            }
            Ok(())
        })?;
        stages.time("verdict (only for open and failing cases)", || {
            for (fixture, replay) in self.fixtures.iter().zip(replays) {
                let renderer = renderer(today, fixture, both);
                black_box(Verdict::judge(
                    fixture.case.observed.as_ref(),
                    &replay.outcome,
                    &renderer,
                ));
            }
            Ok::<_, std::io::Error>(())
        })?;
        Ok(())
    }

    /// Payload bytes of a case, on average.
    pub(crate) fn payload_bytes(&self) -> usize {
        let bytes: usize = self
            .fixtures
            .iter()
            .flat_map(|fixture| fixture.case.payloads())
            .map(|payload: &Payload| payload.value.len())
            .sum();
        bytes / self.fixtures.len()
    }
}

fn renderer<'a>(today: &'a Registry, fixture: &'a Fixture, rules: [&'a Rules; 2]) -> Renderer<'a> {
    let registries = vec![today, &fixture.descriptors];
    Renderer::new(registries, rules.to_vec(), &fixture.case.cover, EVENTS)
}

fn grpc_target(address: &str) -> Result<GrpcTarget, Box<dyn Error>> {
    let connection = Connection::new(address, ConnectionOptions::default())?;
    Ok(GrpcTarget::new(
        LogicClient::new(connection, Dialect::ANGZARR),
        false,
    ))
}

/// Keeps each request, and answers with an empty message.
#[derive(Default)]
struct Catcher(Mutex<Vec<Bytes>>);

impl Methods for Catcher {
    fn call(&self, _: &str, request: Bytes) -> Option<Result<Vec<Bytes>, FailingStatus>> {
        self.0.lock().expect("no panic before").push(request);
        Some(Ok(vec![Bytes::new()]))
    }
}

/// Times by stage, in order.
#[derive(Default)]
pub(crate) struct Stages(pub(crate) Vec<(&'static str, Duration)>);

impl Stages {
    fn time<E: Into<Box<dyn Error>>>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<(), E>,
    ) -> Result<Duration, Box<dyn Error>> {
        let start = Instant::now();
        work().map_err(Into::into)?;
        let took = start.elapsed();
        self.0.push((name, took));
        Ok(took)
    }

    fn replace(&mut self, name: &str, new_name: &'static str, time: Duration) {
        for stage in self.0.iter_mut().filter(|(known, _)| *known == name) {
            *stage = (new_name, time);
        }
    }
}
