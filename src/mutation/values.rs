//! Mutants of covers, headers, payloads and notifications.

use super::Vary;
use super::change::{Change, ChangedField};
use crate::model::{
    Body, Cover, Domain, Edition, Header, Notification, Payload, PayloadReference, Root, Storage,
    Timestamp,
};

/// Mutants of a payload: by its fields, if it is described, and by its bytes.
pub(super) fn payload(payload: &Payload, vary: Vary<'_>) -> Vec<Change<Payload>> {
    let mut found = vec![
        Change::new(
            "another type",
            Payload {
                type_url: format!("{}X", payload.type_url).into(),
                value: payload.value.clone(),
            },
        ),
        Change::new(
            "another prefix of the type URL",
            Payload {
                type_url: format!("type.mutant/{}", payload.type_name()).into(),
                value: payload.value.clone(),
            },
        ),
    ];
    let mut push = |what: &str, field, value| {
        let type_url = payload.type_url.clone();
        let mut change = Change::new(what, Payload { type_url, value });
        change.field = field;
        found.push(change);
    };
    if !payload.value.is_empty() {
        push("emptied", None, Vec::new());
    }
    // A field with the highest number, and an incomplete field.
    for (what, more) in [
        (
            "an unknown field more",
            [0xf8, 0xff, 0xff, 0xff, 0x0f, 0x01].as_slice(),
        ),
        ("no message any more", &[0xf8]),
    ] {
        let value = [payload.value.as_slice(), more].concat();
        push(what, None, value);
    }
    for variation in vary(payload) {
        let field = ChangedField {
            path: format!("{}.{}", payload.type_name(), variation.field),
            change: variation.change,
        };
        let what = format!("{} {}", field.path, field.change);
        push(&what, Some(field), variation.value);
    }
    found
}

pub(super) fn body(body: &Body, vary: Vary<'_>) -> Vec<Change<Body>> {
    let mut found = Vec::new();
    match body {
        Body::Event(event) => {
            let changes = payload(event, vary).into_iter();
            found.extend(changes.map(|change| change.map(Body::Event)));
            found.push(Change::new(
                "stored elsewhere",
                Body::External(Box::new(elsewhere())),
            ));
        }
        Body::External(reference) => {
            let mut push = |what, edit: &dyn Fn(&mut PayloadReference)| {
                let mut reference = reference.clone();
                edit(&mut reference);
                found.push(Change::new(what, Body::External(reference)));
            };
            push("another URI", &|reference| reference.uri.push('X'));
            push("another hash", &|reference| reference.content_hash.push(1));
        }
        Body::Empty => {}
    }
    found.push(match body {
        Body::Empty => Change::new("a body more", Body::Event(event())),
        Body::Event(_) | Body::External(_) => Change::new("no body any more", Body::Empty),
    });
    found
}

/// An event that no logic emits.
pub(super) fn event() -> Payload {
    Payload::new("mutant.Event", Vec::new())
}

fn elsewhere() -> PayloadReference {
    PayloadReference {
        storage: Storage::Filesystem,
        uri: "file:///mutant".into(),
        content_hash: Vec::new(),
        original_size: 0,
        stored_at: None,
    }
}

/// Mutants of the cover of an answer; `own` is the cover of the request.
pub(super) fn cover(cover: Option<&Cover>, own: Option<&Cover>) -> Vec<Change<Option<Cover>>> {
    let mut found = Vec::new();
    if cover.is_some() {
        found.push(Change::new("no cover any more", None));
    }
    if let Some(cover) = cover.or(own) {
        found.extend(covers(cover).into_iter().map(|change| change.map(Some)));
    }
    found
}

pub(super) fn covers(cover: &Cover) -> Vec<Change<Cover>> {
    let mut found = Vec::new();
    let mut push = |what, edit: &dyn Fn(&mut Cover)| {
        let mut cover = cover.clone();
        edit(&mut cover);
        found.push(Change::new(what, cover));
    };
    push("another root", &|cover| cover.root = other_root(cover.root));
    if let Ok(domain) = Domain::new("mutant") {
        push("another domain", &|cover| cover.domain = domain.clone());
    }
    if let Ok(edition) = Edition::from_name("mutant") {
        push("another edition", &|cover| cover.edition = edition.clone());
    }
    push("another correlation id", &|cover| {
        cover.correlation_id.push('X');
    });
    push("another extension", &|cover| {
        cover.ext = match &cover.ext {
            None => Some(event()),
            Some(_) => None,
        };
    });
    found
}

fn other_root(root: Root) -> Root {
    let mut bytes = *root.as_bytes();
    bytes[15] ^= 1;
    Root::new(bytes)
}

pub(super) fn header(header: &Header) -> Vec<Change<Header>> {
    let deferred = Header::ExternalDeferred {
        external_id: "mutant".into(),
        description: String::new(),
    };
    match header {
        Header::Absent => vec![
            Change::new("another sequence", Header::Sequence(u32::MAX)),
            Change::new("deferred", deferred),
        ],
        Header::Sequence(sequence) => vec![
            Change::new(
                "another sequence",
                Header::Sequence(sequence.wrapping_add(1)),
            ),
            Change::new("sequence left out", Header::Absent),
            Change::new("deferred", deferred),
        ],
        Header::ExternalDeferred {
            external_id,
            description,
        } => vec![
            Change::new("header left out", Header::Absent),
            Change::new("explicit", Header::Sequence(u32::MAX)),
            Change::new(
                "another external id",
                Header::ExternalDeferred {
                    external_id: format!("{external_id}X"),
                    description: description.clone(),
                },
            ),
            Change::new(
                "another description",
                Header::ExternalDeferred {
                    external_id: external_id.clone(),
                    description: format!("{description}X"),
                },
            ),
        ],
        Header::AngzarrDeferred { .. } => provenances(header),
    }
}

fn provenances(header: &Header) -> Vec<Change<Header>> {
    let mut found = vec![
        Change::new("header left out", Header::Absent),
        Change::new("explicit", Header::Sequence(u32::MAX)),
    ];
    for what in [
        "another source",
        "another source sequence",
        "another component",
        "another index",
        "another basis",
    ] {
        let mut changed = header.clone();
        let Header::AngzarrDeferred {
            source,
            source_sequence,
            source_component,
            command_index,
            basis_sequence,
        } = &mut changed
        else {
            continue;
        };
        match what {
            "another source" => match source {
                Some(source) => source.root = other_root(source.root),
                None => continue,
            },
            "another source sequence" => *source_sequence = source_sequence.wrapping_add(1),
            "another component" => source_component.push('X'),
            "another index" => *command_index = command_index.wrapping_add(1),
            _ => *basis_sequence = Some(basis_sequence.map_or(0, |basis| basis.wrapping_add(1))),
        }
        found.push(Change::new(what, changed));
    }
    found
}

pub(super) fn other_time(time: Option<Timestamp>) -> Timestamp {
    Timestamp {
        seconds: time.map_or(1, |time| time.seconds.wrapping_add(1)),
        nanos: 0,
    }
}

pub(super) fn notification(
    notification: &Notification,
    own: Option<&Cover>,
    vary: Vary<'_>,
) -> Vec<Change<Notification>> {
    let mut found = Vec::new();
    for change in cover(notification.cover.as_ref(), own) {
        found.push(change.map(|cover| Notification {
            cover,
            ..notification.clone()
        }));
    }
    let payloads = match &notification.payload {
        None => vec![Change::new("a payload more", Some(event()))],
        Some(known) => {
            let changed = payload(known, vary).into_iter();
            let changed = changed.map(|change| change.map(Some));
            std::iter::once(Change::new("no payload any more", None))
                .chain(changed)
                .collect()
        }
    };
    for change in payloads {
        found.push(change.map(|payload| Notification {
            payload,
            ..notification.clone()
        }));
    }
    let mut push = |what, edit: &dyn Fn(&mut Notification)| {
        let mut notification = notification.clone();
        edit(&mut notification);
        found.push(Change::new(what, notification));
    };
    push("another time", &|it| {
        it.sent_at = Some(other_time(it.sent_at));
    });
    push("metadata more", &|it| {
        it.metadata.push(("zz-mutant".into(), String::new()));
    });
    for at in 0..notification.metadata.len() {
        push("metadata left out", &|it| {
            it.metadata.remove(at);
        });
        push("metadata another value", &|it| {
            it.metadata[at].1.push('X');
        });
    }
    found
}
