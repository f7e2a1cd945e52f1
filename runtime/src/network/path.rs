//! Paths of parameters: `forward.W`, `0.W`, and stacks in stacks, whose layers are counted through.
//!
//! Parameters are visited at every step of an optimiser, so a path is put together on the call stack.

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};

use crate::cell::{Parameter, ParameterMut};
use crate::inspect::finite::Fault;

/// A path that is read in place; longer ones take the heap.
struct Short {
    bytes: [u8; 120],
    length: usize,
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Calls `f` with `path.name`.
fn joined(path: fmt::Arguments, name: &str, f: &mut dyn FnMut(&str)) {
    let mut short = Short { bytes: [0; 120], length: 0 };
    let written = write!(short, "{path}.{name}").map(|()| core::str::from_utf8(&short.bytes[..short.length]));
    match written {
        Ok(Ok(text)) => f(text),
        _ => f(&format!("{path}.{name}")),
    }
}

/// Calls `f` with the name of a parameter of one part of a stack, when `below` layers stand before this part and the part
/// itself counts `depth`.
fn numbered(below: usize, depth: usize, name: &str, f: &mut dyn FnMut(&str)) {
    if depth > 1
        && let Some((number, rest)) = name.split_once('.')
        && let Ok(number) = number.parse::<usize>()
    {
        return joined(format_args!("{}", below + number), rest, f);
    }
    joined(format_args!("{below}"), name, f);
}

/// The first and the last layer of a stack that a path without a parameter names: `1`, `1..=2`.
fn layers(path: &str) -> Option<(usize, usize)> {
    let (first, last) = path.split_once("..=").unwrap_or((path, path));
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// Where a part stands in what holds it.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A part with a name.
    Named(&'static str),
    /// A part of a stack.
    Numbered { below: usize, depth: usize },
}

impl Place {
    fn name(self, name: &str, f: &mut dyn FnMut(&str)) {
        match self {
            Place::Named(part) => joined(format_args!("{part}"), name, f),
            Place::Numbered { below, depth } => numbered(below, depth, name, f),
        }
    }

    /// What was found in the part, as seen from what holds it.
    pub(super) fn locate(self, found: Result<(), Fault>) -> Result<(), Fault> {
        found.map_err(|fault| fault.renamed(|name| self.path(name)))
    }

    /// The path of a parameter of the part, or of a layer in it; the part itself has none.
    fn path(self, name: &str) -> String {
        match self {
            Place::Named(part) if name.is_empty() => part.into(),
            Place::Numbered { below, depth: 0 | 1 } if name.is_empty() => format!("{below}"),
            Place::Numbered { below, depth } if name.is_empty() => format!("{below}..={}", below + depth - 1),
            Place::Numbered { below, depth: 2.. } => match layers(name) {
                Some((first, last)) if first == last => format!("{}", below + first),
                Some((first, last)) => format!("{}..={}", below + first, below + last),
                None => self.joined(name),
            },
            _ => self.joined(name),
        }
    }

    fn joined(self, name: &str) -> String {
        let mut path = String::new();
        self.name(name, &mut |text| path.push_str(text));
        path
    }

    /// A visitor for the part's parameters.
    pub(super) fn of<'f, 'v, T>(
        self,
        visitor: &'f mut dyn for<'n> FnMut(Parameter<'n, 'v, T>),
    ) -> impl for<'n> FnMut(Parameter<'n, 'v, T>) + use<'f, 'v, T> {
        move |Parameter { name, shape, values }| {
            self.name(name, &mut |name| visitor(Parameter { name, shape, values }));
        }
    }

    /// [`of`](Self::of), to change them.
    pub(super) fn of_mut<'f, 'v, T>(
        self,
        visitor: &'f mut dyn for<'n> FnMut(ParameterMut<'n, 'v, T>),
    ) -> impl for<'n> FnMut(ParameterMut<'n, 'v, T>) + use<'f, 'v, T> {
        move |ParameterMut { name, shape, values }| {
            let mut values = Some(values);
            self.name(name, &mut |name| {
                if let Some(values) = values.take() {
                    visitor(ParameterMut { name, shape, values });
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(place: Place, name: &str) -> String {
        place.path(name)
    }

    #[test]
    fn layers_are_counted_through() {
        assert_eq!(path(Place::Named("forward"), "W"), "forward.W");
        assert_eq!(path(Place::Numbered { below: 0, depth: 1 }, "W"), "0.W");
        assert_eq!(path(Place::Numbered { below: 2, depth: 3 }, "1.forward.W"), "3.forward.W");
        // One layer, whose own parts happen to have numbers.
        assert_eq!(path(Place::Numbered { below: 2, depth: 1 }, "1.W"), "2.1.W");
        assert_eq!(path(Place::Numbered { below: 2, depth: 2 }, "W"), "2.W");
        // Layers themselves.
        assert_eq!(path(Place::Named("forward"), ""), "forward");
        assert_eq!(path(Place::Named("forward"), "1"), "forward.1");
        assert_eq!(path(Place::Numbered { below: 2, depth: 1 }, ""), "2");
        assert_eq!(path(Place::Numbered { below: 2, depth: 1 }, "reverse"), "2.reverse");
        assert_eq!(path(Place::Numbered { below: 2, depth: 3 }, "1"), "3");
        assert_eq!(path(Place::Numbered { below: 2, depth: 3 }, ""), "2..=4");
        assert_eq!(path(Place::Numbered { below: 2, depth: 5 }, "1..=2"), "3..=4");
    }

    #[test]
    fn long_names_are_whole() {
        let name: String = core::iter::repeat_n("wöíght_", 40).collect();
        assert_eq!(path(Place::Numbered { below: 12, depth: 1 }, &name), format!("12.{name}"));
    }
}
