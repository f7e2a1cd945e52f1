//! A check of a layer's `backward` against finite differences of its `forward`.
//!
//! The loss is the inner product of fixed random cotangents with every output and the final state. For each parameter, the
//! inputs, the initial state and the context, its derivative in random directions is compared with the one that `backward`
//! gives: central differences of fourth order, in `f64`, at shrinking step sizes until two agree. Along the way the
//! rest of `backward`'s contract is checked: what it adds to, what it overwrites, what it takes for zero.
//!
//! ```text
//! let mut lstm = Lstm::<3, 5, f64>::init(&mut rng);
//! gradcheck::<_, 4>(&mut lstm, &xs, &state).assert_ok();
//! ```
//!
//! Where the layer has a kink at the very point (`relu` of an exact zero, as after a zero initial state), no derivative
//! exists; such directions are reported, not compared, and a value with no other direction counts as unchecked: choose another point.
//! `stop_gradient` makes `backward` differ from the differences on purpose, for what feeds it.

mod difference;
mod plain;
mod problem;
mod report;

use crate::cell::{ContextLayer, Layer, ModelMut};
use crate::types::varying::Varying;

pub use report::{Check, Kink, Report};

use plain::Plain;
use problem::Problem;

/// The settings of a check; [`Default`] serves nearly always.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradcheck {
    /// Random directions per parameter, inputs, initial state and context.
    pub directions: usize,
    /// The first step size along a direction of length one; smaller ones follow while the differences disagree.
    pub step: f64,
    /// The largest relative error that passes.
    pub tolerance: f64,
    /// Decides cotangents and directions.
    pub seed: u64,
}

impl Default for Gradcheck {
    fn default() -> Self {
        Gradcheck { directions: 4, step: 1e-3, tolerance: 1e-7, seed: 0 }
    }
}

impl Gradcheck {
    /// Checks `layer` on the sequence `xs` from the initial state `state`. The parameters are as before on return.
    pub fn check<L, const B: usize>(
        &self,
        layer: &mut L,
        xs: &[L::Input],
        lengths: Option<&[usize; B]>,
        state: &L::State,
    ) -> Report
    where
        L: Layer<B> + ModelMut<Scalar = f64>,
        L::Input: Varying<f64> + Clone,
        L::InputBar: Varying<f64>,
        L::Output: Varying<f64> + Clone,
        L::State: Varying<f64> + Clone,
    {
        self.check_context(&mut Plain(layer), xs, &(), lengths, state)
    }

    /// Checks `layer` on the sequence `xs` with `context`, which varies too.
    pub fn check_context<L, const B: usize>(
        &self,
        layer: &mut L,
        xs: &[L::Input],
        context: &L::Context,
        lengths: Option<&[usize; B]>,
        state: &L::State,
    ) -> Report
    where
        L: ContextLayer<B> + ModelMut<Scalar = f64>,
        L::Input: Varying<f64> + Clone,
        L::InputBar: Varying<f64>,
        L::Output: Varying<f64> + Clone,
        L::State: Varying<f64> + Clone,
        L::Context: Varying<f64> + Clone,
    {
        Problem::new(layer, xs, context, lengths, state, self.seed).check(self)
    }
}

/// Checks `layer` with the default [`Gradcheck`]. The batch size is to be named: `gradcheck::<_, 4>(..)`.
pub fn gradcheck<L, const B: usize>(layer: &mut L, xs: &[L::Input], state: &L::State) -> Report
where
    L: Layer<B> + ModelMut<Scalar = f64>,
    L::Input: Varying<f64> + Clone,
    L::InputBar: Varying<f64>,
    L::Output: Varying<f64> + Clone,
    L::State: Varying<f64> + Clone,
{
    Gradcheck::default().check(layer, xs, None, state)
}

/// Checks a layer with a context with the default [`Gradcheck`].
pub fn gradcheck_context<L, const B: usize>(
    layer: &mut L,
    xs: &[L::Input],
    context: &L::Context,
    state: &L::State,
) -> Report
where
    L: ContextLayer<B> + ModelMut<Scalar = f64>,
    L::Input: Varying<f64> + Clone,
    L::InputBar: Varying<f64>,
    L::Output: Varying<f64> + Clone,
    L::State: Varying<f64> + Clone,
    L::Context: Varying<f64> + Clone,
{
    Gradcheck::default().check_context(layer, xs, context, None, state)
}

#[cfg(test)]
mod tests;
