//! The encoder, the two decoders, and their training.

use crate::Pair;
use examples::dates::{CHARACTERS, LONGEST, indices};
use nalgebra::SMatrix;
use rnn_cell::cells::{BahdanauDecoder, BahdanauDecoderContext, BahdanauDecoderOutput};
use rnn_cell::cells::{ChoDecoder, ChoDecoderContext};
use rnn_cell::data::{by_length, memory, memory_backward, pad};
use rnn_cell::decode::{Forced, Search, beam, greedy};
use rnn_cell::network::{Bidirectional, Concat};
use rnn_cell::prelude::*;
use rnn_cell::rng::shuffle;
use rnn_cell::train::optim::{Schedule, clip_global_norm};
use rnn_cell::types::varying::Varying;

rnn_cell! {
    /// A gated recurrent unit (Cho et al. 2014) for one-hot characters.
    pub cell CharacterGru<V, H> {
        input w: one_hot[V];
        state h: [H];
        param W_r, W_z, W_h: [H, V];
        param U_r, U_z, U_h: [H, H];
        param b_r, b_z, b_h: [H];

        r = sigmoid(W_r @ w + U_r @ h[t-1] + b_r);
        z = sigmoid(W_z @ w + U_z @ h[t-1] + b_z);
        h_tilde = tanh(W_h @ w + U_h @ (r * h[t-1]) + b_h);
        h = z * h[t-1] + (1 - z) * h_tilde;

        output h;
    }
}

const HIDDEN: usize = 48;
const BOTH: usize = 2 * HIDDEN;
const EMBEDDED: usize = 16;
const SCORED: usize = 32;
const MAXOUT: usize = 32;
pub const BATCH: usize = 16;
const RATE: f64 = 4e-3;
/// The maximal number of written symbols; a date has ten.
const LIMIT: usize = 12;

/// The symbols of a date; the end of the date is an additional symbol.
const WRITTEN: &str = "0123456789-";
const SYMBOLS: usize = WRITTEN.len() + 1;
const END: u32 = WRITTEN.len() as u32;
/// The index of no symbol, which a decoder reads as zeros.
const START: u32 = u32::MAX;

type Direction = CharacterGru<CHARACTERS, HIDDEN>;
type Encoder = Bidirectional<Direction, Direction, Concat<BOTH>>;
type EncoderState<const B: usize> = <Encoder as Layer<B>>::State;
type Encoded<const B: usize> = SMatrix<f32, BOTH, B>;

/// The decoder with attention, which reads the encoder's outputs at every step.
pub type Attending = BahdanauDecoder<SYMBOLS, EMBEDDED, HIDDEN, BOTH, SCORED, MAXOUT, LONGEST>;
/// The decoder without attention, which reads only the encoder's last states.
pub type Summarising = ChoDecoder<SYMBOLS, EMBEDDED, HIDDEN, BOTH, MAXOUT>;

/// A decoder and its connection to the encoder.
pub trait Decoder<const B: usize>:
    Cell<B, Scalar = f32, Input = [u32; B], Context: Varying<f32> + Send> + ModelMut
{
    /// Computes the context from the encoder's outputs and its final state.
    fn set_context(
        ys: &[Encoded<B>],
        lengths: [usize; B],
        state: &EncoderState<B>,
        context: &mut Self::Context,
    );

    /// Computes the cotangents of the encoder's `steps` outputs and of its final state from the
    /// cotangent of the context. An empty `dys` stands for zeros.
    fn context_backward(
        dcontext: &Self::Context,
        steps: usize,
        lengths: [usize; B],
        dys: &mut Vec<Encoded<B>>,
        dstate: &mut EncoderState<B>,
    );

    /// Returns the logits of an output.
    fn logits(y: &mut Self::Output) -> &mut SMatrix<f32, SYMBOLS, B>;

    /// Returns the alignment of an output, if there is one.
    fn alignment(y: &Self::Output) -> Option<&SMatrix<f32, LONGEST, B>>;
}

impl<const B: usize> Decoder<B> for Attending {
    fn set_context(
        ys: &[Encoded<B>],
        lengths: [usize; B],
        state: &EncoderState<B>,
        context: &mut BahdanauDecoderContext<HIDDEN, BOTH, LONGEST, B>,
    ) {
        memory(ys, Some(lengths), &mut context.M, &mut context.mask);
        context.first = state.reverse.h;
    }

    fn context_backward(
        dcontext: &BahdanauDecoderContext<HIDDEN, BOTH, LONGEST, B>,
        steps: usize,
        lengths: [usize; B],
        dys: &mut Vec<Encoded<B>>,
        dstate: &mut EncoderState<B>,
    ) {
        memory_backward(&dcontext.M, steps, Some(lengths), dys);
        dstate.reverse.h = dcontext.first;
    }

    fn logits(y: &mut BahdanauDecoderOutput<SYMBOLS, LONGEST, B>) -> &mut SMatrix<f32, SYMBOLS, B> {
        &mut y.logits
    }

    fn alignment(y: &BahdanauDecoderOutput<SYMBOLS, LONGEST, B>) -> Option<&SMatrix<f32, LONGEST, B>> {
        Some(&y.alpha)
    }
}

impl<const B: usize> Decoder<B> for Summarising {
    fn set_context(
        _: &[Encoded<B>],
        _: [usize; B],
        state: &EncoderState<B>,
        context: &mut ChoDecoderContext<BOTH, B>,
    ) {
        context.summary.rows_mut(0, HIDDEN).copy_from(&state.forward.h);
        context.summary.rows_mut(HIDDEN, HIDDEN).copy_from(&state.reverse.h);
    }

    fn context_backward(
        dcontext: &ChoDecoderContext<BOTH, B>,
        _: usize,
        _: [usize; B],
        dys: &mut Vec<Encoded<B>>,
        dstate: &mut EncoderState<B>,
    ) {
        dys.clear();
        dstate.forward.h.copy_from(&dcontext.summary.rows(0, HIDDEN));
        dstate.reverse.h.copy_from(&dcontext.summary.rows(HIDDEN, HIDDEN));
    }

    fn logits(y: &mut SMatrix<f32, SYMBOLS, B>) -> &mut SMatrix<f32, SYMBOLS, B> {
        y
    }

    fn alignment(_: &SMatrix<f32, SYMBOLS, B>) -> Option<&SMatrix<f32, LONGEST, B>> {
        None
    }
}

/// A pair of an encoder and a decoder: one model.
#[derive(Model)]
pub struct Translator<D> {
    encoder: Box<Encoder>,
    decoder: Box<D>,
}

impl<D> Translator<D> {
    /// Creates a translator with this decoder and a random encoder.
    pub fn new(decoder: Box<D>, rng: &mut impl Rng) -> Self {
        let encoder = Bidirectional::new(Direction::init(rng), Direction::init(rng)).joined(Concat);
        Self { encoder: Box::new(encoder), decoder }
    }
}

impl<D: Decoder<BATCH>> Translator<D> {
    /// Trains by teacher forcing on `batches` batches of pairs from `draw`. Calls `report` with the
    /// loss of every batch.
    pub fn learn(
        &mut self,
        batches: usize,
        rng: &mut Xoshiro256PlusPlus,
        mut draw: impl FnMut(&mut Xoshiro256PlusPlus) -> Pair,
        mut report: impl FnMut(f32),
    ) {
        /// The number of batches whose sources are sorted together, so that the sources of one
        /// batch have similar lengths.
        const SORTED: usize = 20;
        let mut trainer = Trainer::new(self);
        let schedule = Schedule::cosine(RATE, batches);
        let mut done = 0;
        while done < batches {
            let count = SORTED.min(batches - done);
            let pairs: Vec<Pair> = (0..count * BATCH).map(|_| draw(rng)).collect();
            let order = by_length(pairs.iter().map(|pair| pair.source.len()));
            let mut chunks: Vec<&[usize]> = order.chunks(BATCH).collect();
            shuffle(&mut chunks, rng);
            for chunk in chunks {
                schedule.apply(done, &mut trainer.optimiser);
                report(trainer.step(self, chunk.iter().map(|&i| &pairs[i])));
                done += 1;
            }
        }
    }
}

impl<D: Decoder<1>> Translator<D> {
    /// Translates `source` by greedy search. Returns the result and its alignment: for each symbol
    /// and the end, the weights of the source's characters. Without attention the alignment is
    /// empty.
    pub fn write(&self, source: &str) -> (String, Vec<Vec<f64>>) {
        let (context, mut state) = self.read(source);
        let decoder = self.decoder.with(&*context);
        let mut alignment = Vec::new();
        let [symbols] = greedy(&mut state, [START], END, LIMIT, |before, state| {
            let mut y = decoder.step(before, state);
            alignment.extend(D::alignment(&y).map(|alpha| {
                alpha.iter().take(source.len()).map(|&weight| f64::from(weight)).collect::<Vec<f64>>()
            }));
            *D::logits(&mut y)
        });
        (text(&symbols), alignment)
    }

    /// Translates `source` by a beam search of the given width.
    pub fn search(&self, source: &str, width: usize) -> String {
        let (context, state) = self.read(source);
        let decoder = self.decoder.with(&*context);
        let hypotheses = beam(state, START, END, &Search::new(width, LIMIT), |before, state| {
            *D::logits(&mut decoder.step(before, state))
        });
        hypotheses.first().map(|best| text(&best.symbols)).unwrap_or_default()
    }

    fn read(&self, source: &str) -> (Box<D::Context>, D::State) {
        let xs: Vec<[u32; 1]> = indices(source).into_iter().map(|index| [index]).collect();
        let mut state = self.encoder.initial_state();
        let ys = self.encoder.run(&xs, &mut state);
        let mut context = Box::new(D::Context::zero());
        D::set_context(&ys, [xs.len()], &state, &mut context);
        let start = self.decoder.initial_state_with(&context);
        (context, start)
    }
}

/// The optimiser and the buffers of a training run.
struct Trainer<D: Layer<BATCH, Scalar = f32>> {
    gradients: Box<TranslatorGradients<D>>,
    optimiser: Adam<f32>,
    encoder_tape: <Encoder as Layer<BATCH>>::Tape,
    decoder_tape: D::Tape,
    context: Box<D::Context>,
    dcontext: Box<D::Context>,
    dencoded: Vec<Encoded<BATCH>>,
    dys: Vec<D::Output>,
}

impl<D: Decoder<BATCH>> Trainer<D> {
    fn new(model: &Translator<D>) -> Self {
        Self {
            gradients: model.zero_gradients(),
            optimiser: Adam::new(RATE),
            encoder_tape: model.encoder.tape(),
            decoder_tape: model.decoder.tape(),
            context: Box::new(D::Context::zero()),
            dcontext: Box::new(D::Context::zero()),
            dencoded: Vec::new(),
            dys: Vec::new(),
        }
    }

    /// Updates the model on one batch. Returns the loss.
    fn step<'p>(&mut self, model: &mut Translator<D>, pairs: impl Iterator<Item = &'p Pair>) -> f32 {
        let (sources, targets): (Vec<Vec<u32>>, Vec<Vec<u32>>) =
            pairs.map(|pair| (indices(&pair.source), symbols(&pair.target))).unzip();
        let batch = pad(&sources);
        let forced = Forced::<BATCH>::new(&targets, START, END);
        let Translator { encoder, decoder } = &*model;
        let Self { gradients, context, dcontext, .. } = self;

        let mut encoder_state = encoder.initial_state();
        let encoded = encoder.forward(&batch, &mut encoder_state, &mut self.encoder_tape);
        D::set_context(encoded, batch.lengths, &encoder_state, context);
        let mut state = decoder.initial_state_with(context);
        let ys = decoder.forward((&forced, &**context), &mut state, &mut self.decoder_tape);
        let loss = forced.loss(ys, &mut self.dys, D::logits);

        gradients.set_zero();
        dcontext.scalars_mut(&mut |value| *value = 0.0);
        let mut dstate = decoder.zero_state();
        let bars = Bars::of(&mut gradients.decoder).state(&mut dstate).context(&mut **dcontext);
        decoder.backward((&forced, &**context), &mut self.decoder_tape, &self.dys, bars);
        // The initial state depends on the context.
        decoder.initial_state_with_backward(context, &dstate, &mut gradients.decoder, Some(&mut **dcontext));
        let mut dencoder_state = encoder.zero_state();
        let steps = batch.xs.len();
        D::context_backward(dcontext, steps, batch.lengths, &mut self.dencoded, &mut dencoder_state);
        let bars = Bars::of(&mut gradients.encoder).state(&mut dencoder_state);
        encoder.backward(&batch, &mut self.encoder_tape, &self.dencoded, bars);
        clip_global_norm(&mut **gradients, 1.0);
        self.optimiser.step(model, gradients);
        loss
    }
}

fn symbols(text: &str) -> Vec<u32> {
    text.chars().map(|c| WRITTEN.find(c).expect("a date is digits and `-`") as u32).collect()
}

fn text(symbols: &[u32]) -> String {
    symbols.iter().map(|&symbol| char::from(WRITTEN.as_bytes()[symbol as usize])).collect()
}
