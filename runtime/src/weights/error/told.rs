//! Problems in words: the fact, then notes, then what to do.

use alloc::string::String;
use core::fmt;

use super::super::mapping::Span;
use super::{Error, Problem};

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

// `fn main() -> Result<(), Error>` and `unwrap` print this one: a derived one would be a single line without any help.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
            #[cfg(feature = "safetensors")]
            Problem::OtherFormat { found, help } => write!(f, "this is {found}\n  help: {help}"),
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
                    write!(f, "\n  note: it would hold {}", Names(parameters))?;
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
                        "\n  help: the file holds it transposed; save it as `tensor.T.contiguous()`, ",
                    )?;
                    write!(f, "or describe it in a mapping of your own, `matrix({tensor:?}).transposed()`")?;
                }
                Ok(())
            }
            Problem::Type { tensors, dtype } => {
                let (are, them) = if tensors.len() == 1 { ("is", "it") } else { ("are", "them") };
                write!(f, "{} {are} made of {dtype} in the file", Names(tensors))?;
                write!(f, "\n  help: save {them} as F16, BF16, F32 or F64 (in PyTorch `tensor.float()`)")
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
