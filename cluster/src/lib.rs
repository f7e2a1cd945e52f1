//! Data-parallel training of [`rnn-cell`](rnn_cell) models on several machines, over MPI.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use rnn_cell::cells::{Dense, Lstm};
//! use rnn_cell::data::pad;
//! use rnn_cell::prelude::*;
//! use rnn_cell::train::loss::softmax_cross_entropy_weighted;
//! use rnn_cell::train::{Error, LayerPart, Trainer};
//! use rnn_cell_cluster::Mpi;
//!
//! type Net = Stack<Lstm<8, 64>, Dense<64, 10>>;
//! type Sample = (Vec<SVector<f32, 8>>, u32);
//!
//! fn main() -> ExitCode {
//!     rnn_cell_cluster::run(train)
//! }
//!
//! fn train(mpi: Mpi) -> Result<(), Error> {
//! #   let read_samples = Vec::new;
//!     let samples: Vec<Sample> = read_samples();
//!     let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//!     let net = Stack::new(Lstm::init(&mut rng), Dense::init(&mut rng));
//!     // A batch has four parts of 16 samples, which the processes divide among themselves.
//!     let mut trainer = Trainer::new::<16>(net, Adam::new(1e-3)).parts(4).workers(mpi);
//!     trainer.fit(&samples, loss).epochs(10).checkpoint("training.safetensors", 100).run()?;
//!     Ok(())
//! }
//!
//! fn loss(part: &mut LayerPart<'_, Net, Sample, 16>) -> f64 {
//!     let batch = pad(&part.samples.iter().map(|sample| &sample.0).collect::<Vec<_>>());
//!     let classes = part.labels(|sample| sample.1);
//!     part.sequence(&batch, |out| {
//!         out.last_step(|y, weights| softmax_cross_entropy_weighted(y, &classes, weights))
//!     })
//! }
//! ```
//!
//! `mpirun -n 4 PROGRAM` runs the program in four processes, and `PROGRAM` alone in one.
//!
//! # Contract
//! - Every process runs the same program, with the same settings, a model of the same seed, and the
//!   list of all samples. A sample may be an index or a path: each process reads only the [samples
//!   of its own parts](rnn_cell::train::Part::samples). Differences are an error at the start, and
//!   after every epoch.
//! - The result has the same bits for any number of processes and threads, if the machines round
//!   alike. Machines with different instruction sets need the feature `deterministic` of
//!   `rnn-cell`.
//! - The first process reads and writes checkpoints and calls
//!   [`each_epoch`](rnn_cell::train::Fit::each_epoch). No other process needs the file.
//! - A process that fails, panics or is killed ends the job. It resumes from the last checkpoint
//!   when it is started again, on any number of processes.
//!
//! The README of the package says how to install MPI, and what an update costs on many machines.

mod exchange;
mod number;

use std::fmt::Display;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use mpi::Threading;
use mpi::topology::{Communicator, SimpleCommunicator};
use rnn_cell::Scalar;
use rnn_cell::train::{OneThread, Threads, Workers};

/// Runs `program` in this process of an MPI job, and returns the exit code for `main`.
///
/// An error or a panic ends all processes of the job, with a message that names the process.
/// Without `mpirun` the job has one process.
///
/// # Panics
/// Panics if MPI was initialised before.
pub fn run<E: Display>(program: impl FnOnce(Mpi) -> Result<(), E>) -> ExitCode {
    let (universe, threading) =
        mpi::initialize_with_threading(Threading::Serialized).expect("MPI is initialised once in a process");
    let world = universe.world();
    assert!(threading >= Threading::Serialized, "this MPI cannot be called by threads");
    let (rank, size) = (world.rank() as usize, world.size() as usize);
    let mpi = Mpi { rank, size, is_ordered: true, inner: OneThread };
    let of = if size == 1 { String::new() } else { format!("process {rank} of {size}: ") };
    let message = match catch_unwind(AssertUnwindSafe(|| program(mpi))) {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => format!("error: {of}{error}"),
        // The panic has printed a message without the number of the process.
        Err(_) => format!("error: {of}the program panicked"),
    };
    if rank > 0 {
        // Most errors occur in all processes. Then the first one reports it for all.
        std::thread::sleep(Duration::from_secs(1));
    }
    eprintln!("{message}");
    if size > 1 {
        // The other processes may be waiting for this one.
        world.abort(1);
    }
    ExitCode::FAILURE
}

/// The processes of an MPI job as [`Workers`]. [`run`] makes it.
///
/// Each process computes consecutive parts of a batch, one after the other or on
/// [threads](Self::threads).
///
/// # Traffic
/// With one part per process, or a power of two of them, a process sends and receives at most
/// `2 n (p - 1) / p` scalars per update, where `n` is the number of parameters and `p` that of
/// processes: as many as any all-reduce. If `p` is a power of two as well, this takes `2 log2 p`
/// messages: recursive halving, then doubling (Thakur, Rabenseifner & Gropp 2005, "Optimization of
/// collective communication operations in MPICH"), whose order of additions is
/// [pairwise](rnn_cell::train::pairs). Otherwise it takes two collective operations of `p - 1`
/// messages each. Any other number `k` of parts per process costs up to `2 log2 k` times as much in
/// one direction.
#[derive(Debug, Clone, Copy)]
pub struct Mpi<C = OneThread> {
    rank: usize,
    size: usize,
    is_ordered: bool,
    inner: C,
}

impl<C> Mpi<C> {
    /// Returns the number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Returns the number of processes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Computes the parts of each process on the threads of rayon.
    ///
    /// `mpirun` binds each process to one core by default. `--bind-to none`, or
    /// `--map-by ppr:1:node:pe=CORES`, gives it more.
    #[must_use]
    pub fn threads(self) -> Mpi<Threads> {
        let Mpi { rank, size, is_ordered, .. } = self;
        Mpi { rank, size, is_ordered, inner: Threads }
    }

    /// Adds up the gradients of the processes in the order that MPI prefers (`MPI_Allreduce`). The
    /// result then depends on the number of processes, by rounding. It can save time if that number
    /// is no power of two.
    #[must_use]
    pub fn unordered(self) -> Self {
        Mpi { is_ordered: false, ..self }
    }

    /// Returns the parts that the process `rank` computes.
    fn parts_of(&self, rank: usize, parts: usize) -> Range<usize> {
        rank * parts / self.size..(rank + 1) * parts / self.size
    }

    fn world(&self) -> SimpleCommunicator {
        SimpleCommunicator::world()
    }
}

impl<C: Workers> Workers for Mpi<C> {
    fn own(&self, parts: usize) -> Range<usize> {
        self.parts_of(self.rank, parts)
    }

    fn each<P: Send>(&self, own: &mut [P], work: impl Fn(usize, &mut P) + Sync) {
        self.inner.each(own, work);
    }

    fn sum<T: Scalar>(&self, parts: usize, own: &mut [&mut [T]], sum: &mut [T]) {
        match (self.size, self.is_ordered) {
            (1, _) => self.inner.sum(parts, own, sum),
            (_, true) => exchange::ordered_sum(self, parts, own, sum),
            (_, false) => exchange::unordered_sum(self, own, sum),
        }
    }

    fn all_gather(&self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if self.size == 1 { vec![bytes] } else { exchange::all_gather(self, &bytes) }
    }

    fn is_first(&self) -> bool {
        self.rank == 0
    }
}
