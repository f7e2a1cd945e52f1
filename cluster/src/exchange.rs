//! The operations in which all processes take part.

use std::ops::Range;

use mpi::Count;
use mpi::collective::SystemOperation;
use mpi::datatype::{Partition, PartitionMut};
use mpi::point_to_point::send_receive_into;
use mpi::topology::Communicator;
use mpi::traits::CommunicatorCollectives;
use rnn_cell::Scalar;
use rnn_cell::train::{add_pairs, pairs};

use crate::Mpi;
use crate::number::{Number, add};

/// The largest number of elements of a buffer. MPI counts in 32 bits.
const MOST: usize = 1 << 28;

/// Sets `sum` to the pairwise sum of the vectors of all `parts` parts. `own` are the vectors of
/// this process.
pub(crate) fn ordered_sum<C, T: Scalar>(mpi: &Mpi<C>, parts: usize, own: &mut [&mut [T]], sum: &mut [T]) {
    let own_parts = mpi.parts_of(mpi.rank, parts);
    let start = own_parts.start;
    add_pairs(parts, own_parts, own);
    if let [own, ..] = own
        && mpi.size.is_power_of_two()
        && parts.is_multiple_of(mpi.size)
        && (parts / mpi.size).is_power_of_two()
    {
        for range in pieces(sum.len(), MOST) {
            halve(mpi, &own[range.clone()], &mut sum[range]);
        }
        return;
    }
    let blocks: Vec<Vec<usize>> =
        (0..mpi.size).map(|rank| blocks(parts, mpi.parts_of(rank, parts))).collect();
    let own: Vec<&[T]> = blocks[mpi.rank].iter().map(|block| &*own[block - start]).collect();
    let most = blocks.iter().map(Vec::len).max().unwrap_or(1);
    for range in pieces(sum.len(), MOST / most) {
        let own: Vec<&[T]> = own.iter().map(|vector| &vector[range.clone()]).collect();
        scatter(mpi, &blocks, &own, &mut sum[range]);
    }
}

/// Returns the numbers of the vectors that are left of those in `own` after the additions that
/// concern them alone.
fn blocks(parts: usize, own: Range<usize>) -> Vec<usize> {
    let mut is_left = vec![true; own.len()];
    pairs(parts, own.clone()).for_each(|(_, right)| is_left[right - own.start] = false);
    own.zip(is_left).filter(|(_, is_left)| *is_left).map(|(block, _)| block).collect()
}

/// Returns the ranges of at most `length` elements that `count` elements consist of.
fn pieces(count: usize, length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(length).map(move |start| start..count.min(start + length))
}

/// Sets `sum` to the pairwise sum of one vector of each process, whose number is a power of two.
///
/// In each round, neighbours at a distance of 1, 2, 4, .. exchange halves of their ranges of
/// elements, and each adds up one half. The rounds in reverse order collect the sums.
fn halve<C, T: Scalar>(mpi: &Mpi<C>, own: &[T], sum: &mut [T]) {
    let world = mpi.world();
    let mut numbers: Vec<Number<T>> = own.iter().copied().map(Number).collect();
    let mut received = vec![Number(T::of(0.0)); own.len().div_ceil(2)];
    let mut range = 0..own.len();
    let mut rounds = Vec::new();
    let mut distance = 1;
    while distance < mpi.size {
        let middle = range.start + range.len() / 2;
        let (first, second) = (range.start..middle, middle..range.end);
        let is_left = mpi.rank & distance == 0;
        let (kept, given) = if is_left { (first, second) } else { (second, first) };
        let neighbour = world.process_at_rank((mpi.rank ^ distance) as Count);
        let received = &mut received[..kept.len()];
        send_receive_into(&numbers[given.clone()], &neighbour, received, &neighbour);
        add(&mut numbers[kept.clone()], received);
        rounds.push((neighbour, given));
        range = kept;
        distance *= 2;
    }
    for (neighbour, given) in rounds.iter().rev() {
        // The neighbour has the sums of the half that it was given.
        let joined = range.start.min(given.start)..range.end.max(given.end);
        let joined_numbers = &mut numbers[joined.clone()];
        if range.start == joined.start {
            let (own, others) = joined_numbers.split_at_mut(range.len());
            send_receive_into(own, neighbour, others, neighbour);
        } else {
            let (others, own) = joined_numbers.split_at_mut(given.len());
            send_receive_into(own, neighbour, others, neighbour);
        }
        range = joined;
    }
    sum.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum = number.0);
}

/// Sets `sum` to the pairwise sum of all vectors. `blocks` are the numbers of each process's
/// vectors; this process has `own`.
///
/// Each process receives one slice of all vectors, adds it up, and sends the sum to all.
fn scatter<C, T: Scalar>(mpi: &Mpi<C>, blocks: &[Vec<usize>], own: &[&[T]], sum: &mut [T]) {
    let world = mpi.world();
    let slice = |rank: usize| sum.len() * rank / mpi.size..sum.len() * (rank + 1) / mpi.size;
    let slices: Vec<Range<usize>> = (0..mpi.size).map(slice).collect();
    let length = slices[mpi.rank].len();

    let send: Vec<Number<T>> = slices
        .iter()
        .flat_map(|slice| own.iter().flat_map(|vector| vector[slice.clone()].iter().copied().map(Number)))
        .collect();
    let send_layout = Layout::new(slices.iter().map(|slice| own.len() * slice.len()));
    let layout = Layout::new(blocks.iter().map(|blocks| blocks.len() * length));
    let mut received = vec![Number(T::of(0.0)); layout.total];
    world.all_to_all_varcount_into(
        &Partition::new(&*send, send_layout.counts, send_layout.starts),
        &mut PartitionMut::new(&mut *received, layout.counts, layout.starts),
    );

    let mut total = vec![Number(T::of(0.0)); length];
    if length > 0 {
        let parts = blocks.iter().flatten().max().map_or(0, |last| last + 1);
        let mut vectors: Vec<Option<&mut [Number<T>]>> = (0..parts).map(|_| None).collect();
        for (block, vector) in blocks.iter().flatten().zip(received.chunks_mut(length)) {
            vectors[*block] = Some(vector);
        }
        for (left, right) in pairs(parts, 0..parts) {
            // The others were added by one process.
            if let Some(right) = vectors[right].take()
                && let Some(left) = &mut vectors[left]
            {
                add(left, right);
            }
        }
        if let Some(Some(sum)) = vectors.first() {
            total.copy_from_slice(sum);
        }
    }

    let layout = Layout::new(slices.iter().map(Range::len));
    let mut all = vec![Number(T::of(0.0)); layout.total];
    world.all_gather_varcount_into(&*total, &mut PartitionMut::new(&mut *all, layout.counts, layout.starts));
    sum.iter_mut().zip(&all).for_each(|(sum, number)| *sum = number.0);
}

/// Sets `sum` to the sum of the vectors of all processes in any order.
pub(crate) fn unordered_sum<C, T: Scalar>(mpi: &Mpi<C>, own: &mut [&mut [T]], sum: &mut [T]) {
    add_pairs(own.len(), 0..own.len(), own);
    let own = own.first();
    for range in pieces(sum.len(), MOST) {
        let numbers: Vec<Number<T>> = match own {
            Some(own) => own[range.clone()].iter().copied().map(Number).collect(),
            None => vec![Number(T::of(0.0)); range.len()],
        };
        let mut total = vec![Number(T::of(0.0)); range.len()];
        mpi.world().all_reduce_into(&*numbers, &mut *total, SystemOperation::sum());
        sum[range].iter_mut().zip(&total).for_each(|(sum, number)| *sum = number.0);
    }
}

/// Returns the bytes of every process.
pub(crate) fn all_gather<C>(mpi: &Mpi<C>, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lengths = vec![0_u64; mpi.size];
    mpi.world().all_gather_into(&(bytes.len() as u64), &mut *lengths);
    let longest = lengths.iter().copied().max().unwrap_or(0) as usize;
    let mut all = vec![Vec::new(); mpi.size];
    for range in pieces(longest, MOST / mpi.size) {
        let within = |length: usize| length.min(range.start)..length.min(range.end);
        let layout = Layout::new(lengths.iter().map(|length| within(*length as usize).len()));
        let mut received = vec![0; layout.total];
        let counts = layout.counts.clone();
        mpi.world().all_gather_varcount_into(
            &bytes[within(bytes.len())],
            &mut PartitionMut::new(&mut *received, layout.counts, layout.starts),
        );
        let mut rest = &*received;
        for (all, count) in all.iter_mut().zip(counts) {
            all.extend(rest.split_off(..count as usize).expect("the counts of the layout"));
        }
    }
    all
}

/// The parts of a buffer, one per process, which follow one another.
struct Layout {
    counts: Vec<Count>,
    starts: Vec<Count>,
    total: usize,
}

impl Layout {
    fn new(lengths: impl Iterator<Item = usize>) -> Self {
        let mut layout = Layout { counts: Vec::new(), starts: Vec::new(), total: 0 };
        for length in lengths {
            layout.counts.push(length as Count);
            layout.starts.push(layout.total as Count);
            layout.total += length;
        }
        layout
    }
}
