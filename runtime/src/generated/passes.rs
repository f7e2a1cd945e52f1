//! The part of a pass over a sequence that is the same for every cell.

use alloc::vec::Vec;
use core::{fmt, mem};

use super::sequences::{CleanContext, finish_outputs, run_steps, with_cotangent, without_padding};
use crate::cell::{Layer, LayerBars, LayerPass, check_ends, check_lengths};
use crate::kernels::isa::{Isa, Job, dispatch};
use crate::kernels::plain::Flat;
use crate::kernels::series::Series;
use crate::types::varying::Varying;
use crate::{Scalar, cell::Pass};

/// The passes over a sequence of `B` samples, which `rnn_cell!` writes for a cell. They are
/// compiled once per instruction set.
pub trait Passes<const B: usize>:
    Layer<B, Gradients = Self, Context: Varying<Self::Scalar> + Send + Sync> + Sized
{
    /// The type of the copy of the inputs without padding: a series if the passes read the inputs
    /// in place, `()` if they copy them anyway.
    type CleanInputs: CleanInputs<Self::Input>;

    /// Returns the part of a tape that is the same for every cell.
    fn common(tape: &mut Self::Tape) -> &mut CommonTape<Self, B>;

    /// Runs a sequence and stores the residuals.
    fn forward_on<S: Isa>(
        &self,
        isa: S,
        pass: LayerPass<'_, Self, B>,
        state: &mut Self::State,
        tape: &mut Self::Tape,
    );

    /// Pulls cotangents back through the forward pass on `tape`.
    fn backward_on<S: Isa>(
        &self,
        isa: S,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        bars: LayerBars<'_, Self, B>,
    );

    /// Pulls the cotangent of the initial state back to the values that it is computed from. Does
    /// nothing if the initial state is zero.
    #[inline(always)]
    fn start_backward_on<S: Isa>(
        &self,
        isa: S,
        context: &Self::Context,
        dstate: &Self::State,
        gradients: &mut Self,
        dcontext: Option<&mut Self::Context>,
    ) {
        let _ = (isa, context, dstate, gradients, dcontext);
    }
}

/// The common part of the tape of the cell `C`.
pub type CommonTape<C, const B: usize> = Common<
    <C as Passes<B>>::CleanInputs,
    <C as Layer<B>>::Output,
    <C as Layer<B>>::Context,
    <C as crate::cell::Model>::Scalar,
    B,
>;

/// The part of a tape that is the same for every cell: outputs `Y`, and [clean copies](Clean) for
/// ragged batches.
#[derive(Clone)]
pub struct Common<I, Y, C, T, const B: usize> {
    /// The outputs, unless a series of the tape holds them.
    pub outputs: Vec<Y>,
    /// The number of steps of the sequence.
    steps: usize,
    /// The number of steps of each sample, in a ragged batch.
    lengths: Option<[usize; B]>,
    clean: Clean<I, C, T>,
}

impl<I, Y: Clone, C, T, const B: usize> Common<I, Y, C, T, B> {
    /// Copies the outputs of a ragged batch from a series, so that their padding can be cleared.
    pub fn copy_outputs(&mut self, series: &[Y], lengths: Option<&[usize; B]>) {
        self.outputs.clear();
        if lengths.is_some() {
            self.outputs.extend_from_slice(series);
        }
    }

    /// Returns the outputs if they are a copy: those of a ragged batch.
    pub fn copied_outputs(&self) -> Option<&[Y]> {
        (!self.outputs.is_empty()).then_some(&self.outputs)
    }
}

impl<I, Y, C, T, const B: usize> fmt::Debug for Common<I, Y, C, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Common { steps, lengths, .. } = self;
        f.debug_struct("Common").field("steps", steps).field("lengths", lengths).finish_non_exhaustive()
    }
}

impl<I: Default, Y, C, T, const B: usize> Default for Common<I, Y, C, T, B> {
    fn default() -> Self {
        Common { outputs: Vec::new(), steps: 0, lengths: None, clean: Clean::default() }
    }
}

/// Copies of the inputs and the context of a ragged batch without the padding, whose contents are
/// arbitrary.
#[derive(Clone)]
struct Clean<I, C, T> {
    inputs: I,
    context: CleanContext<C, T>,
}

impl<I: Default, C, T> Default for Clean<I, C, T> {
    fn default() -> Self {
        Clean { inputs: I::default(), context: CleanContext::new() }
    }
}

impl<I, C: Varying<T> + Send + Sync, T: Scalar> Clean<I, C, T> {
    /// Returns a pass without padding.
    fn read<'a, X, const B: usize>(&'a mut self, pass: Pass<'a, X, C, B>) -> Pass<'a, X, C, B>
    where
        I: CleanInputs<X>,
    {
        let Some(lengths) = &pass.lengths else { return pass };
        Pass {
            xs: self.inputs.read(pass.xs, lengths),
            context: self.context.read(pass.context, lengths, pass.xs.len()),
            lengths: pass.lengths,
        }
    }
}

/// Storage for a copy of the inputs without the padding.
pub trait CleanInputs<X>: Default {
    /// Returns `xs`, or a copy in which each padded step holds the last step of its sample.
    fn read<'a>(&'a mut self, xs: &'a [X], lengths: &[usize]) -> &'a [X];
}

impl<X> CleanInputs<X> for () {
    fn read<'a>(&'a mut self, xs: &'a [X], _: &[usize]) -> &'a [X] {
        xs
    }
}

impl<X: Flat> CleanInputs<X> for Series<X> {
    fn read<'a>(&'a mut self, xs: &'a [X], lengths: &[usize]) -> &'a [X] {
        without_padding(xs, lengths, self);
        self.as_slice()
    }
}

struct Forward<'a, C: Passes<B>, const B: usize> {
    cell: &'a C,
    pass: LayerPass<'a, C, B>,
    state: &'a mut C::State,
    tape: &'a mut C::Tape,
}

impl<C: Passes<B>, const B: usize> Job for Forward<'_, C, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        self.cell.forward_on(isa, self.pass, self.state, self.tape);
    }
}

/// Runs a sequence and stores on `tape` the residuals that [`backward`] needs.
pub fn forward<C: Passes<B>, const B: usize>(
    cell: &C,
    pass: LayerPass<'_, C, B>,
    state: &mut C::State,
    tape: &mut C::Tape,
) {
    let common = C::common(tape);
    (common.steps, common.lengths) = (pass.xs.len(), pass.lengths);
    let mut clean = mem::take(&mut common.clean);
    dispatch(Forward { cell, pass: clean.read(pass), state, tape });
    let common = C::common(tape);
    common.clean = clean;
    if let Some(lengths) = pass.lengths {
        finish_outputs(&mut common.outputs, lengths, pass.xs.len());
    }
}

/// Runs a sequence in chunks, with a tape of one chunk, and returns the outputs.
pub fn run<C: Passes<B>, const B: usize>(
    cell: &C,
    pass: LayerPass<'_, C, B>,
    state: &mut C::State,
) -> Vec<C::Output> {
    let (mut tape, steps) = (C::Tape::default(), pass.xs.len());
    let mut ys = Vec::with_capacity(steps);
    let piece = run_steps(B, steps);
    for start in (0..steps).step_by(piece) {
        forward(cell, pass.window(start..steps.min(start + piece)), state, &mut tape);
        ys.extend_from_slice(cell.outputs(&tape));
    }
    ys
}

struct Backward<'a, C: Passes<B>, const B: usize> {
    cell: &'a C,
    pass: LayerPass<'a, C, B>,
    tape: &'a mut C::Tape,
    dys: &'a [C::Output],
    bars: LayerBars<'a, C, B>,
}

impl<C: Passes<B>, const B: usize> Job for Backward<'_, C, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        self.cell.backward_on(isa, self.pass, self.tape, self.dys, self.bars);
    }
}

/// Pulls cotangents back through the forward pass on `tape`, which must have run over the same
/// `pass`.
///
/// # Panics
/// Panics if the number of steps in `pass`, `dys` or `bars`, or the lengths of the samples, differ
/// from those on the tape.
pub fn backward<C: Passes<B>, const B: usize>(
    cell: &C,
    pass: LayerPass<'_, C, B>,
    tape: &mut C::Tape,
    dys: &[C::Output],
    bars: LayerBars<'_, C, B>,
) {
    let common = C::common(tape);
    check_lengths(common.steps, pass.xs.len(), dys.len(), bars.steps());
    check_ends(common.lengths, pass.lengths, common.steps);
    let mut clean = mem::take(&mut common.clean);
    dispatch(Backward { cell, pass: clean.read(pass), tape, dys, bars });
    C::common(tape).clean = clean;
}

struct StartBackward<'a, C: Passes<B>, const B: usize> {
    cell: &'a C,
    context: &'a C::Context,
    dstate: &'a C::State,
    gradients: &'a mut C,
    dcontext: Option<&'a mut C::Context>,
}

impl<C: Passes<B>, const B: usize> Job for StartBackward<'_, C, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let StartBackward { cell, context, dstate, gradients, dcontext } = self;
        cell.start_backward_on(isa, context, dstate, gradients, dcontext);
    }
}

/// Pulls the cotangent of the initial state back to parameters and context. The context of a sample
/// without a cotangent may be invalid.
pub fn start_backward<C: Passes<B, State: Send + Sync>, const B: usize>(
    cell: &C,
    context: &C::Context,
    dstate: &C::State,
    gradients: &mut C,
    dcontext: Option<&mut C::Context>,
) {
    let mut clean = CleanContext::new();
    let lengths = with_cotangent::<_, _, B>(dstate);
    let context = clean.read(context, &lengths, 1);
    dispatch(StartBackward { cell, context, dstate, gradients, dcontext });
}

/// Implements the methods of [`Cell`](crate::Cell). `$matrices` are the sizes of the matrices that
/// every step and sample has its own copy of.
#[doc(hidden)]
#[macro_export]
macro_rules! __cell_methods {
    ($B:tt $T:ident [$($matrices:expr),*]) => {
        #[inline]
        fn step_with(
            &self,
            __x: &Self::Input,
            __context: &Self::Context,
            __state: &mut Self::State,
        ) -> Self::Output {
            let __fixed = $crate::generated::prepare::<Self, $B>(self, __context);
            $crate::generated::step(self, &__fixed, __x, __context, __state)
        }

        fn chunk(&self) -> ::core::primitive::usize {
            $crate::generated::chunk_steps::<$T>($B, ::core::primitive::usize::MAX, &[$($matrices),*])
        }
    };
}

/// Implements the methods of [`Layer`] that are the same for every cell, by the functions of this
/// module. `$B` is the number of samples.
#[doc(hidden)]
#[macro_export]
macro_rules! __layer_methods {
    ($B:tt) => {
        fn visit_state(
            &self,
            __state: &mut Self::State,
            __visitor: &mut $crate::generated::StateVisitor<'_, Self::Scalar>,
        ) {
            $crate::generated::visit_fields::<_, Self::Output, _>(__state, __visitor);
        }

        fn run_pass(
            &self,
            __pass: $crate::generated::LayerPass<'_, Self, $B>,
            __state: &mut Self::State,
        ) -> $crate::generated::Vec<Self::Output> {
            $crate::generated::run::<Self, $B>(self, __pass, __state)
        }

        fn forward_pass(
            &self,
            __pass: $crate::generated::LayerPass<'_, Self, $B>,
            __state: &mut Self::State,
            __tape: &mut Self::Tape,
        ) {
            $crate::generated::forward::<Self, $B>(self, __pass, __state, __tape);
        }

        fn backward_pass(
            &self,
            __pass: $crate::generated::LayerPass<'_, Self, $B>,
            __tape: &mut Self::Tape,
            __dys: &[Self::Output],
            __bars: $crate::generated::LayerBars<'_, Self, $B>,
        ) {
            $crate::generated::backward::<Self, $B>(self, __pass, __tape, __dys, __bars);
        }

        fn inspect_forward(
            &self,
            __pass: $crate::generated::LayerPass<'_, Self, $B>,
            __state: &Self::State,
            _: &Self::Tape,
        ) -> ::core::result::Result<(), $crate::generated::Fault> {
            $crate::generated::inspect_steps::<Self, $B>(self, __pass, __state)
        }

        fn inspect_backward(
            &self,
            __pass: $crate::generated::LayerPass<'_, Self, $B>,
            __state: &Self::State,
            _: [&Self::Tape; 2],
            __dys: &[Self::Output],
            _: &Self::Gradients,
        ) -> ::core::result::Result<(), $crate::generated::Fault> {
            $crate::generated::inspect_steps_back::<Self, $B>(self, __pass, __state, __dys)
        }
    };
}
