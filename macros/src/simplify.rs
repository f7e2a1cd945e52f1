//! The builders of the graph. Each saves the arithmetic that can be saved where it stands: constants are
//! folded, neutral elements dropped, transpositions moved into products, rows computed as the vectors
//! that they are. [`rebuild`] applies them once more and drops what nothing needs.

use crate::dim::{Atom, Dim};
use crate::ir::{BlockShape, Graph, Id, Level, Op, Piece};
use crate::ops::binary::Binary;
use crate::ops::unary::Unary;
use crate::syntax::ast::Comparison;

impl Graph {
    pub fn constant(&mut self, value: f64) -> Id {
        self.intern(Op::Number(value.to_bits()), vec![], BlockShape::SCALAR, Level::Param)
    }

    pub fn size(&mut self, dim: Dim) -> Id {
        match dim.atoms() {
            [Atom::Literal(value)] => self.constant(*value as f64),
            _ => self.intern(Op::Size(dim), vec![], BlockShape::SCALAR, Level::Param),
        }
    }

    /// A leaf. A row is read as the vector that lies in the same memory.
    pub fn leaf(&mut self, op: Op, shape: BlockShape, level: Level) -> Id {
        self.leaf_of(op, vec![], shape, level)
    }

    fn leaf_of(&mut self, op: Op, args: Vec<Id>, shape: BlockShape, level: Level) -> Id {
        if shape.is_row() {
            let vector = self.intern(op, args, shape.transposed(), level);
            return self.reshape(vector, shape);
        }
        self.intern(op, args, shape, level)
    }

    pub fn read(&mut self, piece: Piece, shape: BlockShape, level: Level) -> Id {
        self.leaf(Op::Read(piece), shape, level)
    }

    fn level_of(&self, args: &[Id]) -> Level {
        args.iter().map(|arg| self[*arg].level).max().unwrap_or(Level::Param)
    }

    /// The common shape of the arguments of an element-wise operation.
    pub fn broadcast(&self, args: &[Id]) -> BlockShape {
        let pick = |get: fn(BlockShape) -> Atom| {
            args.iter().map(|arg| get(self[*arg].shape)).find(|atom| *atom != Atom::ONE).unwrap_or(Atom::ONE)
        };
        BlockShape::new(pick(|shape| shape.rows), pick(|shape| shape.columns))
    }

    /// An element-wise node. On rows and scalars alone it is computed on the vectors behind the rows.
    fn elementwise(&mut self, op: Op, args: &[Id]) -> Id {
        let shape = self.broadcast(args);
        self.elementwise_as(op, args, shape)
    }

    fn elementwise_as(&mut self, op: Op, args: &[Id], shape: BlockShape) -> Id {
        if shape.is_row() {
            let vectors: Vec<Id> = args.iter().map(|arg| self.flipped(*arg)).collect();
            let vector = self.elementwise_as(op, &vectors, shape.transposed());
            return self.reshape(vector, shape);
        }
        let mut args = args.to_vec();
        // Arguments broadcast anyway; a broadcast written out is needed only where nothing else has the shape.
        for index in 0..args.len() {
            if self[args[index]].op == Op::Expand {
                let inner = self[args[index]].args[0];
                let expanded = std::mem::replace(&mut args[index], inner);
                if self.broadcast(&args) != shape {
                    args[index] = expanded;
                }
            }
        }
        let level = self.level_of(&args);
        self.intern(op, args, shape, level)
    }

    /// A row as a vector; a scalar as it is.
    fn flipped(&mut self, id: Id) -> Id {
        let shape = self[id].shape;
        if shape.is_row() { self.reshape(id, shape.transposed()) } else { id }
    }

    pub fn reshape(&mut self, id: Id, shape: BlockShape) -> Id {
        let id = self.storage(id);
        if self[id].shape == shape {
            return id;
        }
        let level = self[id].level;
        self.intern(Op::Reshape, vec![id], shape, level)
    }

    pub fn unary(&mut self, op: Unary, x: Id) -> Id {
        if let Some(value) = self.number(x).and_then(|value| op.fold(value)) {
            return self.constant(value);
        }
        self.elementwise(Op::Unary(op), &[x])
    }

    pub fn neg(&mut self, x: Id) -> Id {
        match self[x].op {
            Op::Unary(Unary::Neg) => self[x].args[0],
            Op::Binary(Binary::Sub) => {
                let (a, b) = (self[x].args[0], self[x].args[1]);
                if self[a].shape == self[x].shape && self[b].shape == self[x].shape {
                    self.sub(b, a)
                } else {
                    self.unary(Unary::Neg, x)
                }
            }
            _ => self.unary(Unary::Neg, x),
        }
    }

    /// Whether `id` already has the shape that it would get by broadcasting against `other`.
    fn covers(&self, id: Id, other: Id) -> bool {
        self.broadcast(&[id, other]) == self[id].shape && self[id].level >= self[other].level
    }

    pub fn add(&mut self, a: Id, b: Id) -> Id {
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) => return self.constant(x + y),
            (Some(0.0), None) if self.covers(b, a) => return b,
            (None, Some(0.0)) if self.covers(a, b) => return a,
            _ => {}
        }
        match (&self[a].op, &self[b].op) {
            (_, Op::Unary(Unary::Neg)) => {
                let b = self[b].args[0];
                self.sub(a, b)
            }
            (Op::Unary(Unary::Neg), _) => {
                let a = self[a].args[0];
                self.sub(b, a)
            }
            _ => self.elementwise(Op::Binary(Binary::Add), &[a, b]),
        }
    }

    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) => return self.constant(x - y),
            (Some(0.0), None) => return self.neg(b),
            (None, Some(0.0)) if self.covers(a, b) => return a,
            _ => {}
        }
        if self[b].op == Op::Unary(Unary::Neg) {
            let b = self[b].args[0];
            return self.add(a, b);
        }
        self.elementwise(Op::Binary(Binary::Sub), &[a, b])
    }

    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) => return self.constant(x * y),
            (Some(1.0), None) => return b,
            (None, Some(1.0)) => return a,
            (Some(-1.0), None) => return self.neg(b),
            (None, Some(-1.0)) => return self.neg(a),
            _ => {}
        }
        self.elementwise(Op::Binary(Binary::Mul), &[a, b])
    }

    pub fn div(&mut self, a: Id, b: Id) -> Id {
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) => return self.constant(x / y),
            (None, Some(1.0)) => return a,
            _ => {}
        }
        self.elementwise(Op::Binary(Binary::Div), &[a, b])
    }

    pub fn binary(&mut self, op: Binary, a: Id, b: Id) -> Id {
        match op {
            Binary::Add => return self.add(a, b),
            Binary::Sub => return self.sub(a, b),
            Binary::Mul => return self.mul(a, b),
            Binary::Div => return self.div(a, b),
            Binary::Pow => {
                let whole = self[a].shape;
                match self.number(b) {
                    Some(0.0) if whole.is_scalar() => return self.constant(1.0),
                    Some(1.0) => return a,
                    Some(2.0) => return self.mul(a, a),
                    Some(3.0) => {
                        let square = self.mul(a, a);
                        return self.mul(square, a);
                    }
                    Some(0.5) => return self.unary(Unary::Sqrt, a),
                    Some(-1.0) => return self.unary(Unary::Recip, a),
                    _ => {}
                }
            }
            Binary::Min | Binary::Max => {}
        }
        if let (Some(x), Some(y)) = (self.number(a), self.number(b)) {
            return self.constant(op.fold(x, y));
        }
        self.elementwise(Op::Binary(op), &[a, b])
    }

    /// `[a, b, u, v]`: `u` where the comparison of `a` and `b` holds, `v` elsewhere.
    pub fn select(&mut self, comparison: Comparison, args: [Id; 4]) -> Id {
        self.elementwise(Op::Select(comparison), &args)
    }

    /// `u` between `low` and `high`; its derivative is 1 at the bounds.
    pub fn clamp(&mut self, u: Id, low: Id, high: Id) -> Id {
        let below_high = self.select(Comparison::Greater, [u, high, high, u]);
        self.select(Comparison::Less, [u, low, low, below_high])
    }

    pub fn stop_gradient(&mut self, u: Id) -> Id {
        if self.is_constant(u) { u } else { self.elementwise(Op::StopGradient, &[u]) }
    }

    /// A value of its own at the given level and of the given shape.
    pub fn copy(&mut self, id: Id, number: u32, shape: BlockShape, level: Level) -> Id {
        let (id, shape) = if shape.is_row() { (self.flipped(id), shape.transposed()) } else { (id, shape) };
        self.intern(Op::Copy(number), vec![id], shape, level)
    }

    pub fn expand(&mut self, id: Id, shape: BlockShape) -> Id {
        if self[id].shape == shape { id } else { self.elementwise_as(Op::Expand, &[id], shape) }
    }

    pub fn transpose(&mut self, id: Id) -> Id {
        let shape = self[id].shape;
        if shape.is_scalar() {
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

    /// `op(a) op(b)`.
    pub fn matmul(&mut self, mut ta: bool, mut tb: bool, mut a: Id, mut b: Id) -> Id {
        for (flag, side) in [(&mut ta, &mut a), (&mut tb, &mut b)] {
            if self[*side].op == Op::Transpose {
                *side = self[*side].args[0];
                *flag = !*flag;
            }
        }
        let turned = |shape: BlockShape, flag: bool| if flag { shape.transposed() } else { shape };
        let (left, right) = (turned(self[a].shape, ta), turned(self[b].shape, tb));
        let shape = BlockShape::new(left.rows, right.columns);

        // With an inner dimension of one or none of the outer ones the product is element-wise.
        if left.is_scalar() || right.is_scalar() {
            let a = if ta { self.transpose(a) } else { a };
            let b = if tb { self.transpose(b) } else { b };
            return self.mul(a, b);
        }
        // A column times a row is an element-wise product of two that broadcast: it fuses with its neighbours.
        if left.columns == Atom::ONE {
            let (column, row) = (self.reshape(a, left), self.reshape(b, right));
            return self.mul(column, row);
        }
        // A row times a matrix is the transposed matrix times a vector.
        if left.rows == Atom::ONE && right.columns != Atom::ONE {
            let vector = self.reshape(a, BlockShape::new(left.columns, Atom::ONE));
            let product = self.matmul(!tb, false, b, vector);
            return self.reshape(product, shape);
        }
        // A vector needs no transposition: its memory is the row's.
        let (a, ta) = if ta && left.rows == Atom::ONE {
            (self.reshape(a, left), false)
        } else {
            (a, ta)
        };
        let (b, tb) = if tb && right.columns == Atom::ONE {
            (self.reshape(b, right), false)
        } else {
            (b, tb)
        };
        let level = self.level_of(&[a, b]);
        self.intern(Op::MatMul { ta, tb }, vec![a, b], shape, level)
    }

    pub fn gather(&mut self, offset: Dim, e: Id, w: Id) -> Id {
        let shape = BlockShape::new(self[e].shape.rows, Atom::ONE);
        let level = self.level_of(&[e, w]);
        self.intern(Op::Gather { offset }, vec![e, w], shape, level)
    }

    /// The cotangent of a `gather` to a matrix of the shape `shape`.
    pub fn scatter(&mut self, offset: Dim, y_bar: Id, w: Id, shape: BlockShape) -> Id {
        let level = self.level_of(&[y_bar, w]);
        self.intern(Op::Scatter { offset }, vec![y_bar, w], shape, level)
    }

    pub fn sum(&mut self, id: Id) -> Id {
        let id = self.storage(id);
        if self[id].shape.is_scalar() {
            return id;
        }
        let level = self[id].level;
        // A sum of products of two vectors is their inner product.
        if let (Op::Binary(Binary::Mul), [a, b]) = (&self[id].op, self[id].args.as_slice()) {
            let (a, b, shape) = (*a, *b, self[id].shape);
            if shape.columns == Atom::ONE && self[a].shape == shape && self[b].shape == shape {
                let args = vec![a, b];
                return self.intern(Op::MatMul { ta: true, tb: false }, args, BlockShape::SCALAR, level);
            }
        }
        self.intern(Op::Sum, vec![id], BlockShape::SCALAR, level)
    }

    /// The two arguments of a product of a full matrix with something that broadcasts to it, the matrix first.
    fn scaled_matrix(&self, id: Id) -> Option<(Id, Id)> {
        let node = &self[id];
        let (Op::Binary(Binary::Mul), [a, b]) = (&node.op, node.args.as_slice()) else { return None };
        match (self[*a].shape == node.shape, self[*b].shape == node.shape) {
            (true, false) => Some((*a, *b)),
            (false, true) => Some((*b, *a)),
            _ => None,
        }
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
        self.intern(Op::RowSum, vec![id], BlockShape::new(shape.rows, Atom::ONE), level)
    }

    /// `[n, s]` to `[1, s]`.
    pub fn column_sum(&mut self, id: Id) -> Id {
        let shape = self[id].shape;
        if shape.rows == Atom::ONE {
            return id;
        }
        if shape.columns == Atom::ONE {
            return self.sum(id);
        }
        let vector = BlockShape::new(shape.columns, Atom::ONE);
        if let Some((matrix, column)) = self.scaled_matrix(id)
            && self[column].shape.columns == Atom::ONE
            && !self[column].shape.is_scalar()
        {
            let sums = self.matmul(true, false, matrix, column);
            return self.reshape(sums, vector.transposed());
        }
        let level = self[id].level;
        let sums = self.intern(Op::ColumnSum, vec![id], vector, level);
        self.reshape(sums, vector.transposed())
    }

    pub fn maximum(&mut self, id: Id) -> Id {
        let id = self.storage(id);
        if self[id].shape.is_scalar() {
            return id;
        }
        let level = self[id].level;
        self.intern(Op::Maximum, vec![id], BlockShape::SCALAR, level)
    }

    /// Arguments with literal row counts below each other.
    pub fn concat(&mut self, args: Vec<Id>) -> Id {
        if let [only] = args[..] {
            return only;
        }
        let rows = args
            .iter()
            .map(|arg| match self[*arg].shape.rows {
                Atom::Literal(rows) => rows,
                Atom::Name(_) => 0,
            })
            .sum();
        let columns = self[args[0]].shape.columns;
        let level = self.level_of(&args);
        self.intern(Op::Concat, args, BlockShape::new(Atom::Literal(rows), columns), level)
    }

    pub fn slice(&mut self, id: Id, start: u64, count: u64) -> Id {
        let shape = self[id].shape;
        if shape.rows == Atom::Literal(count) {
            return id;
        }
        let level = self[id].level;
        let shape = BlockShape::new(Atom::Literal(count), shape.columns);
        self.leaf_of(Op::Slice { start, count }, vec![id], shape, level)
    }

    /// The sum of a value over steps and samples, down to `level`.
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
        // A sum of outer products is a product over all steps and samples.
        let node = &self[id];
        if let (Op::Binary(Binary::Mul), [a, b]) = (&node.op, node.args.as_slice()) {
            let (a, b) = if self[*a].shape.is_row() { (*b, *a) } else { (*a, *b) };
            let (left, right) = (self[a].shape, self[b].shape);
            if left == BlockShape::new(shape.rows, Atom::ONE) && right == BlockShape::new(Atom::ONE, shape.columns)
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

/// Builds what `roots` need anew, without `stop_gradient` (its work is done once cotangents exist).
/// `roots` are replaced by their new ids.
pub fn rebuild(graph: &Graph, roots: &mut [&mut Id]) -> Graph {
    let needed = graph.reachable(roots.iter().map(|root| **root));
    let mut next = Graph::default();
    let mut moved: Vec<Option<Id>> = vec![None; graph.len()];
    for id in graph.ids().filter(|id| needed[id.index()]) {
        let node = &graph[id];
        let args: Vec<Id> = node.args.iter().filter_map(|arg| moved[arg.index()]).collect();
        let new = match (&node.op, args.as_slice()) {
            (Op::StopGradient, [x]) => *x,
            (Op::Unary(Unary::Neg), [x]) => next.neg(*x),
            (Op::Unary(op), [x]) => next.unary(*op, *x),
            (Op::Binary(op), [a, b]) => next.binary(*op, *a, *b),
            (Op::MatMul { ta, tb }, [a, b]) => next.matmul(*ta, *tb, *a, *b),
            (Op::Transpose, [x]) => next.transpose(*x),
            (Op::Reshape, [x]) => next.reshape(*x, node.shape),
            (Op::Expand, [x]) => next.expand(*x, node.shape),
            (Op::Accumulate, [x]) => next.accumulate(*x, node.level),
            _ => next.intern(node.op.clone(), args, node.shape, node.level),
        };
        if let Some(name) = &node.name {
            next.suggest_name(new, name);
        }
        moved[id.index()] = Some(new);
    }
    for root in roots {
        if let Some(new) = moved[root.index()] {
            **root = new;
        }
    }
    next
}
