// Batches of cells with several inputs, among them only indices.

use nalgebra::{SMatrix, SVector};
use rnn_cell::data::{pad, streams};
use rnn_cell::prelude::*;

rnn_cell! {
    pub cell Kinds<V, N> {
        input  x: [N], X: [N, N], k: [], w: one_hot[V], z: [N + 1];
        state  h: [N];
        param  E: [N, V] = 1;
        param  D: [N, N + 1];

        h = h[t-1] + x + row_sum(X) * k + E @ w + D @ z;

        output h;
    }
}

fn step(size: f64, word: u32) -> KindsInput<2, 1, f64> {
    KindsInput {
        x: SVector::repeat(size),
        X: [SMatrix::repeat(2.0 * size)],
        k: SVector::<f64, 1>::new(3.0 * size),
        w: [word],
        z: Rows { top: SVector::repeat(4.0 * size), bottom: SVector::<f64, 1>::new(5.0 * size) },
    }
}

pub fn main() {
    let (long, short) = (vec![step(1.0, 5), step(2.0, 6)], vec![step(10.0, 7)]);
    let batch = pad::<_, 3>(&[long.clone(), short]);
    assert_eq!(batch.lengths, [2, 1, 0]);
    let first = &batch.xs[0];
    assert_eq!(first.x, SMatrix::<f64, 2, 3>::new(1.0, 10.0, 0.0, 1.0, 10.0, 0.0));
    assert_eq!(first.X, [2.0, 20.0, 0.0].map(SMatrix::<f64, 2, 2>::repeat));
    assert_eq!(first.k, SMatrix::<f64, 1, 3>::new(3.0, 30.0, 0.0));
    assert_eq!(first.w, [5, 7, 0]);
    assert_eq!(first.z.bottom, SMatrix::<f64, 1, 3>::new(5.0, 50.0, 0.0));
    assert_eq!(batch.xs[1].w, [6, 0, 0]);

    let cell = Kinds::<9, 2, f64>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    let together = cell.run(&batch, &mut cell.zero_state());
    let alone = cell.run(&long, &mut cell.zero_state());
    assert!((together[1].column(0) - alone[1]).amax() < 1e-13);

    // An input and its target.
    let pairs = [(step(1.0, 5), 0_u32), (step(2.0, 6), 1)];
    let side_by_side = streams::<_, 2>(&pairs);
    assert_eq!((side_by_side[0].0.w, side_by_side[0].1), ([5, 6], [0, 1]));
}
