// What is stacked must agree in its columns: `S` and `D` differ.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Memory<E, S, D, H> {
        context M: [E, S], N: [E, D];
        state   h: [H];
        param   U: [H, 2*E];

        h = tanh(row_sum(U @ [M, N])) * h[t-1];

        output h;
    }
}

fn main() {
    let cell = Memory::<2, 3, 4, 5>::zeros();
    println!("{}", cell.U[(0, 0)]);
}
