// Nine mistakes of every stage in one definition, all in one compilation.

use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input   x: [I], m: [H];
        context key: [H];
        state   h, c, c: [H];
        param   W: [H, I], U: [H, H], R: [I, H];
        param   b: [H] = lecun_norml;
        let     z = W @ x + b;
        i = sigmoid(R @ x);
        f = sigmoid(W @ x, 1);
        g = tahn(W @ x + U * h[t-1]);
        c = f * c[t+1] + i * g;
        h = tanh(z) * key + y;

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    println!("{}", cell.W[(0, 0)]);
}
