//! Decoding of sequences: teacher forcing for training, greedy and beam search for inference.
//!
//! The functions depend on neither the cell nor its context. A step is a closure from the previous
//! symbols and a state to the logits of the next symbols. It can run a cell of the library, one of
//! your own, or a stack with a readout.
//!
//! ```
//! use rnn_cell::cells::{Elman, Dense};
//! use rnn_cell::decode::{beam, greedy, Search};
//! use rnn_cell::prelude::*;
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let (cell, readout) = (Elman::<4, 8>::init(&mut rng), Dense::<8, 4>::init(&mut rng));
//! let step = |symbols: &[u32; 1], state: &mut _| {
//!     let one_hot = SVector::<f32, 4>::from_fn(|row, _| f32::from(row as u32 == symbols[0]));
//!     readout.step(&cell.step(&one_hot, state), &mut readout.zero_state())
//! };
//! // Symbol 0 starts a sequence and ends it.
//! let [written] = greedy(&mut cell.zero_state(), [0], 0, 10, step);
//! let hypotheses = beam(cell.zero_state(), 0, 0, &Search::new(4, 10), step);
//! assert!(written.len() <= 10 && hypotheses.len() == 4);
//! ```

mod beam;

use alloc::vec::Vec;
use core::array;

use nalgebra::SMatrix;

use crate::Scalar;
use crate::cell::{IntoPass, Pass};
use crate::data::{Batch, pad};
use crate::train::loss::{arg_max, every_step, softmax_cross_entropy_weighted};

pub use beam::{Hypothesis, Search, beam};

/// A batch of target sequences for teacher forcing. At every step the decoder reads the correct
/// previous symbol and should write the next one; after the last symbol, the end symbol.
///
/// ```
/// use rnn_cell::decode::Forced;
///
/// const START: u32 = 9;
/// const END: u32 = 0;
/// let batch = Forced::<2>::new(&[vec![3, 4], vec![5]], START, END);
/// assert_eq!(batch.inputs, [[START, START], [3, 5], [4, 0]]);
/// assert_eq!(batch.targets, [[3, 5], [4, END], [END, 0]]);
/// assert_eq!(batch.lengths, [3, 2]);
/// ```
///
/// A model that writes strings in reverse. The final state of the encoder starts the decoder, whose
/// passes read `&batch`:
/// ```
/// use rnn_cell::cells::{Dense, Embedding, Gru};
/// use rnn_cell::data::pad;
/// use rnn_cell::decode::{Forced, greedy};
/// use rnn_cell::prelude::*;
/// use rnn_cell::train::{Part, Samples, Trainer};
///
/// const END: u32 = 0;
/// const START: u32 = 4;
///
/// #[derive(Model)]
/// struct Reverser {
///     encoder: Stack<Embedding<4, 8>, Gru<8, 16>>,
///     decoder: Stack<Stack<Embedding<5, 8>, Gru<8, 16>>, Dense<16, 4>>,
/// }
///
/// fn loss(part: &mut Part<'_, Reverser, Vec<u32>, Samples<13>>) -> f64 {
///     let Reverser { encoder, decoder } = part.model;
///     let strings = pad(part.samples);
///     let (mut read, mut tape) = (encoder.initial_state(), encoder.tape());
///     encoder.forward(&strings, &mut read, &mut tape);
///
///     let reversed = |string: &&Vec<u32>| string.iter().rev().copied().collect::<Vec<_>>();
///     let reversed: Vec<_> = part.samples.iter().map(reversed).collect();
///     let batch = Forced::<13>::new(&reversed, START, END);
///     let (mut state, mut decoder_tape) = (decoder.initial_state(), decoder.tape());
///     state.0.1.h = read.1.h; // The GRU is the second layer of either.
///     let ys = decoder.forward(&batch, &mut state, &mut decoder_tape);
///     let mut dys = Vec::new();
///     let loss = batch.loss(ys, &mut dys, |y| y);
///
///     if let Some(gradients) = part.gradients.as_deref_mut() {
///         let (mut dstate, mut dread) = (decoder.zero_state(), encoder.zero_state());
///         let bars = Bars::of(&mut gradients.decoder).state(&mut dstate);
///         decoder.backward(&batch, &mut decoder_tape, &dys, bars);
///         dread.1.h = dstate.0.1.h;
///         let bars = Bars::of(&mut gradients.encoder).state(&mut dread);
///         encoder.backward(&strings, &mut tape, &[], bars);
///     }
///     f64::from(loss)
/// }
///
/// // All strings of one to three symbols.
/// let one: Vec<Vec<u32>> = (1..4).map(|symbol| vec![symbol]).collect();
/// let longer = |strings: &[Vec<u32>]| -> Vec<Vec<u32>> {
///     let append = |symbol| strings.iter().map(move |string| [&string[..], &[symbol]].concat());
///     (1..4).flat_map(append).collect()
/// };
/// let two = longer(&one);
/// let strings = [one, longer(&two), two].concat();
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let encoder = Embedding::init(&mut rng).then(Gru::init(&mut rng));
/// let decoder = Embedding::init(&mut rng).then(Gru::init(&mut rng)).then(Dense::init(&mut rng));
/// let model = Reverser { encoder, decoder };
/// let mut trainer = Trainer::with_buffers(model, Adam::new(0.02), Samples::<13>);
/// trainer.fit(&strings, loss).epochs(60).run()?;
///
/// let Reverser { encoder, decoder } = &trainer.model;
/// let (mut read, mut state) = (encoder.initial_state(), decoder.initial_state());
/// encoder.run(&[[1], [2], [3]], &mut read);
/// state.0.1.h = read.1.h;
/// let step = |symbols: &_, state: &mut _| decoder.step(symbols, state);
/// let [written] = greedy(&mut state, [START], END, 9, step);
/// assert_eq!(written, [3, 2, 1]);
/// # Ok::<(), rnn_cell::train::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forced<const B: usize> {
    /// The symbols that the decoder reads, step by step.
    pub inputs: Vec<[u32; B]>,
    /// The symbols that the decoder should write, step by step.
    pub targets: Vec<[u32; B]>,
    /// The number of steps of each sample, one more than its number of symbols; 0 for unused
    /// columns.
    pub lengths: [usize; B],
}

impl<'a, const B: usize> IntoPass<'a, [u32; B], (), B> for &'a Forced<B> {
    fn into_pass(self) -> Pass<'a, [u32; B], (), B> {
        Pass::of(&self.inputs).lengths(self.lengths)
    }
}

impl<const B: usize> Forced<B> {
    /// Creates a batch of `sequences`, with one step more than the longest, padded with 0.
    ///
    /// # Panics
    /// Panics if there are more than `B` sequences.
    pub fn new<S: AsRef<[u32]>>(sequences: &[S], start: u32, end: u32) -> Self {
        let with = |before: Option<u32>, after: Option<u32>| {
            let whole = |sequence: &S| {
                before.into_iter().chain(sequence.as_ref().iter().copied()).chain(after).collect::<Vec<u32>>()
            };
            pad::<u32, B>(&sequences.iter().map(whole).collect::<Vec<_>>())
        };
        let Batch { xs: inputs, lengths } = with(Some(start), None);
        let Batch { xs: targets, .. } = with(None, Some(end));
        Forced { inputs, targets, lengths }
    }

    /// Returns the cross-entropy of a decoder's outputs over [`inputs`](Self::inputs): the mean
    /// over all symbols of the batch, end symbols included, in nats.
    ///
    /// `dys` becomes the gradient with respect to the outputs `ys`, zero in everything but the
    /// logits. Its allocation is reused. `logits` returns the logits of an output: `|y| y` if the
    /// output is nothing else, `|y| &mut y.logits` if it also has an alignment.
    ///
    /// # Panics
    /// Panics if `ys` does not have one entry per step, or a target is not a class.
    #[track_caller]
    pub fn loss<T: Scalar, Y: Clone + crate::types::varying::Varying<T>, const K: usize>(
        &self,
        ys: &[Y],
        dys: &mut Vec<Y>,
        mut logits: impl FnMut(&mut Y) -> &mut SMatrix<T, K, B>,
    ) -> T {
        let steps = self.targets.len();
        assert!(ys.len() == steps, "the batch has {steps} steps, but `ys` has {}", ys.len());
        let all: Vec<SMatrix<T, K, B>> = ys.iter().map(|y| *logits(&mut y.clone())).collect();
        let mut dlogits = Vec::new();
        let loss = every_step(&all, Some(self.lengths), &mut dlogits, |t, logits, weights| {
            softmax_cross_entropy_weighted(logits, &self.targets[t], weights)
        });
        dys.clear();
        dys.extend(dlogits.into_iter().map(|dlogits| {
            let mut dy = Y::zero();
            *logits(&mut dy) = dlogits;
            dy
        }));
        loss
    }
}

/// Writes `B` sequences side by side, with the most likely symbol at each step, until each has
/// reached `end` or has `limit` symbols.
///
/// `step` reads the previous symbols (at first `start`), advances the state and returns the logits
/// of the next symbols. It may collect other values, such as an alignment. The sequences do not
/// include `end`. A sample that has ended reads `end` until all have ended.
pub fn greedy<S, T: Scalar, const K: usize, const B: usize>(
    state: &mut S,
    start: [u32; B],
    end: u32,
    limit: usize,
    mut step: impl FnMut(&[u32; B], &mut S) -> SMatrix<T, K, B>,
) -> [Vec<u32>; B] {
    let mut sequences = array::from_fn(|_| Vec::new());
    let mut symbols = start;
    let mut ended = [false; B];
    for _ in 0..limit {
        let best = arg_max(&step(&symbols, state));
        for sample in 0..B {
            ended[sample] |= best[sample] == end;
            symbols[sample] = if ended[sample] { end } else { best[sample] };
            if !ended[sample] {
                sequences[sample].push(best[sample]);
            }
        }
        if ended == [true; B] {
            break;
        }
    }
    sequences
}

#[cfg(test)]
mod tests;
