//! The tensors that the array of weights of a file consists of.

use alloc::string::String;
use alloc::vec::Vec;

/// A tensor in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name in the mapping of the network.
    pub(super) name: String,
    /// The shape of the parameter.
    pub(super) shape: Vec<usize>,
    /// The number of taps of a convolution. They are the fastest index in a file, and the slowest
    /// index of a row of the parameter.
    pub(super) taps: usize,
}

impl Entry {
    /// Creates a tensor whose values are row by row in the file.
    pub(super) fn new(name: String, shape: Vec<usize>) -> Self {
        Entry { name, shape, taps: 1 }
    }

    /// Returns the number of values.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Reorders the values of a file for the parameter, row by row.
    pub(super) fn from_file(&self, values: &[f64]) -> Vec<f64> {
        let columns = self.columns();
        (0..values.len())
            .map(|index| {
                let (row, column) = (index / columns, index % columns);
                let (tap, input) = (column / (columns / self.taps), column % (columns / self.taps));
                values[row * columns + input * self.taps + tap]
            })
            .collect()
    }

    /// Reorders the values of the parameter, row by row, for a file.
    pub(super) fn to_file<T: Copy>(&self, values: &[T]) -> Vec<T> {
        let columns = self.columns();
        (0..values.len())
            .map(|index| {
                let (row, column) = (index / columns, index % columns);
                let (input, tap) = (column / self.taps, column % self.taps);
                values[row * columns + tap * (columns / self.taps) + input]
            })
            .collect()
    }

    fn columns(&self) -> usize {
        self.shape.get(1).copied().unwrap_or(1).max(1)
    }
}
