//! Paths of parameters: `encoder.W`, `0.W`, and nested stacks, whose layers are numbered
//! consecutively.
//!
//! Every step of an optimiser visits the parameters, so paths are built on the call stack.

#[cfg(feature = "alloc")]
use alloc::string::String;
use core::fmt::{self, Write};

#[cfg(feature = "alloc")]
use crate::cell::fault::Fault;
use crate::cell::{LayerInfo, Parameter, ParameterMut};
#[cfg(feature = "alloc")]
use crate::cell::{StatePart, StateVisitor};

/// A path that fits on the call stack. Longer paths are allocated on the heap, or cut without one.
struct Short {
    bytes: [u8; 120],
    length: usize,
}

impl Short {
    /// Returns the text. A character that was cut is left out.
    fn text(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        let valid = core::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        core::str::from_utf8(&bytes[..valid]).unwrap_or_default()
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.length..];
        let fitting = text.len().min(room.len());
        room[..fitting].copy_from_slice(&text.as_bytes()[..fitting]);
        self.length += fitting;
        if fitting < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Calls `f` with the text.
fn written(text: fmt::Arguments, f: &mut dyn FnMut(&str)) {
    let mut short = Short { bytes: [0; 120], length: 0 };
    match short.write_fmt(text) {
        #[cfg(feature = "alloc")]
        Err(_) => f(&alloc::fmt::format(text)),
        _ => f(short.text()),
    }
}

/// Parses a path that names a layer or a range of layers of a stack, `1` or `1..=2`, and returns
/// the first and the last.
fn layers(path: &str) -> Option<(usize, usize)> {
    let (first, last) = path.split_once("..=").unwrap_or((path, path));
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// The position of a part in the model that contains it.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The position of a part with a name.
    Named(&'static str),
    /// The position of a part of a stack. The stack has `below` layers before this part, and the
    /// part itself counts as `depth` layers.
    Numbered { below: usize, depth: usize },
}

impl Place {
    /// Calls `f` with the path of a parameter of the part or of a layer in it. The name of the part
    /// itself is empty.
    fn name(self, name: &str, f: &mut dyn FnMut(&str)) {
        match self {
            Place::Named(part) if name.is_empty() => f(part),
            Place::Named(part) => written(format_args!("{part}.{name}"), f),
            Place::Numbered { below, depth: 0 | 1 } if name.is_empty() => written(format_args!("{below}"), f),
            Place::Numbered { below, depth: 0 | 1 } => written(format_args!("{below}.{name}"), f),
            Place::Numbered { below, depth } if name.is_empty() => {
                written(format_args!("{below}..={}", below + depth - 1), f);
            }
            Place::Numbered { below, .. } => {
                let (path, rest) = name.split_once('.').unwrap_or((name, ""));
                match (layers(name), path.parse::<usize>()) {
                    (Some((first, last)), _) if first < last => {
                        written(format_args!("{}..={}", below + first, below + last), f);
                    }
                    (_, Ok(number)) if rest.is_empty() => written(format_args!("{}", below + number), f),
                    (_, Ok(number)) => written(format_args!("{}.{rest}", below + number), f),
                    _ => written(format_args!("{below}.{name}"), f),
                }
            }
        }
    }

    /// Replaces the path in a fault that was found in the part by the path from the containing
    /// layer.
    #[cfg(feature = "alloc")]
    pub(crate) fn locate(self, found: Result<(), Fault>) -> Result<(), Fault> {
        found.map_err(|fault| fault.renamed(|name| self.path(name)))
    }

    #[cfg(feature = "alloc")]
    fn path(self, name: &str) -> String {
        let mut path = String::new();
        self.name(name, &mut |text| path.push_str(text));
        path
    }

    /// Returns a visitor for the part's state that prepends the path.
    #[cfg(feature = "alloc")]
    pub(crate) fn of_state<T>(
        self,
        visitor: &mut StateVisitor<'_, T>,
    ) -> impl for<'n, 'v> FnMut(&'n str, StatePart<'v, T>) {
        move |name, part| visitor(&self.path(name), part)
    }

    /// Returns a visitor for the part's parameters that prepends the path.
    pub(crate) fn of<'f, 'v, T>(
        self,
        visitor: &'f mut dyn for<'n> FnMut(Parameter<'n, 'v, T>),
    ) -> impl for<'n> FnMut(Parameter<'n, 'v, T>) + use<'f, 'v, T> {
        move |Parameter { name, shape, values }| {
            self.name(name, &mut |name| visitor(Parameter { name, shape, values }));
        }
    }

    /// Returns a visitor for the part's mutable parameters that prepends the path, like
    /// [`of`](Self::of).
    pub(crate) fn of_mut<'f, 'v, T>(
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

    /// Returns a visitor for the part's layers that prepends the path.
    pub(crate) fn of_layers<'f>(
        self,
        visitor: &'f mut dyn FnMut(LayerInfo<'_>),
    ) -> impl FnMut(LayerInfo<'_>) + use<'f> {
        move |layer| {
            self.name(layer.path, &mut |path| visitor(LayerInfo { path, ..layer }));
        }
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use alloc::format;

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
        let mut short = Short { bytes: [0; 120], length: 0 };
        assert!(short.write_str(&name).is_err() && name.starts_with(short.text()));
        assert!((117..=120).contains(&short.text().len()));
        assert_eq!(path(Place::Numbered { below: 12, depth: 1 }, &name), format!("12.{name}"));
    }
}
