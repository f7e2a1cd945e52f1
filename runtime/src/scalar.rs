//! The scalar types of cells: `f32` and `f64`.

use crate::kernels::compiled::Compiled;
use crate::kernels::math::LaneMath;
use crate::kernels::pack::Packed;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The scalar of a cell: `f32` or `f64`.
///
/// The trait is sealed, because the kernels state accuracy bounds for each type.
pub trait Scalar:
    nalgebra::RealField + Copy + Default + Send + Sync + LaneMath + Packed + Compiled + sealed::Sealed + 'static
{
    /// Returns the scalar nearest to `value`.
    fn of(value: f64) -> Self;

    /// Returns the value in double precision, exactly.
    fn as_f64(self) -> f64;
}

impl Scalar for f32 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn as_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Scalar for f64 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn as_f64(self) -> f64 {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Scalar;

    #[test]
    fn conversions_round_to_nearest_and_back() {
        assert_eq!(<f32 as Scalar>::of(0.1), 0.1f32);
        assert_eq!(<f32 as Scalar>::of(1e300), f32::INFINITY);
        assert_eq!(0.1f32.as_f64(), f64::from(0.1f32));
        assert_eq!(<f64 as Scalar>::of(0.1).as_f64(), 0.1);
    }
}
