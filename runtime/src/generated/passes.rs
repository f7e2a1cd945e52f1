//! The passes over a sequence, and what the passes of any cell do around them.

use super::Equations;
use super::sequences::{check_ends, check_lengths};
use crate::kernels::isa::{Isa, Job, dispatch};

/// What a pass over a sequence reads.
#[derive(Debug)]
pub struct Pass<'a, X, C, const B: usize> {
    /// `xs[t]` is step `t` of every sample.
    pub xs: &'a [X],
    /// What stays the same for the whole sequence.
    pub context: &'a C,
    /// The number of steps of each sample, if they differ.
    pub lengths: Option<&'a [usize; B]>,
}

impl<X, C, const B: usize> Clone for Pass<'_, X, C, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<X, C, const B: usize> Copy for Pass<'_, X, C, B> {}

/// The cotangents that a backward pass reads and writes.
#[derive(Debug)]
pub struct Bars<'a, C: Passes<B>, const B: usize> {
    /// The cotangents of the outputs; empty: all zero.
    pub dys: &'a [C::Output],
    /// The cotangent of the final state on entry, of the initial state on return.
    pub dstate: &'a mut C::State,
    /// The gradients of the parameters, which are added to.
    pub grads: &'a mut C,
    /// The cotangents of the inputs, which are overwritten.
    pub dxs: Option<&'a mut [C::InputBar]>,
    /// The cotangent of the context, which is added to.
    pub dcontext: Option<&'a mut C::Context>,
}

/// The forward and the backward pass over a sequence of `B` samples: what `rnn_cell!` writes for a cell.
pub trait Passes<const B: usize>: Equations<B> + Sized {
    /// The cotangent of an input.
    type InputBar;
    /// The residuals of a forward pass.
    type Tape: Tape<B>;

    /// Runs a sequence and keeps the residuals.
    fn forward_on<S: Isa>(
        &self,
        isa: S,
        pass: Pass<'_, Self::Input, Self::Context, B>,
        state: &mut Self::State,
        tape: &mut Self::Tape,
    );

    /// Pulls cotangents back through the forward pass on `tape`.
    fn backward_on<S: Isa>(
        &self,
        isa: S,
        pass: Pass<'_, Self::Input, Self::Context, B>,
        tape: &mut Self::Tape,
        bars: Bars<'_, Self, B>,
    );

    /// Pulls the cotangent of the initial state back to what it is computed from. Does nothing if it is zero.
    #[inline(always)]
    fn start_backward_on<S: Isa>(
        &self,
        isa: S,
        context: &Self::Context,
        dstate: &Self::State,
        grads: &mut Self,
        dcontext: Option<&mut Self::Context>,
    ) {
        let _ = (isa, context, dstate, grads, dcontext);
    }
}

/// What every tape knows of its forward pass.
pub trait Tape<const B: usize> {
    /// The number of steps of the sequence.
    fn steps(&self) -> usize;

    /// The number of steps of each sample, if they differ.
    fn lengths(&self) -> Option<&[usize; B]>;
}

struct Forward<'a, C: Passes<B>, const B: usize> {
    cell: &'a C,
    pass: Pass<'a, C::Input, C::Context, B>,
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

/// Runs a sequence and keeps on `tape` what [`backward`] needs.
pub fn forward<C: Passes<B>, const B: usize>(
    cell: &C,
    pass: Pass<'_, C::Input, C::Context, B>,
    state: &mut C::State,
    tape: &mut C::Tape,
) {
    dispatch(Forward { cell, pass, state, tape });
}

struct Backward<'a, C: Passes<B>, const B: usize> {
    cell: &'a C,
    pass: Pass<'a, C::Input, C::Context, B>,
    tape: &'a mut C::Tape,
    bars: Bars<'a, C, B>,
}

impl<C: Passes<B>, const B: usize> Job for Backward<'_, C, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        self.cell.backward_on(isa, self.pass, self.tape, self.bars);
    }
}

/// Pulls cotangents back through the forward pass on `tape`, which must have been over the same `pass`.
///
/// # Panics
/// If the number of steps in `pass` or `bars`, or the samples' lengths, are not those on the tape.
pub fn backward<C: Passes<B>, const B: usize>(
    cell: &C,
    pass: Pass<'_, C::Input, C::Context, B>,
    tape: &mut C::Tape,
    bars: Bars<'_, C, B>,
) {
    check_lengths(tape.steps(), pass.xs.len(), bars.dys.len(), bars.dxs.as_deref().map(<[_]>::len));
    check_ends(tape.lengths(), pass.lengths, tape.steps());
    dispatch(Backward { cell, pass, tape, bars });
}

struct StartBackward<'a, C: Passes<B>, const B: usize> {
    cell: &'a C,
    context: &'a C::Context,
    dstate: &'a C::State,
    grads: &'a mut C,
    dcontext: Option<&'a mut C::Context>,
}

impl<C: Passes<B>, const B: usize> Job for StartBackward<'_, C, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let StartBackward { cell, context, dstate, grads, dcontext } = self;
        cell.start_backward_on(isa, context, dstate, grads, dcontext);
    }
}

/// Pulls the cotangent of the initial state back to parameters and context.
pub fn start_backward<C: Passes<B>, const B: usize>(
    cell: &C,
    context: &C::Context,
    dstate: &C::State,
    grads: &mut C,
    dcontext: Option<&mut C::Context>,
) {
    dispatch(StartBackward { cell, context, dstate, grads, dcontext });
}
