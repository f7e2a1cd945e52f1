//! Greedy and beam search against the enumeration of every sequence, and teacher forcing against
//! single steps of the decoder.

use std::collections::BTreeMap;

use nalgebra::{SMatrix, SVector};

use super::*;
use crate::cell::{Layer, Model};
use crate::cells::{AdditiveAttention, BahdanauDecoder, BahdanauDecoderContext, ConcatAttention};
use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};
use crate::types::varying::Varying;

const SYMBOLS: usize = 4;
const END: u32 = 0;
const LIMIT: usize = 4;

/// A decoder whose next symbol depends on the last two symbols. The state is the last but one.
struct Table([[SVector<f64, SYMBOLS>; SYMBOLS]; SYMBOLS]);

impl Table {
    fn new(seed: u64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Self(array::from_fn(|_| array::from_fn(|_| SVector::from_fn(|_, _| 2.0 * rng::normal(&mut rng)))))
    }

    fn step(&self, symbol: u32, before: &mut u32) -> SVector<f64, SYMBOLS> {
        let logits = self.0[*before as usize][symbol as usize];
        *before = symbol;
        logits
    }

    /// Returns every sequence that ends or has `LIMIT` symbols, with the logarithm of its
    /// probability.
    fn sequences(&self) -> Vec<(Vec<u32>, bool, f64)> {
        let mut open = vec![(Vec::new(), 0.0)];
        let mut all = Vec::new();
        while let Some((symbols, log_p)) = open.pop() {
            if symbols.len() == LIMIT {
                all.push((symbols, false, log_p));
                continue;
            }
            let before = |back: usize| symbols.len().checked_sub(back).map_or(1, |place| symbols[place]);
            let logits = self.0[before(2) as usize][before(1) as usize];
            let log_sum = logits.map(f64::exp).sum().ln();
            for (symbol, logit) in logits.iter().enumerate() {
                let log_p = log_p + logit - log_sum;
                if symbol as u32 == END {
                    all.push((symbols.clone(), true, log_p));
                } else {
                    open.push(([&symbols[..], &[symbol as u32]].concat(), log_p));
                }
            }
        }
        all
    }
}

#[test]
fn a_wide_beam_finds_every_sequence_in_order() {
    for (seed, alpha) in [(1, 0.0), (2, 0.0), (3, 0.8), (4, 2.0), (5, -0.5)] {
        let table = Table::new(seed);
        let score = |symbols: &[u32], ended: bool, log_p: f64| {
            log_p / ((5.0 + (symbols.len() + usize::from(ended)) as f64) / 6.0).powf(alpha)
        };
        let all: BTreeMap<_, _> = (table.sequences().into_iter())
            .map(|(symbols, ended, log_p)| ((symbols.clone(), ended), (log_p, score(&symbols, ended, log_p))))
            .collect();
        assert_eq!(all.len(), 1 + 3 + 9 + 27 + 81);
        let search = |width| {
            let search = Search::new(width, LIMIT).length_penalty(alpha);
            beam(1_u32, 1, END, &search, |[symbol], before| table.step(*symbol, before))
        };
        let found = search(200);
        assert_eq!(found.len(), all.len());
        for Hypothesis { symbols, ended, log_probability, score, .. } in &found {
            let want = all[&(symbols.clone(), *ended)];
            assert!((log_probability - want.0).abs() < 1e-12 && (score - want.1).abs() < 1e-12);
        }
        assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
        // A narrower beam stops early and must still find the best sequence.
        assert!((search(30)[0].score - found[0].score).abs() < 1e-12, "seed {seed}");
    }
}

#[test]
fn a_beam_of_width_one_is_greedy_and_a_wider_one_no_worse() {
    for seed in 0..50 {
        let table = Table::new(seed);
        let mut steps = 0;
        let [greedy] = greedy(&mut 1_u32, [1], END, LIMIT, |[symbol], before| {
            steps += 1;
            table.step(*symbol, before)
        });
        assert_eq!(steps, (greedy.len() + 1).min(LIMIT), "no step after the end");
        let search = |width| {
            beam(1_u32, 1, END, &Search::new(width, LIMIT), |[symbol], before| table.step(*symbol, before))
        };
        let one = search(1);
        assert_eq!((one.len(), &one[0].symbols, one[0].ended), (1, &greedy, greedy.len() < LIMIT));
        assert!(search(8)[0].log_probability >= one[0].log_probability);
    }
}

#[test]
fn a_beam_stops_when_no_better_sequence_is_possible() {
    for alpha in [0.0, 1.0] {
        let mut steps = 0;
        let search = Search::new(3, 1000).length_penalty(alpha);
        let found = beam((), 1, END, &search, |_, ()| {
            steps += 1;
            SVector::from([9.0, 0.0, 0.0, 0.0])
        });
        assert!(found.iter().all(|hypothesis| hypothesis.ended) && steps < 300, "{steps}");
        assert!(found[0].symbols.is_empty());
    }
}

#[test]
fn a_batch_writes_the_same_as_its_samples() {
    let table = Table::new(7);
    let starts = [1, 2, 3, 1];
    let mut state = [1, 2, 3, 2];
    let together = greedy(&mut state, starts, END, 9, |symbols, before: &mut [u32; 4]| {
        let columns: [SVector<f64, SYMBOLS>; 4] = array::from_fn(|b| table.step(symbols[b], &mut before[b]));
        SMatrix::from_columns(&columns)
    });
    for (sample, before) in [1, 2, 3, 2].into_iter().enumerate() {
        let [alone] =
            greedy(&mut { before }, [starts[sample]], END, 9, |[symbol], before| table.step(*symbol, before));
        assert_eq!(together[sample], alone);
    }
    assert!(together.iter().any(|sequence| sequence.len() != together[0].len()));
}

type Decoder = BahdanauDecoder<5, 3, 4, 2, 3, 2, 6, f64>;

fn random<V: Varying<f64>>(rng: &mut Xoshiro256PlusPlus) -> V {
    let mut value = V::zero();
    value.scalars_mut(&mut |x| *x = rng::normal(rng));
    value
}

#[test]
fn teacher_forcing_agrees_with_single_steps() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let decoder = Decoder::init(&mut rng);
    let mut context: BahdanauDecoderContext<4, 2, 6, 2, f64> = random(&mut rng);
    context.mask = SMatrix::from_fn(|step, sample| f64::from(step < [6, 2][sample]));
    let sequences = [vec![1, 2, 4], vec![3]];
    // The index 5 is not a symbol: the sequence starts from zeros.
    let batch = Forced::<2>::new(&sequences, 5, 0);
    let (mut state, mut tape) = (decoder.initial_state_with(&context), decoder.tape());
    decoder.forward((&batch, &context), &mut state, &mut tape);
    let mut dys = Vec::new();
    let loss = batch.loss(decoder.outputs(&tape), &mut dys, |y| &mut y.logits);

    let mut log_p = 0.0;
    for (sample, symbols) in sequences.iter().enumerate() {
        let context = BahdanauDecoderContext {
            M: [context.M[sample]],
            mask: context.mask.column(sample).into(),
            first: context.first.column(sample).into(),
        };
        let mut state = decoder.initial_state_with(&context);
        for (read, write) in [5].iter().chain(symbols).zip(symbols.iter().chain(&[0])) {
            let y = decoder.step((&[*read], &context), &mut state);
            log_p += y.logits[*write as usize] - y.logits.map(f64::exp).sum().ln();
            assert!((y.alpha.sum() - 1.0).abs() < 1e-14);
            assert!(sample == 0 || y.alpha.rows(2, 4).amax() == 0.0, "a masked step has no weight");
        }
    }
    assert!((loss + log_p / 6.0).abs() < 1e-13, "{loss} {log_p}");
    assert!(dys.iter().all(|dy| dy.alpha.amax() == 0.0) && dys[0].logits.amax() > 0.0);
    assert!(dys[2].logits.column(1).amax() == 0.0, "nothing past the end");
}

#[test]
fn a_state_may_carry_the_alignment() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    let decoder = Decoder::init(&mut rng);
    let context: BahdanauDecoderContext<4, 2, 6, 1, f64> =
        BahdanauDecoderContext { mask: SMatrix::repeat(1.0), ..random(&mut rng) };
    let state = (decoder.initial_state_with(&context), Vec::new());
    let found = beam(state, 5, 0, &Search::new(3, 6), |symbols, (state, alignment)| {
        let y = decoder.step((symbols, &context), state);
        alignment.push(y.alpha);
        y.logits
    });
    for hypothesis in &found {
        let (_, alignment) = &hypothesis.state;
        assert_eq!(alignment.len(), hypothesis.symbols.len() + usize::from(hypothesis.ended));
        let mut state = decoder.initial_state_with(&context);
        let read = [5].iter().chain(&hypothesis.symbols);
        for (symbol, alpha) in read.zip(alignment) {
            assert_eq!(decoder.step((&[*symbol], &context), &mut state).alpha, *alpha);
        }
    }
}

#[test]
fn concat_attention_is_additive_attention_with_joined_matrices() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let additive = AdditiveAttention::<3, 2, 4, 5, f64>::init(&mut rng);
    let mut concat = ConcatAttention::<3, 2, 4, 5, f64>::zeros();
    (concat.W_a.left, concat.W_a.right, concat.v_a) = (additive.W_a, additive.U_a, additive.v_a);
    let context: crate::cells::AdditiveAttentionContext<2, 5, 2, f64> = random(&mut rng);
    let same = crate::cells::ConcatAttentionContext { M: context.M, mask: context.mask };
    let query: SMatrix<f64, 3, 2> = random(&mut rng);
    let a = additive.step((&query, &context), &mut additive.initial_state_with(&context));
    let b = concat.step((&query, &same), &mut concat.initial_state_with(&same));
    assert!((a.alpha - b.alpha).amax() < 1e-15 && (a.read - b.read).amax() < 1e-15);
}
