//! Matrix products that are compiled with this crate, once per scalar type and instruction set.
//!
//! Generic bodies are compiled with the profile of the crate that contains the cell. These are not,
//! so products that are large enough for a call run at full speed even in a dev build. Each has a
//! `#[target_feature]` twin.

use super::column::column;
use super::dots::dots;
use super::few_rows::{FewRows, few_rows};
use super::gemm::{Blocks, PANEL, Panel, SHORT, SHORT_PANEL, blocked, without_gaps};
use super::isa::{Isa, Level};
use super::pack::Pack;
use super::transposed::by_transpose;
use crate::Scalar;
use core::mem::MaybeUninit;

/// The product `C (m x n) = sum over terms of A (m x k) B (k x n)`, added to C with `accumulate`.
#[derive(Debug)]
#[doc(hidden)]
pub struct Product<'a, T> {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    /// Pairs of matrices A and B, column by column.
    pub(super) terms: &'a [[&'a [T]; 2]],
    /// Two flags: the slices of A contain the transpose, and those of B do.
    pub(super) transposed: [bool; 2],
    pub(super) c: &'a mut [T],
    pub(super) accumulate: bool,
}

/// A scalar with compiled matrix products.
#[doc(hidden)]
pub trait Compiled: Sized {
    /// Computes a product under the caller's instruction set.
    ///
    /// The caller checks the sizes. They are constants there, so the compiler evaluates the check
    /// and a step contains no panic.
    ///
    /// # Safety
    /// The slices have exactly the sizes of the matrices.
    unsafe fn multiply<S: Isa>(isa: S, product: Product<'_, Self>);

    /// Computes a product of two matrices in blocks.
    ///
    /// # Safety
    /// The same as for [`blocked`]. The processor has the instruction set `S`.
    unsafe fn multiply_blocked<S: Isa>(blocks: Blocks<'_, Self>, scratch: Option<&mut [MaybeUninit<Self>]>);

    /// Computes a product of few rows.
    ///
    /// # Safety
    /// The same as for [`few_rows`]. The processor has the instruction set `S`.
    unsafe fn multiply_few_rows<S: Isa>(product: FewRows<'_, Self>);

    /// Computes a product with transposed matrices through the transpose of the result.
    ///
    /// # Safety
    /// The same as for [`by_transpose`]. The processor has the instruction set `S`.
    unsafe fn multiply_by_transpose<S: Isa>(product: Product<'_, Self>);
}

macro_rules! compiled {
    ($float:ident: $($level:ident $multiply:ident $blocked:ident $by_transpose:ident $few_rows:ident $(($arch:literal, $features:literal))?,)*) => {
        $(
            $(#[cfg(target_arch = $arch)]
            #[target_feature(enable = $features)])?
            #[inline(never)]
            unsafe fn $multiply(product: Product<'_, $float>) {
                // SAFETY: this function has the features; the rest is guaranteed by the caller.
                unsafe { best::<super::isa::$level, $float>(product) }
            }

            $(#[cfg(target_arch = $arch)]
            #[target_feature(enable = $features)])?
            #[inline(never)]
            unsafe fn $blocked(blocks: Blocks<'_, $float>, scratch: Option<&mut [MaybeUninit<$float>]>) {
                // SAFETY: this function has the features; the rest is guaranteed by the caller.
                unsafe { blocked::<<super::isa::$level as Isa>::Pack<$float>, $float>(blocks, scratch) }
            }

            $(#[cfg(target_arch = $arch)]
            #[target_feature(enable = $features)])?
            #[inline(never)]
            unsafe fn $by_transpose(product: Product<'_, $float>) {
                // SAFETY: this function has the features; the rest is guaranteed by the caller.
                unsafe { by_transpose::<super::isa::$level, $float>(product) }
            }
        )*

        $(
            $(#[cfg(target_arch = $arch)]
            #[target_feature(enable = $features)])?
            #[inline(never)]
            unsafe fn $few_rows(product: FewRows<'_, $float>) {
                // SAFETY: this function has the features; the rest is guaranteed by the caller.
                unsafe { few_rows::<<super::isa::$level as Isa>::Pack<$float>, $float>(product) }
            }
        )*

        impl Compiled for $float {
            #[inline(always)]
            unsafe fn multiply<S: Isa>(_isa: S, product: Product<'_, Self>) {
                match S::LEVEL {
                    $(
                        $(#[cfg(target_arch = $arch)])?
                        Level::$level => {
                            // SAFETY: `_isa` proves the features; the rest is guaranteed by the
                            // caller.
                            unsafe { $multiply(product) }
                        }
                    )*
                    #[cfg(not(target_arch = "x86_64"))]
                    _ => unreachable!("tokens exist only for the instruction sets of the target"),
                }
            }

            #[inline(always)]
            unsafe fn multiply_by_transpose<S: Isa>(product: Product<'_, Self>) {
                match S::LEVEL {
                    $(
                        $(#[cfg(target_arch = $arch)])?
                        Level::$level => {
                            // SAFETY: guaranteed by the caller.
                            unsafe { $by_transpose(product) }
                        }
                    )*
                    #[cfg(not(target_arch = "x86_64"))]
                    _ => unreachable!("tokens exist only for the instruction sets of the target"),
                }
            }

            #[inline(always)]
            unsafe fn multiply_few_rows<S: Isa>(product: FewRows<'_, Self>) {
                match S::LEVEL {
                    $(
                        $(#[cfg(target_arch = $arch)])?
                        Level::$level => {
                            // SAFETY: guaranteed by the caller.
                            unsafe { $few_rows(product) }
                        }
                    )*
                    #[cfg(not(target_arch = "x86_64"))]
                    _ => unreachable!("tokens exist only for the instruction sets of the target"),
                }
            }

            #[inline(always)]
            unsafe fn multiply_blocked<S: Isa>(blocks: Blocks<'_, Self>, scratch: Option<&mut [MaybeUninit<Self>]>) {
                match S::LEVEL {
                    $(
                        $(#[cfg(target_arch = $arch)])?
                        Level::$level => {
                            // SAFETY: guaranteed by the caller.
                            unsafe { $blocked(blocks, scratch) }
                        }
                    )*
                    #[cfg(not(target_arch = "x86_64"))]
                    _ => unreachable!("tokens exist only for the instruction sets of the target"),
                }
            }
        }
    };
}

compiled! { f32:
    Portable multiply_f32 blocked_f32 by_transpose_f32 few_rows_f32,
    Avx2 multiply_f32_avx2 blocked_f32_avx2 by_transpose_f32_avx2 few_rows_f32_avx2 ("x86_64", "avx2,fma"),
    Avx512 multiply_f32_avx512 blocked_f32_avx512 by_transpose_f32_avx512 few_rows_f32_avx512 ("x86_64", "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"),
}
compiled! { f64:
    Portable multiply_f64 blocked_f64 by_transpose_f64 few_rows_f64,
    Avx2 multiply_f64_avx2 blocked_f64_avx2 by_transpose_f64_avx2 few_rows_f64_avx2 ("x86_64", "avx2,fma"),
    Avx512 multiply_f64_avx512 blocked_f64_avx512 by_transpose_f64_avx512 few_rows_f64_avx512 ("x86_64", "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"),
}

/// The number of columns up to which dot products are faster than the blocks of a transposed
/// matrix, which must be packed.
const FEW_COLUMNS: usize = 11;

/// The value of [`FEW_COLUMNS`] for long dot products.
const FEW_COLUMNS_LONG: usize = 15;

/// The value of [`FEW_COLUMNS`] if the columns do not fill whole vectors.
const FEW_COLUMNS_UNEVEN: usize = 31;

/// The smallest length of a long dot product.
const LONG: usize = 48;

/// The number of rows below which blocks are not faster either.
const FEW_ROWS: usize = 8;

/// The largest number of vectors of a column that are summed at once.
///
/// Large matrices come from the second-level cache, whose bandwidth is reached only by reading in
/// the order of memory: whole columns, with all sums in registers. Compared with that, it does not
/// matter whether the columns are aligned. The deterministic mode keeps the order of additions that
/// follows from eight.
const TALLEST: usize = if cfg!(feature = "deterministic") { 8 } else { 24 };

/// The algorithms for a sum of products.
enum Form {
    /// A sum of columns.
    Columns,
    /// Dot products.
    Dots,
    /// Blocks of the transpose of the result.
    ByTranspose,
    /// Blocks.
    Blocks,
}

impl Form {
    #[inline(always)]
    fn of<P: Pack<T>, T: Scalar>(product: &Product<'_, T>) -> Form {
        let Product { m, k, n, transposed: [ta, tb], .. } = *product;
        let is_even = n % P::LANES == 0;
        let few = match k {
            LONG.. if is_even => FEW_COLUMNS_LONG,
            LONG.. => FEW_COLUMNS_UNEVEN,
            _ => FEW_COLUMNS,
        };
        match (m, n) {
            // A matrix of one row or column is stored like its transpose.
            (_, 1) if !ta => Form::Columns,
            (1, _) if tb => Form::Columns,
            (1, _) => Form::Dots,
            _ if ta && (!tb || n == 1) && (n <= few || m < FEW_ROWS) => Form::Dots,
            _ if ta && !tb && n < m && (is_even || n >= 2 * P::LANES) => Form::ByTranspose,
            _ => Form::Blocks,
        }
    }
}

/// Computes a product with the best algorithm.
///
/// # Safety
/// The slices have exactly the sizes of the matrices. The processor has the instruction set `S`.
#[inline(always)]
unsafe fn best<S: Isa, T: Scalar>(product: Product<'_, T>) {
    let Product { m, k, n, terms, accumulate, .. } = product;
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 || terms.is_empty() {
        if !accumulate {
            product.c.fill(T::ZERO);
        }
        return;
    }
    // SAFETY: guaranteed by the caller. Each algorithm is called in one place only, because its
    // code is large.
    unsafe {
        match Form::of::<S::Pack<T>, T>(&product) {
            Form::Columns => columns::<S::Pack<T>, T>(product),
            Form::Dots => dot_products::<S::Pack<T>, T>(product),
            Form::ByTranspose => T::multiply_by_transpose::<S>(product),
            Form::Blocks if k <= SHORT => in_blocks::<S, T, SHORT_PANEL>(product),
            Form::Blocks => in_blocks::<S, T, PANEL>(product),
        }
    }
}

/// Computes a matrix-vector product as a sum of columns.
///
/// # Safety
/// The algorithm is valid for the product, and the slices have the sizes of the matrices. The
/// processor has the instruction set of `P`.
#[inline(always)]
unsafe fn columns<P: Pack<T>, T: Scalar>(product: Product<'_, T>) {
    let Product { m, k, n, terms, transposed: [ta, _], c, accumulate } = product;
    for (term, [a, b]) in terms.iter().enumerate() {
        // `C^T = B^T A^T`, whose one column is the one row of C.
        let (rows, matrix, vector) = if n == 1 && !ta { (m, a, b) } else { (n, b, a) };
        let (matrix, vector, accumulate) = (matrix.as_ptr(), vector.as_ptr(), accumulate || term > 0);
        // SAFETY: guaranteed by the caller.
        unsafe {
            column::<P, T, 1, 1, TALLEST>(rows, [k], [[matrix]], [vector], [c.as_mut_ptr()], accumulate);
        }
    }
}

/// Computes a product as dot products.
///
/// # Safety
/// The same as for [`columns`].
#[inline(always)]
unsafe fn dot_products<P: Pack<T>, T: Scalar>(product: Product<'_, T>) {
    let Product { m, k, n, terms, c, accumulate, .. } = product;
    for (term, [a, b]) in terms.iter().enumerate() {
        let (rows, columns, left, right) = if m == 1 { (n, 1, b, a) } else { (m, n, a, b) };
        let (left, right) = ([left.as_ptr()], [right.as_ptr()]);
        // SAFETY: guaranteed by the caller.
        unsafe {
            dots::<P, T, 1>((k, rows, columns), left, right, c.as_mut_ptr(), accumulate || term > 0);
        }
    }
}

/// Computes a product in blocks, with a buffer for `N` scalars of a packed panel.
///
/// # Safety
/// The same as for [`columns`]. The processor has the instruction set `S`.
#[inline(never)]
unsafe fn in_blocks<S: Isa, T: Scalar, const N: usize>(product: Product<'_, T>) {
    let Product { m, k, n, terms, transposed, c, accumulate } = product;
    let mut panel = Panel::<T, N>::new();
    for (term, [a, b]) in terms.iter().enumerate() {
        let (a, b, c) = (&[a.as_ptr()][..], b.as_ptr(), &[c.as_mut_ptr()][..]);
        let (columns, accumulate) = (without_gaps(m, k, n, transposed), accumulate || term > 0);
        let blocks = Blocks { m, k, n, a, b, transposed, c, columns, accumulate };
        let scratch = blocks.packs::<S::Pack<T>>().then(|| panel.scratch());
        // SAFETY: guaranteed by the caller.
        unsafe { T::multiply_blocked::<S>(blocks, scratch) };
    }
}

/// Computes products that share their right factor, under the caller's instruction set.
///
/// # Safety
/// The same as for [`blocked`]. The processor has the instruction set `S`.
#[inline(always)]
pub(super) unsafe fn multiply_shared<S: Isa, T: Scalar>(blocks: Blocks<'_, T>) {
    // SAFETY: guaranteed by the caller.
    unsafe {
        if !blocks.packs::<S::Pack<T>>() {
            T::multiply_blocked::<S>(blocks, None)
        } else if blocks.k <= SHORT {
            shared_with_panel::<S, T, SHORT_PANEL>(blocks)
        } else {
            shared_with_panel::<S, T, PANEL>(blocks)
        }
    }
}

/// Computes products that need a packed panel of `N` scalars.
///
/// # Safety
/// The same as for [`blocked`]. The processor has the instruction set `S`.
#[inline(never)]
unsafe fn shared_with_panel<S: Isa, T: Scalar, const N: usize>(blocks: Blocks<'_, T>) {
    // SAFETY: guaranteed by the caller.
    unsafe { T::multiply_blocked::<S>(blocks, Some(Panel::<T, N>::new().scratch())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Random, assert_near, for_each_isa, product, transposed};

    #[inline(always)]
    fn check<S: Isa, T: Scalar>(isa: S, m: usize, k: usize, n: usize) {
        let mut random = Random::new((m * 10_000 + k * 100 + n) as u64);
        let (a, b): (Vec<T>, Vec<T>) = (random.scalars(m * k), random.scalars(k * n));
        let (a_t, b_t) = (transposed(m, k, &a), transposed(k, n, &b));
        let old: Vec<T> = random.scalars(m * n);
        for variant in 0..8 {
            let (ta, tb, accumulate) = (variant & 1 > 0, variant & 2 > 0, variant & 4 > 0);
            let start = if accumulate { old.clone() } else { vec![T::ZERO; m * n] };
            let expected = product(m, k, n, &a, &b, &start);
            let mut c = if accumulate { old.clone() } else { vec![T::NOT_A_NUMBER; m * n] };
            let terms = [[if ta { &a_t } else { &a }, if tb { &b_t } else { &b }].map(Vec::as_slice)];
            let transposed = [ta, tb];
            // SAFETY: the matrices have these sizes.
            unsafe {
                T::multiply(isa, Product { m, k, n, terms: &terms, transposed, c: &mut c, accumulate })
            };
            assert_near(&c, &expected, k);
        }
    }

    #[test]
    fn sizes_and_transpositions() {
        for_each_isa!(isa => {
            for m in [1, 2, 5, 8, 16, 20, 33] {
                for k in [1, 2, 5, 8, 33] {
                    for n in [1, 2, 5, 6, 7, 16, 20, 33] {
                        check::<_, f32>(isa, m, k, n);
                        check::<_, f64>(isa, m, k, n);
                    }
                }
            }
            // Columns of up to three passes, by every height of a pass.
            for vectors in 1..=26 {
                check::<_, f32>(isa, 16 * vectors - 3, 5, 1);
                check::<_, f64>(isa, 8 * vectors - 3, 5, 1);
            }
            check::<_, f32>(isa, 100, 64, 33);
            check::<_, f64>(isa, 64, 100, 20);
            check::<_, f32>(isa, 33, 600, 16);
            check::<_, f64>(isa, 20, 513, 9);
            check::<_, f32>(isa, 80, 50, 70);
            check::<_, f32>(isa, 4, 0, 3);
            check::<_, f32>(isa, 0, 4, 3);
            check::<_, f32>(isa, 4, 3, 0);
        });
    }
}
