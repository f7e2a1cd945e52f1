//! Beam search.

use alloc::vec;
use alloc::vec::Vec;

use nalgebra::SMatrix;

use crate::train::ctc::log_softmax;
use crate::{Scalar, functions};

/// The settings of a [`beam`] search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    width: usize,
    limit: usize,
    alpha: f64,
}

impl Search {
    /// Creates a search that keeps the `width` most likely prefixes, up to `limit` symbols.
    pub fn new(width: usize, limit: usize) -> Self {
        Search { width, limit, alpha: 0.0 }
    }

    /// Divides the logarithm of a sequence's probability by `((5 + n) / 6)^alpha`, where `n` is the
    /// number of symbols including the end (Wu et al. 2016, equation 14, without the coverage
    /// penalty).
    ///
    /// Without a penalty (`alpha` 0) short sequences win, because every symbol lowers the
    /// probability. Values from 0.6 to 1 are usual.
    #[must_use]
    pub fn length_penalty(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    fn score(&self, log_probability: f64, symbols: usize) -> f64 {
        log_probability / functions::pow((5.0 + symbols as f64) / 6.0, self.alpha)
    }
}

/// A sequence that a [`beam`] search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis<S> {
    /// The symbols, without the end symbol.
    pub symbols: Vec<u32>,
    /// True if the sequence ended with the end symbol, false if it reached the limit.
    pub ended: bool,
    /// `ln` of the probability of the symbols, and of the end symbol if there is one.
    pub log_probability: f64,
    /// The value by which hypotheses are ordered: `log_probability` with the [length
    /// penalty](Search::length_penalty).
    pub score: f64,
    /// The state after the last step.
    pub state: S,
}

/// Returns the most likely sequences that a beam search finds, the best first. There are at most as
/// many as the width of the beam.
///
/// `step` reads the previous symbol (at first `start`), advances the state and returns the logits
/// of the next symbol. The state is cloned when a prefix continues in several ways. It can
/// therefore also hold data of each sequence, such as an alignment: `S` may be a pair of a cell's
/// state and a list.
///
/// # Panics
/// Panics if the width of the beam is 0.
pub fn beam<S: Clone, T: Scalar, const K: usize>(
    state: S,
    start: u32,
    end: u32,
    search: &Search,
    mut step: impl FnMut(&[u32; 1], &mut S) -> SMatrix<T, K, 1>,
) -> Vec<Hypothesis<S>> {
    assert!(search.width > 0, "the width of a beam must be at least 1");
    let mut finished: Vec<Hypothesis<S>> = Vec::new();
    let first = Hypothesis { symbols: Vec::new(), ended: false, log_probability: 0.0, score: 0.0, state };
    let mut live = vec![first];
    while !live.is_empty() && live[0].symbols.len() < search.limit {
        let mut candidates = Vec::with_capacity(live.len() * K);
        for (from, hypothesis) in live.iter_mut().enumerate() {
            let before = hypothesis.symbols.last().copied().unwrap_or(start);
            let logits = step(&[before], &mut hypothesis.state);
            let mut log_p: Vec<f64> = logits.iter().map(|logit| logit.as_f64()).collect();
            log_softmax(&mut log_p);
            candidates.extend(log_p.iter().enumerate().map(|(symbol, log_p)| Candidate {
                from,
                symbol: symbol as u32,
                log_probability: hypothesis.log_probability + log_p,
            }));
        }
        candidates.retain(|candidate| candidate.log_probability > f64::NEG_INFINITY);
        candidates.sort_by(|a, b| b.log_probability.total_cmp(&a.log_probability));
        candidates.truncate(search.width);
        let (ended, going): (Vec<_>, Vec<_>) =
            candidates.into_iter().partition(|candidate| candidate.symbol == end);
        finished.extend(ended.iter().map(|candidate| candidate.of(&live, true, search)));
        live = going.iter().map(|candidate| candidate.of(&live, false, search)).collect();
        best_first(&mut finished, search.width);
        if finished.len() == search.width && live.iter().all(|live| hopeless(live, &finished, search)) {
            return finished;
        }
    }
    finished.extend(live);
    best_first(&mut finished, search.width);
    finished
}

/// A hypothesis extended by one symbol.
struct Candidate {
    from: usize,
    symbol: u32,
    log_probability: f64,
}

impl Candidate {
    fn of<S: Clone>(&self, live: &[Hypothesis<S>], ended: bool, search: &Search) -> Hypothesis<S> {
        let Hypothesis { symbols, state, .. } = &live[self.from];
        let score = search.score(self.log_probability, symbols.len() + 1);
        let mut symbols = symbols.clone();
        if !ended {
            symbols.push(self.symbol);
        }
        Hypothesis { symbols, ended, log_probability: self.log_probability, score, state: state.clone() }
    }
}

fn best_first<S>(hypotheses: &mut Vec<Hypothesis<S>>, width: usize) {
    hypotheses.sort_by(|a, b| b.score.total_cmp(&a.score));
    hypotheses.truncate(width);
}

/// Returns whether no continuation of `live` can displace one of `finished`. More symbols make it
/// less likely, and the effect of the length penalty is largest at the shortest or the longest
/// possible length.
fn hopeless<S>(live: &Hypothesis<S>, finished: &[Hypothesis<S>], search: &Search) -> bool {
    let score = |symbols| search.score(live.log_probability, symbols);
    let bound = score(live.symbols.len() + 1).max(score(search.limit));
    finished.iter().all(|finished| bound <= finished.score)
}
