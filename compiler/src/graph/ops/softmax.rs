//! `softmax(e)`, and `softmax(e, mask)` over the entries whose mask is not zero.

use super::operation::{Operation, ShapeRule, Translation};
use crate::dim::Atom;
use crate::graph::grid::Grid;
use crate::graph::ir::{Binary, BlockShape, Comparison, Graph, Id, Unary};
use crate::graph::ops::reduce::sum_of;

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[Operation {
    name: "softmax",
    doc: "Computes positive entries with sum 1: `exp(e)` divided by its sum. `e` is a vector `[s]` \
          or a row `[1, s]`, and `mask` has an entry for each of its entries, as a vector or a \
          row. The result is exactly zero where `mask` is zero, and everywhere if all of `mask` is \
          zero. No cotangent passes to the mask.",
    arity: (1, 2),
    signature: "softmax(e)` or `softmax(e, mask)",
    shape: ShapeRule::Softmax,
    translation: Translation::OfWhole(softmax),
}];

pub fn softmax(graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
    match args {
        [scores] => unmasked(graph, scores),
        [scores, mask] => masked(graph, scores, mask),
        _ => None,
    }
}

/// Returns the largest entry, which is subtracted so that no exponential overflows.
fn maximum(graph: &mut Graph, u: &Grid) -> Option<Grid> {
    let parts: Vec<Id> = u
        .pieces()
        .map(|(row, column, id)| {
            let greatest = graph.maximum(id);
            if !u.is_product(row, column) {
                return greatest;
            }
            let of_heads = graph.reshape(greatest, BlockShape::new(graph[greatest].shape.heads, Atom::ONE));
            graph.maximum(of_heads)
        })
        .collect();
    let greatest = parts.into_iter().reduce(|a, b| graph.binary(Binary::Max, a, b))?;
    // The result does not depend on the subtracted value, so stopping its gradient loses nothing.
    let greatest = graph.stop_gradient(greatest);
    Some(Grid::single(graph, greatest))
}

/// Returns `exp(e - max e)`, divided by its sum.
fn unmasked(graph: &mut Graph, scores: &Grid) -> Option<Grid> {
    let greatest = maximum(graph, scores)?;
    let powers = Grid::elementwise(graph, &[scores, &greatest], |g, ids| {
        let shifted = g.sub(ids[0], ids[1]);
        g.unary(Unary::Exp, shifted)
    })?;
    let total = sum_of(graph, &powers)?;
    let total = Grid::single(graph, total);
    Grid::elementwise(graph, &[&powers, &total], |g, ids| g.div(ids[0], ids[1]))
}

/// Computes the softmax over the entries whose mask is not zero. The others are exactly zero, and
/// so are all entries if every one is masked.
fn masked(graph: &mut Graph, scores: &Grid, mask: &Grid) -> Option<Grid> {
    let mask = &if mask.rows == scores.rows { mask.clone() } else { mask.transpose(graph) };
    let (zero, one) = (graph.constant(0.0), graph.constant(1.0));
    let lowest = graph.constant(f64::NEG_INFINITY);
    let open = Grid::elementwise(graph, &[scores, mask], |g, ids| {
        g.select(Comparison::NotEqual, &[ids[1], zero, ids[0], lowest])
    })?;
    let greatest = maximum(graph, &open)?;
    let powers = Grid::elementwise(graph, &[scores, mask, &greatest], |g, ids| {
        // The selection happens before and after the exponential: a masked score may be anything,
        // and its cotangent must not become 0 * inf.
        let shifted = g.sub(ids[0], ids[2]);
        let shifted = g.select(Comparison::NotEqual, &[ids[1], zero, shifted, zero]);
        let power = g.unary(Unary::Exp, shifted);
        g.select(Comparison::NotEqual, &[ids[1], zero, power, zero])
    })?;
    let total = sum_of(graph, &powers)?;
    let total = graph.select(Comparison::Equal, &[total, zero, one, total]);
    let total = Grid::single(graph, total);
    Grid::elementwise(graph, &[&powers, &total], |g, ids| g.div(ids[0], ids[1]))
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ops::tests::{Case, case, check_all, evaluate};
    use crate::testing::matrix::Matrix;

    fn direct(scores: &Matrix, is_open: impl Fn(usize) -> bool) -> Matrix {
        let power = |index: usize| if is_open(index) { scores.entries[index].exp() } else { 0.0 };
        let total: f64 = (0..scores.entries.len()).map(power).sum();
        let entries =
            (0..scores.entries.len()).map(|index| if total == 0.0 { 0.0 } else { power(index) / total });
        Matrix::new(scores.rows, scores.columns, entries.collect())
    }

    pub fn cases() -> Vec<Case> {
        let mut cases = vec![];
        for shape in ["[N]", "[N + M + 1]", "[1, S]", "[1, S + N]", "[4]"] {
            cases.push(case("softmax", "y = softmax(u)", &[shape], (-3.0, 3.0), |args| {
                direct(&args[0], |_| true)
            }));
            for body in ["y = softmax(u, floor(v))", "y = softmax(u, floor(v.T))"] {
                cases.push(case("softmax", body, &[shape, shape], (-0.9, 1.9), |args| {
                    direct(&args[0], |index| args[1].entries[index].floor() != 0.0)
                }));
            }
        }
        cases
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }

    /// Checks that nothing overflows and that masked entries have no effect. A mask of zeros gives
    /// zeros and no cotangents.
    #[test]
    fn extreme_scores() {
        let vector = |entries: &[f64]| Matrix::new(entries.len(), 1, entries.to_vec());
        let run = |body: &str, scores: &[f64], mask: &[f64]| {
            let found = evaluate(body, &["[3]", "[3]"], &[vector(scores), vector(mask)]);
            [vec![found.value], found.bars]
                .concat()
                .into_iter()
                .map(|matrix| matrix.entries)
                .collect::<Vec<_>>()
        };
        let masked = "y = softmax(u, v)";
        let none = vec![0.0; 3];
        assert_eq!(run(masked, &[1e300, -1e300, 3.0], &[0.0; 3]), [none.clone(), none.clone(), none.clone()]);
        assert_eq!(run(masked, &[f64::INFINITY, 2.0, f64::NAN], &[0.0, 1.0, 0.0])[0], [0.0, 1.0, 0.0]);
        assert_eq!(run("y = softmax(u) * v", &[1e300, -1e300, 0.0], &[1.0; 3])[0], [1.0, 0.0, 0.0]);
        let bars = run(masked, &[f64::INFINITY, 2.0, 2.0], &[0.0, 1.0, 1.0]);
        assert_eq!(bars[1][0], 0.0);
        assert!(bars[1].iter().all(|bar| bar.is_finite()), "{bars:?}");
        assert_eq!(bars[2], none);
    }
}
