//! Fields of a later revision: kept where a part keeps its bytes, reported where not. No value of theirs is shown.

use std::sync::Arc;

use angzarr_replay::model::{EventBook, History, Page};
use angzarr_replay::wire::{Dialect, Methods, Refusal, Server, encode_event_book, encode_page};
use bytes::Bytes;

use crate::support::{Project, ROOT, cover, listener, small_pages};

/// Field 9 with a text, which no message has.
const UNKNOWN: &[u8] = b"\x4a\x06secret";

fn with_unknown(encoded: &[u8]) -> Vec<u8> {
    [encoded, UNKNOWN].concat()
}

/// A message in field 1, with nothing in it but a field that is unknown there. Of two such messages readers make one.
fn nested_unknown() -> Vec<u8> {
    [&[0x0a, u8::try_from(UNKNOWN.len()).unwrap()], UNKNOWN].concat()
}

/// Answers every query with one book of two events, with unknown fields in the book, its cover and its last page.
struct Later;

impl Methods for Later {
    fn call(&self, _: &str, _: Bytes) -> Option<Result<Vec<Bytes>, Refusal>> {
        let mut pages = small_pages(0..2);
        let last: &mut Page = &mut pages[1];
        last.original = Some(with_unknown(&encode_page(last)));
        let book = EventBook {
            cover: cover(),
            snapshot: None,
            history: History::new(pages).unwrap(),
            next_sequence: 2,
        };
        let book = encode_event_book(&book, Dialect::ANGZARR);
        let book = [&book[..], &nested_unknown()].concat();
        Some(Ok(vec![with_unknown(&book).into()]))
    }
}

#[test]
fn what_a_source_answers_is_kept_with_its_page_or_reported() {
    let server = Server::start(listener(), Dialect::ANGZARR, Arc::new(Later), None).unwrap();
    let mut project = Project::of_source(server.address(), "");
    for more in [&["--name", "case"][..], &["--json", "--dry-run"]] {
        let arguments = [&["capture", ROOT, "--unredacted"], more].concat();
        assert_eq!(project.run(&arguments).code, 0);
    }
    assert!(project.read("fixtures/case.yaml").contains("page: "));
    project.said("later_revision");
}
