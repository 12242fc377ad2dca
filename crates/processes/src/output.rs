//! Output of a started process: its last lines are kept for error messages.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::group::locked;

/// The last lines that a process printed. Displayed as the end of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastOutput(pub String);

impl fmt::Display for LastOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("; it printed nothing");
        }
        f.write_str("; its last output:")?;
        self.0
            .lines()
            .try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// Receives each line as soon as a process prints it.
#[derive(Clone)]
pub struct LineListener(Arc<dyn Fn(&str) + Send + Sync>);

impl LineListener {
    /// A listener that calls a function, on the thread that reads the output.
    #[must_use]
    pub fn new(listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }
}

impl fmt::Debug for LineListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineListener")
    }
}

const KEPT_LINES: usize = 40;
const KEPT_LINE_BYTES: u64 = 2_000;
/// How long the last lines of an ended process may still be in its pipes. A process that it started may keep them open for
/// longer.
const OUTPUT_ARRIVES_WITHIN: Duration = Duration::from_millis(200);

/// The last lines of a process's standard output and standard error.
#[derive(Debug, Default)]
pub(crate) struct OutputTail {
    kept: Mutex<KeptLines>,
    closed: Condvar,
}

#[derive(Debug, Default)]
struct KeptLines {
    lines: VecDeque<String>,
    open_pipes: usize,
}

impl OutputTail {
    /// Reads a pipe to its end, on a thread of its own.
    pub(crate) fn keep(
        self: &Arc<Self>,
        pipe: impl Read + Send + 'static,
        listener: Option<LineListener>,
    ) {
        locked(&self.kept).open_pipes += 1;
        let tail = Arc::clone(self);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(pipe);
            let mut line = Vec::new();
            // A line without an end must not fill the memory.
            while let Ok(1..) = (&mut reader)
                .take(KEPT_LINE_BYTES)
                .read_until(b'\n', &mut line)
            {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                if let Some(LineListener(listener)) = &listener {
                    listener(&text);
                }
                let lines = &mut locked(&tail.kept).lines;
                if lines.len() == KEPT_LINES {
                    lines.pop_front();
                }
                lines.push_back(text);
            }
            locked(&tail.kept).open_pipes -= 1;
            tail.closed.notify_all();
        });
    }

    /// The last lines so far.
    pub(crate) fn so_far(&self) -> LastOutput {
        let lines = &locked(&self.kept).lines;
        LastOutput(lines.iter().cloned().collect::<Vec<_>>().join("\n"))
    }

    /// The last lines of a process that has ended: waits until both pipes are closed.
    pub(crate) fn complete(&self) -> LastOutput {
        let is_open = |kept: &mut KeptLines| kept.open_pipes > 0;
        let kept = locked(&self.kept);
        let waited = self
            .closed
            .wait_timeout_while(kept, OUTPUT_ARRIVES_WITHIN, is_open);
        drop(waited);
        self.so_far()
    }
}
