//! What the tasks compare.

use nalgebra::SMatrix;
use rnn_cell::cell::{Layer, ModelMut};

/// A cell that reads vectors of `I` and returns vectors of `H` numbers, `B` sequences at a time: LSTM, GRU, tanh network.
pub trait Recurrent<const I: usize, const H: usize, const B: usize>:
    ModelMut<Scalar = f32>
    + Layer<B, Input = SMatrix<f32, I, B>, InputBar = SMatrix<f32, I, B>, Output = SMatrix<f32, H, B>>
{
}

impl<C, const I: usize, const H: usize, const B: usize> Recurrent<I, H, B> for C where
    C: ModelMut<Scalar = f32>
        + Layer<B, Input = SMatrix<f32, I, B>, InputBar = SMatrix<f32, I, B>, Output = SMatrix<f32, H, B>>
{
}
