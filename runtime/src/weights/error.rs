//! What can be wrong with a weight file, or with a mapping.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::mapping::Span;
use crate::ctc::edit_distance;

/// Why weights were not loaded, or not saved: all that is wrong. A model that was to be loaded is as it was.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
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
    /// A tensor of the file isn't made of `F32` or `F64`.
    Type {
        /// Its name.
        tensor: String,
        /// Its type in the file.
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
    /// The mapping leaves out a parameter of the cell, or a part of it.
    NotMapped {
        /// The parameter.
        parameter: String,
        /// The number of its entries that the mapping gives.
        covered: usize,
        /// The number of its entries.
        entries: usize,
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.loading { "weights not loaded" } else { "weights not saved" })?;
        if let Some(path) = &self.path {
            write!(f, " {} `{path}`", if self.loading { "from" } else { "to" })?;
        }
        match self.problems.as_slice() {
            [] => Ok(()),
            [problem] => write!(f, ": {problem}"),
            problems => {
                write!(f, ", {} problems", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
            }
        }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::File { message } => f.write_str(message),
            Problem::Format { format, message } => {
                write!(f, "this is no {format} file, or a damaged one: {message}")
            }
            Problem::Setting { name, file, wanted } => write!(f, "`{name}` is {file} in the file; {wanted}"),
            Problem::Size { name, file, cell } => {
                write!(f, "`{name}` is {file} in the file, {cell} in the cell")
            }
            Problem::NoneOfFamily { file, family } => {
                write!(f, "the file's model is {file}, and the family to choose from has {}", Names(family))?;
                f.write_str("\n  help: add a model of that size to the family")
            }
            Problem::Missing { tensor, shape, parameters, nearest } => {
                write!(f, "`{tensor}` {shape:?} is missing in the file")?;
                if parameters.iter().any(|parameter| parameter != tensor) {
                    write!(f, "\n  note: it holds {}", Names(parameters))?;
                }
                match nearest {
                    Some(name) if name.ends_with(tensor.as_str()) => {
                        let prefix = &name[..name.len() - tensor.len()];
                        write!(f, "\n  help: the file has `{name}`; add `.prefix({prefix:?})` to the mapping")
                    }
                    Some(name) => write!(f, "\n  help: the file has a similar name, `{name}`"),
                    None => Ok(()),
                }
            }
            Problem::Unexpected { tensor, shape } => {
                write!(f, "the file has `{tensor}` {}, which no parameter comes from", Shape(shape))?;
                write!(f, "\n  help: to leave it out, add `.ignoring({tensor:?})` to the mapping")
            }
            Problem::Shape { tensor, file, cell, parts } => {
                write!(f, "`{tensor}` is {} in the file, {cell:?} in the cell", Shape(file))?;
                if parts.iter().any(|(parameter, _)| parameter != tensor) {
                    f.write_str("\n  note: in the cell it is made of ")?;
                    for (place, (parameter, (rows, columns))) in parts.iter().enumerate() {
                        let comma = if place > 0 { ", " } else { "" };
                        write!(f, "{comma}`{parameter}` [{rows}, {columns}]")?;
                    }
                }
                if file.len() == 2 && file.iter().rev().eq(cell) {
                    f.write_str(
                        "\n  help: the file holds it transposed; add `.transposed()` to the tensor's mapping",
                    )?;
                }
                Ok(())
            }
            Problem::Type { tensor, dtype } => {
                write!(f, "`{tensor}` is made of {dtype} in the file")?;
                f.write_str("\n  help: save it as F32 or F64 (in PyTorch `tensor.float()`)")
            }
            Problem::NotFinite { name, at, value, count } => {
                write!(f, "`{name}` is {value} at {at:?}")?;
                match count {
                    0 | 1 => Ok(()),
                    count => write!(f, ", the first of {count} values that are not finite"),
                }
            }
            Problem::TooLarge { parameter, at: (row, column), value } => {
                write!(f, "`{parameter}` would be {value:e} at [{row}, {column}], too large for f32")?;
                f.write_str("\n  help: load the file into a cell of f64")
            }
            Problem::NotMapped { parameter, covered: 0, .. } => {
                write!(f, "the mapping leaves out the parameter `{parameter}`")?;
                write!(f, "\n  help: name it in the stack of a tensor")
            }
            Problem::NotMapped { parameter, covered, entries } => {
                write!(
                    f,
                    "the mapping gives {covered} of the {entries} entries of the parameter `{parameter}`"
                )
            }
            Problem::NoParameter { parameter, tensor, nearest } => {
                write!(
                    f,
                    "the cell has no parameter `{parameter}`, which the mapping makes a part of `{tensor}`"
                )?;
                match nearest {
                    Some(name) if name.ends_with(parameter.as_str()) => {
                        let path = &name[..name.len() - parameter.len()];
                        let path = path.trim_end_matches('.');
                        write!(f, "\n  help: it has `{name}`; add `.under({path:?})` to the mapping")
                    }
                    Some(name) => write!(f, "\n  help: it has a similar name, `{name}`"),
                    None => Ok(()),
                }
            }
            Problem::ParameterTwice { parameter, tensors: [first, second] } => {
                write!(
                    f,
                    "the mapping gives entries of `{parameter}` twice, from `{first}` and from `{second}`"
                )?;
                write!(f, "\n  help: if it is the sum of both, write `plus({parameter:?})` for one of them")
            }
            Problem::TensorTwice { tensor } => {
                write!(f, "the mapping describes the tensor `{tensor}` twice")?;
                f.write_str("\n  help: give one of them a prefix, or put all of its parts into one `with`")
            }
            Problem::Outside { parameter, tensor, rows, columns, size: (height, width) } => {
                write!(f, "the mapping makes ")?;
                write!(f, "rows {} and columns {} of `{parameter}` ", Range(*rows), Range(*columns))?;
                write!(f, "a part of `{tensor}`, but the parameter is [{height}, {width}]")
            }
            Problem::Uneven { tensor, stacks: false, sizes } => {
                write!(
                    f,
                    "the parts of a stack of `{tensor}` are {sizes:?} columns wide, and must be equally wide"
                )
            }
            Problem::Uneven { tensor, stacks: true, sizes } => {
                write!(f, "the stacks of `{tensor}` are {sizes:?} rows high, and must be equally high")
            }
            Problem::Rank { tensor, rank, size: (rows, columns) } => {
                write!(f, "`{tensor}` is a {rank} in the mapping, but its parts make [{rows}, {columns}]")
            }
            Problem::SharedName { parameter } => {
                write!(f, "two parameters of the model are called `{parameter}`")?;
                f.write_str("\n  help: a layer that holds several must put a path before the names of each")
            }
        }
    }
}

/// Names, quoted.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            write!(f, "{}`{name}`", if place > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

/// A shape that a file claims: any number of sizes, the first few of which are told.
struct Shape<'a>(&'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get(..8) {
            Some(first) if self.0.len() > 8 => write!(f, "{first:?} and {} sizes more", self.0.len() - 8),
            _ => write!(f, "{:?}", self.0),
        }
    }
}

struct Range(Span);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.0;
        write!(f, "{start}..")?;
        end.map_or(Ok(()), |end| write!(f, "{end}"))
    }
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
