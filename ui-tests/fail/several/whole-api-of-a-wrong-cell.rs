// One mistake in the only equation; all that a program does with the cell must still type-check.

use nalgebra::SVector;
use rnn_cell::prelude::*;

fn trained<L: Layer<1, Input = SVector<f32, 3>, Output = SVector<f32, 4>>>(layer: &L) -> usize {
    layer.parameter_count()
}

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];

        h = tanh(W @ x + V @ h[t-1]) + U @ h[t-1];

        output h;
    }
}

fn main() {
    let mut cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state::<1>();
    let y = cell.step(&SVector::zeros(), &mut state);
    let xs = vec![SVector::<f32, 3>::zeros(); 5];
    let mut tape = cell.tape();
    let ys = cell.forward(&xs, &mut state, &mut tape);
    let dys = ys.to_vec();
    let mut dstate: ElmanState<4> = cell.zero_state();
    let mut grads = cell.clone();
    cell.backward(&xs, &mut tape, &dys, Bars::of(&mut grads).state(&mut dstate));
    cell.W += grads.W;
    println!("{} {} {}", y[0], trained(&cell), Elman::<3, 4>::PARAMETER_COUNT);
}
