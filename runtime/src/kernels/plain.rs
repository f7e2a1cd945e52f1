//! Plain blocks of scalars as slices.

use crate::Scalar;
use crate::types::blocks::{Cols, Rows};
use crate::types::heads::{HeadCols, HeadRows, Heads};
use crate::types::varying::Varying;
use core::slice;
use nalgebra::SMatrix;

/// A dimension as an argument of a kernel, which is specialised for it.
#[derive(Debug, Clone, Copy)]
pub struct Size<const N: usize>;

/// A plain block of scalars: a number, a matrix, an array of blocks.
///
/// # Safety
/// The type consists of `LEN` scalars of type `Scalar` and nothing else: it has no padding, the
/// alignment of a scalar and no drop glue. All bits are a valid scalar.
pub unsafe trait Flat: Sized {
    /// The type of the scalars.
    type Scalar: Copy + Send + Sync + 'static;

    /// The number of scalars.
    const LEN: usize;

    /// A compile-time check of the size and alignment that the trait promises.
    #[doc(hidden)]
    const LAYOUT: () = {
        assert!(size_of::<Self>() == Self::LEN * size_of::<Self::Scalar>());
        assert!(align_of::<Self>() == align_of::<Self::Scalar>());
        assert!(!core::mem::needs_drop::<Self>());
    };

    /// Returns the scalars in column-major order.
    #[inline(always)]
    fn flat(&self) -> &[Self::Scalar] {
        Self::flat_all(slice::from_ref(self))
    }

    /// Returns the scalars in column-major order as a mutable slice.
    #[inline(always)]
    fn flat_mut(&mut self) -> &mut [Self::Scalar] {
        Self::flat_all_mut(slice::from_mut(self))
    }

    /// Returns the scalars of many blocks.
    #[inline(always)]
    fn flat_all(many: &[Self]) -> &[Self::Scalar] {
        const { Self::LAYOUT };
        // SAFETY: the trait promises that a block consists of `LEN` scalars.
        unsafe { slice::from_raw_parts(many.as_ptr().cast(), many.len() * Self::LEN) }
    }

    /// Returns the scalars of many blocks as a mutable slice.
    #[inline(always)]
    fn flat_all_mut(many: &mut [Self]) -> &mut [Self::Scalar] {
        const { Self::LAYOUT };
        // SAFETY: as above, and every scalar is valid in a block.
        unsafe { slice::from_raw_parts_mut(many.as_mut_ptr().cast(), many.len() * Self::LEN) }
    }
}

/// A value that is aligned to cache lines on x86-64. A store of 64 bytes across two lines takes
/// several times longer.
#[derive(Debug)]
#[cfg_attr(target_arch = "x86_64", repr(align(64)))]
pub struct Aligned<V>(pub V);

/// Returns a block for a value that a step of `batch` samples writes before it reads it.
///
/// Where the compiler cannot see that zeros would be overwritten, the scalars are arbitrary: on the
/// M profile, where products are calls, and on x86-64 in batches, whose products are loops.
/// Otherwise they are zero, and the compiler keeps small blocks in registers.
#[inline(always)]
pub fn scratch<V: Flat + Varying<V::Scalar>>(batch: usize) -> Aligned<V> {
    #[cfg(any(
        target_arch = "x86_64",
        all(target_arch = "arm", target_abi = "eabihf", not(target_has_atomic = "64"))
    ))]
    if super::isa::M_PROFILE || batch > 1 {
        let mut block = core::mem::MaybeUninit::<Aligned<V>>::uninit();
        // SAFETY: for the compiler, the assembly may write any bits, and all bits are valid in a
        // block.
        unsafe {
            core::arch::asm!("/* {0} */", in(reg) block.as_mut_ptr(), options(nostack, preserves_flags));
            return block.assume_init();
        }
    }
    let _ = batch;
    Aligned(V::zero())
}

macro_rules! flat_number {
    ($($number:ident),*) => {$(
        // SAFETY: a number is a block of one scalar.
        unsafe impl Flat for $number {
            type Scalar = $number;
            const LEN: usize = 1;
        }
    )*};
}

flat_number!(f32, f64, u32);

// SAFETY: nalgebra's statically sized matrix is an array of `C` columns of `R` scalars
// (`repr(transparent)` storage and a zero-sized marker). `LAYOUT` checks size and alignment.
unsafe impl<T: Scalar, const R: usize, const C: usize> Flat for SMatrix<T, R, C> {
    type Scalar = T;
    const LEN: usize = R * C;
}

// SAFETY: `repr(C)` puts the second block directly after the first, because both have the alignment
// of their scalars. `LAYOUT` checks it.
unsafe impl<A: Flat, B: Flat<Scalar = A::Scalar>> Flat for Rows<A, B> {
    type Scalar = A::Scalar;
    const LEN: usize = A::LEN + B::LEN;
}

// SAFETY: as above.
unsafe impl<A: Flat, B: Flat<Scalar = A::Scalar>> Flat for Cols<A, B> {
    type Scalar = A::Scalar;
    const LEN: usize = A::LEN + B::LEN;
}

// SAFETY: an array has no gaps.
unsafe impl<M: Flat, const B: usize> Flat for [M; B] {
    type Scalar = M::Scalar;
    const LEN: usize = B * M::LEN;
}

// SAFETY: the stacks of heads are `repr(transparent)` arrays.
unsafe impl<M: Flat, const K: usize> Flat for Heads<M, K> {
    type Scalar = M::Scalar;
    const LEN: usize = K * M::LEN;
}

// SAFETY: as above.
unsafe impl<M: Flat, const K: usize> Flat for HeadRows<M, K> {
    type Scalar = M::Scalar;
    const LEN: usize = K * M::LEN;
}

// SAFETY: as above.
unsafe impl<M: Flat, const K: usize> Flat for HeadCols<M, K> {
    type Scalar = M::Scalar;
    const LEN: usize = K * M::LEN;
}

/// Copies `from` to `to`, up to the end of the shorter slice. `copy_from_slice` stays a call
/// without link-time optimisation.
#[inline(always)]
pub fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    let count = if to.len() < from.len() { to.len() } else { from.len() };
    // SAFETY: both slices have `count` entries, and a mutable slice does not overlap any other
    // slice.
    unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr(), count) }
}

/// Copies the scalars of a block to a block with as many scalars, which is checked when the program
/// is built.
#[inline(always)]
pub fn copy_flat<V: Flat, W: Flat<Scalar = V::Scalar>>(to: &mut V, from: &W) {
    const { assert!(V::LEN == W::LEN) };
    copy(to.flat_mut(), from.flat());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_convert_to_their_scalars() {
        let m = SMatrix::<f32, 2, 3>::new(1.0, 3.0, 5.0, 2.0, 4.0, 6.0);
        assert_eq!(m.flat(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!([m, 2.0 * m].flat()[6..8], [2.0, 4.0]);
        assert_eq!([7u32, 8].flat(), [7, 8]);
        let mut v = SMatrix::<f64, 3, 1>::zeros();
        v.flat_mut()[1] = 4.0;
        assert_eq!(v[1], 4.0);
        assert_eq!(<[SMatrix<f32, 2, 3>; 4]>::LEN, 24);
        let mut nested =
            Rows { top: Cols { left: 1.0f64, right: 2.0 }, bottom: Cols { left: 3.0, right: 4.0 } };
        assert_eq!(nested.flat(), [1.0, 2.0, 3.0, 4.0]);
        nested.flat_mut()[2] = 7.0;
        assert_eq!(nested.bottom.left, 7.0);
        assert_eq!(
            <SMatrix<f32, 2, 1>>::flat_all(&[[1.0f32, 2.0].into(), [3.0, 4.0].into()]),
            [1.0, 2.0, 3.0, 4.0]
        );
    }

    #[test]
    fn a_copy_ends_with_the_shorter_slice() {
        for (to, from, copied) in [(3, 2, 2), (2, 3, 2), (2, 2, 2), (0, 1, 0)] {
            let mut slice = vec![0; to];
            copy(&mut slice, &[1, 2, 3][..from]);
            assert_eq!(slice[..copied], [1, 2, 3][..copied]);
            assert!(slice[copied..].iter().all(|entry| *entry == 0));
        }
    }
}
