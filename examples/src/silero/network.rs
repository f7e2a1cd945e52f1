//! The layers of the network and the steps between them, which need neither `std` nor an allocator.
//! The examples, the page `web/voice` and the microcontroller of `tests/bare-metal` share this
//! file.

use rnn_cell::cell::{Prepare, Prepared};
use rnn_cell::cells::LstmState;
use rnn_cell::prelude::*;

/// The number of samples per chunk.
pub const CHUNK: usize = 512;
/// The number of samples before a chunk that are read with it.
pub const CONTEXT: usize = 64;
/// The number of units of the LSTM, and of its inputs.
pub const UNITS: usize = 128;
/// The number of samples per window of the Fourier transform.
pub const WINDOW: usize = 256;
/// The number of frequencies.
pub const BINS: usize = WINDOW / 2 + 1;
/// The number of frames that a filter sees.
pub const TAPS: usize = 3;

const HOP: usize = 128;
/// The number of samples mirrored at the end.
const MIRRORED: usize = 64;
const SAMPLES: usize = CONTEXT + CHUNK + MIRRORED;
const FRAMES: usize = (SAMPLES - WINDOW) / HOP + 1;

rnn_cell! {
    /// The magnitudes of a windowed Fourier transform: `C` and `S` are the window times cosines and
    /// sines.
    pub cell Spectrum<N, F> {
        /// A window of samples.
        input x: [N];
        /// The cosines, one frequency per row.
        param C: [F, N];
        /// The sines, one frequency per row.
        param S: [F, N];

        y = sqrt(square(C @ x) + square(S @ x));

        output y;
    }

    /// A convolution at one position, followed by a ReLU.
    pub cell Convolution<N, O> {
        /// The frames under the filter, stacked.
        input x: [N];
        /// The filters, one per row.
        param W: [O, N];
        /// The biases.
        param b: [O];

        y = relu(W @ x + b);

        output y;
    }

    /// The probability of speech.
    pub cell Output<N> {
        /// The output of the LSTM.
        input x: [N];
        /// The weights.
        param w: [N];
        /// The bias.
        param b: [];

        y = sigmoid(w.T @ relu(x) + b);

        output y;
    }
}

/// The layers, in any form that steps: boxes of cells, or quantised copies.
#[derive(Debug)]
pub struct Layers<S, C1, C2, C3, C4, L, O> {
    /// The Fourier transform.
    pub spectrum: S,
    /// The convolutions.
    pub convolutions: (C1, C2, C3, C4),
    /// The LSTM.
    pub lstm: L,
    /// The output.
    pub output: O,
}

/// The state that a stream carries from chunk to chunk.
#[derive(Debug, Clone)]
pub struct Stream {
    context: [f32; CONTEXT],
    /// The state of the LSTM.
    pub lstm: LstmState<UNITS>,
}

impl<S, C1, C2, C3, C4, L, O> Layers<S, C1, C2, C3, C4, L, O>
where
    S: Frames<WINDOW, BINS, FRAMES>,
    C1: Frames<{ TAPS * BINS }, 128, FRAMES>,
    C2: Frames<{ TAPS * 128 }, 64, 2>,
    C3: Frames<{ TAPS * 64 }, 64, 1>,
    C4: Frames<{ TAPS * 64 }, UNITS, 1>,
    L: Prepare<
            1,
            Scalar = f32,
            Context = (),
            Input = SVector<f32, UNITS>,
            Output = SVector<f32, UNITS>,
            State = LstmState<UNITS>,
        >,
    O: Frames<UNITS, 1, 1>,
{
    /// Returns the state of a new stream.
    pub fn stream(&self) -> Stream {
        Stream { context: [0.0; CONTEXT], lstm: Prepared::<_, (), 1>::new(&self.lstm).initial_state() }
    }

    /// Processes the next chunk without allocating. Returns the probability that it contains
    /// speech.
    pub fn step(&self, chunk: &[f32; CHUNK], stream: &mut Stream) -> f32 {
        let features = self.features(chunk, stream);
        let h = Prepared::<_, (), 1>::new(&self.lstm).step(&features, &mut stream.lstm);
        let [[probability]] = self.output.run(&h).data.0;
        probability
    }

    /// Computes the input of the LSTM from a chunk. Keeps the end of the chunk as context for the
    /// next one.
    pub fn features(&self, chunk: &[f32; CHUNK], stream: &mut Stream) -> SVector<f32, UNITS> {
        let mut samples = [0.0; SAMPLES];
        let (context, rest) = samples.split_at_mut(CONTEXT);
        context.copy_from_slice(&stream.context);
        rest[..CHUNK].copy_from_slice(chunk);
        stream.context.copy_from_slice(&chunk[CHUNK - CONTEXT..]);
        // The mirror image does not repeat the last sample.
        rest[CHUNK..].iter_mut().zip(chunk[..CHUNK - 1].iter().rev()).for_each(|(to, from)| *to = *from);

        let mut windows = SMatrix::<f32, WINDOW, FRAMES>::zeros();
        let (hops, _) = samples.as_chunks::<HOP>();
        for (window, hops) in windows.data.0.iter_mut().zip(hops.windows(WINDOW / HOP)) {
            window.as_chunks_mut::<HOP>().0.iter_mut().zip(hops).for_each(|(to, from)| *to = *from);
        }
        let (first, second, third, fourth) = &self.convolutions;
        let y = first.run(&unfold(&self.spectrum.run(&windows)));
        let y = second.run(&unfold(&y));
        let y = third.run(&unfold(&y));
        fourth.run(&unfold(&y))
    }
}

/// A layer without states, which maps `N` numbers to `O` in each of `B` frames.
pub trait Frames<const N: usize, const O: usize, const B: usize>:
    Prepare<B, Scalar = f32, Context = (), Input = SMatrix<f32, N, B>, Output = SMatrix<f32, O, B>> + Sized
{
    /// Computes the output of each frame.
    fn run(&self, x: &SMatrix<f32, N, B>) -> SMatrix<f32, O, B> {
        let layer = Prepared::<_, (), B>::new(self);
        layer.step(x, &mut layer.initial_state())
    }
}

impl<const N: usize, const O: usize, const B: usize, L> Frames<N, O, B> for L where
    L: Prepare<B, Scalar = f32, Context = (), Input = SMatrix<f32, N, B>, Output = SMatrix<f32, O, B>>
{
}

/// Returns the frames that a filter sees at each of `TO` positions, stacked. The positions are
/// evenly spaced. There is one frame of zeros before the first frame and one after the last.
fn unfold<const C: usize, const FROM: usize, const N: usize, const TO: usize>(
    frames: &SMatrix<f32, C, FROM>,
) -> SMatrix<f32, N, TO> {
    const { assert!(N == TAPS * C) };
    let mut windows = SMatrix::<f32, N, TO>::zeros();
    for (place, window) in windows.data.0.iter_mut().enumerate() {
        for (tap, to) in window.as_chunks_mut::<C>().0.iter_mut().enumerate() {
            let frame = (place * (FROM / TO) + tap).checked_sub(1);
            if let Some(from) = frame.and_then(|frame| frames.data.0.get(frame)) {
                *to = *from;
            }
        }
    }
    windows
}
