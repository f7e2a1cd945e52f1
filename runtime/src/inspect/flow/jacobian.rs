//! The derivative of a step's new state with respect to the old one.

use core::ops::Range;
use core::slice;

use alloc::vec::Vec;
use nalgebra::DMatrix;

use super::spectrum::{SingularValues, singular_values};
use crate::Scalar;
use crate::cell::{Bars, Cell, IntoPass, IntoStep, LayerPass, Pass};
use crate::types::varying::Varying;

/// Returns the derivative of the state after the step that reads `x` with respect to the state
/// before it. Rows are the scalars of the new state, columns those of the old one, in the order of
/// [`Varying`]: fields in the order of their declaration, matrices column by column, the layers of
/// a stack from the first to the last.
///
/// The derivative is exact. Each row is the result of [`backward`](crate::cell::Layer::backward)
/// for a unit cotangent, in the layer's precision.
///
/// ```
/// use rnn_cell::cells::Gru;
/// use rnn_cell::inspect::flow::jacobian;
/// use rnn_cell::prelude::*;
///
/// let gru = Gru::<2, 4, f64>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let jacobian = jacobian(&gru, &SVector::from([1.0, -1.0]), &gru.zero_state());
/// assert_eq!(jacobian.shape(), (4, 4));
/// ```
pub fn jacobian<'a, L>(
    layer: &L,
    x: impl IntoStep<'a, L::Input, L::Context>,
    state: &L::State,
) -> DMatrix<f64>
where
    L: Cell<1, Input: 'a, Context: 'a>,
{
    let (x, context) = x.into_step();
    let pass = Pass::of(slice::from_ref(x)).context(context);
    Stepper::new(layer, state).step(layer, pass, &mut state.clone())
}

/// Buffers that all steps of one layer share.
pub(super) struct Stepper<L: Cell<1>> {
    tape: L::Tape,
    gradients: alloc::boxed::Box<L::Gradients>,
    scalars: usize,
}

impl<L: Cell<1>> Stepper<L> {
    pub(super) fn new(layer: &L, state: &L::State) -> Self {
        let mut scalars = 0;
        state.scalars(&mut |_| scalars += 1);
        Stepper { tape: L::Tape::default(), gradients: layer.zero_gradients(), scalars }
    }

    pub(super) fn scalars(&self) -> usize {
        self.scalars
    }

    /// Advances `state` by the only step of `pass` and returns its Jacobian.
    pub(super) fn step(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, 1>,
        state: &mut L::State,
    ) -> DMatrix<f64> {
        let before = state.clone();
        layer.forward_pass(pass, state, &mut self.tape);
        let mut jacobian = DMatrix::zeros(self.scalars, self.scalars);
        for row in 0..self.scalars {
            // A backward pass consumes its tape.
            if row > 0 {
                layer.forward_pass(pass, &mut before.clone(), &mut self.tape);
            }
            let mut bar = L::State::zero();
            let mut index = 0;
            bar.scalars_mut(&mut |bar| {
                if index == row {
                    *bar = L::Scalar::of(1.0);
                }
                index += 1;
            });
            let bars = Bars::of(&mut *self.gradients).state(&mut bar).without_context();
            layer.backward_pass(pass, &mut self.tape, &[], bars);
            let mut column = 0;
            bar.scalars(&mut |bar| {
                jacobian[(row, column)] = bar.as_f64();
                column += 1;
            });
        }
        jacobian
    }
}

/// The Jacobians of the steps of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Jacobians {
    steps: Vec<DMatrix<f64>>,
}

impl Jacobians {
    /// Computes the Jacobians of the steps of a sequence. `state` is the initial state on entry and
    /// the final state on return.
    pub fn along<'a, L>(
        layer: &L,
        pass: impl IntoPass<'a, L::Input, L::Context, 1>,
        state: &mut L::State,
    ) -> Self
    where
        L: Cell<1, Input: 'a, Context: 'a>,
    {
        let (pass, mut stepper) = (pass.into_pass(), Stepper::new(layer, state));
        let step = |t| stepper.step(layer, pass.window(t..t + 1), state);
        Jacobians { steps: (0..pass.xs.len()).map(step).collect() }
    }

    /// Returns the Jacobians, one per step; see [`jacobian()`] for rows and columns.
    pub fn steps(&self) -> &[DMatrix<f64>] {
        &self.steps
    }

    /// Returns the singular values of the product of the Jacobians of `steps`,
    /// `J[end - 1] .. J[start]`: the derivative of the state after `end` steps with respect to the
    /// state after `start` steps. The largest is the factor by which a cotangent grows at most on
    /// the way back, and the smallest the factor that remains of it at least.
    ///
    /// The values neither overflow nor vanish, and the small ones are not lost in the rounding
    /// errors of the large ones. If the product itself would lose them, they are computed from the
    /// triangular factors of its QR decomposition.
    ///
    /// # Panics
    /// Panics if the sequence has no such steps.
    #[track_caller]
    pub fn singular_values(&self, steps: Range<usize>) -> SingularValues {
        assert!(
            steps.start <= steps.end && steps.end <= self.steps.len(),
            "no steps {steps:?} in a sequence of {}",
            self.steps.len()
        );
        singular_values(&self.steps[steps], self.steps.first().map_or(0, DMatrix::nrows))
    }
}

impl From<Vec<DMatrix<f64>>> for Jacobians {
    /// Creates the sequence of Jacobians from any square matrices of one size.
    ///
    /// # Panics
    /// Panics if a matrix has another size.
    #[track_caller]
    fn from(steps: Vec<DMatrix<f64>>) -> Self {
        let size = steps.first().map_or(0, DMatrix::nrows);
        for (step, jacobian) in steps.iter().enumerate() {
            let (rows, columns) = jacobian.shape();
            assert!(
                (rows, columns) == (size, size),
                "the Jacobian of step {step} is {rows} x {columns}, not {size} x {size}"
            );
        }
        Jacobians { steps }
    }
}
