//! Symbolic dimensions and shapes, in the user's own names.

use std::fmt::Write;

/// One term of a dimension: a named size (its index in the cell's list) or a literal one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    Name(usize),
    Literal(u64),
}

impl Atom {
    pub const ONE: Atom = Atom::Literal(1);

    /// Returns a literal size, and zero for a named one. Values that are stacked or split row by
    /// row have literal sizes.
    pub fn literal(self) -> u64 {
        match self {
            Atom::Literal(size) => size,
            Atom::Name(_) => 0,
        }
    }
}

/// A sum of terms in the order of the blocks: `H + I` is not `I + H`. It is never empty, and
/// neighbouring literals are merged into one term.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dim(Vec<Atom>);

impl Dim {
    pub fn one() -> Self {
        Dim(vec![Atom::ONE])
    }

    /// Returns the sum of the terms. An empty sum is the literal 0.
    pub fn sum(terms: impl IntoIterator<Item = Atom>) -> Self {
        let mut atoms: Vec<Atom> = vec![];
        for term in terms {
            match (atoms.last_mut(), term) {
                (Some(Atom::Literal(last)), Atom::Literal(more)) => *last = last.saturating_add(more),
                _ => atoms.push(term),
            }
        }
        if atoms.len() > 1 {
            atoms.retain(|atom| *atom != Atom::Literal(0));
        }
        if atoms.is_empty() {
            atoms.push(Atom::Literal(0));
        }
        Dim(atoms)
    }

    pub fn atoms(&self) -> &[Atom] {
        &self.0
    }

    pub fn is_one(&self) -> bool {
        self.0 == [Atom::ONE]
    }

    /// Returns the dimension in the user's notation: `H + I`, `4*H`, `16`.
    pub fn display(&self, names: &[String]) -> String {
        let mut text = String::new();
        let mut rest = self.0.as_slice();
        while let Some(&atom) = rest.first() {
            let run = rest.iter().take_while(|other| **other == atom).count();
            if !text.is_empty() {
                text.push_str(" + ");
            }
            match atom {
                Atom::Name(index) => {
                    if run > 1 {
                        let _ = write!(text, "{run}*");
                    }
                    text.push_str(names.get(index).map_or("?", String::as_str));
                }
                Atom::Literal(value) => {
                    let _ = write!(text, "{value}");
                }
            }
            rest = &rest[run..];
        }
        text
    }
}

/// The numbers of rows and columns. A vector is one column, and a scalar has one row and one
/// column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shape {
    pub rows: Dim,
    pub columns: Dim,
}

impl Shape {
    pub fn scalar() -> Self {
        Shape { rows: Dim::one(), columns: Dim::one() }
    }

    pub fn vector(rows: Dim) -> Self {
        Shape { rows, columns: Dim::one() }
    }

    pub fn is_scalar(&self) -> bool {
        self.rows.is_one() && self.columns.is_one()
    }

    pub fn transposed(&self) -> Self {
        Shape { rows: self.columns.clone(), columns: self.rows.clone() }
    }

    /// Returns the shape in the user's notation: `[]`, `[H]`, `[H, H + I]`.
    pub fn display(&self, names: &[String]) -> String {
        if self.is_scalar() {
            "[]".to_owned()
        } else if self.columns.is_one() {
            format!("[{}]", self.rows.display(names))
        } else {
            format!("[{}, {}]", self.rows.display(names), self.columns.display(names))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Atom, Dim};

    #[test]
    fn literals_add_up_and_zeros_vanish() {
        let (h, zero, two, five) = (Atom::Name(0), Atom::Literal(0), Atom::Literal(2), Atom::Literal(5));
        for (terms, sum) in [
            (vec![], vec![zero]),
            (vec![zero], vec![zero]),
            (vec![two, Atom::Literal(3)], vec![five]),
            (vec![h, zero], vec![h]),
            (vec![zero, h, two, zero], vec![h, two]),
            (vec![two, h, two], vec![two, h, two]),
        ] {
            assert_eq!(Dim::sum(terms.clone()).atoms(), sum, "{terms:?}");
        }
    }
}
