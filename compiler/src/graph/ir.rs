//! The graph: typed values in administrative normal form, for forward and backward equations alike.
//!
//! Every value is one block: each of its two dimensions is a name or a literal, never a sum.
//! Lowering splits sums into blocks, so that `W @ [h, x]` is `W_0 @ h + W_1 @ x` and stacking costs
//! nothing. Arguments precede their uses, and equal nodes are one node: building the graph
//! eliminates common subexpressions and folds constants.
//!
//! A value within `heads K { .. }` has a *head axis*: `K` matrices of one shape, which follow each
//! other in memory: those of a step and sample, or those of a parameter. Operations broadcast along
//! it as they do along rows and columns. A vector `[K*D]` outside of the block is the vector `[D]`
//! with this axis, so the stack of the heads costs nothing, and neither does the part of one head,
//! `u.head`.
//!
//! A value has a *level*: it depends on parameters alone, on the context (one value per sample), or
//! on time (one value per step and sample). [`Op::Accumulate`] reduces a value to a lower level.

use crate::dim::{Atom, Dim};
use std::collections::HashMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

impl Id {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The inputs a value depends on, in increasing order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Numbers, parameters and buffers: one value for all samples and steps.
    Param,
    /// The context: one value per sample.
    Context,
    /// Inputs and states: one value per step and sample.
    Time,
}

/// The numbers of heads, rows and columns of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockShape {
    /// The number of heads, each of which has a matrix of its own: that of a block, or the first
    /// factor of a product of dimensions. Any other value has one.
    pub heads: Atom,
    pub rows: Atom,
    pub columns: Atom,
}

impl BlockShape {
    pub const SCALAR: BlockShape = BlockShape { heads: Atom::ONE, rows: Atom::ONE, columns: Atom::ONE };

    /// Returns the shape of a block of a grid. A dimension `K*D` is the dimension `D` of `K` heads.
    pub fn new(rows: Atom, columns: Atom) -> Self {
        let ((above, rows), (beside, columns)) = (rows.split_heads(), columns.split_heads());
        let heads = if above == Atom::ONE { beside } else { above };
        Self { heads, rows, columns }
    }

    /// Returns the shape of a block of a value, which `heads` heads each have.
    pub fn of_heads(heads: Atom, rows: Atom, columns: Atom) -> Self {
        let shape = Self::new(rows, columns);
        if heads == Atom::ONE { shape } else { shape.with_heads(heads) }
    }

    pub fn with_heads(self, heads: Atom) -> Self {
        Self { heads, ..self }
    }

    pub fn has_heads(self) -> bool {
        self.heads != Atom::ONE
    }

    /// Returns the shape of the matrix of one head.
    pub fn of_one_head(self) -> Self {
        self.with_heads(Atom::ONE)
    }

    pub fn is_scalar(self) -> bool {
        self == Self::SCALAR
    }

    /// Returns whether the matrix of each head has one row and one column.
    pub fn has_one_entry(self) -> bool {
        self.of_one_head().is_scalar()
    }

    /// Returns whether there is one row and more than one column.
    pub fn is_row(self) -> bool {
        self.rows == Atom::ONE && self.columns != Atom::ONE
    }

    /// Returns whether there is more than one row and more than one column.
    pub fn is_matrix(self) -> bool {
        self.rows != Atom::ONE && self.columns != Atom::ONE
    }

    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, ..self }
    }

    /// Returns the shape of a factor of a product, which may be transposed.
    pub fn oriented(self, is_transposed: bool) -> Self {
        if is_transposed { self.transposed() } else { self }
    }
}

/// A block of a declaration or a target: its index, and the place of the block in the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Piece {
    pub of: usize,
    pub row: usize,
    pub column: usize,
}

/// A read of a value at earlier steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Earlier {
    /// A block of a recorded value. `Piece::of` is the index of the value.
    pub piece: Piece,
    /// The index of the ring that keeps the earlier values between sequences.
    pub ring: usize,
    pub reach: Reach,
}

/// The steps that a read of an earlier value reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// One value, `count` steps back or `count` times a dimension.
    Delay { count: u64, dimension: Option<usize> },
    /// The last `entries` values, `spacing` steps apart, without the present one.
    Window { entries: Atom, spacing: Atom },
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

/// An operator that combines two conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Logic {
    And,
    Or,
}

/// The condition of a selection: comparisons, each of which takes the next two arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    Compare(Comparison),
    Not(Box<Condition>),
    Both(Logic, Box<[Condition; 2]>),
}

impl Condition {
    /// Returns the number of compared values.
    pub fn arity(&self) -> usize {
        match self {
            Condition::Compare(_) => 2,
            Condition::Not(inner) => inner.arity(),
            Condition::Both(_, operands) => operands.iter().map(Condition::arity).sum(),
        }
    }
}

impl From<Comparison> for Condition {
    fn from(comparison: Comparison) -> Self {
        Condition::Compare(comparison)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// A number, as the bits of an `f64`.
    Number(u64),
    /// A dimension used as a number.
    Size(Dim),
    /// A block of a parameter, buffer, context or input (an index into the declarations).
    Read(Piece),
    /// A block of a state at the previous step.
    Previous(Piece),
    /// A recorded value at an earlier step. A window reads all its values but the present one.
    Past(Earlier),
    /// The part of the cotangent of a recorded value that comes from later steps, through a ring.
    PastBar {
        piece: Piece,
        ring: usize,
    },
    /// The cotangent of a block of an output (an index into the outputs).
    OutputBar(Piece),
    /// The part of the cotangent of a block of a state's new value that comes from later steps.
    CarryBar(Piece),

    // Element-wise operations: arguments broadcast to the shape of the node.
    Unary(Unary),
    Binary(Binary),
    /// `condition(a, b, ..) ? u : v`: the compared values, then `u` and `v`
    Select(Condition),
    /// The argument, broadcast to the shape of the node.
    Expand,
    /// The argument, but no cotangent passes through.
    StopGradient,
    /// A copy of the argument: a state or an output that has the value of something else. The
    /// number keeps equal copies apart.
    Copy(u32),

    /// `op(a) op(b)`, each transposed or not. If both have heads and the node has none, the
    /// products of the heads add up.
    MatMul {
        ta: bool,
        tb: bool,
    },
    Transpose,
    /// The same entries in the same order under another shape: a vector as a row, the scalars of
    /// `K` heads as a vector `[K]`, the columns of a matrix as heads, or back.
    Reshape,
    /// `E @ w` for a one-hot `w`: a column of E. The index counts from `offset`; an index outside
    /// of E yields zeros.
    Gather {
        offset: Dim,
    },
    /// The cotangent of E in `E @ w`: the argument added to a column of a zero matrix. Its only use
    /// is in `Accumulate`.
    Scatter {
        offset: Dim,
    },
    /// The sum over all entries.
    Sum,
    /// The sum over the columns: `[n, s]` to `[n]`.
    RowSum,
    /// The sum over the rows: `[n, s]` to `[1, s]`.
    ColumnSum,
    /// The largest entry. It has no derivative: it is only used where the result does not depend on
    /// it (softmax).
    Maximum,
    /// The arguments stacked vertically; all row counts are literals.
    Concat,
    /// `count` rows starting at row `start`; all row counts are literals.
    Slice {
        start: u64,
        count: u64,
    },
    /// The sum of the matrices of all heads.
    HeadSum,
    /// Each head's matrix, as many times in a row as makes the node's number of heads.
    RepeatHeads,
    /// The sums of the matrices of consecutive heads: as many sums as the node has heads.
    GroupSum,
    /// The blocks of a vector, each with as many entries as the node has columns: row `i` is the
    /// block that contains entry `i`.
    Blocks,
    /// The cotangent of the vector in `Blocks`: the rows of a matrix added to the blocks.
    BlockSum,
    /// The sum of a value over the steps (and, at the level of parameters, the samples).
    Accumulate,
    /// The earlier values of a vector and the present one, as the columns of a matrix.
    Window {
        entries: Atom,
        spacing: Atom,
    },
    /// The last column of the cotangent of a window, which belongs to the present step.
    LastColumn,
    /// 1 for each entry of a window whose step exists, 0 before the first step.
    Present {
        entries: Atom,
        spacing: Atom,
    },
}

impl Op {
    pub fn is_elementwise(&self) -> bool {
        matches!(
            self,
            Op::Unary(_) | Op::Binary(_) | Op::Select(_) | Op::Expand | Op::StopGradient | Op::Copy(_)
        )
    }

    /// Returns whether the node sums some of its argument's entries. The loop that computes the
    /// entries also adds them up.
    pub fn is_sum(&self) -> bool {
        matches!(self, Op::Sum | Op::RowSum | Op::ColumnSum)
    }

    pub fn is_leaf(&self) -> bool {
        matches!(
            self,
            Op::Number(_)
                | Op::Size(_)
                | Op::Read(_)
                | Op::Previous(_)
                | Op::Past(_)
                | Op::PastBar { .. }
                | Op::OutputBar(_)
                | Op::CarryBar(_)
        )
    }
}

#[derive(Debug, Clone)]
pub struct Node {
    pub op: Op,
    pub args: Vec<Id>,
    pub shape: BlockShape,
    pub level: Level,
    /// The user's name for this value, or a name derived from it. Emission makes names unique.
    pub name: Option<String>,
}

/// The largest number of operations of a constant that is written inline. A constant that uses
/// another one twice doubles its size; a longer one is computed once, as a value of its own.
const LONGEST_CONSTANT: u32 = 32;

#[derive(Debug, Default, Clone)]
pub struct Graph {
    nodes: Vec<Node>,
    /// The number of operations that each node takes if written inline; `None` unless it consists
    /// of numbers and dimensions alone.
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

    /// Adds the node, or returns the equal node that exists already. Use the builders of `simplify`
    /// instead wherever they could save arithmetic.
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

    /// Returns whether a value consists of numbers and dimensions alone and is short enough to be
    /// written inline.
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

    /// Returns the value that owns the memory of this one: the value itself unless it is a reshape.
    pub fn storage(&self, mut id: Id) -> Id {
        while self[id].op == Op::Reshape {
            id = self[id].args[0];
        }
        id
    }

    /// Returns the shape that a node's loop runs over: its own, or for a sum the shape of its
    /// argument.
    pub fn space(&self, id: Id) -> BlockShape {
        let node = &self[id];
        if node.op.is_sum() { self[node.args[0]].shape } else { node.shape }
    }

    /// Returns the level at which a node is computed. An accumulation runs at the level of its
    /// argument.
    pub fn runs_at(&self, id: Id) -> Level {
        let node = &self[id];
        match node.op {
            Op::Accumulate => self[node.args[0]].level,
            _ => node.level,
        }
    }

    /// Marks `roots` and all their dependencies.
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
