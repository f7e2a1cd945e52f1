//! The graph: typed values in administrative normal form, forward and backward equations alike.
//!
//! Every value is one block: each of its two dimensions is a name or a literal, never a sum (lowering
//! splits sums into blocks, so that `W @ [h, x]` is `W_0 @ h + W_1 @ x` and stacking costs nothing).
//! Nodes stand in an order in which arguments come before their uses, and equal nodes are one node:
//! common subexpressions vanish as the graph is built, and so does arithmetic on constants.
//!
//! A value has a *level*: it may depend on parameters alone, on the context (one value a sample), or on
//! time (one value a step and sample). [`Op::Accumulate`] leads from a level down to a lower one.

use crate::dim::{Atom, Dim};
use std::collections::HashMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

impl Id {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a value depends on, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Numbers, parameters and buffers: one value for all samples and steps.
    Param,
    /// The context: one value a sample.
    Context,
    /// Inputs and states: one value a step and sample.
    Time,
}

/// Rows and columns of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockShape {
    pub rows: Atom,
    pub columns: Atom,
}

impl BlockShape {
    pub const SCALAR: BlockShape = BlockShape { rows: Atom::ONE, columns: Atom::ONE };

    pub fn new(rows: Atom, columns: Atom) -> Self {
        Self { rows, columns }
    }

    pub fn is_scalar(self) -> bool {
        self == Self::SCALAR
    }

    /// One row and more than one column.
    pub fn is_row(self) -> bool {
        self.rows == Atom::ONE && self.columns != Atom::ONE
    }

    /// More than one row and more than one column.
    pub fn is_matrix(self) -> bool {
        self.rows != Atom::ONE && self.columns != Atom::ONE
    }

    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows }
    }

    /// Returns the shape of a factor of a product, which may be transposed.
    pub fn oriented(self, is_transposed: bool) -> Self {
        if is_transposed { self.transposed() } else { self }
    }
}

/// A block of something declared, or of a target: its index, and the block's place in the grid of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Piece {
    pub of: usize,
    pub row: usize,
    pub column: usize,
}

/// An element-wise function of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    Neg,
    Sigmoid,
    Tanh,
    Exp,
    ExpM1,
    Ln,
    Sqrt,
    Abs,
    Recip,
    Sin,
    Cos,
    Floor,
    Sign,
    Softplus,
    /// The distribution function of the standard normal distribution: gelu(u) = u Φ(u).
    NormalCdf,
}

/// An element-wise function of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// A number, as the bits of an `f64`.
    Number(u64),
    /// A dimension used as a number.
    Size(Dim),
    /// A block of a parameter, buffer, context or input (an index into the declarations).
    Read(Piece),
    /// A block of a state at the step before.
    Previous(Piece),
    /// The cotangent of a block of an output (an index into the outputs).
    OutputBar(Piece),
    /// The cotangent of a block of a state's new value that comes from the steps after this one.
    CarryBar(Piece),

    // Element-wise: arguments broadcast to the node's shape.
    Unary(Unary),
    Binary(Binary),
    /// `a <comparison> b ? u : v`
    Select(Comparison),
    /// Its argument, broadcast to the node's shape.
    Expand,
    /// Its argument; no cotangent passes.
    StopGradient,
    /// Its argument, stored once more: a state or an output that has the value of something else. Numbered,
    /// so that no two are one.
    Copy(u32),

    /// `op(a) op(b)`, each transposed or not.
    MatMul {
        ta: bool,
        tb: bool,
    },
    Transpose,
    /// The same entries in the same order under another shape: a vector as a row, or back.
    Reshape,
    /// `E @ w` for a one-hot `w`: a column of E. The index counts from `offset`; one outside of E reads zero.
    Gather {
        offset: Dim,
    },
    /// The cotangent of E in `E @ w`: the argument added to a column of a zero matrix. Only ever accumulated.
    Scatter {
        offset: Dim,
    },
    /// The sum over all entries.
    Sum,
    /// The sum over the columns: `[n, s]` to `[n]`.
    RowSum,
    /// The sum over the rows: `[n, s]` to `[1, s]`.
    ColumnSum,
    /// The greatest entry. It has no derivative: it serves where the result doesn't depend on it (softmax).
    Maximum,
    /// Arguments below each other; all row counts are literals.
    Concat,
    /// `count` rows from row `start` on; all row counts are literals.
    Slice {
        start: u64,
        count: u64,
    },
    /// The sum of a value over the steps (and, at the level of parameters, the samples).
    Accumulate,
}

impl Op {
    pub fn is_elementwise(&self) -> bool {
        matches!(
            self,
            Op::Unary(_) | Op::Binary(_) | Op::Select(_) | Op::Expand | Op::StopGradient | Op::Copy(_)
        )
    }

    /// A sum over some of its argument's entries: the loop that makes them adds them up.
    pub fn is_sum(&self) -> bool {
        matches!(self, Op::Sum | Op::RowSum | Op::ColumnSum)
    }

    pub fn is_leaf(&self) -> bool {
        matches!(
            self,
            Op::Number(_) | Op::Size(_) | Op::Read(_) | Op::Previous(_) | Op::OutputBar(_) | Op::CarryBar(_)
        )
    }
}

#[derive(Debug, Clone)]
pub struct Node {
    pub op: Op,
    pub args: Vec<Id>,
    pub shape: BlockShape,
    pub level: Level,
    /// What the user calls this value, or a name made from it. Unique names are made at emission.
    pub name: Option<String>,
}

/// Operations of a constant that is written in place. One that uses another twice doubles it; a longer one is
/// computed once, as a value of its own.
const LONGEST_CONSTANT: u32 = 32;

#[derive(Debug, Default, Clone)]
pub struct Graph {
    nodes: Vec<Node>,
    /// By node: how many operations it takes to write it in place, if it is of numbers and dimensions alone.
    constants: Vec<Option<u32>>,
    known: HashMap<(Op, Vec<Id>, BlockShape, Level), Id>,
}

impl std::ops::Index<Id> for Graph {
    type Output = Node;
    fn index(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }
}

impl Graph {
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn ids(&self) -> impl DoubleEndedIterator<Item = Id> + use<> {
        (0..self.nodes.len() as u32).map(Id)
    }

    /// Gives a value a name unless it has one.
    pub fn suggest_name(&mut self, id: Id, name: &str) {
        let node = &mut self.nodes[id.index()];
        if node.name.is_none() && !node.op.is_leaf() {
            node.name = Some(name.to_owned());
        }
    }

    /// The node as given, or the equal one that is there already. Use the builders of `simplify` instead
    /// wherever arithmetic may be saved.
    pub fn intern(&mut self, op: Op, args: Vec<Id>, shape: BlockShape, level: Level) -> Id {
        let key = (op.clone(), args.clone(), shape, level);
        if let Some(&id) = self.known.get(&key) {
            return id;
        }
        let id = Id(self.nodes.len() as u32);
        let node = Node { op, args, shape, level, name: None };
        self.constants.push(self.constant_size(&node));
        self.nodes.push(node);
        self.known.insert(key, id);
        id
    }

    pub fn number(&self, id: Id) -> Option<f64> {
        match self[id].op {
            Op::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// Built from numbers and dimensions alone, and short enough to be written wherever it is used.
    pub fn is_constant(&self, id: Id) -> bool {
        self.constants[id.index()].is_some_and(|size| size <= LONGEST_CONSTANT)
    }

    fn constant_size(&self, node: &Node) -> Option<u32> {
        match node.op {
            Op::Number(_) | Op::Size(_) => Some(0),
            Op::Unary(_) | Op::Binary(_) | Op::Select(_) | Op::StopGradient if node.shape.is_scalar() => node
                .args
                .iter()
                .try_fold(1u32, |size, arg| Some(size.saturating_add((*self.constants.get(arg.index())?)?))),
            _ => None,
        }
    }

    /// The value whose memory this one shares: itself unless it is a reshape.
    pub fn storage(&self, mut id: Id) -> Id {
        while self[id].op == Op::Reshape {
            id = self[id].args[0];
        }
        id
    }

    /// The entries that a node's loop runs over: its own, or for a sum those that it adds up.
    pub fn space(&self, id: Id) -> BlockShape {
        let node = &self[id];
        if node.op.is_sum() { self[node.args[0]].shape } else { node.shape }
    }

    /// The level at which a node is computed: an accumulation runs where its argument does.
    pub fn runs_at(&self, id: Id) -> Level {
        let node = &self[id];
        match node.op {
            Op::Accumulate => self[node.args[0]].level,
            _ => node.level,
        }
    }

    /// `roots` and all that they depend on, marked.
    pub fn reachable(&self, roots: impl IntoIterator<Item = Id>) -> Vec<bool> {
        let mut marked = vec![false; self.nodes.len()];
        let mut stack: Vec<Id> = roots.into_iter().collect();
        while let Some(id) = stack.pop() {
            if !std::mem::replace(&mut marked[id.index()], true) {
                stack.extend(&self[id].args);
            }
        }
        marked
    }
}
