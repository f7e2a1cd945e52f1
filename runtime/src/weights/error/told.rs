//! Problems in words: the fact, then notes, then what to do. A message has a bounded length, whatever a file holds: long
//! names are shortened, long lists cut.

use alloc::string::{String, ToString};
use core::fmt::{self, Write};

use super::super::mapping::Span;
use super::{Error, Problem};

/// No more problems of an error are written out, nor more bytes of them than so many, unless the first has more.
const PROBLEMS: usize = 50;
const LENGTH: usize = 12 * 1024;

/// No more items of a list are written out.
const ITEMS: usize = 16;

/// No more bytes of a name are written out.
const BYTES: usize = 200;

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

// `fn main() -> Result<(), Error>` and `unwrap` print this one: a derived one would be a single line without any help.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Error {}

// As above.
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
                write!(f, "this is no {format} file, or a damaged one: {message}")
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
                write!(f, "`{}` {shape:?} is missing in the file", Name(tensor))?;
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
                write!(f, "the file has `{tensor}` {}, which no parameter comes from", Shape(shape))?;
                write!(f, "\n  help: to leave it out, add `.ignoring({tensor:?})` to the mapping")
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
                    joined(f, layers, " and ", |f, layer| write!(f, "the {layer}"))?;
                }
                let are = if *total == 1 || *moved == 1 { "is" } else { "are" };
                write!(
                    f,
                    " {are} {} in the file, {} in the mapping",
                    Under(to),
                    Under(core::slice::from_ref(from))
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
                joined(f, differ, "; ", |f, (name, file, cell)| {
                    write!(f, "the file's {name} size is {file}, the cell's is {cell}")
                })?;
                f.write_str("\n  note: shapes in the file, and in the cell:\n    ")?;
                joined(f, shapes, "\n    ", |f, (tensor, file, cell)| {
                    write!(f, "`{}` {}, {cell:?}", Name(tensor), Shape(file))
                })?;
                let them = if cells.len() == 1 { "a cell of its size is" } else { "cells of its sizes are" };
                write!(f, "\n  help: {them} {}", Names(cells))
            }
            Problem::Further { layer, tensors, mapping } => {
                write!(f, "the file has more of the {layer} than the mapping reads: {}", Names(tensors))?;
                match mapping {
                    Some(mapping) => write!(f, "\n  help: `{mapping}` reads all of it"),
                    None => {
                        f.write_str("\n  note: it has a projection (`proj_size`), which no ready cell has")
                    }
                }
            }
            Problem::NoBias { tensors } => {
                write!(f, "the file lacks biases: {}", Names(tensors))?;
                f.write_str("\n  help: if its layers have none (`bias=False`), add `.without_bias()` to their mapping")
            }
            Problem::Bias { tensors } => {
                write!(f, "the file has biases, and the mapping is without: {}", Names(tensors))?;
                f.write_str("\n  help: leave out `.without_bias()`")
            }
            Problem::NotZero { parameters } => {
                write!(f, "the mapping is without biases, and these are not zero: {}", Names(parameters))?;
                f.write_str("\n  help: leave out `.without_bias()`, or set them to zero")
            }
            Problem::Shape { tensor, file, cell, parts } => {
                let name = Name(tensor);
                write!(f, "`{name}` is {} in the file, {cell:?} in the cell", Shape(file))?;
                if parts.iter().any(|(parameter, _)| parameter != tensor) {
                    f.write_str("\n  note: in the cell it is made of ")?;
                    joined(f, parts, ", ", |f, (parameter, (rows, columns))| {
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
                let (are, them) = if tensors.len() == 1 { ("is", "it") } else { ("are", "them") };
                write!(f, "{} {are} made of {} in the file", Names(tensors), Name(dtype))?;
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
                    joined(f, holds, ", ", |f, (tensor, shape)| {
                        write!(f, "`{}` {}", Name(tensor), Shape(shape))
                    })?;
                }
                match add {
                    Some(add) => write!(f, "\n  help: add `.and({})` to the mapping", Name(add)),
                    None => write!(f, "\n  help: name {them} in the stack of a tensor"),
                }
            }
            Problem::MappedInPart { parameter, covered, entries } => {
                write!(f, "the mapping gives {covered} of the {entries} entries ")?;
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
                    write!(f, "{}", And(paths))?;
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
                fitting.map_or(Ok(()), |fitting| write!(f, ", or take `{fitting}`, which is for `{cell}`"))
            }
            Problem::OtherPath { mapping, cell, under, at, before } => {
                write!(
                    f,
                    "`{mapping}` is under {}, and the network has the parameters of `{cell}` at {}",
                    And(under),
                    And(at)
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
                write!(f, "`{mapping}` is under {}, where the network has no parameters", And(under))?;
                if !has.is_empty() {
                    f.write_str("\n  note: it has ")?;
                    joined(f, has, ", ", |f, (path, cell)| {
                        let path = And(core::slice::from_ref(path));
                        match cell {
                            Some(cell) => write!(f, "`{cell}` at {path}"),
                            None => write!(f, "a cell at {path}"),
                        }
                    })?;
                }
                write!(f, "\n  help: the mapping is for `{cell}`, whose path is to be given by `.under(..)`")
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
                    "the mapping gives entries of `{parameter}` twice, from `{first}` and from `{second}`"
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
                    "the parts of a stack of `{tensor}` are {sizes} columns wide, and must be equally wide"
                )
            }
            Problem::Uneven { tensor, stacks: true, sizes } => {
                let (tensor, sizes) = (Name(tensor), Shape(sizes));
                write!(f, "the stacks of `{tensor}` are {sizes} rows high, and must be equally high")
            }
            Problem::Rank { tensor, rank, size: (rows, columns) } => {
                let tensor = Name(tensor);
                write!(f, "`{tensor}` is a {rank} in the mapping, but its parts make [{rows}, {columns}]")
            }
            Problem::SharedName { parameter } => {
                write!(f, "two parameters of the model are called `{}`", Name(parameter))?;
                f.write_str("\n  help: a layer that holds several must put a path before the names of each")
            }
        }
    }
}

/// What `write` makes of each of the first items, and `between` in between.
fn joined<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    between: &str,
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (place, item) in items.iter().take(ITEMS).enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        write(f, item)?;
    }
    match items.len().saturating_sub(ITEMS) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// A name of a file or a model: its control characters escaped, and cut where it is long. With `{:?}` it is quoted as well.
pub(in super::super) struct Name<'a>(pub(in super::super) &'a str);

impl Name<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>, quoted: bool) -> fmt::Result {
        let mut length = 0;
        for c in self.0.chars() {
            let is_plain = c == '\'' || !quoted && matches!(c, '"' | '\\');
            length += if is_plain { 1 } else { c.escape_debug().map(char::len_utf8).sum() };
            match c {
                _ if length > BYTES => return f.write_str(".."),
                _ if is_plain => f.write_char(c)?,
                _ => write!(f, "{}", c.escape_debug())?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, false)
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        self.write(f, true)?;
        f.write_char('"')
    }
}

/// Names, quoted.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, self.0, ", ", |f, name| write!(f, "`{}`", Name(name)))
    }
}

/// A path as the argument of `under`.
pub(in super::super) struct Path<'a>(pub(in super::super) &'a str);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.parse::<usize>() {
            Ok(number) => write!(f, "{number}"),
            Err(_) => write!(f, "{:?}", Name(self.0)),
        }
    }
}

/// Calls of a method of a mapping, each of which would do.
struct Calls<'a>(&'static str, &'a [String]);

impl fmt::Display for Calls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, self.1, " or ", |f, argument| match self.0 {
            "under" => write!(f, "`.under({})`", Path(argument)),
            method => write!(f, "`.{method}({:?})`", Name(argument)),
        })
    }
}

/// Paths.
struct And<'a>(&'a [String]);

impl fmt::Display for And<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, self.0, " and ", |f, path| match path.as_str() {
            "" => f.write_str("no path"),
            path => write!(f, "`{}`", Name(path)),
        })
    }
}

/// Prefixes that tensors are under.
struct Under<'a>(&'a [String]);

impl fmt::Display for Under<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, self.0, " and ", |f, prefix| match prefix.as_str() {
            "" => f.write_str("without a prefix"),
            prefix => write!(f, "under `{}`", Name(prefix)),
        })
    }
}

/// A shape that a file claims: any number of sizes, the first few of which are told.
pub(in super::super) struct Shape<'a>(pub(in super::super) &'a [usize]);

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
