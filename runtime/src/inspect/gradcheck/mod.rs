//! A check of a layer's `backward` against finite differences of its `forward`.
//!
//! The loss is the inner product of fixed random cotangents with all outputs and the final state.
//! Its derivative with respect to each parameter, the inputs, the initial state and the context is
//! compared in random directions with the result of `backward`. The reference is a central
//! difference of fourth order in `f64`, at shrinking step sizes until two agree. The check also
//! covers the rest of `backward`'s contract: which arguments it adds to, which it overwrites, and
//! which it treats as zero.
//!
//! ```text
//! let mut lstm = Lstm::<3, 5, f64>::init(&mut rng);
//! gradcheck(&mut lstm, &xs, &state).assert_ok();
//! ```
//!
//! At a kink (`relu` of exactly zero, as after a zero initial state) no derivative exists. Such
//! directions are reported but not compared. A value with no other directions counts as unchecked:
//! choose another point. `stop_gradient` makes `backward` differ from the finite differences on
//! purpose, for the values in its argument.

mod difference;
mod problem;
mod report;

use crate::cell::{IntoPass, Layer, ModelMut};
use crate::types::varying::Varying;

pub use report::{Check, Kink, Report};

use problem::Problem;

/// The settings of a gradient check. The [`Default`] is nearly always right.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradcheck {
    /// The number of random directions for each parameter, the inputs, the initial state and the
    /// context.
    pub directions: usize,
    /// The first step size along a direction of length one. Smaller step sizes follow while the
    /// differences disagree.
    pub step: f64,
    /// The largest relative error that passes.
    pub tolerance: f64,
    /// The seed of the cotangents and directions.
    pub seed: u64,
}

impl Default for Gradcheck {
    fn default() -> Self {
        Gradcheck { directions: 4, step: 1e-3, tolerance: 1e-7, seed: 0 }
    }
}

impl Gradcheck {
    /// Checks `layer` on a sequence from the initial state `state`. The context is varied too. The
    /// parameters are unchanged on return.
    pub fn check<'a, L, const B: usize>(
        &self,
        layer: &mut L,
        pass: impl IntoPass<'a, L::Input, L::Context, B>,
        state: &L::State,
    ) -> Report
    where
        L: Checked<B> + Layer<B, Input: 'a, Context: 'a>,
    {
        Problem::new(layer, pass.into_pass(), state, self.seed).check(self)
    }
}

/// A layer that can be checked: in `f64`, with inputs and a context that can vary.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be checked",
    note = "a gradient check needs a layer in `f64`, whose inputs and context can be cloned and varied"
)]
pub trait Checked<const B: usize>:
    Layer<B, Input: Varying<f64> + Clone, InputBar: Varying<f64>, Context: Varying<f64> + Clone>
    + ModelMut<Scalar = f64>
{
}

impl<L, const B: usize> Checked<B> for L where
    L: Layer<B, Input: Varying<f64> + Clone, InputBar: Varying<f64>, Context: Varying<f64> + Clone>
        + ModelMut<Scalar = f64>
{
}

/// Checks `layer` with the default [`Gradcheck`].
pub fn gradcheck<'a, L, const B: usize>(
    layer: &mut L,
    pass: impl IntoPass<'a, L::Input, L::Context, B>,
    state: &L::State,
) -> Report
where
    L: Checked<B> + Layer<B, Input: 'a, Context: 'a>,
{
    Gradcheck::default().check(layer, pass, state)
}

#[cfg(test)]
mod tests;
