//! The traits that every generated cell implements. A hand-written type that implements them can be
//! used wherever a generated one can.
//!
//! Without the feature `alloc` there are no tapes and no [`Layer`]s. Of the traits, only [`Model`],
//! [`ModelMut`] and [`Prepare`] remain.

use crate::Scalar;
#[cfg(feature = "alloc")]
use crate::network::{Dropout, Follows, Stack};
#[cfg(feature = "alloc")]
use crate::types::varying::Varying;

mod approximate;
#[cfg(feature = "alloc")]
mod delegate;
#[cfg(feature = "alloc")]
pub(crate) mod fault;
#[cfg(feature = "alloc")]
mod layer;
mod lists;
#[cfg(feature = "alloc")]
mod pass;
mod path;
mod prepare;
mod show;
#[cfg(feature = "alloc")]
mod state;
#[cfg(feature = "alloc")]
mod with;

pub use approximate::Approximate;
#[cfg(feature = "alloc")]
pub(crate) use delegate::{visit_as, visit_mut_as, visit_mut_parts, visit_parts};
#[cfg(feature = "alloc")]
pub use layer::*;
#[doc(hidden)]
pub use lists::Held;
#[cfg(feature = "alloc")]
pub use pass::*;
pub(crate) use path::Place;
pub(crate) use prepare::prepared_as;
pub use prepare::*;
#[doc = include_str!("derive.md")]
pub use rnn_cell_macros::Model;
#[cfg(feature = "alloc")]
pub(crate) use show::Shape;
#[cfg(any(feature = "alloc", feature = "quantised"))]
pub(crate) use show::TypeName;
#[doc(hidden)]
pub use show::debug;
#[cfg(feature = "alloc")]
pub use state::*;
#[cfg(feature = "alloc")]
pub use with::*;

/// One block of a parameter, with its place in the parameter that the user declared.
///
/// `param W: [H, H + I]` is visited as two blocks of the name `W`, at columns 0 and `H`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockShape {
    /// The index of the head that the block belongs to, and the number of heads, for a parameter of
    /// `heads K { .. }`. Each head's matrix is visited under the same name.
    pub head: Option<(usize, usize)>,
    /// Rows and columns of this block.
    pub size: (usize, usize),
    /// The block's first row and column in the whole parameter.
    pub at: (usize, usize),
    /// Rows and columns of the whole parameter.
    pub whole: (usize, usize),
    /// The number of axes in the declaration of the parameter: 0 for `[]`, 1 for `[n]`, 2 for
    /// `[m, n]`. `whole` is `(n, 1)` for both `[n]` and `[n, 1]`.
    pub rank: usize,
    /// The storage of the block in a quantised copy.
    pub storage: Storage,
}

impl BlockShape {
    /// Returns the number of heads, for a parameter of `heads K { .. }`.
    pub fn heads(&self) -> Option<usize> {
        self.head.map(|(_, heads)| heads)
    }

    /// Returns the rows and columns of the whole parameter, with the matrices of several heads on
    /// top of each other.
    pub fn stack(&self) -> (usize, usize) {
        (self.heads().unwrap_or(1) * self.whole.0, self.whole.1)
    }

    /// Returns the first row and column of the block in the [stack](Self::stack).
    pub fn at_in_stack(&self) -> (usize, usize) {
        let head = self.head.map_or(0, |(head, _)| head);
        (head * self.whole.0 + self.at.0, self.at.1)
    }
}

/// The storage of a block in a quantised copy of its cell (feature `quantised`). Without the
/// feature every block is [`Whole`](Self::Whole).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Storage {
    /// A block in the cell's precision, or one that the copy does not store.
    #[default]
    Whole,
    /// A block in fewer bits, rounded row by row.
    ByRow,
    /// A block in fewer bits, rounded column by column, because the step reads only its transpose.
    ByColumn,
}

/// A block of a parameter, for reading. `'n` is the name's lifetime, `'v` the values'.
#[derive(Debug, Clone, Copy)]
pub struct Parameter<'n, 'v, T> {
    /// The parameter's name as declared; models that hold several models put a path before it.
    /// Without the feature `alloc`, a path and a name are cut after 120 bytes.
    pub name: &'n str,
    /// The place and size of the block.
    pub shape: BlockShape,
    /// The block's entries, column by column.
    pub values: &'v [T],
}

/// A block of a parameter, for changes.
#[derive(Debug)]
pub struct ParameterMut<'n, 'v, T> {
    /// The parameter's name as declared; models that hold several models put a path before it.
    /// Without the feature `alloc`, a path and a name are cut after 120 bytes.
    pub name: &'n str,
    /// The place and size of the block.
    pub shape: BlockShape,
    /// The block's entries, column by column.
    pub values: &'v mut [T],
}

/// A layer of a model, as [`summary`](fn@crate::inspect::summary) lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerInfo<'n> {
    /// The path that the names of the layer's parameters start with, empty for a layer by itself.
    pub path: &'n str,
    /// The layer's type, as [`type_name`](core::any::type_name) writes it.
    pub kind: &'static str,
    /// The number of floating-point operations per step and sample, if it is known.
    pub flops: Option<usize>,
    /// The equations of a step, if `rnn_cell!` wrote the layer: its constant `EQUATIONS`.
    pub equations: &'static str,
    /// The number of earlier steps that a step reads through delays and windows.
    pub reach: usize,
}

/// A value with parameters: a cell, a network, a struct of them, gradients.
///
/// Parameters are visited in the order of their declaration, always the same; a gradient is visited
/// in the order of its model. A struct of models implements the trait by
/// [`#[derive(Model)]`](derive@Model).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "no `Model`",
    note = "models are cells of `rnn_cell!`, networks, structs with `#[derive(Model)]`, and `[M; N]`, `Box<M>`, `Vec<M>` of a model `M`",
    note = "in a struct with `#[derive(Model)]`, write `#[model(skip)]` before a field without parameters"
)]
pub trait Model {
    /// The scalar of the parameters, `f32` or `f64`.
    type Scalar: Scalar;
    /// The cotangents of the parameters; for a generated cell the cell's own type.
    type Gradients: ModelMut<Scalar = Self::Scalar, Gradients = Self::Gradients>;

    /// Returns gradients that are all zero, on the heap.
    #[cfg(feature = "alloc")]
    fn zero_gradients(&self) -> alloc::boxed::Box<Self::Gradients>;

    /// Calls `visitor` with every learned parameter, block by block.
    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>));

    /// Calls `visitor` with every saved field that is not learned, block by block; does nothing by
    /// default.
    fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>)) {
        let _ = visitor;
    }

    /// Calls `visitor` with every layer that has parameters or equations of its own, in the order
    /// of the parameters. A model that is not made of others is one layer.
    fn visit_layers(&self, visitor: &mut dyn FnMut(LayerInfo<'_>)) {
        visitor(LayerInfo {
            path: "",
            kind: core::any::type_name::<Self>(),
            flops: None,
            equations: "",
            reach: 0,
        });
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

    /// Returns the state that a sequence of `B` samples starts from: zero, unless the layer defines
    /// another one. For a layer with a context see
    /// [`initial_state_with`](Layer::initial_state_with).
    #[cfg(feature = "alloc")]
    fn initial_state<const B: usize>(&self) -> <Self as Layer<B>>::State
    where
        Self: Layer<B, Context = ()> + Sized,
    {
        self.initial_state_with(&())
    }

    /// Pulls `dstate`, the cotangent of the [initial state](Self::initial_state), back to the
    /// parameters that this state is computed from. Adds to `gradients` if the layer learns its
    /// initial state, and does nothing otherwise. For a layer with a context see
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

    /// Returns a state of `B` samples that is all zero. It serves as the cotangent of a final state
    /// that no loss reads.
    #[cfg(feature = "alloc")]
    fn zero_state<const B: usize>(&self) -> <Self as Layer<B>>::State
    where
        Self: Layer<B> + Sized,
    {
        Varying::zero()
    }

    /// Returns a context of `B` samples that is all zero. It serves as the cotangent of a context
    /// before backward passes add to it.
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

    /// Puts another layer on top of this one: `a.then(b).then(c)` is a chain of three layers.
    ///
    /// ```
    /// use rnn_cell::cells::{Dense, Embedding, Lstm, MeanPool};
    /// use rnn_cell::prelude::*;
    ///
    /// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    /// let net = Embedding::<100, 8>::init(&mut rng)
    ///     .then(Lstm::<8, 16>::init(&mut rng))
    ///     .dropout(0.2)
    ///     .then(MeanPool::<16>::zeros())
    ///     .then(Dense::<16, 2>::init(&mut rng));
    /// let y: SVector<f32, 2> = net.step(&[42], &mut net.initial_state());
    /// ```
    #[cfg(feature = "alloc")]
    fn then<N>(self, next: N) -> Stack<Self, N>
    where
        Self: Layer<1> + Sized,
        N: Follows<Self>,
    {
        Stack(self, next)
    }

    /// Drops values of the outputs at random in training, each with probability `rate`; see
    /// [`Dropout`].
    ///
    /// # Panics
    /// Panics if the rate is not in `[0, 1)`.
    #[cfg(feature = "alloc")]
    #[track_caller]
    fn dropout(self, rate: f64) -> Dropout<Self>
    where
        Self: Sized,
    {
        Dropout::new(self, rate)
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
#[diagnostic::on_unimplemented(
    message = "the parameters of `{Self}` can't be changed",
    label = "no `ModelMut`"
)]
pub trait ModelMut: Model {
    /// Calls `visitor` with every learned parameter, block by block, to change it.
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>));

    /// Calls `visitor` with every saved field that is not learned, block by block, to change it;
    /// does nothing by default.
    fn visit_buffers_mut<'v>(
        &'v mut self,
        visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>),
    ) {
        let _ = visitor;
    }

    /// Sets every learned scalar to zero. Gradients need this before the first backward pass that
    /// adds to them.
    fn set_zero(&mut self) {
        self.visit_mut(&mut |parameter| parameter.values.fill(Self::Scalar::default()));
    }
}
