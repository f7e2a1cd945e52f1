//! Shapes across the braces of a block of heads: the stack of a block's value, the part of one head
//! of a stack, and products `K*D`.

use super::infer::Infer;
use crate::analysis::heads::{heads_block_of, number};
use crate::diagnostics::Extent;
use crate::dim::{Atom, Dim, Shape};
use crate::syntax::ast::{DimTerm, Expr};
use crate::syntax::text;

impl Infer<'_> {
    /// Returns the shape of a name as the current equation reads it, given the shape at its
    /// definition.
    pub(super) fn seen_from_here(&mut self, expr: &Expr, shape: Shape) -> Option<Shape> {
        let block = self.block_of(expr);
        if block.is_some() && block == self.heads_block {
            return Some(shape);
        }
        let shape = self.outside_shape(expr, shape)?;
        if let Some(block) = self.heads_block
            && has_heads(&shape)
        {
            let (name, shown) = (text::short(expr), self.show(&shape));
            let is_stack = number(self.cell, block).is_some_and(|heads| shape.of_one_head(heads).is_some());
            let (fact, help) = if is_stack {
                (
                    "the stack of all heads, and can't be read whole in a block of heads",
                    format!("the part of the block's own head is `{name}.head`"),
                )
            } else {
                (
                    "a product of dimensions, and can't be read in a block of heads",
                    "use it in an equation outside of the block, and read that equation".to_owned(),
                )
            };
            self.diagnostics
                .error(expr.extent, format!("`{name}` is `{shown}`, {fact}"))
                .note("within a block every value belongs to one head")
                .help(help);
            return None;
        }
        Some(shape)
    }

    /// Returns the shape of a name outside of the block that defines it.
    fn outside_shape(&mut self, expr: &Expr, shape: Shape) -> Option<Shape> {
        let Some(block) = self.block_of(expr) else { return Some(shape) };
        self.stack_of(expr.extent, &text::short(expr), &shape, number(self.cell, block)?)
    }

    /// Returns the shape of the stack of a block's value. Reports a value that has none: a matrix
    /// or a vector whose size is a sum.
    fn stack_of(&mut self, extent: Extent, name: &str, shape: &Shape, heads: Atom) -> Option<Shape> {
        let stacked = shape.stacked(heads);
        if stacked.is_some() {
            return stacked;
        }
        let (kind, help) = if shape.columns.is_one() {
            ("sum", format!("name its terms in the block, `[a, b] = {name};`, and read these"))
        } else {
            ("matrix", "use it in the block, in an equation whose value is a vector or a scalar".to_owned())
        };
        let shown = self.show(shape);
        self.diagnostics
            .error(
                extent,
                format!(
                    "`{name}` is a {kind} of each head, `{shown}`, and isn't visible outside of its block"
                ),
            )
            .note(
                "outside of a block, a vector `[D]` of `K` heads is the stack `[K*D]` and a scalar is `[K]`",
            )
            .help(help);
        None
    }

    /// Returns the block that defines a name.
    fn block_of(&self, expr: &Expr) -> Option<usize> {
        heads_block_of(self.cell, self.symbol(expr)?)
    }

    /// Returns the shape of `u.head`.
    pub(super) fn head(&mut self, expr: &Expr, operand: &Expr) -> Option<Shape> {
        let whole = self.named(operand)?;
        let block = self.heads_block?;
        let heads = number(self.cell, block)?;
        let name = text::short(operand);
        if self.block_of(operand) == Some(block) {
            self.diagnostics
                .error(
                    expr.extent,
                    format!("`{name}` is defined in this block: it is already the head's own part"),
                )
                .help(format!("write `{name}`"));
            return None;
        }
        let whole = self.outside_shape(operand, whole)?;
        if let Some(entry) = self.shapes.expressions.get_mut(operand.id) {
            *entry = Some(whole.clone());
        }
        let part = whole.of_one_head(heads);
        if part.is_none() {
            let heads = self.show_dim(&Dim::sum([heads]));
            let notes = self.describe(operand, &whole);
            self.diagnostics
                .error(expr.extent, format!("`{name}` is `{}`, not a stack of `{heads}` heads", self.show(&whole)))
                .note(notes)
                .help(format!(
                    "a stack is `[{heads}*D]`, or `[{heads}]` for scalars; what all heads share is read without `.head`: `{name}`"
                ));
        }
        part
    }

    /// Returns whether both dimensions of a matrix are products, which is reported.
    pub(super) fn has_two_products(&mut self, extent: Extent, shape: &Shape) -> bool {
        let has_two = has_product(&shape.rows) && has_product(&shape.columns);
        if has_two {
            self.diagnostics
                .error(extent, format!("a matrix `{}`, whose rows and columns are both products", self.show(shape)))
                .note("only the rows or the columns of a matrix can be a product of dimensions, such as a stack of heads")
                .help("declare the whole size as a dimension of its own");
        }
        has_two
    }

    /// Returns whether a declaration or an equation may have the shape. Reports it otherwise.
    pub(super) fn can_be_declared(&mut self, extent: Extent, shape: &Shape) -> bool {
        if self.heads_block.is_some() && has_heads(shape) {
            let shown = self.show(shape);
            self.diagnostics
                .error(extent, format!("`{shown}` within a block of heads"))
                .note("within a block every value has the shape of one head")
                .help("leave out the number of heads: the stack of all heads exists outside of the block");
            return false;
        }
        !self.has_two_products(extent, shape)
    }

    /// Returns whether the dimension can be the range of a one-hot input. Reports it otherwise.
    pub(super) fn can_be_a_range(&mut self, extent: Extent, size: &Dim) -> bool {
        let is_stack = has_product(size);
        if is_stack {
            self.diagnostics
                .error(extent, "the number of classes of a one-hot input can't be a product of dimensions")
                .help("declare the number of classes as a dimension of its own");
        }
        !is_stack
    }

    /// Returns the term of a dimension that begins with a name, and the number of times that it
    /// occurs: a product such as `K*D`, or a multiple such as `4*H`. A number makes a product if it
    /// is the number of heads of a block.
    pub(super) fn product_of_names(&self, term: &DimTerm, name: Atom) -> Option<(u64, Atom)> {
        let Some(size) = &term.size else {
            let count = Atom::Literal(term.count);
            let (heads, size) = if term.has_number_last { (name, count) } else { (count, name) };
            let is_number = (0..self.cell.heads.len()).any(|block| number(self.cell, block) == Some(heads));
            let product = Atom::product(heads, size).filter(|_| term.count > 1 && is_number);
            return Some(product.map_or((term.count, name), |product| (1, product)));
        };
        let size = self.cell.dimensions.iter().position(|known| known == size).map(Atom::Name)?;
        Some((term.count, Atom::product(name, size)?))
    }

    /// Reports outputs that are not visible outside of their block.
    pub(super) fn outputs(&mut self) {
        for (name, target) in self.cell.outputs.iter().zip(&self.resolved.outputs) {
            let Some(target) = target else { continue };
            let Some(block) = self.cell.equations[target.equation].heads_block else { continue };
            let Some(shape) = self.shapes.targets[target.equation][target.index].clone() else { continue };
            let Some(heads) = number(self.cell, block) else { continue };
            self.stack_of(name.into(), &name.to_string(), &shape, heads);
        }
    }
}

fn has_product(dim: &Dim) -> bool {
    dim.atoms().iter().any(|atom| atom.is_product())
}

fn has_heads(shape: &Shape) -> bool {
    has_product(&shape.rows) || has_product(&shape.columns)
}
