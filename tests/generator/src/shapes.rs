//! Dimensions and shapes of a random definition.

use std::fmt;

/// A dimension: a sum of names and literals.
///
/// Two dimensions are equal if they have the same terms in the same order. The language is less
/// strict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dim(Vec<&'static str>);

impl Dim {
    /// Returns the dimension of a name or a literal.
    pub fn of(name: &'static str) -> Self {
        Self(vec![name])
    }

    /// Returns the literal `1`.
    pub fn one() -> Self {
        Self::of("1")
    }

    /// Returns the sum of several dimensions.
    pub fn sum<'d>(dims: impl IntoIterator<Item = &'d Dim>) -> Self {
        Self(dims.into_iter().flat_map(|dim| dim.0.iter().copied()).collect())
    }

    /// Returns the terms of the sum.
    pub fn terms(&self) -> &[&'static str] {
        &self.0
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" + "))
    }
}

/// The shape of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The number of rows.
    pub rows: Dim,
    /// The number of columns.
    pub columns: Dim,
}

impl Shape {
    /// Returns the shape of a scalar.
    pub fn scalar() -> Self {
        Self::matrix(Dim::one(), Dim::one())
    }

    /// Returns the shape of a column.
    pub fn vector(rows: Dim) -> Self {
        Self::matrix(rows, Dim::one())
    }

    /// Returns the shape of a row.
    pub fn row(columns: Dim) -> Self {
        Self::matrix(Dim::one(), columns)
    }

    /// Returns the shape of a matrix.
    pub fn matrix(rows: Dim, columns: Dim) -> Self {
        Self { rows, columns }
    }

    /// Returns the shape with rows and columns exchanged.
    pub fn transposed(&self) -> Self {
        Self::matrix(self.columns.clone(), self.rows.clone())
    }

    /// Returns whether the shape is `[]`.
    pub fn is_scalar(&self) -> bool {
        self.is_vector() && self.is_row()
    }

    /// Returns whether there is one column.
    pub fn is_vector(&self) -> bool {
        self.columns == Dim::one()
    }

    /// Returns whether there is one row.
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
