//! The traits that every generated cell implements. A hand-written type that implements them can be
//! used wherever a generated one can: the macro is never the only way in.
//!
//! Without the feature `alloc` there are no tapes, so no [`Layer`]s: of the traits, [`Model`] and
//! [`ModelMut`] are left.

use crate::Scalar;
#[cfg(feature = "alloc")]
use crate::types::varying::Varying;

#[cfg(feature = "alloc")]
mod delegate;
#[cfg(feature = "alloc")]
mod layer;
#[cfg(feature = "alloc")]
mod pass;
#[cfg(feature = "alloc")]
mod with;

#[cfg(feature = "alloc")]
pub(crate) use delegate::{visit_as, visit_mut_as};
#[cfg(feature = "alloc")]
pub use layer::*;
#[cfg(feature = "alloc")]
pub use pass::*;
#[cfg(feature = "alloc")]
pub use with::*;

/// One block of a parameter, with its place in the parameter that the user declared.
///
/// `param W: [H, H + I]` is visited as two blocks of the name `W`, at columns 0 and `H`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockShape {
    /// The head that the block belongs to and the number of heads, for a parameter of
    /// `heads K { .. }`. Each head's matrix is visited under the same name.
    pub head: Option<(usize, usize)>,
    /// Rows and columns of this block.
    pub size: (usize, usize),
    /// The block's first row and column in the whole parameter.
    pub at: (usize, usize),
    /// Rows and columns of the whole parameter.
    pub whole: (usize, usize),
    /// The storage of the block in a quantised copy.
    pub storage: Storage,
}

/// The storage of a block in a quantised copy of its cell (feature `quantised`). Without the
/// feature every block is [`Whole`](Self::Whole).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Storage {
    /// In the cell's precision, or not at all.
    #[default]
    Whole,
    /// In fewer bits, rounded row by row.
    ByRow,
    /// In fewer bits, rounded column by column: the step reads the transpose alone.
    ByColumn,
}

/// A block of a parameter, to read. `'n` is the name's lifetime, `'v` the values'.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<'n, 'v, T> {
    /// The parameter's name as declared; layers that hold several models put a path before it.
    pub name: &'n str,
    /// The place and size of the block.
    pub shape: BlockShape,
    /// The block's entries, column by column.
    pub values: &'v [T],
}

/// A block of a parameter, to change.
#[derive(Debug)]
pub struct ParameterMut<'n, 'v, T> {
    /// The parameter's name as declared; layers that hold several models put a path before it.
    pub name: &'n str,
    /// The place and size of the block.
    pub shape: BlockShape,
    /// The block's entries, column by column.
    pub values: &'v mut [T],
}

/// A value with parameters: a cell, a network, gradients.
///
/// Parameters are visited in the order of their declaration, always the same; a gradient is visited
/// in the order of its model.
pub trait Model {
    /// `f32` or `f64`.
    type Scalar: Scalar;
    /// The cotangents of the parameters; for a generated cell the cell's own type.
    type Gradients: ModelMut<Scalar = Self::Scalar>;

    /// Returns gradients that are all zero, on the heap.
    #[cfg(feature = "alloc")]
    fn zero_gradients(&self) -> alloc::boxed::Box<Self::Gradients>;

    /// Calls `visitor` with every learned parameter, block by block.
    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>));

    /// The saved fields that are not learned. None unless the model has some.
    fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>)) {
        let _ = visitor;
    }

    /// Returns the number of layers that are numbered in the paths of parameters (`0.W`, `1.W`): 1,
    /// or the sum over the parts of a [stack](crate::network::Stack). A wrapper without a path of
    /// its own returns the depth of its layer.
    fn depth(&self) -> usize {
        1
    }

    /// Returns the number of learned scalars.
    fn parameter_count(&self) -> usize {
        let mut count = 0;
        self.visit(&mut |parameter| count += parameter.values.len());
        count
    }

    /// Returns the state that a sequence of `B` samples starts from: zero, unless the layer says
    /// otherwise. For a layer with a context see [`initial_state_with`](Layer::initial_state_with).
    #[cfg(feature = "alloc")]
    fn initial_state<const B: usize>(&self) -> <Self as Layer<B>>::State
    where
        Self: Layer<B, Context = ()> + Sized,
    {
        self.initial_state_with(&())
    }

    /// Pulls `dstate`, the cotangent of the [initial state](Self::initial_state), back to the
    /// parameters that this state is computed from. Adds to `gradients`; nothing, unless the layer
    /// learns its initial state. For a layer with a context see
    /// [`initial_state_with_backward`](Layer::initial_state_with_backward).
    #[cfg(feature = "alloc")]
    fn initial_state_backward<const B: usize>(
        &self,
        dstate: &<Self as Layer<B>>::State,
        gradients: &mut Self::Gradients,
    ) where
        Self: Layer<B, Context = ()> + Sized,
    {
        self.initial_state_with_backward(&(), dstate, gradients, None);
    }

    /// Returns a state of `B` samples that is all zero: the cotangent of a final state that no loss
    /// reads.
    #[cfg(feature = "alloc")]
    fn zero_state<const B: usize>(&self) -> <Self as Layer<B>>::State
    where
        Self: Layer<B> + Sized,
    {
        Varying::zero()
    }

    /// Returns a context of `B` samples that is all zero: the cotangent of a context, before
    /// backward passes add to it.
    #[cfg(feature = "alloc")]
    fn zero_context<const B: usize>(&self) -> <Self as Layer<B>>::Context
    where
        Self: Layer<B, Context: Varying<Self::Scalar>> + Sized,
    {
        Varying::zero()
    }

    /// Binds a context: the result is a layer without one, whose gradients hold the context's
    /// cotangent. It borrows the layer, so an optimiser works on the layer itself.
    #[cfg(feature = "alloc")]
    fn with<'a, C>(&'a self, context: &'a C) -> With<'a, Self, C>
    where
        Self: Sized,
    {
        With { layer: self, context }
    }

    /// Returns an empty tape for batches of `B` samples.
    #[cfg(feature = "alloc")]
    fn tape<const B: usize>(&self) -> <Self as Layer<B>>::Tape
    where
        Self: Layer<B> + Sized,
    {
        Default::default()
    }
}

/// A model whose parameters can be changed, by an optimiser or by loading.
///
/// Separate from [`Model`], because a layer that is [bound to a context](Model::with) only borrows
/// its parameters.
pub trait ModelMut: Model {
    /// Calls `visitor` with every learned parameter, block by block, to change it.
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>));

    /// The saved fields that are not learned, to change them (loading).
    fn visit_buffers_mut<'v>(
        &'v mut self,
        visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>),
    ) {
        let _ = visitor;
    }

    /// Sets every learned scalar to zero: gradients before the first backward pass that adds to
    /// them.
    fn set_zero(&mut self) {
        self.visit_mut(&mut |parameter| parameter.values.fill(Self::Scalar::default()));
    }
}
