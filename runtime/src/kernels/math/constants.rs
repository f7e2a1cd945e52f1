//! The parts of `math` that differ between `f32` and `f64`: constants, polynomials, bit arithmetic.
//!
//! The polynomials are minimax fits (Remez exchange with 60 digits, then rounded). The comment on
//! each gives its error.

// The digits determine the rounding of the fit. They are more than the type's precision.
#![allow(clippy::excessive_precision)]

use crate::kernels::fused;
use crate::kernels::isa::Isa;

/// The part of [`Scalar`](crate::Scalar) that the branch-free functions are built from.
#[doc(hidden)]
#[allow(missing_docs)]
pub trait LaneMath: Sized {
    const ZERO: Self;
    const HALF: Self;
    const ONE: Self;
    const TWO: Self;
    const INFINITE: Self;
    const NOT_A_NUMBER: Self;

    /// The number whose addition rounds to an integer. The integer is then in the lowest bits,
    /// including the bias of the exponent.
    const SHIFT: Self;
    const LOG2_E: Self;
    /// The sum of `ln 2`'s parts. The high part ends in zeros, so that its products with small
    /// integers are exact.
    const LN_2_HIGH: Self;
    const LN_2_LOW: Self;
    /// The number nearest to `ln 2`, and the difference from it.
    const LN_2: Self;
    const LN_2_REST: Self;
    /// The bounds below which `e^x` is zero and above which it is infinite.
    const EXP_LOW: Self;
    const EXP_HIGH: Self;
    /// The bound below which `e^x - 1` is -1.
    const EXP_M1_LOW: Self;
    /// The magnitude below which `e^x - 1` is `x`.
    const EXP_M1_LINEAR: Self;
    /// A bound below which `1 + e^x` is 1, although `e^x` is still normal.
    const SIGMOID_LOW: Self;
    /// Twice the argument from which on `tanh` is 1.
    const TANH_HIGH: Self;
    const SMALLEST_NORMAL: Self;
    /// A factor that makes every denormal normal, and the exponent that it adds.
    const DENORMAL_SCALE: Self;
    const DENORMAL_EXPONENT: Self;
    /// The number from which on `normal_cdf(-x)` is zero.
    const CDF_HIGH: Self;
    const CDF_CENTRE: Self;

    fn lane_fused<S: Isa>(a: Self, b: Self, c: Self) -> Self;
    /// Returns `(e^r - 1 - r) / r^2`.
    fn exp_tail<S: Isa>(r: Self) -> Self;
    /// Returns `(2 artanh(s) - 2 s) / s` for `z = s^2`.
    fn ln_series<S: Isa>(z: Self) -> Self;
    /// Returns `(1 + 2 a) e^(a^2 / 2) cdf(-a)` for `t = (a - c) / (a + c)`.
    fn cdf_tail<S: Isa>(t: Self) -> Self;
    /// Returns `2^n` for `n + SHIFT`. The result is infinite for the exponent after the largest.
    fn power_of_two(shifted: Self) -> Self;
    /// Returns two factors whose product is `2^n`, for `n` up to twice the range of exponents.
    fn power_of_two_halves(shifted: Self) -> (Self, Self);
    /// Splits a positive normal number into its mantissa in `[sqrt(1/2), sqrt 2)` and its exponent.
    fn split_exponent(self) -> (Self, Self);
    /// Returns the number without the lower half of its mantissa.
    fn high_half(self) -> Self;
    fn with_sign_of(self, sign: Self) -> Self;
    fn lane_sqrt(self) -> Self;
    fn lane_floor(self) -> Self;
    fn lane_sin(self) -> Self;
    fn lane_cos(self) -> Self;
    fn lane_pow(self, y: Self) -> Self;
}

/// Evaluates a polynomial by Horner's scheme, with the highest coefficient first.
macro_rules! horner {
    ($isa:ty, $x:expr; $highest:expr $(, $next:expr)* $(,)?) => {{
        let x = $x;
        let sum = $highest;
        $( let sum = Self::lane_fused::<$isa>(sum, x, $next); )*
        sum
    }};
}

/// Defines the items whose text is the same for both types.
macro_rules! common {
    ($float:ident, $fused:ident, $sin:ident, $cos:ident, $pow:ident) => {
        const ZERO: Self = 0.0;
        const HALF: Self = 0.5;
        const ONE: Self = 1.0;
        const TWO: Self = 2.0;
        const INFINITE: Self = $float::INFINITY;
        const NOT_A_NUMBER: Self = $float::NAN;
        const LOG2_E: Self = core::$float::consts::LOG2_E;
        const LN_2: Self = core::$float::consts::LN_2;
        const SMALLEST_NORMAL: Self = $float::MIN_POSITIVE;

        #[inline(always)]
        fn lane_fused<S: Isa>(a: Self, b: Self, c: Self) -> Self {
            if S::FMA { fused::$fused(a, b, c) } else { a * b + c }
        }

        #[inline(always)]
        fn with_sign_of(self, sign: Self) -> Self {
            self.copysign(sign)
        }

        // These functions are exact, so the implementation does not affect the result. `nalgebra`'s
        // also exist without `std`.
        #[inline(always)]
        fn lane_sqrt(self) -> Self {
            nalgebra::ComplexField::sqrt(self)
        }

        #[inline(always)]
        fn lane_floor(self) -> Self {
            nalgebra::ComplexField::floor(self)
        }

        #[inline(always)]
        fn lane_sin(self) -> Self {
            #[cfg(feature = "deterministic")]
            return libm::$sin(self);
            #[cfg(not(feature = "deterministic"))]
            nalgebra::ComplexField::sin(self)
        }

        #[inline(always)]
        fn lane_cos(self) -> Self {
            #[cfg(feature = "deterministic")]
            return libm::$cos(self);
            #[cfg(not(feature = "deterministic"))]
            nalgebra::ComplexField::cos(self)
        }

        #[inline(always)]
        fn lane_pow(self, y: Self) -> Self {
            #[cfg(feature = "deterministic")]
            return libm::$pow(self, y);
            #[cfg(not(feature = "deterministic"))]
            nalgebra::ComplexField::powf(self, y)
        }
    };
}

impl LaneMath for f32 {
    common!(f32, single, sinf, cosf, powf);

    const SHIFT: Self = 12_582_912.0 + 127.0;
    const LN_2_HIGH: Self = 0.693_145_75;
    const LN_2_LOW: Self = 1.428_606_8e-6;
    const LN_2_REST: Self = -1.904_654_3e-9;
    const EXP_LOW: Self = -104.0;
    const EXP_HIGH: Self = 89.0;
    const EXP_M1_LOW: Self = -20.0;
    const EXP_M1_LINEAR: Self = 1e-10;
    const SIGMOID_LOW: Self = -87.0;
    const TANH_HIGH: Self = 20.0;
    const DENORMAL_SCALE: Self = 33_554_432.0;
    const DENORMAL_EXPONENT: Self = 25.0;
    const CDF_HIGH: Self = 15.0;
    const CDF_CENTRE: Self = 4.0;

    /// Approximates the tail of the exponential, with a relative error of `e^r - 1` below 2^-28.
    #[inline(always)]
    fn exp_tail<S: Isa>(r: Self) -> Self {
        if S::FMA {
            // In pairs of terms, because a step at batch 1 waits for the latency of this sum.
            let high = horner!(S, r; 0.001_395_058_7, 0.008_368_946_6);
            let low = horner!(S, r; 0.041_666_206, 0.166_665_18);
            let sum = Self::lane_fused::<S>(high, r * r, low);
            return Self::lane_fused::<S>(sum, r, 0.5);
        }
        horner!(S, r; 0.001_395_058_7, 0.008_368_946_6, 0.041_666_206, 0.166_665_18, 0.5)
    }

    /// Approximates the series of the logarithm, with an error below 2^-37.
    #[inline(always)]
    fn ln_series<S: Isa>(z: Self) -> Self {
        z * horner!(S, z; 0.235_849_28, 0.285_371_72, 0.400_003_37, 0.666_666_63)
    }

    /// Approximates the tail of the distribution function, with a relative error below 2^-28.
    #[inline(always)]
    fn cdf_tail<S: Isa>(t: Self) -> Self {
        horner!(S, t;
            -0.000_147_992_439, -6.075_949_57e-5, 0.001_558_840_39, -0.001_260_659_77, -0.010_514_279_8, 0.044_376_734_6,
            -0.095_259_242_3, 0.128_906_906, -0.096_380_084_8, -0.023_009_197_8, 0.849_695_802,
        )
    }

    #[inline(always)]
    fn power_of_two(shifted: Self) -> Self {
        f32::from_bits(shifted.to_bits() << 23)
    }

    #[inline(always)]
    fn power_of_two_halves(shifted: Self) -> (Self, Self) {
        // Numbers from 2^22 to 2^24 have a spacing of 1, so the integer is the difference of the
        // bits. The bias keeps it positive for the shift.
        let biased = shifted.to_bits().wrapping_sub(Self::SHIFT.to_bits()).wrapping_add(254);
        let first = (biased >> 1) & 0xff;
        let second = biased.wrapping_sub(first);
        (f32::from_bits(first << 23), f32::from_bits(second << 23))
    }

    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        const ROOT_HALF: u32 = 0x3f35_04f3;
        let moved = self.to_bits().wrapping_add(0x3f80_0000 - ROOT_HALF);
        let mantissa = f32::from_bits((moved & 0x007f_ffff).wrapping_add(ROOT_HALF));
        // The exponent as the low bits of 2^23 converts it to a number without a conversion
        // instruction.
        let exponent = f32::from_bits(0x4b00_0000 | (moved >> 23)) - (8_388_608.0 + 127.0);
        (mantissa, exponent)
    }

    #[inline(always)]
    fn high_half(self) -> Self {
        f32::from_bits(self.to_bits() & 0xffff_f000)
    }
}

impl LaneMath for f64 {
    common!(f64, double, sin, cos, pow);

    const SHIFT: Self = 6_755_399_441_055_744.0 + 1023.0;
    const LN_2_HIGH: Self = 0.693_147_180_369_123_8;
    const LN_2_LOW: Self = 1.908_214_929_270_587_7e-10;
    const LN_2_REST: Self = 2.319_046_813_846_299_6e-17;
    const EXP_LOW: Self = -746.0;
    const EXP_HIGH: Self = 710.0;
    const EXP_M1_LOW: Self = -40.0;
    const EXP_M1_LINEAR: Self = 1e-20;
    const SIGMOID_LOW: Self = -708.0;
    const TANH_HIGH: Self = 40.0;
    const DENORMAL_SCALE: Self = 18_014_398_509_481_984.0;
    const DENORMAL_EXPONENT: Self = 54.0;
    const CDF_HIGH: Self = 40.0;
    const CDF_CENTRE: Self = 5.0;

    /// Approximates the tail of the exponential, with a relative error of `e^r - 1` below 2^-57.
    #[inline(always)]
    fn exp_tail<S: Isa>(r: Self) -> Self {
        horner!(S, r;
            2.511_795_395_528_333_3e-8, 2.763_137_134_410_972_6e-7, 2.755_721_602_105_166e-6, 2.480_148_972_306_269_2e-5,
            0.000_198_412_699_176_776_59, 0.001_388_888_894_718_556_4, 0.008_333_333_333_307_08,
            0.041_666_666_666_514_98, 0.166_666_666_666_667, 0.500_000_000_000_001_2,
        )
    }

    /// Approximates the series of the logarithm, with an error below 2^-59.
    #[inline(always)]
    fn ln_series<S: Isa>(z: Self) -> Self {
        z * horner!(S, z;
            0.147_989_877_245_107_05, 0.153_137_641_897_032_7, 0.181_835_748_065_820_9, 0.222_221_983_861_262_32,
            0.285_714_287_440_567_9, 0.399_999_999_994_079_37, 0.666_666_666_666_673_5,
        )
    }

    /// Approximates the tail of the distribution function, with a relative error below 2^-61.
    #[inline(always)]
    fn cdf_tail<S: Isa>(t: Self) -> Self {
        horner!(S, t;
            -3.349_864_916_465_867_4e-10, -1.434_004_243_771_024_9e-9, 7.340_709_187_724_454e-10, 1.208_283_726_941_711_2e-8,
            4.090_887_868_865_925_9e-9, -7.246_871_116_638_116e-8, -4.085_977_081_793_049e-8, 4.368_425_927_509_779e-7,
            1.786_953_688_434_824e-7, -2.861_697_260_324_344_7e-6, 5.340_843_537_292_757e-7, 1.939_127_776_013_828e-5,
            -2.643_642_243_676_162_3e-5, -0.000_108_176_935_043_044_68, 0.000_425_095_708_189_229_76,
            -0.000_118_693_556_871_835_06, -0.003_571_695_414_206_189, 0.015_422_845_681_095_39, -0.039_332_201_356_987_1,
            0.072_487_826_975_812_81, -0.100_657_438_216_711_23, 0.100_888_582_034_561_9, -0.054_008_075_034_077_486,
            -0.039_647_008_404_005_87, 0.846_112_354_725_069_3,
        )
    }

    #[inline(always)]
    fn power_of_two(shifted: Self) -> Self {
        f64::from_bits(shifted.to_bits() << 52)
    }

    #[inline(always)]
    fn power_of_two_halves(shifted: Self) -> (Self, Self) {
        let biased = shifted.to_bits().wrapping_sub(Self::SHIFT.to_bits()).wrapping_add(2046);
        let first = (biased >> 1) & 0x7ff;
        let second = biased.wrapping_sub(first);
        (f64::from_bits(first << 52), f64::from_bits(second << 52))
    }

    #[inline(always)]
    fn split_exponent(self) -> (Self, Self) {
        const ROOT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
        let moved = self.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - ROOT_HALF);
        let mantissa = f64::from_bits((moved & 0x000f_ffff_ffff_ffff).wrapping_add(ROOT_HALF));
        let exponent =
            f64::from_bits(0x4330_0000_0000_0000 | (moved >> 52)) - (4_503_599_627_370_496.0 + 1023.0);
        (mantissa, exponent)
    }

    #[inline(always)]
    fn high_half(self) -> Self {
        f64::from_bits(self.to_bits() & 0xffff_ffff_f800_0000)
    }
}
