//! Builders of products, sums and rearrangements.

use crate::dim::{Atom, Dim};
use crate::graph::ir::{Binary, BlockShape, Graph, Id, Level, Op, Unary};

impl Graph {
    pub fn transpose(&mut self, id: Id) -> Id {
        let shape = self[id].shape;
        if shape.has_one_entry() {
            return id;
        }
        if shape.rows == Atom::ONE || shape.columns == Atom::ONE {
            return self.reshape(id, shape.transposed());
        }
        if self[id].op == Op::Transpose {
            return self[id].args[0];
        }
        let level = self[id].level;
        self.intern(Op::Transpose, vec![id], shape.transposed(), level)
    }

    /// Returns `op(a) op(b)`.
    pub fn matmul(&mut self, mut ta: bool, mut tb: bool, mut a: Id, mut b: Id) -> Id {
        for (flag, side) in [(&mut ta, &mut a), (&mut tb, &mut b)] {
            if self[*side].op == Op::Transpose {
                *side = self[*side].args[0];
                *flag = !*flag;
            }
        }
        let (left, right) = (self[a].shape.oriented(ta), self[b].shape.oriented(tb));
        let heads = if left.has_heads() { left.heads } else { right.heads };
        let shape = BlockShape::new(left.rows, right.columns).with_heads(heads);

        // A column times a row, or times a scalar, is a broadcasting element-wise product, which
        // can be fused with its neighbours.
        if left.columns == Atom::ONE {
            let (column, row) = (self.reshape(a, left), self.reshape(b, right));
            return self.mul(column, row);
        }
        // A row times a matrix is the transposed matrix times a vector.
        if left.rows == Atom::ONE && right.columns != Atom::ONE {
            let vector = self.reshape(a, left.transposed());
            let product = self.matmul(!tb, false, b, vector);
            return self.reshape(product, shape);
        }
        // A row times a column is a sum of element-wise products. Both the products and the sum can
        // be fused with their neighbours.
        if left.rows == Atom::ONE {
            let (a, b) = (self.reshape(a, left.transposed()), self.reshape(b, right));
            let products = self.mul(a, b);
            return self.sum(products);
        }
        // The product with a matrix of a step becomes element-wise, so that it is fused with the
        // loop that computes the matrix.
        if right.columns == Atom::ONE && self[a].level == Level::Time {
            let row = right.transposed();
            if ta {
                let column = self.reshape(b, right);
                let products = self.mul(a, column);
                let sums = self.column_sum(products);
                return self.reshape(sums, shape);
            }
            let row = self.reshape(b, row);
            let products = self.mul(a, row);
            return self.row_sum(products);
        }
        // A vector needs no transposition, since a row shares its memory.
        let (b, tb) =
            if tb && right.columns == Atom::ONE { (self.reshape(b, right), false) } else { (b, tb) };
        let level = self.level_of(&[a, b]);
        self.intern(Op::MatMul { ta, tb }, vec![a, b], shape, level)
    }

    pub fn gather(&mut self, offset: Dim, e: Id, w: Id) -> Id {
        let shape = BlockShape { columns: Atom::ONE, ..self[e].shape };
        let level = self.level_of(&[e, w]);
        self.intern(Op::Gather { offset }, vec![e, w], shape, level)
    }

    /// Returns the cotangent of the matrix of shape `shape` in a `gather`.
    pub fn scatter(&mut self, offset: Dim, y_bar: Id, w: Id, shape: BlockShape) -> Id {
        let level = self.level_of(&[y_bar, w]);
        self.intern(Op::Scatter { offset }, vec![y_bar, w], shape, level)
    }

    pub fn sum(&mut self, id: Id) -> Id {
        let id = self.flipped(id);
        let shape = self[id].shape;
        if shape.has_one_entry() {
            return id;
        }
        let level = self[id].level;
        self.intern(Op::Sum, vec![id], BlockShape::SCALAR.with_heads(shape.heads), level)
    }

    /// Returns `(matrix, v)` for a product `matrix * v` in which the matrix is the same for many
    /// steps and `v` broadcasts to it. A sum over such a product is a matrix product.
    fn scaled_matrix(&self, id: Id) -> Option<(Id, Id)> {
        let node = &self[id];
        let (Op::Binary(Binary::Mul), [a, b]) = (&node.op, node.args.as_slice()) else { return None };
        // One of the factors may be the same for all heads.
        let is_full = |id: Id| self[id].shape.of_one_head() == node.shape.of_one_head();
        let (matrix, other) = match (is_full(*a), is_full(*b)) {
            (true, false) => (*a, *b),
            (false, true) => (*b, *a),
            _ => return None,
        };
        (self[matrix].level < Level::Time).then_some((matrix, other))
    }

    pub fn row_sum(&mut self, id: Id) -> Id {
        let shape = self[id].shape;
        if shape.columns == Atom::ONE {
            return id;
        }
        if shape.rows == Atom::ONE {
            return self.sum(id);
        }
        if let Some((matrix, row)) = self.scaled_matrix(id)
            && self[row].shape.is_row()
        {
            let vector = self.flipped(row);
            return self.matmul(false, false, matrix, vector);
        }
        let level = self[id].level;
        self.intern(Op::RowSum, vec![id], BlockShape { columns: Atom::ONE, ..shape }, level)
    }

    /// Sums over the rows: `[n, s]` to `[1, s]`.
    pub fn column_sum(&mut self, id: Id) -> Id {
        let shape = self[id].shape;
        if shape.rows == Atom::ONE {
            return id;
        }
        if shape.columns == Atom::ONE {
            return self.sum(id);
        }
        let vector = BlockShape { columns: Atom::ONE, ..shape.transposed() };
        if let Some((matrix, column)) = self.scaled_matrix(id)
            && self[column].shape.columns == Atom::ONE
            && self[column].shape.rows != Atom::ONE
        {
            let sums = self.matmul(true, false, matrix, column);
            return self.reshape(sums, vector.transposed());
        }
        let level = self[id].level;
        let sums = self.intern(Op::ColumnSum, vec![id], vector, level);
        self.reshape(sums, vector.transposed())
    }

    pub fn maximum(&mut self, id: Id) -> Id {
        let id = self.flipped(id);
        let shape = self[id].shape;
        if shape.has_one_entry() {
            return id;
        }
        let level = self[id].level;
        self.intern(Op::Maximum, vec![id], BlockShape::SCALAR.with_heads(shape.heads), level)
    }

    /// Stacks arguments with literal row counts vertically.
    pub fn concat(&mut self, args: Vec<Id>) -> Id {
        if let [only] = args[..] {
            return only;
        }
        let rows = args
            .iter()
            .map(|arg| match self[*arg].shape.rows {
                Atom::Literal(rows) => rows,
                Atom::Name(_) | Atom::Product(..) => 0,
            })
            .sum();
        // All parts have as many heads as the stack.
        let heads = args.iter().map(|arg| self[*arg].shape.heads).find(|heads| *heads != Atom::ONE);
        let heads = heads.unwrap_or(Atom::ONE);
        let args: Vec<Id> = args
            .into_iter()
            .map(|arg| {
                let shape = self[arg].shape.with_heads(heads);
                self.expand(arg, shape)
            })
            .collect();
        let shape = BlockShape { rows: Atom::Literal(rows), ..self[args[0]].shape };
        let level = self.level_of(&args);
        self.intern(Op::Concat, args, shape, level)
    }

    pub fn slice(&mut self, id: Id, start: u64, count: u64) -> Id {
        let shape = self[id].shape;
        if shape.rows == Atom::Literal(count) {
            return id;
        }
        let level = self[id].level;
        let shape = BlockShape { rows: Atom::Literal(count), ..shape };
        self.leaf_of(Op::Slice { start, count }, vec![id], shape, level)
    }

    /// Sums over the heads. A product of two factors with heads adds up while it is computed.
    pub fn head_sum(&mut self, id: Id) -> Id {
        let node = &self[id];
        let (shape, level) = (node.shape, node.level);
        if !shape.has_heads() {
            return id;
        }
        let sum = shape.of_one_head();
        match (&node.op, node.args.as_slice()) {
            (&Op::MatMul { ta, tb }, &[a, b]) => {
                match (self[a].shape.has_heads(), self[b].shape.has_heads()) {
                    (true, true) => self.intern(Op::MatMul { ta, tb }, vec![a, b], sum, level),
                    (true, false) => {
                        let a = self.head_sum(a);
                        self.matmul(ta, tb, a, b)
                    }
                    _ => {
                        let b = self.head_sum(b);
                        self.matmul(ta, tb, a, b)
                    }
                }
            }
            (Op::Accumulate, &[product]) if matches!(self[product].op, Op::MatMul { .. }) => {
                let product = self.head_sum(product);
                self.accumulate(product, level)
            }
            (Op::Unary(Unary::Neg), &[x]) => {
                let sum = self.head_sum(x);
                self.neg(sum)
            }
            _ if shape.has_one_entry() => {
                let vector = self.reshape(id, BlockShape::new(shape.heads, Atom::ONE));
                self.sum(vector)
            }
            _ if shape.is_row() => {
                let vector = self.flipped(id);
                let vector = self.head_sum(vector);
                self.reshape(vector, sum)
            }
            _ => self.intern(Op::HeadSum, vec![id], sum, level),
        }
    }

    /// Sums a value over steps and samples, reducing it to `level`.
    pub fn accumulate(&mut self, id: Id, level: Level) -> Id {
        if self[id].level <= level {
            return id;
        }
        let shape = self[id].shape;
        if shape.is_row() {
            let vector = self.flipped(id);
            let sum = self.accumulate(vector, level);
            return self.reshape(sum, shape);
        }
        // The heads add up once, after the steps, or within a product of all steps.
        if self[id].op == Op::HeadSum {
            let of_heads = self.accumulate(self[id].args[0], level);
            return self.head_sum(of_heads);
        }
        // A sum of outer products is one matrix product over all steps and samples.
        let node = &self[id];
        if let (Op::Binary(Binary::Mul), [a, b]) = (&node.op, node.args.as_slice()) {
            let (a, b) = if self[*a].shape.is_row() { (*b, *a) } else { (*a, *b) };
            let (left, right) = (self[a].shape, self[b].shape);
            if shape.rows != Atom::ONE
                && shape.columns != Atom::ONE
                && (left.rows, left.columns) == (shape.rows, Atom::ONE)
                && (right.rows, right.columns) == (Atom::ONE, shape.columns)
            {
                let vector = self.flipped(b);
                let from = self[id].level;
                let product = self.intern(Op::MatMul { ta: false, tb: true }, vec![a, vector], shape, from);
                return self.intern(Op::Accumulate, vec![product], shape, level);
            }
        }
        self.intern(Op::Accumulate, vec![id], shape, level)
    }
}
