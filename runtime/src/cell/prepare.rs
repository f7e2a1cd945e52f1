//! Streaming with the values precomputed that depend on the parameters and the context alone.

use core::borrow::Borrow;

use super::Approximate;
use crate::Scalar;
pub use crate::kernels::isa::{Accuracy, FiveDecimals, FourDecimals, Isa};
use crate::kernels::isa::{Job, dispatch};
use crate::types::varying::Varying;

/// The steps of a cell, with the values that depend on the parameters and the context alone
/// computed beforehand. [`Prepared`] holds these values.
///
/// `rnn_cell!` implements it for cells and their quantised copies, and this library for networks of
/// such layers and for `&L`, `Box<L>` and `Arc<L>`. A hand-written cell in a prepared network
/// implements it with `Fixed = ()` or with values of its own. The functions are compiled once per
/// instruction set, which `isa` names; a hand-written cell ignores it.
#[diagnostic::on_unimplemented(
    message = "the steps of `{Self}` cannot be prepared",
    label = "no `Prepare<{B}>`",
    note = "cells of `rnn_cell!` can be prepared, and networks that stream if all their layers can"
)]
pub trait Prepare<const B: usize> {
    /// The scalar of the cell, `f32` or `f64`.
    type Scalar: Scalar;
    /// A value that is constant over a sequence; `()` for most cells.
    type Context;
    /// The input of a step.
    type Input;
    /// The output of a step.
    type Output;
    /// The value that is passed from step to step.
    type State: Varying<Self::Scalar>;
    /// The values that depend on the parameters and the context alone.
    type Fixed;

    /// Computes the values that depend on the parameters and the context alone.
    fn prepare_on<S: Isa>(&self, isa: S, context: &Self::Context) -> Self::Fixed;

    /// Computes one step: reads `x`, advances `state` and returns the output.
    fn step_on<S: Isa>(
        &self,
        isa: S,
        fixed: &Self::Fixed,
        x: &Self::Input,
        context: &Self::Context,
        state: &mut Self::State,
    ) -> Self::Output;

    /// Overwrites a state of zeros with the initial state. The default leaves it zero.
    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, context: &Self::Context, state: &mut Self::State) {
        let _ = (isa, context, state);
    }
}

/// A layer for streaming, with all values precomputed that no input changes, such as
/// `exp(log_rate)` or a projected memory.
///
/// It owns the prepared values, and holds the layer and its context in any form: by value, in a
/// `Box`, in an `Arc` that several streams share, or as a reference. `cell.prepare()` borrows the
/// cell. The prepared values belong to the parameters at the time of preparation, so the layer
/// cannot be changed while it is prepared; [`into_parts`](Self::into_parts) returns it.
///
/// A step allocates nothing and gives the same bits as a step of the layer.
///
/// ```
/// use std::sync::Arc;
///
/// use rnn_cell::cell::Prepared;
/// use rnn_cell::cells::{Dense, SelectiveSsm, SelectiveSsmState};
/// use rnn_cell::prelude::*;
///
/// type Net = Stack<Arc<SelectiveSsm<4, 2, 1>>, Dense<4, 1>>;
///
/// /// An audio plug-in, which owns its network.
/// struct PlugIn {
///     net: Prepared<Net>,
///     state: (SelectiveSsmState<4, 2, 1>, rnn_cell::cells::DenseState),
/// }
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let net = Stack(Arc::new(SelectiveSsm::init(&mut rng)), Dense::init(&mut rng));
/// let net: Prepared<Net> = Prepared::new(net);
/// let mut plug_in = PlugIn { state: net.initial_state(), net };
/// let thread = std::thread::spawn(move || {
///     plug_in.net.step(&SVector::<f32, 4>::repeat(0.5), &mut plug_in.state)
/// });
/// let y: SVector<f32, 1> = thread.join().unwrap();
/// # assert!(y.amax() < 10.0);
/// ```
#[derive(Debug, Clone)]
pub struct Prepared<L, X = (), const B: usize = 1>
where
    L: Prepare<B>,
{
    layer: L,
    context: X,
    fixed: L::Fixed,
}

impl<L: Prepare<B, Context = ()>, const B: usize> Prepared<L, (), B> {
    /// Prepares a layer without a context.
    #[inline]
    pub fn new(layer: L) -> Self {
        Self::with(layer, ())
    }
}

impl<L: Prepare<B>, X: Borrow<L::Context>, const B: usize> Prepared<L, X, B> {
    /// Prepares a layer with its context.
    #[inline]
    pub fn with(layer: L, context: X) -> Self {
        Prepared { fixed: prepare(&layer, context.borrow()), layer, context }
    }

    /// Returns the initial state of a sequence.
    #[inline]
    pub fn initial_state(&self) -> L::State {
        initial_state(&self.layer, self.context.borrow())
    }

    /// Computes one step: reads `x`, advances `state` and returns the output. Allocates nothing.
    #[inline]
    pub fn step(&self, x: &L::Input, state: &mut L::State) -> L::Output {
        step(&self.layer, &self.fixed, x, self.context.borrow(), state)
    }

    /// Computes a step for each of `xs` and writes the outputs to `ys`. Allocates nothing.
    ///
    /// # Panics
    /// Panics if `xs` and `ys` differ in length.
    // Inlined, so that nothing is left of the check where the lengths are constants.
    #[inline(always)]
    pub fn run(&self, xs: &[L::Input], ys: &mut [L::Output], state: &mut L::State) {
        assert_eq!(xs.len(), ys.len(), "as many outputs as inputs");
        let Prepared { layer, context, fixed } = self;
        dispatch(Steps { layer, fixed, xs, ys, context: context.borrow(), state });
    }

    /// Makes the steps faster, with activations of the accuracy `A`. The values that are computed
    /// already stay exact.
    ///
    /// ```
    /// use rnn_cell::cell::{FiveDecimals, FourDecimals};
    /// use rnn_cell::cells::Lstm;
    /// use rnn_cell::prelude::*;
    ///
    /// let lstm = Lstm::<1, 16>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    /// let live = lstm.prepare().approximate::<FourDecimals>();
    /// let (mut exact, mut near) = (lstm.initial_state(), live.initial_state());
    /// for x in [0.1, -0.5, 0.3] {
    ///     let x = SVector::<f32, 1>::new(x);
    ///     let difference = lstm.step(&x, &mut exact) - live.step(&x, &mut near);
    ///     assert!(difference.amax() < 1e-4);
    /// }
    /// # let _ = lstm.prepare::<1>().approximate::<FiveDecimals>();
    /// ```
    pub fn approximate<A: Accuracy>(self) -> Prepared<Approximate<L, A>, X, B> {
        Prepared { layer: Approximate::new(self.layer), context: self.context, fixed: self.fixed }
    }

    /// Returns the layer.
    pub fn layer(&self) -> &L {
        &self.layer
    }

    /// Returns the context.
    pub fn context(&self) -> &X {
        &self.context
    }

    /// Returns the layer and the context, to change them.
    pub fn into_parts(self) -> (L, X) {
        (self.layer, self.context)
    }
}

struct Fix<'a, L: Prepare<B>, const B: usize> {
    layer: &'a L,
    context: &'a L::Context,
}

impl<L: Prepare<B>, const B: usize> Job for Fix<'_, L, B> {
    type Out = L::Fixed;

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) -> L::Fixed {
        self.layer.prepare_on(isa, self.context)
    }
}

/// Computes the values that [`step`] needs besides input and state.
#[doc(hidden)]
#[inline]
pub fn prepare<L: Prepare<B>, const B: usize>(layer: &L, context: &L::Context) -> L::Fixed {
    dispatch(Fix { layer, context })
}

struct Step<'a, L: Prepare<B>, const B: usize> {
    layer: &'a L,
    fixed: &'a L::Fixed,
    x: &'a L::Input,
    context: &'a L::Context,
    state: &'a mut L::State,
}

impl<L: Prepare<B>, const B: usize> Job for Step<'_, L, B> {
    type Out = L::Output;

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) -> L::Output {
        self.layer.step_on(isa, self.fixed, self.x, self.context, self.state)
    }
}

/// Computes one step with prepared values.
#[doc(hidden)]
#[inline]
pub fn step<L: Prepare<B>, const B: usize>(
    layer: &L,
    fixed: &L::Fixed,
    x: &L::Input,
    context: &L::Context,
    state: &mut L::State,
) -> L::Output {
    dispatch(Step { layer, fixed, x, context, state })
}

struct Steps<'a, L: Prepare<B>, const B: usize> {
    layer: &'a L,
    fixed: &'a L::Fixed,
    xs: &'a [L::Input],
    ys: &'a mut [L::Output],
    context: &'a L::Context,
    state: &'a mut L::State,
}

impl<L: Prepare<B>, const B: usize> Job for Steps<'_, L, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let Steps { layer, fixed, xs, ys, context, state } = self;
        for (x, y) in xs.iter().zip(ys) {
            *y = layer.step_on(isa, fixed, x, context, state);
        }
    }
}

struct Start<'a, L: Prepare<B>, const B: usize> {
    layer: &'a L,
    context: &'a L::Context,
    state: &'a mut L::State,
}

impl<L: Prepare<B>, const B: usize> Job for Start<'_, L, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        self.layer.start_on(isa, self.context, self.state);
    }
}

/// Returns the initial state of a sequence.
#[doc(hidden)]
#[inline]
pub fn initial_state<L: Prepare<B>, const B: usize>(layer: &L, context: &L::Context) -> L::State {
    let mut state = L::State::zero();
    dispatch(Start { layer, context, state: &mut state });
    state
}

/// Implements the types of [`Prepare`] and `prepare_on` by those of another layer `L`, for a
/// wrapper whose state is `$state`: `State = L::State, this => this.layer`.
macro_rules! prepared_as {
    (State = $state:ty, $this:ident => $layer:expr) => {
        type Scalar = L::Scalar;
        type Context = L::Context;
        type Input = L::Input;
        type Output = L::Output;
        type State = $state;
        type Fixed = L::Fixed;

        #[inline(always)]
        fn prepare_on<S: Isa>(&self, isa: S, context: &L::Context) -> L::Fixed {
            let $this = self;
            $layer.prepare_on(isa, context)
        }
    };
}

pub(crate) use prepared_as;

/// Implements [`Prepare`] by that of another layer: `this => **this`.
macro_rules! prepare_as {
    ($this:ident => $layer:expr) => {
        prepared_as!(State = L::State, $this => $layer);

        #[inline(always)]
        fn step_on<S: Isa>(
            &self,
            isa: S,
            fixed: &L::Fixed,
            x: &L::Input,
            context: &L::Context,
            state: &mut L::State,
        ) -> L::Output {
            let $this = self;
            $layer.step_on(isa, fixed, x, context, state)
        }

        #[inline(always)]
        fn start_on<S: Isa>(&self, isa: S, context: &L::Context, state: &mut L::State) {
            let $this = self;
            $layer.start_on(isa, context, state);
        }
    };
}

impl<L: Prepare<B> + ?Sized, const B: usize> Prepare<B> for &L {
    prepare_as!(this => (**this));
}

#[cfg(feature = "alloc")]
impl<L: Prepare<B> + ?Sized, const B: usize> Prepare<B> for alloc::boxed::Box<L> {
    prepare_as!(this => (**this));
}

#[cfg(all(feature = "alloc", target_has_atomic = "ptr"))]
impl<L: Prepare<B> + ?Sized, const B: usize> Prepare<B> for alloc::sync::Arc<L> {
    prepare_as!(this => (**this));
}
