//! Forward and backward passes through 100 steps.

use benches::work::{STEPS, rng, train};
use divan::Bencher;
use rnn_cell::cells::{GruResetAfter, Lstm};

fn main() {
    divan::main();
}

macro_rules! sizes {
    ($($name:ident: $cell:ident<$i:literal, $h:literal>;)*) => {$(
        #[divan::bench(consts = [1, 16, 64], sample_size = 1)]
        fn $name<const B: usize>(bencher: Bencher) {
            bencher.bench_local(train::<f32, B, _>($cell::<$i, $h>::init_boxed(&mut rng()), STEPS));
        }
    )*};
}

sizes! {
    lstm_8_16: Lstm<8, 16>;
    lstm_16_32: Lstm<16, 32>;
    lstm_64_64: Lstm<64, 64>;
    lstm_128_128: Lstm<128, 128>;
    gru_8_16: GruResetAfter<8, 16>;
    gru_16_32: GruResetAfter<16, 32>;
    gru_64_64: GruResetAfter<64, 64>;
    gru_128_128: GruResetAfter<128, 128>;
}
