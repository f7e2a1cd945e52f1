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
}

const KINDS: [(Kind, &str); 3] = [(Kind::Lstm, "LSTM"), (Kind::Gru, "GRU"), (Kind::Peephole, "peephole")];

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, name) = KINDS.iter().find(|(kind, _)| kind == self).unwrap_or(&KINDS[0]);
        f.write_str(name)
    }
}

/// The work requested from a library: one step at batch 1, or a training pass over
/// [`STEPS`](crate::work::STEPS) steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The batch size of a training pass, or `None` for a step.
    pub batch: Option<usize>,
    /// The cell.
    pub kind: Kind,
    /// The input and state sizes.
    pub size: (usize, usize),
    /// The name of the library.
    pub library: &'a str,
}

impl<'a> Request<'a> {
    /// Parses the words that [`Display`](fmt::Display) writes.
    pub fn read(words: &[&'a str]) -> Option<Self> {
        let kind = |name: &str| KINDS.iter().find(|(_, own)| *own == name).map(|(kind, _)| *kind);
        let number = |word: &str| word.parse::<usize>().ok();
        let (batch, name, i, h, library) = match *words {
            ["step", name, i, h, library] => (None, name, i, h, library),
            ["training", batch, name, i, h, library] => (Some(number(batch)?), name, i, h, library),
            _ => return None,
        };
        Some(Request { batch, kind: kind(name)?, size: (number(i)?, number(h)?), library })
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { batch, kind, size: (i, h), library } = self;
        match batch {
            None => write!(f, "step {kind} {i} {h} {library}"),
            Some(batch) => write!(f, "training {batch} {kind} {i} {h} {library}"),
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
