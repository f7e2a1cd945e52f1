//! Invariants of the graph, of schedules and of places. Debug builds check them after each stage of
//! planning.

#[cfg(test)]
mod tests;

use super::planned::{Lifetime, Pass, Place, Plan};
use super::schedule::{Group, Region, Schedule, is_accumulated_product};
use crate::graph::ir::{Binary, BlockShape, Graph, Id, Level, Node, Op};
use crate::graph::ops;
use std::collections::{HashMap, HashSet};

/// Checks a whole plan.
pub fn verify(plan: &Plan) -> Result<(), String> {
    let of = |pass: &'static str| move |broken| format!("{pass}: {broken}");
    let pass = |graph: &Graph, pass: &Pass, is_left: &dyn Fn(Id) -> bool| {
        groups(graph, &pass.schedule, Some(&pass.places), is_left)
    };
    let is_left = |id: Id| {
        let place = plan.forward.places.get(&id);
        matches!(
            place,
            Some(Place::Fixed | Place::State(_) | Place::Recorded(_) | Place::Buffer(Lifetime::Sequence))
        )
    };
    graph(&plan.graph)?;
    pass(&plan.graph, &plan.forward, &|_| false).map_err(of("forward"))?;
    pass(&plan.graph, &plan.streaming, &|_| false).map_err(of("streaming"))?;
    pass(&plan.graph, &plan.backward, &is_left).map_err(of("backward"))?;
    if let Some(initial) = &plan.initial {
        graph(&initial.graph).map_err(of("initial"))?;
        pass(&initial.graph, &initial.forward, &|_| false).map_err(of("initial, forward"))?;
        pass(&initial.graph, &initial.backward, &|_| false).map_err(of("initial, backward"))?;
    }
    Ok(())
}

/// Checks a schedule whose `available` values, in ascending order, exist from the start.
pub fn schedule(graph: &Graph, schedule: &Schedule, available: &[Id]) -> Result<(), String> {
    groups(graph, schedule, None, &|id| available.binary_search(&id).is_ok())
}

/// Checks that arguments come first, and that their number, levels and shapes agree with the
/// operation.
pub fn graph(graph: &Graph) -> Result<(), String> {
    for id in graph.ids() {
        let node = &graph[id];
        let broken = if node.args.iter().any(|arg| arg.index() >= id.index()) {
            Some("an argument comes after its use")
        } else {
            let args: Vec<&Node> = node.args.iter().map(|arg| &graph[*arg]).collect();
            node_is_broken(node, &args)
        };
        if let Some(broken) = broken {
            return Err(format!("node {} ({:?}): {broken}", id.index(), node.op));
        }
    }
    Ok(())
}

fn node_is_broken(node: &Node, args: &[&Node]) -> Option<&'static str> {
    let primitive = ops::primitive(&node.op);
    let count_fits = match &primitive {
        None => args.is_empty(),
        Some(primitive) => primitive.arity.map_or(args.len() > 1, |arity| args.len() == arity),
    };
    if !count_fits {
        return Some("the number of arguments is not the operation's");
    }
    let highest = args.iter().map(|arg| arg.level).max().unwrap_or(Level::Param);
    let level_fits = match node.op {
        Op::Accumulate => node.level < highest,
        Op::Copy(_) => node.level >= highest,
        Op::Present { .. } => node.level == Level::Time,
        _ => node.op.is_leaf() || node.level == highest,
    };
    if !level_fits {
        return Some("the level is not that of the arguments");
    }
    // A reshape is a view of a row, and a scattered column stays in its place.
    if node.shape.is_row() && !matches!(node.op, Op::Reshape | Op::Scatter { .. }) {
        return Some("a row is not computed as a vector");
    }
    let shapes: Vec<BlockShape> = args.iter().map(|arg| arg.shape).collect();
    let shape_fits = match &primitive {
        None => !matches!(node.op, Op::Number(_) | Op::Size(_)) || node.shape.is_scalar(),
        Some(primitive) => (primitive.fits)(node, &shapes),
    };
    (!shape_fits).then_some("the shape is not the operation's")
}

/// Checks that each value that a group reads is a leaf, a constant, left by the previous pass, or
/// computed by then and still stored. Also checks that all scheduled nodes are computed. Without
/// `places`, storage is not checked.
fn groups(
    graph: &Graph,
    schedule: &Schedule,
    places: Option<&HashMap<Id, Place>>,
    is_left: &dyn Fn(Id) -> bool,
) -> Result<(), String> {
    let fail = |id: Id, what: &str| Err(format!("node {} ({:?}) {what}", id.index(), graph[id].op));
    // The region that computes each node.
    let mut computed: Vec<Option<Region>> = vec![None; graph.len()];
    let mut is_absorbed = vec![false; graph.len()];
    for region in Region::ALL {
        for group in schedule.groups(region) {
            let mut inside: HashSet<Id> = HashSet::new();
            for id in group.nodes() {
                for read in reads(graph, schedule, group, id, &mut is_absorbed) {
                    let read = graph.storage(read);
                    let mut delayed = schedule.delayed.get(&read).into_iter().flatten();
                    if delayed.any(|node| computed[node.index()].is_none()) {
                        return fail(read, "reads a series before it is computed");
                    }
                    if graph[read].op.is_leaf() || graph.is_constant(read) || inside.contains(&read) {
                        continue;
                    }
                    let place = places.and_then(|places| places.get(&read));
                    match (computed[read.index()], place) {
                        (None, _) if is_left(read) && schedule.region[read.index()].is_none() => {}
                        (None, _) => {
                            return fail(
                                read,
                                &format!("is read by node {} before it is computed", id.index()),
                            );
                        }
                        (Some(_), None) if places.is_some() => {
                            return fail(read, "is read outside of its loop and has no place");
                        }
                        (Some(at), Some(Place::Buffer(Lifetime::Step)))
                            if at != region || at != Region::Step =>
                        {
                            return fail(read, "is read after its step and has too short a lifetime");
                        }
                        (Some(_), Some(Place::Ring)) if !matches!(group, Group::Elementwise { .. }) => {
                            return fail(read, "is read from its ring outside of a loop");
                        }
                        (Some(_), Some(Place::Buffer(_))) if region >= Region::ContextEnd => {
                            return fail(read, "is read at the end and varies over time");
                        }
                        _ => {}
                    }
                }
                if matches!(group, Group::Elementwise { .. }) && !graph[id].op.is_sum() {
                    inside.insert(id);
                }
            }
            for id in group.nodes() {
                if graph.runs_at(id) != region.level() {
                    return fail(id, "runs in a region of another level");
                }
                if computed[id.index()].replace(region).is_some() {
                    return fail(id, "is computed twice");
                }
            }
        }
    }
    for id in graph.ids().filter(|id| schedule.region[id.index()].is_some()) {
        let index = id.index();
        if computed[index].is_none() && !is_absorbed[index] && graph[id].op != Op::Reshape {
            return fail(id, "is never computed");
        }
        if computed[index].is_some() && is_absorbed[index] {
            return fail(id, "is computed, and within a sum as well");
        }
    }
    Ok(())
}

/// Returns the values that the code of a node reads: its arguments, or those of the products that
/// it represents.
fn reads(graph: &Graph, schedule: &Schedule, group: &Group, id: Id, is_absorbed: &mut [bool]) -> Vec<Id> {
    match group {
        Group::Products { .. } | Group::PullBack(_) => {
            let sum = group.sums().iter().find(|sum| sum.node == id);
            let terms = sum.map_or(&[][..], |sum| &sum.terms);
            let mut reads = vec![];
            let mut stack = vec![id];
            while let Some(inner) = stack.pop() {
                is_absorbed[inner.index()] |= inner != id;
                if !terms.contains(&inner) && graph[inner].op == Op::Binary(Binary::Add) {
                    stack.extend(&graph[inner].args);
                } else {
                    reads.extend(&graph[inner].args);
                }
            }
            reads
        }
        Group::Single(_) if is_accumulated_product(graph, &schedule.users, id) => {
            let product = graph[id].args[0];
            is_absorbed[product.index()] = true;
            graph[product].args.clone()
        }
        _ => graph[id].args.clone(),
    }
}
