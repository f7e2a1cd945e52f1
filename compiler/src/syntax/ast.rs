//! The surface syntax: a definition as the user wrote it, every node with its place in the source.
//!
//! Nothing here is checked beyond its form. What failed to parse is left out, and the names that it
//! would have defined stand in [`Cell::poisoned`], so that later stages don't report them as unknown.

use crate::diagnostics::Extent;
use crate::graph::ir::Comparison;
use proc_macro2::Ident;

/// All that stands in one `rnn_cell! { .. }`.
#[derive(Debug)]
pub struct Program {
    pub cells: Vec<Cell>,
}

/// `pub cell Name<I, H> { items }`
#[derive(Debug)]
pub struct Cell {
    /// Doc comments, `cfg`, `derive`, `allow`, ..
    pub attributes: Vec<syn::Attribute>,
    pub visibility: syn::Visibility,
    pub name: Ident,
    pub dimensions: Vec<Ident>,
    pub declarations: Vec<Declaration>,
    pub functions: Vec<Function>,
    pub equations: Vec<Equation>,
    pub outputs: Vec<Ident>,
    /// The names that an item which failed to parse would have defined.
    pub poisoned: Vec<Ident>,
    /// The names that occur in what failed to parse: they are not unused.
    pub mentioned: Vec<Ident>,
    /// Expressions are numbered from 0 to here, so that later stages keep their findings in tables.
    pub expression_count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeclarationKind {
    Input,
    Context,
    State,
    Param,
    Buffer,
}

/// One declared name. `param W, U: [H, I];` is two declarations.
#[derive(Debug)]
pub struct Declaration {
    pub kind: DeclarationKind,
    /// Doc comments before the declaration.
    pub attributes: Vec<syn::Attribute>,
    pub name: Ident,
    /// Of the names that share what follows, the others have copies of it.
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
    /// It failed to parse; an error has been reported.
    Unknown,
}

/// A dimension as written: a sum of terms, each a multiple of a name or a literal. `4*H + 1`
#[derive(Debug, Clone)]
pub struct DimSyntax {
    pub terms: Vec<DimTerm>,
    pub extent: Extent,
}

#[derive(Debug, Clone)]
pub struct DimTerm {
    pub count: u64,
    /// None for a literal, which then is `count` itself.
    pub name: Option<Ident>,
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
    pub targets: Vec<Ident>,
    /// Written with brackets: the value is split, a name a term.
    pub is_split: bool,
    /// The targets' extent, brackets included.
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
    /// Written with parentheses around it; the extent includes them.
    pub parenthesised: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Add,
    Sub,
    /// `*`, element by element
    Mul,
    /// `/`, element by element
    Div,
    /// `@`, the matrix product
    MatMul,
}

/// The time index of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// `h`
    Implicit,
    /// `h[t + k]`: 0 for `h[t]`, -1 for `h[t-1]`, anything for what the user wrote
    Offset(i64),
}

#[derive(Debug)]
pub enum ExprKind {
    Number(f64),
    Name {
        name: Ident,
        time: Time,
    },
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
    /// `a >= b`: only as the first argument of `where`.
    Compare {
        op: Comparison,
        op_extent: Extent,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// A Rust path: only as the argument of the initialiser `from_fn`.
    RustPath(syn::Path),
    /// It failed to parse; an error has been reported. Its shape is unknown, and silently so.
    Error,
}

/// Returns the indices of a kind's declarations.
pub fn declared(cell: &Cell, kind: DeclarationKind) -> Vec<usize> {
    (0..cell.declarations.len()).filter(|index| cell.declarations[*index].kind == kind).collect()
}
