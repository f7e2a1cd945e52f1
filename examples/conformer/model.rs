//! The recogniser: features, subsampling, a network above it, and the stream.

use crate::blocks::{Subsampling, SubsamplingState, WithoutAttention, WithoutConvolution};
use examples::mel::{LogMel, Settings};
use examples::spoken::RATE;
use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{Conformer, Dense, Lstm};
use rnn_cell::data::{Standard, pad, stack_steps, stack_steps_backward};
use rnn_cell::network::{Bidirectional, Concat, Dropout, Stack};
use rnn_cell::prelude::*;
use rnn_cell::train::ctc::Ctc;
use rnn_cell::train::{Part, Samples};

/// The settings of the frames: 32 ms long, one every 10 ms.
pub const FRAMES: Settings = Settings { rate: RATE, size: 256, hop: 80 };
/// The number of bands of a frame.
pub const BANDS: usize = 40;
/// The number of frames in a step of the subsampling, and of its outputs in a step of the blocks.
pub const STACKED: usize = 2;
/// The number of frames in a step of the blocks: 40 ms.
pub const FRAMES_PER_STEP: usize = STACKED * STACKED;
const PAIR: usize = STACKED * BANDS;
const CHANNELS: usize = 32;
const SUBSAMPLED: usize = STACKED * CHANNELS;

/// The number of classes: the blank and ten digits. Digit `d` is class `d + 1`.
pub const CLASSES: usize = 11;
pub const BLANK: u32 = 0;
pub const BATCH: usize = 16;
const DROPOUT: f64 = 0.1;

/// The size of a step of the blocks.
const M: usize = 64;
/// The number of steps that the attention reads: 640 ms.
const S: usize = 16;
/// The number of steps that the convolution reads: 600 ms.
const C: usize = 15;

/// Two frames.
pub type Pair = SVector<f32, PAIR>;
pub type Logits = SVector<f32, CLASSES>;
pub type Frame = SVector<f32, BANDS>;

/// Two layers of one type with dropout after each.
type Twice<L> = Stack<Dropout<Box<L>>, Dropout<Box<L>>>;
type Enter = Dense<SUBSAMPLED, M>;
type WithLstm<L> = Stack<Stack<Stack<Enter, Twice<L>>, Box<Lstm<M, M>>>, Dense<M, CLASSES>>;
type BothWays<const I: usize> = Dropout<Bidirectional<Box<Lstm<I, M>>, Box<Lstm<I, M>>, Concat<{ 2 * M }>>>;

/// Two Conformer blocks and an LSTM.
pub type Hybrid = WithLstm<Conformer<M, 128, M, 1, S, C>>;
/// The network without attention. The sizes of the hidden layers in it and in the types below give
/// all networks about as many parameters.
pub type NoAttention = WithLstm<WithoutAttention<M, 197, C>>;
pub type NoConvolution = WithLstm<WithoutConvolution<M, 180, M, S>>;
pub type NoLstm = Stack<Stack<Enter, Twice<Conformer<M, 192, M, 1, S, C>>>, Dense<M, CLASSES>>;
pub type BothDirections =
    Stack<Stack<Stack<Enter, BothWays<M>>, BothWays<{ 2 * M }>>, Dense<{ 2 * M }, CLASSES>>;

fn twice<L: Layer<1>>(mut layer: impl FnMut() -> Box<L>) -> Twice<L>
where
    Dropout<Box<L>>: Layer<1>,
{
    Stack(Dropout::new(layer(), DROPOUT), Dropout::new(layer(), DROPOUT))
}

/// A network above the subsampling.
pub trait Upper: Model<Scalar = f32, Gradients: Send> + Send + Sync {
    const NAME: &'static str;

    fn random(rng: &mut Xoshiro256PlusPlus) -> Self;
}

impl Upper for Hybrid {
    const NAME: &'static str = "Conformer and LSTM";

    fn random(rng: &mut Xoshiro256PlusPlus) -> Self {
        let enter = Dense::init(rng);
        let blocks = twice(|| Conformer::init_boxed(rng));
        Stack(Stack(Stack(enter, blocks), Lstm::init_boxed(rng)), Dense::init(rng))
    }
}

impl Upper for NoAttention {
    const NAME: &'static str = "without attention";

    fn random(rng: &mut Xoshiro256PlusPlus) -> Self {
        let enter = Dense::init(rng);
        let blocks = twice(|| WithoutAttention::init_boxed(rng));
        Stack(Stack(Stack(enter, blocks), Lstm::init_boxed(rng)), Dense::init(rng))
    }
}

impl Upper for NoConvolution {
    const NAME: &'static str = "without convolution";

    fn random(rng: &mut Xoshiro256PlusPlus) -> Self {
        let enter = Dense::init(rng);
        let blocks = twice(|| WithoutConvolution::init_boxed(rng));
        Stack(Stack(Stack(enter, blocks), Lstm::init_boxed(rng)), Dense::init(rng))
    }
}

impl Upper for NoLstm {
    const NAME: &'static str = "without LSTM";

    fn random(rng: &mut Xoshiro256PlusPlus) -> Self {
        let enter = Dense::init(rng);
        let blocks = twice(|| Conformer::init_boxed(rng));
        Stack(Stack(enter, blocks), Dense::init(rng))
    }
}

impl Upper for BothDirections {
    const NAME: &'static str = "bidirectional LSTM";

    fn random(rng: &mut Xoshiro256PlusPlus) -> Self {
        let enter = Dense::init(rng);
        let lower = Bidirectional::new(Lstm::init_boxed(rng), Lstm::init_boxed(rng)).joined(Concat);
        let upper = Bidirectional::new(Lstm::init_boxed(rng), Lstm::init_boxed(rng)).joined(Concat);
        let both = Stack(Stack(enter, Dropout::new(lower, DROPOUT)), Dropout::new(upper, DROPOUT));
        Stack(both, Dense::init(rng))
    }
}

/// A layer from subsampled steps to logits, for batches of `B`.
pub trait Reads<const B: usize>:
    Layer<
        B,
        Scalar = f32,
        Context = (),
        Input = SMatrix<f32, SUBSAMPLED, B>,
        InputBar = SMatrix<f32, SUBSAMPLED, B>,
        Output = SMatrix<f32, CLASSES, B>,
    > + ModelMut
{
}

impl<U, const B: usize> Reads<B> for U where
    U: ModelMut
        + Layer<
            B,
            Scalar = f32,
            Context = (),
            Input = SMatrix<f32, SUBSAMPLED, B>,
            InputBar = SMatrix<f32, SUBSAMPLED, B>,
            Output = SMatrix<f32, CLASSES, B>,
        >
{
}

/// A string of digits: how it sounds, and what it says.
#[derive(Clone)]
pub struct Sample<R> {
    pub sound: R,
    pub labels: Vec<u32>,
}

/// The whole model.
#[derive(Model)]
pub struct Recogniser<U> {
    subsampling: Subsampling<PAIR, CHANNELS>,
    upper: U,
}

impl<U: Upper> Recogniser<U> {
    /// Creates a random model for inputs that are distributed like `frames`.
    pub fn new<'a>(frames: impl IntoIterator<Item = &'a Pair>, rng: &mut Xoshiro256PlusPlus) -> Self {
        let standard = Standard::of(frames);
        let mut subsampling = Subsampling::init(rng);
        subsampling.mean = standard.mean;
        subsampling.scale = standard.deviation.map(|deviation| 1.0 / deviation.max(1e-3));
        Self { subsampling, upper: U::random(rng) }
    }
}

impl<U: Reads<BATCH>> Recogniser<U> {
    /// Computes the loss of a part of a batch and its gradients. `hear` makes the features of a
    /// sample.
    pub fn loss<R>(
        part: &mut Part<'_, Self, Sample<R>, Samples<BATCH>>,
        hear: impl Fn(&R, &mut Xoshiro256PlusPlus) -> Vec<Pair>,
    ) -> f64 {
        let Self { subsampling, upper } = part.model;
        let heard: Vec<Vec<Pair>> =
            part.samples.iter().map(|sample| hear(&sample.sound, &mut part.rng)).collect();
        let targets: [&[u32]; BATCH] =
            std::array::from_fn(|index| part.samples.get(index).map_or(&[][..], |sample| &sample.labels));
        let batch = pad::<_, BATCH>(&heard);

        let (mut lower_tape, mut tape) = (subsampling.tape(), upper.tape());
        let hs = subsampling.forward(&batch, &mut subsampling.initial_state(), &mut lower_tape);
        let (count, steps) = (hs.len(), stack_steps(hs, Some(batch.lengths)));
        let mut state = upper.initial_state();
        if part.is_training() {
            upper.seed_noise(&mut state, &mut part.rng);
        }
        let logits = upper.forward(&steps, &mut state, &mut tape);
        let mut dlogits = Vec::new();
        let loss = Ctc::new(BLANK).loss(logits, Some(steps.lengths), &targets, &mut dlogits);

        if let Some(gradients) = part.gradients.as_deref_mut() {
            let (mut dsteps, mut dhs) = (steps.xs.clone(), Vec::new());
            let bars = Bars::of(&mut gradients.upper).inputs(&mut dsteps);
            upper.backward(&steps, &mut tape, &dlogits, bars);
            stack_steps_backward(&dsteps, count, Some(batch.lengths), &mut dhs);
            subsampling.backward(&batch, &mut lower_tape, &dhs, &mut gradients.subsampling);
        }
        f64::from(loss.value)
    }

    /// Computes the logits of whole sounds, in batches.
    pub fn logits(&self, sounds: &[&[Pair]]) -> Vec<Vec<Logits>> {
        let (mut lower_tape, mut tape) = (self.subsampling.tape(), self.upper.tape());
        let mut all = Vec::new();
        for sounds in sounds.chunks(BATCH) {
            let batch = pad::<_, BATCH>(sounds);
            let hs = self.subsampling.forward(&batch, &mut self.subsampling.initial_state(), &mut lower_tape);
            let steps = stack_steps(hs, Some(batch.lengths));
            let logits = self.upper.forward(&steps, &mut self.upper.initial_state(), &mut tape);
            all.extend((0..sounds.len()).map(|sample| {
                let steps = logits[..steps.lengths[sample]].iter();
                steps.map(|step| step.column(sample).into_owned()).collect()
            }));
        }
        all
    }
}

/// Returns the labels of the most likely paths.
pub fn greedy(logits: &[Vec<Logits>]) -> Vec<Vec<u32>> {
    let labels = |logits: &Vec<Logits>| {
        let [labels] = Ctc::new(BLANK).greedy(logits, None);
        labels
    };
    logits.iter().map(labels).collect()
}

/// Computes the frames of a whole sound.
pub fn frames(samples: &[f32]) -> Vec<Frame> {
    LogMel::new(FRAMES).frames(samples)
}

/// Computes the pairs of frames of a whole sound. The frames of an unfinished step of the blocks,
/// for which a stream would wait, are dropped.
pub fn pairs(samples: &[f32]) -> Vec<Pair> {
    let frames = frames(samples);
    let whole = frames.len() - frames.len() % FRAMES_PER_STEP;
    frames[..whole].chunks_exact(STACKED).map(stacked).collect()
}

fn stacked(frames: &[Frame]) -> Pair {
    Pair::from_iterator(frames.iter().flat_map(|frame| frame.iter().copied()))
}

/// A stream of sound in which digits are recognised as they are spoken.
pub struct Listener<'m, U: Cell<1>> {
    model: &'m Recogniser<U>,
    mel: LogMel<BANDS>,
    frames: Vec<Frame>,
    lower: SubsamplingState<PAIR>,
    subsampled: SVector<f32, SUBSAMPLED>,
    /// The number of subsampled outputs that wait for a step of the blocks.
    waiting: usize,
    upper: U::State,
}

impl<'m, U: Reads<1> + Cell<1>> Listener<'m, U> {
    /// Starts a stream.
    pub fn new(model: &'m Recogniser<U>) -> Self {
        Self {
            model,
            mel: LogMel::new(FRAMES),
            frames: Vec::new(),
            lower: model.subsampling.initial_state(),
            subsampled: SVector::zeros(),
            waiting: 0,
            upper: model.upper.initial_state(),
        }
    }

    /// Reads the next samples and calls `step` with the logits of every step that they complete.
    pub fn hear(&mut self, samples: &[f32], mut step: impl FnMut(Logits)) {
        let Self { model, mel, frames, lower, subsampled, waiting, upper } = self;
        mel.push(samples, |frame| {
            frames.push(frame);
            if frames.len() < STACKED {
                return;
            }
            let h = model.subsampling.step(&stacked(frames), lower);
            frames.clear();
            subsampled.fixed_rows_mut::<CHANNELS>(*waiting * CHANNELS).copy_from(&h);
            *waiting = (*waiting + 1) % STACKED;
            if *waiting == 0 {
                step(model.upper.step(&*subsampled, upper));
            }
        });
    }
}
