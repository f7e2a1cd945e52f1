//! Networks of layers: what stacks them, runs them in both directions, adds their input to their output, drops what they
//! say. Each is a [`Layer`](crate::cell::Layer) again, of generated or hand-written layers alike, so a network is trained,
//! saved, clipped and checked like one cell; and a [`Cell`](crate::cell::Cell), which streams, where its parts are.
//!
//! | network | what comes out | streams |
//! | --- | --- | --- |
//! | [`Stack`]`(a, b)` | `b` of what comes out of `a` | if both do |
//! | [`Bidirectional`] | both directions: a pair, one vector ([`Concat`]), a sum ([`Sum`]) or what you [join](Join) | no |
//! | [`Residual`]`(a)` | the input and, added to it, what comes out of `a` | if `a` does |
//! | [`Dropout`] | what comes out of a layer, values dropped at random in training | if the layer does |
//! | [`Zoneout`] | what comes out of a layer whose state keeps values at random in training | if the layer does |
//!
//! A readout is a [`Dense`](crate::cells::Dense) at the top of a stack; a layer too large for the call stack stands in a
//! network as [`Boxed`].
//!
//! ```
//! use rnn_cell::cells::{Dense, Lstm};
//! use rnn_cell::prelude::*;
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let both = Bidirectional::new(Lstm::<3, 8>::init(&mut rng), Lstm::<3, 8>::init(&mut rng));
//! let top = Stack(Lstm::<16, 8>::init(&mut rng), Dense::<8, 2>::init(&mut rng));
//! let mut net = Stack(Dropout::new(both.joined(Concat::<16>), 0.2), top);
//!
//! let mut names = Vec::new();
//! net.visit(&mut |parameter| names.push(parameter.name.to_owned()));
//! assert_eq!((names[0].as_str(), names.last().unwrap().as_str()), ("0.forward.W_i", "2.b"));
//!
//! // A batch of two sequences, of 5 and of 3 steps.
//! let (xs, lengths) = (vec![SMatrix::<f32, 3, 2>::repeat(0.5); 5], [5, 3]);
//! let (mut state, mut tape) = (net.initial_state(), net.tape());
//! net.seed_noise(&mut state, &mut rng); // Training: without this line nothing is dropped.
//! net.forward(&xs, Some(&lengths), &mut state, &mut tape);
//! let dys: Vec<_> = net.outputs(&tape).iter().map(|y| y / 10.0).collect();
//! let (mut dstate, mut gradients) = (net.zero_state(), net.zero_gradients());
//! net.backward(&xs, Some(&lengths), &mut tape, &dys, &mut dstate, &mut gradients, None);
//! Adam::new(1e-3).step(&mut net, &gradients);
//! ```
//!
//! # Past a sample's end
//! A layer ignores what the inputs and the cotangents of a ragged batch hold past a sample's end, so whatever stands there
//! does no harm between layers. Where a network makes outputs of its own ([`Bidirectional`], [`Residual`]) they are zero
//! there; a cell's are what its definition makes of a state that stands still.
//!
//! # Allocation
//! The tape of a network holds the tapes of its layers and the buffers between them. They grow to the longest sequence
//! and are used again: passes that follow allocate nothing of their own.

/// A wrapper with the parameters, and their names, of the layer that it wraps.
macro_rules! same_parameters {
    ($wrapper:ident) => {
        impl<L: Model> Model for $wrapper<L> {
            type Scalar = L::Scalar;
            type Gradients = L::Gradients;

            fn zero_gradients(&self) -> alloc::boxed::Box<L::Gradients> {
                self.layer.zero_gradients()
            }

            fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, L::Scalar>)) {
                self.layer.visit(visitor);
            }

            fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, L::Scalar>)) {
                self.layer.visit_buffers(visitor);
            }

            fn depth(&self) -> usize {
                self.layer.depth()
            }
        }

        impl<L: ModelMut> ModelMut for $wrapper<L> {
            fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, L::Scalar>)) {
                self.layer.visit_mut(visitor);
            }

            fn visit_buffers_mut<'v>(
                &'v mut self,
                visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, L::Scalar>),
            ) {
                self.layer.visit_buffers_mut(visitor);
            }
        }
    };
}

mod bidirectional;
mod boxed;
mod dropout;
mod noise;
mod path;
mod residual;
mod stack;
mod zoneout;

pub use bidirectional::{Bidirectional, BidirectionalTape, Both, Concat, Join, Pair, Sum};
pub use boxed::Boxed;
pub use dropout::{Dropout, DropoutTape, mask};
pub use noise::Noisy;
pub use residual::{Residual, ResidualTape};
pub use stack::{Stack, StackTape};
pub use zoneout::{Zoneout, ZoneoutTape};

use alloc::vec::Vec;

/// Makes `to` a copy of `from`. Once it was as long it allocates nothing.
fn copy<V: Clone>(to: &mut Vec<V>, from: &[V]) {
    to.truncate(from.len());
    let (front, rest) = from.split_at(to.len());
    to.clone_from_slice(front);
    to.extend_from_slice(rest);
}

/// Makes `values` as long as `like`; what they are is of no consequence.
fn fit<V: Clone>(values: &mut Vec<V>, like: &[V]) {
    values.truncate(like.len());
    values.extend_from_slice(&like[values.len()..]);
}

#[cfg(test)]
mod tests;
