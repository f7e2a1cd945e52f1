//! Element-wise operations. Scalars, columns and rows broadcast along each axis independently: a
//! column `[n]` and a row `[1, s]` make an `[n, s]`.

use super::infer::Infer;
use crate::diagnostics::Extent;
use crate::dim::{Dim, Shape};
use crate::syntax::ast::{BinaryOp, Expr};
use crate::syntax::text;

/// Returns the common shape, if there is one.
pub fn common(left: &Shape, right: &Shape) -> Option<Shape> {
    Some(Shape { rows: axis(&left.rows, &right.rows)?, columns: axis(&left.columns, &right.columns)? })
}

fn axis(left: &Dim, right: &Dim) -> Option<Dim> {
    if left == right || right.is_one() {
        Some(left.clone())
    } else if left.is_one() {
        Some(right.clone())
    } else {
        None
    }
}

impl Infer<'_> {
    pub(super) fn element_wise(
        &mut self,
        op: BinaryOp,
        op_extent: Extent,
        (left, left_shape): (&Expr, Shape),
        (right, right_shape): (&Expr, Shape),
    ) -> Option<Shape> {
        if let Some(shape) = common(&left_shape, &right_shape) {
            return Some(shape);
        }
        let token = text::binary(op);
        let shapes = format!("`{}` and `{}`", self.show(&left_shape), self.show(&right_shape));
        let notes = self.describe_both((left, &left_shape), (right, &right_shape));
        let help = self.combine_help(op, (left, &left_shape), (right, &right_shape));
        let mistake = self.diagnostics.error(op_extent, format!("`{token}` can't combine {shapes}"));
        for note in notes {
            mistake.note(note);
        }
        for help in help {
            mistake.help(help);
        }
        None
    }

    fn combine_help(
        &self,
        op: BinaryOp,
        (left, left_shape): (&Expr, &Shape),
        (right, right_shape): (&Expr, &Shape),
    ) -> Vec<String> {
        let (left_text, right_text) = (text::operand(left), text::operand(right));
        let is_product = op == BinaryOp::Mul;
        if is_product && left_shape.columns == right_shape.rows && !left_shape.columns.is_one() {
            let mut help =
                vec![format!("`*` is element-wise; the matrix product is `{left_text} @ {right_text}`")];
            if right_shape.columns.is_one() && !left_shape.rows.is_one() {
                let row = text::transposed(right);
                help.push(format!(
                    "to scale each column of `{left_text}` by an entry of `{right_text}`, write `{left_text} * {row}`"
                ));
            }
            return help;
        }
        if *left_shape == right_shape.transposed() {
            return vec![format!(
                "one is the transpose of the other: `{left_text} {} {}`",
                text::binary(op),
                text::transposed(right)
            )];
        }
        self.row_help(left_shape, right, right_shape)
            .or_else(|| self.row_help(right_shape, left, left_shape))
            .or_else(|| {
                ordered_help(&left_shape.rows, &right_shape.rows).then(|| {
                    "the terms of a sum are ordered like its blocks: write both in the same order".to_owned()
                })
            })
            .into_iter()
            .collect()
    }

    /// Suggests a row. NumPy broadcasts a vector along the last axis, over the rows, but here a
    /// vector is a column.
    fn row_help(&self, matrix: &Shape, vector: &Expr, vector_shape: &Shape) -> Option<String> {
        let is_row = vector_shape.columns.is_one() && matrix.columns == vector_shape.rows;
        is_row.then(|| {
            let row = text::transposed(vector);
            format!(
                "a vector is a column, repeated in every column; to repeat it in every row, write `{row}`"
            )
        })
    }
}

/// Returns whether two sums have the same terms in a different order.
pub fn ordered_help(left: &Dim, right: &Dim) -> bool {
    let sorted = |dim: &Dim| {
        let mut atoms = dim.atoms().to_vec();
        atoms.sort();
        atoms
    };
    left != right && sorted(left) == sorted(right)
}
