//! Layouts of Keras, compared with its equations and with files and outputs of Keras itself. The
//! equations here follow `keras/src/layers/rnn` of Keras 3, in its order of gates and products:
//! `matmul(x, kernel)`, then the gates as blocks of columns.

use crate::{Tensor, file, fixture, largest_error, randomise, tensors, uniform};
use rnn_cell::cell::{Layer, ModelMut};
use rnn_cell::cells::{Dense, Elman, Gru, GruResetAfter, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::{Mapping, keras};

const I: usize = 3;
const H: usize = 5;

/// Returns `x` times the matrix `w` `[n, m]`, which is row-major.
fn times(x: &[f64], w: &[f64]) -> Vec<f64> {
    let m = w.len() / x.len();
    (0..m).map(|j| x.iter().enumerate().map(|(i, x)| x * w[i * m + j]).sum()).collect()
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The kernel, recurrent kernel and bias of a layer.
type Weights = [Tensor; 3];

/// A step of a Keras cell. The arguments are the input, the states (updated) and the weights.
type KerasStep = fn(&[f64], &mut [Vec<f64>], &[Vec<f64>]);

fn lstm_step(x: &[f64], states: &mut [Vec<f64>], w: &[Vec<f64>]) {
    let z = add(&add(&times(x, &w[0]), &times(&states[0], &w[1])), &w[2]);
    for k in 0..H {
        let (i, f) = (sigmoid(z[k]), sigmoid(z[H + k]));
        let c = f * states[1][k] + i * z[2 * H + k].tanh();
        states[1][k] = c;
        states[0][k] = sigmoid(z[3 * H + k]) * c.tanh();
    }
}

fn gru_step(x: &[f64], states: &mut [Vec<f64>], w: &[Vec<f64>]) {
    let (input_bias, recurrent_bias) = w[2].split_at(3 * H);
    let x = add(&times(x, &w[0]), input_bias);
    let inner = add(&times(&states[0], &w[1]), recurrent_bias);
    for k in 0..H {
        let z = sigmoid(x[k] + inner[k]);
        let r = sigmoid(x[H + k] + inner[H + k]);
        let hh = (x[2 * H + k] + r * inner[2 * H + k]).tanh();
        states[0][k] = z * states[0][k] + (1.0 - z) * hh;
    }
}

fn gru_reset_before_step(x: &[f64], states: &mut [Vec<f64>], w: &[Vec<f64>]) {
    let x = add(&times(x, &w[0]), &w[2]);
    let h = states[0].clone();
    let inner = times(&h, &w[1]);
    let gate = |block: usize| (0..H).map(move |k| (block * H + k, k));
    let z: Vec<f64> = gate(0).map(|(j, _)| sigmoid(x[j] + inner[j])).collect();
    let reset: Vec<f64> = gate(1).map(|(j, k)| sigmoid(x[j] + inner[j]) * h[k]).collect();
    let inner = times(&reset, &w[1]);
    for (j, k) in gate(2) {
        states[0][k] = z[k] * h[k] + (1.0 - z[k]) * (x[j] + inner[j]).tanh();
    }
}

fn simple_rnn_step(x: &[f64], states: &mut [Vec<f64>], w: &[Vec<f64>]) {
    let z = add(&add(&times(x, &w[0]), &times(&states[0], &w[1])), &w[2]);
    states[0] = z.iter().map(|z| z.tanh()).collect();
}

fn weights(gates: usize, bias: &[usize], rng: &mut Xoshiro256PlusPlus) -> Weights {
    let mut random = |name: &str, shape: &[usize]| {
        let values: Vec<f64> = (0..shape.iter().product()).map(|_| uniform(rng)).collect();
        Tensor::f64(name, shape, &values)
    };
    [random("kernel", &[I, gates * H]), random("recurrent_kernel", &[H, gates * H]), random("bias", bias)]
}

/// Loads random weights in Keras's layout and compares six steps with Keras's equations, then saves
/// them and repeats the comparison with the saved file.
fn check<L>(mut cell: L, mapping: &Mapping, gates: usize, bias: &[usize], states: usize, step: KerasStep)
where
    L: ModelMut + Cell<1, Scalar = f64, Context = (), Input = SVector<f64, I>, Output = SVector<f64, H>>,
{
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let weights = weights(gates, bias, &mut rng);
    mapping.load(&mut cell, &file(&weights)).unwrap();
    let saved = mapping.save(&cell).unwrap();
    let saved = tensors(&saved);
    let shapes: Vec<_> = saved.iter().map(|tensor| (tensor.name.as_str(), tensor.shape.clone())).collect();
    let wanted =
        [("bias", bias.to_vec()), ("kernel", vec![I, gates * H]), ("recurrent_kernel", vec![H, gates * H])];
    assert_eq!(shapes, wanted);
    assert_eq!((&saved[1], &saved[2]), (&weights[0], &weights[1]), "saved matrices must have the same bits");

    for w in [weights.each_ref(), [&saved[1], &saved[2], &saved[0]]] {
        let w = w.map(|tensor| tensor.values());
        let mut theirs = vec![vec![0.0; H]; states];
        let mut ours = cell.initial_state();
        for _ in 0..6 {
            let x: Vec<f64> = (0..I).map(|_| uniform(&mut rng)).collect();
            step(&x, &mut theirs, &w);
            let y = cell.step(&SVector::from_column_slice(&x), &mut ours);
            let error = y.iter().zip(&theirs[0]).fold(0.0_f64, |worst, (y, h)| worst.max((y - h).abs()));
            assert!(error < 1e-14, "{error}: {y} and {theirs:?}");
        }
    }
}

#[test]
fn lstm() {
    check(Lstm::<I, H, f64>::zeros(), &keras::lstm(), 4, &[4 * H], 2, lstm_step);
}

#[test]
fn gru() {
    check(GruResetAfter::<I, H, f64>::zeros(), &keras::gru(), 3, &[2, 3 * H], 1, gru_step);
}

#[test]
fn gru_reset_before() {
    check(Gru::<I, H, f64>::zeros(), &keras::gru_reset_before(), 3, &[3 * H], 1, gru_reset_before_step);
}

#[test]
fn simple_rnn() {
    check(Elman::<I, H, f64>::zeros(), &keras::simple_rnn(), 1, &[H], 1, simple_rnn_step);
}

#[test]
fn dense() {
    let kernel = Tensor::f32("kernel", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let bias = Tensor::f32("bias", &[3], &[0.5, 0.25, 0.125]);
    let mut dense = Dense::<2, 3>::zeros();
    keras::dense().load(&mut dense, &file(&[kernel, bias])).unwrap();
    assert_eq!(dense.W, SMatrix::<f32, 3, 2>::new(1.0, 4.0, 2.0, 5.0, 3.0, 6.0));
    assert_eq!(dense.b, SVector::<f32, 3>::new(0.5, 0.25, 0.125));
}

/// The two directions have different prefixes.
#[test]
fn bidirectional() {
    let mapping =
        keras::bidirectional(keras::gru().prefix("b/forward_gru/"), keras::gru().prefix("b/backward_gru/"));
    let mut layer = Bidirectional::new(GruResetAfter::<I, H>::zeros(), GruResetAfter::<I, H>::zeros());
    randomise(&mut layer, 1);
    let saved = tensors(&mapping.save(&layer).unwrap());
    let kernel = |name: &str| saved.iter().find(|tensor| tensor.name == name).unwrap().values();
    // The first row of a kernel holds the first columns of the gates, beginning with `z`.
    assert_eq!(kernel("b/forward_gru/kernel")[0], f64::from(layer.forward.W_z[(0, 0)]));
    assert_eq!(kernel("b/backward_gru/kernel")[1], f64::from(layer.reverse.W_z[(1, 0)]));
}

/// Compares with files and outputs of Keras (`fixtures/make_keras.py`).
#[test]
fn agrees_with_keras() {
    fn check<M>(name: &str, cell: Mapping, layer: M)
    where
        M: ModelMut + Layer<1, Scalar = f64, Context = (), Input = SVector<f64, I>, Output = SVector<f64, 4>>,
    {
        let bytes = fixture(&format!("{name}.safetensors"));
        // `sequential_2/dense/kernel`
        let prefix = tensors(&bytes)[0].name.split('/').next().unwrap().to_string();
        let dense = keras::dense().prefix("dense/").under(1);
        let mapping = cell.and(dense).prefix(&format!("{prefix}/"));
        let mut net = Stack(layer, Dense::<4, 2, f64>::zeros());
        mapping.load(&mut net, &bytes).unwrap();
        let error = largest_error(name, &net);
        assert!(error < 1e-14, "{name}: {error}");
    }
    check("keras_lstm", keras::lstm().prefix("lstm/lstm_cell/").under(0), Lstm::zeros());
    check("keras_gru", keras::gru().prefix("gru/gru_cell/").under(0), GruResetAfter::zeros());
    let before = keras::gru_reset_before().prefix("gru/gru_cell/").under(0);
    check("keras_gru_reset_before", before, Gru::zeros());
    check("keras_simple_rnn", keras::simple_rnn().prefix("rnn/simple_rnn_cell/").under(0), Elman::zeros());
    let [forward, backward] =
        ["forward", "backward"].map(|way| keras::lstm().prefix(&format!("both/{way}_lstm/lstm_cell/")));
    let both = Bidirectional::new(Lstm::<I, 2, f64>::zeros(), Lstm::<I, 2, f64>::zeros());
    let mapping = keras::bidirectional(forward, backward).under(0);
    check("keras_bidirectional", mapping, both.joined(Concat::<4>));
}
