// Every initialiser with every kind of shape.

use rnn_cell::prelude::*;
use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus};

mod tables {
    pub fn checkered(row: usize, column: usize) -> f64 {
        ((row + column) % 2) as f64
    }
}

rnn_cell! {
    pub cell Sized<I, H> {
        input  x: [I];
        param  a: [H, H] = identity, b: [H] = 1 / H, c: [H, I] = uniform(1 / sqrt(H));
        param  d: [H, I] = constant(H - I), e: [H, I] = normal(sqrt(2 / (H * I + 20)));
        param  f: [H, I] = kaiming_normal, g: [] = -2 * (I + H) + 1/2, k: [H] = uniform(H, H + 1e-3);
        buffer m: [H, H + I] = constant(sqrt(H)), n: [H] = I;

        y = a @ b + (c + d + e + f) @ x + g + k + m @ [b, x] + n;

        output y;
    }

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
    let sized = Sized::<3, 4>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    assert_eq!(sized.a, nalgebra::SMatrix::<f32, 4, 4>::identity());
    assert_eq!((sized.b[3], sized.d[(3, 2)], sized.g), (0.25, 1.0, -13.5));
    assert!(sized.c.amax() <= 0.5 && sized.c.amax() > 0.4);
    // sqrt(2 / 32) = 1/4
    assert!((0.1..0.5).contains(&(sized.e.norm() / 12_f32.sqrt())));
    assert!(sized.f.amax() > 0.5);
    assert!(sized.k.iter().all(|k| (4.0..=4.001).contains(k)));
    assert_eq!((sized.m.left[(0, 3)], sized.m.right[(3, 2)], sized.n[0]), (2.0, 2.0, 3.0));

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
