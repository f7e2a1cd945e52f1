// A column broadcasts over the columns of a matrix with as many rows; NumPy's last-axis rule is not
// the language's.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Memory<E, S> {
        context M: [E, S], mask: [S];
        state   h: [E];

        h = tanh(row_sum(M * mask)) + h[t-1];

        output h;
    }
}

fn main() {
    let cell: Memory<2, 3> = Memory::zeros();
    println!("{}", cell.zero_state::<1>().h[0]);
}
