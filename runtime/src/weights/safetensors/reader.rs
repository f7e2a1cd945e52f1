//! Reading: files of several models, states and tensors.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::error::{Error, Problem, nearest};
use super::super::mapping::Mapping;
use super::super::tensor::{FileTensor, round};
use super::format::{Contents, Kind, read};
use crate::Scalar;
use crate::cell::ModelMut;

/// A safetensors file that is read part by part: see [`Writer`](super::Writer) for an example.
///
/// Each method reports the mistakes of its part. [`finish`](Self::finish) reports tensors that none
/// has read.
#[derive(Debug)]
pub struct Reader<'a> {
    contents: Contents<'a>,
    unread: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// If the bytes are not a safetensors file, or the file is damaged.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::parse(bytes).map_err(|problem| Error::loading([problem]).of("file"))
    }

    fn parse(bytes: &'a [u8]) -> Result<Self, Problem> {
        let contents = read(bytes)?;
        let unread = contents.tensors.iter().map(|tensor| tensor.name.clone()).collect();
        Ok(Self { contents, unread })
    }

    /// Reads the header of a file of this kind.
    pub(super) fn of(kind: Kind, bytes: &'a [u8]) -> Result<Self, Problem> {
        let reader = Self::parse(bytes)?;
        if reader.contents.kind == Some(kind) {
            return Ok(reader);
        }
        Err(Problem::OtherFormat {
            found: alloc::format!("a safetensors file, but not of a {}", kind.name()),
            help: "`rnn_cell::weights::load` and `Mapping::load` read files of weights".to_string(),
        })
    }

    /// Returns a text of the file's metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.contents.text(key)
    }

    /// Sets every parameter and buffer of `model` from the tensors under `prefix`.
    ///
    /// # Errors
    /// Lists all mistakes in the tensors under `prefix`. The model is then unchanged.
    pub fn model<M: ModelMut>(&mut self, prefix: &str, model: &mut M) -> Result<(), Error> {
        let tensors = &self.contents.tensors;
        let start = tensors.partition_point(|tensor| tensor.name.as_str() < prefix);
        let count = tensors[start..].iter().take_while(|tensor| tensor.name.starts_with(prefix)).count();
        let tensors = &tensors[start..start + count];
        let set = Mapping::by_name(model).prefix(prefix).set_named(model, Ok(tensors));
        set.map_err(|error| error.map(not_read))?;
        for tensor in tensors {
            self.unread.remove(&tensor.name);
        }
        Ok(())
    }

    /// Returns the values of a tensor, row by row. All finite values are rounded to nearest, and
    /// NaN and infinities are kept.
    ///
    /// # Errors
    /// If the file has no tensor of this name and shape, or its type is not `F16`, `BF16`, `F32` or
    /// `F64`, or a value is too large for `T`.
    pub fn tensor<T: Scalar>(&mut self, name: &str, shape: &[usize]) -> Result<Vec<T>, Error> {
        self.values(name, shape).map_err(|problem| Error::loading([problem]).of("tensor"))
    }

    pub(super) fn values<T: Scalar>(&mut self, name: &str, shape: &[usize]) -> Result<Vec<T>, Problem> {
        let Some(tensor) = self.take(name) else {
            return Err(Problem::Missing {
                tensor: name.to_owned(),
                shape: shape.to_vec(),
                parameters: Vec::new(),
                nearest: nearest(name, self.unread.iter().map(String::as_str)),
            });
        };
        if tensor.shape != shape {
            let (file, cell) = (tensor.shape.clone(), shape.to_vec());
            return Err(Problem::Shape { tensor: name.to_owned(), file, cell, parts: Vec::new() });
        }
        let values = tensor
            .values
            .as_ref()
            .map_err(|dtype| Problem::Type { tensors: Vec::from([name.to_owned()]), dtype: dtype.clone() })?;
        (0..values.len()).map(|index| round(name, shape, index, values.at(index))).collect()
    }

    /// Returns the bytes of a tensor of `U8`, if the file has one of this name.
    pub(super) fn bytes(&mut self, name: &str) -> Option<&'a [u8]> {
        let bytes = self.contents.bytes.get(name).copied();
        if bytes.is_some() {
            self.take(name);
        }
        bytes
    }

    fn take(&mut self, name: &str) -> Option<&FileTensor<'a>> {
        self.unread.remove(name);
        let tensors = &self.contents.tensors;
        let index = tensors.binary_search_by(|tensor| tensor.name.as_str().cmp(name)).ok()?;
        Some(&tensors[index])
    }

    /// Checks that every tensor of the file has been read.
    ///
    /// # Errors
    /// Lists the tensors that have not been read.
    pub fn finish(self) -> Result<(), Error> {
        match self.unread_problem() {
            Some(problem) => Err(Error::loading([problem]).of("file")),
            None => Ok(()),
        }
    }

    pub(super) fn unread_problem(&self) -> Option<Problem> {
        let tensors: Vec<String> = self.unread.iter().cloned().collect();
        (!tensors.is_empty()).then_some(Problem::NotRead { tensors })
    }
}

/// Replaces a problem whose help is about mappings, which the user of a [`Reader`] has none of.
fn not_read(problem: &mut Problem) {
    if let Problem::Unexpected { tensor, .. } = problem {
        *problem = Problem::NotRead { tensors: Vec::from([core::mem::take(tensor)]) };
    }
}
