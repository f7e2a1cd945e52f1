//! The equations of a cell, and the computation of a single step.

use crate::kernels::isa::{Isa, Job, dispatch};
use crate::types::varying::Varying;

/// One step of `B` samples and the initial state of a sequence. `rnn_cell!` implements it for a
/// cell and for its quantised copies.
///
/// The functions that take `isa` are compiled once per instruction set. The other functions of this
/// module choose one of them at run time.
pub trait Equations<const B: usize> {
    /// A value that is constant over a sequence; `()` for most cells.
    type Context;
    /// The input of a step.
    type Input;
    /// The output of a step.
    type Output;
    /// The value that is passed from step to step.
    type State;
    /// The cell, its context, and all values that depend only on these two.
    type Prepared<'a>
    where
        Self: 'a;

    /// Computes the values that depend only on parameters and context.
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

    /// Overwrites a state of zeros with the initial state. Does nothing if the initial state is
    /// zero.
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

/// Returns the values that [`step`] needs besides input and state.
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

/// Computes one step: reads `x`, advances `state` and returns the output. Allocates nothing.
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

/// Returns the initial state of a sequence.
#[inline]
pub fn initial_state<C: Equations<B, State: Varying<T>>, T, const B: usize>(
    cell: &C,
    context: &C::Context,
) -> C::State {
    let mut state = C::State::zero();
    dispatch(Start { cell, context, state: &mut state });
    state
}
