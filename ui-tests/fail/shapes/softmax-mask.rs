// The scores are a row, the mask a column of another size.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Memory<E, S> {
        context M: [E, S], mask: [E];
        state   h: [E];

        a = softmax(h[t-1].T @ M, mask);
        h = tanh(M @ a.T);

        output h;
    }
}

fn main() {
    let cell: Memory<2, 3> = Memory::zeros();
    println!("{}", cell.zero_state::<1>().h[0]);
}
