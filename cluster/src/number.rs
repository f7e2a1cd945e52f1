//! Scalars as MPI sends and adds them.

use mpi::datatype::{Equivalence, SystemDatatype};
use rnn_cell::Scalar;

/// A scalar in a buffer of MPI.
#[derive(Debug, Clone, Copy, Default)]
#[repr(transparent)]
pub(crate) struct Number<T>(pub(crate) T);

// SAFETY: `Scalar` is a sealed trait of `f32` and `f64`, and the size tells them apart.
#[allow(unsafe_code)]
unsafe impl<T: Scalar> Equivalence for Number<T> {
    type Out = SystemDatatype;

    fn equivalent_datatype() -> SystemDatatype {
        if size_of::<T>() == size_of::<f32>() {
            f32::equivalent_datatype()
        } else {
            f64::equivalent_datatype()
        }
    }
}

/// Adds numbers to others, one by one.
pub(crate) fn add<T: Scalar>(to: &mut [Number<T>], from: &[Number<T>]) {
    to.iter_mut().zip(from).for_each(|(to, from)| to.0 += from.0);
}
