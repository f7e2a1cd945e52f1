//! Dimensions and shapes of a random definition, in its own names.

use std::fmt;

/// A sum of names and literals; `1` is the literal. Two are equal if they have the same terms in the same
/// order, which is stricter than the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dim(Vec<&'static str>);

impl Dim {
    /// The dimension `name`, or a literal.
    pub fn of(name: &'static str) -> Self {
        Self(vec![name])
    }

    /// One.
    pub fn one() -> Self {
        Self::of("1")
    }

    /// The sum of several.
    pub fn sum<'d>(dims: impl IntoIterator<Item = &'d Dim>) -> Self {
        Self(dims.into_iter().flat_map(|dim| dim.0.iter().copied()).collect())
    }

    /// The names and literals that it sums.
    pub fn terms(&self) -> &[&'static str] {
        &self.0
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" + "))
    }
}

/// Rows and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The number of rows.
    pub rows: Dim,
    /// The number of columns.
    pub columns: Dim,
}

impl Shape {
    /// A number.
    pub fn scalar() -> Self {
        Self::matrix(Dim::one(), Dim::one())
    }

    /// A column.
    pub fn vector(rows: Dim) -> Self {
        Self::matrix(rows, Dim::one())
    }

    /// A row.
    pub fn row(columns: Dim) -> Self {
        Self::matrix(Dim::one(), columns)
    }

    /// Any shape.
    pub fn matrix(rows: Dim, columns: Dim) -> Self {
        Self { rows, columns }
    }

    /// Rows and columns exchanged.
    pub fn transposed(&self) -> Self {
        Self::matrix(self.columns.clone(), self.rows.clone())
    }

    /// Whether it is `[]`.
    pub fn is_scalar(&self) -> bool {
        self.is_vector() && self.is_row()
    }

    /// Whether it has one column.
    pub fn is_vector(&self) -> bool {
        self.columns == Dim::one()
    }

    /// Whether it has one row.
    pub fn is_row(&self) -> bool {
        self.rows == Dim::one()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_scalar(), self.is_vector()) {
            (true, _) => f.write_str("[]"),
            (_, true) => write!(f, "[{}]", self.rows),
            _ => write!(f, "[{}, {}]", self.rows, self.columns),
        }
    }
}
