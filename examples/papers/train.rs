//! The trait of the cells that the tasks compare.

use nalgebra::SMatrix;
use rnn_cell::cell::{Layer, ModelMut};

type Step<const N: usize, const B: usize> = SMatrix<f32, N, B>;

/// A cell such as an LSTM, a GRU or a tanh network that reads vectors of `I` and returns vectors of
/// `H` numbers for `B` sequences at a time.
pub trait Recurrent<const I: usize, const H: usize, const B: usize>:
    ModelMut<Scalar = f32>
    + Layer<B, Context = (), Input = Step<I, B>, InputBar = Step<I, B>, Output = Step<H, B>>
{
}

impl<C, const I: usize, const H: usize, const B: usize> Recurrent<I, H, B> for C where
    C: ModelMut<Scalar = f32>
        + Layer<B, Context = (), Input = Step<I, B>, InputBar = Step<I, B>, Output = Step<H, B>>
{
}
