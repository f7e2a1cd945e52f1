//! Columns by index: the product of a matrix with one-hot vectors, and its cotangent.
//!
//! An index outside the matrix reads zeros and gets no gradient, because a step must not panic.
//! Indices count from `offset`, so a matrix that consists of several blocks of columns is handled
//! block by block.

use super::plain::Size;
use crate::Scalar;

/// Computes `y[.., j] = e[.., w[j] - offset]`, or `+=` with `accumulate`, where `e` is `M x V` and
/// `y` is `M x n`.
#[inline(always)]
pub fn gather<T: Scalar, const M: usize>(
    _: Size<M>,
    e: &[T],
    w: &[u32],
    offset: usize,
    y: &mut [T],
    accumulate: bool,
) {
    if M == 0 {
        return;
    }
    for (&index, y) in w.iter().zip(y.chunks_exact_mut(M)) {
        match column::<M>(e.len(), index, offset) {
            Some(start) => {
                let column = &e[start..start + M];
                for r in 0..M {
                    y[r] = if accumulate { y[r] + column[r] } else { column[r] };
                }
            }
            None if !accumulate => y.fill(T::ZERO),
            None => {}
        }
    }
}

/// Computes `de[.., w[j] - offset] += dy[.., j]`, where `dy` is `M x n` and `de` is `M x V`.
#[inline(always)]
pub fn scatter<T: Scalar, const M: usize>(_: Size<M>, dy: &[T], w: &[u32], offset: usize, de: &mut [T]) {
    if M == 0 {
        return;
    }
    for (&index, dy) in w.iter().zip(dy.chunks_exact(M)) {
        if let Some(start) = column::<M>(de.len(), index, offset) {
            let column = &mut de[start..start + M];
            for r in 0..M {
                column[r] += dy[r];
            }
        }
    }
}

/// Returns the position of the first entry of a column, or `None` outside the matrix.
#[inline(always)]
fn column<const M: usize>(len: usize, index: u32, offset: usize) -> Option<usize> {
    let index = usize::try_from(index).ok()?.checked_sub(offset)?;
    if index < len / M { Some(index * M) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::Random;

    fn check<const M: usize>() {
        const V: usize = 7;
        let mut random = Random::new(M as u64);
        let e: Vec<f32> = random.scalars(M * V);
        let w = [3, 0, 6, 3, 7, u32::MAX];
        let old: Vec<f32> = random.scalars(M * w.len());
        for accumulate in [false, true] {
            let mut y = old.clone();
            gather(Size::<M>, &e, &w, 0, &mut y, accumulate);
            for (j, &index) in w.iter().enumerate() {
                for r in 0..M {
                    let entry = if (index as usize) < V { e[r + M * index as usize] } else { 0.0 };
                    let start = if accumulate { old[r + M * j] } else { 0.0 };
                    assert_eq!(y[r + M * j], start + entry);
                }
            }
        }
        let mut de = e.clone();
        scatter(Size::<M>, &old, &w, 0, &mut de);
        for r in 0..M {
            assert_eq!(de[r + M * 3], e[r + M * 3] + old[r] + old[r + M * 3]);
            assert_eq!(de[r], e[r] + old[r + M]);
            assert_eq!(de[r + M * 6], e[r + M * 6] + old[r + M * 2]);
            for untouched in [1, 2, 4, 5] {
                assert_eq!(de[r + M * untouched], e[r + M * untouched]);
            }
        }
    }

    #[test]
    fn indices_count_from_the_offset() {
        let e = [1.0, 2.0, 3.0];
        let mut y = [9.0; 4];
        gather(Size::<1>, &e, &[4, 5, 6, 7], 4, &mut y, false);
        assert_eq!(y, [1.0, 2.0, 3.0, 0.0]);
        let mut de = [0.0; 3];
        scatter(Size::<1>, &[10.0, 20.0, 30.0], &[3, 4, 6], 4, &mut de);
        assert_eq!(de, [20.0, 0.0, 30.0]);
    }

    #[test]
    fn columns_are_gathered_and_scattered() {
        check::<1>();
        check::<2>();
        check::<5>();
        check::<8>();
        check::<16>();
        check::<20>();
        check::<33>();
        check::<64>();
        check::<100>();
    }
}
