//! Sizes that are known only when a file is loaded.

use alloc::boxed::Box;
use alloc::string::String;
#[cfg(any(feature = "onnx", feature = "rtneural"))]
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
#[cfg(any(feature = "onnx", feature = "rtneural"))]
use core::fmt::Write;

use super::error::{Error, Problem};
use crate::cell::{Cell, Layer, Model, ModelMut};

/// A file whose layers' sizes can be told from it, before a model is chosen.
pub trait Source {
    /// Sets every parameter of `model`.
    ///
    /// # Errors
    /// All that doesn't fit; the model is then as it was.
    fn load_into<M: ModelMut>(&self, model: &mut M) -> Result<(), Error>;

    /// The file's sizes, in a few characters.
    fn sizes(&self) -> String;

    /// The sizes of a file that would fit `model`, told in the same way.
    fn sizes_of<M: Model>(&self, model: &M) -> String;
}

/// `1 -> LSTM 16 -> Dense 1`: the sizes of layers, each a kind and its outputs, that follow on so many inputs.
#[cfg(any(feature = "onnx", feature = "rtneural"))]
pub(super) fn chain<'a>(inputs: usize, layers: impl Iterator<Item = (&'a str, usize)>) -> String {
    let mut sizes = inputs.to_string();
    for (kind, size) in layers {
        let _ = write!(sizes, " -> {kind} {size}");
    }
    sizes
}

/// Chooses, of several models, the one of a file's sizes.
///
/// Sizes of cells are constants, so each model that a program can load is compiled into it. A family lists them:
///
/// ```
/// use rnn_cell::prelude::*;
/// use rnn_cell::weights::nam::{self, one_layer, two_layers};
/// use rnn_cell::weights::{Error, Family, Player};
///
/// type Mono = SVector<f32, 1>;
///
/// fn load(bytes: &[u8]) -> Result<Box<dyn Player<Mono, Mono> + Send>, Error> {
///     let file = nam::File::read(bytes)?;
///     Family::of(&file)
///         .or(one_layer::<8>)
///         .or(one_layer::<16>)
///         .or(two_layers::<16>)
///         .load()
/// }
///
/// // let bytes = include_bytes!("amp.nam");
/// # let bytes = nam::save(&two_layers::<16>(), &nam::Info::default())?;
/// let mut amp = load(&bytes)?;
/// let (dry, mut wet) = (vec![Mono::new(0.1); 64], vec![Mono::zeros(); 64]);
/// amp.run(&dry, &mut wet); // One dynamic call a block; within it every size is a constant.
///
/// let other = nam::save(&one_layer::<12>(), &nam::Info::default())?;
/// let message = load(&other).err().unwrap().to_string();
/// assert!(message.contains("the file's model is 1x12, and the family to choose from has `1x8`, `1x16`, `2x16`"));
/// # Ok::<(), Error>(())
/// ```
///
/// To have the model itself, for training on, match on [`Source::sizes`] or on what the file says of them, and load into
/// the type that fits.
pub struct Family<'f, F, X, Y> {
    file: &'f F,
    sizes: String,
    passed: Vec<String>,
    found: Option<Result<Box<dyn Player<X, Y> + Send>, Error>>,
}

impl<'f, F: Source, X, Y> Family<'f, F, X, Y> {
    /// A family without members yet.
    pub fn of(file: &'f F) -> Self {
        Family { file, sizes: file.sizes(), passed: vec![], found: None }
    }

    /// Adds a model to choose, as `make` builds it. It is loaded if it has the file's sizes and none before had.
    pub fn or<M>(mut self, make: impl FnOnce() -> M) -> Self
    where
        M: ModelMut + Cell<1, Input = X, Output = Y, State: Send> + Send + 'static,
    {
        if self.found.is_none() {
            let mut model = make();
            let sizes = self.file.sizes_of(&model);
            if sizes == self.sizes {
                let loaded = self.file.load_into(&mut model);
                self.found = Some(loaded.map(|()| Box::new(Streamed::new(model)) as Box<_>));
            } else {
                self.passed.push(sizes);
            }
        }
        self
    }

    /// The model that has the file's sizes, with the file's weights, in its initial state.
    ///
    /// # Errors
    /// No member has the file's sizes: the error lists those of all. Or the one that has them can't be loaded.
    pub fn load(self) -> Result<Box<dyn Player<X, Y> + Send>, Error> {
        self.found.unwrap_or_else(|| {
            let problem = Problem::NoneOfFamily { file: self.sizes, family: self.passed };
            Err(Error::loading(vec![problem]))
        })
    }
}

/// A cell with its state, whatever its sizes within: what a stream of samples goes through.
pub trait Player<X, Y> {
    /// One step.
    fn step(&mut self, x: &X) -> Y;

    /// Steps through `xs`. Allocates nothing.
    ///
    /// # Panics
    /// If `xs` and `ys` differ in length.
    fn run(&mut self, xs: &[X], ys: &mut [Y]);

    /// Back to the state that a sequence starts from.
    fn reset(&mut self);
}

struct Streamed<M, S> {
    model: M,
    state: S,
}

impl<M: Layer<1>> Streamed<M, M::State> {
    fn new(model: M) -> Self {
        Streamed { state: model.initial_state(), model }
    }
}

impl<M: Cell<1>> Player<M::Input, M::Output> for Streamed<M, M::State> {
    fn step(&mut self, x: &M::Input) -> M::Output {
        self.model.step(x, &mut self.state)
    }

    fn run(&mut self, xs: &[M::Input], ys: &mut [M::Output]) {
        assert_eq!(xs.len(), ys.len(), "as many outputs as inputs");
        for (x, y) in xs.iter().zip(ys) {
            *y = self.model.step(x, &mut self.state);
        }
    }

    fn reset(&mut self) {
        self.state = self.model.initial_state();
    }
}
