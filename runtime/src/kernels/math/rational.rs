//! Approximations of `tanh` and `sigmoid` by one quotient of polynomials.
//!
//! `tanh x` is `x P(x^2) / Q(x^2)` on an interval, beyond which the argument is limited to its
//! ends. `sigmoid x` is `(1 + tanh(x / 2)) / 2` with the halves in the coefficients, which they
//! scale exactly. The coefficients minimise the largest relative error of `tanh`, by linear
//! programming, under the conditions that the quotient reaches 1 at the end of the interval and is
//! never greater. They are `f32` numbers, rounded such that the computed values exceed 1 by at most
//! one unit in the last place.
//!
//! There is one division and no table, so a step waits for about half the latency of the exact
//! functions. The polynomials are arranged as pairs of terms for the same reason.

use super::confine;
use crate::Scalar;
use crate::kernels::isa::Isa;

/// An approximation of `tanh` on `[-end, end]`, with the coefficients of the polynomials in `x^2`,
/// lowest first.
struct Quotient<const N: usize> {
    end: f64,
    p: [f64; N],
    q: [f64; N],
}

/// The relative error is at most 6.6e-5.
const FOUR: Quotient<3> = Quotient {
    end: 5.199_999_809_265_137,
    p: [0.678_821_921_348_571_8, 0.069_087_602_198_123_93, 0.000_441_815_966_041_758_66],
    q: [0.678_866_386_413_574_2, 0.295_113_503_932_952_9, 0.008_568_844_757_974_148],
};

/// The relative error is at most 4.5e-6.
const FIVE: Quotient<4> = Quotient {
    end: 6.699_999_809_265_137,
    p: [
        1.838_198_065_757_751_5,
        0.222_641_676_664_352_42,
        0.003_876_665_374_264_121,
        5.827_285_349_369_049e-6,
    ],
    q: [
        1.838_205_814_361_572_3,
        0.835_326_790_809_631_3,
        0.037_281_665_951_013_565,
        0.000_228_692_355_449_311_44,
    ],
};

impl<const N: usize> Quotient<N> {
    /// Returns the approximation of `sigmoid(x) - 1/2`.
    const fn of_sigmoid(mut self) -> Self {
        let (mut i, mut scale) = (0, 1.0);
        while i < N {
            self.p[i] *= 0.25 * scale;
            self.q[i] *= scale;
            scale *= 0.25;
            i += 1;
        }
        self.end *= 2.0;
        self
    }
}

#[inline(always)]
fn four<S: Isa, T: Scalar>(quotient: &Quotient<3>, x: T) -> T {
    let Quotient { end, p: [p0, p1, p2], q: [q0, q1, q2] } = *quotient;
    let x = confine(x, T::of(-end), T::of(end));
    let z = x * x;
    let high = T::lane_fused::<S>(T::of(p2), z, T::of(p1));
    let numerator = T::lane_fused::<S>(x * z, high, x * T::of(p0));
    let high = T::lane_fused::<S>(T::of(q2), z, T::of(q1));
    numerator / T::lane_fused::<S>(high, z, T::of(q0))
}

#[inline(always)]
fn five<S: Isa, T: Scalar>(quotient: &Quotient<4>, x: T) -> T {
    let Quotient { end, p: [p0, p1, p2, p3], q: [q0, q1, q2, q3] } = *quotient;
    let x = confine(x, T::of(-end), T::of(end));
    let z = x * x;
    let square = z * z;
    let high = T::lane_fused::<S>(T::of(p3), z, T::of(p2));
    let low = T::lane_fused::<S>(T::of(p1), z, T::of(p0));
    let numerator = T::lane_fused::<S>(x * square, high, x * low);
    let high = T::lane_fused::<S>(T::of(q3), z, T::of(q2));
    let low = T::lane_fused::<S>(T::of(q1), z, T::of(q0));
    numerator / T::lane_fused::<S>(square, high, low)
}

/// Returns the hyperbolic tangent with a relative error of at most 1e-4.
#[inline(always)]
pub fn tanh_four<S: Isa, T: Scalar>(x: T) -> T {
    four::<S, T>(const { &FOUR }, x)
}

/// Returns the hyperbolic tangent with a relative error of at most 1e-5.
#[inline(always)]
pub fn tanh_five<S: Isa, T: Scalar>(x: T) -> T {
    five::<S, T>(const { &FIVE }, x)
}

/// Returns the logistic function with an absolute error of at most 5e-5.
#[inline(always)]
pub fn sigmoid_four<S: Isa, T: Scalar>(x: T) -> T {
    T::HALF + four::<S, T>(const { &FOUR.of_sigmoid() }, x)
}

/// Returns the logistic function with an absolute error of at most 5e-6.
#[inline(always)]
pub fn sigmoid_five<S: Isa, T: Scalar>(x: T) -> T {
    T::HALF + five::<S, T>(const { &FIVE.of_sigmoid() }, x)
}
