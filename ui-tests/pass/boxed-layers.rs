// A `Box` of a layer is a layer: in a stack, alone, and as a trait object.

use rnn_cell::cell::Layer;
use rnn_cell::cells::{Dense, Lstm, LstmState, LstmTape};
use rnn_cell::prelude::*;

type Dynamic = Box<
    dyn Layer<
            1,
            Scalar = f32,
            Gradients = Lstm<3, 8>,
            Input = SVector<f32, 3>,
            Output = SVector<f32, 8>,
            InputBar = SVector<f32, 3>,
            Context = (),
            State = LstmState<8>,
            Tape = LstmTape<3, 8>,
        >,
>;

pub fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let lstm: Box<Lstm<3, 8>> = Lstm::init_boxed(&mut rng);
    let xs = vec![SVector::<f32, 3>::repeat(0.5); 5];
    let want = lstm.run(&xs, &mut lstm.initial_state());

    let dynamic: Dynamic = lstm.clone();
    assert_eq!(dynamic.run(&xs, &mut dynamic.initial_state_with(&())), want);

    let net = Stack::new(lstm, Dense::<8, 2>::init(&mut rng));
    let (mut state, mut tape) = (net.initial_state(), net.tape());
    let dys = net.forward(&xs, &mut state, &mut tape).to_vec();
    let mut gradients = net.zero_gradients();
    net.backward(&xs, &mut tape, &dys, &mut gradients);
    assert!(gradients.0.W_i.norm() > 0.0);
}
