//! The forward-backward algorithm on the lattice of steps and positions of one sample.
//!
//! A position is an index into the target with blanks around every label. There are `2 L + 1`
//! positions: the even ones are blanks, and odd position `s` is label `s / 2`. A path stays, moves
//! on by one position, or skips a blank between two different labels.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::{Scalar, functions};

const NEVER: f64 = f64::NEG_INFINITY;

/// The lattice of one sample. Its allocations are reused.
#[derive(Debug, Clone, Default)]
pub(super) struct Lattice {
    classes: usize,
    steps: usize,
    /// `ln p` of every class at every step. After [`differentiate`](Self::differentiate): the
    /// gradient with respect to the logits.
    log_p: Vec<f64>,
    /// `ln` of the total probability of all paths that reach a position at a step, that step's
    /// class included.
    alpha: Vec<f64>,
    /// `ln` of the total probability of all ways to finish from a position after one step, that
    /// step's class excluded.
    beta: Vec<f64>,
    /// The share of each class in the target's probability, at one step.
    shares: Vec<f64>,
    log_likelihood: f64,
}

impl Lattice {
    /// Reads the logits of the steps of one sample.
    pub(super) fn read<'a, T: Scalar>(
        &mut self,
        classes: usize,
        steps: impl ExactSizeIterator<Item = &'a [T]>,
    ) {
        self.classes = classes;
        self.steps = steps.len();
        self.log_p.clear();
        for logits in steps {
            let from = self.log_p.len();
            self.log_p.extend(logits.iter().map(|logit| logit.as_f64()));
            log_softmax(&mut self.log_p[from..]);
        }
    }

    /// Returns `-ln p(target)`: +inf if no path reads as the target, NaN if a logit is NaN.
    pub(super) fn loss(&mut self, target: &[u32], blank: u32) -> f64 {
        let positions = 2 * target.len() + 1;
        self.alpha.clear();
        self.alpha.resize(self.steps * positions, NEVER);
        for t in 0..self.steps {
            let (before, now) = self.alpha.split_at_mut(t * positions);
            let before = before.rchunks_exact(positions).next();
            let log_p = &self.log_p[t * self.classes..][..self.classes];
            for s in within(t, self.steps, positions) {
                let arriving = match before {
                    Some(before) => {
                        let moving = if s >= 1 { before[s - 1] } else { NEVER };
                        let skipping = if skips(target, s) { before[s - 2] } else { NEVER };
                        log_sum([before[s], moving, skipping])
                    }
                    None => 0.0,
                };
                now[s] = arriving + log_p[class(target, blank, s)];
            }
        }
        self.log_likelihood = match self.alpha.rchunks_exact(positions).next() {
            Some([]) => unreachable!("there is always a position"),
            Some([only]) => *only,
            Some([.., label, end]) => log_sum([*label, *end, NEVER]),
            // Without steps the empty path is the only one.
            None if target.is_empty() => 0.0,
            None => NEVER,
        };
        // Rounding can give a probability above 1.
        if self.log_likelihood > 0.0 { 0.0 } else { -self.log_likelihood }
    }

    /// Replaces the classes' probabilities by the gradient of the [`loss`](Self::loss) that was
    /// just computed: each class's probability minus its share in the target's paths (equation 16).
    /// The loss must not be infinite.
    pub(super) fn differentiate(&mut self, target: &[u32], blank: u32) {
        let positions = 2 * target.len() + 1;
        self.beta.clear();
        self.beta.resize(positions, NEVER);
        self.beta[positions.saturating_sub(2)..].fill(0.0);
        for t in (0..self.steps).rev() {
            let alpha = &self.alpha[t * positions..][..positions];
            let log_p = &mut self.log_p[t * self.classes..][..self.classes];
            self.shares.clear();
            self.shares.resize(self.classes, 0.0);
            let (here, earlier) =
                (within(t, self.steps, positions), within(t.max(1) - 1, self.steps, positions));
            // In descending order: position `s` of the previous step needs `s + 1` and `s + 2` of
            // this step.
            let (mut next, mut after_next) = (NEVER, NEVER);
            for s in (*earlier.start()..=*here.end()).rev() {
                let k = class(target, blank, s);
                self.shares[k] += functions::exp(alpha[s] + self.beta[s] - self.log_likelihood);
                let staying = self.beta[s] + log_p[k];
                let skipping = if skips(target, s + 2) { after_next } else { NEVER };
                self.beta[s] = log_sum([staying, next, skipping]);
                (next, after_next) = (staying, next);
            }
            for (log_p, share) in log_p.iter_mut().zip(&self.shares) {
                *log_p = functions::exp(*log_p) - share;
            }
        }
    }

    /// Returns the gradients with respect to the logits, step by step.
    pub(super) fn gradients(&self) -> impl Iterator<Item = &[f64]> {
        self.log_p.chunks_exact(self.classes)
    }
}

/// Returns the class of a position.
fn class(target: &[u32], blank: u32, s: usize) -> usize {
    (if s % 2 == 1 { target[s / 2] } else { blank }) as usize
}

/// Returns whether a path may move from position `s - 2` to `s`: over a blank, to a different
/// label.
fn skips(target: &[u32], s: usize) -> bool {
    s % 2 == 1 && s >= 3 && s / 2 < target.len() && target[s / 2] != target[s / 2 - 1]
}

/// Returns the positions that a path can have after step `t` of `steps`. A path begins at one of
/// the first two positions and ends at one of the last two. The range is empty if there are too few
/// steps.
fn within(t: usize, steps: usize, positions: usize) -> RangeInclusive<usize> {
    positions.saturating_sub(2 * (steps - t))..=(2 * t + 1).min(positions - 1)
}

/// Returns `ln(exp a + exp b + exp c)`; NaN if one of them is NaN.
fn log_sum([a, b, c]: [f64; 3]) -> f64 {
    let larger = if b > a { b } else { a };
    let largest = if c > larger { c } else { larger };
    if largest == NEVER {
        return a + b + c;
    }
    let sum = [a, b, c].iter().map(|&x| functions::exp(x - largest)).sum::<f64>();
    largest + functions::ln(sum)
}

/// Converts logits to logarithms of probabilities. All become NaN if a logit is NaN or +inf.
pub(crate) fn log_softmax(logits: &mut [f64]) {
    let largest = logits.iter().copied().fold(NEVER, |a, b| if b > a { b } else { a });
    let sum: f64 = logits.iter().map(|&logit| functions::exp(logit - largest)).sum();
    let log_sum = functions::ln(sum);
    logits.iter_mut().for_each(|logit| *logit = (*logit - largest) - log_sum);
}
