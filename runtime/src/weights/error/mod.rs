//! The mistakes in weight files and in mappings, and their messages.

mod message;
mod text;

#[cfg(feature = "rtneural")]
pub(super) use text::Shape;
#[cfg(any(feature = "nam", feature = "onnx", feature = "rtneural", feature = "safetensors"))]
pub(super) use text::ShortName;
#[cfg(any(feature = "nam", feature = "rtneural", feature = "safetensors"))]
pub(super) use text::decimal;
#[cfg(feature = "onnx")]
pub(super) use text::grouped;
pub(super) use text::{Name, Path};

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::train::ctc::edit_distance;

/// The reasons why weights, or a state, were not loaded or not saved, all at once. After a failed
/// load the model is unchanged.
///
/// The message, which `Display` and `Debug` write, has at most about 16 KiB: it shortens long
/// names, escapes their control characters, and lists the first 50 problems.
#[derive(Clone)]
pub struct Error {
    is_load: bool,
    /// The contents of the file: `weights`.
    subject: &'static str,
    path: Option<String>,
    problems: Vec<Problem>,
}

impl Error {
    /// Creates the error of a load.
    pub(crate) fn loading(problems: impl Into<Vec<Problem>>) -> Self {
        Error { is_load: true, subject: "weights", path: None, problems: problems.into() }
    }

    /// Creates the error of a save.
    #[cfg(any(feature = "nam", feature = "safetensors"))]
    pub(super) fn saving(problems: impl Into<Vec<Problem>>) -> Self {
        Error { is_load: false, subject: "weights", path: None, problems: problems.into() }
    }

    /// Names the contents of the file, if they are not weights.
    #[cfg(feature = "safetensors")]
    pub(crate) fn of(self, subject: &'static str) -> Self {
        Error { subject, ..self }
    }

    /// Adds the path of the file.
    #[cfg(feature = "std")]
    pub(crate) fn at(self, path: &std::path::Path) -> Self {
        Error { path: Some(path.display().to_string()), ..self }
    }

    /// Changes each problem.
    #[cfg(any(feature = "onnx", feature = "safetensors"))]
    pub(super) fn map(mut self, change: impl FnMut(&mut Problem)) -> Self {
        self.problems.iter_mut().for_each(change);
        self
    }

    /// Returns the problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// Creates a [`Problem::Setting`].
#[cfg(any(feature = "nam", feature = "onnx", feature = "rtneural"))]
pub(super) fn setting(name: &str, file: impl Into<String>, wanted: &str) -> Problem {
    Problem::Setting { name: name.into(), file: file.into(), wanted: wanted.into() }
}

/// The largest number of layers, or of mistakes in them, that an error lists one by one. It counts
/// the others.
#[cfg(any(feature = "onnx", feature = "rtneural"))]
pub(super) const LISTED: usize = 20;

/// A mistake in a file, a mapping or a model. Shapes are those of the file's format:
/// `[rows, columns]`, `[n]`, `[]`.
#[derive(Clone)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read or written.
    File {
        /// The message of the operating system.
        message: String,
    },
    /// The bytes are not a file of this format, or the file is damaged.
    Format {
        /// The format.
        format: &'static str,
        /// The damage.
        message: String,
    },
    /// The bytes are a file of another format: one in which other programs save weights, a
    /// compressed file, an HTML page.
    OtherFormat {
        /// The other format.
        found: String,
        /// The way to get a file of the right format.
        help: String,
    },
    /// The file has a setting that is unreadable, or that no cell of this library supports: another
    /// architecture, another version, an activation.
    Setting {
        /// The setting's name in the file.
        name: String,
        /// Its value in the file, shortened.
        file: String,
        /// The values that can be read.
        wanted: String,
    },
    /// The file's layers have other sizes than the model's.
    Size {
        /// The name of the size in the file.
        name: String,
        /// The size in the file.
        file: usize,
        /// The size in the model.
        cell: usize,
    },
    /// None of the models to choose from has the file's sizes.
    NoneOfFamily {
        /// The file's sizes.
        file: String,
        /// The sizes of each model.
        family: Vec<String>,
    },
    /// The file lacks a tensor.
    Missing {
        /// The tensor's name.
        tensor: String,
        /// The shape that it should have.
        shape: Vec<usize>,
        /// The parameters that it should hold.
        parameters: Vec<String>,
        /// A tensor of the file with a similar name.
        nearest: Option<String>,
    },
    /// The file has a tensor that belongs to no parameter.
    Unexpected {
        /// The tensor's name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The file has tensors that were not read.
    NotRead {
        /// The tensors.
        tensors: Vec<String>,
    },
    /// The file has tensors under another prefix than the mapping.
    Prefix {
        /// The layers of the tensors, in the other program's words, if ready mappings describe
        /// them.
        layers: Vec<&'static str>,
        /// The number of tensors that the file has under its prefix.
        moved: usize,
        /// The number of tensors that the mapping has under its prefix.
        total: usize,
        /// True if these are all tensors of the mapping.
        whole: bool,
        /// The mapping's prefix.
        from: String,
        /// The file's prefix, or several if each would fit.
        to: Vec<String>,
    },
    /// The file has layers of other sizes than the cells. Each layer is consistent by itself.
    Sizes {
        /// The name of each size that differs, the size in the file and in the cell.
        differ: Vec<(&'static str, usize, usize)>,
        /// Cells of the file's sizes.
        cells: Vec<String>,
        /// The tensors, with their shapes in the file and in the cell.
        shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
    },
    /// The file lacks the biases of layers.
    MissingBiases {
        /// The tensors that should hold them.
        tensors: Vec<String>,
    },
    /// The file has biases of layers that have none in the mapping.
    UnexpectedBiases {
        /// The tensors that hold them.
        tensors: Vec<String>,
    },
    /// The mapping leaves out biases, but in the model to be saved they are not zero.
    BiasesNotZero {
        /// The parameters.
        parameters: Vec<String>,
    },
    /// The mapping reads a part of a PyTorch layer. The file has more of it: more layers, the other
    /// direction, a projection.
    LayerInPart {
        /// The layer.
        layer: &'static str,
        /// The tensors that are not read.
        tensors: Vec<String>,
        /// The mapping that reads the whole layer, if there is one.
        mapping: Option<String>,
    },
    /// The file holds layers of PyTorch, and was loaded by the names of this library.
    PyTorch {
        /// The layers, in PyTorch's words.
        layers: Vec<String>,
        /// The mapping that reads each layer.
        mappings: Vec<String>,
    },
    /// A tensor has another shape in the file than in the cell.
    Shape {
        /// The tensor's name.
        tensor: String,
        /// The shape in the file.
        file: Vec<usize>,
        /// The shape in the cell.
        cell: Vec<usize>,
        /// The parameters in the tensor, each with the number of its rows and columns that the
        /// tensor holds.
        parts: Vec<(String, (usize, usize))>,
    },
    /// Tensors of the file have an unsupported type.
    Type {
        /// The names of the tensors.
        tensors: Vec<String>,
        /// Their type in the file.
        dtype: String,
    },
    /// A value of the file, or of a model to be saved, is NaN or infinite.
    NotFinite {
        /// The tensor or the parameter.
        name: String,
        /// The index of the first such value.
        at: Vec<usize>,
        /// The first such value.
        value: f64,
        /// The number of such values.
        count: usize,
    },
    /// A value of the file, or a sum of two, is finite but too large for the cell's scalar.
    TooLarge {
        /// The parameter.
        parameter: String,
        /// Row and column.
        at: (usize, usize),
        /// The value.
        value: f64,
    },
    /// The mapping leaves out parameters of a cell.
    NotMapped {
        /// The parameters.
        parameters: Vec<String>,
        /// The ready mapping that contains them.
        add: Option<String>,
        /// The tensors of the file that this mapping would read, and their shapes.
        holds: Vec<(String, Vec<usize>)>,
    },
    /// The mapping leaves out a part of a parameter.
    MappedInPart {
        /// The parameter.
        parameter: String,
        /// The number of its entries in the mapping.
        covered: usize,
        /// The number of all its entries.
        entries: usize,
    },
    /// A ready mapping is for another cell than the model has at its path.
    WrongCell {
        /// The mapping.
        mapping: &'static str,
        /// The cell that the mapping is for.
        wanted: &'static str,
        /// The model's cell, if its parameters identify it.
        cell: Option<&'static str>,
        /// The mapping of the same program that is for the model's cell.
        fitting: Option<&'static str>,
        /// The paths of such cells in the model.
        paths: Vec<String>,
        /// The parameters that an unknown cell lacks, and those that the mapping lacks.
        differs: Option<Box<[Vec<String>; 2]>>,
    },
    /// A ready mapping has another path than its cell.
    OtherPath {
        /// The mapping.
        mapping: &'static str,
        /// The cell that the mapping is for.
        cell: &'static str,
        /// The paths of the mapping.
        under: Vec<String>,
        /// The paths of the cells, or those of all cells that would fit one mapping.
        at: Vec<String>,
        /// The beginning that the paths of the mapping lack, if nothing else is wrong with them.
        before: Option<String>,
    },
    /// The model has no parameters at the path of a ready mapping, and its cell is nowhere else.
    NoCell {
        /// The mapping.
        mapping: &'static str,
        /// The cell that the mapping is for.
        cell: &'static str,
        /// The mapping's path.
        under: String,
        /// The paths of the model, each with the cell that its parameters identify.
        has: Vec<(String, Option<&'static str>)>,
    },
    /// The mapping names a parameter that the cell doesn't have.
    NoParameter {
        /// The parameter.
        parameter: String,
        /// The tensor that the parameter is a part of.
        tensor: String,
        /// A parameter of the cell with a similar name.
        nearest: Option<String>,
    },
    /// The mapping contains entries of a parameter twice.
    ParameterTwice {
        /// The parameter.
        parameter: String,
        /// The tensors that contain the entries.
        tensors: [String; 2],
    },
    /// The mapping describes a tensor twice.
    TensorTwice {
        /// The tensor's name.
        tensor: String,
    },
    /// The mapping takes rows or columns that the parameter doesn't have.
    Outside {
        /// The parameter.
        parameter: String,
        /// The tensor that the rows and columns are a part of.
        tensor: String,
        /// The first row and the one after the last.
        rows: (usize, Option<usize>),
        /// The first column and the one after the last.
        columns: (usize, Option<usize>),
        /// The parameter's rows and columns.
        size: (usize, usize),
    },
    /// The parts of a tensor don't form a rectangle.
    Uneven {
        /// The tensor.
        tensor: String,
        /// True if whole stacks differ in height, false if the parts of one stack differ in width.
        stacks: bool,
        /// The heights or the widths.
        sizes: Vec<usize>,
    },
    /// The parts of a tensor don't form the scalar, vector or matrix that the mapping declares.
    Rank {
        /// The tensor.
        tensor: String,
        /// The rank in the mapping.
        rank: &'static str,
        /// Rows and columns of the parts together.
        size: (usize, usize),
    },
    /// Two parameters of the model have the same name.
    SharedName {
        /// The name.
        parameter: String,
    },
}

/// The length in bytes of the longest name that [`nearest`] compares.
const COMPARED_BYTES: usize = 100;

/// The largest number of names that [`nearest`] compares.
const COMPARED_NAMES: usize = 1000;

/// Returns one of `names` that ends with `name`. If there is none, returns the one with the
/// smallest edit distance, provided that it is small.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(longer) = names.clone().find(|longer| longer.len() > name.len() && longer.ends_with(name)) {
        return Some(longer.to_owned());
    }
    let names = names.filter(|other| other.len() <= COMPARED_BYTES).take(COMPARED_NAMES);
    let distances = names.map(|other| (edit_distance(name.as_bytes(), other.as_bytes()), other));
    let (distance, other) = distances.min_by_key(|&(distance, _)| distance)?;
    (distance <= name.len() / 3).then(|| other.to_owned())
}
