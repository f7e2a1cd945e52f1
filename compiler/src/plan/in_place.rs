//! Which states a step may overwrite while it runs.

use crate::dim::Atom;
use crate::graph::ir::{Graph, Id};
use crate::plan::schedule::{Group, Region, Schedule};

/// Whether nothing reads the `old` state once its `new` value is written: what computes the new one may read the old
/// one row by row, what comes later not at all.
///
/// Vectors stay as they are until the step's end: copying one costs next to nothing, while stores into the state that wait
/// for the activations hold back the next step's loads (a fifth of an LSTM's step at H = 32).
pub fn is_free(graph: &Graph, schedule: &Schedule, old: Option<Id>, new: Id) -> bool {
    if graph[new].shape.columns == Atom::ONE || graph[new].shape.rows == Atom::ONE {
        return false;
    }
    let groups = schedule.groups(Region::Step);
    let Some(at) = groups.iter().position(|group| group.nodes().contains(&new)) else { return false };
    let Some(old) = old else { return true };
    groups[at..].iter().enumerate().all(|(distance, group)| {
        let mut reads = group
            .operands(graph, &schedule.users)
            .into_iter()
            .filter(|operand| graph.storage(*operand) == old);
        match group {
            Group::Elementwise { space, .. } if distance == 0 => {
                graph[old].shape == *space && reads.all(|operand| operand == old)
            }
            _ => reads.next().is_none(),
        }
    })
}
