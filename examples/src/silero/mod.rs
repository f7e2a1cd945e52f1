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

mod network;
mod segments;

use rnn_cell::cells::Lstm;
use rnn_cell::quantised::{self, Format, NotFinite};
use rnn_cell::weights::{Mapping, matrix, plus, vector};
use safetensors::{Dtype, SafeTensors};
use std::error::Error;

pub use network::{BINS, CHUNK, Convolution, Layers, Output, Spectrum, Stream, TAPS, UNITS, WINDOW};
pub use segments::{Hysteresis, segments};

/// The number of samples per second.
pub const RATE: u32 = 16_000;
/// The file of the shipped weights, in the folder `silero` of the data.
pub const WEIGHTS: &str = "silero_vad_6.2.3_16k.safetensors";

/// The network, whose layers are on the heap.
pub type Vad = Layers<
    Box<Spectrum<WINDOW, BINS>>,
    Box<Convolution<{ TAPS * BINS }, 128>>,
    Box<Convolution<{ TAPS * 128 }, 64>>,
    Box<Convolution<{ TAPS * 64 }, 64>>,
    Box<Convolution<{ TAPS * 64 }, UNITS>>,
    Box<Lstm<UNITS, UNITS>>,
    Box<Output<UNITS>>,
>;

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
        let mut output = Output::<UNITS>::zeros_boxed();
        output.w.copy_from_slice(&tensors.values("final_conv.weight", [1, UNITS, 1])?);
        output.b = tensors.values("final_conv.bias", [1])?[0];
        Ok(Self {
            spectrum,
            convolutions: (
                tensors.convolution("conv1")?,
                tensors.convolution("conv2")?,
                tensors.convolution("conv3")?,
                tensors.convolution("conv4")?,
            ),
            lstm,
            output,
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
