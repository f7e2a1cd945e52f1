//! States that only delay values: the previous input, or the window of a convolution.
//!
//! The new value of such a state depends only on inputs and on other such states. Its values are
//! therefore known for all steps of a chunk before the recurrence starts, and its cotangents are
//! needed only after the recurrence has run. Products with them are computed for all steps at once.

use super::planned::Bound;
use crate::graph::ir::{Graph, Id, Op, Piece};

/// Returns the blocks of states that neither are part of a cycle nor depend on one.
pub fn delays(graph: &Graph, states: &[Bound]) -> Vec<Piece> {
    let reads: Vec<Vec<Piece>> = states.iter().map(|bound| previous(graph, bound.id)).collect();
    let mut found: Vec<Piece> = vec![];
    loop {
        let is_new = |(bound, reads): &(&Bound, &Vec<Piece>)| {
            !found.contains(&bound.piece) && reads.iter().all(|piece| found.contains(piece))
        };
        let new: Vec<Piece> =
            states.iter().zip(&reads).filter(is_new).map(|(bound, _)| bound.piece).collect();
        if new.is_empty() {
            return found;
        }
        found.extend(new);
    }
}

/// Returns the old states that a value is computed from.
fn previous(graph: &Graph, id: Id) -> Vec<Piece> {
    let mut found = vec![];
    let mut seen = vec![false; graph.len()];
    let mut stack = vec![id];
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        match graph[id].op {
            Op::Previous(piece) => found.push(piece),
            _ => stack.extend(&graph[id].args),
        }
    }
    found
}
