//! Owners of states and outputs: each owns a separate value, which is stored in the state's series
//! or on the tape.

use super::past::{Recorded, Source};
use super::planned::Bound;
use super::step_graph::{Bars, Owners, StepGraph};
use crate::analysis::past::{Past, PastOf, PastValue};
use crate::analysis::resolve::{Resolved, Target};
use crate::graph::grid::{Grid, positions};
use crate::graph::ir::{Graph, Id, Piece};
use crate::syntax::ast::{Cell, DeclarationKind, declared};

/// Returns the forward equations, in which every state and output owns its values. Returns `None`
/// if one of them has no value.
pub fn assign(
    cell: &Cell,
    resolved: &Resolved,
    past: &Past,
    graph: Graph,
    targets: &[Vec<Grid>],
    outputs: &[Option<Grid>],
    recorded: &[Option<Grid>],
) -> Option<StepGraph> {
    let mut step = StepGraph {
        graph,
        owners: Owners::default(),
        states: vec![],
        outputs: vec![],
        output_shapes: vec![],
        recorded: vec![],
        pushes: vec![],
        carries: vec![],
        bars: Bars::default(),
    };
    let value = |target: Option<Target>| -> Option<&Grid> { targets[target?.equation].get(target?.index) };
    for index in declared(cell, DeclarationKind::State) {
        let grid = value(resolved.state_values[index])?;
        let name = cell.declarations[index].name.to_string();
        for (row, column, id) in grid.pieces() {
            let id = step.own(id, &grid.block_name(&name, row, column));
            step.states.push(Bound { piece: Piece { of: index, row, column }, id });
        }
    }
    for (index, (value, grid)) in past.values.iter().zip(recorded).enumerate() {
        step.record(index, value, grid.as_ref())?;
    }
    for (index, target) in resolved.outputs.iter().enumerate() {
        let target = (*target)?;
        let grid = outputs[index].as_ref()?;
        let name = cell.equations[target.equation].targets[target.index].to_string();
        let mut blocks = vec![];
        for (row, column, id) in grid.pieces() {
            // An output that is a state is stored as the state. An output of which earlier steps
            // are read is stored with these steps.
            let state = step.states.iter().find(|state| {
                resolved.state_values[state.piece.of] == Some(target)
                    && (state.piece.row, state.piece.column) == (row, column)
            });
            let record = step.recorded.iter().find(|record| {
                past.values[record.piece.of].of == PastOf::Target(target)
                    && (record.piece.row, record.piece.column) == (row, column)
            });
            let name = grid.block_name(&name, row, column);
            let stored = state.map(|state| state.id).or_else(|| record.and_then(Recorded::computed));
            let id = match stored {
                Some(id) => {
                    step.graph.suggest_name(id, &name);
                    id
                }
                None => step.own(id, &name),
            };
            blocks.push(Bound { piece: Piece { of: index, row, column }, id });
        }
        step.outputs.push(blocks);
        step.output_shapes.push((grid.rows.clone(), grid.columns.clone()));
    }
    Some(step)
}

impl StepGraph {
    /// Records a value of which earlier steps are read. `grid` is the value, unless it is declared.
    fn record(&mut self, index: usize, value: &PastValue, grid: Option<&Grid>) -> Option<()> {
        for (row, column) in positions(value.blocks()) {
            let source = match value.of {
                PastOf::Declaration(of) => {
                    let piece = Piece { of, row, column };
                    if value.is_one_hot {
                        Source::Index(piece)
                    } else if value.is_state {
                        Source::State(piece)
                    } else {
                        Source::Input(piece)
                    }
                }
                PastOf::Target(_) | PastOf::Expression(_) => {
                    let id = grid?.broadcast_at(row, column)?;
                    let name = grid?.block_name(&value.name, row, column);
                    Source::Value(self.own(id, &name))
                }
            };
            self.recorded.push(Recorded { piece: Piece { of: index, row, column }, source });
        }
        Some(())
    }

    /// Gives a value an owner, and a name unless it has one.
    fn own(&mut self, id: Id, name: &str) -> Id {
        let shape = self.graph[id].shape;
        let id = self.owners.own(&mut self.graph, id, shape);
        self.graph.suggest_name(id, name);
        id
    }
}
