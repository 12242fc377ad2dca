//! The same input gives the same run, whatever the components do and in whichever order they are given.

use proptest::prelude::*;

use angzarr_replay::internal::model::{Failure, ProcessRoot, Reaction};
use angzarr_replay::internal::replay::flow::FlowLimits;

use super::support::{Toys, commands, correlated, cover, emits, events, start};

const DOMAINS: [&str; 3] = ["a", "b", "c"];

/// What one saga or process manager does: which domain it listens to, whom it commands.
#[derive(Debug, Clone)]
struct Wiring {
    is_process: bool,
    listens: usize,
    sends: Vec<(usize, u8)>,
}

fn wiring() -> impl Strategy<Value = Wiring> {
    (
        any::<bool>(),
        0..3_usize,
        prop::collection::vec((0..4_usize, 0..2_u8), 0..3),
    )
        .prop_map(|(is_process, listens, sends)| Wiring {
            is_process,
            listens,
            sends,
        })
}

fn toys(wirings: &[(usize, Wiring)], failing: usize, dialect: &str) -> Toys {
    let mut toys = Toys::new(dialect)
        .book(cover("a", 0), &["t.Old"])
        .book(cover("b", 0), &[]);
    toys.limits = FlowLimits {
        depth: 8,
        steps: 60,
    };
    for (at, domain) in DOMAINS.into_iter().enumerate() {
        toys.aggregate(domain, move |prior, _| {
            // Ends after a while, so that not every flow is bounded.
            if prior.next_sequence > 3 {
                emits(&[])
            } else if at == failing {
                Err(Failure::rejected("no"))
            } else {
                emits(&["t.Done"])
            }
        });
    }
    for (at, wiring) in wirings {
        let sends = wiring.sends.clone();
        let reaction = move || {
            let targets = ["a", "b", "c", "nowhere"];
            let sent: Vec<_> = sends
                .iter()
                .map(|(domain, root)| (cover(targets[*domain], *root), "t.Do"))
                .collect();
            commands(&sent)
        };
        let listens: &[(&str, &[&str])] = &[(DOMAINS[wiring.listens], &["t.*"])];
        if wiring.is_process {
            let name = format!("p{at}");
            toys.process(&name, ProcessRoot::Uuid5, listens, None, move |_, _, _| {
                Ok(Reaction {
                    process_events: vec![events(&["t.Own"])],
                    ..reaction()
                })
            });
        } else {
            toys.saga(&format!("s{at}"), listens, move |_, _| Ok(reaction()));
        }
    }
    toys
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flow_is_a_function_of_its_input(
        wirings in prop::collection::vec(wiring(), 0..4),
        failing in 0..4_usize,
        newest in any::<bool>(),
    ) {
        let dialect = if newest { "io.angzarr.v1" } else { "angzarr" };
        let wirings: Vec<_> = wirings.into_iter().enumerate().collect();
        let reversed: Vec<_> = wirings.iter().rev().cloned().collect();
        let start = start(correlated("a", 0), "t.Do", 1);
        let first = toys(&wirings, failing, dialect);
        let given = first.books.clone();
        let result = first.try_run(&start);
        prop_assert_eq!(&result, &first.try_run(&start));
        prop_assert_eq!(&given, &first.books);
        let mut other = toys(&reversed, failing, dialect);
        other.books.reverse();
        prop_assert_eq!(&result, &other.try_run(&start));
        if let Ok(run) = &result {
            for (at, step) in run.steps.iter().enumerate() {
                let parent = step.parent.map(|parent| &run.steps[parent]);
                prop_assert_eq!(step.depth, parent.map_or(0, |parent| parent.depth + 1));
                prop_assert!(step.parent.is_none_or(|parent| parent < at));
            }
            // Breadth first.
            prop_assert!(run.steps.windows(2).all(|pair| pair[0].depth <= pair[1].depth));
        }
    }
}
