//! Character models of Shakespeare's sonnets, trained by [`sonnets`](crate::sonnets) and
//! [`lstm_variants`](crate::lstm_variants). Each model predicts the next character from the
//! previous ones.

use nalgebra::SMatrix;
use rnn_cell::cells::Dense;
use rnn_cell::data::streams;
use rnn_cell::prelude::*;
use rnn_cell::rng::uniform;
use rnn_cell::train::Trainer;
use rnn_cell::train::loss::{softmax_cross_entropy, softmax_cross_entropy_weighted};

/// The text of the sonnets.
const SONNETS: &str = include_str!("../data/sonnets.txt");

/// The number of different characters in the text.
pub const CHARACTERS: usize = 62;

/// The number of parts of the text that are read in parallel.
const STREAMS: usize = 16;
/// The number of steps between two updates, and the range of the gradients.
const WINDOW: usize = 50;
const CLIP: f64 = 1.0;

rnn_cell! {
    /// An embedding, one learned vector per character.
    pub cell Embedding<V, N> {
        input  w: one_hot[V];
        param  E: [N, V] = normal(0.5);

        e = E @ w;

        output e;
    }
}

/// A character model with the cell `C`, which reads `N` and returns `H` numbers.
pub type CharacterModel<C, const N: usize, const H: usize> =
    Stack<Stack<Embedding<CHARACTERS, N>, C>, Dense<H, CHARACTERS>>;

/// The sonnets as indices of characters, in three consecutive parts: eight tenths for training, one
/// tenth to select the best epoch, one tenth for the test.
pub struct Text {
    /// The sorted characters, indexed by their numbers.
    characters: Vec<char>,
    training: Vec<u32>,
    validation: Vec<u32>,
    test: Vec<u32>,
}

impl Text {
    /// Returns the sonnets, limited to the first `length` characters of each part.
    pub fn sonnets(length: usize) -> Self {
        let mut characters: Vec<char> = SONNETS.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        assert_eq!(characters.len(), CHARACTERS, "examples/data/sonnets.txt differs from the shipped text");
        let number = |c: char| characters.partition_point(|&before| before < c) as u32;
        let text: Vec<u32> = SONNETS.chars().map(number).collect();
        let tenth = text.len() / 10;
        let part = |from: usize, to: usize| text[from..to][..length.min(to - from)].to_vec();
        Self {
            training: part(0, 8 * tenth),
            validation: part(8 * tenth, 9 * tenth),
            test: part(9 * tenth, text.len()),
            characters,
        }
    }
}

type Logits<const B: usize> = SMatrix<f32, CHARACTERS, B>;

/// A character model that reads `B` texts at a time.
pub trait Reader<const B: usize>:
    Cell<B, Context = (), Input = [u32; B], Output = Logits<B>> + ModelMut<Scalar = f32>
{
}

impl<const B: usize, N> Reader<B> for N where
    N: Cell<B, Context = (), Input = [u32; B], Output = Logits<B>> + ModelMut<Scalar = f32>
{
}

/// The result of a training run.
pub struct Outcome<N> {
    /// The model after the epoch with the best validation result.
    pub net: N,
    /// The number of that epoch, from 1.
    pub epoch: usize,
    /// The model's bits per character on the validation text.
    pub validation: f64,
    /// The model's bits per character on the test text.
    pub bits: f64,
}

/// Trains `net` for `epochs` epochs by truncated backpropagation through time over 16 parts of the
/// text in parallel, with windows of 50 characters and a persistent state. Uses Adam, with
/// gradients clipped at a norm of 1.
pub fn learn<N>(net: N, text: &Text, epochs: usize, rate: f64) -> Outcome<N>
where
    N: Clone
        + Reader<1>
        + ModelMut<Scalar = f32>
        + Cell<STREAMS, Context = (), Input = [u32; STREAMS], Output = Logits<STREAMS>>,
{
    let streams = streams::<u32, STREAMS>(&text.training);
    let (xs, targets) = (&streams[..streams.len() - 1], &streams[1..]);
    let (mut best, mut epoch_of_best, mut lowest) = (net.clone(), 0, f64::INFINITY);
    let mut trainer = Trainer::new::<STREAMS>(net, Adam::new(rate)).truncated(WINDOW, WINDOW).clip_norm(CLIP);
    for epoch in 1..=epochs {
        let loss = trainer.step(xs, |out| {
            out.every_step(|t, y, weights| softmax_cross_entropy_weighted(y, &targets[t], weights))
        });
        loss.expect("the loss is finite");
        let validation = bits(&trainer.model, &text.validation);
        if validation < lowest {
            (best, epoch_of_best, lowest) = (trainer.model.clone(), epoch, validation);
        }
    }
    let bits = bits(&best, &text.test);
    Outcome { net: best, epoch: epoch_of_best, validation: lowest, bits }
}

/// Returns the mean of -log2 of the probability of each character after the first, with a single
/// pass over the text.
fn bits<N: Reader<1>>(net: &N, text: &[u32]) -> f64 {
    let mut state = net.initial_state();
    let nats = |pair: &[u32]| softmax_cross_entropy(&net.step(&[pair[0]], &mut state), &[pair[1]]).0;
    let sum: f64 = text.windows(2).map(nats).map(f64::from).sum();
    sum / (text.len() - 1) as f64 / std::f64::consts::LN_2
}

/// Returns `length` characters sampled from `net` after a line break, drawn from
/// `softmax(logits / temperature)`.
pub fn write<N>(net: &N, text: &Text, length: usize, temperature: f64, rng: &mut impl Rng) -> String
where
    N: Reader<1>,
{
    let mut state = net.initial_state();
    let mut last = 0;
    debug_assert_eq!(text.characters[last], '\n', "the line break is the first character");
    let character = |_| {
        let logits = net.step(&[last as u32], &mut state);
        let largest = logits.max();
        let weights = logits.map(|y| (f64::from(y - largest) / temperature).exp());
        let mut left = uniform(rng, 0.0, weights.sum());
        last = weights
            .iter()
            .take(CHARACTERS - 1)
            .take_while(|&&weight| {
                left -= weight;
                left >= 0.0
            })
            .count();
        text.characters[last]
    };
    (0..length).map(character).collect()
}
