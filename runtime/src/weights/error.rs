//! What can be wrong with a weight file, or with a mapping.

mod told;

#[cfg(feature = "rtneural")]
pub(super) use told::Shape;
pub(super) use told::{Name, Path};

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::ctc::edit_distance;

/// Why weights were not loaded, or not saved: all that is wrong. A model that was to be loaded is as it was.
///
/// The message, which `Display` and `Debug` write, has at most some 16 KiB: it shortens long names, escapes their control characters,
/// and counts what follows the first 50 problems.
#[derive(Clone)]
pub struct Error {
    pub(super) loading: bool,
    pub(super) path: Option<String>,
    pub(super) problems: Vec<Problem>,
}

impl Error {
    /// Of loading, without a path so far.
    pub(super) fn loading(problems: Vec<Problem>) -> Self {
        Error { loading: true, path: None, problems }
    }

    /// What is wrong, at least one thing.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

/// A [`Problem::Setting`].
#[cfg(any(feature = "nam", feature = "onnx", feature = "rtneural"))]
pub(super) fn setting(name: &str, file: String, wanted: &str) -> Problem {
    Problem::Setting { name: name.into(), file, wanted: wanted.into() }
}

/// A thing that is wrong. Shapes are those of the file's format: `[rows, columns]`, `[n]`, `[]`.
#[derive(Clone)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read or written.
    File {
        /// What the system says.
        message: String,
    },
    /// The bytes are no file of this format, or a damaged one.
    Format {
        /// The format.
        format: &'static str,
        /// What is wrong with them.
        message: String,
    },
    /// The bytes are a file of another format: one that other programs save weights in, a compressed one, a page of a site.
    OtherFormat {
        /// What they are.
        found: String,
        /// What makes a file of the right format of it.
        help: String,
    },
    /// The file says something that cannot be read, or that a cell of this library doesn't do: another architecture, another
    /// version, an activation.
    Setting {
        /// What it says it of, in the file's own words.
        name: String,
        /// What it says, shortened.
        file: String,
        /// What can be read.
        wanted: String,
    },
    /// The file's layers have other sizes than the model's.
    Size {
        /// The size, in the file's own words.
        name: String,
        /// In the file.
        file: usize,
        /// In the model.
        cell: usize,
    },
    /// None of the models to choose from has the file's sizes.
    NoneOfFamily {
        /// The file's.
        file: String,
        /// Those of each model.
        family: Vec<String>,
    },
    /// The file lacks a tensor.
    Missing {
        /// Its name.
        tensor: String,
        /// The shape that it would have.
        shape: Vec<usize>,
        /// The parameters that it holds.
        parameters: Vec<String>,
        /// A tensor of the file with nearly this name.
        nearest: Option<String>,
    },
    /// The file has a tensor that no parameter comes from.
    Unexpected {
        /// Its name.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The file has tensors under another prefix than the mapping says.
    Prefix {
        /// The layers whose tensors they are, in the other program's words, where ready mappings describe them.
        layers: Vec<&'static str>,
        /// How many of them the file has so.
        moved: usize,
        /// How many there are.
        total: usize,
        /// Whether these are all tensors of the mapping.
        whole: bool,
        /// The mapping's.
        from: String,
        /// The file's: several where each would do.
        to: Vec<String>,
    },
    /// The file has layers of other sizes than the cells, each sound in itself.
    Sizes {
        /// Which size, in the file, in the cell.
        differ: Vec<(&'static str, usize, usize)>,
        /// Cells of the file's sizes.
        cells: Vec<String>,
        /// The tensors, with their shapes in the file and in the cell.
        shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
    },
    /// The file lacks the biases of layers.
    NoBias {
        /// The tensors that hold them.
        tensors: Vec<String>,
    },
    /// The file has biases of layers that have none in the mapping.
    Bias {
        /// The tensors that hold them.
        tensors: Vec<String>,
    },
    /// Biases that the file is not to have are not zero in the model to be saved.
    NotZero {
        /// The parameters.
        parameters: Vec<String>,
    },
    /// The file has more of a layer of PyTorch's than the mapping reads: further layers, the other direction, a projection.
    Further {
        /// The layer.
        layer: &'static str,
        /// The tensors that are not read.
        tensors: Vec<String>,
        /// The mapping that reads all, if there is one.
        mapping: Option<String>,
    },
    /// A tensor has another shape in the file than in the cell.
    Shape {
        /// Its name.
        tensor: String,
        /// In the file.
        file: Vec<usize>,
        /// In the cell.
        cell: Vec<usize>,
        /// The parameters that it holds, each with the rows and columns of it that the tensor holds.
        parts: Vec<(String, (usize, usize))>,
    },
    /// Tensors of the file are made of a type that isn't read.
    Type {
        /// Their names.
        tensors: Vec<String>,
        /// Their type in the file.
        dtype: String,
    },
    /// A value of the file, or of a model to be saved, is NaN or infinite.
    NotFinite {
        /// The tensor, or the parameter.
        name: String,
        /// Where the first of them stands.
        at: Vec<usize>,
        /// The first of them.
        value: f64,
        /// How many there are.
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
        /// The ready mapping that gives them.
        add: Option<String>,
        /// The tensors of the file that it would read, and their shapes.
        holds: Vec<(String, Vec<usize>)>,
    },
    /// The mapping leaves out a part of a parameter.
    MappedInPart {
        /// The parameter.
        parameter: String,
        /// The number of its entries that the mapping gives.
        covered: usize,
        /// The number of its entries.
        entries: usize,
    },
    /// A ready mapping is for another cell than the model has there.
    WrongCell {
        /// The mapping.
        mapping: &'static str,
        /// The cell that it is for.
        wanted: &'static str,
        /// The model's, as its parameters tell.
        cell: Option<&'static str>,
        /// The mapping of the same program that is for the model's.
        fitting: Option<&'static str>,
        /// Where the model's cells are.
        paths: Vec<String>,
        /// Of a cell of one's own the parameters that it lacks, and those that the mapping doesn't name.
        differs: Option<Box<[Vec<String>; 2]>>,
    },
    /// A ready mapping is under another path than its cell.
    OtherPath {
        /// The mapping.
        mapping: &'static str,
        /// The cell that it is for.
        cell: &'static str,
        /// The mapping's paths.
        under: Vec<String>,
        /// The cell's: of one of the mapping's several where each would do.
        at: Vec<String>,
        /// What the mapping's lack before them, if that is all.
        before: Option<String>,
    },
    /// A ready mapping is under a path where the model has no parameters, and its cell is nowhere else.
    NoCell {
        /// The mapping.
        mapping: &'static str,
        /// The cell that it is for.
        cell: &'static str,
        /// Its path.
        under: String,
        /// The paths that there are, and their cells, as the parameters tell.
        has: Vec<(String, Option<&'static str>)>,
    },
    /// The mapping names a parameter that the cell doesn't have.
    NoParameter {
        /// The parameter.
        parameter: String,
        /// The tensor that it is to be a part of.
        tensor: String,
        /// A parameter of the cell with nearly this name.
        nearest: Option<String>,
    },
    /// The mapping gives entries of a parameter twice.
    ParameterTwice {
        /// The parameter.
        parameter: String,
        /// The tensors that give them.
        tensors: [String; 2],
    },
    /// The mapping describes a tensor twice.
    TensorTwice {
        /// Its name.
        tensor: String,
    },
    /// The mapping takes rows or columns of a parameter that it doesn't have.
    Outside {
        /// The parameter.
        parameter: String,
        /// The tensor that they are to be a part of.
        tensor: String,
        /// From, up to.
        rows: (usize, Option<usize>),
        /// From, up to.
        columns: (usize, Option<usize>),
        /// The parameter's rows and columns.
        size: (usize, usize),
    },
    /// The parts of a tensor don't make a rectangle.
    Uneven {
        /// The tensor.
        tensor: String,
        /// Whether whole stacks differ in height, rather than the parts of one in width.
        stacks: bool,
        /// The heights or the widths.
        sizes: Vec<usize>,
    },
    /// The parts of a tensor make no scalar, vector or matrix, as the mapping says.
    Rank {
        /// The tensor.
        tensor: String,
        /// What the mapping says.
        rank: &'static str,
        /// Rows and columns of the parts together.
        size: (usize, usize),
    },
    /// Two parameters of the model have one name.
    SharedName {
        /// The name.
        parameter: String,
    },
}

/// Names longer than this are not compared, nor more of them than so many: a damaged file may hold anything.
const COMPARED: (usize, usize) = (100, 1000);

/// The one of `names` that is `name` with something before it, or the one that differs from it least, if that is little.
pub(super) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(longer) = names.clone().find(|longer| longer.len() > name.len() && longer.ends_with(name)) {
        return Some(longer.to_owned());
    }
    let names = names.filter(|other| other.len() <= COMPARED.0).take(COMPARED.1);
    let distances = names.map(|other| (edit_distance(name.as_bytes(), other.as_bytes()), other));
    let (distance, other) = distances.min_by_key(|&(distance, _)| distance)?;
    (distance <= name.len() / 3).then(|| other.to_owned())
}
