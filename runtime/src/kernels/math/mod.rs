//! Functions of one number without branches, so that loops over them are vectorised.
//!
//! The algorithms are generic. [`LaneMath`] contains the parts that differ between `f32` and `f64`:
//! constants, polynomials, and bit arithmetic. The tests check these error bounds against exact
//! values: `exp`, `exp_m1`, `ln`, `sigmoid` and `tanh` are within 2.5 ulp in `f32` and 4 ulp in
//! `f64`. Under an instruction set with [`DECIMALS`](Isa::DECIMALS), `sigmoid` and `tanh` are those
//! of `rational`.

mod constants;
mod rational;

use super::isa::{Decimals, Isa};
use crate::Scalar;
pub use constants::LaneMath;

/// Returns `a * b + c`, fused if that is one instruction.
#[inline(always)]
pub fn fused<S: Isa, T: Scalar>(_isa: S, a: T, b: T, c: T) -> T {
    T::lane_fused::<S>(a, b, c)
}

/// Limits `x` to `[low, high]`. NaN is unchanged.
#[inline(always)]
fn confine<T: Scalar>(x: T, low: T, high: T) -> T {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// Splits `x` into `n ln 2 + r` with an integer `n` and `|r| <= (ln 2) / 2`. Returns `r` and
/// `n + LaneMath::SHIFT`, whose lowest bits contain the integer `n`.
#[inline(always)]
fn reduce<S: Isa, T: Scalar>(x: T) -> (T, T) {
    let shifted = T::lane_fused::<S>(x, T::LOG2_E, T::SHIFT);
    let n = shifted - T::SHIFT;
    // The high part of ln 2 ends in zeros, so its product with `n` is exact even without FMA.
    let r = T::lane_fused::<S>(n, -T::LN_2_HIGH, x);
    (T::lane_fused::<S>(n, -T::LN_2_LOW, r), shifted)
}

/// Returns `e^r` for a reduced `r`.
#[inline(always)]
fn exp_reduced<S: Isa, T: Scalar>(r: T) -> T {
    let tail = T::exp_tail::<S>(r);
    T::lane_fused::<S>(T::lane_fused::<S>(tail, r, T::ONE), r, T::ONE)
}

/// Returns `e^r - 1` for a reduced `r`, with a small relative error.
#[inline(always)]
fn exp_m1_reduced<S: Isa, T: Scalar>(r: T) -> T {
    T::lane_fused::<S>(r * r, T::exp_tail::<S>(r), r)
}

/// Returns `e^x`.
#[inline(always)]
pub fn exp<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    let (r, shifted) = reduce::<S, T>(confine(x, T::EXP_LOW, T::EXP_HIGH));
    // One power of two covers neither the largest nor the denormal results, so there are two
    // factors.
    let (first, second) = T::power_of_two_halves(shifted);
    exp_reduced::<S, T>(r) * first * second
}

/// Returns `e^x - 1`.
#[inline(always)]
pub fn exp_m1<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    let (r, shifted) = reduce::<S, T>(confine(x, T::EXP_M1_LOW, T::EXP_HIGH));
    let p = exp_m1_reduced::<S, T>(r);
    // The full power of two overflows before the result does, so half of it is used.
    let half = T::power_of_two(shifted - T::ONE);
    let result = T::TWO * T::lane_fused::<S>(p, half, half - T::HALF);
    // Halving a denormal loses its last bit.
    if x.abs() < T::EXP_M1_LINEAR { x } else { result }
}

/// Returns the logistic function `1 / (1 + e^-x)`.
///
/// Results below the smallest normal number are rounded to zero: for `x` below -88.4 (`f32`) or
/// -709.4 (`f64`).
#[inline(always)]
pub fn sigmoid<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    match S::DECIMALS {
        Some(Decimals::Four) => return rational::sigmoid_four::<S, T>(x),
        Some(Decimals::Five) => return rational::sigmoid_five::<S, T>(x),
        None => {}
    }
    if S::FMA {
        return sigmoid_fused::<S, T>(x);
    }
    let (r, shifted) = reduce::<S, T>(confine(-x, T::SIGMOID_LOW, T::EXP_HIGH));
    T::ONE / (T::ONE + exp_reduced::<S, T>(r) * T::power_of_two(shifted))
}

/// Returns [`sigmoid`] by a short chain of dependent operations, because a step at batch 1 waits
/// for their latency.
#[inline(always)]
fn sigmoid_fused<S: Isa, T: Scalar>(x: T) -> T {
    let x = confine(x, -T::EXP_HIGH, -T::SIGMOID_LOW);
    // -x = n ln 2 + r. The polynomial does not need the last bits of r.
    let shifted = T::lane_fused::<S>(x, -T::LOG2_E, T::SHIFT);
    let n = shifted - T::SHIFT;
    let near = T::lane_fused::<S>(n, -T::LN_2, -x);
    let r = T::lane_fused::<S>(n, -T::LN_2_REST, near);
    let p = T::lane_fused::<S>(r * r, T::exp_tail::<S>(near), r);
    // 1 + e^-x = (1 + 2^n) + p 2^n. The first term may be infinite, the second one must not be, as
    // it may be negative.
    let scale = T::power_of_two(shifted);
    let largest = T::TWO / T::SMALLEST_NORMAL;
    let finite = if scale > largest { largest } else { scale };
    T::ONE / T::lane_fused::<S>(p, finite, scale + T::ONE)
}

/// Returns the hyperbolic tangent.
#[inline(always)]
pub fn tanh<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    match S::DECIMALS {
        Some(Decimals::Four) => return rational::tanh_four::<S, T>(x),
        Some(Decimals::Five) => return rational::tanh_five::<S, T>(x),
        None => {}
    }
    if S::FMA {
        return tanh_fused::<S, T>(x);
    }
    let twice = x.abs() * T::TWO;
    let (r, shifted) = reduce::<S, T>(if twice > T::TANH_HIGH { T::TANH_HIGH } else { twice });
    let scale = T::power_of_two(shifted);
    let e = T::lane_fused::<S>(exp_m1_reduced::<S, T>(r), scale, scale - T::ONE);
    (e / (e + T::TWO)).with_sign_of(x)
}

/// Returns [`tanh`] by a short chain of dependent operations, like [`sigmoid_fused`].
#[inline(always)]
fn tanh_fused<S: Isa, T: Scalar>(x: T) -> T {
    let (magnitude, highest) = (x.abs(), T::HALF * T::TANH_HIGH);
    let a = if magnitude > highest { highest } else { magnitude };
    // -2 a = n ln 2 + r. `LN_2_REST` would change the result only where tanh is nearly 1.
    let shifted = T::lane_fused::<S>(a, -T::TWO * T::LOG2_E, T::SHIFT);
    let r = T::lane_fused::<S>(shifted - T::SHIFT, -T::LN_2, -(a + a));
    let p = exp_m1_reduced::<S, T>(r);
    // tanh a = (1 - e^-2a) / (1 + e^-2a). With e^2a, the sum would lose the 1 where e^2a is large.
    let scale = T::power_of_two(shifted);
    let difference = T::lane_fused::<S>(p, scale, scale - T::ONE);
    let sum = T::lane_fused::<S>(p, scale, scale + T::ONE);
    (difference / sum).with_sign_of(x)
}

/// Returns the natural logarithm: `-inf` at zero, NaN below.
#[inline(always)]
pub fn ln<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    let denormal = x < T::SMALLEST_NORMAL;
    let scaled = if denormal { x * T::DENORMAL_SCALE } else { x };
    let unscaled = if denormal { T::DENORMAL_EXPONENT } else { T::ZERO };
    let finite = ln_normal::<S, T>(scaled, unscaled);
    // The selections are independent of each other. The compiler would turn a chain of them into
    // branches, which prevents vectorisation.
    let result = if x < T::INFINITE { finite } else { x };
    let result = if x < T::ZERO { T::NOT_A_NUMBER } else { result };
    if x == T::ZERO { -T::INFINITE } else { result }
}

/// Returns `ln(x 2^-unscaled)` for a finite, positive, normal `x`. For other `x` the result is
/// arbitrary.
#[inline(always)]
fn ln_normal<S: Isa, T: Scalar>(x: T, unscaled: T) -> T {
    let (mantissa, exponent) = x.split_exponent();
    let exponent = exponent - unscaled;
    // ln(1 + f) = 2 artanh(s) with s = f / (2 + f), arranged so that f itself is not rounded.
    let f = mantissa - T::ONE;
    let s = f / (T::TWO + f);
    let series = T::ln_series::<S>(s * s);
    let half_square = T::HALF * f * f;
    let low = T::lane_fused::<S>(s, half_square + series, exponent * T::LN_2_LOW);
    T::lane_fused::<S>(exponent, T::LN_2_HIGH, f - (half_square - low))
}

/// Returns the square root, which is NaN below zero.
#[inline(always)]
pub fn sqrt<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    x.lane_sqrt()
}

/// Returns the absolute value.
#[inline(always)]
pub fn abs<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    x.abs()
}

/// Returns `1 / x`.
#[inline(always)]
pub fn recip<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    T::ONE / x
}

/// Returns `x` to the power of `y`, like the standard library's `powf`.
#[inline(always)]
pub fn pow<S: Isa, T: Scalar>(_isa: S, x: T, y: T) -> T {
    x.lane_pow(y)
}

/// Returns the sine.
#[inline(always)]
pub fn sin<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    x.lane_sin()
}

/// Returns the cosine.
#[inline(always)]
pub fn cos<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    x.lane_cos()
}

/// Returns the largest integer not above `x`.
#[inline(always)]
pub fn floor<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    x.lane_floor()
}

/// Returns the sign: -1, 0 or 1, or NaN for NaN.
#[inline(always)]
#[allow(clippy::eq_op)]
pub fn sign<S: Isa, T: Scalar>(_isa: S, x: T) -> T {
    let positive = if x > T::ZERO { T::ONE } else { T::ZERO };
    let negative = if x < T::ZERO { T::ONE } else { T::ZERO };
    if x == x { positive - negative } else { x }
}

/// Returns the smaller of two numbers, or NaN if either is NaN.
#[inline(always)]
#[allow(clippy::eq_op)]
pub fn min<S: Isa, T: Scalar>(_isa: S, x: T, y: T) -> T {
    if x < y || x != x { x } else { y }
}

/// Returns the larger of two numbers, or NaN if either is NaN.
#[inline(always)]
#[allow(clippy::eq_op)]
pub fn max<S: Isa, T: Scalar>(_isa: S, x: T, y: T) -> T {
    if x > y || x != x { x } else { y }
}

/// Returns `ln(1 + e^x)` without overflow.
#[inline(always)]
pub fn softplus<S: Isa, T: Scalar>(isa: S, x: T) -> T {
    let positive = if x > T::ZERO { x } else { T::ZERO };
    positive + ln_1p(isa, exp(isa, -x.abs()))
}

/// Returns `ln(1 + u)` for `u` in [0, 1].
#[inline(always)]
pub fn ln_1p<S: Isa, T: Scalar>(_isa: S, u: T) -> T {
    // `1 + u` is rounded. The correction adds the rounding error to first order.
    let sum = T::ONE + u;
    let correction = (u - (sum - T::ONE)) / sum;
    ln_normal::<S, T>(sum, T::ZERO) + correction
}

/// Returns the distribution function of the standard normal distribution, `erfc(-x / sqrt 2) / 2`,
/// with a small relative error in both tails.
#[inline(always)]
pub fn normal_cdf<S: Isa, T: Scalar>(isa: S, x: T) -> T {
    let magnitude = x.abs();
    let a = if magnitude > T::CDF_HIGH { T::CDF_HIGH } else { magnitude };
    // The rounding of the square would cost e^(-a^2 / 2) up to a^2 ulp, so the rounding error is
    // computed too.
    let square = a * a;
    let high = a.high_half();
    let low = a - high;
    let error = ((high * high - square) + T::TWO * high * low) + low * low;
    let gauss = exp(isa, -T::HALF * square) * (T::ONE - T::HALF * error);
    // (1 + 2 a) e^(a^2 / 2) cdf(-a) is smooth in t from 0 to infinity.
    let t = (a - T::CDF_CENTRE) / (a + T::CDF_CENTRE);
    let tail = T::cdf_tail::<S>(t) / (T::ONE + T::TWO * a) * gauss;
    if x > T::ZERO { T::ONE - tail } else { tail }
}

#[cfg(test)]
mod tests;
