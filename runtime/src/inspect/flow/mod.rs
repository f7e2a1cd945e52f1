//! The flow of gradients through time: vanishing, exploding and preserved gradients (feature
//! `std`).
//!
//! The cotangent of a state goes back one step through the transposed *Jacobian* of the step, the
//! derivative of the new state with respect to the old one. Through `n` steps it goes through a
//! product of `n` Jacobians. The singular values of that product decide whether gradients vanish or
//! explode (Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
//!
//! - [`jacobian()`]: the Jacobian of one step of any cell or stack of cells. The constant
//!   `JACOBIAN` of a generated cell is its formula as text.
//! - [`Jacobians`]: the Jacobians along a sequence and the [singular values](SingularValues) of
//!   their products, in any range of magnitudes.
//! - [`exponents`]: growth rates per step (Lyapunov exponents) over sequences of any length, in the
//!   memory of one step.
//! - [`cotangents`]: calls a closure with every state's cotangent in a backward pass. [`norms()`]:
//!   the norms of a cotangent by distance.
//! - [`Report`]: a summary of one sequence, to be printed.
//!
//! ```
//! use rnn_cell::cells::Lstm;
//! use rnn_cell::inspect::flow::{Fate, Report};
//! use rnn_cell::init;
//! use rnn_cell::prelude::*;
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let xs = vec![SVector::<f32, 3>::new(0.5, -0.5, 0.1); 100];
//! let mut lstm = Lstm::<3, 8>::init(&mut rng);
//! let fate = |lstm: &Lstm<3, 8>| Report::new(lstm, &xs, &lstm.zero_state()).fate();
//! assert_eq!(fate(&lstm), Fate::Vanishes);
//!
//! // An open forget gate preserves the cell state, and the cotangent in the backward pass.
//! init::constant(&mut lstm.b_f, 6.0);
//! assert_ne!(fate(&lstm), Fate::Vanishes);
//! println!("{}", Report::new(&lstm, &xs, &lstm.zero_state()));
//! println!("{}", Lstm::<3, 8>::JACOBIAN);
//! ```
//!
//! With the feature `deterministic` all results have the same bits on every x86-64 machine.
//! Matrices that are passed to [`Jacobians::from`] must then have the same bits, too.
//!
//! # Guarantees
//! For `h = tanh(W @ h[t-1] + ..)` the Jacobian is `diag(1 - h * h) @ W`, and `tanh'` is at most 1.
//! If the largest *singular value* of `W` is below 1 (see
//! [`spectral_norm`](crate::init::spectral_norm)), gradients are certain to vanish, at least by
//! that factor per step. Above 1 they can explode, but need not: saturated units, where `tanh'` is
//! near 0, can still make them vanish. The *spectral radius* of `W`, the magnitude of its largest
//! eigenvalue, is never above the largest singular value. A radius below 1 does not guarantee decay
//! from the first step on, nor any decay if the Jacobians differ from step to step.
//!
//! All computations are in `f64`, from the results of the layer's `backward` in its own precision.
//! A Jacobian of `n` scalars costs `n` steps forward and backward.

mod jacobian;
mod norms;
mod report;
mod spectrum;
#[cfg(test)]
mod tests;

pub use jacobian::{Jacobians, jacobian};
pub use norms::{Norms, cotangents, norms};
pub use report::{Fate, Report};
pub use spectrum::{Exponents, SingularValues, exponents};
