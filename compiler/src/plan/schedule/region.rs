//! The regions of a pass, and the choice of the region of each node.

use super::task::{Needed, Task};
use crate::graph::ir::{Graph, Id, Level, Op};
use crate::graph::ops::{self, Cost};

/// The regions in which nodes run, in order of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// The nodes that depend on parameters alone, computed once per call.
    Param,
    /// The nodes that depend on the context, computed once per call for each sample.
    Context,
    /// The nodes before the recurrence, computed for all steps of a chunk at once.
    Before,
    /// The recurrence, computed step by step.
    Step,
    /// The nodes after the recurrence, computed for all steps of a chunk at once.
    After,
    /// The nodes that run like those of `After`, but only if the cotangents of inputs are
    /// requested.
    Inputs,
    /// The nodes that depend on sums over the steps, computed once per call for each sample, after
    /// all chunks.
    ContextEnd,
    /// The nodes that depend on sums over steps and samples, computed once per call, at the very
    /// end.
    ParamEnd,
}

impl Region {
    pub const ALL: [Region; 8] = [
        Region::Param,
        Region::Context,
        Region::Before,
        Region::Step,
        Region::After,
        Region::Inputs,
        Region::ContextEnd,
        Region::ParamEnd,
    ];

    pub fn level(self) -> Level {
        match self {
            Region::Param | Region::ParamEnd => Level::Param,
            Region::Context | Region::ContextEnd => Level::Context,
            _ => Level::Time,
        }
    }
}

/// Returns the region of each node that a pass computes.
pub(super) fn regions(graph: &Graph, task: &Task, needed: &Needed) -> Vec<Option<Region>> {
    let count = graph.len();
    let mut recurrent = vec![false; count];
    let mut late = vec![false; count];
    let mut at_end = vec![false; count];
    for id in &task.recurrent_leaves {
        recurrent[id.index()] = true;
    }
    for id in &task.late {
        late[id.index()] = true;
    }
    for id in graph.ids().filter(|id| needed.compute[id.index()]) {
        for arg in &graph[id].args {
            let arg = graph.storage(*arg);
            let args_at_end =
                needed.compute[arg.index()] && (graph[arg].op == Op::Accumulate || at_end[arg.index()]);
            recurrent[id.index()] |= recurrent[arg.index()];
            late[id.index()] |= late[arg.index()];
            at_end[id.index()] |= args_at_end;
        }
    }
    let mark = |roots: &[Id]| {
        let mut marked = vec![false; count];
        let mut stack: Vec<Id> = roots.iter().map(|id| graph.storage(*id)).collect();
        while let Some(id) = stack.pop() {
            if needed.compute[id.index()] && !std::mem::replace(&mut marked[id.index()], true) {
                stack.extend(graph[id].args.iter().map(|arg| graph.storage(*arg)));
            }
        }
        marked
    };
    let for_recurrence = mark(&task.recurrent_roots);
    let for_main = mark(&task.roots);

    let mut region: Vec<Option<Region>> = vec![None; count];
    for id in graph.ids().rev().filter(|id| needed.compute[id.index()]) {
        let index = id.index();
        region[index] = Some(match graph.runs_at(id) {
            Level::Param if at_end[index] => Region::ParamEnd,
            Level::Param => Region::Param,
            Level::Context if at_end[index] => Region::ContextEnd,
            Level::Context => Region::Context,
            Level::Time if task.streaming => Region::Step,
            Level::Time if recurrent[index] && for_recurrence[index] => Region::Step,
            Level::Time if !for_main[index] => Region::Inputs,
            Level::Time if late[index] => Region::After,
            Level::Time if recurrent[index] && stays_in_step(graph, needed, &region, &recurrent, id) => {
                Region::Step
            }
            Level::Time if recurrent[index] || graph[id].op == Op::Accumulate => Region::After,
            Level::Time => {
                let is_root = task.recurrent_roots.contains(&id) || is_delayed(task, id);
                let uses: Vec<Region> =
                    needed.users[index].iter().filter_map(|user| region[user.index()]).collect();
                let is_free = !is_root && !uses.is_empty();
                if is_free && uses.iter().all(|at| *at > Region::Step) {
                    Region::After
                } else if is_free
                    && ops::cost(&graph[id].op).is_some_and(|cost| cost < Cost::High)
                    && uses.iter().all(|at| *at >= Region::Step)
                {
                    Region::Step
                } else {
                    Region::Before
                }
            }
        });
    }
    region
}

/// Returns whether a leaf reads the value of the node at another step.
fn is_delayed(task: &Task, id: Id) -> bool {
    task.delayed.values().flatten().any(|node| *node == id)
}

/// Returns whether a node that only reads the recurrence runs inside its loop. It does if a node of
/// the loop reads it, or if it is fused and reads a whole matrix of a step, which would otherwise
/// be written to memory and read again.
fn stays_in_step(
    graph: &Graph,
    needed: &Needed,
    region: &[Option<Region>],
    recurrent: &[bool],
    id: Id,
) -> bool {
    let node = &graph[id];
    let fuses = needed.is_fused(graph, id);
    let is_read_there =
        || needed.users[id.index()].iter().any(|user| region[user.index()] == Some(Region::Step));
    let reads_matrix = || {
        let mut args = node.args.iter().map(|arg| graph.storage(*arg));
        args.any(|arg| recurrent[arg.index()] && graph[arg].shape.is_matrix())
    };
    is_read_there() || fuses && reads_matrix()
}
