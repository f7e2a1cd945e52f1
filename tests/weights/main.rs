//! Weight files: layouts compared with independent references, round trips, error messages, damaged
//! files. The test `golden` checks the files that PyTorch wrote.

#![allow(missing_docs)]

mod bounds;
mod damage;
mod errors;
mod formats;
mod keras;
mod nam;
mod nam_wavenet;
mod onnx;
mod onnx_chains;
mod own;
mod protobuf;
mod roundtrip;
mod rtneural;
mod states;
mod whole_layers;

use nalgebra::SMatrix;
use rnn_cell::Scalar;
use rnn_cell::cell::{Layer, ModelMut};
use rnn_cell::prelude::*;

rnn_cell! {
    /// A dense layer with tanh.
    pub cell DenseTanh<I, O> {
        input x: [I];
        param W: [O, I];
        param b: [O];
        y = tanh(W @ x + b);
        output y;
    }
}

/// A tensor of a safetensors file, in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub name: String,
    pub dtype: String,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

impl Tensor {
    pub fn f64(name: &str, shape: &[usize], values: &[f64]) -> Self {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "{name}");
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name: name.into(), dtype: "F64".into(), shape: shape.into(), bytes }
    }

    pub fn f32(name: &str, shape: &[usize], values: &[f32]) -> Self {
        assert_eq!(values.len(), shape.iter().product::<usize>(), "{name}");
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { name: name.into(), dtype: "F32".into(), shape: shape.into(), bytes }
    }

    pub fn values(&self) -> Vec<f64> {
        match self.dtype.as_str() {
            "F32" => self.bytes.as_chunks().0.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect(),
            "F64" => self.bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
            other => panic!("{} is {other}", self.name),
        }
    }
}

/// Writes a safetensors file by the format's description, independently of the library.
pub fn file(tensors: &[Tensor]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data: Vec<u8> = Vec::new();
    for tensor in tensors {
        let start = data.len();
        data.extend(&tensor.bytes);
        let entry = serde_json::json!({
            "dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [start, data.len()],
        });
        header.insert(tensor.name.clone(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(data);
    bytes
}

/// Reads the tensors of a safetensors file by the format's description, and sorts them by name.
pub fn tensors(bytes: &[u8]) -> Vec<Tensor> {
    let (length, rest) = bytes.split_first_chunk().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(header).unwrap();
    let whole = |value: &serde_json::Value| -> Vec<usize> {
        value.as_array().unwrap().iter().map(|size| size.as_u64().unwrap() as usize).collect()
    };
    let tensors = header.iter().filter(|(name, _)| *name != "__metadata__").map(|(name, entry)| {
        let offsets = whole(&entry["data_offsets"]);
        let dtype = entry["dtype"].as_str().unwrap().to_string();
        let bytes = data[offsets[0]..offsets[1]].to_vec();
        Tensor { name: name.clone(), dtype, shape: whole(&entry["shape"]), bytes }
    });
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    tensors
}

/// Sets every parameter and every buffer to random numbers.
pub fn randomise<M: ModelMut>(model: &mut M, seed: u64) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut next = || uniform(&mut rng);
    model.visit_mut(&mut |p| p.values.iter_mut().for_each(|x| *x = M::Scalar::of(next())));
    model.visit_buffers_mut(&mut |p| p.values.iter_mut().for_each(|x| *x = M::Scalar::of(next())));
}

/// Returns a random number from -1 to 1.
pub fn uniform(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (rng.next_u64() >> 11) as f64 * 2f64.powi(-52) - 1.0
}

/// Returns the bits of all parameters and buffers, in the model's order.
pub fn bits<M: Model>(model: &M) -> Vec<u64> {
    let mut bits = Vec::new();
    model.visit(&mut |p| bits.extend(p.values.iter().map(|x| x.as_f64().to_bits())));
    model.visit_buffers(&mut |p| bits.extend(p.values.iter().map(|x| x.as_f64().to_bits())));
    bits
}

/// Reads a file in the folder `fixtures`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/weights/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the recorded inputs and outputs of another program, one vector per step.
pub fn sequences(name: &str) -> [Vec<Vec<f64>>; 2] {
    let json: serde_json::Value = serde_json::from_slice(&fixture(&format!("{name}.played.json"))).unwrap();
    ["xs", "ys"].map(|key| serde_json::from_value(json[key].clone()).unwrap())
}

/// Returns the largest difference between the outputs of `model` and those of the other program.
pub fn largest_error<T: Scalar, M, const X: usize, const Y: usize>(name: &str, model: &M) -> f64
where
    M: Layer<1, Scalar = T, Context = (), Input = SMatrix<T, X, 1>, Output = SMatrix<T, Y, 1>>,
{
    let [xs, ys] = sequences(name);
    let xs: Vec<_> = xs.iter().map(|x| SMatrix::<T, X, 1>::from_fn(|row, _| T::of(x[row]))).collect();
    let (mut state, mut tape) = (model.initial_state(), model.tape());
    let outputs = model.forward(&xs, &mut state, &mut tape);
    assert_eq!(outputs.len(), ys.len());
    assert!(outputs.len() > 5 && ys.iter().all(|y| y.len() == Y));
    let errors = outputs.iter().zip(&ys).flat_map(|(y, wanted)| y.iter().zip(wanted));
    errors.fold(0.0, |worst, (y, wanted)| worst.max((y.as_f64() - wanted).abs()))
}
