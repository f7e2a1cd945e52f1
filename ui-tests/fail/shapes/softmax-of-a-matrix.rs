// A softmax runs over the entries of a vector or a row; over which side of a matrix can't be
// guessed.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Memory<E, S> {
        context M: [E, S];
        state   h: [E];

        h = row_sum(softmax(M)) + h[t-1];

        output h;
    }
}

fn main() {
    let cell: Memory<2, 3> = Memory::zeros();
    println!("{}", cell.zero_state::<1>().h[0]);
}
