//! Vectors for targets without hand-written instructions. The compiler chooses the instructions.

use super::Pack;
use crate::kernels::isa::{M_PROFILE, Portable};
use crate::kernels::math::LaneMath;

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Lanes<T, const N: usize>([T; N]);

/// Four `f32`, or two where each takes a register of its own. The deterministic mode has the same
/// lanes on every target.
pub type Single = Lanes<f32, { if M_PROFILE && cfg!(not(feature = "deterministic")) { 2 } else { 4 } }>;

/// Two `f64`.
pub type Double = Lanes<f64, 2>;

/// Returns the `f32` with the given upper half.
#[inline(always)]
fn upper(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

macro_rules! fallback {
    ($float:ident, $lanes:literal) => {
        impl Pack<$float> for Lanes<$float, $lanes> {
            const LANES: usize = $lanes;
            type Half = Self;
            // The counters of the loop would be a fifth of its instructions.
            const SUMS: usize = if cfg!(target_arch = "aarch64") { 24 } else { 12 };
            const COLUMNS: usize = if cfg!(target_arch = "aarch64") { 4 } else { 1 };

            #[inline(always)]
            unsafe fn splat(x: $float) -> Self {
                Lanes([x; $lanes])
            }

            #[inline(always)]
            unsafe fn load(from: *const $float) -> Self {
                // SAFETY: the caller vouches for the scalars.
                Lanes(unsafe { from.cast::<[$float; $lanes]>().read() })
            }

            #[inline(always)]
            unsafe fn widen_bytes(from: *const i8) -> Self {
                // SAFETY: the caller vouches for the integers.
                Lanes(unsafe { from.cast::<[i8; $lanes]>().read() }.map($float::from))
            }

            #[inline(always)]
            unsafe fn widen_halves(from: *const u16) -> Self {
                // SAFETY: the caller vouches for the halves.
                Lanes(unsafe { from.cast::<[u16; $lanes]>().read() }.map(|half| upper(half).into()))
            }

            #[inline(always)]
            unsafe fn widen_pairs(from: *const u16) -> [Self; 2] {
                // SAFETY: the caller vouches for the pairs.
                let pairs = unsafe { from.cast::<[[u16; 2]; $lanes]>().read() };
                [pairs.map(|[even, _]| upper(even).into()), pairs.map(|[_, odd]| upper(odd).into())]
                    .map(Lanes)
            }

            #[inline(always)]
            unsafe fn load_first(from: *const $float, count: usize) -> Self {
                // Lane by lane, because a loop up to `count` would become a call to `memcpy`.
                let mut lanes = [0.0; $lanes];
                for (l, lane) in lanes.iter_mut().enumerate() {
                    if l < count {
                        // SAFETY: the caller vouches for `count` scalars.
                        *lane = unsafe { *from.add(l) };
                    }
                }
                Lanes(lanes)
            }

            #[inline(always)]
            unsafe fn store_first(self, to: *mut $float, count: usize) {
                for l in 0..$lanes {
                    if l < count {
                        // SAFETY: the caller vouches for `count` scalars.
                        unsafe { *to.add(l) = self.0[l] };
                    }
                }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $float) {
                // SAFETY: the caller vouches for the scalars.
                unsafe { to.cast::<[$float; $lanes]>().write(self.0) }
            }

            #[inline(always)]
            unsafe fn add(mut self, other: Self) -> Self {
                for l in 0..$lanes {
                    self.0[l] += other.0[l];
                }
                self
            }

            #[inline(always)]
            unsafe fn mul_add(mut self, factor: Self, term: Self) -> Self {
                for l in 0..$lanes {
                    self.0[l] = <$float>::lane_fused::<Portable>(self.0[l], factor.0[l], term.0[l]);
                }
                self
            }

            #[inline(always)]
            unsafe fn keep_first(mut self, first: Self, count: usize) -> Self {
                // Lane by lane, because slicing up to `count` can panic.
                for l in 0..$lanes {
                    if l < count {
                        self.0[l] = first.0[l];
                    }
                }
                self
            }

            #[inline(always)]
            unsafe fn window(low: Self, high: Self, start: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                for (l, lane) in lanes.iter_mut().enumerate() {
                    let at = start + l;
                    *lane = if at < $lanes { low.0[at] } else { high.0[at - $lanes] };
                }
                Lanes(lanes)
            }

            #[inline(always)]
            unsafe fn sums(vectors: [Self; 8]) -> [$float; 8] {
                let mut sums = [0.0; 8];
                for v in 0..8 {
                    let (mut lanes, mut width) = (vectors[v].0, $lanes);
                    while width > 1 {
                        width /= 2;
                        for l in 0..width {
                            lanes[l] = lanes[2 * l] + lanes[2 * l + 1];
                        }
                    }
                    sums[v] = lanes[0];
                }
                sums
            }

            #[inline(always)]
            unsafe fn transpose(from: *const $float, stride: usize, to: *mut $float, to_stride: usize) {
                for column in 0..$lanes {
                    for row in 0..$lanes {
                        // SAFETY: the caller vouches for both squares.
                        unsafe { *to.add(row * to_stride + column) = *from.add(column * stride + row) };
                    }
                }
            }
        }
    };
}

fallback!(f32, 2);
fallback!(f32, 4);
fallback!(f64, 2);
