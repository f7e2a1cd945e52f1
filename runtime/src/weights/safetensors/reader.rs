//! Reading: files of several models, states and tensors.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::error::{Error, Problem, nearest};
use super::super::family::Source;
use super::super::mapping::Mapping;
use super::super::tensor::{FileTensor, round};
use super::format::{Contents, Kind, read};
use crate::Scalar;
use crate::cell::{Model, ModelMut};

/// A safetensors file that is read part by part: see [`Writer`](super::Writer) for an example.
///
/// Each method reports the mistakes of its part. [`finish`](Self::finish) reports tensors that none
/// has read.
#[derive(Debug)]
pub struct Reader<'a> {
    contents: Contents<'a>,
    /// The mapping of models, if they don't have the names of this library.
    mapping: Option<Mapping>,
    unread: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a safetensors file, or the file is damaged.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::parse(bytes).map_err(|problem| Error::loading([problem]).of("file"))
    }

    fn parse(bytes: &'a [u8]) -> Result<Self, Problem> {
        let contents = read(bytes)?;
        let unread = contents.tensors.iter().map(|tensor| tensor.name.clone()).collect();
        Ok(Self { contents, mapping: None, unread })
    }

    /// Reads the header of a file of this kind.
    pub(super) fn of(kind: Kind, bytes: &'a [u8]) -> Result<Self, Problem> {
        let reader = Self::parse(bytes)?;
        if reader.contents.kind == Some(kind) {
            return Ok(reader);
        }
        Err(Problem::OtherFormat {
            found: format!("a safetensors file, but not of a {}", kind.name()),
            help: "`rnn_cell::weights::load` and `Mapping::load` read files of weights".to_string(),
        })
    }

    /// Reads models by `mapping` instead of the names of this library, for a file of another
    /// program. A [`Family`](super::super::Family) then chooses the model by the shapes in the
    /// file:
    ///
    /// ```
    /// use rnn_cell::cells::{Dense, GruResetAfter};
    /// use rnn_cell::prelude::*;
    /// use rnn_cell::weights::{Error, Family, Reader, torch};
    ///
    /// fn net<const H: usize>() -> Stack<GruResetAfter<3, H>, Dense<H, 2>> {
    ///     Stack(GruResetAfter::zeros(), Dense::zeros())
    /// }
    ///
    /// let mapping = torch::gru().prefix("gru.").under(0).and(torch::linear().prefix("head.").under(1));
    /// // let bytes = std::fs::read("net.safetensors")?;
    /// # let bytes = mapping.save(&net::<16>())?;
    /// let file = Reader::new(&bytes)?.by(mapping);
    /// let mut net = Family::of(&file).or(net::<8>).or(net::<16>).or(net::<32>).load()?;
    /// let y: SVector<f32, 2> = net.step(&SVector::<f32, 3>::repeat(0.5));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn by(self, mapping: Mapping) -> Self {
        Reader { mapping: Some(mapping), ..self }
    }

    fn mapping_of<M: Model>(&self, model: &M) -> Mapping {
        self.mapping.clone().unwrap_or_else(|| Mapping::by_name(model))
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
        let set = self.mapping_of(model).prefix(prefix).set_named(model, Ok(tensors));
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
    /// Returns an error if the file has no tensor of this name and shape, or its type is not `F16`,
    /// `BF16`, `F32` or `F64`, or a value is too large for `T`.
    pub fn tensor<T: Scalar>(&mut self, name: &str, shape: &[usize]) -> Result<Vec<T>, Error> {
        self.values(name, shape).map_err(|problem| Error::loading([problem]).of("tensor"))
    }

    pub(super) fn values<T: Scalar>(&mut self, name: &str, shape: &[usize]) -> Result<Vec<T>, Problem> {
        let Some(tensor) = self.take(name) else { return Err(self.missing(name, shape)) };
        if tensor.shape != shape {
            return Err(other_shape(name, &tensor.shape, shape));
        }
        let values = tensor
            .values
            .as_ref()
            .map_err(|dtype| Problem::Type { tensors: Vec::from([name.to_owned()]), dtype: dtype.clone() })?;
        (0..values.len()).map(|index| round(name, shape, index, values.at(index))).collect()
    }

    /// Returns the bytes of a tensor of `U8`.
    ///
    /// # Errors
    /// Returns an error if the file has no such tensor of this name, or its length is another.
    pub(super) fn bytes(&mut self, name: &str, length: usize) -> Result<&'a [u8], Problem> {
        let Some(bytes) = self.contents.bytes.get(name).copied() else {
            return Err(self.missing(name, &[length]));
        };
        self.take(name);
        if bytes.len() != length {
            return Err(other_shape(name, &[bytes.len()], &[length]));
        }
        Ok(bytes)
    }

    fn missing(&self, name: &str, shape: &[usize]) -> Problem {
        Problem::Missing {
            tensor: name.to_owned(),
            shape: shape.to_vec(),
            parameters: Vec::new(),
            nearest: nearest(name, self.unread.iter().map(String::as_str)),
        }
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

/// Returns the problem of a tensor whose shape differs from that of the model.
fn other_shape(name: &str, file: &[usize], cell: &[usize]) -> Problem {
    Problem::Shape { tensor: name.to_owned(), file: file.to_vec(), cell: cell.to_vec(), parts: Vec::new() }
}

/// Replaces a problem whose help is about mappings, since the user of a [`Reader`] has no mapping.
fn not_read(problem: &mut Problem) {
    if let Problem::Unexpected { tensor, .. } = problem {
        *problem = Problem::NotRead { tensors: Vec::from([core::mem::take(tensor)]) };
    }
}

impl Source for Reader<'_> {
    fn load_into<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.mapping_of(model).set_named(model, Ok(&self.contents.tensors))
    }

    fn sizes(&self) -> String {
        let ignored = self.mapping.iter().flat_map(|mapping| &mapping.ignored);
        let is_read = |tensor: &&FileTensor| ignored.clone().all(|name| !tensor.name.starts_with(name));
        let tensors = self.contents.tensors.iter().filter(is_read);
        describe(tensors.map(|tensor| (tensor.name.as_str(), tensor.shape.clone())))
    }

    fn sizes_of<M: Model>(&self, model: &M) -> String {
        let mapping = self.mapping_of(model);
        let shapes = mapping.shapes(model);
        describe(shapes.iter().map(|(name, shape)| (name.as_str(), shape.clone())))
    }
}

/// Describes the shapes of tensors, layer by layer: `0: 4 x [16], 4 x [16, 1]; 1: 1 x [1]`.
fn describe<'t>(tensors: impl Iterator<Item = (&'t str, Vec<usize>)>) -> String {
    let mut layers: BTreeMap<&str, BTreeMap<Vec<usize>, usize>> = BTreeMap::new();
    for (name, shape) in tensors {
        let layer = name.rsplit_once('.').map_or("", |(layer, _)| layer);
        *layers.entry(layer).or_default().entry(shape).or_default() += 1;
    }
    let layers = layers.iter().map(|(layer, shapes)| {
        let shapes: Vec<_> = shapes.iter().map(|(shape, count)| format!("{count} x {shape:?}")).collect();
        if layer.is_empty() { shapes.join(", ") } else { format!("{layer}: {}", shapes.join(", ")) }
    });
    layers.collect::<Vec<_>>().join("; ")
}
