//! Growable buffers of plain blocks of scalars, aligned for vectors. Tapes consist of them.

use super::plain::Flat;
use alloc::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;
use core::ptr::NonNull;
use core::slice;

/// The alignment of every buffer: a cache line, which is also the size of the widest vectors.
const ALIGN: usize = 64;

/// A growable buffer of blocks on the heap, aligned to 64 bytes. It holds one value of a tape, one
/// block per step.
///
/// It keeps its capacity, so a tape that is reused does not allocate.
pub struct Series<M: Flat> {
    start: NonNull<M>,
    len: usize,
    capacity: usize,
    owns: PhantomData<M>,
}

// SAFETY: the series owns its blocks; scalars are `Send + Sync`.
unsafe impl<M: Flat> Send for Series<M> {}
// SAFETY: as above, and a shared series is only read.
unsafe impl<M: Flat> Sync for Series<M> {}

impl<M: Flat> Series<M> {
    /// Creates an empty series without allocating.
    pub const fn new() -> Self {
        Series { start: NonNull::dangling(), len: 0, capacity: 0, owns: PhantomData }
    }

    /// Returns the number of blocks.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether the series has no blocks.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets the number of blocks to `len`. Old blocks are kept and new blocks are zero. The
    /// capacity never shrinks.
    #[inline]
    pub fn resize(&mut self, len: usize) {
        if len > self.capacity {
            self.grow(len);
        } else if len > self.len {
            // SAFETY: within the capacity, and zero bits are valid scalars.
            unsafe { self.start.as_ptr().add(self.len).write_bytes(0, len - self.len) };
        }
        self.len = len;
    }

    #[cold]
    fn grow(&mut self, len: usize) {
        const { M::LAYOUT };
        if size_of::<M>() == 0 {
            self.capacity = usize::MAX;
            return;
        }
        let layout = Self::layout(len);
        // SAFETY: `len` is above the capacity and so is not zero; neither is the size of a block.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(memory.cast::<M>()) else { handle_alloc_error(layout) };
        // SAFETY: both buffers hold the old blocks; the new one was just allocated.
        unsafe { start.as_ptr().copy_from_nonoverlapping(self.start.as_ptr(), self.len) };
        self.release();
        self.start = start;
        self.capacity = len;
    }

    fn layout(capacity: usize) -> Layout {
        let layout = Layout::array::<M>(capacity).and_then(|layout| layout.align_to(ALIGN));
        layout.expect("a series larger than the address space")
    }

    fn release(&mut self) {
        if size_of::<M>() > 0 && self.capacity > 0 {
            // SAFETY: allocated by `grow` with this layout.
            unsafe { dealloc(self.start.as_ptr().cast(), Self::layout(self.capacity)) };
        }
    }

    /// Returns all blocks.
    #[inline(always)]
    pub fn as_slice(&self) -> &[M] {
        // SAFETY: `len` blocks are initialised.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// Returns the blocks from block `first` on; none if the series is shorter.
    #[inline(always)]
    pub fn tail(&self, first: usize) -> &[M] {
        self.as_slice().get(first..).unwrap_or(&[])
    }

    /// Returns all blocks as a mutable slice.
    #[inline(always)]
    pub fn as_mut_slice(&mut self) -> &mut [M] {
        // SAFETY: `len` blocks are initialised.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Returns the scalars of the blocks in `range`.
    #[inline(always)]
    pub fn flat(&self, range: Range<usize>) -> &[M::Scalar] {
        M::flat_all(&self.as_slice()[range])
    }

    /// Returns the scalars of the blocks in `range` as a mutable slice.
    #[inline(always)]
    pub fn flat_mut(&mut self, range: Range<usize>) -> &mut [M::Scalar] {
        M::flat_all_mut(&mut self.as_mut_slice()[range])
    }

    /// Returns the scalars of block `t`.
    #[inline(always)]
    pub fn flat_step(&self, t: usize) -> &[M::Scalar] {
        self.flat(t..t + 1)
    }

    /// Returns the scalars of block `t` as a mutable slice.
    #[inline(always)]
    pub fn flat_step_mut(&mut self, t: usize) -> &mut [M::Scalar] {
        self.flat_mut(t..t + 1)
    }

    /// Returns block `t`.
    #[inline(always)]
    pub fn step(&self, t: usize) -> &M {
        &self.as_slice()[t]
    }

    /// Returns block `t` as a mutable reference.
    #[inline(always)]
    pub fn step_mut(&mut self, t: usize) -> &mut M {
        &mut self.as_mut_slice()[t]
    }

    /// Returns the scalars of block `t` and of its successor, which are mutable, for a step
    /// forwards in time.
    #[inline(always)]
    pub fn flat_pair(&mut self, t: usize) -> (&[M::Scalar], &mut [M::Scalar]) {
        let [now, next] = &mut self.as_mut_slice()[t..t + 2] else { unreachable!("two blocks") };
        (now.flat(), next.flat_mut())
    }

    /// Returns all blocks before block `t`, and block `t`, which is mutable.
    #[inline(always)]
    pub fn step_and_past(&mut self, t: usize) -> (&[M], &mut M) {
        let (past, rest) = self.as_mut_slice().split_at_mut(t);
        (past, &mut rest[0])
    }

    /// Returns the scalars of block `t`, which are mutable, and of its successor, for a step
    /// backwards in time.
    #[inline(always)]
    pub fn flat_pair_back(&mut self, t: usize) -> (&mut [M::Scalar], &[M::Scalar]) {
        let [now, next] = &mut self.as_mut_slice()[t..t + 2] else { unreachable!("two blocks") };
        (now.flat_mut(), next.flat())
    }

    /// Sets the blocks in `range` to zero.
    #[inline]
    pub fn fill_zero(&mut self, range: Range<usize>) {
        let blocks = &mut self.as_mut_slice()[range];
        // SAFETY: zero bits are valid scalars.
        unsafe { blocks.as_mut_ptr().write_bytes(0, blocks.len()) };
    }
}

impl<M: Flat> Drop for Series<M> {
    fn drop(&mut self) {
        self.release();
    }
}

impl<M: Flat> Default for Series<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Flat> Clone for Series<M> {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.resize(self.len);
        M::flat_all_mut(copy.as_mut_slice()).copy_from_slice(M::flat_all(self.as_slice()));
        copy
    }
}

/// The size of the series: a page would not hold the entries.
impl<M: Flat> fmt::Debug for Series<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{} numbers; {}]", M::LEN, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::SMatrix;

    #[test]
    fn growing_keeps_old_blocks_and_zeroes_new_ones() {
        let mut series = Series::<SMatrix<f32, 3, 1>>::new();
        assert!(series.is_empty() && series.as_slice().is_empty());
        series.resize(2);
        assert_eq!(series.flat(0..2), [0.0; 6]);
        series.flat_mut(0..2).fill(5.0);
        series.resize(100);
        assert_eq!(series.as_slice().as_ptr() as usize % 64, 0);
        assert_eq!(series.flat(0..2), [5.0; 6]);
        assert_eq!(series.flat(2..100), [0.0; 294]);
        series.flat_mut(0..100).fill(6.0);
        let address = series.as_slice().as_ptr();
        series.resize(1);
        assert_eq!(series.len(), 1);
        series.resize(100);
        assert_eq!(series.as_slice().as_ptr(), address);
        assert_eq!(series.flat(0..1), [6.0; 3]);
        assert_eq!(series.flat(1..100), [0.0; 297]);
        series.flat_mut(0..100).fill(7.0);
        series.resize(40);
        series.resize(90);
        assert_eq!(series.flat(0..40), [7.0; 120]);
        assert_eq!(series.flat(40..90), [0.0; 150]);
    }

    #[test]
    fn pairs_and_steps() {
        let mut series = Series::<[u32; 2]>::default();
        series.resize(3);
        series.step_mut(1)[0] = 9;
        let (now, next) = series.flat_pair(1);
        next[1] = now[0] + 1;
        assert_eq!(series.step(2), &[0, 10]);
        let (now, next) = series.flat_pair_back(0);
        now[0] = next[0];
        assert_eq!(series.as_slice(), [[9, 0], [9, 0], [0, 10]]);
        series.fill_zero(1..3);
        let copy = series.clone();
        assert_eq!(copy.as_slice(), [[9, 0], [0, 0], [0, 0]]);
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&copy);
    }

    #[test]
    fn zero_sized_blocks() {
        let mut series = Series::<SMatrix<f32, 0, 1>>::new();
        series.resize(3);
        assert_eq!(series.len(), 3);
        assert!(series.flat(0..3).is_empty());
        let _ = series.clone();
    }
}
