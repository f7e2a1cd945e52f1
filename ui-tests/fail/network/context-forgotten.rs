// The pass leaves out the memory that the decoder reads; the backward pass its cotangent.

use rnn_cell::cells::{DotAttention, DotAttentionContext};
use rnn_cell::prelude::*;

fn main() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let attention = DotAttention::<4, 6>::init(&mut rng);
    let xs = vec![SVector::<f32, 4>::zeros(); 5];
    let context = DotAttentionContext::<4, 6>::default();
    let (mut state, mut tape) = (attention.initial_state_with(&context), attention.tape());
    let ys = attention.forward(&xs, &mut state, &mut tape).to_vec();
    let mut gradients = attention.zero_gradients();
    attention.backward((&xs, &context), &mut tape, &ys, &mut gradients);
}
