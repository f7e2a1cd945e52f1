//! Small matrices of `f64` in column-major order.

#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub entries: Vec<f64>,
}

impl Matrix {
    pub fn new(rows: usize, columns: usize, entries: Vec<f64>) -> Self {
        assert_eq!(rows * columns, entries.len());
        Matrix { rows, columns, entries }
    }

    pub fn scalar(value: f64) -> Self {
        Matrix::new(1, 1, vec![value])
    }

    pub fn zero(rows: usize, columns: usize) -> Self {
        Matrix::new(rows, columns, vec![0.0; rows * columns])
    }

    pub fn from_fn(rows: usize, columns: usize, f: impl Fn(usize, usize) -> f64) -> Self {
        let entries =
            (0..columns).flat_map(|c| (0..rows).map(move |r| (r, c))).map(|(r, c)| f(r, c)).collect();
        Matrix::new(rows, columns, entries)
    }

    /// Returns an entry; a single row or column is repeated.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        let row = if self.rows == 1 { 0 } else { row };
        let column = if self.columns == 1 { 0 } else { column };
        assert!(
            row < self.rows && column < self.columns,
            "({row}, {column}) of {} x {}",
            self.rows,
            self.columns
        );
        self.entries[column * self.rows + row]
    }

    pub fn row(&self, row: usize) -> Vec<f64> {
        (0..self.columns).map(|column| self.at(row, column)).collect()
    }

    pub fn transposed(&self) -> Self {
        Matrix::from_fn(self.columns, self.rows, |r, c| self.at(c, r))
    }

    pub fn product(&self, other: &Matrix) -> Self {
        assert_eq!(self.columns, other.rows);
        let entry = |r, c| (0..self.columns).map(|k| self.at(r, k) * other.at(k, c)).sum();
        Matrix::from_fn(self.rows, other.columns, entry)
    }

    /// Applies a function entry by entry, broadcasting the arguments.
    pub fn elementwise(args: &[Matrix], f: impl Fn(&[f64]) -> f64) -> Self {
        let longest = |get: fn(&Matrix) -> usize| args.iter().map(get).find(|size| *size != 1).unwrap_or(1);
        Matrix::from_fn(longest(|arg| arg.rows), longest(|arg| arg.columns), |r, c| {
            f(&args.iter().map(|arg| arg.at(r, c)).collect::<Vec<_>>())
        })
    }

    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Matrix::new(self.rows, self.columns, self.entries.iter().map(|x| f(*x)).collect())
    }

    pub fn add(&mut self, other: &Matrix) {
        assert_eq!((self.rows, self.columns), (other.rows, other.columns));
        self.entries.iter_mut().zip(&other.entries).for_each(|(to, from)| *to += from);
    }

    pub fn dot(&self, other: &Matrix) -> f64 {
        assert_eq!((self.rows, self.columns), (other.rows, other.columns));
        self.entries.iter().zip(&other.entries).map(|(a, b)| a * b).sum()
    }

    pub fn greatest(&self) -> f64 {
        self.entries.iter().fold(0.0, |most, x| most.max(x.abs()))
    }

    /// Returns whether the matrices are equal up to `tolerance` times the larger of 1 and the
    /// largest entry. NaN and infinities only equal themselves.
    pub fn is_close(&self, other: &Matrix, tolerance: f64) -> bool {
        let scale =
            1f64.max(other.entries.iter().filter(|x| x.is_finite()).fold(0.0, |most, x| most.max(x.abs())));
        let close = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= tolerance * scale;
        (self.rows, self.columns) == (other.rows, other.columns)
            && self.entries.iter().zip(&other.entries).all(|(a, b)| close(*a, *b))
    }
}
