//! Functions of the parts of a vector: `blocks`, `repeat_heads` and `sum_heads`. Their second
//! argument is a dimension. They move and add entries.

use super::operation::{Operation, ShapeRule, Translation};
use super::primitive::{Primitive, each_of_argument, no_cotangent, nothing};
use crate::dim::Atom;
use crate::graph::grid::Grid;
use crate::graph::ir::{BlockShape, Graph, Id, Op};

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation {
        name: "blocks",
        arity: (2, 2),
        signature: "blocks(u, n)",
        doc: "Divides a vector into blocks of `n` entries. Returns the matrix `[rows, n]` whose row `i` is a copy of the block that contains the entry `i`. `row_sum(W * blocks(u, n))`, with `W: [rows, n]`, is the product of a block-diagonal matrix with `u`.",
        shape: ShapeRule::Blocks,
        translation: Translation::OfParts(blocks),
    },
    Operation {
        name: "repeat_heads",
        arity: (2, 2),
        signature: "repeat_heads(u, k)",
        doc: "Repeats each head of a stack, so that there are `k` heads: maps `[G*D]` to `[k*D]`, and `[G]` to `[k]`. Each `k / G` consecutive heads are equal.",
        shape: ShapeRule::Heads,
        translation: Translation::OfParts(repeat_heads),
    },
    Operation {
        name: "sum_heads",
        arity: (2, 2),
        signature: "sum_heads(u, g)",
        doc: "Adds up consecutive heads of a stack, so that there are `g` sums: maps `[K*D]` to `[g*D]`, and `[K]` to `[g]`. Each sum has `K / g` terms.",
        shape: ShapeRule::Heads,
        translation: Translation::OfParts(sum_heads),
    },
];

pub const BLOCKS: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| {
        args.iter()
            .all(|x| x.columns == Atom::ONE && node.shape == BlockShape { columns: node.shape.columns, ..*x })
    },
    work: nothing,
    pull_back: |graph, y, y_bar, _| {
        let of = graph[graph[y].args[0]].shape;
        let level = graph[y_bar].level;
        vec![Some(graph.intern(Op::BlockSum, vec![y_bar], of, level))]
    },
};

/// The cotangent of the vector in `blocks`. It has no derivative: it only occurs in backward
/// equations.
pub const BLOCK_SUM: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| args.iter().all(|x| node.shape == BlockShape { columns: Atom::ONE, ..*x }),
    work: each_of_argument,
    pull_back: no_cotangent,
};

pub const REPEAT_HEADS: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| args.iter().all(|x| node.shape == x.with_heads(node.shape.heads)),
    work: nothing,
    pull_back: |graph, y, y_bar, _| {
        let heads = graph[graph[y].args[0]].shape.heads;
        vec![Some(graph.group_sum(y_bar, heads))]
    },
};

pub const GROUP_SUM: Primitive = Primitive {
    work: each_of_argument,
    pull_back: |graph, y, y_bar, _| {
        let heads = graph[graph[y].args[0]].shape.heads;
        vec![Some(graph.repeat_heads(y_bar, heads))]
    },
    ..REPEAT_HEADS
};

impl Graph {
    /// Repeats each head, so that there are `heads` heads.
    fn repeat_heads(&mut self, id: Id, heads: Atom) -> Id {
        let (shape, level) = (self[id].shape, self[id].level);
        if !shape.has_heads() {
            return self.expand(id, shape.with_heads(heads));
        }
        if shape.heads == heads {
            return id;
        }
        self.intern(Op::RepeatHeads, vec![id], shape.with_heads(heads), level)
    }

    /// Adds up consecutive heads, so that there are `heads` sums.
    fn group_sum(&mut self, id: Id, heads: Atom) -> Id {
        let (shape, level) = (self[id].shape, self[id].level);
        if heads == Atom::ONE {
            return self.head_sum(id);
        }
        if shape.heads == heads {
            return id;
        }
        self.intern(Op::GroupSum, vec![id], shape.with_heads(heads), level)
    }
}

fn blocks(graph: &mut Graph, u: &Grid, size: Atom) -> Option<Grid> {
    let (&[of], &[id]) = (&u.rows[..], &u.blocks[..]) else { return None };
    let (shape, level) = (graph[id].shape, graph[id].level);
    let blocks = if size == Atom::ONE {
        id
    } else {
        graph.intern(Op::Blocks, vec![id], BlockShape { columns: size, ..shape }, level)
    };
    Some(Grid { rows: vec![of], columns: vec![size], blocks: vec![blocks] })
}

fn repeat_heads(graph: &mut Graph, u: &Grid, heads: Atom) -> Option<Grid> {
    restacked(graph, u, heads, Graph::repeat_heads)
}

fn sum_heads(graph: &mut Graph, u: &Grid, heads: Atom) -> Option<Grid> {
    restacked(graph, u, heads, Graph::group_sum)
}

/// Applies a function of heads to the heads of a stack. Returns the stack of `heads` heads.
fn restacked(
    graph: &mut Graph,
    u: &Grid,
    heads: Atom,
    function: fn(&mut Graph, Id, Atom) -> Id,
) -> Option<Grid> {
    let (&[rows], &[id]) = (&u.rows[..], &u.blocks[..]) else { return None };
    let (of, size) = rows.heads_of_stack();
    let rows = Atom::product(heads, size)?;
    let value = graph.reshape(id, BlockShape::new(size, Atom::ONE).with_heads(of));
    let value = function(graph, value, heads);
    let value = graph.reshape(value, BlockShape::new(rows, Atom::ONE));
    Some(Grid { rows: vec![rows], columns: vec![Atom::ONE], blocks: vec![value] })
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ops::tests::{Case, case, check_all};
    use crate::testing::matrix::Matrix;

    pub fn cases() -> Vec<Case> {
        let range = (-2.0, 2.0);
        vec![
            case("blocks", "y = blocks(u, 2)", &["[6]"], range, |args| {
                Matrix::from_fn(6, 2, |r, c| args[0].at(r / 2 * 2 + c, 0))
            }),
            case("blocks", "y = row_sum(v * blocks(u, N))", &["[6]", "[6, N]"], range, |args| {
                Matrix::from_fn(6, 1, |r, _| {
                    (0..3).map(|c| args[1].at(r, c) * args[0].at(r / 3 * 3 + c, 0)).sum()
                })
            }),
            case("blocks", "y = blocks(u, 1)", &["[N]"], range, |args| args[0].clone()),
            case("repeat_heads", "y = repeat_heads(u, 6)", &["[2]"], range, |args| {
                Matrix::from_fn(6, 1, |r, _| args[0].at(r / 3, 0))
            }),
            case("repeat_heads", "y = v * repeat_heads(u, S)", &["[M]", "[S]"], range, |args| {
                Matrix::from_fn(4, 1, |r, _| args[1].at(r, 0) * args[0].at(r / 2, 0))
            }),
            case("sum_heads", "y = sum_heads(u, 2)", &["[S]"], range, |args| {
                Matrix::from_fn(2, 1, |r, _| args[0].at(2 * r, 0) + args[0].at(2 * r + 1, 0))
            }),
            case("sum_heads", "y = sum_heads(u, 1)", &["[N]"], range, |args| {
                Matrix::scalar(args[0].entries.iter().sum())
            }),
        ]
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }
}
