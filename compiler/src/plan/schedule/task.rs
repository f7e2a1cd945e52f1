//! The task of a pass, and the nodes that it needs.

use super::products::is_accumulated_product;
use crate::graph::ir::{Graph, Id, Op};
use std::collections::HashMap;

/// The values that a pass has to compute, and those that it starts from.
#[derive(Debug, Default)]
pub struct Task {
    /// The values that are wanted.
    pub roots: Vec<Id>,
    /// The subset of `roots` that the next step needs.
    pub recurrent_roots: Vec<Id>,
    /// The values that are wanted only if the cotangents of inputs are requested.
    pub input_roots: Vec<Id>,
    /// The leaves that carry the recurrence.
    pub recurrent_leaves: Vec<Id>,
    /// The leaves that read nodes at earlier steps (in the backward pass, at later steps), outside
    /// of the recurrence.
    pub delayed: HashMap<Id, Vec<Id>>,
    /// The delayed leaves whose nodes are computed after the recurrence. All others are computed
    /// before it.
    pub late: Vec<Id>,
    /// The values that exist already.
    pub available: Vec<Id>,
    /// A single step: everything runs in the region of the step.
    pub streaming: bool,
}

/// The nodes of a graph that a pass computes.
pub(super) struct Needed {
    /// The nodes that must be computed.
    pub compute: Vec<bool>,
    /// The nodes that read each node, directly or through reshapes.
    pub users: Vec<Vec<Id>>,
}

impl Needed {
    pub fn of(graph: &Graph, task: &Task) -> Self {
        let mut compute = vec![false; graph.len()];
        let mut available = vec![false; graph.len()];
        for id in &task.available {
            available[id.index()] = true;
        }
        let mut stack: Vec<Id> =
            task.roots.iter().chain(&task.input_roots).map(|id| graph.storage(*id)).collect();
        let mut users: Vec<Vec<Id>> = vec![vec![]; graph.len()];
        while let Some(id) = stack.pop() {
            let node = &graph[id];
            if available[id.index()] || node.op.is_leaf() || graph.is_constant(id) {
                continue;
            }
            if std::mem::replace(&mut compute[id.index()], true) {
                continue;
            }
            for arg in &node.args {
                let arg = graph.storage(*arg);
                if !users[arg.index()].contains(&id) {
                    users[arg.index()].push(id);
                }
                stack.push(arg);
            }
        }
        Needed { compute, users }
    }

    /// Returns whether a node runs in a fused loop: element-wise nodes, their sums, and sums over
    /// time of anything but a product.
    pub fn is_fused(&self, graph: &Graph, id: Id) -> bool {
        let node = &graph[id];
        match node.op {
            Op::Accumulate => !is_accumulated_product(graph, &self.users, id),
            _ => node.op.is_elementwise() || node.op.is_sum(),
        }
    }
}
