//! Products of matrices that are stored in fewer bits than the computation uses.
//!
//! A product with one vector reads each entry of its matrix once. From some size on it is limited
//! by the memory bandwidth, so half the bytes take half the time. A [`Format`] decides how entries
//! are stored and multiplied: `widened` multiplies in the scalar type, `integer` in integers.
//! `stored` holds the matrices and converts them to bytes and back.

mod format;
mod integer;
#[cfg(feature = "quantised")]
mod stored;
mod widened;

use super::isa::Isa;
use super::plain::Size;
use super::product::heads::HeadStrides;
use crate::Scalar;

pub use format::{Bf16, Format, Int8, Int8By16};
#[cfg(feature = "quantised")]
pub use stored::{Bytes, Stored, check_end, from_bytes};

/// A stored matrix.
#[derive(Debug, Clone, Copy)]
pub struct Narrow<'a, Q: Format, T> {
    /// The entries, panel by panel.
    pub entries: &'a [Q::Entry],
    /// The scales, one per row, or an empty slice.
    pub scales: &'a [T],
}

/// Stores a matrix with the entries `number(row, column)`. Returns `false` if an entry cannot be
/// stored; the contents of `entries` and `scales` are then unspecified.
pub fn narrow<Q: Format, T: Scalar>(
    (rows, columns): (usize, usize),
    number: impl Fn(usize, usize) -> T,
    entries: &mut [Q::Entry],
    scales: &mut [T],
) -> bool {
    for row in 0..rows {
        let Some(scale) = scale::<Q, T>((0..columns).map(|column| number(row, column))) else { return false };
        if let Some(own) = scales.get_mut(row) {
            *own = scale;
        }
        for column in 0..columns {
            let at = Q::place((rows, columns), row, column);
            match (stored::<Q, T>(number(row, column), scale), entries.get_mut(at)) {
                (Some((entry, _)), Some(own)) => *own = entry,
                _ => return false,
            }
        }
    }
    true
}

/// Returns the scale of a row, or `None` if an entry is not finite.
fn scale<Q: Format, T: Scalar>(row: impl Iterator<Item = T>) -> Option<T> {
    let mut largest = 0.0;
    for number in row {
        let size = number.as_f64().abs();
        if !size.is_finite() {
            return None;
        }
        largest = if size > largest { size } else { largest };
    }
    Some(T::of(Q::scale(largest)))
}

/// Returns the stored entry for a number, and the number that this entry represents. Returns `None`
/// if the latter is not finite.
fn stored<Q: Format, T: Scalar>(number: T, scale: T) -> Option<(Q::Entry, T)> {
    let entry = Q::narrowed(number.as_f64(), scale.as_f64())?;
    let number = Q::widened::<T>(entry) * if Q::SCALES > 0 { scale } else { T::ONE };
    // The largest magnitude over 127 may be rounded up.
    number.as_f64().is_finite().then_some((entry, number))
}

/// Returns the positions, in a column-major matrix, of the entries that share a scale. They are a
/// row, or a column if the transpose is stored.
fn line((rows, columns): (usize, usize), is_transposed: bool, index: usize) -> impl Iterator<Item = usize> {
    let (first, step, count) = if is_transposed { (index * rows, 1, rows) } else { (index, rows, columns) };
    (0..count).map(move |place| first + place * step)
}

fn lines((rows, columns): (usize, usize), is_transposed: bool) -> usize {
    if is_transposed { columns } else { rows }
}

/// Returns whether every entry of a column-major matrix can be stored.
pub fn fits<Q: Format, T: Scalar>(size: (usize, usize), is_transposed: bool, entries: &[T]) -> bool {
    (0..lines(size, is_transposed)).all(|index| {
        let line = || line(size, is_transposed, index).filter_map(|place| entries.get(place).copied());
        scale::<Q, T>(line()).is_some_and(|scale| line().all(|entry| stored::<Q, T>(entry, scale).is_some()))
    })
}

/// Rounds the entries of a column-major matrix that [`fits`] to the numbers that their stored
/// entries represent.
pub fn round<Q: Format, T: Scalar>(size: (usize, usize), is_transposed: bool, entries: &mut [T]) {
    for index in 0..lines(size, is_transposed) {
        let line = || line(size, is_transposed, index);
        let Some(scale) = scale::<Q, T>(line().filter_map(|place| entries.get(place).copied())) else {
            continue;
        };
        for place in line() {
            let Some(own) = entries.get_mut(place) else { continue };
            *own = stored::<Q, T>(*own, scale).map_or(*own, |(_, number)| number);
        }
    }
}

/// Returns an entry of a stored matrix as products use it, or zero outside the matrix.
pub fn entry<Q: Format, T: Scalar>(
    size: (usize, usize),
    matrix: Narrow<'_, Q, T>,
    row: usize,
    column: usize,
) -> T {
    if row >= size.0 || column >= size.1 {
        return T::ZERO;
    }
    let number = matrix.entries.get(Q::place(size, row, column)).map_or(T::ZERO, |entry| Q::widened(*entry));
    matrix.scales.get(row).map_or(number, |scale| number * *scale)
}

/// Computes `y_g (M x n) = sum_p A_pg (M x K_p) x_p (K_p x n)`, or adds the sums to `y_g` with
/// `accumulate`, like `products`.
#[inline(always)]
pub fn narrow_products<S: Isa, Q: Format, T: Scalar, const M: usize, const G: usize, const P: usize>(
    isa: S,
    _: Size<M>,
    a: [[Narrow<'_, Q, T>; G]; P],
    x: [&[T]; P],
    y: [&mut [T]; G],
    accumulate: bool,
) {
    Q::products::<S, T, M, G, P>(isa, a, x, y, accumulate);
}

/// Computes [`narrow_products`] for each of `K` heads, like `head_products`.
#[inline(always)]
pub fn narrow_head_products<
    S: Isa,
    Q: Format,
    T: Scalar,
    const K: usize,
    const M: usize,
    const G: usize,
    const P: usize,
>(
    isa: S,
    _: (Size<K>, Size<M>),
    a: [[[Narrow<'_, Q, T>; K]; G]; P],
    x: [&[T]; P],
    x_has_heads: [bool; P],
    y: [&mut [T]; G],
    accumulate: bool,
) {
    for (g, y) in y.into_iter().enumerate() {
        for p in 0..P {
            let k = a[p][g].first().map_or(0, |first| first.entries.len() / M.max(1));
            let x_head = match x_has_heads[p] {
                true => HeadStrides { matrix: k, column: K * k },
                false => HeadStrides { matrix: 0, column: k },
            };
            let y_head = HeadStrides { matrix: M, column: K * M };
            let accumulate = accumulate || p > 0;
            narrow_head_product(
                isa,
                (Size::<K>, Size::<M>),
                a[p][g],
                (x[p], x_head),
                (y, y_head),
                accumulate,
            );
        }
    }
}

/// Computes `y_h (M x n) = A_h x_h` for each of `K` heads, or adds the products to `y_h` with
/// `accumulate`, like `head_product`. If all heads share `y`, it is the sum of their products.
#[inline(always)]
pub fn narrow_head_product<S: Isa, Q: Format, T: Scalar, const K: usize, const M: usize>(
    isa: S,
    _: (Size<K>, Size<M>),
    a: [Narrow<'_, Q, T>; K],
    (x, x_head): (&[T], HeadStrides),
    (y, y_head): (&mut [T], HeadStrides),
    accumulate: bool,
) {
    let n = y.len() / y_head.period(K, M);
    for (head, matrix) in a.into_iter().enumerate() {
        let k = matrix.entries.len() / M.max(1);
        let accumulate = accumulate || y_head.matrix == 0 && head > 0;
        for j in 0..n {
            let from = head * x_head.matrix + j * x_head.column;
            let to = head * y_head.matrix + j * y_head.column;
            let (Some(x), Some(y)) = (x.get(from..from + k), y.get_mut(to..to + M)) else {
                debug_assert!(false, "the slices do not have the sizes of the matrices");
                return;
            };
            narrow_products(isa, Size::<M>, [[matrix]], [x], [y], accumulate);
        }
    }
}

/// Computes `y[.., j] = e[.., w[j] - offset]`, or `+=` with `accumulate`, like `gather`, where `e`
/// is `M x V`.
#[inline(always)]
pub fn narrow_gather<Q: Format, T: Scalar, const M: usize>(
    _: Size<M>,
    e: Narrow<'_, Q, T>,
    w: &[u32],
    offset: usize,
    y: &mut [T],
    accumulate: bool,
) {
    if M == 0 {
        return;
    }
    let columns = e.entries.len() / M;
    for (&index, y) in w.iter().zip(y.chunks_exact_mut(M)) {
        let column = usize::try_from(index).ok().and_then(|index| index.checked_sub(offset));
        for r in 0..M {
            let number = column.map_or(T::ZERO, |column| entry((M, columns), e, r, column));
            y[r] = if accumulate { y[r] + number } else { number };
        }
    }
}

#[cfg(test)]
mod tests;
