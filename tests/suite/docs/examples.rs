//! Tickets, fixtures and commands in the documentation are read by the readers that read real ones.

use std::path::Path;

use angzarr_replay::internal::capture::parse_draft;
use angzarr_replay::internal::fixture::Folder;
use angzarr_replay::internal::record::parse_recording;
use angzarr_replay::internal::ticket::Ticket;

use super::markdown::{Block, blocks};

#[test]
fn every_json_and_yaml_block_says_what_it_is_and_is_read_as_that() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::open(root.join("fixtures"));
    let (mut tickets, mut fixtures, mut outputs) = (0, 0, 0);
    for Block { place, info, text } in blocks() {
        match info.as_str() {
            "json ticket" => {
                for line in text.lines() {
                    Ticket::parse_line(line, 1).unwrap_or_else(|error| panic!("{place}: {error}"));
                    tickets += 1;
                }
            }
            "json recording" => {
                let read = parse_recording(&format!("{}\n", text.trim_end()));
                let calls = read.unwrap_or_else(|error| panic!("{place}: {error}"));
                assert_eq!(calls.len(), text.lines().count(), "{place}");
            }
            "yaml fixture" => {
                folder
                    .read_text(&text, Path::new(&place))
                    .unwrap_or_else(|error| panic!("{}", error.report()));
                fixtures += 1;
            }
            "yaml command" => {
                parse_draft(&text, &place).unwrap();
            }
            // `docs/json.md`: a test of the tool compares them with what it prints.
            "json output" => {
                let objects = serde_json::Deserializer::from_str(&text).into_iter();
                for object in objects {
                    let object: Result<serde_json::Value, _> = object;
                    object.unwrap_or_else(|error| panic!("{place}: {error}"));
                    outputs += 1;
                }
            }
            "json settings" => {
                let value: Result<serde_json::Value, _> = serde_json::from_str(&text);
                value.unwrap_or_else(|error| panic!("{place}: {error}"));
            }
            "yaml fragment" => {
                let value: Result<serde_yaml::Value, _> = serde_yaml::from_str(&text);
                value.unwrap_or_else(|error| panic!("{place}: {error}"));
            }
            other => assert!(
                !other.starts_with("json") && !other.starts_with("yaml"),
                "{place}: say what this is: ticket, recording, fixture, command, settings or fragment"
            ),
        }
    }
    assert!(tickets > 0 && fixtures > 0 && outputs > 0);
}
