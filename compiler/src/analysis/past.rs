//! The values of earlier steps that a cell reads, and the rings that keep them between sequences.
//!
//! A value has one ring for its literal delays, one for the multiples of each dimension, and one
//! for each kind of window whose number of entries or spacing is a dimension. A ring is as long as
//! the longest delay that it serves. `window(u, n, d)` reaches `(n - 1) * d` steps back, which no
//! array type can express; its ring has `n * d` entries.

use super::heads::{heads, heads_block_of};
use super::resolve::{Callee, Delayed, Resolved, Symbol, Target};
use super::shapes::Shapes;
use crate::dim::{Atom, Shape};
use crate::graph::grid::{block_name, positions};
use crate::graph::ir::{BlockShape, Piece, Reach};
use crate::graph::ops::ShapeRule;
use crate::syntax::ast::{Cell, DeclarationKind, Expr, ExprKind, Time};
use crate::{analysis::reads, syntax::text};
use proc_macro2::Ident;
use std::collections::HashMap;

/// The number of entries of a window, or their spacing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    Literal(u64),
    /// An index into `Cell::dimensions`.
    Dimension(usize),
}

impl Length {
    pub fn atom(self) -> Atom {
        match self {
            Length::Literal(count) => Atom::Literal(count),
            Length::Dimension(index) => Atom::Name(index),
        }
    }
}

/// Returns the length that an argument of `window`, `blocks` or similar functions states: a
/// dimension, or a whole number of at least one.
pub fn length(resolved: &Resolved, argument: &Expr) -> Option<Length> {
    match (&argument.kind, resolved.symbols.get(argument.id).copied().flatten()) {
        (ExprKind::Name { .. }, Some(Symbol::Dimension(index))) => Some(Length::Dimension(index)),
        (ExprKind::Number(value), _) if value.fract() == 0.0 && *value >= 1.0 && *value <= MOST_STEPS => {
            Some(Length::Literal(*value as u64))
        }
        _ => None,
    }
}

/// The largest literal length. Longer rings do not fit in memory.
const MOST_STEPS: f64 = 1e9;

/// A value of which earlier steps are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastOf {
    /// An input or a state: an index into `Cell::declarations`.
    Declaration(usize),
    Target(Target),
    /// The argument of a window, which has no name: the id of the expression.
    Expression(usize),
}

#[derive(Debug)]
pub struct PastValue {
    pub of: PastOf,
    /// The name of the value, or one that describes it.
    pub name: String,
    pub shape: Shape,
    /// The number of heads, each of which has such a value; one outside of `heads K { .. }`.
    pub heads: Atom,
    pub is_one_hot: bool,
    pub is_state: bool,
}

impl PastValue {
    /// Returns the numbers of rows and columns of the grid of blocks. An index is one block.
    pub fn blocks(&self) -> (usize, usize) {
        if self.is_one_hot { (1, 1) } else { self.shape.blocks() }
    }

    /// Returns the name of a block: the name of the value if it has only one.
    pub fn block_name(&self, piece: Piece) -> String {
        block_name(&self.name, self.blocks(), piece.row, piece.column)
    }

    /// Returns the shape of a block.
    pub fn block(&self, row: usize, column: usize) -> BlockShape {
        BlockShape::of_heads(self.heads, self.shape.rows.atoms()[row], self.shape.columns.atoms()[column])
    }
}

/// A ring buffer of the last values. It has `count` times the product of `dimensions` entries.
#[derive(Debug, Clone)]
pub struct Ring {
    /// An index into [`Past::values`].
    pub value: usize,
    pub count: u64,
    /// The dimensions of the product, at most two, in ascending order. Each is an index into the
    /// cell's dimensions.
    pub dimensions: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
pub struct PastRead {
    pub ring: usize,
    pub reach: Reach,
}

/// The earlier values that a cell reads.
#[derive(Debug, Default)]
pub struct Past {
    pub values: Vec<PastValue>,
    pub rings: Vec<Ring>,
    /// The reads, by the id of the delayed name or of the call of `window`.
    pub reads: HashMap<usize, PastRead>,
    /// True if the cell calls `present`, and so counts its steps.
    pub counts_steps: bool,
}

impl Past {
    pub fn is_empty(&self) -> bool {
        self.rings.is_empty() && !self.counts_steps
    }

    /// Returns the rings of a value.
    pub fn rings_of(&self, value: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.rings.len()).filter(move |ring| self.rings[*ring].value == value)
    }

    fn value(&mut self, cell: &Cell, shapes: &Shapes, of: PastOf, heads: Atom) -> Option<usize> {
        if let Some(known) = self.values.iter().position(|value| value.of == of) {
            return Some(known);
        }
        let (name, shape) = match of {
            PastOf::Declaration(index) => {
                (cell.declarations[index].name.to_string(), shapes.declarations[index].clone()?)
            }
            PastOf::Target(target) => (
                cell.equations[target.equation].targets[target.index].to_string(),
                shapes.targets.get(target.equation)?.get(target.index)?.clone()?,
            ),
            PastOf::Expression(id) => ("window".to_owned(), shapes.expressions.get(id)?.clone()?),
        };
        let kind = match of {
            PastOf::Declaration(index) => Some((index, cell.declarations[index].kind)),
            _ => None,
        };
        self.values.push(PastValue {
            of,
            name,
            shape,
            heads,
            is_one_hot: kind.is_some_and(|(index, _)| shapes.one_hot[index].is_some()),
            is_state: kind.is_some_and(|(_, kind)| kind == DeclarationKind::State),
        });
        Some(self.values.len() - 1)
    }

    /// Returns the ring of a value whose length is a multiple of the product of `dimensions`, and
    /// makes it at least `count` times as long as the product.
    fn ring(&mut self, value: usize, count: u64, mut dimensions: Vec<usize>) -> usize {
        dimensions.sort_unstable();
        let same = self.rings.iter().position(|ring| ring.value == value && ring.dimensions == dimensions);
        match same {
            Some(index) => {
                let ring = &mut self.rings[index];
                ring.count = ring.count.max(count);
                index
            }
            None => {
                self.rings.push(Ring { value, count, dimensions });
                self.rings.len() - 1
            }
        }
    }
}

/// Collects the earlier values that a cell reads. Reads with mistakes are left out.
pub fn collect(cell: &Cell, resolved: &Resolved, shapes: &Shapes) -> Past {
    let mut past = Past::default();
    for equation in &cell.equations {
        reads::visit(&equation.value, &mut |expr| {
            let _ = read(&mut past, cell, resolved, shapes, (equation.heads_block, expr));
        });
    }
    past
}

/// Adds the earlier values that an expression reads. `block` is the block of its equation.
fn read(
    past: &mut Past,
    cell: &Cell,
    resolved: &Resolved,
    shapes: &Shapes,
    (block, expr): (Option<usize>, &Expr),
) -> Option<()> {
    let (of, count, dimensions, reach) = match &expr.kind {
        ExprKind::Name { time, .. } => {
            let Some(Symbol::Delayed(delayed)) = resolved.symbols.get(expr.id).copied().flatten() else {
                return None;
            };
            let of = match delayed {
                Delayed::Declaration(index) => PastOf::Declaration(index),
                Delayed::Target(target) => PastOf::Target(target),
            };
            let (count, dimension) = match time {
                Time::Implicit => return None,
                Time::Offset(offset) => (offset.unsigned_abs(), None),
                Time::Delay { count, dimension } => {
                    (*count, Some(cell.dimensions.iter().position(|known| known == dimension)?))
                }
            };
            (of, count, dimension.into_iter().collect(), Reach::Delay { count, dimension })
        }
        ExprKind::Call { arguments, .. } => {
            let Some(Callee::BuiltIn(operation)) = resolved.callees.get(expr.id).copied().flatten() else {
                return None;
            };
            if operation.shape == ShapeRule::Present {
                past.counts_steps = true;
            }
            if operation.shape != ShapeRule::Window {
                return None;
            }
            let (entries, spacing) = window_lengths(resolved, &arguments[1..])?;
            if entries == Length::Literal(1) {
                return None;
            }
            let (count, dimensions) = match (entries, spacing) {
                (Length::Literal(entries), Length::Literal(spacing)) => {
                    ((entries - 1).saturating_mul(spacing), vec![])
                }
                (Length::Literal(entries), Length::Dimension(spacing)) => (entries - 1, vec![spacing]),
                (Length::Dimension(entries), Length::Literal(spacing)) => (spacing, vec![entries]),
                (Length::Dimension(entries), Length::Dimension(spacing)) => (1, vec![entries, spacing]),
            };
            let reach = Reach::Window { entries: entries.atom(), spacing: spacing.atom() };
            (window_of(cell, resolved, &arguments[0]), count, dimensions, reach)
        }
        _ => return None,
    };
    let block = match of {
        PastOf::Declaration(index) => cell.declarations[index].heads_block,
        PastOf::Target(target) => cell.equations[target.equation].heads_block,
        PastOf::Expression(_) => block.filter(|block| has_heads(cell, resolved, *block, expr)),
    };
    let value = past.value(cell, shapes, of, heads(cell, block))?;
    let ring = past.ring(value, count, dimensions);
    past.reads.insert(expr.id, PastRead { ring, reach });
    Some(())
}

/// Returns whether an expression in a block of heads has a value of its own for each head. All
/// heads share any other.
fn has_heads(cell: &Cell, resolved: &Resolved, block: usize, expr: &Expr) -> bool {
    let mut found = false;
    reads::visit(expr, &mut |part| {
        let symbol = resolved.symbols.get(part.id).copied().flatten();
        found |= matches!(part.kind, ExprKind::Head(_))
            || symbol.is_some_and(|symbol| heads_block_of(cell, symbol) == Some(block));
    });
    found
}

/// Returns the number of entries and the spacing of a window.
pub fn window_lengths(resolved: &Resolved, arguments: &[Expr]) -> Option<(Length, Length)> {
    let entries = length(resolved, arguments.first()?)?;
    let spacing = match arguments.get(1) {
        Some(spacing) => length(resolved, spacing)?,
        None => Length::Literal(1),
    };
    Some((entries, spacing))
}

/// Returns the value of which a window is taken: an input, a state, an equation, or an expression
/// without a name.
fn window_of(cell: &Cell, resolved: &Resolved, argument: &Expr) -> PastOf {
    match (&argument.kind, resolved.symbols.get(argument.id).copied().flatten()) {
        (ExprKind::Name { .. }, Some(Symbol::Declaration(index)))
            if cell.declarations[index].kind == DeclarationKind::Input =>
        {
            PastOf::Declaration(index)
        }
        (ExprKind::Name { .. }, Some(Symbol::Target(target))) => match resolved.state_of(target) {
            Some(state) => PastOf::Declaration(state),
            None => PastOf::Target(target),
        },
        _ => PastOf::Expression(argument.id),
    }
}

/// A field of the state that holds one block of a ring.
#[derive(Debug, Clone)]
pub struct RingField {
    pub ring: usize,
    pub row: usize,
    pub column: usize,
    pub name: String,
}

/// Returns the fields of the state that hold the rings, and the name of the field that counts
/// steps. No name equals that of a state.
pub fn fields(cell: &Cell, past: &Past) -> (Vec<RingField>, String) {
    let mut taken: Vec<String> = cell
        .declarations
        .iter()
        .filter(|declared| declared.kind == DeclarationKind::State)
        .map(|declared| declared.name.to_string())
        .collect();
    let mut free = |wanted: String| {
        let mut name = wanted.clone();
        let mut number = 1;
        while taken.contains(&name) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        taken.push(name.clone());
        name
    };
    let mut fields = vec![];
    for (index, ring) in past.rings.iter().enumerate() {
        let value = &past.values[ring.value];
        let dimensions: String =
            ring.dimensions.iter().map(|index| format!("_{}", cell.dimensions[*index])).collect();
        for (row, column) in positions(value.blocks()) {
            let block = block_name("", value.blocks(), row, column);
            let name = free(format!("past_{}{dimensions}{block}", value.name));
            fields.push(RingField { ring: index, row, column, name });
        }
    }
    (fields, free("steps".to_owned()))
}

/// Returns the delay of a read as text: `3`, `2*D`.
pub fn delay_text(time: &Time) -> Option<String> {
    match time {
        Time::Implicit | Time::Offset(0..) => None,
        Time::Offset(offset) => Some(offset.unsigned_abs().to_string()),
        Time::Delay { count: 1, dimension } => Some(Ident::to_string(dimension)),
        Time::Delay { .. } => {
            let index = text::index(time);
            Some(index.trim_start_matches("[t-").trim_end_matches(']').to_owned())
        }
    }
}
