//! Steps with approximate activations.

use core::marker::PhantomData;

use super::{Isa, Prepare, prepared_as};
use crate::kernels::isa::{Accuracy, Within};

/// A layer whose steps compute `tanh` and `sigmoid` approximately, with the error that `A` states:
/// [`FourDecimals`](super::FourDecimals) or [`FiveDecimals`](super::FiveDecimals).
///
/// [`Prepared::approximate`](super::Prepared::approximate) makes one of a whole layer or network. A
/// network of which one layer is approximate is written as `Stack(Approximate::new(lstm), dense)`.
///
/// It streams, but cannot be trained: it implements [`Prepare`] and is not a
/// [`Layer`](super::Layer).
///
/// # Error
/// `tanh` is an odd function with values in [-1, 1], and `sigmoid` has values in [0, 1]. For large
/// arguments they end within 2e-7 of these bounds, which they exceed at a few arguments by at most
/// 1.2e-7.
///
/// | | relative error of `tanh` | absolute error of `sigmoid` |
/// | --- | --- | --- |
/// | `FourDecimals` | at most 1e-4 (6.6e-5 found) | at most 5e-5 (3.3e-5 found) |
/// | `FiveDecimals` | at most 1e-5 (4.5e-6 found) | at most 5e-6 (2.3e-6 found) |
///
/// The errors found are the largest over all normal `f32` arguments, on every instruction set; the
/// bounds also hold in `f64`. All other functions of the language, and the values that do not
/// depend on an input, stay exact. `silu(u)` is `u * sigmoid(u)`, and so is approximate.
///
/// The guide's chapter on [streaming](crate::guide::streaming) shows the effect on an LSTM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Approximate<L, A> {
    layer: L,
    accuracy: PhantomData<A>,
}

impl<L, A: Accuracy> Approximate<L, A> {
    /// Returns the layer with approximate activations.
    pub const fn new(layer: L) -> Self {
        Approximate { layer, accuracy: PhantomData }
    }

    /// Returns the layer.
    pub fn into_inner(self) -> L {
        self.layer
    }
}

impl<L: Prepare<B>, A: Accuracy, const B: usize> Prepare<B> for Approximate<L, A> {
    prepared_as!(State = L::State, this => this.layer);

    #[inline(always)]
    fn step_on<S: Isa>(
        &self,
        isa: S,
        fixed: &L::Fixed,
        x: &L::Input,
        context: &L::Context,
        state: &mut L::State,
    ) -> L::Output {
        self.layer.step_on(Within::<S, A>::accuracy(isa), fixed, x, context, state)
    }

    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, context: &L::Context, state: &mut L::State) {
        self.layer.start_on(isa, context, state);
    }
}
