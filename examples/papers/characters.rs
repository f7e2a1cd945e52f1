//! Character models of Shakespeare's sonnets, which [`sonnets`](crate::sonnets) and [`lstm_variants`](crate::lstm_variants) train: each predicts the next
//! character from those before it.

use nalgebra::SMatrix;
use rnn_cell::cells::Dense;
use rnn_cell::data::index_streams;
use rnn_cell::prelude::*;
use rnn_cell::rng::uniform;
use rnn_cell::train::bptt::Truncated;
use rnn_cell::train::loss::softmax_cross_entropy;
use rnn_cell::train::optim::clip_global_norm;

/// The sonnets, as they ship with the examples.
const SONNETS: &str = include_str!("../data/sonnets.txt");

/// The number of different characters in them.
pub const CHARACTERS: usize = 62;

/// How many stretches of the text are read side by side.
const STREAMS: usize = 16;
/// Steps between two updates, and how far back a gradient goes.
const WINDOW: usize = 50;
const CLIP: f64 = 1.0;

rnn_cell! {
    /// A learned vector a character.
    pub cell Embedding<V, N> {
        input  w: one_hot[V];
        param  E: [N, V] = normal(0.5);

        e = E @ w;

        output e;
    }
}

/// A character model around the cell `C`, which reads `N` and returns `H` numbers.
pub type CharacterModel<C, const N: usize, const H: usize> =
    Stack<Stack<Embedding<CHARACTERS, N>, C>, Dense<H, CHARACTERS>>;

/// The sonnets as numbers of characters, in three parts that follow each other: eight tenths to learn from, one by which the best epoch
/// is chosen, one to be tested on.
pub struct Text {
    /// The characters by their numbers, which are those of their order.
    characters: Vec<char>,
    training: Vec<u32>,
    validation: Vec<u32>,
    test: Vec<u32>,
}

impl Text {
    /// The sonnets; only the first `length` characters of each part.
    pub fn sonnets(length: usize) -> Self {
        let mut characters: Vec<char> = SONNETS.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        assert_eq!(
            characters.len(),
            CHARACTERS,
            "examples/data/sonnets.txt is not the text that was shipped"
        );
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

/// A model of characters that reads `B` texts at a time.
pub trait Reader<const B: usize>:
    Cell<B, Context = (), Input = [u32; B], Output = Logits<B>> + ModelMut<Scalar = f32>
{
}

impl<const B: usize, N> Reader<B> for N where
    N: Cell<B, Context = (), Input = [u32; B], Output = Logits<B>> + ModelMut<Scalar = f32>
{
}

/// How a training ended.
pub struct Outcome<N> {
    /// The model after the epoch that was best on the validation text.
    pub net: N,
    /// That epoch, from 1.
    pub epoch: usize,
    /// The model's bits a character on the validation text.
    pub validation: f64,
    /// The model's bits a character on the test text.
    pub bits: f64,
}

/// Trains `net` for `epochs`: truncated backpropagation through time over 16 stretches side by side, windows of 50 characters, the state
/// carried on; Adam, gradients clipped at a norm of 1.
pub fn learn<N>(mut net: N, text: &Text, epochs: usize, rate: f64) -> Outcome<N>
where
    N: Clone
        + Reader<1>
        + ModelMut<Scalar = f32>
        + Cell<STREAMS, Context = (), Input = [u32; STREAMS], Output = Logits<STREAMS>>,
{
    let streams = index_streams::<STREAMS>(&text.training);
    let (xs, targets) = (&streams[..streams.len() - 1], &streams[1..]);
    let (mut adam, mut gradients) = (Adam::new(rate), net.zero_gradients());
    let mut bptt: Truncated<N, STREAMS> = Truncated::new(&net, WINDOW, WINDOW);
    let mut dys = Vec::new();
    let (mut best, mut epoch_of_best, mut lowest) = (net.clone(), 0, f64::INFINITY);
    for epoch in 1..=epochs {
        bptt.start(net.initial_state::<STREAMS>());
        while let Some(block) = bptt.forward(&net, xs) {
            let steps = bptt.outputs().iter().zip(&targets[block.start..]);
            dys.clear();
            dys.extend(steps.map(|(y, next)| softmax_cross_entropy(y, next).1 / block.len() as f32));
            gradients.set_zero();
            bptt.backward(&net, xs, &dys, &mut gradients);
            clip_global_norm(&mut gradients, CLIP);
            adam.step(&mut net, &gradients);
        }
        let validation = bits(&net, &text.validation);
        if validation < lowest {
            (best, epoch_of_best, lowest) = (net.clone(), epoch, validation);
        }
    }
    let bits = bits(&best, &text.test);
    Outcome { net: best, epoch: epoch_of_best, validation: lowest, bits }
}

/// The mean of -log2 of the probability of each character after the first, read in one go.
fn bits<N: Reader<1>>(net: &N, text: &[u32]) -> f64 {
    let mut state = net.initial_state();
    let nats = |pair: &[u32]| softmax_cross_entropy(&net.step(&[pair[0]], &mut state), &[pair[1]]).0;
    let sum: f64 = text.windows(2).map(nats).map(f64::from).sum();
    sum / (text.len() - 1) as f64 / std::f64::consts::LN_2
}

/// `length` characters as `net` writes them after a line's end, drawn from `softmax(logits / temperature)`.
pub fn write<N>(net: &N, text: &Text, length: usize, temperature: f64, rng: &mut impl Rng) -> String
where
    N: Reader<1>,
{
    let mut state = net.initial_state();
    let mut last = 0;
    debug_assert_eq!(text.characters[last], '\n', "the first of the characters in their order");
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
