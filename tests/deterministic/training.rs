//! Whole training runs, with networks, losses, clipping and optimisers.

use nalgebra::SMatrix;
use rnn_cell::cells::{Dense, Gru, Lstm};
use rnn_cell::network::{Bidirectional, Concat, Stack};
use rnn_cell::prelude::*;
use rnn_cell::train::ctc::Ctc;
use rnn_cell::train::loss::softmax_cross_entropy;
use rnn_cell::train::optim::{Adam, clip_global_norm};

use crate::digest::{Digests, Fnv, random, rng};

const BATCH: usize = 4;
const UPDATES: usize = 10;

/// Adds a digest of a GRU that learns one class per step, in `f32`.
pub fn classifier(digests: &mut Digests) {
    let (mut rng, mut digest) = (rng(), Fnv::new());
    let mut net = Stack(Gru::<3, 20>::init(&mut rng), Dense::<20, 5>::init(&mut rng));
    let xs: Vec<SMatrix<f32, 3, BATCH>> = (0..9).map(|_| random(&mut rng)).collect();
    let classes = [0, 3, 1, 4];
    let mut optimiser = Adam::new(1e-2);
    let (mut tape, mut gradients) = (net.tape::<BATCH>(), net.zero_gradients());
    for _ in 0..UPDATES {
        let mut state = net.initial_state::<BATCH>();
        let mut dys = Vec::new();
        for y in net.forward(&xs, &mut state, &mut tape) {
            let (loss, dy) = softmax_cross_entropy(y, &classes);
            digest.scalar(loss);
            dys.push(dy);
        }
        gradients.set_zero();
        net.backward(&xs, &mut tape, &dys, &mut gradients);
        digest.scalar(clip_global_norm(&mut *gradients, 0.5));
        optimiser.step(&mut net, &gradients);
    }
    digest.parameters(&net);
    digests.add("a classifier's training, f32".to_string(), digest);
}

/// Adds a digest of a bidirectional LSTM that learns label sequences by CTC on a ragged batch, in
/// `f64`.
pub fn labels(digests: &mut Digests) {
    let (mut rng, mut digest) = (rng(), Fnv::new());
    let both = Bidirectional::new(Lstm::<3, 10, f64>::init(&mut rng), Lstm::<3, 10, f64>::init(&mut rng));
    let mut net = Stack(both.joined(Concat::<20>), Dense::<20, 5, f64>::init(&mut rng));
    let xs: Vec<SMatrix<f64, 3, BATCH>> = (0..15).map(|_| random(&mut rng)).collect();
    let lengths = [15, 9, 12, 4];
    let pass = Pass::of(&xs).lengths(lengths);
    let targets = [&[1, 2, 2][..], &[3], &[], &[4, 1]];
    let (mut ctc, mut dlogits) = (Ctc::new(0), Vec::new());
    let mut optimiser = Adam::new(1e-2);
    let (mut tape, mut gradients) = (net.tape::<BATCH>(), net.zero_gradients());
    for _ in 0..UPDATES {
        let logits = net.forward(pass, &mut net.initial_state(), &mut tape);
        let loss = ctc.loss(logits, Some(lengths), &targets, &mut dlogits);
        digest.scalar(loss.value);
        gradients.set_zero();
        net.backward(pass, &mut tape, &dlogits, &mut gradients);
        optimiser.step(&mut net, &gradients);
    }
    digest.parameters(&net);
    digests.add("labels by CTC in both directions, f64".to_string(), digest);
}
