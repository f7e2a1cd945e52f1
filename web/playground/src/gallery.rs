//! The definitions from which a reader can start, as `build.rs` finds them in the sources.

/// A heading, and the name and the definition of each cell below it.
type Section = (&'static str, &'static [(&'static str, &'static str)]);

pub const GALLERY: &[Section] = include!(concat!(env!("OUT_DIR"), "/gallery.rs"));
