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

pub fn main() {
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
