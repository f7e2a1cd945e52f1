//! The choice of the residuals.

use crate::graph::ir::{Graph, Id, Level, Op};

/// Which values the backward pass finds on the tape: what it reads of the forward pass, unless it is cheap to
/// compute again from what is there anyway.
pub fn choose(graph: &Graph, forward_roots: &[Id], stored: &[Id], backward_roots: &[Id]) -> Vec<Id> {
    let primal = graph.reachable(forward_roots.iter().copied());
    let all = graph.reachable(backward_roots.iter().copied());
    let mut wanted = vec![false; graph.len()];
    for id in graph.ids().filter(|id| all[id.index()] && !primal[id.index()]) {
        for arg in &graph[id].args {
            wanted[graph.storage(*arg).index()] = true;
        }
    }
    let mut there = vec![false; graph.len()];
    let mut kept = vec![];
    // The states' new values and an output that is returned in place are there anyway.
    for id in stored {
        there[id.index()] = true;
        kept.push(*id);
    }
    for id in graph.ids().filter(|id| primal[id.index()]) {
        let node = &graph[id];
        let index = id.index();
        if node.op.is_leaf() || graph.is_constant(id) {
            there[index] = true;
        } else if there[index] || node.op == Op::Reshape {
            continue;
        } else if node.level == Level::Time
            && is_cheap(&node.op)
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

fn is_cheap(op: &Op) -> bool {
    match op {
        Op::Unary(op) => !op.is_dear(),
        Op::Binary(op) => !op.is_dear(),
        Op::Select(_) | Op::Expand => true,
        _ => false,
    }
}
