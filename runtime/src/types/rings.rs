//! The past of a cell: ring buffers of the last values, which are part of the state of a cell that
//! reads earlier steps.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::Scalar;
#[cfg(feature = "alloc")]
use crate::cell::{StatePart, StateVisitor, visit_scalars};
use crate::kernels::plain::{Flat, copy};
use crate::types::varying::Varying;

/// The last `COUNT * N * M` values of a vector, for `B` samples. `V` holds one value for each
/// sample.
///
/// A step overwrites the oldest value; no value moves. Each sample has its own position, so that
/// samples of different sequences can share a batch. As a cotangent, a ring holds the cotangents of
/// the values, and positions have no meaning. Values are visited from the latest to the oldest.
///
/// The values are on the heap, because those of a deep network would not fit on the stack of a
/// thread. Without the feature `alloc` they are in the ring itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring<V, const B: usize, const COUNT: usize, const N: usize = 1, const M: usize = 1> {
    entries: Entries<V, COUNT, N, M>,
    /// The entry that the next step overwrites, by sample.
    next: [u32; B],
}

/// The values of a ring.
#[cfg(feature = "alloc")]
type Entries<V, const COUNT: usize, const N: usize, const M: usize> = Box<[V]>;
#[cfg(not(feature = "alloc"))]
type Entries<V, const COUNT: usize, const N: usize, const M: usize> = [[[V; M]; N]; COUNT];

impl<V, const B: usize, const COUNT: usize, const N: usize, const M: usize> Ring<V, B, COUNT, N, M> {
    /// The number of values.
    pub const DEPTH: usize = {
        let depth = COUNT * N * M;
        assert!(depth > 0, "a delay and the entries of a window are at least one step");
        assert!(depth <= u32::MAX as usize, "a delay is shorter than 2^32 steps");
        depth
    };

    /// Returns the position of the value that was written `age` steps ago; 1 is the latest.
    #[inline(always)]
    fn position(&self, age: usize, sample: usize) -> usize {
        let next = self.next(sample);
        Self::within(if next >= age { next - age } else { next + Self::DEPTH - age })
    }

    /// Returns the position that the next step of a sample overwrites.
    #[inline(always)]
    fn next(&self, sample: usize) -> usize {
        Self::within(self.next[sample] as usize)
    }

    /// Returns a position, which is less than [`DEPTH`](Self::DEPTH) in a way that the compiler
    /// sees: no panic must be reachable in a step.
    #[inline(always)]
    fn within(position: usize) -> usize {
        position.min(Self::DEPTH - 1)
    }

    /// Creates a ring of copies of a value.
    #[inline(always)]
    #[cfg(feature = "alloc")]
    fn filled(value: impl Fn() -> V) -> Self {
        Ring { entries: (0..Self::DEPTH).map(|_| value()).collect(), next: [0; B] }
    }

    /// Creates a ring of copies of a value.
    #[inline(always)]
    #[cfg(not(feature = "alloc"))]
    fn filled(value: impl Fn() -> V) -> Self {
        let array = |_| core::array::from_fn(|_| core::array::from_fn(|_| value()));
        Ring { entries: core::array::from_fn(array), next: [0; B] }
    }

    #[inline(always)]
    fn entries(&self) -> &[V] {
        #[cfg(feature = "alloc")]
        return &self.entries;
        #[cfg(not(feature = "alloc"))]
        self.entries.as_flattened().as_flattened()
    }

    #[inline(always)]
    fn entries_mut(&mut self) -> &mut [V] {
        #[cfg(feature = "alloc")]
        return &mut self.entries;
        #[cfg(not(feature = "alloc"))]
        self.entries.as_flattened_mut().as_flattened_mut()
    }

    /// Advances the position of a sample by some steps.
    #[inline(always)]
    #[cfg(feature = "alloc")]
    pub(crate) fn advance(&mut self, sample: usize, steps: usize) {
        let next = (self.next[sample] as usize + steps % Self::DEPTH) % Self::DEPTH;
        self.next[sample] = next as u32;
    }
}

impl<V: Flat, const B: usize, const COUNT: usize, const N: usize, const M: usize> Ring<V, B, COUNT, N, M> {
    /// The number of scalars of one sample in one value.
    pub(crate) const SIZE: usize = V::LEN / if B == 0 { 1 } else { B };

    /// Returns the value of a sample that was written `age` steps ago; 1 is the latest.
    ///
    /// `age` must be between 1 and [`DEPTH`](Self::DEPTH): with any other age, the result is
    /// unspecified.
    ///
    /// # Panics
    /// Panics if there is no such sample. May panic if `age` is out of range.
    #[inline(always)]
    pub fn get(&self, age: usize, sample: usize) -> &[V::Scalar] {
        let entry = &self.entries()[self.position(age, sample)];
        &entry.flat()[sample * Self::SIZE..(sample + 1) * Self::SIZE]
    }

    /// Returns the value of a sample that was written `age` steps ago, as a mutable slice.
    ///
    /// # Panics
    /// Panics as [`get`](Self::get) does.
    #[inline(always)]
    pub fn get_mut(&mut self, age: usize, sample: usize) -> &mut [V::Scalar] {
        let position = self.position(age, sample);
        &mut self.entries_mut()[position].flat_mut()[sample * Self::SIZE..(sample + 1) * Self::SIZE]
    }

    /// Returns the values of all samples that were written `age` steps ago. They are copied to
    /// `local` only if the samples have different positions.
    #[doc(hidden)]
    #[inline(always)]
    pub fn view<'a>(&'a self, age: usize, local: &'a mut V) -> &'a [V::Scalar] {
        if B > 0 && self.next.iter().all(|next| *next == self.next[0]) {
            return self.entries()[self.position(age, 0)].flat();
        }
        for sample in 0..B {
            copy(
                &mut local.flat_mut()[sample * Self::SIZE..(sample + 1) * Self::SIZE],
                self.get(age, sample),
            );
        }
        local.flat()
    }

    /// Replaces the oldest value of each sample by a new one.
    #[doc(hidden)]
    #[inline(always)]
    pub fn push(&mut self, value: &[V::Scalar]) {
        for sample in 0..B {
            let at = self.next(sample);
            let entry =
                &mut self.entries_mut()[at].flat_mut()[sample * Self::SIZE..(sample + 1) * Self::SIZE];
            copy(entry, &value[sample * Self::SIZE..(sample + 1) * Self::SIZE]);
            self.next[sample] = if at + 1 == Self::DEPTH { 0 } else { at as u32 + 1 };
        }
    }

    /// Returns whether all samples have the same position, so that values are contiguous.
    #[inline(always)]
    #[cfg(feature = "alloc")]
    pub(crate) fn is_aligned(&self) -> bool {
        B > 0 && self.next.iter().all(|next| *next == self.next[0])
    }

    /// Returns `count` values in the order of their steps, the first of which was written `oldest`
    /// steps ago, in two parts. The samples must have the same position.
    #[inline(always)]
    #[cfg(feature = "alloc")]
    pub(crate) fn consecutive(&self, oldest: usize, count: usize) -> [&[V]; 2] {
        let start = self.position(oldest, 0);
        let first = count.min(Self::DEPTH - start);
        [&self.entries()[start..start + first], &self.entries()[..count - first]]
    }

    /// Returns values like [`consecutive`](Self::consecutive), to overwrite them.
    #[inline(always)]
    #[cfg(feature = "alloc")]
    pub(crate) fn consecutive_mut(&mut self, oldest: usize, count: usize) -> [&mut [V]; 2] {
        let start = self.position(oldest, 0);
        let first = count.min(Self::DEPTH - start);
        let (before, from) = self.entries_mut().split_at_mut(start);
        [&mut from[..first], &mut before[..count - first]]
    }

    /// Overwrites all values.
    #[doc(hidden)]
    #[inline]
    pub fn fill(&mut self, value: &V) {
        for entry in self.entries_mut() {
            copy(entry.flat_mut(), value.flat());
        }
    }

    /// Adds all values to `sum`.
    #[doc(hidden)]
    pub fn add_to(&self, sum: &mut V)
    where
        V::Scalar: Scalar,
    {
        for age in 1..=Self::DEPTH {
            for sample in 0..B {
                let sum = &mut sum.flat_mut()[sample * Self::SIZE..(sample + 1) * Self::SIZE];
                sum.iter_mut().zip(self.get(age, sample)).for_each(|(sum, x)| *sum += *x);
            }
        }
    }

    /// Writes the last `entries` values, `spacing` steps apart, of each sample to `to`: the oldest
    /// first, and the present one, `now`, last. The windows of `heads` heads follow each other.
    #[doc(hidden)]
    #[inline(always)]
    pub fn window(
        &self,
        to: &mut [V::Scalar],
        now: &[V::Scalar],
        (heads, entries, spacing): (usize, usize, usize),
    ) {
        let size = Self::SIZE.checked_div(heads).unwrap_or(0);
        for (sample, head) in (0..B).flat_map(|sample| (0..heads).map(move |head| (sample, head))) {
            let vector = sample * heads + head;
            let to = &mut to[vector * entries * size..(vector + 1) * entries * size];
            for index in 1..entries {
                let earlier = self.get((entries - index) * spacing, sample);
                copy(&mut to[(index - 1) * size..index * size], &earlier[head * size..(head + 1) * size]);
            }
            if entries > 0 {
                copy(&mut to[(entries - 1) * size..], &now[vector * size..(vector + 1) * size]);
            }
        }
    }

    /// Returns a column of the window that [`window`](Self::window) copies, of one sample and head.
    #[doc(hidden)]
    #[inline(always)]
    pub fn window_column<'a>(
        &'a self,
        now: &'a [V::Scalar],
        (sample, head): (usize, usize),
        (heads, entries, spacing): (usize, usize, usize),
        column: usize,
    ) -> &'a [V::Scalar] {
        let size = Self::SIZE.checked_div(heads).unwrap_or(0);
        let value = match entries - 1 - column {
            0 => &now[sample * Self::SIZE..(sample + 1) * Self::SIZE],
            steps => self.get(steps * spacing, sample),
        };
        &value[head * size..(head + 1) * size]
    }

    /// Copies one sample to a ring of one sample.
    #[doc(hidden)]
    pub fn take_sample<W: Flat<Scalar = V::Scalar>>(&self, sample: usize, one: &mut Ring<W, 1, COUNT, N, M>) {
        one.next[0] = self.next[sample];
        for age in 1..=Self::DEPTH {
            copy(one.get_mut(age, 0), self.get(age, sample));
        }
    }

    /// Overwrites one sample by a ring of one sample.
    #[doc(hidden)]
    pub fn replace_sample<W: Flat<Scalar = V::Scalar>>(
        &mut self,
        sample: usize,
        one: &Ring<W, 1, COUNT, N, M>,
    ) {
        self.next[sample] = one.next[0];
        for age in 1..=Self::DEPTH {
            copy(self.get_mut(age, sample), one.get(age, 0));
        }
    }

    /// Exchanges one sample with the same sample of another ring.
    fn swap(&mut self, other: &mut Self, sample: usize) {
        core::mem::swap(&mut self.next[sample], &mut other.next[sample]);
        let span = sample * Self::SIZE..(sample + 1) * Self::SIZE;
        for (entry, other) in self.entries_mut().iter_mut().zip(other.entries_mut()) {
            entry.flat_mut()[span.clone()].swap_with_slice(&mut other.flat_mut()[span.clone()]);
        }
    }
}

impl<T, V, const B: usize, const COUNT: usize, const N: usize, const M: usize> Varying<T>
    for Ring<V, B, COUNT, N, M>
where
    T: Scalar,
    V: Flat<Scalar = T> + Varying<T>,
{
    #[inline(always)]
    fn zero() -> Self {
        const { assert!(Self::DEPTH > 0) };
        Self::filled(V::zero)
    }

    fn scalars(&self, f: &mut dyn FnMut(T)) {
        for age in 1..=Self::DEPTH {
            for sample in 0..B {
                self.get(age, sample).iter().for_each(|x| f(*x));
            }
        }
    }

    fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T)) {
        for age in 1..=Self::DEPTH {
            for sample in 0..B {
                self.get_mut(age, sample).iter_mut().for_each(&mut *f);
            }
        }
    }

    fn sample_mut(&mut self, sample: usize, batch: usize, f: &mut dyn FnMut(&mut T)) {
        if B == batch {
            for age in 1..=Self::DEPTH {
                self.get_mut(age, sample).iter_mut().for_each(&mut *f);
            }
        }
    }

    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
        if B == batch {
            self.swap(other, sample);
        }
    }

    fn zip_scalars(&mut self, other: &Self, f: &mut dyn FnMut(&mut T, T)) {
        for age in 1..=Self::DEPTH {
            for sample in 0..B {
                let others = other.get(age, sample);
                self.get_mut(age, sample).iter_mut().zip(others).for_each(|(x, y)| f(x, *y));
            }
        }
    }
}

/// The last indices of a one-hot input, for `B` samples. Before the start of a sequence they are
/// out of range, which is a zero column.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexRing<const B: usize, const COUNT: usize, const N: usize = 1, const M: usize = 1>(
    Ring<[u32; B], B, COUNT, N, M>,
);

impl<const B: usize, const COUNT: usize, const N: usize, const M: usize> IndexRing<B, COUNT, N, M> {
    /// Copies one sample to a ring of one sample.
    #[doc(hidden)]
    pub fn take_sample(&self, sample: usize, one: &mut IndexRing<1, COUNT, N, M>) {
        self.0.take_sample(sample, &mut one.0);
    }

    /// Overwrites one sample by a ring of one sample.
    #[doc(hidden)]
    pub fn replace_sample(&mut self, sample: usize, one: &IndexRing<1, COUNT, N, M>) {
        self.0.replace_sample(sample, &one.0);
    }
}

impl<const B: usize, const COUNT: usize, const N: usize, const M: usize> Deref for IndexRing<B, COUNT, N, M> {
    type Target = Ring<[u32; B], B, COUNT, N, M>;

    #[inline(always)]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<const B: usize, const COUNT: usize, const N: usize, const M: usize> DerefMut
    for IndexRing<B, COUNT, N, M>
{
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<T, const B: usize, const COUNT: usize, const N: usize, const M: usize> Varying<T>
    for IndexRing<B, COUNT, N, M>
{
    #[inline(always)]
    fn zero() -> Self {
        const { assert!(Ring::<[u32; B], B, COUNT, N, M>::DEPTH > 0) };
        IndexRing(Ring::filled(|| [u32::MAX; B]))
    }

    fn scalars(&self, _: &mut dyn FnMut(T)) {}

    fn scalars_mut(&mut self, _: &mut dyn FnMut(&mut T)) {}

    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
        if B == batch {
            self.0.swap(&mut other.0, sample);
        }
    }

    fn zip_scalars(&mut self, _: &Self, _: &mut dyn FnMut(&mut T, T)) {}
}

/// The number of steps that each of `B` samples has seen, for the mask of a window. The counts stop
/// at `u32::MAX`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps<const B: usize>([u32; B]);

impl<const B: usize> Steps<B> {
    /// Returns the counts.
    #[inline(always)]
    pub fn counts(&self) -> &[u32; B] {
        &self.0
    }

    /// Returns the counts, to change them.
    #[cfg(feature = "serde")]
    pub(crate) fn counts_mut(&mut self) -> &mut [u32; B] {
        &mut self.0
    }

    /// Counts some steps of a sample.
    #[doc(hidden)]
    #[inline(always)]
    pub fn advance(&mut self, sample: usize, steps: usize) {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.0[sample] = self.0[sample].saturating_add(steps);
    }

    /// Counts one step of each sample.
    #[doc(hidden)]
    #[inline(always)]
    pub fn count(&mut self) {
        self.0.iter_mut().for_each(|count| *count = count.saturating_add(1));
    }

    /// Copies one sample.
    #[doc(hidden)]
    pub fn take_sample(&self, sample: usize, one: &mut Steps<1>) {
        one.0[0] = self.0[sample];
    }

    /// Overwrites one sample.
    #[doc(hidden)]
    pub fn replace_sample(&mut self, sample: usize, one: &Steps<1>) {
        self.0[sample] = one.0[0];
    }
}

impl<T, const B: usize> Varying<T> for Steps<B> {
    #[inline(always)]
    fn zero() -> Self {
        Steps([0; B])
    }

    fn scalars(&self, _: &mut dyn FnMut(T)) {}

    fn scalars_mut(&mut self, _: &mut dyn FnMut(&mut T)) {}

    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
        if B == batch {
            core::mem::swap(&mut self.0[sample], &mut other.0[sample]);
        }
    }

    fn zip_scalars(&mut self, _: &Self, _: &mut dyn FnMut(&mut T, T)) {}
}

/// A field of a state that holds the past, for files.
#[cfg(feature = "alloc")]
pub trait PastField<T> {
    /// Visits the values as one part, from the latest to the oldest.
    fn visit(&mut self, name: &str, visitor: &mut StateVisitor<'_, T>);
}

#[cfg(feature = "alloc")]
impl<T, V, const B: usize, const COUNT: usize, const N: usize, const M: usize> PastField<T>
    for Ring<V, B, COUNT, N, M>
where
    T: Scalar,
    V: Flat<Scalar = T> + Varying<T>,
{
    fn visit(&mut self, name: &str, visitor: &mut StateVisitor<'_, T>) {
        visit_scalars(name, self, visitor);
    }
}

#[cfg(feature = "alloc")]
impl<T, const B: usize, const COUNT: usize, const N: usize, const M: usize> PastField<T>
    for IndexRing<B, COUNT, N, M>
{
    fn visit(&mut self, name: &str, visitor: &mut StateVisitor<'_, T>) {
        let ages = 1..=Ring::<[u32; B], B, COUNT, N, M>::DEPTH;
        let places = || ages.clone().flat_map(|age| (0..B).map(move |sample| (age, sample)));
        let mut indices: Vec<u32> = places().map(|(age, sample)| self.get(age, sample)[0]).collect();
        visitor(name, StatePart::Integers(&mut indices));
        for ((age, sample), index) in places().zip(indices) {
            self.get_mut(age, sample)[0] = index;
        }
    }
}

#[cfg(feature = "alloc")]
impl<T, const B: usize> PastField<T> for Steps<B> {
    fn visit(&mut self, name: &str, visitor: &mut StateVisitor<'_, T>) {
        visitor(name, StatePart::Integers(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use nalgebra::SMatrix;

    use super::*;

    type Pair = SMatrix<f32, 1, 2>;

    fn scalars(ring: &impl Varying<f32>) -> Vec<f32> {
        let mut found = Vec::new();
        ring.scalars(&mut |x| found.push(x));
        found
    }

    #[test]
    fn values_are_found_by_age_after_any_number_of_steps() {
        let mut ring: Ring<Pair, 2, 3> = Varying::<f32>::zero();
        for step in 1..12 {
            let x = step as f32;
            ring.push(&[x, -x]);
            for age in 1..=3 {
                let expected = if age <= step { (step - age + 1) as f32 } else { 0.0 };
                assert_eq!((ring.get(age, 0), ring.get(age, 1)), (&[expected][..], &[-expected][..]));
            }
        }
        assert_eq!(scalars(&ring), [11.0, -11.0, 10.0, -10.0, 9.0, -9.0]);
    }

    #[test]
    fn samples_of_different_positions_share_a_ring() {
        let mut one: Ring<SMatrix<f32, 1, 1>, 1, 2, 2> = Varying::<f32>::zero();
        let mut many: Ring<Pair, 2, 2, 2> = Varying::<f32>::zero();
        one.push(&[5.0]);
        many.replace_sample(1, &one);
        many.push(&[1.0, 6.0]);
        let mut local = Pair::zeros();
        assert_eq!(many.view(1, &mut local), [1.0, 6.0]);
        assert_eq!(many.view(2, &mut local), [0.0, 5.0]);
        let mut copy: Ring<SMatrix<f32, 1, 1>, 1, 2, 2> = Varying::<f32>::zero();
        many.take_sample(1, &mut copy);
        one.push(&[6.0]);
        assert_eq!(copy, one);

        let mut other: Ring<Pair, 2, 2, 2> = Varying::<f32>::zero();
        many.swap_sample(&mut other, 1, 2);
        assert_eq!(scalars(&many), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(scalars(&other), [0.0, 6.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn rings_of_different_positions_are_visited_by_age() {
        let mut ring: Ring<SMatrix<f32, 1, 1>, 1, 3> = Varying::<f32>::zero();
        let mut other = ring.clone();
        ring.push(&[1.0]);
        ring.push(&[2.0]);
        other.get_mut(1, 0)[0] = 10.0;
        Varying::add(&mut ring, &other);
        assert_eq!(scalars(&ring), [12.0, 1.0, 0.0]);
    }

    #[test]
    fn a_window_ends_with_the_present() {
        let mut ring: Ring<SMatrix<f32, 1, 1>, 1, 4> = Varying::<f32>::zero();
        (1..=4).for_each(|x| ring.push(&[x as f32]));
        let mut window = [0.0; 3];
        ring.window(&mut window, &[5.0], (1, 3, 1));
        assert_eq!(window, [3.0, 4.0, 5.0]);
        ring.window(&mut window, &[5.0], (1, 3, 2));
        assert_eq!(window, [1.0, 3.0, 5.0]);
    }

    #[test]
    fn the_windows_of_heads_follow_each_other() {
        let mut ring: Ring<SMatrix<f32, 4, 1>, 1, 2> = Varying::<f32>::zero();
        ring.push(&[1.0, 2.0, 3.0, 4.0]);
        ring.push(&[5.0, 6.0, 7.0, 8.0]);
        let mut windows = [0.0; 12];
        ring.window(&mut windows, &[9.0, 10.0, 11.0, 12.0], (2, 3, 1));
        assert_eq!(windows, [1.0, 2.0, 5.0, 6.0, 9.0, 10.0, 3.0, 4.0, 7.0, 8.0, 11.0, 12.0]);
    }

    #[test]
    fn columns_of_windows_are_those_of_their_copies() {
        type Value = SMatrix<f32, 4, 2>;
        let mut ring: Ring<Value, 2, 4> = Varying::<f32>::zero();
        for step in 0..7 {
            ring.push(&[0, 1, 2, 3, 4, 5, 6, 7].map(|at| (10 * step + at) as f32));
        }
        let now = [70.0, 71.0, 72.0, 73.0, 74.0, 75.0, 76.0, 77.0];
        for lengths in [(1, 4, 1), (1, 3, 2), (2, 5, 1), (4, 1, 1)] {
            let (heads, entries, _) = lengths;
            let mut windows = [0.0; 40];
            ring.window(&mut windows, &now, lengths);
            let size = 4 / heads;
            for (vector, window) in windows[..8 * entries].chunks_exact(size * entries).enumerate() {
                for (column, expected) in window.chunks_exact(size).enumerate() {
                    let at = (vector / heads, vector % heads);
                    assert_eq!(ring.window_column(&now, at, lengths, column), expected);
                }
            }
        }
    }

    #[test]
    fn indices_before_the_start_are_out_of_range() {
        let mut ring: IndexRing<2, 2> = Varying::<f32>::zero();
        ring.push(&[7, 8]);
        assert_eq!((ring.get(1, 1), ring.get(2, 1)), (&[8][..], &[u32::MAX][..]));
        assert!(scalars(&ring).is_empty());
    }
}
