//! Extreme inputs of one sample do not change the results of the other samples, forward or
//! backward. The gradients of parameters are exempt because they are sums over the batch.

use rnn_cell::cell::{Bars, Layer, Model};
use rnn_cell::cells::*;
use rnn_cell::types::varying::Varying;
use tests::exactness::{assert_same_bits, copy, random, random_sequence, rng};

const SAMPLES: usize = 2;

/// The sample that reads the extreme input.
const POISONED: usize = 1;

/// The step of the extreme input.
const AT: usize = 1;

const STEPS: usize = 3;

/// Extreme inputs for which all results must be finite.
const FINITE: [f64; 4] = [5e-324, -1e-310, 1e30, -1e30];

/// Extreme inputs that are not finite.
const OTHERS: [f64; 3] = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

/// Returns the scalars of one sample.
fn of_sample<V: Varying<f64>>(value: &V, sample: usize) -> Vec<f64> {
    let mut found = vec![];
    copy(value).sample_mut(sample, SAMPLES, &mut |x: &mut f64| found.push(*x));
    found
}

fn poison<V: Varying<f64>>(value: &mut V, with: f64) {
    value.sample_mut(POISONED, SAMPLES, &mut |x| *x = with);
}

/// Returns the outputs, the final state and the cotangents of the initial state and the inputs, for
/// each sample. `with` is the extreme input of the poisoned sample.
fn pass<L>(layer: &L, with: Option<f64>) -> [Vec<f64>; SAMPLES]
where
    L: Layer<SAMPLES, Scalar = f64, Context = (), Input: Varying<f64>, InputBar: Varying<f64>>,
{
    let mut rng = rng(5);
    let mut xs: Vec<L::Input> = random_sequence(&mut rng, STEPS);
    let dys: Vec<L::Output> = random_sequence(&mut rng, STEPS);
    let (mut state, mut dstate): (L::State, L::State) = (random(&mut rng), random(&mut rng));
    if let Some(with) = with {
        poison(&mut xs[AT], with);
    }
    let mut dxs: Vec<L::InputBar> = random_sequence(&mut rng, STEPS);
    let mut tape = layer.tape();
    layer.forward(&xs, &mut state, &mut tape);
    let mut found = [vec![], vec![]];
    for (sample, found) in found.iter_mut().enumerate() {
        layer.outputs(&tape).iter().for_each(|y| found.extend(of_sample(y, sample)));
        found.extend(of_sample(&state, sample));
    }
    let mut gradients = layer.zero_gradients();
    let bars = Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs);
    layer.backward(&xs, &mut tape, &dys, bars);
    for (sample, found) in found.iter_mut().enumerate() {
        found.extend(of_sample(&dstate, sample));
        dxs.iter().for_each(|dx| found.extend(of_sample(dx, sample)));
    }
    found
}

/// Compares the results of two layers, which are the same layer or differ only in their contexts.
/// If `inputs` is set, the poisoned sample also reads `with`.
fn compare<L>(name: &str, clean: &L, poisoned: &L, with: f64, inputs: bool)
where
    L: Layer<SAMPLES, Scalar = f64, Context = (), Input: Varying<f64>, InputBar: Varying<f64>>,
{
    let [expected, healthy] = pass(clean, None);
    let [found, reached] = pass(poisoned, inputs.then_some(with));
    assert_same_bits(&format!("{name}, {with:e} in another sample"), &found, &expected);
    let is_same = reached.iter().zip(&healthy).all(|(x, y)| x.to_bits() == y.to_bits());
    assert!(!is_same || with.abs() < 1e-300, "{name}: {with:e} had no effect");
    if FINITE.contains(&with) {
        assert!(reached.iter().all(|x| x.is_finite()), "{name}, {with:e}: {reached:?}");
    }
}

#[test]
fn samples_do_not_affect_each_other() {
    macro_rules! check {
        ($($cell:ident<$($size:literal),*>)*) => { $(
            let cell = $cell::<$($size,)* f64>::init(&mut rng(3));
            for with in FINITE.into_iter().chain(OTHERS) {
                compare(stringify!($cell), &cell, &cell, with, true);
            }
        )* };
    }
    check! {
        Elman<3, 5> Jordan<3, 5, 2> IndRnn<3, 5> Lstm<3, 5> PeepholeLstm<3, 5> CifgLstm<3, 5> LayerNormLstm<3, 5> MinLstm<3, 5>
        GreffNig<3, 5> GreffNfg<3, 5> GreffNog<3, 5> GreffNiaf<3, 5> GreffNoaf<3, 5> GreffCifg<3, 5> GreffNp<3, 5> GreffFgr<3, 5>
        Gru<3, 5> ReluGru<3, 5> GruResetAfter<3, 5> Mgu<3, 5> UgRnn<3, 5> LiGru<3, 5> MinGru<3, 5> Sru<5> Qrnn<3, 5, 2>
        DiagonalSsm<3, 5, 2> S4dReal<3, 4> S4d<3, 4> S4dBilinear<3, 4> SelectiveSsm<3, 4, 1> Mamba<3, 4, 2, 1>
        S4<3, 4> S5<3, 4> Lru<3, 4> RgLru<3> Ssd<3, 4, 2, 2, 1> Mamba2<3, 4, 2, 4, 2> Cfc<3, 5, 4> EchoState<3, 5, 2> TcnBlock<3, 5, 3, 2>
        RwkvTimeMixing<5> RwkvChannelMixing<5, 6> Rwkv5TimeMixing<5, 3, 2> Rwkv6TimeMixing<5, 3, 2, 2> Rwkv7TimeMixing<5, 3, 2, 2>
        Rwkv7ChannelMixing<5, 6> Rwkv7FirstLayer<4, 3, 2, 2, 5> Rwkv7Layer<4, 3, 2, 2, 5> Rwkv7Readout<4, 3, 2, 5>
        GatedLinearAttention<3, 4, 5, 2, 2> GatedDeltaNet<3, 4, 5, 2, 1> SLstm<3, 5> SLstmHeads<3, 4, 2> SLstmBlock<4, 2, 3> Dense<3, 5>
        Conformer<3, 4, 2, 2, 3, 3> SlidingTransformer<3, 4, 2, 2, 3>
    }
    macro_rules! check_with_context {
        ($reads:literal: $($cell:ident<$($size:literal),*>)*) => { $({
            let cell = $cell::<$($size,)* f64>::init(&mut rng(3));
            type Context = <$cell<$($size,)* f64> as Layer<SAMPLES>>::Context;
            let clean: Context = random(&mut rng(7));
            for with in FINITE.into_iter().chain(OTHERS) {
                if $reads {
                    compare(stringify!($cell), &cell.with(&clean), &cell.with(&clean), with, true);
                }
                let mut poisoned = clean.clone();
                poison(&mut poisoned, with);
                compare(stringify!($cell), &cell.with(&clean), &cell.with(&poisoned), with, false);
            }
        })* };
    }
    check_with_context! { true:
        AdditiveAttention<3, 4, 2, 3> DotAttention<4, 3> GeneralAttention<3, 4, 3> ConcatAttention<3, 4, 2, 3>
    }
    // An index cannot be extreme, since an index outside the vocabulary reads zeros.
    check_with_context! { false:
        ChoDecoder<4, 3, 5, 2, 3> BahdanauDecoder<4, 3, 5, 2, 3, 3, 4> LuongDotDecoder<4, 3, 5, 4>
        LuongGeneralDecoder<4, 3, 5, 2, 4> LuongConcatDecoder<4, 3, 5, 2, 3, 4>
    }
}
