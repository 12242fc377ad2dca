//! The output of `capture --bundle`: the bundle itself, and what was found.

use std::fmt::Display;
use std::io::Write as _;
use std::path::Path;

use super::captured_text;
use crate::capturing::{Captured, save_bundle};
use crate::cli::{Done, Stop, complain, say};
use crate::project::Project;
use crate::terminal::{complain_styled, program, show, stdout_width};

/// Writes the bundle. If it goes to standard output, everything else goes to standard error.
pub(super) fn write(captured: &Captured, file: &Path, is_forced: bool, wants_json: bool) -> Done {
    let to_output = file == Path::new("-");
    let print: fn(&dyn Display) = if to_output {
        |text| complain(text)
    } else {
        |text| say(text)
    };
    if wants_json {
        print(&captured_text::json(captured));
    } else {
        let print_text = if to_output { complain_styled } else { show };
        let room = stdout_width().filter(|_| !to_output);
        print_text(&captured_text::found(captured, room).trim_end());
    }
    if to_output {
        let mut output = std::io::stdout();
        return output
            .write_all(captured.text.as_bytes())
            .and_then(|()| output.flush())
            .map_err(|error| Stop::Failed(format!("the bundle cannot be written: {error}")));
    }
    save_bundle(file, &captured.text, is_forced)?;
    if !wants_json {
        let file = Project::shown(file);
        print(&format_args!("\nwritten {file} (a bundle)"));
        print(&format_args!(
            "next: {} capture --from-bundle {file}    # where the logic is",
            program()
        ));
    }
    Ok(())
}
