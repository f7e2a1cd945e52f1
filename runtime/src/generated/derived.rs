//! The functions that the expansion of `#[derive(Model)]` calls: visits of a field of a model.

use crate::Scalar;
use crate::cell::{LayerInfo, Model, ModelMut, Parameter, ParameterMut, Place};

/// Expands to its argument if there is an allocator. The macro cannot know the features of this
/// crate.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_alloc {
    ($($item:tt)*) => { $($item)* };
}

/// Expands to nothing, because there is no allocator.
#[cfg(not(feature = "alloc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_alloc {
    ($($item:tt)*) => {};
}

/// The scalar of a field. It is `S`, the scalar of the first field.
#[diagnostic::on_unimplemented(
    message = "all fields of a model have one precision, but this one has `{Self}` and the first has `{S}`",
    label = "a model of `{Self}`"
)]
pub trait SameScalar<S> {}

impl<S: Scalar> SameScalar<S> for S {}

/// Compiles only if both types are the same.
pub fn check_scalar<T: SameScalar<S>, S>() {}

/// Visits the parameters of a field.
pub fn visit<'v, M: Model>(
    field: &'v M,
    name: &'static str,
    visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, M::Scalar>),
) {
    field.visit(&mut Place::Named(name).of(visitor));
}

/// Visits the parameters of a field, to change them.
pub fn visit_mut<'v, M: ModelMut>(
    field: &'v mut M,
    name: &'static str,
    visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, M::Scalar>),
) {
    field.visit_mut(&mut Place::Named(name).of_mut(visitor));
}

/// Visits the buffers of a field.
pub fn visit_buffers<'v, M: Model>(
    field: &'v M,
    name: &'static str,
    visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, M::Scalar>),
) {
    field.visit_buffers(&mut Place::Named(name).of(visitor));
}

/// Visits the buffers of a field, to change them.
pub fn visit_buffers_mut<'v, M: ModelMut>(
    field: &'v mut M,
    name: &'static str,
    visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, M::Scalar>),
) {
    field.visit_buffers_mut(&mut Place::Named(name).of_mut(visitor));
}

/// Visits the layers of a field.
pub fn visit_layers<M: Model>(field: &M, name: &'static str, visitor: &mut dyn FnMut(LayerInfo<'_>)) {
    field.visit_layers(&mut Place::Named(name).of_layers(visitor));
}
