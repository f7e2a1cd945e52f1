//! RNNoise (Valin, "A hybrid DSP/deep learning approach to real-time full-band speech enhancement",
//! 2018), a published network that removes noise from speech, with its published weights.
//!
//! A frame is 10 ms of sound at 48 kHz. The network reads 42 features of it and returns a gain for
//! each of 22 frequency bands, and the probability that somebody speaks. [`Stream`] computes the
//! features, applies the gains and joins the frames.

mod stream;

use rnn_cell::prelude::*;
use rnn_cell::weights::{Mapping, Part, Writer, matrix, part, vector};
use std::error::Error;
use std::ops::RangeBounds;

pub use stream::{BANDS, FEATURES, FRAME, RATE, Stream};

/// The file of the shipped weights, in the folder `rnnoise` of the data.
pub const WEIGHTS: &str = "weights.rnn";

rnn_cell! {
    /// RNNoise's network (Valin 2018): `F` features of a frame pass through three gated recurrent
    /// units, which find the speech (`V` units), the spectrum of the noise (`N`) and the gains
    /// (`G`) of `B` bands.
    ///
    /// The candidate of each unit is rectified, and its reset gate acts before the product. `z` is
    /// the share of the old state.
    pub cell RnNoise<F, D, V, N, G, B> {
        /// The features of a frame.
        input x: [F];
        /// The states of the three units.
        state v: [V];
        state n: [N];
        state g: [G];
        /// The dense layer that reads the features.
        param W_d: [D, F], b_d: [D];
        /// The update gate, the reset gate and the candidate of each unit.
        param W_zv, W_rv, W_cv: [V, D + V];
        param b_zv, b_rv, b_cv: [V];
        param W_zn, W_rn, W_cn: [N, D + V + F + N];
        param b_zn, b_rn, b_cn: [N];
        param W_zg, W_rg, W_cg: [G, V + N + F + G];
        param b_zg, b_rg, b_cg: [G];
        /// The dense layers of the results.
        param W_speech: [1, V], b_speech: [1];
        param W_gains: [B, G], b_gains: [B];

        fn mix(z, old, new) = z * old + (1 - z) * new;

        d = tanh(W_d @ x + b_d);

        z_v = sigmoid(W_zv @ [d, v[t-1]] + b_zv);
        r_v = sigmoid(W_rv @ [d, v[t-1]] + b_rv);
        c_v = relu(W_cv @ [d, r_v * v[t-1]] + b_cv);
        v = mix(z_v, v[t-1], c_v);

        z_n = sigmoid(W_zn @ [d, v, x, n[t-1]] + b_zn);
        r_n = sigmoid(W_rn @ [d, v, x, n[t-1]] + b_rn);
        c_n = relu(W_cn @ [d, v, x, r_n * n[t-1]] + b_cn);
        n = mix(z_n, n[t-1], c_n);

        z_g = sigmoid(W_zg @ [v, n, x, g[t-1]] + b_zg);
        r_g = sigmoid(W_rg @ [v, n, x, g[t-1]] + b_rg);
        c_g = relu(W_cg @ [v, n, x, r_g * g[t-1]] + b_cg);
        g = mix(z_g, g[t-1], c_g);

        speech = sigmoid(W_speech @ v + b_speech);
        gains = sigmoid(W_gains @ g + b_gains);

        output gains, speech;
    }
}

const DENSE: usize = 24;
const VOICE: usize = 24;
const NOISE: usize = 48;
const GAIN: usize = 96;

/// The network in the published size.
pub type Network = RnNoise<FEATURES, DENSE, VOICE, NOISE, GAIN, BANDS>;

/// Loads weights from a file of RNNoise's training, as the crate `nnnoiseless` ships it.
///
/// The file holds Keras's layers one after the other: the number of inputs, the number of units and
/// the activation, then the kernels and the biases. Every number is one byte, and a weight is a
/// signed byte divided by 256.
///
/// # Errors
/// Fails if the file is cut short or too long, or describes another network.
pub fn load(bytes: &[u8]) -> Result<Box<Network>, Box<dyn Error>> {
    let mut file = Layers { rest: bytes, tensors: Writer::new() };
    file.dense("dense", [FEATURES, DENSE], TANH)?;
    file.unit("speech", [DENSE, VOICE])?;
    file.unit("noise", [DENSE + VOICE + FEATURES, NOISE])?;
    file.unit("denoise", [VOICE + NOISE + FEATURES, GAIN])?;
    file.dense("gains", [GAIN, BANDS], SIGMOID)?;
    file.dense("probability", [VOICE, 1], SIGMOID)?;
    if !file.rest.is_empty() {
        return Err(format!("{} bytes follow the last layer", file.rest.len()).into());
    }
    let mapping = dense("dense", "d")
        .and(unit("speech", "v", DENSE))
        .and(unit("noise", "n", DENSE + VOICE + FEATURES))
        .and(unit("denoise", "g", VOICE + NOISE + FEATURES))
        .and(dense("gains", "gains"))
        .and(dense("probability", "speech"));
    let mut network = Network::zeros_boxed();
    mapping.load(&mut *network, &file.tensors.into_bytes())?;
    Ok(network)
}

/// Returns the mapping of a dense layer of the file.
fn dense(layer: &str, name: &str) -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack([format!("W_{name}")]))
        .with(vector("bias").stack([format!("b_{name}")]))
        .prefix(&format!("{layer}."))
}

/// Returns the mapping of a recurrent unit of the file, which multiplies its `inputs` and its state
/// by separate matrices.
fn unit(layer: &str, name: &str, inputs: usize) -> Mapping {
    fn gates(name: &str, columns: impl RangeBounds<usize> + Clone) -> [Part; 3] {
        ["z", "r", "c"].map(|gate| part(format!("W_{gate}{name}")).columns(columns.clone()))
    }
    Mapping::new()
        .with(matrix("kernel").transposed().stack(gates(name, ..inputs)))
        .with(matrix("recurrent_kernel").transposed().stack(gates(name, inputs..)))
        .with(vector("bias").stack(["z", "r", "c"].map(|gate| format!("b_{gate}{name}"))))
        .prefix(&format!("{layer}."))
}

/// The numbers of the activations in the file.
const TANH: u8 = 0;
const SIGMOID: u8 = 1;
const RELU: u8 = 2;

/// The unread part of a file, and the tensors of the part before it.
struct Layers<'f> {
    rest: &'f [u8],
    tensors: Writer,
}

impl Layers<'_> {
    /// Reads a dense layer.
    fn dense(&mut self, name: &str, sizes: [usize; 2], activation: u8) -> Result<(), Box<dyn Error>> {
        self.description(name, sizes, activation)?;
        self.tensor(name, "kernel", &sizes)?;
        self.tensor(name, "bias", &sizes[1..])
    }

    /// Reads a gated recurrent unit, whose candidate is rectified.
    fn unit(&mut self, name: &str, [inputs, units]: [usize; 2]) -> Result<(), Box<dyn Error>> {
        self.description(name, [inputs, units], RELU)?;
        self.tensor(name, "kernel", &[inputs, 3 * units])?;
        self.tensor(name, "recurrent_kernel", &[units, 3 * units])?;
        self.tensor(name, "bias", &[3 * units])
    }

    /// Reads the description of a layer and checks it.
    fn description(
        &mut self,
        name: &str,
        [inputs, units]: [usize; 2],
        activation: u8,
    ) -> Result<(), Box<dyn Error>> {
        let described = self.take(name, 3)?;
        let expected = [inputs as u8, units as u8, activation];
        if described != expected {
            return Err(format!(
                "the layer `{name}` is {described:?}, not {expected:?}: inputs, units, activation"
            )
            .into());
        }
        Ok(())
    }

    fn tensor(&mut self, layer: &str, name: &str, shape: &[usize]) -> Result<(), Box<dyn Error>> {
        let bytes = self.take(layer, shape.iter().product())?;
        let values: Vec<f32> = bytes.iter().map(|byte| f32::from(byte.cast_signed()) / 256.0).collect();
        self.tensors.tensor(&format!("{layer}.{name}"), shape, &values);
        Ok(())
    }

    fn take(&mut self, layer: &str, count: usize) -> Result<&[u8], Box<dyn Error>> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| format!("the file is cut short: it ends in the layer `{layer}`"))?;
        self.rest = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests;
