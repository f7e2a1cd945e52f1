//! The groups of a region: the nodes that one loop or one call computes.

use super::products::{head_product, is_accumulated_product, is_flat_product};
use super::region::Region;
use super::task::Needed;
use crate::graph::ir::{Binary, BlockShape, Graph, Id, Level, Op};
use std::collections::HashMap;

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

/// The sum `node` of `terms`, each a product for all samples and steps. A lone product is its own
/// term.
#[derive(Debug, Clone)]
pub struct ProductSum {
    pub node: Id,
    pub terms: Vec<Id>,
}

/// Returns the groups of a region, in order of execution.
pub(super) fn groups(
    graph: &Graph,
    needed: &Needed,
    delayed: &HashMap<Id, Vec<Id>>,
    region: &[Option<Region>],
    here: Region,
) -> Vec<Group> {
    let in_region = |id: Id| region[id.index()] == Some(here);
    let mut waiting: Vec<Id> = graph.ids().filter(|id| in_region(*id)).collect();

    let (sums, mut absorbed) = sums_of_products(graph, needed, region, &waiting);
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
        fuses[id.index()] = needed.is_fused(graph, id) && !sums.contains_key(&id);
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

/// Returns the sums of products among the nodes of a region, each with its terms, and marks the
/// nodes that they represent.
fn sums_of_products(
    graph: &Graph,
    needed: &Needed,
    region: &[Option<Region>],
    nodes: &[Id],
) -> (HashMap<Id, Vec<Id>>, Vec<bool>) {
    let mut sums: HashMap<Id, Vec<Id>> = HashMap::new();
    let mut absorbed = vec![false; graph.len()];
    for &id in nodes.iter().rev() {
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
    (sums, absorbed)
}

/// Returns the products that add up to `sum` and have no other use. Returns `None` if the node is
/// not such a sum.
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
                if terms.first().is_some_and(|first| head_product(graph, *first) != head_product(graph, id)) {
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
        let is_plain = |term: &Id| graph[*term].op == (Op::MatMul { ta: false, tb: false });
        if !terms.iter().all(is_plain) {
            groups.push(Group::PullBack(ProductSum { node, terms }));
            continue;
        }
        let right_sides = |terms: &[Id]| terms.iter().map(|term| graph[*term].args[1]).collect::<Vec<_>>();
        terms.sort_by_key(|term| graph[*term].args[1]);
        let shares = |other: &ProductSum| {
            let (a, b) = (&graph[node], &graph[other.node]);
            let heads = [terms[0], other.terms[0]].map(|term| head_product(graph, term));
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
