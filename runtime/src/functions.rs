//! The kernels' mathematical functions for single numbers, used by losses, CTC, beam search,
//! schedules and initialisers.
//!
//! Exponentials and logarithms of platform libraries differ in their last bit. These functions give
//! the same bits everywhere and work without `std`.

use crate::Scalar;
use crate::kernels::isa::Portable;
use crate::kernels::math;

/// Returns `e^x`.
pub(crate) fn exp<T: Scalar>(x: T) -> T {
    math::exp(Portable::token(), x)
}

/// Returns the natural logarithm of `x`.
pub(crate) fn ln<T: Scalar>(x: T) -> T {
    math::ln(Portable::token(), x)
}

/// Returns `ln(1 + u)` for `u` in [0, 1].
pub(crate) fn ln_1p<T: Scalar>(u: T) -> T {
    math::ln_1p(Portable::token(), u)
}

/// Returns `x` to the power of `y`.
pub(crate) fn pow<T: Scalar>(x: T, y: T) -> T {
    math::pow(Portable::token(), x, y)
}

/// Returns the cosine of `x`.
pub(crate) fn cos<T: Scalar>(x: T) -> T {
    math::cos(Portable::token(), x)
}
