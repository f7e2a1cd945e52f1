// Every initialiser with every kind of shape.

use rnn_cell::prelude::*;
use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus};

mod tables {
    pub fn checkered(row: usize, column: usize) -> f64 {
        ((row + column) % 2) as f64
    }
}

rnn_cell! {
    pub cell Initial<I, H> {
        input  x: [I];
        state  h: [H];
        param  a: [H, I] = 0.25, b: [H] = zeros, c: [] = ones, d: [H, H] = identity(2);
        param  e: [H, I] = uniform(0.1), f: [H, I + H] = uniform(-1, 0), g: [H] = normal(1e-3);
        param  i: [2*H, I] = xavier_uniform, j: [H, 2*H] = xavier_normal, k: [H, I] = kaiming_uniform;
        param  l: [H, I] = lecun_normal, m: [H, H] = orthogonal, n: [3*H, H] = orthogonal;
        param  o: [H, H], p: [H, I], q: [H];
        buffer r: [H, I] = from_fn(tables::checkered), s: [H] = from_fn(crate::tables::checkered);

        z = (a + e + k + l + p + r) @ x + f @ [x, h[t-1]] + b + c + g + q + s;
        [u, v] = i @ x;
        [w1, w2, w3] = n @ h[t-1];
        h = tanh(z + d @ u + j @ [u, v] + m @ v + o @ h[t-1] + w1 + w2 + w3);

        output h;
    }
}

fn main() {
    let cell = Initial::<3, 4>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    assert_eq!(cell.a[(3, 2)], 0.25);
    assert_eq!((cell.b[0], cell.c, cell.d[(1, 1)], cell.d[(1, 0)]), (0.0, 1.0, 2.0, 0.0));
    assert!(cell.e.amax() <= 0.1 && cell.e.amax() > 0.0);
    assert_eq!((cell.r[(0, 0)], cell.r[(1, 0)], cell.s[3]), (0.0, 1.0, 1.0));
    assert!(((cell.m.transpose() * cell.m) - nalgebra::SMatrix::<f32, 4, 4>::identity()).norm() < 1e-5);
    assert!(((cell.o.transpose() * cell.o) - nalgebra::SMatrix::<f32, 4, 4>::identity()).norm() < 1e-5);
    assert_eq!(cell.q.norm(), 0.0);
    let boxed = Initial::<3, 4, f64>::init_boxed(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    assert_eq!(boxed.e.cast::<f32>(), cell.e);
}
