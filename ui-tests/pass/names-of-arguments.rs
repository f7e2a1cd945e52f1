// Values with the names of arguments, methods and generics of generated code.

#![deny(warnings)]

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Odd<I, H, C, D> {
        input   xs: [I], tape: [H];
        context ctx: [C], lengths: [D];
        state   dstate: [H], dys: [H];
        param   grads: [H, I], zeros: [H, C], step: [H, D], init: [H], forward, backward: [];

        dxs = grads @ xs + zeros @ ctx + step @ lengths + init * tape;
        isa = forward * dxs + backward * dys[t-1];
        rng = isa;
        dstate = tanh(rng) + dstate[t-1];
        dys = dstate + tape;

        output dstate, dxs;
    }
}

rnn_cell! {
    /// Values whose names start like those of the buffers of other values.
    pub cell Prefixed<H> {
        input x: [H];
        state h: [H];
        param W, U, V: [H, H];

        value_k = W @ x;
        k = V @ value_k;
        value_h = tanh(U @ h[t-1]);
        value_value_h = V @ (value_h * k);
        h = tanh(value_k + value_value_h) * k;

        output h, value_h, value_k, k;
    }
}

pub fn main() {
    let prefixed = Prefixed::<2>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    let xs = [SVector::<f32, 2>::new(0.1, 0.2); 3];
    let (mut state, mut streamed) = (prefixed.zero_state(), prefixed.zero_state());
    prefixed.run(&xs, &mut state);
    for x in &xs {
        prefixed.step(x, &mut streamed);
    }
    assert!((state.h - streamed.h).amax() < 1e-6 && state.h.amax() > 1e-3);

    let cell = Odd::<1, 2, 3, 4>::zeros();
    let context = OddContext { ctx: SVector::zeros(), lengths: SVector::zeros() };
    let mut state = cell.zero_state();
    let xs = vec![OddInput { xs: SVector::zeros(), tape: SVector::zeros() }; 2];
    let mut tape = cell.tape();
    let dys = cell.forward((&xs, &context), &mut state, &mut tape).to_vec();
    let mut grads = Odd::zeros();
    let mut dcontext = OddContext { ctx: SVector::zeros(), lengths: SVector::zeros() };
    let bars = Bars::of(&mut grads).state(&mut state).context(&mut dcontext);
    cell.backward((&xs, &context), &mut tape, &dys, bars);
    assert_eq!(grads.grads.norm() + dcontext.ctx.norm(), 0.0);
}
