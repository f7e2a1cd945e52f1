//! The requests to the processes that run other libraries.

use std::fmt;

/// The cells that other libraries have too. The GRU is the variant of PyTorch and cuDNN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The LSTM.
    Lstm,
    /// The GRU with the reset after the product.
    Gru,
    /// The LSTM with peepholes, which users of other libraries write themselves.
    Peephole,
    /// The LSTM with [`HEADS`] heads, which they write themselves too: its recurrent matrices are
    /// block-diagonal.
    BlockDiagonal,
    /// The causal convolution over [`WIDTH`] consecutive steps.
    Convolution,
}

/// The number of heads of [`Kind::BlockDiagonal`].
pub const HEADS: usize = 4;

/// The width of [`Kind::Convolution`].
pub const WIDTH: usize = 3;

const KINDS: [(Kind, &str); 5] = [
    (Kind::Lstm, "LSTM"),
    (Kind::Gru, "GRU"),
    (Kind::Peephole, "peephole"),
    (Kind::BlockDiagonal, "block-diagonal"),
    (Kind::Convolution, "convolution"),
];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name) = KINDS.iter().find(|(kind, _)| kind == self).unwrap_or(&KINDS[0]);
        f.write_str(name)
    }
}

/// A workload of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// One step at batch 1.
    Step,
    /// The outputs of [`STEPS`](crate::work::STEPS) steps of a batch, without residuals.
    Run(usize),
    /// A forward and a backward pass through as many steps of a batch.
    Training(usize),
}

/// The work requested from a library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The workload.
    pub task: Task,
    /// The cell.
    pub kind: Kind,
    /// The sizes of the input and of the state or output.
    pub size: (usize, usize),
    /// The name of the library.
    pub library: &'a str,
}

impl<'a> Request<'a> {
    /// Parses the words that [`Display`](fmt::Display) writes.
    pub fn read(words: &[&'a str]) -> Option<Self> {
        let kind = |name: &str| KINDS.iter().find(|(_, own)| *own == name).map(|(kind, _)| *kind);
        let number = |word: &str| word.parse::<usize>().ok();
        let (task, name, i, h, library) = match *words {
            ["step", name, i, h, library] => (Task::Step, name, i, h, library),
            ["run", batch, name, i, h, library] => (Task::Run(number(batch)?), name, i, h, library),
            ["training", batch, name, i, h, library] => (Task::Training(number(batch)?), name, i, h, library),
            _ => return None,
        };
        Some(Request { task, kind: kind(name)?, size: (number(i)?, number(h)?), library })
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { task, kind, size: (i, h), library } = self;
        match task {
            Task::Step => write!(f, "step {kind} {i} {h} {library}"),
            Task::Run(batch) => write!(f, "run {batch} {kind} {i} {h} {library}"),
            Task::Training(batch) => write!(f, "training {batch} {kind} {i} {h} {library}"),
        }
    }
}

/// The libraries that run single steps, in the order of their columns.
pub const STEPPING: [&str; 8] =
    ["nexus-inference", "nexus-native", "candle", "burn", "tract", "ONNX-Runtime", ONNX_SEQUENCE, "PyTorch"];

/// The name of a call over [`SEQUENCE`] steps.
pub const ONNX_SEQUENCE: &str = "ONNX-Runtime-1000";

/// The number of steps of that call.
pub const SEQUENCE: usize = 1000;

/// The libraries that train.
pub const TRAINING: [&str; 4] = ["candle", "burn", "PyTorch", "JAX"];
