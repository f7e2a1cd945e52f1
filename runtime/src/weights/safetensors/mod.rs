//! The safetensors format: <https://huggingface.co/docs/safetensors>.
//!
//! This module does not use the crate `safetensors` (0.8.0), which accepts duplicate keys, takes
//! memory of 48 times the size of a shape with many dimensions, and adds offsets without an
//! overflow check.

mod format;
mod reader;
mod state;
mod writer;

use alloc::vec::Vec;

use super::apply::pytorch_files::recognise;
#[cfg(feature = "std")]
use super::disk;
use super::error::Error;
use super::mapping::Mapping;
use crate::cell::{Model, ModelMut};
use format::Contents;

pub use reader::Reader;
pub use state::{load_state, save_state};
#[cfg(feature = "std")]
pub use state::{load_state_file, save_state_file};
pub use writer::Writer;

impl Mapping {
    /// Sets every parameter and buffer of `model` from a safetensors file.
    ///
    /// # Errors
    /// Lists all mistakes: missing and unexpected tensors, wrong shapes, types and values, and
    /// mistakes of the mapping itself. The model is then unchanged.
    pub fn load<M: ModelMut>(&self, model: &mut M, bytes: &[u8]) -> Result<(), Error> {
        match format::read(bytes) {
            Ok(Contents { kind: Some(kind), .. }) => Err(Error::loading([kind.problem()])),
            Ok(file) => self.set_named(model, Ok(&file.tensors)),
            Err(problem) => self.set_named(model, Err(problem)),
        }
    }

    /// Returns the parameters and buffers of `model` as a safetensors file in the model's
    /// precision.
    ///
    /// # Errors
    /// Lists mistakes of the mapping, and values that are not finite, which no load accepts.
    pub fn save<M: Model>(&self, model: &M) -> Result<Vec<u8>, Error> {
        self.write(model, |tensors| {
            let mut file = Writer::new();
            file.add_all(tensors);
            Ok(file.into_bytes())
        })
    }

    /// Loads the file at `path`: see [`load`](Self::load).
    ///
    /// # Errors
    /// Returns an error if [`load`](Self::load) fails, or the file cannot be read.
    #[cfg(feature = "std")]
    pub fn load_file<M: ModelMut>(
        &self,
        model: &mut M,
        path: impl AsRef<std::path::Path>,
    ) -> Result<(), Error> {
        disk::read(path.as_ref(), |bytes| self.load(model, bytes))
    }

    /// Saves to the file at `path`: see [`save`](Self::save). Other programs see either the old
    /// file or the complete new one.
    ///
    /// # Errors
    /// Returns an error if [`save`](Self::save) fails, or the file cannot be written.
    #[cfg(feature = "std")]
    pub fn save_file<M: Model>(&self, model: &M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        disk::write(path.as_ref(), || self.save(model))
    }
}

/// Loads a file written by [`save`]: [`Mapping::load`] with [`Mapping::by_name`].
///
/// ```
/// use rnn_cell::cells::Gru;
/// use rnn_cell::prelude::*;
/// use rnn_cell::weights;
///
/// let gru = Gru::<3, 8>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let mut copy = Gru::<3, 8>::zeros();
/// weights::load(&mut copy, &weights::save(&gru)?)?;
/// assert_eq!(copy, gru);
/// # Ok::<(), weights::Error>(())
/// ```
///
/// # Errors
/// Lists all mistakes. The model is then unchanged.
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    let mapping = Mapping::by_name(model);
    mapping.load(model, bytes).map_err(|error| {
        let tensors = format::read(bytes).map(|file| file.tensors).unwrap_or_default();
        let is_ours = tensors.iter().any(|tensor| mapping.tensors.iter().any(|own| own.name == tensor.name));
        let of_pytorch = if is_ours { None } else { recognise(&tensors) };
        of_pytorch.map_or(error, |problem| Error::loading([problem]))
    })
}

/// Returns the parameters and buffers of `model` as a safetensors file, one tensor for each, with
/// the name of its path.
///
/// # Errors
/// Lists values that are not finite.
pub fn save<M: Model>(model: &M) -> Result<Vec<u8>, Error> {
    Mapping::by_name(model).save(model)
}

/// Loads the file at `path`: see [`load`].
///
/// # Errors
/// Returns an error if [`load`] fails, or the file cannot be read.
#[cfg(feature = "std")]
pub fn load_file<M: ModelMut>(model: &mut M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    disk::read(path.as_ref(), |bytes| load(model, bytes))
}

/// Saves to the file at `path`: see [`save`].
///
/// # Errors
/// Returns an error if [`save`] fails, or the file cannot be written.
#[cfg(feature = "std")]
pub fn save_file<M: Model>(model: &M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    Mapping::by_name(model).save_file(model, path)
}
