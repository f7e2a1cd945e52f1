//! A large cell on a small stack.

use nalgebra::{SMatrix, SVector};
use rnn_cell::prelude::*;
use tests::exactness::rng;

rnn_cell! {
    /// An LSTM without orthogonal initialisation, which takes 15 seconds at this size in an
    /// unoptimised build.
    pub cell Large<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_i, W_f, W_g, W_o: [H, I] = xavier_uniform;
        param  U_i, U_f, U_g, U_o: [H, H] = xavier_uniform;
        param  b_i, b_f, b_g, b_o: [H];

        i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ h[t-1] + b_f);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
        c = f * c[t-1] + i * g;
        h = o * tanh(c);

        output h;
    }
}

/// The default stack size of a spawned thread.
const STACK: usize = 2 << 20;

const SIZE: usize = 512;

/// Runs a cell with 8 MiB of parameters and 8 MiB of gradients in a build without optimisation,
/// where every value that is passed by value is copied.
#[test]
fn large_cells_need_no_stack() {
    let run = std::thread::Builder::new().stack_size(STACK).spawn(|| {
        let mut cell = Large::<SIZE, SIZE>::init_boxed(&mut rng(1));
        assert!(size_of_val(&*cell) > 3 * STACK);

        let mut state = cell.zero_state();
        let x = SVector::<f32, SIZE>::repeat(0.1);
        let y = cell.step(&x, &mut state);
        assert!(y.iter().any(|y| *y != 0.0));

        let xs = vec![SMatrix::<f32, SIZE, 2>::repeat(0.1); 2];
        let (mut state, mut tape) = (cell.initial_state(), cell.tape());
        let dys = cell.forward(&xs, &mut state, &mut tape).to_vec();
        let mut grads = Large::<SIZE, SIZE>::zeros_boxed();
        let mut dxs = xs.clone();
        cell.backward(&xs, &mut tape, &dys, Bars::of(&mut grads).inputs(&mut dxs));
        assert!(dxs[0].iter().any(|dx| *dx != 0.0));

        let before = cell.U_i[(0, 0)];
        Adam::new(1e-3).step(&mut *cell, &*grads);
        assert!(cell.U_i[(0, 0)] != before);
    });
    run.expect("a thread").join().expect("a stack of 2 MiB is enough");
}
