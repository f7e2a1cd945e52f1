//! The initial values of the states that define one.

use super::places::assign;
use super::planned::{Bound, InitialPlan};
use super::step_graph::{Bars, is_differentiable};
use crate::analysis::past::Past;
use crate::analysis::shapes::Shapes;
use crate::graph::autodiff;
use crate::graph::grid::Grid;
use crate::graph::ir::{Graph, Id, Level, Op, Piece};
use crate::graph::simplify::rebuild;
use crate::lower::names::ValueNames;
use crate::plan::schedule::{Task, schedule};
use crate::syntax::ast::Cell;

/// Plans the initial values and their pull-back.
pub fn plan(
    cell: &Cell,
    shapes: &Shapes,
    past: &Past,
    mut graph: Graph,
    initial: Vec<(usize, Grid)>,
) -> InitialPlan {
    let mut values = vec![];
    for (index, grid) in initial {
        for (row, column, id) in grid.pieces() {
            let shape = graph[id].shape;
            let number = values.len() as u32;
            let id = graph.copy(id, number, shape, Level::Context);
            values.push(Bound { piece: Piece { of: index, row, column }, id });
        }
    }
    let mut seeds = vec![];
    for bound in &values {
        let shape = graph[bound.id].shape;
        let bar = graph.leaf(Op::CarryBar(bound.piece), shape, Level::Context);
        seeds.push((bound.id, bar));
    }
    let leaves = autodiff::pull_back(&mut graph, &seeds, |op| is_differentiable(cell, shapes, op));
    let mut bars = Bars::sort(cell, &graph, leaves);
    {
        let mut roots: Vec<&mut Id> = values.iter_mut().map(|bound| &mut bound.id).collect();
        roots.extend(bars.gradients.iter_mut().map(|bound| &mut bound.id));
        roots.extend(bars.contexts.iter_mut().map(|bound| &mut bound.id));
        graph = rebuild(&graph, &mut roots);
    }
    for bound in &mut values {
        bound.id = graph.storage(bound.id);
    }
    let value_ids: Vec<Id> = values.iter().map(|bound| bound.id).collect();
    let bar_ids: Vec<Id> = bars.gradients.iter().chain(&bars.contexts).map(|bound| bound.id).collect();
    let forward = schedule(&graph, &Task { roots: value_ids.clone(), ..Task::default() });
    // The pass is small and runs once per sequence, so it recomputes everything.
    let backward = schedule(&graph, &Task { roots: bar_ids.clone(), ..Task::default() });
    InitialPlan {
        forward: assign(&graph, forward, &value_ids, |_| None),
        backward: assign(&graph, backward, &bar_ids, |_| None),
        names: ValueNames::new(cell, shapes, past, &graph),
        graph,
        values,
        gradients: bars.gradients,
        context_bars: bars.contexts,
    }
}
