//! Products of matrices with vectors and with matrices.
//!
//! What is small enough to stay in the first-level cache is inlined, column by column of `x`, so that sizes are
//! constants and gates that share a right-hand side run together; the rest is a call into `compiled`.

use super::column::column;
use super::compiled::{Operand, Product};
use super::dots::dots;
use super::isa::Isa;
use crate::Scalar;

/// Bytes of matrices that the smallest first-level cache holds.
const CACHE: usize = 32 * 1024;

/// Up to this many columns, small products go column by column of `x`;
const FEW: usize = 8;

/// and so do those whose inner dimension is at most this: blocks of them would be all overhead.
const SHALLOW: usize = 4;

/// `y_g (M x n) = or += A_g (M x K) x (K x n)` for `G` matrices that share `x`.
#[inline(always)]
pub fn products<S: Isa, T: Scalar, const M: usize, const K: usize, const G: usize>(
    isa: S,
    a: [&[T]; G],
    x: &[T],
    y: [&mut [T]; G],
    accumulate: bool,
) {
    if M == 0 || K == 0 {
        for g in 0..G {
            if !accumulate {
                y[g].fill(T::ZERO);
            }
        }
        return;
    }
    let n = x.len() / K;
    if (n > FEW && K > SHALLOW) || G * M * K * size_of::<T>() > CACHE {
        for g in 0..G {
            let (a, b) =
                (Operand { values: a[g], transposed: false }, Operand { values: x, transposed: false });
            T::multiply(isa, Product { m: M, k: K, n, a, b, c: &mut *y[g], accumulate });
        }
        return;
    }
    let mut at = [core::ptr::null(); G];
    let mut to = [core::ptr::null_mut(); G];
    for g in 0..G {
        at[g] = a[g][..M * K].as_ptr();
        to[g] = y[g][..M * n].as_mut_ptr();
    }
    for j in 0..n {
        // SAFETY: the slices above have exactly the sizes of the matrices; `isa` proves the instruction set.
        unsafe {
            let x = x.as_ptr().add(j * K);
            let mut g = 0;
            while G - g >= 4 {
                column::<S::Pack<T>, T, 4, 3>(M, K, some(&at, g), x, some_mut(&to, g, j * M), accumulate);
                g += 4;
            }
            match G - g {
                1 => {
                    column::<S::Pack<T>, T, 1, 8>(M, K, some(&at, g), x, some_mut(&to, g, j * M), accumulate)
                }
                2 => {
                    column::<S::Pack<T>, T, 2, 5>(M, K, some(&at, g), x, some_mut(&to, g, j * M), accumulate)
                }
                3 => {
                    column::<S::Pack<T>, T, 3, 4>(M, K, some(&at, g), x, some_mut(&to, g, j * M), accumulate)
                }
                _ => {}
            }
        }
    }
}

/// `N` of `G` matrices, from `first` on.
#[inline(always)]
fn some<T, const G: usize, const N: usize>(all: &[*const T; G], first: usize) -> [*const T; N] {
    let mut some = [core::ptr::null(); N];
    for i in 0..N {
        some[i] = all[first + i];
    }
    some
}

/// `N` of `G` results, from `first` on, each from entry `at` on.
#[inline(always)]
fn some_mut<T, const G: usize, const N: usize>(all: &[*mut T; G], first: usize, at: usize) -> [*mut T; N] {
    let mut some = [core::ptr::null_mut(); N];
    for i in 0..N {
        some[i] = all[first + i].wrapping_add(at);
    }
    some
}

/// `dx (K x n) = or += sum_g A_g^T dy_g`, the cotangent of [`products`]' `x`; `A_g` is `M x K`, `dy_g` `M x n`.
#[inline(always)]
pub fn pull_back<S: Isa, T: Scalar, const M: usize, const K: usize, const G: usize>(
    isa: S,
    a: [&[T]; G],
    dy: [&[T]; G],
    dx: &mut [T],
    accumulate: bool,
) {
    if M == 0 || K == 0 || G == 0 {
        if !accumulate {
            dx.fill(T::ZERO);
        }
        return;
    }
    let n = dx.len() / K;
    if n > FEW || G * M * K * size_of::<T>() > CACHE {
        for g in 0..G {
            let (a, b) =
                (Operand { values: a[g], transposed: true }, Operand { values: dy[g], transposed: false });
            T::multiply(isa, Product { m: K, k: M, n, a, b, c: &mut *dx, accumulate: accumulate || g > 0 });
        }
        return;
    }
    let mut at = [core::ptr::null(); G];
    let mut from = [core::ptr::null(); G];
    for g in 0..G {
        at[g] = a[g][..M * K].as_ptr();
        from[g] = dy[g][..M * n].as_ptr();
    }
    // SAFETY: the slices above have exactly the sizes of the matrices; `isa` proves the instruction set.
    unsafe { dots::<S::Pack<T>, T, G>((M, K, n), at, from, dx.as_mut_ptr(), accumulate) }
}

/// `da (M x K) += dy (M x n) x^T`, the cotangent of [`products`]' matrix; `x` is `K x n`.
#[inline(always)]
pub fn outer<S: Isa, T: Scalar, const M: usize, const K: usize>(isa: S, dy: &[T], x: &[T], da: &mut [T]) {
    if M == 0 || K == 0 {
        return;
    }
    let n = x.len() / K;
    let (a, b) = (Operand { values: dy, transposed: false }, Operand { values: x, transposed: true });
    T::multiply(isa, Product { m: M, k: n, n: K, a, b, c: da, accumulate: true });
}

/// `c (m x n) = or += op(a) op(b)` with `op(a)` of `m x k` and `op(b)` of `k x n`; `TA` and `TB` transpose.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub fn matmul<S: Isa, T: Scalar, const TA: bool, const TB: bool>(
    isa: S,
    m: usize,
    k: usize,
    n: usize,
    a: &[T],
    b: &[T],
    c: &mut [T],
    accumulate: bool,
) {
    let (a, b) = (Operand { values: a, transposed: TA }, Operand { values: b, transposed: TB });
    T::multiply(isa, Product { m, k, n, a, b, c, accumulate });
}

#[cfg(test)]
mod tests;
