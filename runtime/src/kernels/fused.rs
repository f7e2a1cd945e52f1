//! Fused multiply-adds, and which targets have them.
//!
//! `core` has no stable function for them, and where a target lacks the instruction, `std`'s is a
//! slow library call.

/// True if `a * b + c` with one rounding is one instruction of the target's baseline.
pub(super) const FUSED: bool = cfg!(any(
    all(target_arch = "aarch64", target_feature = "neon"),
    all(feature = "std", target_feature = "fma"),
));

#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod of_target {
    use core::arch::aarch64::{vdup_n_f32, vdup_n_f64, vfmad_lane_f64, vfmas_lane_f32};

    #[inline(always)]
    pub fn single(a: f32, b: f32, c: f32) -> f32 {
        // SAFETY: the target has the instruction set. The compiler vectorises these functions.
        unsafe { vfmas_lane_f32::<0>(c, a, vdup_n_f32(b)) }
    }

    #[inline(always)]
    pub fn double(a: f64, b: f64, c: f64) -> f64 {
        // SAFETY: as above.
        unsafe { vfmad_lane_f64::<0>(c, a, vdup_n_f64(b)) }
    }
}

#[cfg(not(all(target_arch = "aarch64", target_feature = "neon")))]
mod of_target {
    #[inline(always)]
    pub fn single(a: f32, b: f32, c: f32) -> f32 {
        #[cfg(feature = "std")]
        return a.mul_add(b, c);
        #[cfg(not(feature = "std"))]
        return a * b + c;
    }

    #[inline(always)]
    pub fn double(a: f64, b: f64, c: f64) -> f64 {
        #[cfg(feature = "std")]
        return a.mul_add(b, c);
        #[cfg(not(feature = "std"))]
        return a * b + c;
    }
}

pub(super) use of_target::{double, single};
