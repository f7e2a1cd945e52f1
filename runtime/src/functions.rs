//! The functions of the kernels for single numbers: what losses, CTC, beam search, schedules and initialisers compute with.
//!
//! A platform's own exponential and logarithm differ in their last bit from another's. These don't, and they exist without `std`.

use crate::Scalar;
use crate::kernels::isa::Portable;
use crate::kernels::math;

/// `e^x`.
pub(crate) fn exp<T: Scalar>(x: T) -> T {
    math::exp(Portable::token(), x)
}

/// The natural logarithm.
pub(crate) fn ln<T: Scalar>(x: T) -> T {
    math::ln(Portable::token(), x)
}

/// `ln(1 + u)` for a `u` within [0, 1].
pub(crate) fn ln_1p<T: Scalar>(u: T) -> T {
    math::ln_1p(Portable::token(), u)
}

/// `x` to the power of `y`.
pub(crate) fn pow<T: Scalar>(x: T, y: T) -> T {
    math::pow(Portable::token(), x, y)
}

/// The cosine.
pub(crate) fn cos<T: Scalar>(x: T) -> T {
    math::cos(Portable::token(), x)
}
