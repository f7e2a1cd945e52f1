//! Reverse-mode differentiation, which adds equations to the same graph.
//!
//! `x_bar` is the cotangent of `x`: the derivative of the loss with respect to `x`. The sweep
//! visits the nodes backwards. Each node passes its cotangent to its arguments by the rule of its
//! operation, and contributions to the same value add up. A contribution to a value of a lower
//! level (a parameter used at every step) is accumulated over the steps and samples.

use crate::dim::Atom;
use crate::graph::ir::{Graph, Id, Op};
use crate::graph::ops;
use std::collections::HashMap;

/// Returns the cotangent of each leaf that `is_wanted`, given the cotangents of some values.
pub fn pull_back(graph: &mut Graph, seeds: &[(Id, Id)], is_wanted: impl Fn(&Op) -> bool) -> HashMap<Id, Id> {
    let end = graph.len();
    let mut active = vec![false; end];
    for id in graph.ids() {
        let node = &graph[id];
        active[id.index()] = match node.op {
            Op::StopGradient | Op::Maximum => false,
            _ if node.op.is_leaf() => is_wanted(&node.op),
            _ => node.args.iter().any(|arg| active[arg.index()]),
        };
    }

    let mut bars: Vec<Option<Id>> = vec![None; end];
    for (value, bar) in seeds {
        add_to(graph, &mut bars[value.index()], *bar);
    }
    let mut leaves = HashMap::new();
    for index in (0..end).rev() {
        let id = Id(index as u32);
        let Some(bar) = bars[index] else { continue };
        if !active[index] {
            continue;
        }
        if let Some(name) = graph[id].name.clone() {
            graph.suggest_name(bar, &format!("{name}_bar"));
        }
        if graph[id].op.is_leaf() {
            leaves.insert(id, bar);
            continue;
        }
        let args = graph[id].args.clone();
        let wanted: Vec<bool> = args.iter().map(|arg| active[arg.index()]).collect();
        let Some(primitive) = ops::primitive(&graph[id].op) else { continue };
        for (arg, contribution) in args.iter().zip((primitive.pull_back)(graph, id, bar, &wanted)) {
            if let (true, Some(contribution)) = (active[arg.index()], contribution) {
                let contribution = fit(graph, contribution, *arg);
                add_to(graph, &mut bars[arg.index()], contribution);
            }
        }
    }
    leaves
}

fn add_to(graph: &mut Graph, sum: &mut Option<Id>, term: Id) {
    *sum = Some(match *sum {
        Some(sum) => graph.add(sum, term),
        None => term,
    });
}

/// Brings a contribution to the shape and level of its argument: a contribution to an argument that
/// was broadcast is summed, also over the heads that share the argument.
fn fit(graph: &mut Graph, contribution: Id, arg: Id) -> Id {
    let (shape, level) = (graph[arg].shape, graph[arg].level);
    // Sums over time first: the fused loops add the entries up, and the remaining sum runs once.
    let mut sum = graph.accumulate(contribution, level);
    if shape.columns == Atom::ONE {
        sum = if shape.rows == Atom::ONE { graph.sum(sum) } else { graph.row_sum(sum) };
    } else if shape.rows == Atom::ONE {
        sum = graph.column_sum(sum);
    }
    if shape.has_heads() { sum } else { graph.head_sum(sum) }
}
