//! The syntax tree: a definition as the user wrote it, with the span of every node.
//!
//! Only the form is checked here. Items that failed to parse are left out, and the names that they
//! would have defined are in [`Cell::poisoned`], so that later stages do not report them as
//! unknown.

use crate::diagnostics::Extent;
use crate::graph::ir::{Comparison, Logic};
use proc_macro2::Ident;

/// The contents of one `rnn_cell! { .. }`.
#[derive(Debug)]
pub struct Program {
    pub cells: Vec<Cell>,
}

/// `pub cell Name<I, H> { items }`
#[derive(Debug)]
pub struct Cell {
    /// Doc comments, `cfg`, `derive`, `allow` and other attributes.
    pub attributes: Vec<syn::Attribute>,
    pub visibility: syn::Visibility,
    pub name: Ident,
    pub dimensions: Vec<Ident>,
    /// The blocks `heads K { .. }`, in the order of the source.
    pub heads: Vec<Heads>,
    pub declarations: Vec<Declaration>,
    pub functions: Vec<Function>,
    pub equations: Vec<Equation>,
    pub outputs: Vec<Ident>,
    /// The names that would have been defined by an item that failed to parse.
    pub poisoned: Vec<Ident>,
    /// The names that occur in code that failed to parse. They do not count as unused.
    pub mentioned: Vec<Ident>,
    /// The number of expressions. Their ids are below it, so that later stages can keep their
    /// results in tables.
    pub expression_count: usize,
}

/// `heads K { items }`
#[derive(Debug)]
pub struct Heads {
    /// The number of heads: a dimension or a literal; `None` after a mistake, which has been
    /// reported.
    pub number: Option<DimTerm>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeclarationKind {
    Input,
    Context,
    State,
    Param,
    Buffer,
}

impl DeclarationKind {
    /// Returns whether values of this kind are fields of the cell, which files of weights contain.
    pub fn is_saved(self) -> bool {
        matches!(self, DeclarationKind::Param | DeclarationKind::Buffer)
    }
}

/// One declared name. `param W, U: [H, I];` is two declarations.
#[derive(Debug)]
pub struct Declaration {
    pub kind: DeclarationKind,
    /// Doc comments before the declaration.
    pub attributes: Vec<syn::Attribute>,
    pub name: Ident,
    /// The block `heads K { .. }` that contains the declaration: an index into [`Cell::heads`].
    pub heads_block: Option<usize>,
    /// True if the name is the first of those that share a shape and initial value. The others have
    /// copies of these.
    pub is_first: bool,
    pub shape: ShapeSyntax,
    pub initial: Option<Expr>,
}

/// The shape as written.
#[derive(Debug, Clone)]
pub struct ShapeSyntax {
    pub kind: ShapeKind,
    pub extent: Extent,
}

#[derive(Debug, Clone)]
pub enum ShapeKind {
    /// `[]`, `[n]`, `[m, n]`
    Dense(Vec<DimSyntax>),
    /// `one_hot[V]`
    OneHot(DimSyntax),
    /// A shape that failed to parse, which has been reported.
    Unknown,
}

/// A dimension as written: a sum of terms, each a multiple of a name, a literal, or a product of
/// two names, such as `4*H + 1` or `K*D`.
#[derive(Debug, Clone)]
pub struct DimSyntax {
    pub terms: Vec<DimTerm>,
    pub extent: Extent,
}

#[derive(Debug, Clone)]
pub struct DimTerm {
    pub count: u64,
    /// `None` for a literal, whose value is `count`.
    pub name: Option<Ident>,
    /// The `D` of `K*D`.
    pub size: Option<Ident>,
    /// True for `K*16`, as opposed to `16*K`. The first factor of a product is the number of heads.
    pub has_number_last: bool,
}

/// `fn swish(u, v) = expr;`
#[derive(Debug)]
pub struct Function {
    pub name: Ident,
    pub arguments: Vec<Ident>,
    pub body: Expr,
}

/// `name = expr;`, `name[t] = expr;`, `name: [H] = expr;`, `[a, b] = expr;`
#[derive(Debug)]
pub struct Equation {
    pub attributes: Vec<syn::Attribute>,
    /// The block `heads K { .. }` that contains the equation: an index into [`Cell::heads`].
    pub heads_block: Option<usize>,
    pub targets: Vec<Ident>,
    /// True if the targets are in brackets: the value is split, with one name per term.
    pub is_split: bool,
    /// The extent of the targets, brackets included.
    pub target_extent: Extent,
    pub shape: Option<ShapeSyntax>,
    pub value: Expr,
}

#[derive(Debug)]
pub struct Expr {
    /// Unique within the cell, below [`Cell::expression_count`].
    pub id: usize,
    pub kind: ExprKind,
    pub extent: Extent,
    /// True if the expression is in parentheses. The extent includes them.
    pub parenthesised: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Add,
    Sub,
    /// `*`, the element-wise product
    Mul,
    /// `/`, the element-wise quotient
    Div,
    /// `@`, the matrix product
    MatMul,
}

/// The time index of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Time {
    /// `h`
    Implicit,
    /// `h[t + k]`: 0 for `h[t]`, -1 for `h[t-1]`. Only mistakes have a positive offset.
    Offset(i64),
    /// `x[t-D]`, `x[t-2*D]`: a multiple of a dimension.
    Delay { count: u64, dimension: Ident },
}

#[derive(Debug)]
pub enum ExprKind {
    Number(f64),
    Name {
        name: Ident,
        time: Time,
    },
    /// `u.head`: the part of a stack of heads that belongs to the block's own head. The operand is
    /// a name.
    Head(Box<Expr>),
    Neg(Box<Expr>),
    Binary {
        op: BinaryOp,
        op_extent: Extent,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Transpose(Box<Expr>),
    Stack(Vec<Expr>),
    Call {
        function: Ident,
        arguments: Vec<Expr>,
    },
    /// `a >= b`, only valid as the first argument of `where`.
    Compare {
        op: Comparison,
        op_extent: Extent,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `a > b and c > d`, only valid in the first argument of `where`.
    Logic {
        op: Logic,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `not a > b`, only valid in the first argument of `where`.
    Not(Box<Expr>),
    /// A Rust path, only valid as the argument of the initialiser `from_fn`.
    RustPath(syn::Path),
    /// An expression that failed to parse, which has been reported. Its shape is unknown, and no
    /// mistake is reported because of that.
    Error,
}

impl Expr {
    /// Returns the operands, arguments or parts, in the order of the source.
    pub fn children(&self) -> Vec<&Expr> {
        self.kind.children()
    }

    /// Returns the compared values if the expression is a condition, else the expression itself.
    pub fn compared(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Compare { left, right, .. } => vec![left, right],
            ExprKind::Logic { .. } | ExprKind::Not(_) => {
                self.children().into_iter().flat_map(Expr::compared).collect()
            }
            _ => vec![self],
        }
    }
}

impl ExprKind {
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            ExprKind::Number(_) | ExprKind::Name { .. } | ExprKind::RustPath(_) | ExprKind::Error => vec![],
            ExprKind::Neg(inner)
            | ExprKind::Transpose(inner)
            | ExprKind::Head(inner)
            | ExprKind::Not(inner) => vec![inner],
            ExprKind::Binary { left, right, .. }
            | ExprKind::Compare { left, right, .. }
            | ExprKind::Logic { left, right, .. } => vec![left, right],
            ExprKind::Stack(parts) | ExprKind::Call { arguments: parts, .. } => parts.iter().collect(),
        }
    }
}

/// Returns the indices of the parameters and buffers.
pub fn saved(cell: &Cell) -> Vec<usize> {
    (0..cell.declarations.len()).filter(|index| cell.declarations[*index].kind.is_saved()).collect()
}

/// Returns the indices of the declarations of one kind.
pub fn declared(cell: &Cell, kind: DeclarationKind) -> Vec<usize> {
    (0..cell.declarations.len()).filter(|index| cell.declarations[*index].kind == kind).collect()
}
