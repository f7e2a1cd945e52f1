//! The choice of the states that a step may overwrite while it runs.

use crate::dim::Atom;
use crate::graph::ir::{Graph, Id};
use crate::plan::schedule::{Group, Region, Schedule};

/// Returns whether nothing reads the `old` state after its `new` value is written. The nodes that
/// compute the new value may read the old one row by row; later nodes must not read it.
///
/// Vectors are kept until the end of the step. Copying one costs next to nothing, whereas stores
/// into the state that wait for the activations delay the loads of the next step (by a fifth of an
/// LSTM's step at H = 32).
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
