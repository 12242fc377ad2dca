//! What is measured, side by side.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use angzarr_replay::internal::harness::run_bare;
use angzarr_replay::internal::project::Project;
use bytes::Bytes;

use super::machine::{median, per_second, processor_time};
use super::processes::harness;
use super::stages::Cases;
use super::{CASES, Outcome, THREADS, floor};

/// The same cases as fixtures, as cases, and as requests.
#[derive(Clone, Copy)]
pub(crate) struct Corpus<'a> {
    pub(crate) fixtures: &'a Path,
    pub(crate) cases: &'a Cases,
    pub(crate) requests: &'a Arc<Vec<Bytes>>,
}

/// Ways that call the same server, and are compared with the fastest of its floors.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group(pub(crate) &'static str);

/// A way to process all cases, which is measured.
pub(crate) struct Subject<'a> {
    name: &'static str,
    group: Group,
    is_floor: bool,
    run: Box<dyn Fn() -> Outcome<Duration> + 'a>,
}

impl<'a> Corpus<'a> {
    pub(crate) fn floor(
        self,
        name: &'static str,
        group: Group,
        address: &'a str,
        at_once: usize,
    ) -> Subject<'a> {
        let run = move || Ok(floor::send_all(address, self.requests, THREADS, at_once));
        Subject {
            name,
            group,
            is_floor: true,
            run: Box::new(run),
        }
    }

    pub(crate) fn trials(
        self,
        name: &'static str,
        group: Group,
        project: Arc<Project>,
        threads: usize,
    ) -> Subject<'a> {
        let run = move || {
            let start = Instant::now();
            let run = run_bare(&project, self.cases.entries(), threads);
            let took = start.elapsed();
            if run.closed != CASES {
                return Err(format!("not all cases passed: {run:?}").into());
            }
            Ok(took)
        };
        Subject {
            name,
            group,
            is_floor: false,
            run: Box::new(run),
        }
    }

    pub(crate) fn whole_process(
        self,
        name: &'static str,
        group: Group,
        player: Option<&'a str>,
    ) -> Subject<'a> {
        let run = move || harness(self.fixtures, player, false);
        Subject {
            name,
            group,
            is_floor: false,
            run: Box::new(run),
        }
    }
}

/// The medians of a subject.
#[derive(Clone, Copy)]
struct Figures {
    time: Duration,
    processor: Duration,
}

/// Runs all subjects in interleaved rounds, `between` after each round, and prints the medians. `servers` are the processes whose
/// processor time counts.
pub(crate) fn measure(
    subjects: &[Subject<'_>],
    rounds: usize,
    servers: &[u32],
    mut between: impl FnMut() -> Outcome<()>,
) -> Outcome<()> {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); subjects.len()];
    let mut processor = vec![Duration::ZERO; subjects.len()];
    for round in 0..=rounds {
        for (at, subject) in subjects.iter().enumerate() {
            let before = processor_time(servers);
            let took = (subject.run)()?;
            // The first round warms up.
            if round > 0 {
                times[at].push(took);
                let used = processor_time(servers).zip(before);
                processor[at] +=
                    used.map_or(Duration::ZERO, |(now, then)| now.saturating_sub(then));
            }
        }
        if round > 0 {
            between()?;
        }
    }
    let rounds = u32::try_from(rounds)?;
    let figures: Vec<_> = times
        .into_iter()
        .zip(processor)
        .map(|(times, processor)| Figures {
            time: median(times),
            processor: processor / rounds,
        })
        .collect();
    print(subjects, &figures);
    Ok(())
}

fn print(subjects: &[Subject<'_>], figures: &[Figures]) {
    let mut group = None;
    for (subject, own) in subjects.iter().zip(figures) {
        if group != Some(subject.group) {
            group = Some(subject.group);
            println!(
                "{:<48}{:>8}{:>10}{:>10}{:>16}{:>10}",
                subject.group.0, "ms", "cases/s", "of floor", "CPU µs/case", "of floor"
            );
        }
        let of_group = subjects.iter().zip(figures);
        let floors = of_group.filter(|(other, _)| other.group == subject.group && other.is_floor);
        let Some((_, floor)) = floors.min_by_key(|(_, figures)| figures.time) else {
            continue;
        };
        println!(
            "{:<48}{:>8.1}{:>10.0}{:>10.2}{:>16.0}{:>10.2}",
            subject.name,
            own.time.as_secs_f64() * 1e3,
            per_second(CASES, own.time),
            floor.time.as_secs_f64() / own.time.as_secs_f64(),
            own.processor.as_secs_f64() * 1e6 / CASES as f64,
            floor.processor.as_secs_f64() / own.processor.as_secs_f64(),
        );
    }
    println!();
}
