//! The layers without recurrence of their own and the pools: the general properties, gradients
//! against differences, and values computed by hand.

use super::*;
use rnn_cell::cells::{AttentionPool, Dense, Embedding, LayerNorm, MaxPool, MeanPool, RmsNorm};
use rnn_cell::data::pad;
use rnn_cell::network::{Map, Parallel, Sum};
use rnn_cell::train::loss::{last_step, softmax_cross_entropy_weighted};

const LENGTHS: [usize; 4] = [7, 3, 1, 0];

/// Checks everything at batch 1 and 4, and ragged batches.
macro_rules! verify_all {
    ($layer:expr) => {{
        let mut layer = $layer;
        verify::<1, _>(&mut layer, 9, &[1, 4]);
        verify::<4, _>(&mut layer, 9, &[1, 4]);
        ragged_batches_are_their_samples(&layer, LENGTHS, 5);
        ragged_batches_are_their_samples(&layer, [0; 4], 5);
        let xs = random_sequence(&mut rng(8), 7);
        let state = random(&mut rng(9));
        Gradcheck::default().check(&mut layer, Pass::of(&xs).lengths(LENGTHS), &state).assert_ok();
    }};
}

#[test]
fn pools() {
    verify_all!(MeanPool::<3, f64>::zeros());
    verify_all!(MaxPool::<3, f64>::zeros());
    verify_all!(AttentionPool::<3, 5, f64>::init(&mut rng(1)));
}

#[test]
fn norms() {
    let mut norm = LayerNorm::<5, f64>::init(&mut rng(1));
    assert_eq!((norm.g, norm.b), (SVector::repeat(1.0), SVector::zeros()));
    norm.b = random(&mut rng(2));
    verify_all!(norm);
    verify_all!(RmsNorm::<5, f64>::init(&mut rng(1)));
}

#[test]
fn branches() {
    let (lstm, dense) = (Lstm::<3, 4, f64>::init(&mut rng(1)), Dense::<3, 4, f64>::init(&mut rng(2)));
    verify_all!(Parallel::new(lstm.clone(), dense.clone(), Sum));
    let gru = Gru::<3, 5, f64>::init(&mut rng(3));
    verify_all!(
        Parallel::new(gru, lstm.then(MeanPool::zeros()), Concat::<9>)
            .then(LayerNorm::<9, f64>::init(&mut rng(4)))
    );
    // A branch within a branch, and a join of three.
    let inner = Parallel::new(dense.clone(), dense, Concat::<8>);
    verify_all!(Parallel::new(inner, Gru::<3, 2, f64>::init(&mut rng(5)), Concat::<10>));
}

#[test]
fn functions() {
    let order = |x: &SVector<f64, 4>| {
        let mut order = [0, 1, 2, 3];
        order.sort_by(|&i, &j| x[i].total_cmp(&x[j]));
        order
    };
    let largest_two = move |x: &SVector<f64, 4>| {
        let [.., second, first] = order(x);
        SVector::<f64, 2>::new(x[first], x[second] * x[first])
    };
    let backward = move |x: &SVector<f64, 4>, dy: &SVector<f64, 2>| {
        let [.., second, first] = order(x);
        let mut dx = SVector::zeros();
        dx[first] = dy[0] + dy[1] * x[second];
        dx[second] = dy[1] * x[first];
        dx
    };
    verify_all!(Map::new(largest_two, backward));
    let map = Map::new(largest_two, backward);
    verify_all!(Stack(Gru::<3, 4, f64>::init(&mut rng(1)), map).then(Dense::<2, 3, f64>::init(&mut rng(2))));
}

#[test]
#[should_panic(expected = "gradient check failed")]
fn a_wrong_backward_of_a_function_is_found() {
    let mut map = Map::new(|x: &SVector<f64, 3>| x * 2.0, |_, dy: &SVector<f64, 3>| *dy);
    let xs: Vec<SMatrix<f64, 3, 2>> = random_sequence(&mut rng(1), 3);
    Gradcheck::default().check(&mut map, &xs, &()).assert_ok();
}

/// Returns the inputs of one sample, and the last outputs of the pool for each of [`LENGTHS`].
fn pooled<L>(pool: &L) -> (Vec<SMatrix<f64, 3, 4>>, SMatrix<f64, 3, 4>)
where
    L: Layer<4, Scalar = f64, Input = SMatrix<f64, 3, 4>, Output = SMatrix<f64, 3, 4>, Context = ()>,
{
    let xs: Vec<SMatrix<f64, 3, 4>> = random_sequence(&mut rng(3), 7);
    let pass = Pass::of(&xs).lengths(LENGTHS);
    let ys = pool.run(pass, &mut pool.initial_state());
    let mut last = SMatrix::zeros();
    let loss = last_step(&ys, pass.lengths, &mut Vec::new(), |y, _| {
        last = *y;
        (0.0, *y)
    });
    assert_eq!(loss, 0.0);
    (xs, last)
}

#[test]
fn the_last_mean_is_the_masked_mean() {
    let (xs, last) = pooled(&MeanPool::<3, f64>::zeros());
    for (sample, length) in LENGTHS.into_iter().enumerate() {
        let sum = xs[..length].iter().map(|x| x.column(sample).into_owned()).sum::<SVector<f64, 3>>();
        let mean = sum / length.max(1) as f64;
        assert_close("mean", last.column(sample).as_slice(), mean.as_slice(), 1e-15);
    }
}

#[test]
fn the_last_maximum_is_the_masked_maximum() {
    let (xs, last) = pooled(&MaxPool::<3, f64>::zeros());
    for (sample, length) in LENGTHS.into_iter().enumerate().filter(|(_, length)| *length > 0) {
        for row in 0..3 {
            let largest = xs[..length].iter().map(|x| x[(row, sample)]).reduce(f64::max).unwrap();
            assert_eq!(last[(row, sample)], largest);
        }
    }
    assert_eq!(last.column(3).amax(), 0.0);
}

/// PyTorch gives the whole cotangent of `max(dim=0)` to one of several equal values, and a maximum
/// of values with a NaN is NaN.
#[test]
fn the_first_of_equal_values_is_the_maximum_and_a_nan_stays() {
    let pool = MaxPool::<1, f64>::zeros();
    let xs = [0.0, 2.0, 2.0, 1.0, 2.0].map(SVector::<f64, 1>::new);
    let (mut tape, mut dxs) = (pool.tape(), [SVector::zeros(); 5]);
    pool.forward(&xs, &mut pool.initial_state(), &mut tape);
    let dys = [0.0, 0.0, 0.0, 0.0, 1.0].map(SVector::<f64, 1>::new);
    pool.backward(&xs, &mut tape, &dys, Bars::of(&mut MaxPool::zeros()).inputs(&mut dxs));
    assert_eq!(dxs.map(|dx| dx[0]), [0.0, 1.0, 0.0, 0.0, 0.0]);

    let xs = [0.0, f64::NAN, 2.0, f64::NEG_INFINITY].map(SVector::<f64, 1>::new);
    let ys = pool.run(&xs, &mut pool.initial_state());
    assert!(ys[0][0] == 0.0 && ys[1..].iter().all(|y| y[0].is_nan()), "{ys:?}");
}

/// Yang et al. 2016, equations 5 to 7, written as in the paper: all scores, their softmax, the
/// weighted sum.
#[test]
fn the_last_attention_is_a_softmax_over_time() {
    for scale in [1.0, 1000.0] {
        let mut pool = AttentionPool::<3, 5, f64>::init(&mut rng(1));
        (pool.b, pool.q) = (random(&mut rng(6)), random(&mut rng(7)));
        pool.q *= scale;
        let (xs, last) = pooled(&pool);
        for (sample, length) in LENGTHS.into_iter().enumerate().filter(|(_, length)| *length > 0) {
            let xs = xs[..length].iter().map(|x| x.column(sample).into_owned());
            let scores: Vec<f64> =
                xs.clone().map(|x| (pool.W * x + pool.b).map(f64::tanh).dot(&pool.q)).collect();
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|e| (e - largest).exp()).collect();
            let total: f64 = weights.iter().sum();
            let mean: SVector<f64, 3> = xs.zip(&weights).map(|(x, weight)| x * (weight / total)).sum();
            assert_close("attention", last.column(sample).as_slice(), mean.as_slice(), 1e-13);
        }
    }
}

#[test]
fn pools_in_single_precision_start_and_stay_finite() {
    let mut pool = AttentionPool::<2, 3>::init(&mut rng(1));
    pool.q *= 1e4;
    let xs: Vec<SVector<f32, 2>> = (0..1000).map(|t| SVector::<f32, 2>::new((t as f32).sin(), 1.0)).collect();
    let (mut state, mut tape) = (pool.initial_state(), pool.tape());
    let ys = pool.forward(&xs, &mut state, &mut tape).to_vec();
    assert_eq!(ys[0], xs[0]);
    let (mut gradients, mut dxs) = (AttentionPool::zeros(), xs.clone());
    pool.backward(&xs, &mut tape, &ys, Bars::of(&mut gradients).inputs(&mut dxs));
    assert!(
        ys.iter().chain(&dxs).flatten().all(|x| x.is_finite()) && gradients.W.iter().all(|g| g.is_finite())
    );
}

#[test]
fn an_embedding_is_a_column() {
    let mut net = Embedding::<5, 3, f64>::init(&mut rng(1)).then(Gru::<3, 4, f64>::init(&mut rng(2)));
    let batch = pad::<u32, 3>(&[vec![4, 0, 4, 2], vec![1], vec![]]);
    let (ys, columns) = (net.0.run(&batch, &mut net.0.initial_state()), net.0.E);
    assert_eq!((ys[2].column(0), ys[0].column(1)), (columns.column(4), columns.column(1)));
    assert!(ys[1].column(1).amax() == 0.0 && ys.iter().all(|y| y.column(2).amax() == 0.0));
    let state = net.initial_state::<3>();
    Gradcheck::default().check(&mut net, &batch, &state).assert_ok();
    let state = net.initial_state::<1>();
    for steps in [0, 1, 4] {
        Gradcheck::default().check(&mut net, &[[4], [0], [4], [9]][..steps], &state).assert_ok();
    }
}

/// The gradient of the loss of a classifier, with respect to every parameter, against central
/// differences of the whole loss.
#[test]
fn a_classifier_of_ragged_sequences() {
    let net = Embedding::<6, 3, f64>::init(&mut rng(1))
        .then(Gru::<3, 4, f64>::init(&mut rng(2)))
        .then(AttentionPool::<4, 2, f64>::init(&mut rng(3)))
        .then(Dense::<4, 3, f64>::init(&mut rng(4)));
    let (batch, classes) = (pad::<u32, 3>(&[vec![5, 1, 0, 2], vec![3, 3], vec![]]), [2, 0, 9]);
    let mut tape = net.tape();
    let mut loss = |net: &_, dys: &mut Vec<_>| {
        let ys = Layer::<3>::forward(net, &batch, &mut Model::initial_state(net), &mut tape);
        last_step(ys, Some(batch.lengths), dys, |y, weights| {
            softmax_cross_entropy_weighted(y, &classes, weights)
        })
    };
    let (mut dys, mut unused) = (Vec::new(), Vec::new());
    loss(&net, &mut dys);
    let mut gradients = net.zero_gradients();
    let mut backward_tape = net.tape();
    net.forward(&batch, &mut net.initial_state(), &mut backward_tape);
    net.backward(&batch, &mut backward_tape, &dys, &mut gradients);
    let h = 1e-3;
    let slopes: Vec<f64> = (0..net.parameter_count())
        .map(|entry| {
            let mut shifted = |by: f64| {
                let mut moved = net.clone();
                let mut index = 0;
                moved.visit_mut(&mut |parameter| {
                    for value in parameter.values {
                        *value += if index == entry { by * h } else { 0.0 };
                        index += 1;
                    }
                });
                loss(&moved, &mut unused)
            };
            (shifted(-2.0) - 8.0 * shifted(-1.0) + 8.0 * shifted(1.0) - shifted(2.0)) / (12.0 * h)
        })
        .collect();
    assert_close("gradients of the loss", &parameters(&*gradients), &slopes, 1e-9);
    assert!(slopes.iter().filter(|slope| slope.abs() > 1e-6).count() > 60);
}
