//! Networks of layers.
//!
//! A network stacks layers, runs them side by side or in both directions, adds their input to their
//! output, or drops their outputs at random. It is itself a [`Layer`](crate::cell::Layer), whether
//! its layers are generated or written by hand, so it is trained, saved, clipped and checked like a
//! single cell. It is a [`Cell`](crate::cell::Cell), which streams, if its layers are.
//!
//! | network | output | streams |
//! | --- | --- | --- |
//! | [`Stack`], `a.then(b)` | the outputs of `b`, which reads those of `a` | if both do |
//! | [`Parallel`] | the outputs of two layers that read the same input, [joined](Join): one vector ([`Concat`]), a sum ([`Sum`]) or custom | if both do |
//! | [`Bidirectional`] | both directions: a pair, or [joined](Join) like two branches | no |
//! | [`Residual`]`(a)` | the sum of the input and the output of `a` | if `a` does |
//! | [`Dropout`] | the output of a layer, with values dropped at random in training | if the layer does |
//! | [`Map`] | a Rust function of each step | yes |
//! | [`Zoneout`] | the output of a layer whose state keeps old values at random in training | if the layer does |
//!
//! The guide lists [all layers](crate::guide::networks), with the pools, embeddings and norms among
//! the [`cells`](crate::cells). A readout is a [`Dense`](crate::cells::Dense) at the top of a
//! stack. A `Box` of a layer is a layer: a cell too large for the call stack is built on the heap
//! (`init_boxed`) and used like any other.
//!
//! A model that is not a chain is a struct of layers with
//! [`#[derive(Model)]`](derive@crate::cell::Model).
//!
//! ```
//! use rnn_cell::cells::{Dense, Lstm};
//! use rnn_cell::data::Batch;
//! use rnn_cell::prelude::*;
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let both = Bidirectional::new(Lstm::<3, 8>::init(&mut rng), Lstm::<3, 8>::init(&mut rng));
//! let (top, readout) = (Lstm::<16, 8>::init(&mut rng), Dense::<8, 2>::init(&mut rng));
//! let mut net = both.joined(Concat::<16>).dropout(0.2).then(top).then(readout);
//!
//! let mut names = Vec::new();
//! net.visit(&mut |parameter| names.push(parameter.name.to_owned()));
//! assert_eq!((names[0].as_str(), names.last().unwrap().as_str()), ("0.forward.W_i", "2.b"));
//!
//! // A batch of two sequences, of 5 and of 3 steps.
//! let batch = Batch { xs: vec![SMatrix::<f32, 3, 2>::repeat(0.5); 5], lengths: [5, 3] };
//! let (mut state, mut tape) = (net.initial_state(), net.tape());
//! net.seed_noise(&mut state, &mut rng); // Training: without this line nothing is dropped.
//! let dys: Vec<_> = net.forward(&batch, &mut state, &mut tape).iter().map(|y| y / 10.0).collect();
//! let mut gradients = net.zero_gradients();
//! net.backward(&batch, &mut tape, &dys, &mut gradients);
//! Adam::new(1e-3).step(&mut net, &gradients);
//! ```
//!
//! # Past a sample's end
//! A layer ignores the padding in the inputs and cotangents of a ragged batch, so its contents
//! between two layers do not matter. The outputs there are zero.
//!
//! # Allocation
//! The tape of a network holds the tapes of its layers and the buffers between them. They grow to
//! the longest sequence and are reused: later passes do not allocate.

/// Implements [`Model`](crate::cell::Model) and [`ModelMut`](crate::cell::ModelMut) for a wrapper
/// with the same parameters and parameter names as its layer, `self.layer`.
macro_rules! same_parameters {
    ($wrapper:ident) => {
        impl<L: Model> Model for $wrapper<L> {
            type Scalar = L::Scalar;
            type Gradients = L::Gradients;

            fn zero_gradients(&self) -> alloc::boxed::Box<L::Gradients> {
                self.layer.zero_gradients()
            }

            crate::cell::visit_as!(this => this.layer);
        }

        impl<L: ModelMut> ModelMut for $wrapper<L> {
            crate::cell::visit_mut_as!(this => this.layer);
        }
    };
}

/// Implements the methods of [`Layer`](crate::cell::Layer) for the initial state of a wrapper. It
/// is the initial state of `self.layer`, or, with `noisy`, that state [with a generator](Noisy),
/// which has a name.
macro_rules! same_initial_state {
    () => {
        fn initial_state_with(&self, context: &Self::Context) -> L::State {
            self.layer.initial_state_with(context)
        }

        fn initial_state_with_backward(
            &self,
            context: &Self::Context,
            dstate: &L::State,
            gradients: &mut L::Gradients,
            dcontext: Option<&mut Self::Context>,
        ) {
            self.layer.initial_state_with_backward(context, dstate, gradients, dcontext);
        }

        fn seed_noise(&self, state: &mut L::State, rng: &mut DynRng<'_>) {
            self.layer.seed_noise(state, rng);
        }

        fn visit_state(&self, state: &mut L::State, visitor: &mut StateVisitor<'_, L::Scalar>) {
            self.layer.visit_state(state, visitor);
        }
    };
    (noisy $name:literal) => {
        fn initial_state_with_backward(
            &self,
            context: &Self::Context,
            dstate: &Self::State,
            gradients: &mut L::Gradients,
            dcontext: Option<&mut Self::Context>,
        ) {
            self.layer.initial_state_with_backward(context, &dstate.state, gradients, dcontext);
        }

        fn seed_noise(&self, state: &mut Self::State, rng: &mut DynRng<'_>) {
            self.layer.seed_noise(&mut state.state, rng);
            state.seed(rng);
        }

        fn visit_state(&self, state: &mut Self::State, visitor: &mut StateVisitor<'_, L::Scalar>) {
            self.layer.visit_state(&mut state.state, visitor);
            visitor($name, StatePart::Generator(&mut state.generator));
        }
    };
}

/// Implements `Debug` for a tape by the tapes of its layers. The buffers between them are left out:
/// a page would not hold the entries.
macro_rules! short_debug {
    ($tape:ident<$($parameter:ident),+>: $($field:ident),+) => {
        impl<$($parameter: core::fmt::Debug),+> core::fmt::Debug for $tape<$($parameter),+> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($tape))$(.field(stringify!($field), &self.$field))+.finish_non_exhaustive()
            }
        }
    };
}

mod bidirectional;
mod boxed;
mod dropout;
mod join;
mod map;
mod noise;
mod parallel;
mod residual;
mod stack;
mod zoneout;

pub use bidirectional::{Bidirectional, BidirectionalTape, Both, Streams};
pub use dropout::{Dropout, DropoutTape, mask};
pub use join::{Concat, Join, Pair, Sum};
pub use map::Map;
pub use noise::Noisy;
pub use parallel::{Beside, Parallel, ParallelTape};
pub use residual::{Residual, ResidualTape};
pub use stack::{Follows, Stack, StackTape};
pub use zoneout::{Zoneout, ZoneoutTape};

use alloc::vec::Vec;

/// Makes `to` a copy of `from`. Allocates only if `to` lacks the capacity.
fn copy<V: Clone>(to: &mut Vec<V>, from: &[V]) {
    to.truncate(from.len());
    let (front, rest) = from.split_at(to.len());
    to.clone_from_slice(front);
    to.extend_from_slice(rest);
}

/// Makes `values` as long as `like`, with arbitrary contents.
fn fit<V: Clone>(values: &mut Vec<V>, like: &[V]) {
    values.truncate(like.len());
    values.extend_from_slice(&like[values.len()..]);
}

#[cfg(test)]
mod tests;
