//! Invariants of the graph and of the schedule, checked after planning in debug builds.

use crate::dim::Atom;
use crate::ir::{Graph, Id, Level, Op};
use crate::plan::{Pass, Plan};
use crate::schedule::{Group, Region};

/// What is broken, if anything.
pub fn verify(plan: &Plan) -> Result<(), String> {
    graph(&plan.graph)?;
    for (name, pass) in [("forward", &plan.forward), ("streaming", &plan.streaming), ("backward", &plan.backward)] {
        pass_order(&plan.graph, pass).map_err(|broken| format!("{name}: {broken}"))?;
    }
    if let Some(initial) = &plan.initial {
        graph(&initial.graph)?;
        pass_order(&initial.graph, &initial.forward)?;
        pass_order(&initial.graph, &initial.backward)?;
    }
    Ok(())
}

/// Arguments come first, levels and shapes are what the operation says.
fn graph(graph: &Graph) -> Result<(), String> {
    for id in graph.ids() {
        let node = &graph[id];
        let fail = |what: &str| Err(format!("node {} ({:?}): {what}", id.index(), node.op));
        if node.args.iter().any(|arg| arg.index() >= id.index()) {
            return fail("an argument comes after its use");
        }
        let args: Vec<_> = node.args.iter().map(|arg| &graph[*arg]).collect();
        let highest = args.iter().map(|arg| arg.level).max().unwrap_or(Level::Param);
        let level_fits = match node.op {
            Op::Accumulate => node.level < highest,
            Op::Copy(_) => node.level >= highest,
            _ => node.op.is_leaf() || node.level == highest,
        };
        if !level_fits {
            return fail("the level is not that of the arguments");
        }
        if node.op.is_elementwise() {
            let fits = |get: fn(&crate::ir::Node) -> Atom, want: Atom| {
                args.iter().all(|arg| get(arg) == want || get(arg) == Atom::ONE)
            };
            if !fits(|node| node.shape.rows, node.shape.rows) || !fits(|node| node.shape.columns, node.shape.columns) {
                return fail("an argument does not broadcast to the shape");
            }
            if node.shape.is_row() {
                return fail("a row is not computed as a vector");
            }
        }
        if let (Op::MatMul { ta, tb }, [a, b]) = (&node.op, &args[..]) {
            let turn = |shape: crate::ir::BlockShape, flag: bool| if flag { shape.transposed() } else { shape };
            let (left, right) = (turn(a.shape, *ta), turn(b.shape, *tb));
            if left.columns != right.rows || left.rows != node.shape.rows || right.columns != node.shape.columns {
                return fail("the sizes of the product do not fit");
            }
        }
        if matches!(node.op, Op::Accumulate | Op::StopGradient) && args.iter().any(|arg| arg.shape != node.shape) {
            return fail("the shape is not the argument's");
        }
    }
    Ok(())
}

/// What a group reads is a leaf, available, or computed before.
fn pass_order(graph: &Graph, pass: &Pass) -> Result<(), String> {
    let mut done = vec![false; graph.len()];
    let mut absorbed: Vec<Id> = vec![];
    for region in Region::ALL {
        for group in pass.schedule.groups(region) {
            let nodes = group.nodes();
            for id in &nodes {
                done[id.index()] = true;
            }
            if let Group::ProductSum { terms, .. } = group {
                absorbed.extend(terms);
            }
        }
    }
    let users = &pass.schedule.users;
    for id in graph.ids() {
        let is_scheduled = pass.schedule.region[id.index()].is_some();
        let is_inner = absorbed.contains(&id)
            || users[id.index()].iter().all(|user| {
                crate::schedule::is_accumulated_product(graph, users, *user)
                    || graph[*user].op == Op::Binary(crate::ops::binary::Binary::Add)
            }) && !users[id.index()].is_empty();
        if is_scheduled && !done[id.index()] && !is_inner {
            return Err(format!("node {} ({:?}) is never computed", id.index(), graph[id].op));
        }
    }
    let mut ready = vec![false; graph.len()];
    for region in Region::ALL {
        for group in pass.schedule.groups(region) {
            let nodes = group.nodes();
            for id in &nodes {
                for arg in &graph[*id].args {
                    let arg = graph.storage(*arg);
                    let must_come_first = done[arg.index()] && !nodes.contains(&arg);
                    if must_come_first && !ready[arg.index()] {
                        return Err(format!("node {} reads node {} before it is computed", id.index(), arg.index()));
                    }
                }
            }
            for id in &nodes {
                ready[id.index()] = true;
            }
        }
    }
    Ok(())
}
