//! Lists of models of one type are models: `[M; N]` and, with an allocator, `Vec<M>`. The names of
//! the parameters start with the index: `0.W`, `1.W`.

use super::{LayerInfo, Model, ModelMut, Parameter, ParameterMut, Place};
#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec::Vec};

/// The type of gradients within other gradients: on the heap, if there is one.
#[cfg(feature = "alloc")]
pub type Held<G> = Box<G>;
/// The type of gradients within other gradients: on the heap, if there is one.
#[cfg(not(feature = "alloc"))]
pub type Held<G> = G;

fn place(index: usize) -> Place {
    Place::Numbered { below: index, depth: 1 }
}

/// Implements the visiting methods of `Model` for a list.
macro_rules! visit_list {
    () => {
        fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, M::Scalar>)) {
            for (index, model) in self.iter().enumerate() {
                model.visit(&mut place(index).of(visitor));
            }
        }

        fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, M::Scalar>)) {
            for (index, model) in self.iter().enumerate() {
                model.visit_buffers(&mut place(index).of(visitor));
            }
        }

        fn visit_layers(&self, visitor: &mut dyn FnMut(LayerInfo<'_>)) {
            for (index, model) in self.iter().enumerate() {
                model.visit_layers(&mut place(index).of_layers(visitor));
            }
        }
    };
}

/// Implements the methods of `ModelMut` for a list.
macro_rules! visit_list_mut {
    () => {
        fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, M::Scalar>)) {
            for (index, model) in self.iter_mut().enumerate() {
                model.visit_mut(&mut place(index).of_mut(visitor));
            }
        }

        fn visit_buffers_mut<'v>(
            &'v mut self,
            visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, M::Scalar>),
        ) {
            for (index, model) in self.iter_mut().enumerate() {
                model.visit_buffers_mut(&mut place(index).of_mut(visitor));
            }
        }

        fn set_zero(&mut self) {
            self.iter_mut().for_each(M::set_zero);
        }
    };
}

impl<M: Model, const N: usize> Model for [M; N] {
    type Scalar = M::Scalar;
    type Gradients = [Held<M::Gradients>; N];

    #[cfg(feature = "alloc")]
    fn zero_gradients(&self) -> Box<Self::Gradients> {
        Box::new(self.each_ref().map(M::zero_gradients))
    }

    visit_list!();
}

impl<M: ModelMut, const N: usize> ModelMut for [M; N] {
    visit_list_mut!();
}

#[cfg(feature = "alloc")]
impl<M: Model> Model for Vec<M> {
    type Scalar = M::Scalar;
    type Gradients = Vec<Box<M::Gradients>>;

    fn zero_gradients(&self) -> Box<Self::Gradients> {
        Box::new(self.iter().map(M::zero_gradients).collect())
    }

    visit_list!();
}

#[cfg(feature = "alloc")]
impl<M: ModelMut> ModelMut for Vec<M> {
    visit_list_mut!();
}
