//! Symbolic dimensions and shapes, in the user's own names.

pub mod polynomial;

use std::fmt::Write;

/// One term of a dimension: a named size (its index in the cell's list), a literal, or a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    Name(usize),
    Literal(u64),
    /// `K*D`: `K` vectors `[D]`, one after the other. They are the heads of a block, or the columns
    /// of a matrix.
    Product(Size, Size),
}

/// A factor of a product of dimensions: a named size or a literal one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Size {
    Name(usize),
    Literal(u64),
}

impl From<Size> for Atom {
    fn from(size: Size) -> Atom {
        match size {
            Size::Name(index) => Atom::Name(index),
            Size::Literal(size) => Atom::Literal(size),
        }
    }
}

impl Atom {
    pub const ONE: Atom = Atom::Literal(1);

    /// Returns a literal size, and zero for a named one. Values that are stacked or split row by
    /// row have literal sizes.
    pub fn literal(self) -> u64 {
        match self {
            Atom::Literal(size) => size,
            Atom::Name(_) | Atom::Product(..) => 0,
        }
    }

    /// Returns the size of a dimension `size` of each of `heads` heads, one after the other.
    /// Returns `None` for a product of three.
    pub fn product(heads: Atom, size: Atom) -> Option<Atom> {
        match (heads, size) {
            (Atom::ONE, size) => Some(size),
            (heads, Atom::ONE) => Some(heads),
            (heads, size) => Some(Atom::Product(heads.size()?, size.size()?)),
        }
    }

    /// Splits `K*D` into `(K, D)`, and any other `D` into `(1, D)`.
    pub fn split_heads(self) -> (Atom, Atom) {
        match self {
            Atom::Product(heads, size) => (heads.into(), size.into()),
            size => (Atom::ONE, size),
        }
    }

    /// Splits `K*D` into `(K, D)`, and any other `K`, a stack of scalars, into `(K, 1)`.
    pub fn heads_of_stack(self) -> (Atom, Atom) {
        match self {
            Atom::Product(heads, size) => (heads.into(), size.into()),
            heads => (heads, Atom::ONE),
        }
    }

    pub fn is_product(self) -> bool {
        matches!(self, Atom::Product(..))
    }

    /// Returns the indices of the dimensions that the term names.
    pub fn names(self) -> impl Iterator<Item = usize> {
        let (heads, size) = self.split_heads();
        [heads, size].into_iter().filter_map(|atom| match atom {
            Atom::Name(index) => Some(index),
            Atom::Literal(_) | Atom::Product(..) => None,
        })
    }

    fn size(self) -> Option<Size> {
        match self {
            Atom::Name(index) => Some(Size::Name(index)),
            Atom::Literal(size) => Some(Size::Literal(size)),
            Atom::Product(..) => None,
        }
    }

    fn display(self, names: &[String]) -> String {
        match self {
            Atom::Name(index) => names.get(index).map_or("?", String::as_str).to_owned(),
            Atom::Literal(value) => value.to_string(),
            Atom::Product(heads, size) => {
                format!("{}*{}", Atom::from(heads).display(names), Atom::from(size).display(names))
            }
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
            if run > 1 {
                let _ = write!(text, "{run}*");
            }
            text.push_str(&atom.display(names));
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

    /// Returns the numbers of rows and columns of the grid of blocks of a value.
    pub fn blocks(&self) -> (usize, usize) {
        (self.rows.atoms().len(), self.columns.atoms().len())
    }

    pub fn transposed(&self) -> Self {
        Shape { rows: self.columns.clone(), columns: self.rows.clone() }
    }

    /// Returns the shape of the stack of a value of each of `heads` heads: `[D]` becomes `[K*D]`, a
    /// scalar `[K]`. Returns `None` for a matrix and for a vector of several terms, which have no
    /// stack.
    pub fn stacked(&self, heads: Atom) -> Option<Self> {
        match self.rows.atoms() {
            [rows] if self.columns.is_one() => Some(Shape::vector(Dim::sum([Atom::product(heads, *rows)?]))),
            _ => None,
        }
    }

    /// Returns the shape of the columns of a matrix `[n, s]`, one below the other: `[s*n]`. A
    /// vector keeps its shape, and a row is transposed. Returns `None` for a matrix unless both
    /// sizes are names of dimensions.
    pub fn of_joined_columns(&self) -> Option<Self> {
        match (self.rows.atoms(), self.columns.atoms()) {
            (_, [Atom::ONE]) => Some(self.clone()),
            ([Atom::ONE], _) => Some(self.transposed()),
            (&[rows @ Atom::Name(_)], &[columns @ Atom::Name(_)]) => {
                Some(Shape::vector(Dim::sum([Atom::product(columns, rows)?])))
            }
            _ => None,
        }
    }

    /// Returns the shape of one head's part of a value that is the stack of `heads` heads: the
    /// inverse of [`stacked`](Self::stacked), also for a matrix whose rows are such a stack.
    pub fn of_one_head(&self, heads: Atom) -> Option<Self> {
        let [rows] = self.rows.atoms() else { return None };
        let rows = match rows.split_heads() {
            _ if *rows == heads && self.columns.is_one() => Atom::ONE,
            (own, size) if own == heads => size,
            _ => return None,
        };
        let has_heads = self.columns.atoms().iter().any(|atom| atom.is_product());
        (!has_heads).then(|| Shape { rows: Dim::sum([rows]), columns: self.columns.clone() })
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
    use super::{Atom, Dim, Shape};

    #[test]
    fn stacks_of_heads() {
        let names = ["K", "D"].map(str::to_owned);
        let (k, d) = (Atom::Name(0), Atom::Name(1));
        let vector = |atom| Shape::vector(Dim::sum([atom]));
        let stack = vector(d).stacked(k).unwrap();
        assert_eq!(stack.display(&names), "[K*D]");
        assert_eq!(stack.of_one_head(k), Some(vector(d)));
        assert_eq!(Shape::scalar().stacked(k), Some(vector(k)));
        assert_eq!(vector(k).of_one_head(k), Some(Shape::scalar()));
        assert_eq!(vector(d).stacked(Atom::ONE), Some(vector(d)));
        assert_eq!(stack.stacked(k), None);
        assert_eq!(vector(d).of_one_head(k), None);
        assert_eq!(stack.of_one_head(d), None);
        let matrix = Shape { rows: Dim::sum([d]), columns: Dim::sum([d]) };
        assert_eq!(matrix.stacked(k), None);
    }

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
