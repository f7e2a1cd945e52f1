//! The schedule of a pass: when each node runs, and which nodes run together.
//!
//! Equations are split by their dependence on the recurrence. Equations that do not depend on it
//! run *before*, for all steps of a chunk at once. Equations that it needs run *step by step*. The
//! rest run *after*, for all steps at once again. The recurrence of the backward pass is that of
//! the cotangents of states. States that only delay values are not part of it: their series are
//! written before it starts, and those of their cotangents after it has run. Within a region,
//! element-wise chains are fused into one loop. Products that share their right-hand side or add up
//! to one sum run together.

use crate::dim::Atom;
use crate::graph::ir::{Binary, BlockShape, Graph, Id, Level, Op};
use crate::graph::ops::{self, Cost};
use std::collections::HashMap;

/// The regions in which nodes run, in order of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    /// Once per call, from parameters alone.
    Param,
    /// Once per call, for each sample, from the context.
    Context,
    /// For all steps of a chunk, before the recurrence.
    Before,
    /// Step by step.
    Step,
    /// For all steps of a chunk, after the recurrence.
    After,
    /// Like `After`, but only if the cotangents of inputs are requested.
    Inputs,
    /// Once per call, at the end, for each sample: values that depend on sums over the steps.
    ContextEnd,
    /// Once per call, at the very end: values that depend on sums over steps and samples.
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

/// Nodes that run together.
#[derive(Debug, Clone)]
pub enum Group {
    /// One loop over the entries of `space`, with the nodes in order of evaluation. A sum among
    /// them is complete when the loop has ended.
    Elementwise { space: BlockShape, nodes: Vec<Id> },
    /// Sums of products of parameters with vectors. All have the same shape, and their terms have
    /// the same right-hand sides in the same order.
    Products { sums: Vec<ProductSum> },
    /// A sum of products, some of them with transposed parameters or summed over heads.
    PullBack(ProductSum),
    /// Any other node.
    Single(Id),
}

impl Group {
    pub fn nodes(&self) -> Vec<Id> {
        match self {
            Group::Elementwise { nodes, .. } => nodes.clone(),
            Group::Products { sums } => sums.iter().map(|sum| sum.node).collect(),
            Group::PullBack(ProductSum { node, .. }) | Group::Single(node) => vec![*node],
        }
    }

    /// Returns the values that the group reads, which can include its own nodes.
    pub fn operands(&self, graph: &Graph, users: &[Vec<Id>]) -> Vec<Id> {
        let args = |id: &Id| graph[*id].args.clone();
        match self {
            Group::Elementwise { nodes, .. } => nodes.iter().flat_map(args).collect(),
            Group::Products { .. } | Group::PullBack(_) => {
                self.sums().iter().flat_map(|sum| sum.terms.iter().flat_map(args)).collect()
            }
            Group::Single(id) if is_accumulated_product(graph, users, *id) => args(&graph[*id].args[0]),
            Group::Single(id) => args(id),
        }
    }

    /// Returns the sums of products that the group computes.
    pub fn sums(&self) -> &[ProductSum] {
        match self {
            Group::Products { sums } => sums,
            Group::PullBack(sum) => std::slice::from_ref(sum),
            _ => &[],
        }
    }
}

/// The sum `node` of `terms`, each a product of a parameter with a vector. A lone product is its
/// own term.
#[derive(Debug, Clone)]
pub struct ProductSum {
    pub node: Id,
    pub terms: Vec<Id>,
}

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

#[derive(Debug)]
pub struct Schedule {
    /// The region of each node. None for leaves, constants, available values and unused ones.
    pub region: Vec<Option<Region>>,
    groups: Vec<(Region, Vec<Group>)>,
    /// The leaves that read nodes at earlier steps (in the backward pass, at later ones). By then
    /// these have been computed for a whole chunk.
    pub delayed: HashMap<Id, Vec<Id>>,
    /// The nodes that read each node, directly or through reshapes.
    pub users: Vec<Vec<Id>>,
}

impl Schedule {
    pub fn groups(&self, region: Region) -> &[Group] {
        self.groups.iter().find(|(other, _)| *other == region).map_or(&[], |(_, groups)| groups)
    }

    /// Returns the groups of a region mutably, for tests that break a schedule.
    #[cfg(test)]
    pub fn groups_mut(&mut self, region: Region) -> &mut Vec<Group> {
        let found = self.groups.iter_mut().find(|(other, _)| *other == region);
        &mut found.expect("every region has a list").1
    }
}

pub fn schedule(graph: &Graph, task: &Task) -> Schedule {
    let needed = Needed::of(graph, task);
    let region = regions(graph, task, &needed);
    let groups = Region::ALL
        .iter()
        .map(|region_of| (*region_of, groups(graph, &needed, &task.delayed, &region, *region_of)))
        .collect();
    Schedule { region, groups, delayed: task.delayed.clone(), users: needed.users }
}

struct Needed {
    /// The nodes that must be computed.
    compute: Vec<bool>,
    users: Vec<Vec<Id>>,
}

impl Needed {
    fn of(graph: &Graph, task: &Task) -> Self {
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
}

fn regions(graph: &Graph, task: &Task, needed: &Needed) -> Vec<Option<Region>> {
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

/// Returns whether a node that only reads the recurrence runs inside its loop. It does if it reads
/// a whole matrix of a step, which would otherwise be written to memory and read again.
fn stays_in_step(
    graph: &Graph,
    needed: &Needed,
    region: &[Option<Region>],
    recurrent: &[bool],
    id: Id,
) -> bool {
    let node = &graph[id];
    let fuses = is_fused(graph, needed, id);
    let is_read_there =
        || needed.users[id.index()].iter().any(|user| region[user.index()] == Some(Region::Step));
    let reads_matrix = || {
        let mut args = node.args.iter().map(|arg| graph.storage(*arg));
        args.any(|arg| recurrent[arg.index()] && graph[arg].shape.is_matrix())
    };
    is_read_there() || fuses && reads_matrix()
}

/// Returns whether a node is the product of a parameter with a vector or matrix of a step whose
/// columns are contiguous in memory, over samples and steps. Those of a vector with heads are one
/// distance apart.
pub fn is_flat_product(graph: &Graph, id: Id) -> bool {
    let node = &graph[id];
    match (&node.op, node.args.as_slice()) {
        (Op::MatMul { tb: false, .. }, [a, b]) => {
            let is_flat = of_heads(graph, id) == OfHeads::Shared || node.shape.columns == Atom::ONE;
            let levels = (graph[*a].level, graph[*b].level);
            levels.0 == Level::Param && levels.1 > Level::Param && !node.shape.is_row() && is_flat
        }
        _ => false,
    }
}

/// The heads of a product of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfHeads {
    /// One matrix for all heads, whose vectors are further columns of the right-hand side.
    Shared,
    /// A matrix and a result per head.
    Each,
    /// A matrix per head, and the sum of the products of all heads.
    Sum,
}

/// Returns how the heads take part in a product.
pub fn of_heads(graph: &Graph, id: Id) -> OfHeads {
    let node = &graph[id];
    if !node.args.first().is_some_and(|a| graph[*a].shape.has_heads()) {
        OfHeads::Shared
    } else if node.shape.has_heads() {
        OfHeads::Each
    } else {
        OfHeads::Sum
    }
}

/// Returns the products that add up to `sum` and have no other use. None if the node is not such a
/// sum.
fn product_terms(graph: &Graph, needed: &Needed, region: &[Option<Region>], sum: Id) -> Option<Vec<Id>> {
    let mut terms = vec![];
    // The terms are visited from the last to the first, which quickly rules out other sums.
    let mut stack = vec![sum];
    while let Some(id) = stack.pop() {
        let node = &graph[id];
        let fits = id == sum
            || needed.users[id.index()].len() == 1
                && node.shape == graph[sum].shape
                && region[id.index()] == region[sum.index()];
        if !fits {
            return None;
        }
        match (&node.op, node.args.as_slice()) {
            _ if is_flat_product(graph, id) => {
                if terms.first().is_some_and(|first| of_heads(graph, *first) != of_heads(graph, id)) {
                    return None;
                }
                terms.push(id);
            }
            (Op::Binary(Binary::Add), [a, b]) if a != b => stack.extend([*a, *b]),
            _ => return None,
        }
    }
    terms.reverse();
    Some(terms)
}

fn groups(
    graph: &Graph,
    needed: &Needed,
    delayed: &HashMap<Id, Vec<Id>>,
    region: &[Option<Region>],
    here: Region,
) -> Vec<Group> {
    let in_region = |id: Id| region[id.index()] == Some(here);
    let mut waiting: Vec<Id> = graph.ids().filter(|id| in_region(*id)).collect();

    // A sum of products represents its terms.
    let mut sums: HashMap<Id, Vec<Id>> = HashMap::new();
    let mut absorbed = vec![false; graph.len()];
    for &id in waiting.iter().rev() {
        if absorbed[id.index()] || graph[id].level == Level::Param {
            continue;
        }
        let Some(terms) = product_terms(graph, needed, region, id) else { continue };
        if terms.len() > 1 {
            absorb(graph, id, &mut absorbed);
            absorbed[id.index()] = false;
            sums.insert(id, terms);
        }
    }
    for id in graph.ids().filter(|id| in_region(*id) && is_accumulated_product(graph, &needed.users, *id)) {
        absorbed[graph[id].args[0].index()] = true;
    }
    waiting.retain(|id| !absorbed[id.index()]);

    let depends_on = |id: Id| -> Vec<Id> {
        let mut found = vec![];
        let mut stack = graph[id].args.clone();
        while let Some(arg) = stack.pop() {
            let arg = graph.storage(arg);
            if absorbed[arg.index()] {
                stack.extend(&graph[arg].args);
            } else if in_region(arg) {
                found.push(arg);
            } else {
                // The whole series is computed before it is read at another step.
                found.extend(delayed.get(&arg).into_iter().flatten().filter(|node| in_region(**node)));
            }
        }
        found
    };
    let mut depends: Vec<Vec<Id>> = vec![vec![]; graph.len()];
    let mut fuses = vec![false; graph.len()];
    for &id in &waiting {
        depends[id.index()] = depends_on(id);
        fuses[id.index()] = is_fused(graph, needed, id) && !sums.contains_key(&id);
    }

    let mut groups = vec![];
    let mut done = vec![false; graph.len()];
    let is_ready = |id: Id, done: &[bool]| depends[id.index()].iter().all(|arg| done[arg.index()]);
    while !waiting.is_empty() {
        let mut taken: Vec<Id> =
            waiting.iter().copied().filter(|id| !fuses[id.index()] && is_ready(*id, &done)).collect();
        if taken.is_empty() {
            // The loop takes all element-wise nodes of one space that are ready, or become ready
            // within the loop: an entry may be read as soon as it is written. It is never read as
            // an entry of another row, since a node that reshapes a vector to a row has no place in
            // the space of the vector.
            let Some(first) = waiting.iter().copied().find(|id| is_ready(*id, &done)) else { break };
            let space = graph.space(first);
            for &id in &waiting {
                if fuses[id.index()] && graph.space(id) == space && is_ready(id, &done) {
                    done[id.index()] =
                        !graph[id].op.is_sum() && !delayed.values().flatten().any(|node| *node == id);
                    taken.push(id);
                }
            }
            groups.push(Group::Elementwise { space, nodes: taken.clone() });
        } else {
            groups.extend(product_groups(graph, &taken, &sums));
        }
        for id in &taken {
            done[id.index()] = true;
        }
        waiting.retain(|id| !done[id.index()]);
    }
    groups
}

/// Marks all nodes that a sum of products represents.
fn absorb(graph: &Graph, sum: Id, absorbed: &mut [bool]) {
    let mut stack = vec![sum];
    while let Some(id) = stack.pop() {
        absorbed[id.index()] = true;
        if !is_flat_product(graph, id) {
            stack.extend(&graph[id].args);
        }
    }
}

/// Returns whether a node runs in a fused loop: element-wise nodes, their sums, and sums over time
/// of anything but a product.
fn is_fused(graph: &Graph, needed: &Needed, id: Id) -> bool {
    let node = &graph[id];
    match node.op {
        Op::Accumulate => !is_accumulated_product(graph, &needed.users, id),
        _ => node.op.is_elementwise() || node.op.is_sum(),
    }
}

/// Returns whether a node accumulates a product (or scatter) that has no other use: the product
/// then adds to the sum itself.
pub fn is_accumulated_product(graph: &Graph, users: &[Vec<Id>], id: Id) -> bool {
    let node = &graph[id];
    node.op == Op::Accumulate
        && node.args.iter().all(|arg| {
            matches!(graph[*arg].op, Op::MatMul { .. } | Op::Scatter { .. }) && users[arg.index()].len() == 1
        })
}

fn product_groups(graph: &Graph, ready: &[Id], sums: &HashMap<Id, Vec<Id>>) -> Vec<Group> {
    let mut groups: Vec<Group> = vec![];
    for &node in ready {
        let mut terms = match sums.get(&node) {
            Some(terms) => terms.clone(),
            None if is_flat_product(graph, node) => vec![node],
            None => {
                groups.push(Group::Single(node));
                continue;
            }
        };
        let is_plain = |term: &Id| {
            graph[*term].op == (Op::MatMul { ta: false, tb: false }) && of_heads(graph, *term) != OfHeads::Sum
        };
        if !terms.iter().all(is_plain) {
            groups.push(Group::PullBack(ProductSum { node, terms }));
            continue;
        }
        let right_sides = |terms: &[Id]| terms.iter().map(|term| graph[*term].args[1]).collect::<Vec<_>>();
        terms.sort_by_key(|term| graph[*term].args[1]);
        let shares = |other: &ProductSum| {
            let (a, b) = (&graph[node], &graph[other.node]);
            let heads = [terms[0], other.terms[0]].map(|term| of_heads(graph, term));
            a.shape == b.shape
                && a.level == b.level
                && heads[0] == heads[1]
                && right_sides(&terms) == right_sides(&other.terms)
        };
        let same = groups.iter_mut().find_map(|group| match group {
            Group::Products { sums } if shares(&sums[0]) => Some(sums),
            _ => None,
        });
        let sum = ProductSum { node, terms };
        match same {
            Some(sums) => sums.push(sum),
            None => groups.push(Group::Products { sums: vec![sum] }),
        }
    }
    groups
}
