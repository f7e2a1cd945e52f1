//! Values of earlier steps: `window` and `present`. Delays such as `x[t-2]` are leaves.
//!
//! A window consists of a leaf, which holds the earlier values, and a node, which appends the
//! present one. The cotangent of the leaf is that of the whole window: it is added to the
//! cotangents of the earlier steps, apart from its last column, which belongs to the present step.

use super::operation::{Operation, ShapeRule, Translation};
use super::primitive::{Primitive, no_cotangent, nothing};
use crate::dim::Atom;
use crate::graph::ir::{BlockShape, Earlier, Graph, Id, Level, Op, Reach};

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation {
        name: "window",
        arity: (2, 3),
        signature: "window(u, n)` or `window(u, n, spacing)",
        doc: "Returns the last `n` values of a vector as a matrix `[rows, n]`, oldest first, the present one last; zero before the start. `spacing` is the distance of the values in steps.",
        shape: ShapeRule::Window,
        translation: Translation::Past,
    },
    Operation {
        name: "present",
        arity: (1, 2),
        signature: "present(n)` or `present(n, spacing)",
        doc: "Returns the row `[1, n]` that is 1 where `window` has a value and 0 before the start of the sequence: a mask.",
        shape: ShapeRule::Present,
        translation: Translation::Past,
    },
];

/// The earlier values and the present one. The window of a scalar is a row, which is computed as a
/// vector.
pub const WINDOW: Primitive = Primitive {
    arity: Some(2),
    fits: |node, args| match (&node.op, args) {
        (&Op::Window { entries, .. }, [past, now]) => {
            now.columns == Atom::ONE && *past == node.shape && node.shape == window_shape(*now, entries)
        }
        _ => false,
    },
    work: nothing,
    pull_back: |graph, window, bar, _| {
        let now = graph[window].args[1];
        let shape = graph[now].shape;
        let bar = graph.reshape(bar, graph[window].shape);
        let last = graph.intern(Op::LastColumn, vec![bar], shape, Level::Time);
        vec![Some(bar), Some(last)]
    },
};

/// The last column of the cotangent of a window. It has no derivative: it only occurs in backward
/// equations.
pub const LAST_COLUMN: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| {
        let is_column = |x: &BlockShape| node.shape == BlockShape { columns: Atom::ONE, ..*x };
        let is_entry = |x: &BlockShape| node.shape == BlockShape::SCALAR.with_heads(x.heads);
        args.iter().all(|x| is_column(x) || is_entry(x) && x.columns == Atom::ONE)
    },
    work: nothing,
    pull_back: no_cotangent,
};

/// The entries of a window whose step exists. It has no arguments, and no derivative.
pub const PRESENT: Primitive = Primitive {
    arity: Some(0),
    fits: |node, _| match node.op {
        Op::Present { entries, .. } => node.shape == BlockShape::new(entries, Atom::ONE),
        _ => false,
    },
    work: nothing,
    pull_back: no_cotangent,
};

/// Returns the shape of the node of a window: that of the window, or of the vector that shares its
/// memory.
fn window_shape(now: BlockShape, entries: Atom) -> BlockShape {
    let shape = BlockShape { columns: entries, ..now };
    if shape.is_row() { shape.transposed() } else { shape }
}

impl Graph {
    /// Adds the window of the value `now`.
    pub fn window(&mut self, earlier: Earlier, now: Id) -> Id {
        let Reach::Window { entries, spacing } = earlier.reach else { return now };
        let of = self[now].shape;
        // The ring holds a value for each sample, even of a value that is the same at every step.
        let now = if self[now].level == Level::Time { now } else { self.copy(now, 0, of, Level::Time) };
        let shape = window_shape(of, entries);
        let past = self.intern(Op::Past(earlier), vec![], shape, Level::Time);
        let window = self.intern(Op::Window { entries, spacing }, vec![past, now], shape, Level::Time);
        self.reshape(window, BlockShape { columns: entries, ..of })
    }

    /// Adds the mask of the entries of a window whose step exists, a row.
    pub fn present(&mut self, entries: Atom, spacing: Atom) -> Id {
        let shape = BlockShape::new(entries, Atom::ONE);
        let present = self.intern(Op::Present { entries, spacing }, vec![], shape, Level::Time);
        self.reshape(present, shape.transposed())
    }
}
