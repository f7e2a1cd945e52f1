//! Writing: files of several models, states and tensors.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

#[cfg(feature = "std")]
use super::super::disk;
use super::super::error::Error;
use super::super::mapping::Mapping;
use super::super::tensor::ModelTensor;
use super::format::{Entry, Kind, write};
use crate::Scalar;
use crate::cell::Model;

/// A safetensors file to be written: models, states, tensors of numbers, and texts.
///
/// Each part has a prefix, so that the names of their tensors differ. [`Reader`](super::Reader)
/// reads the file.
///
/// ```
/// use rnn_cell::cells::{Dense, Lstm};
/// use rnn_cell::prelude::*;
/// use rnn_cell::weights::{Error, Reader, Writer};
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let (encoder, head) = (Lstm::<3, 8>::init(&mut rng), Dense::<8, 2>::init(&mut rng));
/// let mut state = encoder.initial_state();
/// encoder.step(&SVector::<f32, 3>::new(0.1, 0.2, 0.3), &mut state);
///
/// let mut file = Writer::new();
/// file.model("encoder.", &encoder)?;
/// file.model("head.", &head)?;
/// file.state("stream.", &encoder, &state);
/// file.tensor("mean", &[3], &[0.5, 0.1, 0.2]);
/// file.metadata("sample_rate", 48_000);
/// let bytes = file.into_bytes();
///
/// let (mut encoder, mut head) = (Lstm::<3, 8>::zeros(), Dense::<8, 2>::zeros());
/// let mut resumed = encoder.initial_state();
/// let mut file = Reader::new(&bytes)?;
/// file.model("encoder.", &mut encoder)?;
/// file.model("head.", &mut head)?;
/// file.state("stream.", &encoder, &mut resumed)?;
/// assert_eq!(file.tensor::<f32>("mean", &[3])?, [0.5, 0.1, 0.2]);
/// assert_eq!(file.metadata("sample_rate"), Some("48000"));
/// file.finish()?;
/// assert_eq!(resumed, state);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Writer {
    entries: BTreeMap<String, Entry>,
    metadata: BTreeMap<String, String>,
}

impl Writer {
    /// Creates an empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty file of this kind.
    pub(super) fn of(kind: Kind) -> Self {
        let mut file = Self::new();
        file.metadata(Kind::KEY, kind.name());
        file
    }

    /// Sets a text of the file's metadata.
    pub fn metadata(&mut self, key: &str, text: impl Display) {
        self.metadata.insert(key.to_owned(), text.to_string());
    }

    /// Adds the parameters and buffers of `model`, each under `prefix` and its path.
    ///
    /// # Errors
    /// Lists values that are not finite.
    ///
    /// # Panics
    /// Panics if the file has a tensor of the same name.
    pub fn model<M: Model>(&mut self, prefix: &str, model: &M) -> Result<(), Error> {
        let mapping = Mapping::by_name(model).prefix(prefix);
        mapping.write(model, |tensors| {
            self.add_all(tensors);
            Ok(())
        })
    }

    /// Adds a tensor of `F32` or `F64`, given row by row. Keeps the bits of all values, infinities
    /// and NaN included.
    ///
    /// # Panics
    /// Panics if `shape` has another number of entries than `values`, or the file has a tensor of
    /// the same name.
    pub fn tensor<T: Scalar>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        assert!(
            shape.iter().product::<usize>() == values.len(),
            "the tensor `{name}` has shape {shape:?} and {} values",
            values.len()
        );
        self.add(name, shape, values);
    }

    /// Adds the bytes of a tensor of `U8`.
    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.insert(name, ("U8", 1), Vec::from([bytes.len()]), bytes.to_vec());
    }

    pub(in super::super) fn add_all<T: Scalar>(&mut self, tensors: &[ModelTensor<'_, T>]) {
        for ModelTensor { name, shape, values } in tensors {
            self.add(name, shape, values);
        }
    }

    fn add<T: Scalar>(&mut self, name: &str, shape: &[usize], values: &[T]) {
        // A scalar is f32 or f64; the conversion of an f32 to f64 and back is exact.
        let (dtype, bytes) = match size_of::<T>() {
            4 => (("F32", 4), values.iter().flat_map(|x| (x.as_f64() as f32).to_le_bytes()).collect()),
            _ => (("F64", 8), values.iter().flat_map(|x| x.as_f64().to_le_bytes()).collect()),
        };
        self.insert(name, dtype, shape.to_vec(), bytes);
    }

    fn insert(&mut self, name: &str, dtype: (&'static str, usize), shape: Vec<usize>, bytes: Vec<u8>) {
        let entry = Entry { name: name.to_owned(), dtype, shape, bytes };
        let before = self.entries.insert(name.to_owned(), entry);
        assert!(before.is_none(), "the file has two tensors of the name `{name}`");
    }

    /// Returns the bytes of the file.
    pub fn into_bytes(self) -> Vec<u8> {
        write(self.entries.into_values().collect(), &self.metadata)
    }

    /// Writes the file at `path`. Other programs, and this one after a crash, see either the old
    /// file or the complete new one.
    ///
    /// # Errors
    /// Returns an error if the file cannot be written.
    #[cfg(feature = "std")]
    pub fn save(self, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        disk::write(path.as_ref(), || Ok(self.into_bytes()))
    }
}
