//! Tests of each simplification, and that none of them changes a value.

mod random;
mod savings;

use crate::dim::Atom;
use crate::graph::ir::{BlockShape, Graph, Id, Level, Op, Piece};

const N: Atom = Atom::Name(0);
const S: Atom = Atom::Name(1);
const ONE: Atom = Atom::ONE;

/// Adds a read of a separate input.
fn leaf(graph: &mut Graph, of: usize, rows: Atom, columns: Atom) -> Id {
    read(graph, of, rows, columns, Level::Time)
}

fn read(graph: &mut Graph, of: usize, rows: Atom, columns: Atom, level: Level) -> Id {
    graph.read(Piece { of, row: 0, column: 0 }, BlockShape::new(rows, columns), level)
}

fn op(graph: &Graph, id: Id) -> &Op {
    &graph[id].op
}
