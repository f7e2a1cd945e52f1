// A whole cell in PyTorch's notation: every habit gets its own line.

use nalgebra::SVector;
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Elman<I, H> {
        input x: [I];
        state h, c: [H];
        param W_i, W_f, W_g: [H, H + I];
        param b_f: [H] = 1;

        z = torch.cat((h_prev, x));
        i = torch.sigmoid(W_i.dot(z));
        f = (W_f @ z + b_f).sigmoid();
        c = f * c[t-1];
        c += i * np.tanh(matmul(W_g, z));
        h = c ** 2;

        output h;
    }
}

fn main() {
    let cell = Elman::<3, 4>::zeros();
    let mut state = cell.zero_state();
    let y = cell.step(&SVector::zeros(), &mut state);
    println!("{}", y[0]);
}
