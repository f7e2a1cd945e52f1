//! The builders of the graph. Each builder simplifies locally: it folds constants, drops neutral
//! elements, moves transpositions into products and computes rows as vectors. [`rebuild`] applies
//! the builders once more and drops unused nodes.
//!
//! This file has the element-wise builders; `linear` has products, sums and rearrangements.

mod linear;
#[cfg(test)]
mod tests;

use crate::dim::{Atom, Dim};
use crate::graph::ir::{Binary, BlockShape, Condition, Graph, Id, Level, Op, Piece, Unary};

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

    /// Adds a leaf. A row is read as the vector that shares its memory.
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

    /// Returns the common shape of the arguments of an element-wise operation.
    pub fn broadcast(&self, args: &[Id]) -> BlockShape {
        let pick = |get: fn(BlockShape) -> Atom| {
            args.iter().map(|arg| get(self[*arg].shape)).find(|atom| *atom != Atom::ONE).unwrap_or(Atom::ONE)
        };
        BlockShape::new(pick(|shape| shape.rows), pick(|shape| shape.columns))
            .with_heads(pick(|shape| shape.heads))
    }

    /// Adds an element-wise node. If all arguments are rows or scalars, it is computed on vectors.
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
        // Arguments broadcast implicitly. An explicit `Expand` is needed only if no other argument
        // has the shape.
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

    /// Returns a row as a vector, and anything else unchanged.
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
        if let Some(value) = self.number(x) {
            return self.constant((op.row().value)(value));
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

    pub fn add(&mut self, a: Id, b: Id) -> Id {
        match (self.number(a), self.number(b)) {
            (Some(x), Some(y)) => return self.constant(x + y),
            (Some(0.0), None) => return b,
            (None, Some(0.0)) => return a,
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
            (None, Some(0.0)) => return a,
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
            return self.constant((op.row().value)(x, y));
        }
        self.elementwise(Op::Binary(op), &[a, b])
    }

    /// Returns `u` where the condition on `a, b, ..` holds and `v` elsewhere, for the arguments
    /// `[a, b, .., u, v]`.
    pub fn select(&mut self, condition: impl Into<Condition>, args: &[Id]) -> Id {
        self.elementwise(Op::Select(condition.into()), args)
    }

    pub fn stop_gradient(&mut self, u: Id) -> Id {
        if self.is_constant(u) { u } else { self.elementwise(Op::StopGradient, &[u]) }
    }

    /// Returns a copy of the value at the given level, in the given shape.
    pub fn copy(&mut self, id: Id, number: u32, shape: BlockShape, level: Level) -> Id {
        let (id, shape) = if shape.is_row() { (self.flipped(id), shape.transposed()) } else { (id, shape) };
        self.intern(Op::Copy(number), vec![id], shape, level)
    }

    pub fn expand(&mut self, id: Id, shape: BlockShape) -> Id {
        if self[id].shape == shape { id } else { self.elementwise_as(Op::Expand, &[id], shape) }
    }
}

/// Rebuilds the dependencies of `roots`, without `stop_gradient`, which has no effect once
/// cotangents exist. Replaces `roots` by their new ids.
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
            (Op::MatMul { ta, tb }, [a, b]) => {
                let product = next.matmul(*ta, *tb, *a, *b);
                if node.shape.has_heads() { product } else { next.head_sum(product) }
            }
            (Op::HeadSum, [x]) => next.head_sum(*x),
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
    move_roots(roots, &moved);
    prune(&next, roots)
}

/// Returns the dependencies of `roots` alone: simplification leaves unused nodes behind.
fn prune(graph: &Graph, roots: &mut [&mut Id]) -> Graph {
    let needed = graph.reachable(roots.iter().map(|root| **root));
    let mut next = Graph::default();
    let mut moved: Vec<Option<Id>> = vec![None; graph.len()];
    for id in graph.ids().filter(|id| needed[id.index()]) {
        let node = &graph[id];
        let args = node.args.iter().filter_map(|arg| moved[arg.index()]).collect();
        let new = next.intern(node.op.clone(), args, node.shape, node.level);
        if let Some(name) = &node.name {
            next.suggest_name(new, name);
        }
        moved[id.index()] = Some(new);
    }
    move_roots(roots, &moved);
    next
}

fn move_roots(roots: &mut [&mut Id], moved: &[Option<Id>]) {
    for root in roots {
        if let Some(new) = moved[root.index()] {
            **root = new;
        }
    }
}
