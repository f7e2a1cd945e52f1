//! Models whose sizes are known only when a file is loaded.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, Problem};
use crate::cell::{Cell, Layer, Model, ModelMut, Pass};
use crate::types::varying::Varying;

/// A file that contains the sizes of its layers, so that a model can be chosen for it: a `File` of
/// `nam`, `onnx` or `rtneural`, or a safetensors file in a `Reader`.
pub trait Source {
    /// Sets every parameter of `model`.
    ///
    /// # Errors
    /// Lists all mistakes. The model is then unchanged.
    fn load_into<M: ModelMut>(&self, model: &mut M) -> Result<(), Error>;

    /// Returns the file's sizes in a few characters.
    fn sizes(&self) -> String;

    /// Returns the sizes of a file that would fit `model`, in the same form.
    fn sizes_of<M: Model>(&self, model: &M) -> String;
}

/// A list of models from which a file's sizes choose one.
///
/// The sizes of cells are constants, so every model that a program can load is compiled into it. A
/// family lists these models:
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
/// amp.run(&dry, &mut wet); // One dynamic call per block; within it every size is a constant.
///
/// let other = nam::save(&one_layer::<12>(), &nam::Info::default())?;
/// let message = load(&other).err().unwrap().to_string();
/// assert!(message.contains("the file's model is 1x12, and the family to choose from has `1x8`, `1x16`, `2x16`"));
/// # Ok::<(), Error>(())
/// ```
///
/// To get the model itself, for example to continue training, match on [`Source::sizes`] or on the
/// file's own sizes, and load into the type that fits.
pub struct Family<'f, F, X, Y> {
    file: &'f F,
    sizes: String,
    passed: Vec<String>,
    found: Option<Result<Box<dyn Player<X, Y> + Send>, Error>>,
}

impl<'f, F: Source, X, Y> Family<'f, F, X, Y> {
    /// Creates a family without members.
    pub fn of(file: &'f F) -> Self {
        Family { file, sizes: file.sizes(), passed: Vec::new(), found: None }
    }

    /// Adds a member, which `make` builds. Loads it if it is the first one with the file's sizes.
    pub fn or<M>(mut self, make: impl FnOnce() -> M) -> Self
    where
        M: ModelMut + Cell<1, Input = X, Output = Y, Context = (), State: Send, Tape: Send> + Send + 'static,
        X: Varying<M::Scalar>,
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

    /// Returns the member that has the file's sizes, with the file's weights, in its initial state.
    ///
    /// # Errors
    /// Lists the sizes of all members if none has the file's sizes. Lists all mistakes if the
    /// member that has them cannot be loaded.
    pub fn load(self) -> Result<Box<dyn Player<X, Y> + Send>, Error> {
        self.found.unwrap_or_else(|| {
            let problem = Problem::NoneOfFamily { file: self.sizes, family: self.passed };
            Err(Error::loading([problem]))
        })
    }
}

/// A model with its state that processes a stream of samples. Its inner sizes are not part of the
/// type.
pub trait Player<X, Y> {
    /// Computes one step.
    fn step(&mut self, x: &X) -> Y;

    /// Computes a step for each of `xs` and writes the outputs to `ys`. Allocates nothing.
    ///
    /// # Panics
    /// Panics if `xs` and `ys` differ in length.
    fn run(&mut self, xs: &[X], ys: &mut [Y]);

    /// Resets the state to the initial state.
    fn reset(&mut self);
}

/// The number of steps that a [`Player`] computes at once.
const BLOCK: usize = 64;

struct Streamed<M: Layer<1>> {
    model: M,
    state: M::State,
    tape: M::Tape,
}

impl<M: Layer<1, Context = (), Input: Varying<M::Scalar>>> Streamed<M> {
    fn new(model: M) -> Self {
        let mut player = Streamed { state: model.initial_state(), tape: model.tape(), model };
        // The tape allocates its memory.
        let silence: Vec<M::Input> = (0..BLOCK).map(|_| Varying::zero()).collect();
        player.model.forward_pass(Pass::of(&silence), &mut player.state, &mut player.tape);
        player.state = player.model.initial_state();
        player
    }
}

impl<M: Cell<1, Context = ()>> Player<M::Input, M::Output> for Streamed<M> {
    fn step(&mut self, x: &M::Input) -> M::Output {
        self.model.forward_pass(Pass::of(core::slice::from_ref(x)), &mut self.state, &mut self.tape);
        self.model.outputs(&self.tape)[0].clone()
    }

    fn run(&mut self, xs: &[M::Input], ys: &mut [M::Output]) {
        assert_eq!(xs.len(), ys.len(), "the numbers of inputs and outputs differ");
        for (xs, ys) in xs.chunks(BLOCK).zip(ys.chunks_mut(BLOCK)) {
            self.model.forward_pass(Pass::of(xs), &mut self.state, &mut self.tape);
            ys.clone_from_slice(self.model.outputs(&self.tape));
        }
    }

    fn reset(&mut self) {
        self.state = self.model.initial_state();
    }
}
