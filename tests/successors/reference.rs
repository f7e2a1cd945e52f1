//! Plain reference code for the cells: vectors of numbers and loops.

use nalgebra::SMatrix;

/// A sequence with one row per step, or the rows of a matrix.
pub type Sequence = Vec<Vec<f64>>;

pub fn matrix<const R: usize, const C: usize>(matrix: &SMatrix<f64, R, C>) -> Sequence {
    (0..R).map(|r| row(matrix, r)).collect()
}

pub fn row<const R: usize, const C: usize>(matrix: &SMatrix<f64, R, C>, row: usize) -> Vec<f64> {
    matrix.row(row).iter().copied().collect()
}

pub fn column(rows: &Sequence, column: usize) -> Vec<f64> {
    rows.iter().map(|row| row[column]).collect()
}

pub fn times(matrix: &Sequence, x: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| row.iter().zip(x).map(|(a, b)| a * b).sum()).collect()
}

/// Computes the causal convolution of a signal with a kernel.
pub fn convolve(kernel: &[f64], signal: &[f64]) -> Vec<f64> {
    let at = |t: usize| kernel.iter().take(t + 1).enumerate().map(|(ago, k)| k * signal[t - ago]).sum();
    (0..signal.len()).map(at).collect()
}

pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

pub fn silu(x: f64) -> f64 {
    x * sigmoid(x)
}

pub fn softplus(x: f64) -> f64 {
    x.exp().ln_1p()
}
