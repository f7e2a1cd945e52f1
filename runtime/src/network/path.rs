//! Paths of parameters: `forward.W`, `0.W`, and nested stacks, whose layers are numbered
//! consecutively.
//!
//! Every step of an optimiser visits the parameters, so paths are built on the call stack.

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};

use crate::cell::{Parameter, ParameterMut, StatePart, StateVisitor};
use crate::inspect::finite::Fault;

/// A path that fits on the call stack. Longer paths are allocated on the heap.
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

/// Calls `f` with the path of a parameter of one part of a stack. The stack has `below` layers
/// before this part, and the part itself counts as `depth` layers.
fn numbered(below: usize, depth: usize, name: &str, f: &mut dyn FnMut(&str)) {
    if depth > 1
        && let Some((number, rest)) = name.split_once('.')
        && let Ok(number) = number.parse::<usize>()
    {
        return joined(format_args!("{}", below + number), rest, f);
    }
    joined(format_args!("{below}"), name, f);
}

/// Parses a path that names a layer or a range of layers of a stack, `1` or `1..=2`, and returns
/// the first and the last.
fn layers(path: &str) -> Option<(usize, usize)> {
    let (first, last) = path.split_once("..=").unwrap_or((path, path));
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// The position of a part in the layer that contains it.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// The position of a part with a name.
    Named(&'static str),
    /// The position of a part of a stack.
    Numbered { below: usize, depth: usize },
}

impl Place {
    fn name(self, name: &str, f: &mut dyn FnMut(&str)) {
        match self {
            Place::Named(part) => joined(format_args!("{part}"), name, f),
            Place::Numbered { below, depth } => numbered(below, depth, name, f),
        }
    }

    /// Replaces the path in a fault that was found in the part by the path from the containing
    /// layer.
    pub(super) fn locate(self, found: Result<(), Fault>) -> Result<(), Fault> {
        found.map_err(|fault| fault.renamed(|name| self.path(name)))
    }

    /// Returns the path of a parameter of the part or of a layer in it. The name of the part itself
    /// is empty.
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

    /// Returns a visitor for the part's state that prepends the path.
    pub(super) fn of_state<T>(
        self,
        visitor: &mut StateVisitor<'_, T>,
    ) -> impl for<'n, 'v> FnMut(&'n str, StatePart<'v, T>) {
        move |name, part| visitor(&self.path(name), part)
    }

    /// Returns a visitor for the part's parameters that prepends the path.
    pub(super) fn of<'f, 'v, T>(
        self,
        visitor: &'f mut dyn for<'n> FnMut(Parameter<'n, 'v, T>),
    ) -> impl for<'n> FnMut(Parameter<'n, 'v, T>) + use<'f, 'v, T> {
        move |Parameter { name, shape, values }| {
            self.name(name, &mut |name| visitor(Parameter { name, shape, values }));
        }
    }

    /// The mutable version of [`of`](Self::of).
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
        // A single layer whose own parts have numbers.
        assert_eq!(path(Place::Numbered { below: 2, depth: 1 }, "1.W"), "2.1.W");
        assert_eq!(path(Place::Numbered { below: 2, depth: 2 }, "W"), "2.W");
        // The names of layers.
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
