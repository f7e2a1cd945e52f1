//! Names for subexpressions of an equation: `i = sigmoid(..)` has the pre-activation `i_pre`,
//! `o * tanh(c)` the factor `tanh_c`.

use crate::graph::grid::Grid;
use crate::graph::ir::{Graph, Id, Op};
use crate::graph::text::unary;
use std::collections::HashSet;

/// Names the subexpressions. Runs after all equations, so that a user's name never refers to
/// another value.
pub fn suggest(graph: &mut Graph, order: &[usize], targets: &[Vec<Grid>]) {
    let of_users: HashSet<String> = graph.ids().filter_map(|id| graph[id].name.clone()).collect();
    for id in order.iter().flat_map(|equation| &targets[*equation]).flat_map(|value| &value.blocks) {
        for (inner, name) in within(graph, graph.storage(*id)) {
            if !of_users.contains(&name) {
                graph.suggest_name(inner, &name);
            }
        }
    }
}

fn within(graph: &Graph, id: Id) -> Vec<(Id, String)> {
    let node = &graph[id];
    let Some(name) = &node.name else { return vec![] };
    match (&node.op, node.args.as_slice()) {
        (Op::Unary(_), [inner]) => vec![(*inner, format!("{name}_pre"))],
        (Op::Binary(_), args) => {
            let factor = |arg: &Id| {
                let inner = &graph[*arg];
                let Op::Unary(op) = &inner.op else { return None };
                let of = graph[*inner.args.first()?].name.as_ref()?;
                Some((*arg, unary(*op, of).replace('(', "_").replace([')', '-'], "")))
            };
            args.iter().filter_map(factor).collect()
        }
        _ => vec![],
    }
}
