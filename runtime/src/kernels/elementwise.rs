//! The fused element-wise chain: one closure over the rows of any number of vectors.
//!
//! Rows go through in blocks of eight lanes, copied in and out of local arrays: the vectoriser then needs no
//! proof that the slices are disjoint. The last block is padded, since a scalar tail would cost more than the
//! vector blocks before it.

use super::isa::Isa;
use crate::Scalar;

const LANES: usize = 8;

/// `outs[.., row] = f(ins[.., row], outs[.., row])` for each of the `N` rows.
///
/// The closure gets the old contents of the outputs, so accumulators and updates in place need no aliasing.
#[inline(always)]
pub fn map<S: Isa, T: Scalar, const N: usize, const IN: usize, const OUT: usize>(
    isa: S,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    rows(isa, N, ins, outs, f);
}

/// [`map`] over slices of any common length.
#[inline(always)]
pub fn map_flat<S: Isa, T: Scalar, const IN: usize, const OUT: usize>(
    isa: S,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    let n = if OUT > 0 { outs[0].len() } else { 0 };
    rows(isa, n, ins, outs, f);
}

#[inline(always)]
fn rows<S: Isa, T: Scalar, const IN: usize, const OUT: usize>(
    _isa: S,
    n: usize,
    mut ins: [&[T]; IN],
    mut outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    // The one check of the lengths: below, every index is within `n`.
    for slice in &mut ins {
        *slice = &slice[..n];
    }
    for slice in &outs {
        assert!(slice.len() >= n);
    }
    if n == 1 {
        let mut a = [T::ZERO; IN];
        for i in 0..IN {
            a[i] = ins[i][0];
        }
        let mut b = [T::ZERO; OUT];
        for o in 0..OUT {
            b[o] = outs[o][0];
        }
        let b = f(a, b);
        for o in 0..OUT {
            outs[o][0] = b[o];
        }
        return;
    }
    let mut start = 0;
    while start + LANES <= n {
        block(start, LANES, &ins, &mut outs, &f);
        start += LANES;
    }
    if start < n {
        block(start, n - start, &ins, &mut outs, &f);
    }
}

/// `count` rows from `start` on, as eight.
#[inline(always)]
fn block<T: Scalar, const IN: usize, const OUT: usize>(
    start: usize,
    count: usize,
    ins: &[&[T]; IN],
    outs: &mut [&mut [T]; OUT],
    f: &impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    let mut a = [[T::ZERO; LANES]; IN];
    let mut b = [[T::ZERO; LANES]; OUT];
    for i in 0..IN {
        a[i][..count].copy_from_slice(&ins[i][start..start + count]);
    }
    for o in 0..OUT {
        b[o][..count].copy_from_slice(&outs[o][start..start + count]);
    }
    for l in 0..LANES {
        let mut row_a = [T::ZERO; IN];
        let mut row_b = [T::ZERO; OUT];
        for i in 0..IN {
            row_a[i] = a[i][l];
        }
        for o in 0..OUT {
            row_b[o] = b[o][l];
        }
        let row = f(row_a, row_b);
        for o in 0..OUT {
            b[o][l] = row[o];
        }
    }
    for o in 0..OUT {
        outs[o][start..start + count].copy_from_slice(&b[o][..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math;
    use crate::kernels::testing::{Random, both};

    fn check<S: Isa, T: Scalar, const N: usize>(isa: S) {
        let mut random = Random::new(N as u64);
        let (a, b): (Vec<T>, Vec<T>) = (random.scalars(N), random.scalars(N));
        let (old, mut sum) = {
            let old: Vec<T> = random.scalars(N);
            (old.clone(), old)
        };
        let mut product = vec![T::NOT_A_NUMBER; N];
        map::<S, T, N, 2, 2>(isa, [&a, &b], [&mut sum, &mut product], |[a, b], [sum, _]| [sum + a, a * b]);
        for row in 0..N {
            assert!(sum[row] == old[row] + a[row], "row {row} of {N}");
            assert!(product[row] == a[row] * b[row], "row {row} of {N}");
        }
        let mut longer = old.clone();
        map_flat(isa, [&a], [&mut longer], |[a], [old]| [math::max(isa, a, old)]);
        for row in 0..N {
            assert!(longer[row] == if a[row] > old[row] { a[row] } else { old[row] });
        }
        map::<S, T, N, 0, 1>(isa, [], [&mut longer], |[], [_]| [T::ONE]);
        assert!(longer.iter().all(|&entry| entry == T::ONE));
    }

    #[test]
    fn every_row_once_with_its_old_contents() {
        both!(isa => {
            check::<_, f32, 1>(isa); check::<_, f32, 2>(isa); check::<_, f32, 5>(isa); check::<_, f32, 8>(isa);
            check::<_, f32, 16>(isa); check::<_, f32, 20>(isa); check::<_, f32, 33>(isa); check::<_, f32, 64>(isa);
            check::<_, f32, 100>(isa);
            check::<_, f64, 1>(isa); check::<_, f64, 5>(isa); check::<_, f64, 20>(isa); check::<_, f64, 33>(isa);
        });
    }

    #[test]
    fn rows_beyond_the_last_stay() {
        let mut out = [1.0f32; 12];
        map::<_, _, 10, 0, 1>(crate::kernels::isa::Portable::token(), [], [&mut out], |[], [_]| [2.0]);
        assert_eq!(&out[8..], [2.0, 2.0, 1.0, 1.0]);
    }
}
