//! The loss, its gradient and the decoders against the enumeration of every path.

use std::collections::BTreeMap;

use nalgebra::SMatrix;

use super::*;
use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};

const CLASSES: usize = 3;

type Step<const B: usize> = SMatrix<f64, CLASSES, B>;

fn random<const B: usize>(seed: u64, steps: usize) -> Vec<Step<B>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..steps).map(|_| Step::from_fn(|_, _| 1.5 * rng::normal(&mut rng))).collect()
}

/// Every labelling of a sample with the total probability of its paths, and, by step and class, the
/// probability of the paths that pass there.
struct Enumerated(BTreeMap<Vec<u32>, (f64, Vec<[f64; CLASSES]>)>);

impl Enumerated {
    fn new<const B: usize>(logits: &[Step<B>], sample: usize, blank: u32) -> Self {
        let p: Vec<[f64; CLASSES]> = (logits.iter())
            .map(|logits| {
                let weights = [0, 1, 2].map(|k| logits[(k, sample)].exp());
                weights.map(|weight| weight / weights.iter().sum::<f64>())
            })
            .collect();
        let mut labellings = BTreeMap::new();
        for number in 0..CLASSES.pow(p.len() as u32) {
            let path: Vec<usize> = (0..p.len() as u32).map(|t| number / CLASSES.pow(t) % CLASSES).collect();
            let probability: f64 = path.iter().zip(&p).map(|(&k, p)| p[k]).product();
            let mut labels: Vec<u32> = path.iter().map(|&k| k as u32).collect();
            labels.dedup();
            labels.retain(|&label| label != blank);
            let (total, passing) =
                labellings.entry(labels).or_insert_with(|| (0.0, vec![[0.0; CLASSES]; p.len()]));
            *total += probability;
            path.iter().zip(passing).for_each(|(&k, passing)| passing[k] += probability);
        }
        Self(labellings)
    }
}

#[test]
fn loss_and_gradient_agree_with_the_enumeration_of_paths() {
    let mut dlogits = Vec::new();
    for (seed, steps, blank) in [(1, 1, 0), (2, 2, 0), (3, 3, 2), (4, 5, 1), (5, 7, 0)] {
        let logits = random::<1>(seed, steps);
        let mut ctc = Ctc::new(blank);
        let enumerated = Enumerated::new(&logits, 0, blank);
        assert!(enumerated.0.len() > 2);
        for (target, (probability, passing)) in &enumerated.0 {
            let loss = ctc.loss(&logits, None, &[target], &mut dlogits);
            assert!((loss.value + probability.ln()).abs() < 1e-12, "{target:?}: {loss:?}");
            assert!(loss.samples == [loss.value] && loss.impossible.is_empty());
            for ((logits, dlogits), passing) in logits.iter().zip(&dlogits).zip(passing) {
                let p = logits.map(f64::exp) / logits.map(f64::exp).sum();
                for k in 0..CLASSES {
                    let gradient = p[k] - passing[k] / probability;
                    assert!((dlogits[k] - gradient).abs() < 1e-12, "{target:?}, class {k}");
                }
            }
        }
    }
}

#[test]
fn gradient_agrees_with_differences() {
    let logits = random::<3>(6, 8);
    let (lengths, targets) = ([8, 5, 8], [vec![2, 2, 1], vec![], vec![1, 2, 1, 1]]);
    let mut ctc = Ctc::new(0);
    let (mut dlogits, mut unused) = (Vec::new(), Vec::new());
    ctc.loss(&logits, Some(lengths), &targets, &mut dlogits);
    for t in 0..8 {
        for i in 0..9 {
            let mut shifted = |by: f64| {
                let mut logits = logits.clone();
                logits[t][i] += by * 1e-3;
                ctc.loss(&logits, Some(lengths), &targets, &mut unused).value
            };
            let slope = (shifted(-2.0) - 8.0 * shifted(-1.0) + 8.0 * shifted(1.0) - shifted(2.0)) / 12e-3;
            assert!((dlogits[t][i] - slope).abs() < 1e-10, "step {t}: {} is not {slope}", dlogits[t][i]);
        }
    }
    assert!(dlogits[5..].iter().all(|dlogits| dlogits.column(1).amax() == 0.0));
}

#[test]
fn a_batch_agrees_with_its_samples_and_padding_is_not_read() {
    let lengths = [6, 3, 0, 4];
    let mut logits = random::<4>(7, 6);
    for (sample, &length) in lengths.iter().enumerate() {
        logits[length..].iter_mut().for_each(|logits| logits.column_mut(sample).fill(f64::NAN));
    }
    let targets = [vec![1, 1, 2], vec![2], vec![], vec![1, 2]];
    let mut ctc = Ctc::new(0);
    let (mut together, mut alone) = (Vec::new(), Vec::new());
    let weights = [1.0, -2.0, 3.0, 0.0];
    let loss = ctc.loss_weighted(&logits, Some(lengths), &targets, &weights, &mut together);
    assert!((loss.value - loss.samples.iter().zip(weights).map(|(l, w)| l * w).sum::<f64>()).abs() < 1e-14);
    assert_eq!(loss.samples[2], 0.0, "an empty target has probability 1 without steps");
    let (greedy, beam) = (ctc.greedy(&logits, Some(lengths)), ctc.beam(&logits, Some(lengths), 5));
    for sample in 0..4 {
        let own: Vec<Step<1>> =
            logits[..lengths[sample]].iter().map(|logits| logits.column(sample).into()).collect();
        let expected = ctc.loss(&own, None, &targets[sample..=sample], &mut alone);
        assert_eq!(loss.samples[sample], expected.value);
        for (t, logits) in together.iter().enumerate() {
            let gradient = alone.get(t).copied().unwrap_or_default() * weights[sample];
            assert_eq!(logits.column(sample), gradient, "sample {sample}, step {t}");
        }
        assert_eq!(greedy[sample], ctc.greedy(&own, None)[0]);
        assert_eq!(beam[sample], ctc.beam(&own, None, 5)[0]);
    }
}

#[test]
fn impossible_targets_are_reported_and_have_no_gradient() {
    let logits = random::<4>(8, 3);
    let lengths = [3, 3, 2, 3];
    let targets = [vec![1, 1], vec![1, 2, 2], vec![1, 2, 1], vec![2]];
    let mut ctc = Ctc::new(0);
    let mut dlogits = Vec::new();
    let loss = ctc.loss(&logits, Some(lengths), &targets, &mut dlogits);
    assert_eq!((loss.samples[1], loss.samples[2]), (f64::INFINITY, f64::INFINITY));
    let reports: Vec<String> = loss.impossible.iter().map(ToString::to_string).collect();
    assert_eq!(
        reports,
        [
            "the target of sample 1 needs 4 steps and its input has 3",
            "the target of sample 2 needs 3 steps and its input has 2"
        ]
    );
    assert!((loss.value - (loss.samples[0] + loss.samples[3]) / 2.0).abs() < 1e-14);
    for dlogits in &dlogits {
        assert!(dlogits.columns(1, 2).amax() == 0.0 && dlogits.column(0).amax() > 0.0);
    }

    let none = ctc.loss(&logits, Some([0; 4]), &[[1], [2]], &mut dlogits);
    assert_eq!((none.value, none.impossible.len()), (f64::INFINITY, 2));
    assert_eq!(none.samples, [f64::INFINITY, f64::INFINITY, 0.0, 0.0]);
    assert!(dlogits.iter().all(|dlogits| dlogits.amax() == 0.0));

    let mut without = random::<1>(8, 2);
    without.iter_mut().for_each(|logits| logits[1] = f64::NEG_INFINITY);
    let loss = ctc.loss(&without, None, &[[1]], &mut Vec::new());
    assert_eq!(loss.impossible[0].to_string(), "logits of -inf rule out the target of sample 0");
    let loss = ctc.loss(&without, None, &[[2]], &mut Vec::new());
    assert!(loss.value.is_finite() && loss.impossible.is_empty());
}

#[test]
fn nan_is_propagated() {
    let mut ctc = Ctc::new(0);
    let mut dlogits = Vec::new();
    for bad in [f64::NAN, f64::INFINITY] {
        for t in 0..4 {
            let mut logits = random::<1>(9, 4);
            logits[t][2] = bad;
            for target in [vec![], vec![1], vec![1, 2, 1]] {
                let loss = ctc.loss(&logits, None, &[target], &mut dlogits);
                assert!(loss.value.is_nan() && loss.impossible.is_empty());
                assert!(dlogits.iter().any(|dlogits| dlogits.iter().any(|x| x.is_nan())));
            }
        }
    }
}

#[test]
fn long_sequences_do_not_underflow() {
    // A likelihood of e^-10000 and less, in single precision.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(10);
    let logits: Vec<SMatrix<f32, 40, 1>> =
        (0..3000).map(|_| SMatrix::from_fn(|_, _| 3.0 * rng::normal(&mut rng) as f32)).collect();
    let target: Vec<u32> = (0..1000).map(|_| 1 + rng::below(&mut rng, 39) as u32).collect();
    let mut dlogits = Vec::new();
    let loss = Ctc::new(0).loss(&logits, None, &[target], &mut dlogits);
    assert!(loss.value > 5_000.0 && loss.value.is_finite(), "{}", loss.value);
    for dlogits in &dlogits {
        assert!(dlogits.sum().abs() < 1e-5 && dlogits.amax() <= 1.0, "{dlogits}");
    }
    // A target that is nearly certain has a loss near zero, never below.
    let sure = [SMatrix::<f32, 3, 1>::new(-60.0, 60.0, -60.0); 5];
    let loss = Ctc::new(0).loss(&sure, None, &[[1]], &mut Vec::new());
    assert!((0.0..1e-20).contains(&loss.value), "{}", loss.value);
}

#[test]
fn a_wide_beam_finds_every_labelling_with_its_probability() {
    for (seed, blank) in [(11, 0), (12, 1), (13, 2)] {
        let ctc = Ctc::new(blank);
        let logits = random::<1>(seed, 6);
        let enumerated = Enumerated::new(&logits, 0, blank).0;
        let [hypotheses] = ctc.beam(&logits, None, 1000);
        assert_eq!(hypotheses.len(), enumerated.len());
        for Hypothesis { labels, log_probability } in &hypotheses {
            assert!((log_probability - enumerated[labels].0.ln()).abs() < 1e-12, "{labels:?}");
        }
        assert!(hypotheses.windows(2).all(|pair| pair[0].log_probability >= pair[1].log_probability));
    }
}

#[test]
fn a_narrow_beam_never_overstates_a_probability() {
    for seed in 20..40 {
        let ctc = Ctc::new(0);
        let logits = random::<1>(seed, 7);
        let enumerated = Enumerated::new(&logits, 0, 0).0;
        let best = enumerated.values().map(|(probability, _)| *probability).fold(0.0, f64::max);
        for width in [1, 2, 3, 8] {
            let [hypotheses] = ctc.beam(&logits, None, width);
            assert!(hypotheses.len() == width);
            let mut seen: Vec<_> = hypotheses.iter().map(|hypothesis| &hypothesis.labels).collect();
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), width, "each labelling is in the beam once");
            for Hypothesis { labels, log_probability } in &hypotheses {
                assert!(log_probability.exp() <= enumerated[labels].0 + 1e-12);
            }
        }
        let [hypotheses] = ctc.beam(&logits, None, 30);
        assert!((hypotheses[0].log_probability - best.ln()).abs() < 0.01, "seed {seed}");
        assert_eq!(enumerated[&hypotheses[0].labels].0, best, "seed {seed}");
    }
}

#[test]
fn the_most_likely_path_need_not_be_the_most_likely_labelling() {
    // Two steps of (0.6, 0.4): the path of blanks has 0.36, the label 0.24 + 0.24 + 0.16.
    let step = SMatrix::<f64, 2, 1>::new(0.6_f64.ln(), 0.4_f64.ln());
    let ctc = Ctc::new(0);
    assert_eq!(ctc.greedy(&[step; 2], None), [Vec::<u32>::new()]);
    let [hypotheses] = ctc.beam(&[step; 2], None, 2);
    assert_eq!(hypotheses[0].labels, [1]);
    assert!((hypotheses[0].log_probability.exp() - 0.64).abs() < 1e-14);
}

#[test]
fn greedy_decoding_reads_the_most_likely_path() {
    let path = [1, 1, 0, 1, 2, 2, 0, 0, 2];
    let logits = path.map(|class| SMatrix::<f32, 3, 1>::from_fn(|k, _| if k == class { 1.0 } else { 0.0 }));
    assert_eq!(Ctc::new(0).greedy(&logits, None), [vec![1, 1, 2, 2]]);
    assert_eq!(Ctc::new(0).greedy(&logits, Some([3])), [vec![1]]);
    assert_eq!(Ctc::new(2).greedy(&logits, None), [vec![1, 0, 1, 0]]);
}

#[test]
fn invalid_labels_are_reported_and_other_samples_are_kept() {
    let logits = random::<4>(14, 6);
    let targets = [vec![1, 2], vec![1, 0, 2], vec![2], vec![1, 1, 3, 0]];
    let mut ctc = Ctc::new(0);
    let (mut dlogits, mut without) = (Vec::new(), Vec::new());
    let loss = ctc.loss(&logits, None, &targets, &mut dlogits);
    let reports: Vec<String> = loss.impossible.iter().map(ToString::to_string).collect();
    assert_eq!(
        reports,
        [
            "label 1 of the target of sample 1 is the blank",
            "label 2 of the target of sample 3 is 3, not below 3, the number of logits"
        ]
    );
    assert_eq!((loss.samples[1], loss.samples[3]), (f64::INFINITY, f64::INFINITY));
    // The same batch without the two impossible samples.
    let good = [vec![1, 2], vec![], vec![2]];
    let expected = ctc.loss_weighted(&logits, None, &good, &[0.5, 0.0, 0.5, 0.0], &mut without);
    assert_eq!((loss.samples[0], loss.samples[2]), (expected.samples[0], expected.samples[2]));
    assert!((loss.value - expected.value).abs() < 1e-14);
    for (dlogits, without) in dlogits.iter().zip(&without) {
        assert!((dlogits - without).amax() < 1e-15);
    }
    let none = ctc.loss(&logits, None, &[[0]], &mut dlogits);
    assert_eq!(none.value, f64::INFINITY);
}

#[test]
fn lengths_are_limited_to_the_sequence() {
    let logits = random::<2>(15, 4);
    let mut ctc = Ctc::new(0);
    let (mut dlogits, mut whole) = (Vec::new(), Vec::new());
    let beyond = Some([4, 9]);
    let loss = ctc.loss(&logits, beyond, &[vec![1], vec![2, 1]], &mut dlogits);
    assert_eq!(loss, ctc.loss(&logits, None, &[vec![1], vec![2, 1]], &mut whole));
    assert_eq!(dlogits, whole);
    assert_eq!(ctc.greedy(&logits, beyond), ctc.greedy(&logits, None));
    assert_eq!(ctc.beam(&logits, beyond, 3), ctc.beam(&logits, None, 3));
}

#[test]
#[should_panic(expected = "the blank 3 is not below 3, the number of logits")]
fn a_blank_that_is_not_a_class_panics() {
    Ctc::new(3).loss(&random::<2>(1, 4), None, &[[1]], &mut Vec::new());
}

#[test]
#[should_panic(expected = "3 targets do not fit into a batch of 2")]
fn too_many_targets_panic() {
    Ctc::new(0).loss(&random::<2>(1, 4), None, &[[1], [1], [1]], &mut Vec::new());
}
