//! Silero VAD, a network that detects speech in 32 ms of sound: release 6.2 at 16 kHz (MIT
//! licence), with its published weights.
//!
//! A chunk of 512 samples, with the 64 samples before it, passes through a Fourier transform, four
//! convolutions and an LSTM. The state of a stream is the LSTM's state and those 64 samples:
//!
//! | layer | output |
//! | --- | --- |
//! | the chunk with its context, extended at the end by 64 mirrored samples | 640 |
//! | Fourier transform: windows of 256 samples, one every 128; magnitudes | 129 x 4 |
//! | convolution over 3 frames, ReLU | 128 x 4 |
//! | the same, every second frame | 64 x 2 |
//! | the same, every second frame | 64 x 1 |
//! | convolution over 3 frames, ReLU | 128 x 1 |
//! | LSTM | 128 |
//! | ReLU, weighted sum, sigmoid | 1 |
//!
//! A convolution pads both ends with one frame of zeros. If the windows are unfolded into columns,
//! a convolution is a dense layer whose batch is the windows. So the transform and the convolutions
//! are cells without states.

mod segments;

use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{Lstm, LstmState};
use rnn_cell::prelude::*;
use rnn_cell::quantised::{self, Format, NotFinite};
use rnn_cell::weights::{Mapping, matrix, plus, vector};
use safetensors::{Dtype, SafeTensors};
use std::error::Error;

pub use segments::{Hysteresis, segments};

/// The file of the shipped weights, in the folder `silero` of the data.
pub const WEIGHTS: &str = "silero_vad_6.2.3_16k.safetensors";
/// The number of samples per second.
pub const RATE: u32 = 16_000;
/// The number of samples per chunk.
pub const CHUNK: usize = 512;
/// The number of samples before a chunk that are read with it.
pub const CONTEXT: usize = 64;
/// The number of units of the LSTM, and of its inputs.
pub const UNITS: usize = 128;

const WINDOW: usize = 256;
const HOP: usize = 128;
const BINS: usize = WINDOW / 2 + 1;
/// The number of samples mirrored at the end.
const MIRRORED: usize = 64;
const FRAMES: usize = (CONTEXT + CHUNK + MIRRORED - WINDOW) / HOP + 1;
const TAPS: usize = 3;

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
}

/// The network.
#[derive(Debug)]
pub struct Vad {
    spectrum: Box<Spectrum<WINDOW, BINS>>,
    convolutions: (
        Box<Convolution<{ TAPS * BINS }, 128>>,
        Box<Convolution<{ TAPS * 128 }, 64>>,
        Box<Convolution<{ TAPS * 64 }, 64>>,
        Box<Convolution<{ TAPS * 64 }, UNITS>>,
    ),
    lstm: Box<Lstm<UNITS, UNITS>>,
    output: SVector<f32, UNITS>,
    output_bias: f32,
}

/// The state that a stream carries from chunk to chunk.
#[derive(Debug, Clone)]
pub struct Stream {
    context: [f32; CONTEXT],
    /// The state of the LSTM.
    pub lstm: LstmState<UNITS>,
}

impl Vad {
    /// Loads Silero's weights from a safetensors file.
    ///
    /// # Errors
    /// Fails if the file is damaged or its tensors do not match the network.
    pub fn load(bytes: &[u8]) -> Result<Self, Box<dyn Error>> {
        let mut lstm = Lstm::zeros_boxed();
        lstm_mapping().load(&mut *lstm, bytes)?;
        let tensors = Tensors(SafeTensors::deserialize(bytes)?);
        let mut spectrum = Spectrum::<WINDOW, BINS>::zeros_boxed();
        let basis = tensors.values("stft_conv.weight", [2 * BINS, 1, WINDOW])?;
        for (row, wave) in basis.chunks_exact(WINDOW).enumerate() {
            let (matrix, row) =
                if row < BINS { (&mut spectrum.C, row) } else { (&mut spectrum.S, row - BINS) };
            matrix.row_mut(row).iter_mut().zip(wave).for_each(|(entry, value)| *entry = *value);
        }
        Ok(Self {
            spectrum,
            convolutions: (
                tensors.convolution("conv1")?,
                tensors.convolution("conv2")?,
                tensors.convolution("conv3")?,
                tensors.convolution("conv4")?,
            ),
            lstm,
            output: SVector::from_column_slice(&tensors.values("final_conv.weight", [1, UNITS, 1])?),
            output_bias: tensors.values("final_conv.bias", [1])?[0],
        })
    }

    /// Rounds all matrices to the values that a format of fewer bits would store.
    ///
    /// # Errors
    /// Fails if an entry cannot be stored.
    pub fn round<Q: Format>(&mut self) -> Result<(), NotFinite> {
        let (first, second, third, fourth) = &mut self.convolutions;
        quantised::round::<Q>(&mut *self.spectrum)?;
        quantised::round::<Q>(&mut **first)?;
        quantised::round::<Q>(&mut **second)?;
        quantised::round::<Q>(&mut **third)?;
        quantised::round::<Q>(&mut **fourth)?;
        quantised::round::<Q>(&mut *self.lstm)
    }

    /// Returns the state of a new stream.
    pub fn stream(&self) -> Stream {
        Stream { context: [0.0; CONTEXT], lstm: self.lstm.zero_state() }
    }

    /// Processes the next chunk without allocating. Returns the probability that it contains
    /// speech.
    pub fn step(&self, chunk: &[f32; CHUNK], stream: &mut Stream) -> f32 {
        let features = self.features(chunk, stream);
        let h = self.lstm.step(&features, &mut stream.lstm);
        let logit = self.output.dot(&h.map(|h| h.max(0.0))) + self.output_bias;
        1.0 / (1.0 + (-logit).exp())
    }

    /// Computes the input of the LSTM from a chunk. Keeps the end of the chunk as context for the
    /// next one.
    pub fn features(&self, chunk: &[f32; CHUNK], stream: &mut Stream) -> SVector<f32, UNITS> {
        let mut samples = [0.0; CONTEXT + CHUNK + MIRRORED];
        let (context, rest) = samples.split_at_mut(CONTEXT);
        context.copy_from_slice(&stream.context);
        rest[..CHUNK].copy_from_slice(chunk);
        stream.context.copy_from_slice(&chunk[CHUNK - CONTEXT..]);
        // The mirror image does not repeat the last sample.
        rest[CHUNK..].iter_mut().zip(chunk[..CHUNK - 1].iter().rev()).for_each(|(to, from)| *to = *from);

        let windows = SMatrix::<f32, WINDOW, FRAMES>::from_fn(|n, frame| samples[frame * HOP + n]);
        let spectrum = self.spectrum.step(&windows, &mut self.spectrum.zero_state());
        let (first, second, third, fourth) = &self.convolutions;
        let y = first.step(&unfold::<_, _, _, FRAMES>(&spectrum), &mut first.zero_state());
        let y = second.step(&unfold::<_, _, _, 2>(&y), &mut second.zero_state());
        let y = third.step(&unfold::<_, _, _, 1>(&y), &mut third.zero_state());
        fourth.step(&unfold::<_, _, _, 1>(&y), &mut fourth.zero_state())
    }
}

/// Returns the frames that a filter sees at each of `TO` positions, stacked. The positions are
/// evenly spaced. There is one frame of zeros before the first frame and one after the last.
fn unfold<const C: usize, const FROM: usize, const N: usize, const TO: usize>(
    frames: &SMatrix<f32, C, FROM>,
) -> SMatrix<f32, N, TO> {
    const { assert!(N == TAPS * C) };
    let mut windows = SMatrix::<f32, N, TO>::zeros();
    for (place, mut window) in windows.column_iter_mut().enumerate() {
        for tap in 0..TAPS {
            let frame = (place * (FROM / TO) + tap).checked_sub(1);
            if let Some(frame) = frame.filter(|frame| *frame < FROM) {
                window.as_mut_slice()[tap * C..][..C].copy_from_slice(frames.column(frame).as_slice());
            }
        }
    }
    windows
}

/// Returns the mapping of PyTorch's `LSTMCell`: gates i, f, g, o, and two biases.
fn lstm_mapping() -> Mapping {
    let biases = ["b_i", "b_f", "b_g", "b_o"];
    Mapping::new()
        .with(matrix("weight_ih").stack(["W_i", "W_f", "W_g", "W_o"]))
        .with(matrix("weight_hh").stack(["U_i", "U_f", "U_g", "U_o"]))
        .with(vector("bias_ih").stack(biases))
        .with(vector("bias_hh").stack(biases.map(plus)))
        .prefix("lstm_cell.")
        .ignoring("stft_conv.")
        .ignoring("conv")
        .ignoring("final_conv.")
}

/// The tensors of three dimensions, which mappings do not support.
struct Tensors<'f>(SafeTensors<'f>);

impl Tensors<'_> {
    fn values<const D: usize>(&self, name: &str, shape: [usize; D]) -> Result<Vec<f32>, Box<dyn Error>> {
        let tensor = self.0.tensor(name).map_err(|_| format!("the weights lack the tensor `{name}`"))?;
        if tensor.shape() != shape || tensor.dtype() != Dtype::F32 {
            let (found, dtype) = (tensor.shape(), tensor.dtype());
            return Err(format!("the tensor `{name}` is {found:?} of {dtype:?}, not {shape:?} of F32").into());
        }
        let (values, _) = tensor.data().as_chunks();
        let values: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(format!("the tensor `{name}` holds a {value}").into()),
            None => Ok(values),
        }
    }

    /// Loads filters `[O, C, 3]` as rows. The file stores the three taps of a channel side by side,
    /// and a window the channels of a tap.
    fn convolution<const N: usize, const O: usize>(
        &self,
        name: &str,
    ) -> Result<Box<Convolution<N, O>>, Box<dyn Error>> {
        let channels = N / TAPS;
        let mut convolution = Convolution::<N, O>::zeros_boxed();
        let filters = self.values(&format!("{name}.weight"), [O, channels, TAPS])?;
        for (index, value) in filters.into_iter().enumerate() {
            let (filter, channel, tap) = (index / N, index % N / TAPS, index % TAPS);
            convolution.W[(filter, tap * channels + channel)] = value;
        }
        convolution.b.copy_from_slice(&self.values(&format!("{name}.bias"), [O])?);
        Ok(convolution)
    }
}

#[cfg(test)]
mod tests;
