//! Linear maps between tangents, and their products.

use crate::dim::Dim;
use crate::graph::ir::{BlockShape, Graph, Id, Op, Unary};

/// A linear map from one tangent to another.
#[derive(Debug, Clone, PartialEq)]
pub enum Factor {
    /// The element-wise product with the coefficient, which broadcasts.
    Scale(Id),
    /// `op(M) @ u`
    Left {
        of: Id,
        transposed: bool,
    },
    /// `u @ op(M)`
    Right {
        of: Id,
        transposed: bool,
    },
    Transpose,
    /// A vector as a row, or a row as a vector.
    Reshape(BlockShape),
    /// A broadcast from one shape to another.
    Expand {
        from: BlockShape,
        to: BlockShape,
    },
    Sum,
    RowSum,
    /// The sum over the rows, computed as a vector.
    ColumnSum,
    /// The column of an index that counts from `offset`.
    Gather {
        offset: Dim,
        index: Id,
    },
    /// A value of the given shape, which is the tangent in the rows from `start` on and zero in all
    /// others.
    Place {
        start: u64,
        rows: u64,
        shape: BlockShape,
    },
    /// `count` rows starting at row `start`. One row of a matrix is computed as a vector.
    Slice {
        start: u64,
        count: u64,
    },
}

/// A product of factors. The last factor is applied first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Term {
    pub is_negative: bool,
    pub factors: Vec<Factor>,
    /// The operand of the factors: the tangent of a value, or of the old state itself.
    pub base: Option<Id>,
}

impl Term {
    /// Applies one more map after the others.
    pub fn push(&mut self, graph: &mut Graph, factor: Factor) {
        match (&factor, self.factors.as_slice()) {
            (Factor::Scale(by), _) if graph.number(*by) == Some(1.0) => return,
            (Factor::Scale(by), _) if graph.number(*by) == Some(-1.0) => {
                self.is_negative = !self.is_negative;
                return;
            }
            (Factor::Scale(by), _) if graph[*by].op == Op::Unary(Unary::Neg) => {
                self.is_negative = !self.is_negative;
                let by = graph[*by].args[0];
                return self.push(graph, Factor::Scale(by));
            }
            (Factor::Scale(by), [Factor::Scale(before), ..]) => {
                self.factors[0] = Factor::Scale(graph.mul(*by, *before));
                return;
            }
            // A matrix of this step times a vector is computed by rows and by columns.
            (Factor::RowSum, [Factor::Scale(of), Factor::Expand { .. }, Factor::Reshape(row), ..])
                if graph[*of].shape.is_matrix() && row.is_row() =>
            {
                self.factors.splice(..3, [Factor::Left { of: *of, transposed: false }]);
                return;
            }
            (Factor::ColumnSum, [Factor::Scale(of), Factor::Expand { from, to }, ..])
                if graph[*of].shape.is_matrix() && from.rows == to.rows =>
            {
                self.factors.splice(..2, [Factor::Left { of: *of, transposed: true }]);
                return;
            }
            _ => {}
        }
        self.factors.insert(0, factor);
    }

    /// Adds a term to a sum. Merges it with a term that differs only in the coefficient, if there
    /// is one.
    pub fn add(graph: &mut Graph, sum: &mut Vec<Term>, term: Term) {
        let (own, rest) = term.split();
        let like = sum.iter().position(|other| {
            let (coefficient, others) = other.split();
            others == rest && other.base == term.base && (own.is_some() == coefficient.is_some())
        });
        let Some((place, own)) = like.zip(own) else {
            sum.push(term);
            return;
        };
        let (Some(before), _) = sum[place].split() else { return };
        let both = if sum[place].is_negative == term.is_negative {
            graph.add(before, own)
        } else {
            graph.sub(before, own)
        };
        sum[place].factors[0] = Factor::Scale(both);
    }

    /// Splits off the leading coefficient.
    fn split(&self) -> (Option<Id>, &[Factor]) {
        match self.factors.split_first() {
            Some((Factor::Scale(by), rest)) => (Some(*by), rest),
            _ => (None, &self.factors),
        }
    }
}
