//! A user's program, which `profiles` compiles under each profile: a user-defined cell and cells of
//! the library.

use benches::measure::{Calibrated, Effort, Work};
use benches::odd::FastWeights;
use benches::work::{STEPS, rng, step, train};
use rnn_cell::cells::LayerNormLstm;
use rnn_cell::prelude::*;

rnn_cell! {
    /// An LSTM with peepholes, as a user would write it.
    pub cell Peephole<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_i, W_f, W_g, W_o: [H, H + I] = xavier_uniform;
        param  b_i, b_f, b_g, b_o: [H];
        param  p_i, p_f, p_o: [H];

        i = sigmoid(W_i @ [h[t-1], x] + p_i * c[t-1] + b_i);
        f = sigmoid(W_f @ [h[t-1], x] + p_f * c[t-1] + b_f);
        g = tanh(W_g @ [h[t-1], x] + b_g);
        c = f * c[t-1] + i * g;
        o = sigmoid(W_o @ [h[t-1], x] + p_o * c + b_o);
        h = o * tanh(c);

        output h;
    }
}

fn main() -> std::io::Result<()> {
    Calibrated::serve(Effort::FULL.slice, |words| build(&words.join(" ")))
}

fn build(request: &str) -> Option<Work<'static>> {
    Some(match request {
        "step Peephole (1, 8)" => Box::new(step::<f32, 1, _>(Peephole::<1, 8>::init_boxed(&mut rng()))),
        "step Peephole (1, 32)" => Box::new(step::<f32, 1, _>(Peephole::<1, 32>::init_boxed(&mut rng()))),
        "step Peephole (1, 128)" => Box::new(step::<f32, 1, _>(Peephole::<1, 128>::init_boxed(&mut rng()))),
        "step Peephole (16, 32), batch 4" => {
            Box::new(step::<f32, 4, _>(Peephole::<16, 32>::init_boxed(&mut rng())))
        }
        "step LayerNormLstm (64, 64)" => {
            Box::new(step::<f32, 1, _>(LayerNormLstm::<64, 64>::init_boxed(&mut rng())))
        }
        "step FastWeights (32, 32)" => {
            Box::new(step::<f32, 1, _>(FastWeights::<32, 32>::init_boxed(&mut rng())))
        }
        "training Peephole (16, 32)" => {
            Box::new(train::<f32, 1, _>(Peephole::<16, 32>::init_boxed(&mut rng()), STEPS))
        }
        "training Peephole (64, 64), batch 16" => {
            Box::new(train::<f32, 16, _>(Peephole::<64, 64>::init_boxed(&mut rng()), STEPS))
        }
        "training LayerNormLstm (16, 32)" => {
            Box::new(train::<f32, 1, _>(LayerNormLstm::<16, 32>::init_boxed(&mut rng()), STEPS))
        }
        _ => return None,
    })
}
