//! How many cases per second Temporal's Rust replayer replays: a file with a history as JSON, and the workflow that made it.
//!
//! Usage: `peer-temporal EVENTS SECONDS`. Prints the cases per second on two threads.

use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use temporalio_client::WorkflowHistory;
use temporalio_common::protos::temporal::api::common::v1::WorkflowType;
use temporalio_common::protos::temporal::api::enums::v1::EventType;
use temporalio_common::protos::temporal::api::history::v1::history_event::Attributes;
use temporalio_common::protos::temporal::api::history::v1::{
    History, HistoryEvent, TimerFiredEventAttributes, TimerStartedEventAttributes,
    WorkflowExecutionStartedEventAttributes, WorkflowTaskCompletedEventAttributes,
    WorkflowTaskScheduledEventAttributes, WorkflowTaskStartedEventAttributes,
};
use temporalio_common::protos::temporal::api::taskqueue::v1::TaskQueue;
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::workflow_replayer::{WorkflowReplayer, WorkflowReplayerOptions};
use temporalio_sdk::{WorkflowContext, WorkflowResult};

/// Waits for one timer after the other.
#[workflow]
#[derive(Default)]
pub struct Timers;

#[workflow_methods]
impl Timers {
    #[run]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        loop {
            ctx.timer(Duration::from_secs(1)).await;
        }
    }
}

/// A history that a worker left after a workflow task: a start, and as many timers as fit.
struct Builder(Vec<HistoryEvent>);

impl Builder {
    fn add(&mut self, kind: EventType, attributes: Attributes) -> i64 {
        let id = i64::try_from(self.0.len()).expect("a short history") + 1;
        self.0.push(HistoryEvent {
            event_id: id,
            event_type: kind.into(),
            event_time: Some(SystemTime::UNIX_EPOCH.into()),
            attributes: Some(attributes),
            ..HistoryEvent::default()
        });
        id
    }

    fn task(&mut self) -> i64 {
        let scheduled = self.add(
            EventType::WorkflowTaskScheduled,
            Attributes::WorkflowTaskScheduledEventAttributes(
                WorkflowTaskScheduledEventAttributes::default(),
            ),
        );
        let started = self.add(
            EventType::WorkflowTaskStarted,
            Attributes::WorkflowTaskStartedEventAttributes(WorkflowTaskStartedEventAttributes {
                scheduled_event_id: scheduled,
                ..Default::default()
            }),
        );
        self.add(
            EventType::WorkflowTaskCompleted,
            Attributes::WorkflowTaskCompletedEventAttributes(
                WorkflowTaskCompletedEventAttributes {
                    scheduled_event_id: scheduled,
                    started_event_id: started,
                    ..Default::default()
                },
            ),
        )
    }

    fn timer(&mut self, number: usize, completed: i64) {
        let timer_id = number.to_string();
        let started_event_id = self.add(
            EventType::TimerStarted,
            Attributes::TimerStartedEventAttributes(TimerStartedEventAttributes {
                timer_id: timer_id.clone(),
                workflow_task_completed_event_id: completed,
                ..Default::default()
            }),
        );
        self.add(
            EventType::TimerFired,
            Attributes::TimerFiredEventAttributes(TimerFiredEventAttributes {
                timer_id,
                started_event_id,
            }),
        );
    }
}

fn history(events: usize) -> History {
    let mut builder = Builder(Vec::with_capacity(events + 5));
    builder.add(
        EventType::WorkflowExecutionStarted,
        Attributes::WorkflowExecutionStartedEventAttributes(
            WorkflowExecutionStartedEventAttributes {
                workflow_type: Some(WorkflowType {
                    name: "Timers".to_owned(),
                }),
                workflow_id: "timers".to_owned(),
                original_execution_run_id: "4b2c1f0e-6c3a-4f55-9d7e-2f9f3f6b8a11".to_owned(),
                first_execution_run_id: "4b2c1f0e-6c3a-4f55-9d7e-2f9f3f6b8a11".to_owned(),
                task_queue: Some(TaskQueue {
                    name: "timers".to_owned(),
                    ..Default::default()
                }),
                attempt: 1,
                ..Default::default()
            },
        ),
    );
    let mut completed = builder.task();
    let mut number = 1;
    while builder.0.len() < events {
        builder.timer(number, completed);
        completed = builder.task();
        number += 1;
    }
    History { events: builder.0 }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = || -> Result<u64, Box<dyn Error>> {
        Ok(arguments.next().ok_or("usage: EVENTS SECONDS")?.parse()?)
    };
    let (events, seconds) = (usize::try_from(number()?)?, number()?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let file = std::env::temp_dir().join(format!("peer-temporal-{}.json", std::process::id()));
    let json = runtime.block_on(WorkflowHistory::from(history(events)).to_json())?;
    std::fs::write(&file, json)?;
    let options = WorkflowReplayerOptions::new().register_workflow::<Timers>()?;
    let replayer = WorkflowReplayer::new(options.build())?;
    let began = Instant::now();
    let mut cases = 0_u32;
    while began.elapsed() < Duration::from_secs(seconds) {
        let history = WorkflowHistory::from_json(&std::fs::read(&file)?)?;
        runtime.block_on(replayer.replay_workflow(history))?;
        cases += 1;
    }
    println!("{:.1}", f64::from(cases) / began.elapsed().as_secs_f64());
    std::fs::remove_file(&file)?;
    Ok(())
}
