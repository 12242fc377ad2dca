//! Who caused whom in a workflow: by the headers of commands where they say so, otherwise by time.

use std::collections::BTreeSet;

use super::occurrence::Occurrence;

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
        let parents: Vec<Option<usize>> = members
            .iter()
            .map(|index| parent(*index, &members, all))
            .collect();
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

/// The stored events that contain the cause of an occurrence. Stored events have no cause themselves, so no two
/// occurrences can cause each other.
fn parent(index: usize, members: &[usize], all: &[Occurrence]) -> Option<usize> {
    let cause = all[index].cause.as_ref()?;
    let mut others = members.iter().copied().filter(|other| *other != index);
    others.find(|other| all[*other].cause.is_none() && all[*other].stored(cause))
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
