//! Parts of vectors, and vectors of parts: the shapes of `blocks`, `repeat_heads`, `sum_heads` and
//! `vec`.

use super::call::Argument;
use super::infer::Infer;
use crate::dim::{Atom, Dim, Shape};
use crate::graph::ops::{Operation, ShapeRule};
use crate::syntax::ast::Expr;
use crate::syntax::text;

impl Infer<'_> {
    /// Returns the shape of a call of a function of the parts of a vector.
    pub(super) fn parts(&mut self, expr: &Expr, operation: &Operation, arguments: &[&Expr]) -> Option<Shape> {
        let name = operation.name;
        let &[value, size] = arguments else { return None };
        let is_of_heads = operation.shape == ShapeRule::Heads;
        if is_of_heads && self.heads_block.is_some() {
            let written = text::short(value);
            self.diagnostics
                .error(expr.extent, format!("`{name}` within a block of heads"))
                .note("within a block every value belongs to one head")
                .help(format!(
                    "give the value a name outside of the block, `u = {name}({written}, ..);`, and read `u.head` in it"
                ));
            return None;
        }
        let shape = self.expression(value);
        let part = if is_of_heads { "number of heads" } else { "size of the blocks" };
        let size = self.length(name, size, part)?.atom();
        let shape = shape?;
        let rows = self.single_term(name, is_of_heads, value, &shape)?;
        if !is_of_heads {
            self.divides(expr, rows, size, |rows, size| {
                format!("a vector of {rows} entries can't be divided into blocks of {size}")
            })?;
            return Some(Shape { rows: shape.rows, columns: Dim::sum([size]) });
        }
        let (heads, of_head) = rows.heads_of_stack();
        let (all, groups) = if name == "repeat_heads" { (size, heads) } else { (heads, size) };
        self.divides(expr, all, groups, |all, groups| {
            format!("{all} heads can't be divided into {groups} groups of equal size")
        })?;
        Some(Shape::vector(Dim::sum([Atom::product(size, of_head)?])))
    }

    /// Returns the shape of `vec(u)`. Reports a matrix unless both sizes are names of dimensions,
    /// and a matrix or row within a block of heads.
    pub(super) fn vec(&mut self, expr: &Expr, arguments: &[Argument]) -> Option<Shape> {
        let (value, shape) = arguments.first()?;
        let joined = shape.of_joined_columns();
        if joined.is_some() && (self.heads_block.is_none() || shape.columns.is_one()) {
            return joined;
        }
        let is_single = |dim: &Dim| matches!(dim.atoms(), [Atom::Name(_) | Atom::Literal(_)]);
        let shown = self.show(shape);
        let (fact, help) = if self.heads_block.is_some() {
            (
                "`vec` within a block of heads".to_owned(),
                "call it outside of the block, in an equation `u = W @ vec(..)`, and read `u` or `u.head` in the block",
            )
        } else if is_single(&shape.rows) && is_single(&shape.columns) {
            (
                format!("`vec` of a matrix `{shown}`, whose sizes are not both dimensions of the cell"),
                "declare both as dimensions; the last values of a vector are also a stack, `[x[t-2], x[t-1], x]`",
            )
        } else {
            (
                format!("`vec` of a matrix `{shown}`, whose sizes are not both single dimensions"),
                "`vec` joins the columns of a matrix `[n, s]`; name the terms of a sum, `[a, b] = u;`, and use these",
            )
        };
        let note = self.describe(value, shape);
        self.diagnostics.error(expr.extent, fact).note(note).help(help);
        None
    }

    /// Returns the only term of the rows of a vector. Reports any other shape.
    fn single_term(&mut self, name: &str, is_of_heads: bool, value: &Expr, shape: &Shape) -> Option<Atom> {
        let (what, help) = match shape.rows.atoms() {
            [rows] if shape.columns.is_one() && !shape.is_scalar() => return Some(*rows),
            _ if shape.is_scalar() => ("a scalar".to_owned(), None),
            _ if !shape.columns.is_one() => (format!("a matrix `{}`", self.show(shape)), None),
            _ => {
                let help = "name its terms, `[a, b] = u;`, and use these";
                (format!("a sum `{}`", self.show(shape)), Some(help))
            }
        };
        let note = self.describe(value, shape);
        let help = help.unwrap_or(if is_of_heads {
            "heads are the parts of a stack `[K*D]`, or the entries of a vector `[K]`"
        } else {
            "`blocks` divides a vector `[D]`"
        });
        self.diagnostics.error(value.extent, format!("`{name}` of {what}")).note(note).help(help);
        None
    }

    /// Reports a literal size that is not a multiple of another one. The sizes of dimensions are
    /// checked when the program is built.
    fn divides(
        &mut self,
        expr: &Expr,
        whole: Atom,
        part: Atom,
        fact: impl Fn(u64, u64) -> String,
    ) -> Option<()> {
        let (whole, part) = (whole.literal(), part.literal());
        if whole == 0 || part == 0 || whole.is_multiple_of(part) {
            return Some(());
        }
        let help = format!("{whole} must be a multiple of {part}");
        self.diagnostics.error(expr.extent, fact(whole, part)).help(help);
        None
    }
}
