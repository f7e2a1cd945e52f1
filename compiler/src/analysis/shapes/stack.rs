//! Stacks `[a, b]` and splits `[a, b] = ..`.

use super::infer::Infer;
use crate::diagnostics::{Extent, Missing};
use crate::dim::{Atom, Dim, Shape};
use crate::syntax::ast::{Equation, Expr};
use crate::syntax::text;

/// The largest number of terms in the rows of a stack. Each is a separate block in the generated
/// code, and stacks of stacks can double their number.
const MOST_BLOCKS: usize = 256;

impl Infer<'_> {
    /// Returns the shape of a stack. A scalar is one row, and a vector beside matrices repeats in
    /// each column.
    pub(super) fn stack(&mut self, extent: Extent, parts: &[Expr]) -> Option<Shape> {
        if parts.is_empty() {
            self.diagnostics.error(extent, "an empty stack").help("`[h, x]` puts `h` above `x`");
            return None;
        }
        let shapes: Vec<Option<Shape>> = parts.iter().map(|part| self.expression(part)).collect();
        let mut wide: Option<(&Expr, &Shape)> = None;
        let mut is_known = true;
        for (part, shape) in parts.iter().zip(&shapes) {
            let Some(shape) = shape else {
                is_known = false;
                continue;
            };
            match wide {
                _ if shape.columns.is_one() => {}
                None => wide = Some((part, shape)),
                Some((_, first)) if first.columns == shape.columns => {}
                Some(first) => {
                    self.different_columns(first, (part, shape));
                    is_known = false;
                }
            }
        }
        if !is_known {
            return None;
        }
        let columns = wide.map_or_else(Dim::one, |(_, shape)| shape.columns.clone());
        let rows = Dim::sum(shapes.iter().flatten().flat_map(|shape| shape.rows.atoms().iter().copied()));
        if rows.atoms().len() > MOST_BLOCKS {
            self.diagnostics
                .error(extent, format!("a stack of {} blocks", rows.atoms().len()))
                .help(format!("the compiler takes up to {MOST_BLOCKS}; a dimension of its own is one block"));
            return None;
        }
        Some(Shape { rows, columns })
    }

    fn different_columns(&mut self, first: (&Expr, &Shape), second: (&Expr, &Shape)) {
        let fact = format!(
            "a stack of `{}` and `{}`: their columns differ",
            self.show(first.1),
            self.show(second.1)
        );
        let notes = self.describe_both(first, second);
        let transposed = (first.1.columns == second.1.rows)
            .then(|| format!("stack its transpose: `{}`", text::transposed(second.0)));
        let mistake = self.diagnostics.error(second.0.extent, fact);
        for note in notes {
            mistake.note(note);
        }
        mistake.help(
            transposed.unwrap_or_else(|| "the blocks of a stack must have the same columns".to_owned()),
        );
    }

    /// Returns the shape of each name of a split. Returns `None` if the number of names is wrong,
    /// which is reported.
    pub(super) fn split(&mut self, equation: &Equation, value: &Shape) -> Option<Vec<Shape>> {
        let names = equation.targets.len();
        if let Some(rows) = parts(value.rows.atoms(), names) {
            return Some(
                rows.into_iter().map(|rows| Shape { rows, columns: value.columns.clone() }).collect(),
            );
        }
        let rows = value.rows.atoms();
        let written = self.show_dim(&value.rows);
        let plural = if names == 1 { "" } else { "s" };
        let fact = match rows {
            [Atom::Name(_) | Atom::Product(..)] => {
                format!("`{written}` is not a sum and can't be split among {names} name{plural}")
            }
            [Atom::Literal(1)] => format!("one row can't be split among {names} name{plural}"),
            [Atom::Literal(count)] => format!("{names} name{plural} for {count} rows"),
            terms => format!("{names} name{plural} for the {} terms of `{written}`", terms.len()),
        };
        let note = self.describe(&equation.value, value);
        let mistake = self.diagnostics.error(equation.target_extent, fact);
        mistake.note(note);
        if !matches!(rows, [Atom::Name(_) | Atom::Product(..)]) && parts_of(rows) > names as u64 {
            mistake.leaves_out(Missing::Definition);
        }
        mistake.help(match rows {
            [Atom::Name(_) | Atom::Product(..)] => {
                "the sizes of the parts are unknown: make the rows a sum, such as `H + H` or `2*H`"
            }
            [Atom::Literal(_)] => "write one name per row; each is a scalar",
            _ => "write one name per term",
        });
        None
    }
}

/// Returns the number of names that would be right: one per term, or one per row of a single
/// literal.
fn parts_of(atoms: &[Atom]) -> u64 {
    match atoms {
        [Atom::Literal(count)] => *count,
        terms => terms.len() as u64,
    }
}

/// Returns one part per term, or one part per row of each literal. Returns `None` if their number
/// differs from `names`.
fn parts(atoms: &[Atom], names: usize) -> Option<Vec<Dim>> {
    if atoms.len() == names {
        return Some(atoms.iter().map(|atom| Dim::sum([*atom])).collect());
    }
    let mut parts = vec![];
    for atom in atoms {
        match atom {
            Atom::Name(_) | Atom::Product(..) => parts.push(Dim::sum([*atom])),
            Atom::Literal(count) if *count <= names as u64 => parts.extend((0..*count).map(|_| Dim::one())),
            Atom::Literal(_) => return None,
        }
    }
    (parts.len() == names).then_some(parts)
}
