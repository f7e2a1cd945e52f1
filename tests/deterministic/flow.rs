//! Spectra of Jacobians, which `flow` computes with matrices of dynamic sizes.

use rnn_cell::cells::{Elman, Gru};
use rnn_cell::inspect::flow::{Jacobians, exponents, norms};
use rnn_cell::prelude::*;

use crate::digest::{Digests, Fnv, random, rng};

/// Adds digests of singular values (of a single step, of products that are computed directly, of a
/// product that is too long for that), of Lyapunov exponents and of norms.
pub fn spectra(digests: &mut Digests) {
    let (mut rng, mut digest) = (rng(), Fnv::new());
    let elman = Elman::<2, 11, f64>::init(&mut rng);
    let xs: Vec<SVector<f64, 2>> = (0..40).map(|_| random(&mut rng)).collect();
    let jacobians = Jacobians::along(&elman, &xs, &mut elman.zero_state());
    for steps in [0..1, 3..5, 3..8, 0..40] {
        jacobians.singular_values(steps).ln.into_iter().for_each(|ln| digest.scalar(ln));
    }
    let exponents = exponents(&elman, &xs, &mut elman.zero_state(), 10);
    exponents.values.into_iter().for_each(|value| digest.scalar(value));
    digests.add("singular values and exponents of Elman<2, 11>, f64".to_string(), digest);

    let mut digest = Fnv::new();
    let gru = Gru::<2, 9>::init(&mut rng);
    let xs: Vec<SVector<f32, 2>> = (0..40).map(|_| random(&mut rng)).collect();
    let dstate = random(&mut rng);
    norms::<_, 1>(&gru, &xs, &gru.zero_state(), dstate).ln.into_iter().for_each(|ln| digest.scalar(ln));
    digests.add("norms of the cotangents of Gru<2, 9>, f32".to_string(), digest);
}
