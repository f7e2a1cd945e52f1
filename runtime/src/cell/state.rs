//! The parts of a state: the fields of generated cells, and visits to save and restore a state.

use alloc::vec;
use alloc::vec::Vec;

use crate::rng::Xoshiro256PlusPlus;
use crate::types::varying::Varying;

/// A state made of named fields, such as that of a generated cell. Layers that change one field
/// need it, such as [zoneout](crate::network::Zoneout). `Y` is the output of the layer that has
/// this state.
pub trait StateFields<T, Y>: Varying<T> {
    /// The fields' names, in the order of their declaration.
    const NAMES: &'static [&'static str];

    /// Calls `f` with every value of every field: with the index of the field in
    /// [`NAMES`](Self::NAMES), the value, which may be changed, and the same value of `other`.
    fn zip_fields(&mut self, other: &Self, f: &mut dyn FnMut(usize, &mut T, T));

    /// Overwrites the values of an output that are fields of the state, after the state of a step
    /// has been changed. Values that are computed from the state stay unchanged.
    fn reread(&self, y: &mut Y);

    /// Visits the earlier values that the state keeps, and its count of steps. No field in
    /// [`NAMES`](Self::NAMES) holds them.
    fn visit_past(&mut self, visitor: &mut StateVisitor<'_, T>);

    /// Pulls a cotangent back through [`reread`](Self::reread). `self` is the cotangent of the
    /// state, into which the values of `dy` move that are fields of the state.
    fn pull_reread(&mut self, dy: &mut Y);
}

/// A part of a state, for reading and for changes: see
/// [`Layer::visit_state`](super::Layer::visit_state).
#[derive(Debug)]
pub enum StatePart<'a, T> {
    /// The scalars of one field, in the order of [`Varying`].
    Scalars(&'a mut [T]),
    /// Integers: the earlier indices of a one-hot input, or numbers of steps.
    Integers(&'a mut [u32]),
    /// The generator of the masks that a layer draws; `None` if the layer draws none.
    Generator(&'a mut Option<Xoshiro256PlusPlus>),
}

/// The callback of [`Layer::visit_state`](super::Layer::visit_state). Its arguments are the path
/// and the part.
pub type StateVisitor<'f, T> = dyn FnMut(&str, StatePart<'_, T>) + 'f;

/// Visits all scalars of `state` as one part.
pub fn visit_scalars<T: Copy>(name: &str, state: &mut impl Varying<T>, visitor: &mut StateVisitor<'_, T>) {
    let mut scalars = Vec::new();
    state.scalars(&mut |x| scalars.push(x));
    visitor(name, StatePart::Scalars(&mut scalars));
    let mut scalars = scalars.into_iter();
    state.scalars_mut(&mut |x| *x = scalars.next().unwrap_or(*x));
}

/// Visits the scalars of each field of `state` as one part, then its past.
pub fn visit_fields<T: Copy, Y, S>(state: &mut S, visitor: &mut StateVisitor<'_, T>)
where
    S: StateFields<T, Y> + Clone,
{
    let before = state.clone();
    let mut fields = vec![Vec::new(); S::NAMES.len()];
    state.zip_fields(&before, &mut |field, _, x| fields[field].push(x));
    for (name, scalars) in S::NAMES.iter().zip(&mut fields) {
        visitor(name, StatePart::Scalars(scalars));
    }
    let mut fields: Vec<_> = fields.into_iter().map(Vec::into_iter).collect();
    state.zip_fields(&before, &mut |field, x, _| *x = fields[field].next().unwrap_or(*x));
    state.visit_past(visitor);
}
