//! Who caused whom in a workflow: by the headers of commands and the columns of event stores where they say so, otherwise by
//! time. What has no correlation id belongs to a workflow if it was caused by an event of it, or if it is the command of a
//! failure that a log mentions in it.

use std::collections::BTreeSet;

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

/// Adds the commands without a correlation id whose failures a log mentions in the workflow, after these failures. Of
/// several commands with the same failure, none is known to be the one.
fn add_commands(members: &mut Vec<(usize, Option<Timestamp>)>, all: &[Occurrence]) {
    let logged = members.clone().into_iter();
    for (index, time) in logged {
        let is_command = |other: &usize| {
            all[*other].correlation_id.is_empty() && all[*other].is_command_of(&all[index])
        };
        let mut commands = (0..all.len()).filter(is_command);
        if let (Some(command), None) = (commands.next(), commands.next())
            && members.iter().all(|(member, _)| *member != command)
        {
            members.push((command, all[command].time.or(time)));
        }
    }
}

/// Adds what has no correlation id and was caused by an event of the workflow.
fn add_caused(members: &mut Vec<(usize, Option<Timestamp>)>, all: &[Occurrence]) {
    loop {
        let is_new = |index: &usize| {
            let occurrence = &all[*index];
            let is_caused = occurrence.cause.as_ref().is_some_and(|cause| {
                let mut members = members.iter();
                members.any(|(member, _)| all[*member].stored(cause))
            });
            is_caused
                && occurrence.correlation_id.is_empty()
                && members.iter().all(|(member, _)| member != index)
        };
        let new: Vec<usize> = (0..all.len()).filter(is_new).collect();
        if new.is_empty() {
            return;
        }
        members.extend(new.into_iter().map(|index| (index, all[index].time)));
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
