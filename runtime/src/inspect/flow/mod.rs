//! How gradients flow through time: whether they vanish, explode or pass (feature `std`).
//!
//! The cotangent of a state goes back one step through the transposed *Jacobian* of the step, the derivative of the new
//! state by the old one; through `n` steps it goes through a product of `n` Jacobians. What becomes of gradients is decided by
//! the singular values of that product (Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013).
//!
//! - [`jacobian()`]: one step's, of any cell or stack of cells; a generated cell's constant `JACOBIAN` says as text what
//!   it is made of.
//! - [`Jacobians`]: those along a sequence, and the [singular values](SingularValues) of their products, however far these
//!   are apart.
//! - [`exponents`]: growth rates a step over sequences of any length (Lyapunov exponents) in the memory of one step.
//! - [`cotangents`]: shows every state's cotangent to a closure, on the way back through a sequence; [`norms()`]: how long one is,
//!   by distance.
//! - [`Report`]: all that for one sequence, to be printed.
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
//! // A forget gate that is open keeps what the cell state holds, and the cotangent on its way back.
//! init::constant(&mut lstm.b_f, 6.0);
//! assert_ne!(fate(&lstm), Fate::Vanishes);
//! println!("{}", Report::new(&lstm, &xs, &lstm.zero_state()));
//! println!("{}", Lstm::<3, 8>::JACOBIAN);
//! ```
//!
//! With the feature `deterministic` all of this has the same bits on every x86-64 machine, if the
//! matrices that [`Jacobians`] are made [from](Jacobians::from) have.
//!
//! # What is certain
//! For `h = tanh(W @ h[t-1] + ..)` the Jacobian is `diag(1 - h * h) @ W`, and `tanh'` is at most 1. So if the largest *singular value*
//! of `W` is below 1 (see [`spectral_norm`](crate::init::spectral_norm)), gradients vanish for certain, at least by that factor a
//! step. Above 1 they can explode, but need not: units that saturate, where `tanh'` is near 0, make them vanish all the same. The
//! *spectral radius* of `W`, its largest eigenvalue's magnitude, is never above the largest singular value; a radius below 1
//! promises no decay from the first step on, nor any where the Jacobians differ from step to step.
//!
//! Everything is computed in `f64` from what the layer's `backward` gives, in its own precision. The cost of a Jacobian of
//! `n` scalars is `n` steps forward and backward.

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
