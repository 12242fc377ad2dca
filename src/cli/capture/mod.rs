//! `capture`: parses the arguments and prints what was captured.

mod arguments;
mod bug_lines;
mod bundle_text;
mod captured_text;

use std::io::IsTerminal;

use super::{Done, complain, say};
use crate::capturing::{Progress, capture, capture_each_distinct};
use crate::project::Project;
use crate::terminal::{Amount, Meter, warn};
pub(super) use arguments::CaptureArguments;
pub(super) use bug_lines::described;

pub(super) fn run(project: Project, arguments: &CaptureArguments) -> Done {
    let request = arguments.request(&project)?;
    let wants_json = arguments.wants_json();
    let mut terminal = Terminal {
        wants_json,
        is_interactive: std::io::stderr().is_terminal(),
        meter: None,
    };
    let watch = &mut |progress: Progress<'_>| terminal.show(&progress);
    if arguments.is_of_each_distinct() {
        let all = capture_each_distinct(project, &request, watch)?;
        if !wants_json {
            bug_lines::print_summary(&all);
        }
        return bug_lines::all_captured(&all);
    }
    let captured = capture(project, &request, watch)?;
    if let Some((file, is_forced)) = arguments.bundle() {
        return bundle_text::write(&captured, file, is_forced, wants_json);
    }
    if wants_json {
        say(captured_text::json(&captured));
    } else {
        captured_text::print(&captured);
    }
    Ok(())
}

/// Shows the progress of a capture.
struct Terminal {
    wants_json: bool,
    is_interactive: bool,
    meter: Option<Meter>,
}

impl Terminal {
    /// Prints something while a history may be read.
    fn aside(&self, print: impl FnOnce()) {
        match &self.meter {
            Some(meter) => meter.aside(print),
            None => print(),
        }
    }

    fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Reading { cover, events } => {
                let meter = self.meter.get_or_insert_with(|| {
                    let stream = format!("reading {}/{}", cover.domain, cover.root.short());
                    Meter::new(&stream, Amount::Things("events"))
                });
                meter.set(*events as u64, None);
            }
            Progress::Read => self.meter = None,
            Progress::PassedOver(line) => self.aside(|| warn("not usable", line)),
            Progress::Remark(text) => self.aside(|| complain(text)),
            Progress::Bug {
                number,
                of,
                bug,
                message,
            } if self.is_interactive => {
                let bug = bug_lines::in_words(bug, *message);
                complain(format_args!("[{number}/{of}] {bug}"));
            }
            Progress::BugDone(bug) => bug_lines::print(bug, self.wants_json),
            Progress::Bug { .. } => {}
        }
    }
}
