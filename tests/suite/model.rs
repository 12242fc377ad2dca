//! What the model's constructors promise.
use angzarr_replay::internal::model::{
    AnsweredBy, Body, Code, CommandBook, Cover, Domain, Edition, EditionName, Failure,
    FailureClass, Header, History, Outcome, Page, Payload, Revocation, Root,
};
use test_support::books;

const UUID: &str = "6513270e-269e-4d37-b2a7-4de452e6b438";

fn page(sequence: u32) -> Page {
    books::page(sequence, Body::Empty)
}

fn history(sequences: &[u32]) -> History {
    History::new(sequences.iter().copied().map(page).collect()).unwrap()
}

#[test]
fn a_root_is_read_with_and_without_dashes_and_shown_with_them() {
    let root: Root = UUID.parse().unwrap();
    assert_eq!(root.to_string(), UUID);
    assert_eq!(
        UUID.replace('-', "")
            .to_uppercase()
            .parse::<Root>()
            .unwrap(),
        root
    );
    assert_eq!(root.hex(), UUID.replace('-', ""));
    for wrong in [
        "",
        "6513270e",
        "6513270e269e-4d37-b2a7-4de452e6b438",
        "zz13270e-269e-4d37-b2a7-4de452e6b438",
    ] {
        assert_eq!(
            wrong.parse::<Root>().unwrap_err().to_string(),
            format!("`{wrong}` is not a root: a UUID with or without dashes is expected")
        );
    }
    assert_eq!(
        Root::from_slice(&[1; 15]).unwrap_err().to_string(),
        "a root is 16 bytes, this one has 15"
    );
}

#[test]
fn names_follow_the_coordinators_rules() {
    for good in ["player", "_x", "a-b_9", &"a".repeat(64)] {
        assert_eq!(Domain::new(good).unwrap().as_str(), good);
    }
    for wrong in ["", "Player", "9a", "a b", "a:b", &"a".repeat(65)] {
        assert!(Domain::new(wrong).is_err(), "{wrong}");
    }
    assert!(
        EditionName::new("_x").is_err(),
        "an edition begins with a letter"
    );
    assert_eq!(
        EditionName::new("JIRA-12").unwrap_err().to_string(),
        "`JIRA-12` is not an edition name: 1 to 64 characters, a-z, 0-9, _ and -, beginning with a letter"
    );
}

#[test]
fn main_has_two_spellings_on_the_wire_and_one_word_here() {
    for spelling in ["", "angzarr"] {
        assert!(Edition::from_name(spelling).unwrap().is_main());
    }
    assert!(Edition::from_label("main").unwrap().is_main());
    // To a coordinator, `main` is the name of a branch.
    let branch = Edition::from_name("main").unwrap();
    assert!(!branch.is_main());
    assert_eq!(branch.label(), "branch:main");
    assert_eq!(Edition::from_label(branch.label()).unwrap(), branch);
    assert_eq!(Edition::from_label("debug-1").unwrap().label(), "debug-1");
}

#[test]
fn a_history_rises_and_knows_its_gaps() {
    let error = History::new(vec![page(0), page(2), page(2)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "page 2 has sequence 2, after sequence 2: sequences must increase"
    );
    let gappy = history(&[1, 2, 5, 9]);
    assert_eq!(gappy.gaps(), [(0, 0), (3, 4), (6, 8)]);
    assert_eq!(gappy.next_sequence(), 10);
    assert_eq!(gappy.before(5), history(&[1, 2]));
    assert_eq!(history(&[]).next_sequence(), 0);
    assert_eq!(history(&[u32::MAX]).next_sequence(), u32::MAX);
}

#[test]
fn the_reason_of_a_revocation_is_kept_whole() {
    for reason in ["", "late", "  late ", "\tlate", "Command revoked: late"] {
        let revocation = Revocation {
            reason: reason.into(),
            ..Revocation::default()
        };
        let status = revocation.as_failure();
        assert_eq!(
            Outcome::from_failure(status.clone(), AnsweredBy::NotKnown),
            Ok(Outcome::Revoked(revocation))
        );
        // What somebody wrote without the space.
        let status = Failure::rejected(status.message.replacen(": ", ":", 1));
        let outcome = Outcome::from_failure(status, AnsweredBy::NotKnown).unwrap();
        let Outcome::Revoked(read) = outcome else {
            panic!("it is {outcome:?}");
        };
        assert_eq!(read.reason, reason.strip_prefix(' ').unwrap_or(reason));
    }
}

#[test]
fn a_status_means_what_its_code_and_its_words_say() {
    let class = |code, message: &str| {
        Failure {
            code,
            message: message.into(),
            info: None,
        }
        .class(AnsweredBy::NotKnown)
    };
    let precondition = |message| class(Code::FailedPrecondition, message);
    assert_eq!(precondition("Insufficient funds"), FailureClass::Rejected);
    assert_eq!(
        precondition("Sequence mismatch: command expects 99, aggregate at 3"),
        FailureClass::StaleSequence
    );
    assert_eq!(
        precondition("Sequence conflict: expected 3, got 0"),
        FailureClass::StaleSequence
    );
    assert_eq!(
        precondition("Command revoked: too late"),
        FailureClass::Revoked
    );
    assert_eq!(
        class(Code::NotFound, "no such player"),
        FailureClass::Rejected
    );
    assert_eq!(class(Code::InvalidArgument, "what?"), FailureClass::Refused);
    assert_eq!(class(Code::Unimplemented, ""), FailureClass::Unimplemented);
    for code in [Code::Unknown, Code::Internal, Code::DataLoss] {
        assert_eq!(class(code, "oops"), FailureClass::Crashed);
    }
    for code in [
        Code::Unavailable,
        Code::DeadlineExceeded,
        Code::ResourceExhausted,
        Code::OutOfRange,
    ] {
        let failure = Failure {
            code,
            message: String::new(),
            info: None,
        };
        assert_eq!(
            failure.class(AnsweredBy::NotKnown),
            FailureClass::Unreachable
        );
        assert_eq!(
            Outcome::from_failure(failure.clone(), AnsweredBy::NotKnown),
            Err(failure),
            "no answer is no outcome"
        );
    }
}

#[test]
fn codes_have_their_names() {
    for code in Code::all() {
        assert_eq!(Code::from_name(code.name()), Some(code));
    }
    assert_eq!(Code::from_name("NO_SUCH_CODE"), None);
}

#[test]
fn restamping_counts_on_from_the_head_and_gives_up_the_old_encoding() {
    let page = |header| books::command_page(header, Payload::new("t.Do", Vec::new()));
    let book = CommandBook {
        cover: Cover::main(Domain::new("player").unwrap(), UUID.parse().unwrap()),
        pages: vec![page(Header::Sequence(3)), page(Header::Absent)],
        original: Some(vec![1]),
    };
    assert_eq!(book.expected_sequence(), Some(3));
    let other = book.restamped(7);
    assert_eq!(other.pages[0].header, Header::Sequence(7));
    assert_eq!(other.pages[1].header, Header::Sequence(8));
    assert_eq!(other.original, None);
    assert_eq!(other.type_name(), "t.Do");
}

#[test]
fn four_codes_of_the_transport_can_be_the_logics_own() {
    let own = Code::all().filter(|code| {
        let failure = Failure {
            code: *code,
            message: String::new(),
            info: None,
        };
        failure.class(AnsweredBy::NotKnown) != failure.class(AnsweredBy::Logic)
    });
    let own: Vec<&str> = own.map(Code::name).collect();
    assert_eq!(
        own,
        [
            "CANCELLED",
            "RESOURCE_EXHAUSTED",
            "OUT_OF_RANGE",
            "UNAUTHENTICATED"
        ]
    );
    let limit = Failure {
        code: Code::ResourceExhausted,
        message: "the player's limit of today is reached".into(),
        info: None,
    };
    assert_eq!(
        Outcome::from_failure(limit.clone(), AnsweredBy::Logic),
        Ok(Outcome::Rejected(limit))
    );
}

#[test]
fn parts_of_a_history_share_its_pages() {
    let whole = history(&[0, 1, 4, 9]);
    let sequences = |history: &History| -> Vec<u32> {
        history.pages().iter().map(|page| page.sequence).collect()
    };
    for (head, before, since) in [
        (0, &[][..], &[0, 1, 4, 9][..]),
        (2, &[0, 1], &[4, 9]),
        (4, &[0, 1], &[4, 9]),
        (10, &[0, 1, 4, 9], &[]),
    ] {
        assert_eq!(sequences(&whole.before(head)), before, "{head}");
        assert_eq!(sequences(&whole.since(head)), since, "{head}");
        assert_eq!(whole.before(head), history(before));
    }
    let middle = whole.before(9).since(1);
    assert_eq!(sequences(&middle), [1, 4]);
    assert!(std::ptr::eq(
        &raw const middle.pages()[0],
        &raw const whole.pages()[1]
    ));
    // Taking them out leaves the others as they are.
    assert_eq!(middle.clone().into_pages(), [page(1), page(4)]);
    assert_eq!(middle, history(&[1, 4]));
    assert_eq!(history(&[u32::MAX]).before(u32::MAX).pages().len(), 1);
}

#[test]
fn equal_type_urls_of_a_history_are_kept_once() {
    let event = |sequence, name: &str| Page::event(sequence, Payload::new(name, vec![]));
    let pages = [(0, "t.A"), (1, "t.B"), (2, "t.A")].map(|(at, name)| event(at, name));
    let history = History::new(pages.into()).unwrap();
    let url = |at: usize| history.pages()[at].body.event().unwrap().type_url.as_ptr();
    assert_eq!(url(0), url(2));
    assert_ne!(url(0), url(1));
}

/// A history of a million events is held in memory, so each byte of a page is a megabyte.
#[cfg(target_pointer_width = "64")]
#[test]
fn a_page_stays_small() {
    assert_eq!(size_of::<Page>(), 88);
}
