// Generated cells in code that is generic over their dimensions, their scalar, the batch, and the
// traits.

use nalgebra::{SMatrix, SVector};
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, H + I], b: [H];

        h = tanh(W @ [h[t-1], x] + b);

        output h;
    }
}

struct Network<const I: usize, const H: usize, T: Scalar> {
    lower: Elman<I, H, T>,
    upper: Elman<H, 2, T>,
}

impl<const I: usize, const H: usize, T: Scalar> Network<I, H, T> {
    fn step<const B: usize>(
        &self,
        x: &SMatrix<T, I, B>,
        state: &mut (ElmanState<H, B, T>, ElmanState<2, B, T>),
    ) -> SMatrix<T, 2, B> {
        let h = self.lower.step(x, &mut state.0);
        self.upper.step(&h, &mut state.1)
    }
}

fn parameters<M: Model>(model: &M) -> Vec<String> {
    let mut names = vec![];
    model.visit(&mut |parameter| names.push(parameter.name.to_owned()));
    names.dedup();
    names
}

fn last<const B: usize, L>(layer: &L, xs: &[L::Input], state: &mut L::State) -> L::Output
where
    L: Layer<B, Context = ()>,
{
    layer.forward(xs, state, &mut layer.tape()).last().expect("a step").clone()
}

pub fn main() {
    let network = Network::<3, 4, f64> { lower: Elman::zeros(), upper: Elman::zeros() };
    let mut state = (network.lower.zero_state::<5>(), network.upper.zero_state());
    assert_eq!(network.step(&SMatrix::zeros(), &mut state).shape(), (2, 5));
    assert_eq!(parameters(&network.upper), ["W", "b"]);
    let mut state = network.lower.zero_state();
    assert_eq!(last::<1, _>(&network.lower, &[SVector::zeros(); 3], &mut state).norm(), 0.0);
}
