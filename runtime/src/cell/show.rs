//! Models as short text: names of types and shapes instead of entries.

use core::any::type_name;
use core::fmt::{self, Write};

/// Displays the name of a type, as [`type_name`] gives it, without paths: `Lstm<3, 8>`, not
/// `rnn_cell::cells::lstm::Lstm<3, 8>`.
pub(crate) struct TypeName(pub &'static str);

impl TypeName {
    pub(crate) fn of<T: ?Sized>() -> Self {
        TypeName(type_name::<T>())
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '#');
        for path in self.0.split_inclusive(|c| !is_path(c)) {
            f.write_str(path.rsplit("::").next().unwrap_or(path))?;
        }
        Ok(())
    }
}

/// Displays a shape: `[8, 3]`, `[8]` for a column, `[]` for a scalar, after the number of heads:
/// `[2, 8, 3]`.
pub(crate) struct Shape {
    pub(crate) heads: Option<usize>,
    pub(crate) size: (usize, usize),
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rows, columns) = self.size;
        let sizes = [self.heads, (self.size != (1, 1)).then_some(rows), (columns != 1).then_some(columns)];
        f.write_char('[')?;
        for (index, size) in sizes.into_iter().flatten().enumerate() {
            write!(f, "{}{size}", if index > 0 { ", " } else { "" })?;
        }
        f.write_char(']')
    }
}

/// The part of [`debug`] that writes parameters, which are visited block by block.
struct Writer<'f, 'b> {
    f: &'f mut fmt::Formatter<'b>,
    /// The largest absolute value among the visited entries of the parameter, NaN if one is.
    largest: f64,
    /// The number of entries of the parameter that are still to be visited.
    left: usize,
    is_first: bool,
    result: fmt::Result,
}

impl Writer<'_, '_> {
    fn add(
        &mut self,
        name: &str,
        shape: &super::BlockShape,
        values: impl Iterator<Item = f64>,
    ) -> fmt::Result {
        if self.left == 0 {
            self.left = shape.heads().unwrap_or(1) * shape.whole.0 * shape.whole.1;
            self.largest = 0.0;
            self.f.write_str(match (self.f.alternate(), self.is_first) {
                (true, _) => "\n    ",
                (false, true) => " ",
                (false, false) => ", ",
            })?;
            self.is_first = false;
            write!(self.f, "{name}: {}", Shape { heads: shape.heads(), size: shape.whole })?;
        }
        for value in values {
            let size = value.abs();
            self.left = self.left.saturating_sub(1);
            // NaN is kept: no comparison with it is true.
            if size > self.largest || size.is_nan() {
                self.largest = size;
            }
        }
        if self.left > 0 {
            return Ok(());
        }
        self.f.write_str(" max ")?;
        match self.largest {
            size if size == 0.0 || (1e-3..1e4).contains(&size) || !size.is_finite() => {
                write!(self.f, "{}", Rounded(size))?;
            }
            size => write!(self.f, "{size:.2e}")?,
        }
        if self.f.alternate() { self.f.write_char(',') } else { Ok(()) }
    }
}

/// Displays a number with at most three decimals.
struct Rounded(f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding and subtracting 2^52 rounds to an integer; `core` has no `round`.
        const SHIFT: f64 = 4_503_599_627_370_496.0;
        write!(f, "{}", ((self.0 * 1e3 + SHIFT) - SHIFT) / 1e3)
    }
}

/// Writes a model in short: the name of its type, and the name, the shape and the largest absolute
/// value of every parameter. The body of `Debug` for cells and gradients.
pub fn debug<M: super::Model>(model: &M, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use crate::Scalar;
    write!(f, "{} {{", TypeName::of::<M>())?;
    let mut writer = Writer { f, largest: 0.0, left: 0, is_first: true, result: Ok(()) };
    let mut add = |parameter: super::Parameter<'_, '_, M::Scalar>| {
        if writer.result.is_ok() {
            let values = parameter.values.iter().map(|value| value.as_f64());
            writer.result = writer.add(parameter.name, &parameter.shape, values);
        }
    };
    model.visit(&mut add);
    model.visit_buffers(&mut add);
    let Writer { f, is_first, result, .. } = writer;
    result?;
    f.write_str(if is_first {
        "}"
    } else if f.alternate() {
        "\n}"
    } else {
        " }"
    })
}
