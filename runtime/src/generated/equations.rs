//! The equations of a cell, and what a step of any cell does with them.

use crate::kernels::isa::{Isa, Job, dispatch};
use crate::types::varying::Varying;

/// One step of `B` samples, and the state that a sequence starts from: what `rnn_cell!` writes for a cell, and for its
/// copies in fewer bits.
///
/// The functions that take `isa` are compiled once for each instruction set. The other functions of this module choose
/// one of them at run time.
pub trait Equations<const B: usize> {
    /// What stays the same for a whole sequence; `()` for most cells.
    type Context;
    /// What one step reads.
    type Input;
    /// What one step returns.
    type Output;
    /// What is carried from step to step.
    type State;
    /// The cell and its context, with every value that depends on nothing else.
    type Prepared<'a>
    where
        Self: 'a;

    /// Computes the values that depend on parameters and context alone.
    fn prepare_on<'a, S: Isa>(&'a self, isa: S, context: &'a Self::Context) -> Self::Prepared<'a>;

    /// Computes one step.
    fn step_on<'a, S: Isa>(
        isa: S,
        prepared: &Self::Prepared<'a>,
        x: &Self::Input,
        state: &mut Self::State,
    ) -> Self::Output
    where
        Self: 'a;

    /// Overwrites a state of zeros with the initial state. Does nothing if that is zero.
    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, context: &Self::Context, state: &mut Self::State) {
        let _ = (isa, context, state);
    }
}

struct Prepare<'a, C: Equations<B>, const B: usize> {
    cell: &'a C,
    context: &'a C::Context,
}

impl<'a, C: Equations<B>, const B: usize> Job for Prepare<'a, C, B> {
    type Out = C::Prepared<'a>;

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) -> Self::Out {
        self.cell.prepare_on(isa, self.context)
    }
}

/// Returns the handle that [`step`] reads.
#[inline]
pub fn prepare<'a, C: Equations<B>, const B: usize>(cell: &'a C, context: &'a C::Context) -> C::Prepared<'a> {
    dispatch(Prepare { cell, context })
}

struct Step<'p, 'a, C: Equations<B> + 'a, const B: usize> {
    prepared: &'p C::Prepared<'a>,
    x: &'p C::Input,
    state: &'p mut C::State,
}

impl<'a, C: Equations<B> + 'a, const B: usize> Job for Step<'_, 'a, C, B> {
    type Out = C::Output;

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) -> C::Output {
        C::step_on(isa, self.prepared, self.x, self.state)
    }
}

/// Computes one step: reads `x`, advances `state`, returns the output. Allocates nothing.
#[inline]
pub fn step<'a, C: Equations<B> + 'a, const B: usize>(
    prepared: &C::Prepared<'a>,
    x: &C::Input,
    state: &mut C::State,
) -> C::Output {
    dispatch(Step::<C, B> { prepared, x, state })
}

struct Start<'a, C: Equations<B>, const B: usize> {
    cell: &'a C,
    context: &'a C::Context,
    state: &'a mut C::State,
}

impl<C: Equations<B>, const B: usize> Job for Start<'_, C, B> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        self.cell.start_on(isa, self.context, self.state);
    }
}

/// Returns the state that a sequence starts from.
#[inline]
pub fn initial_state<C: Equations<B, State: Varying<T>>, T, const B: usize>(
    cell: &C,
    context: &C::Context,
) -> C::State {
    let mut state = C::State::zero();
    dispatch(Start { cell, context, state: &mut state });
    state
}
