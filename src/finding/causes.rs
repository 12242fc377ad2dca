//! Who caused whom in a workflow: by the headers of commands and the columns of event stores where they say so, otherwise by
//! time.

use std::collections::BTreeSet;

use super::occurrence::{Occurrence, OccurrenceKind};

/// Everything found of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its correlation id.
    pub correlation_id: String,
    /// What nothing found has caused, in order of time, each with what it caused.
    pub trees: Vec<CauseTree>,
}

/// An occurrence, and what it caused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CauseTree {
    /// Index of the occurrence.
    pub occurrence: usize,
    /// What it caused, in order of time.
    pub caused: Vec<CauseTree>,
}

/// The workflows with these correlation ids.
pub(super) fn workflows(ids: &BTreeSet<String>, all: &[Occurrence]) -> Vec<Workflow> {
    let workflow = |id: &String| {
        let mut members: Vec<usize> = (0..all.len())
            .filter(|index| all[*index].correlation_id == *id)
            .collect();
        // The sort is stable: what has no time stays as it was found, after the rest.
        members.sort_by_key(|index| (all[*index].time.is_none(), all[*index].time));
        let parents = parents(&members, all);
        let roots = members.iter().zip(&parents);
        let roots = roots.filter(|(_, parent)| parent.is_none());
        Workflow {
            correlation_id: id.clone(),
            trees: roots
                .map(|(index, _)| tree(*index, &members, &parents))
                .collect(),
        }
    };
    ids.iter().map(workflow).collect()
}

/// What caused each member. Nothing causes itself: what a foreign header or row claims in a circle is cut at its oldest
/// member.
fn parents(members: &[usize], all: &[Occurrence]) -> Vec<Option<usize>> {
    let mut parents: Vec<Option<usize>> = members
        .iter()
        .map(|index| parent(*index, members, all))
        .collect();
    let position = |index: usize| members.iter().position(|member| *member == index);
    for start in 0..members.len() {
        let mut next = parents[start];
        for _ in 0..members.len() {
            match next {
                Some(index) if index == members[start] => {
                    parents[start] = None;
                    break;
                }
                Some(index) => next = position(index).and_then(|at| parents[at]),
                None => break,
            }
        }
    }
    parents
}

/// The stored events that contain the cause of an occurrence, or else the call that stored it.
fn parent(index: usize, members: &[usize], all: &[Occurrence]) -> Option<usize> {
    let cause = all[index].cause.as_ref()?;
    let others = members.iter().copied();
    let mut storing = others.filter(|other| *other != index && all[*other].stored(cause));
    let first = storing.clone().next();
    let events = storing.find(|other| all[*other].kind == OccurrenceKind::Events);
    events.or(first)
}

fn tree(index: usize, members: &[usize], parents: &[Option<usize>]) -> CauseTree {
    let children = members.iter().zip(parents);
    let children = children.filter(|(_, parent)| **parent == Some(index));
    CauseTree {
        occurrence: index,
        caused: children
            .map(|(child, _)| tree(*child, members, parents))
            .collect(),
    }
}
