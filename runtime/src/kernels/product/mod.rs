//! Products of matrices with vectors and with matrices.
//!
//! Products that fit in the first-level cache are inlined and computed column by column of `x`, so
//! sizes are constants, and gates that share a right-hand side are computed together. All other
//! products are calls into `compiled`.

pub mod heads;

use super::column::column;
use super::compiled::{Product, multiply_shared};
use super::dots::dots;
use super::few_rows::{FewRows, fits};
use super::flat::Groups;
use super::gemm::{Blocks, without_gaps};
use super::isa::Isa;
use super::pack::Pack;
use super::plain::Size;
use crate::Scalar;
use core::sync::atomic::{Ordering, compiler_fence};

/// The size in bytes of the smallest first-level cache.
const CACHE: usize = 32 * 1024;

/// The number of columns up to which small products are computed column by column of `x`.
const FEW: usize = 8;

/// The inner dimension up to which small products are computed column by column. Blocks would cost
/// more than they save.
const SHALLOW: usize = 4;

/// Computes `y_g (M x n) = sum_p A_pg (M x K_p) x_p (K_p x n)`, or adds the sums to `y_g` with
/// `accumulate`: `G` sums of `P` products each, which share the right-hand sides `x_p`. The inner
/// dimensions follow from the lengths of the slices.
#[inline(always)]
pub fn products<S: Isa, T: Scalar, const M: usize, const G: usize, const P: usize>(
    isa: S,
    _: Size<M>,
    a: [[&[T]; G]; P],
    x: [&[T]; P],
    y: [&mut [T]; G],
    accumulate: bool,
) {
    if M == 0 || G == 0 || y[0].is_empty() {
        return;
    }
    let n = y[0].len() / M;
    // The inner dimensions, the largest one, and the size in bytes of the matrices of one sum.
    let (mut inner, mut deepest, mut bytes) = ([0; P], 0, 0);
    for p in 0..P {
        inner[p] = x[p].len() / n;
        deepest = if inner[p] > deepest { inner[p] } else { deepest };
        bytes += M * inner[p] * size_of::<T>();
    }
    if n == 1 && bytes > CACHE {
        for p in 0..P {
            for g in 0..G {
                let (terms, c) = ([[&a[p][g][..M * inner[p]], &x[p][..inner[p]]]], &mut y[g][..M]);
                let (transposed, accumulate) = ([false, false], accumulate || p > 0);
                let product = Product { m: M, k: inner[p], n, terms: &terms, transposed, c, accumulate };
                // SAFETY: the slices have exactly the sizes of the matrices.
                unsafe { T::multiply(isa, product) };
            }
        }
        return;
    }
    let mut at = [[core::ptr::null(); G]; P];
    let mut from = [core::ptr::null(); P];
    let mut to = [core::ptr::null_mut(); G];
    for p in 0..P {
        from[p] = x[p][..inner[p] * n].as_ptr();
        for g in 0..G {
            at[p][g] = a[p][g][..M * inner[p]].as_ptr();
        }
    }
    for g in 0..G {
        to[g] = y[g][..M * n].as_mut_ptr();
    }
    if n > FEW && fits::<S::Pack<T>, T>(M, &inner) {
        for g in 0..G {
            let mut terms = [(0, core::ptr::null(), core::ptr::null()); P];
            for p in 0..P {
                terms[p] = (inner[p], at[p][g], from[p]);
            }
            let product = FewRows { m: M, n, terms: &terms, c: to[g], accumulate };
            // SAFETY: the slices above have exactly the sizes of the matrices; `isa` proves the
            // instruction set.
            unsafe { T::multiply_few_rows::<S>(product) };
        }
        return;
    }
    if (n > FEW && deepest > SHALLOW) || (n > 1 && G * bytes > CACHE) {
        for p in 0..P {
            let (a, b, accumulate) = (&at[p], from[p], accumulate || p > 0);
            let transposed = [false, false];
            let columns = without_gaps(M, inner[p], n, transposed);
            let blocks = Blocks { m: M, k: inner[p], n, a, b, transposed, c: &to, columns, accumulate };
            // SAFETY: the slices above have exactly the sizes of the matrices; `isa` proves the
            // instruction set.
            unsafe { multiply_shared::<S, T>(blocks) };
        }
        return;
    }
    for j in 0..n {
        // Without the fence, LLVM reads the matrices before the loop and copies them to the stack,
        // because there are not enough registers.
        if n > 1 {
            compiler_fence(Ordering::SeqCst);
        }
        let mut x = from;
        for p in 0..P {
            x[p] = from[p].wrapping_add(j * inner[p]);
        }
        // SAFETY: the slices above have exactly the sizes of the matrices; `isa` proves the
        // instruction set.
        unsafe {
            let mut g = 0;
            // Matrices that do not fit in the cache are streamed through it one after the other.
            while G * bytes > CACHE && g < G {
                column_of_sums::<S::Pack<T>, T, M, G, 1, P, { MOST[1] }>(
                    g, j, inner, &at, x, &to, accumulate,
                );
                g += 1;
            }
            while G - g >= 4 {
                column_of_sums::<S::Pack<T>, T, M, G, 4, P, { MOST[4] }>(
                    g, j, inner, &at, x, &to, accumulate,
                );
                g += 4;
            }
            match G - g {
                1 => column_of_sums::<S::Pack<T>, T, M, G, 1, P, { MOST[1] }>(
                    g, j, inner, &at, x, &to, accumulate,
                ),
                2 => column_of_sums::<S::Pack<T>, T, M, G, 2, P, { MOST[2] }>(
                    g, j, inner, &at, x, &to, accumulate,
                ),
                3 => column_of_sums::<S::Pack<T>, T, M, G, 3, P, { MOST[3] }>(
                    g, j, inner, &at, x, &to, accumulate,
                ),
                _ => {}
            }
        }
    }
}

/// The largest number of vectors of rows that a column of one to four sums computes at once. On
/// aarch64, 32 registers hold them.
const MOST: [usize; 5] = if cfg!(target_arch = "aarch64") { [0, 8, 10, 8, 6] } else { [0, 8, 5, 4, 3] };

/// Computes column `j` of `N` of the `G` sums, starting with sum `first`, with at most `MOST`
/// vectors of rows at once.
///
/// # Safety
/// `a[p]` are `M x k[p]` and `x[p]` has length `k[p]`. `y` have `M` rows and a column `j`, and
/// overlap nothing else. `first + N` is at most `G`. The processor has the instruction set of `L`.
#[inline(always)]
unsafe fn column_of_sums<
    L: Pack<T>,
    T: Scalar,
    const M: usize,
    const G: usize,
    const N: usize,
    const P: usize,
    const MOST: usize,
>(
    first: usize,
    j: usize,
    k: [usize; P],
    a: &[[*const T; G]; P],
    x: [*const T; P],
    y: &[*mut T; G],
    accumulate: bool,
) {
    let mut at = [[core::ptr::null(); N]; P];
    let mut to = [core::ptr::null_mut(); N];
    for i in 0..N {
        for p in 0..P {
            at[p][i] = a[p][first + i];
        }
        to[i] = y[first + i].wrapping_add(j * M);
    }
    // SAFETY: guaranteed by the caller.
    unsafe {
        if const { T::COLUMN.is_none() && Groups::<L, T, M, N>::PAY } && Groups::<L, T, M, N>::fit(k) {
            Groups::<L, T, M, N>::multiply(k, at, x, to, accumulate);
        } else {
            column::<L, T, N, P, MOST>(M, k, at, x, to, accumulate);
        }
    }
}

/// Computes `dx (K x n) = sum_g A_g^T dy_g`, or adds it to `dx` with `accumulate`: the cotangent of
/// `x` in [`products`]. `A_g` is `M x K`, `dy_g` is `M x n`.
#[inline(always)]
pub fn pull_back<S: Isa, T: Scalar, const M: usize, const K: usize, const G: usize>(
    isa: S,
    _: Size<M>,
    _: Size<K>,
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
        let mut terms = [[&[][..]; 2]; G];
        for g in 0..G {
            terms[g] = [&a[g][..M * K], &dy[g][..M * n]];
        }
        let transposed = [true, false];
        let product = Product { m: K, k: M, n, terms: &terms, transposed, c: &mut dx[..K * n], accumulate };
        // SAFETY: the slices have exactly the sizes of the matrices.
        unsafe { T::multiply(isa, product) };
        return;
    }
    let mut at = [core::ptr::null(); G];
    let mut from = [core::ptr::null(); G];
    for g in 0..G {
        at[g] = a[g][..M * K].as_ptr();
        from[g] = dy[g][..M * n].as_ptr();
    }
    // SAFETY: the slices above have exactly the sizes of the matrices; `isa` proves the instruction
    // set.
    unsafe { dots::<S::Pack<T>, T, G>((M, K, n), at, from, dx.as_mut_ptr(), accumulate) }
}

/// Computes `da (M x K) += dy (M x n) x^T`, the cotangent of the matrix in [`products`]. `x` is
/// `K x n`.
#[inline(always)]
pub fn outer<S: Isa, T: Scalar, const M: usize, const K: usize>(
    isa: S,
    _: Size<M>,
    _: Size<K>,
    dy: &[T],
    x: &[T],
    da: &mut [T],
) {
    if M == 0 || K == 0 {
        return;
    }
    matmul::<S, T, false, true>(isa, M, x.len() / K, K, dy, x, da, true);
}

/// Computes `c (m x n) = op(a) op(b)`, or `c += op(a) op(b)` with `accumulate`, where `op(a)` is `m
/// x k` and `op(b)` is `k x n`. `TA` and `TB` transpose.
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
    let (terms, c) = ([[&a[..m * k], &b[..k * n]]], &mut c[..m * n]);
    // SAFETY: the slices have exactly the sizes of the matrices.
    unsafe {
        T::multiply(isa, Product { m, k, n, terms: &terms, transposed: [TA, TB], c, accumulate });
    }
}

#[cfg(test)]
mod tests;
