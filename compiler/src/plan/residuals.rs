//! The choice of the residuals.

use super::past::Recorded;
use super::step_graph::StepGraph;
use crate::graph::ir::{Id, Level, Op};
use crate::graph::ops::{self, Cost};

/// Returns the values that the backward pass reads from the tape, in ascending order. These are the
/// values of the forward pass that it needs, except for those that are cheap to recompute from
/// stored values.
pub fn choose(step: &StepGraph) -> Vec<Id> {
    let graph = &step.graph;
    let primal = graph.reachable(step.forward_roots());
    let all = graph.reachable(step.backward_roots());
    let mut wanted = vec![false; graph.len()];
    for id in graph.ids().filter(|id| all[id.index()] && !primal[id.index()]) {
        for arg in &graph[id].args {
            wanted[graph.storage(*arg).index()] = true;
        }
    }
    let mut is_stored = vec![false; graph.len()];
    let mut kept = vec![];
    // The new values of states, recorded values, and an output that may be returned in place are
    // stored in any case.
    let recorded = step.recorded.iter().filter_map(Recorded::computed);
    for id in step.states.iter().map(|bound| bound.id).chain(recorded).chain(step.lone_output()) {
        is_stored[id.index()] = true;
        kept.push(id);
    }
    for id in graph.ids().filter(|id| primal[id.index()]) {
        let node = &graph[id];
        let index = id.index();
        if node.op.is_leaf() || graph.is_constant(id) {
            is_stored[index] = true;
        } else if is_stored[index] || node.op == Op::Reshape {
            continue;
        } else if node.level == Level::Time
            && ops::cost(&node.op) == Some(Cost::Low)
            && node.args.iter().all(|arg| is_stored[graph.storage(*arg).index()])
        {
            // The value is recomputed where it is used.
            is_stored[index] = true;
        } else if wanted[index] {
            is_stored[index] = true;
            kept.push(id);
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}
