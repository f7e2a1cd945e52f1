//! The choice of the residuals.

use super::equations::Equations;
use crate::graph::ir::{Id, Level, Op};
use crate::graph::ops::{self, Cost};

/// Returns the values that the backward pass finds on the tape, in ascending order: what it reads of the forward pass,
/// unless it is cheap to compute again from what is there anyway.
pub fn choose(equations: &Equations) -> Vec<Id> {
    let graph = &equations.graph;
    let primal = graph.reachable(equations.forward_roots());
    let all = graph.reachable(equations.backward_roots());
    let mut wanted = vec![false; graph.len()];
    for id in graph.ids().filter(|id| all[id.index()] && !primal[id.index()]) {
        for arg in &graph[id].args {
            wanted[graph.storage(*arg).index()] = true;
        }
    }
    let mut there = vec![false; graph.len()];
    let mut kept = vec![];
    // The states' new values and an output that is returned in place are there anyway.
    for id in equations.states.iter().map(|bound| bound.id).chain(equations.lone_output()) {
        there[id.index()] = true;
        kept.push(id);
    }
    for id in graph.ids().filter(|id| primal[id.index()]) {
        let node = &graph[id];
        let index = id.index();
        if node.op.is_leaf() || graph.is_constant(id) {
            there[index] = true;
        } else if there[index] || node.op == Op::Reshape {
            continue;
        } else if node.level == Level::Time
            && ops::cost(&node.op) == Some(Cost::Low)
            && node.args.iter().all(|arg| there[graph.storage(*arg).index()])
        {
            // Computed again where it is used.
            there[index] = true;
        } else if wanted[index] {
            there[index] = true;
            kept.push(id);
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}
