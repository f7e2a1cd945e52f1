// `pad` makes a batch of samples; these are batches already.

use rnn_cell::data::pad;
use rnn_cell::prelude::*;

fn main() {
    let steps = vec![SMatrix::<f32, 3, 2>::zeros(); 5];
    let batch = pad::<_, 2>(&[steps]);
    println!("{:?}", batch.lengths);
}
