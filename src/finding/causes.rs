//! Who caused whom in a workflow: by the headers of commands and the columns of event stores where they say so, otherwise by
//! time. Something without a correlation id belongs to a workflow if one of its events caused it, or if a log mentions the failure of
//! that command in the workflow.

use std::collections::{BTreeSet, HashSet};

use super::occurrence::{Occurrence, OccurrenceKind};
use crate::model::Timestamp;

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

/// The workflows with these correlation ids. Whether messages are hidden decides whether they can be compared.
pub(super) fn workflows(
    ids: &BTreeSet<String>,
    all: &[Occurrence],
    hides_messages: bool,
) -> Vec<Workflow> {
    let workflow = |id: &String| {
        let named = (0..all.len()).filter(|index| all[*index].correlation_id == *id);
        let mut members: Vec<(usize, Option<Timestamp>)> =
            named.map(|index| (index, all[index].time)).collect();
        if !hides_messages {
            add_commands(&mut members, all);
        }
        add_caused(&mut members, all);
        // The sort is stable: what has no time stays as it was found, after the rest.
        members.sort_by_key(|(_, time)| (time.is_none(), *time));
        let members: Vec<usize> = members.into_iter().map(|(index, _)| index).collect();
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

/// Adds commands without a correlation id whose failures are logged in the workflow. If several commands failed in the same
/// way, it is unclear which one is meant, so none is added.
fn add_commands(members: &mut Vec<(usize, Option<Timestamp>)>, all: &[Occurrence]) {
    let is_free = |index: &usize| {
        let occurrence = &all[*index];
        occurrence.correlation_id.is_empty() && occurrence.kind == OccurrenceKind::FailedCommand
    };
    let free: Vec<usize> = (0..all.len()).filter(is_free).collect();
    let mut known: HashSet<usize> = members.iter().map(|(member, _)| *member).collect();
    for (index, time) in members.clone() {
        let mut commands = free
            .iter()
            .copied()
            .filter(|other| all[*other].is_command_of(&all[index]));
        if let (Some(command), None) = (commands.next(), commands.next())
            && known.insert(command)
        {
            members.push((command, all[command].time.or(time)));
        }
    }
}

/// Adds what has no correlation id and was caused by an event of the workflow.
fn add_caused(members: &mut Vec<(usize, Option<Timestamp>)>, all: &[Occurrence]) {
    let known: HashSet<usize> = members.iter().map(|(member, _)| *member).collect();
    let mut waiting: Vec<usize> = (0..all.len())
        .filter(|index| {
            let occurrence = &all[*index];
            let is_free = occurrence.correlation_id.is_empty() && !known.contains(index);
            is_free && occurrence.cause.is_some()
        })
        .collect();
    // Each member is asked once what it caused.
    let mut asked = 0;
    while asked < members.len() {
        let (member, _) = members[asked];
        asked += 1;
        waiting.retain(|index| {
            let cause = all[*index].cause.as_ref();
            let is_caused = cause.is_some_and(|cause| all[member].stored(cause));
            if is_caused {
                members.push((*index, all[*index].time));
            }
            !is_caused
        });
    }
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
