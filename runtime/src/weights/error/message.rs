//! The messages of problems: a fact, then notes, then what to do.
//!
//! A message has a bounded length, whatever a file holds: [`text`](super::text) shortens long names
//! and cuts long lists.

use alloc::string::{String, ToString};
use core::fmt;

use super::text::{Calls, Name, Names, Path, Paths, Prefixes, Range, Shape, list};
use super::{Error, Problem};

/// The largest number of problems that are written out.
const PROBLEMS: usize = 50;

/// The largest number of bytes of problems that are written out, unless the first one alone is
/// longer.
const LENGTH: usize = 12 * 1024;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} not {}", self.subject, if self.is_load { "loaded" } else { "saved" })?;
        if let Some(path) = &self.path {
            write!(f, " {} `{path}`", if self.is_load { "from" } else { "to" })?;
        }
        match self.problems.as_slice() {
            [] => Ok(()),
            [problem] => write!(f, ": {problem}"),
            problems => {
                write!(f, ", {} problems", problems.len())?;
                let mut length = 0;
                for (place, problem) in problems.iter().enumerate() {
                    let message = problem.to_string();
                    length += message.len();
                    if place >= PROBLEMS || place > 0 && length > LENGTH {
                        return write!(f, "\nand {} more", problems.len() - place);
                    }
                    write!(f, "\n- {message}")?;
                }
                Ok(())
            }
        }
    }
}

// `fn main() -> Result<(), Error>` and `unwrap` print the `Debug` form, so it is the message as
// well.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Error {}

// See `Error`.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::File { message } => f.write_str(message),
            Problem::Format { format, message } => {
                write!(f, "this is not a valid {format} file: {message}")
            }
            Problem::OtherFormat { found, help } => write!(f, "this is {found}\n  help: {help}"),
            Problem::Setting { name, file, wanted } => {
                write!(f, "`{}` is {} in the file; {wanted}", Name(name), Name(file))
            }
            Problem::Size { name, file, cell } => {
                write!(f, "`{name}` is {file} in the file, {cell} in the cell")
            }
            Problem::NoneOfFamily { file, family } => {
                let file = Name(file);
                write!(f, "the file's model is {file}, and the family to choose from has {}", Names(family))?;
                f.write_str("\n  help: add a model of that size to the family")
            }
            Problem::Missing { tensor, shape, parameters, nearest } => {
                write!(f, "`{}` {shape:?} is missing from the file", Name(tensor))?;
                if parameters.iter().any(|parameter| parameter != tensor) {
                    write!(f, "\n  note: it would hold {}", Names(parameters))?;
                }
                match nearest {
                    Some(name) => write!(f, "\n  help: the file has a similar name, `{}`", Name(name)),
                    None => Ok(()),
                }
            }
            Problem::Unexpected { tensor, shape } => {
                let tensor = Name(tensor);
                write!(f, "the file has `{tensor}` {}, which matches no parameter", Shape(shape))?;
                write!(f, "\n  help: to leave it out, add `.ignoring({tensor:?})` to the mapping")
            }
            Problem::NotRead { tensors } => {
                write!(f, "the file has more than what is read from it: {}", Names(tensors))?;
                f.write_str("\n  help: load it into the network that it was saved from")
            }
            Problem::Prefix { layers, moved, total, whole, from, to } => {
                match (*moved, *total) {
                    (_, 1) => f.write_str("the tensor")?,
                    (2, 2) => f.write_str("both tensors")?,
                    (moved, total) if moved == total => write!(f, "all {total} tensors")?,
                    (moved, total) => write!(f, "{moved} of the {total} tensors")?,
                }
                if !layers.is_empty() {
                    f.write_str(" of ")?;
                    list(f, layers, " and ", |f, layer| write!(f, "the {layer}"))?;
                }
                let are = if *total == 1 || *moved == 1 { "is" } else { "are" };
                write!(
                    f,
                    " {are} {} in the file, {} in the mapping",
                    Prefixes(to),
                    Prefixes(core::slice::from_ref(from))
                )?;
                let name = Name(from);
                match (from.as_str(), to.as_slice()) {
                    ("", to) => {
                        write!(f, "\n  help: add {} to the mapping", Calls("prefix", to))?;
                        match layers.as_slice() {
                            [layer] if !whole => write!(f, " of the {layer}"),
                            _ => Ok(()),
                        }
                    }
                    (_, [to]) if to.is_empty() => write!(f, "\n  help: leave out `.prefix({name:?})`"),
                    (_, to) => {
                        write!(f, "\n  help: write {} in place of `.prefix({name:?})`", Calls("prefix", to))
                    }
                }
            }
            Problem::Sizes { differ, cells, shapes } => {
                list(f, differ, "; ", |f, (name, file, cell)| {
                    write!(f, "the file's {name} size is {file}, the cell's is {cell}")
                })?;
                f.write_str("\n  note: shapes in the file, and in the cell:\n    ")?;
                list(f, shapes, "\n    ", |f, (tensor, file, cell)| {
                    write!(f, "`{}` {}, {cell:?}", Name(tensor), Shape(file))
                })?;
                let them = if cells.len() == 1 { "a cell of its size is" } else { "cells of its sizes are" };
                write!(f, "\n  help: {them} {}", Names(cells))
            }
            Problem::LayerInPart { layer, tensors, mapping } => {
                write!(f, "the file has more of the {layer} than the mapping reads: {}", Names(tensors))?;
                match mapping {
                    Some(mapping) => write!(f, "\n  help: `{mapping}` reads all of it"),
                    None => f.write_str(
                        "\n  note: it has a projection (`proj_size`), which no ready-made cell has",
                    ),
                }
            }
            Problem::PyTorch { layers, mappings } => {
                f.write_str("the file has the tensors of PyTorch's ")?;
                list(f, layers, " and ", |f, layer| f.write_str(layer))?;
                match mappings.as_slice() {
                    [mapping] => write!(f, "\n  help: load it by the mapping `{mapping}`"),
                    mappings => {
                        write!(f, "\n  help: load it by the mappings {}, ", Names(mappings))?;
                        f.write_str("joined by `.and(..)`, each with `.under(..)` its place in the network")
                    }
                }
            }
            Problem::MissingBiases { tensors } => {
                write!(f, "the file lacks biases: {}", Names(tensors))?;
                f.write_str("\n  help: if its layers have none (`bias=False`), add `.without_bias()` to their mapping")
            }
            Problem::UnexpectedBiases { tensors } => {
                write!(f, "the file has biases, but the mapping has none: {}", Names(tensors))?;
                f.write_str("\n  help: leave out `.without_bias()`")
            }
            Problem::BiasesNotZero { parameters } => {
                write!(f, "the mapping has no biases, but these are not zero: {}", Names(parameters))?;
                f.write_str("\n  help: leave out `.without_bias()`, or set them to zero")
            }
            Problem::Shape { tensor, file, cell, parts } => {
                let name = Name(tensor);
                write!(f, "`{name}` is {} in the file, {cell:?} in the cell", Shape(file))?;
                if parts.iter().any(|(parameter, _)| parameter != tensor) {
                    f.write_str("\n  note: in the cell it is made of ")?;
                    list(f, parts, ", ", |f, (parameter, (rows, columns))| {
                        write!(f, "`{}` [{rows}, {columns}]", Name(parameter))
                    })?;
                }
                if file.len() == 2 && file.iter().rev().eq(cell) {
                    f.write_str(
                        "\n  help: the file holds it transposed; save it as `tensor.T.contiguous()`, ",
                    )?;
                    write!(f, "or describe it in a mapping of your own, `matrix({name:?}).transposed()`")?;
                }
                Ok(())
            }
            Problem::Type { tensors, dtype } => {
                let (have, them) = if tensors.len() == 1 { ("has", "it") } else { ("have", "them") };
                write!(f, "{} {have} type {} in the file", Names(tensors), Name(dtype))?;
                write!(f, "\n  help: save {them} as F16, BF16, F32 or F64 (in PyTorch `tensor.float()`)")
            }
            Problem::NotFinite { name, at, value, count } => {
                write!(f, "`{}` is {value} at {}", Name(name), Shape(at))?;
                match count {
                    0 | 1 => Ok(()),
                    count => write!(f, ", the first of {count} values that are not finite"),
                }
            }
            Problem::TooLarge { parameter, at: (row, column), value } => {
                let parameter = Name(parameter);
                write!(f, "`{parameter}` would be {value:e} at [{row}, {column}], too large for f32")?;
                f.write_str("\n  help: load the file into a cell of f64")
            }
            Problem::NotMapped { parameters, add, holds } => {
                let (word, them) =
                    if parameters.len() == 1 { ("parameter", "it") } else { ("parameters", "them") };
                write!(f, "the mapping leaves out the {word} {}", Names(parameters))?;
                if !holds.is_empty() {
                    f.write_str("\n  note: the file holds ")?;
                    list(f, holds, ", ", |f, (tensor, shape)| {
                        write!(f, "`{}` {}", Name(tensor), Shape(shape))
                    })?;
                }
                match add {
                    Some(add) => write!(f, "\n  help: add `.and({})` to the mapping", Name(add)),
                    None => write!(f, "\n  help: add {them} to the stack of a tensor"),
                }
            }
            Problem::MappedInPart { parameter, covered, entries } => {
                write!(f, "the mapping covers {covered} of the {entries} entries ")?;
                write!(f, "of the parameter `{}`", Name(parameter))
            }
            Problem::WrongCell { mapping, wanted, cell, fitting, paths, differs } => {
                write!(f, "`{mapping}` is for `{wanted}`, and the ")?;
                f.write_str(match paths.as_slice() {
                    [path] if path.is_empty() => "cell",
                    [_] => "cell at ",
                    _ => "cells at ",
                })?;
                let whole = paths.iter().all(String::is_empty);
                if !whole {
                    write!(f, "{}", Paths(paths))?;
                }
                let Some(cell) = cell else {
                    if let Some([lacks, has]) = differs.as_deref() {
                        write!(f, " lacks its {}", Names(lacks))?;
                        if !has.is_empty() {
                            write!(f, "\n  note: it has {}", Names(has))?;
                        }
                    }
                    write!(
                        f,
                        "\n  help: make it `{wanted}`, or describe its tensors in a mapping of your own"
                    )?;
                    return Ok(());
                };
                let (have, it) = if paths.len() == 1 { ("has", "it") } else { ("have", "them") };
                write!(f, " {have} the parameters of `{cell}`")?;
                if (*wanted, *cell) == ("GruResetAfter", "Gru") {
                    f.write_str("\n  note: PyTorch's GRU resets after the recurrent product, `Gru` before it (Cho et al. 2014)")?;
                }
                write!(f, "\n  help: make {it} `{wanted}`")?;
                fitting.map_or(Ok(()), |fitting| write!(f, ", or use `{fitting}`, which is for `{cell}`"))
            }
            Problem::OtherPath { mapping, cell, under, at, before } => {
                write!(
                    f,
                    "`{mapping}` is under {}, and the network has the parameters of `{cell}` at {}",
                    Paths(under),
                    Paths(at)
                )?;
                let [under] = under.as_slice() else {
                    let before = before.as_deref().unwrap_or_default();
                    return write!(
                        f,
                        "\n  help: add `.under({})` to the mapping of these layers",
                        Path(before)
                    );
                };
                match (before, under.as_str()) {
                    (Some(before), _) => write!(f, "\n  help: add `.under({})` to its mapping", Path(before)),
                    (None, "") => write!(f, "\n  help: add {} to its mapping", Calls("under", at)),
                    (None, under) => {
                        write!(
                            f,
                            "\n  help: write {} in place of `.under({})`",
                            Calls("under", at),
                            Path(under)
                        )
                    }
                }
            }
            Problem::NoCell { mapping, cell, under, has } => {
                let under = core::slice::from_ref(under);
                write!(f, "`{mapping}` is under {}, where the network has no parameters", Paths(under))?;
                if !has.is_empty() {
                    f.write_str("\n  note: it has ")?;
                    list(f, has, ", ", |f, (path, cell)| {
                        let path = Paths(core::slice::from_ref(path));
                        match cell {
                            Some(cell) => write!(f, "`{cell}` at {path}"),
                            None => write!(f, "a cell at {path}"),
                        }
                    })?;
                }
                write!(f, "\n  help: the mapping is for `{cell}`: give its path by `.under(..)`")
            }
            Problem::NoParameter { parameter, tensor, nearest } => {
                let (name, tensor) = (Name(parameter), Name(tensor));
                write!(
                    f,
                    "the cell has no parameter `{name}`, which the mapping makes a part of `{tensor}`"
                )?;
                match nearest {
                    Some(name) if name.ends_with(parameter.as_str()) => {
                        let path = &name[..name.len() - parameter.len()];
                        let path = path.trim_end_matches('.');
                        let (name, path) = (Name(name), Name(path));
                        write!(f, "\n  help: it has `{name}`; add `.under({path:?})` to the mapping")
                    }
                    Some(name) => write!(f, "\n  help: it has a similar name, `{}`", Name(name)),
                    None => Ok(()),
                }
            }
            Problem::ParameterTwice { parameter, tensors: [first, second] } => {
                let [parameter, first, second] = [parameter, first, second].map(|name| Name(name));
                write!(
                    f,
                    "the mapping sets entries of `{parameter}` twice, from `{first}` and from `{second}`"
                )?;
                write!(f, "\n  help: if it is the sum of both, write `plus({parameter:?})` for one of them")
            }
            Problem::TensorTwice { tensor } => {
                write!(f, "the mapping describes the tensor `{}` twice", Name(tensor))?;
                f.write_str("\n  help: give one of them a prefix, or put all of its parts into one `with`")
            }
            Problem::Outside { parameter, tensor, rows, columns, size: (height, width) } => {
                let (parameter, tensor) = (Name(parameter), Name(tensor));
                write!(f, "the mapping makes ")?;
                write!(f, "rows {} and columns {} of `{parameter}` ", Range(*rows), Range(*columns))?;
                write!(f, "a part of `{tensor}`, but the parameter is [{height}, {width}]")
            }
            Problem::Uneven { tensor, stacks: false, sizes } => {
                let (tensor, sizes) = (Name(tensor), Shape(sizes));
                write!(
                    f,
                    "the parts of a stack of `{tensor}` are {sizes} columns wide, but must be equally wide"
                )
            }
            Problem::Uneven { tensor, stacks: true, sizes } => {
                let (tensor, sizes) = (Name(tensor), Shape(sizes));
                write!(f, "the stacks of `{tensor}` are {sizes} rows high, but must be equally high")
            }
            Problem::Rank { tensor, rank, size: (rows, columns) } => {
                let tensor = Name(tensor);
                write!(f, "`{tensor}` is a {rank} in the mapping, but its parts make [{rows}, {columns}]")
            }
            Problem::SharedName { parameter } => {
                write!(f, "two parameters of the model are called `{}`", Name(parameter))?;
                f.write_str("\n  help: a layer that holds several must prefix the names of each with a path")
            }
        }
    }
}
