//! Connectionist temporal classification (Graves, Fernández, Gomez & Schmidhuber 2006): training
//! and decoding of label sequences that are shorter than their input and not aligned with it.
//!
//! At each step a network returns logits over the labels and a *blank*. A path through the steps
//! reads as a labelling: first repetitions are merged, then blanks are dropped (the paper's map ℬ:
//! `a a - a b b` reads as `a a b`). The loss of a target is minus the logarithm of the total
//! probability of all paths that read as it.
//!
//! ```
//! use nalgebra::Vector3;
//! use rnn_cell::train::ctc::Ctc;
//!
//! // Class 0 is the blank. Two equal labels in a row need a blank between them. Only one path of
//! // three steps has it; its probability is 3^-3.
//! let logits = [Vector3::<f64>::zeros(); 3];
//! let mut ctc = Ctc::new(0);
//! let mut dlogits = Vec::new();
//! let loss = ctc.loss(&logits, None, &[[2, 2]], &mut dlogits);
//! assert!((loss.value - 27.0_f64.ln()).abs() < 1e-14);
//! // The gradient favours that path: its share at the first step rises from 1/3 to 1.
//! assert!((dlogits[0] - Vector3::new(1.0, 1.0, -2.0) / 3.0).amax() < 1e-14);
//!
//! let [best] = ctc.greedy(&logits, None);
//! assert!(best.is_empty());
//! let [hypotheses] = ctc.beam(&logits, None, 4);
//! // All paths are equally likely, but six of the 27 read as `1`: any run of ones between blanks.
//! assert_eq!(hypotheses[0].labels, [1]);
//! assert!((hypotheses[0].log_probability - (6.0_f64 / 27.0).ln()).abs() < 1e-14);
//! ```

mod decode;
mod distance;
mod lattice;

use alloc::vec::Vec;
use core::fmt;

use nalgebra::SMatrix;

use crate::Scalar;
pub use decode::Hypothesis;
pub use distance::{edit_distance, label_error_rate};
use lattice::Lattice;
pub(crate) use lattice::log_softmax;

/// The loss and the decoders of connectionist temporal classification, with allocations that the
/// loss reuses from batch to batch.
#[derive(Debug, Clone)]
pub struct Ctc {
    blank: u32,
    lattice: Lattice,
}

/// The result of [`Ctc::loss`].
#[derive(Debug, Clone, PartialEq)]
pub struct CtcLoss<T, const B: usize> {
    /// The mean over the possible samples (their sum, if weighted); +inf if none is possible.
    pub value: T,
    /// `-ln p(target)` of each sample, in nats; +inf if it is impossible, 0 in unused columns.
    pub samples: [T; B],
    /// The samples whose loss is +inf, with the reasons. They have no gradient and should be
    /// corrected or removed from the data.
    pub impossible: Vec<Impossible>,
}

/// A sample whose loss is infinite, because no path through its steps reads as its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Impossible {
    /// The index of the sample in the batch.
    pub sample: usize,
    /// The reason.
    pub cause: Cause,
}

/// The reason why a target is [`Impossible`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The target is too long for its input.
    TooLong {
        /// The number of steps that the target needs: one per label, and a blank between equal
        /// labels.
        needed: usize,
        /// The number of steps that its input has.
        steps: usize,
    },
    /// A label is the blank, which no labelling contains.
    Blank {
        /// The index of the label in the target.
        place: usize,
    },
    /// A label is not below the number of logits.
    NoClass {
        /// The index of the label in the target.
        place: usize,
        /// The label.
        label: u32,
        /// The number of logits.
        classes: usize,
    },
    /// Logits of -inf rule out every path.
    RuledOut,
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Impossible { sample, cause } = self;
        match cause {
            Cause::TooLong { needed, steps } => {
                write!(f, "the target of sample {sample} needs {needed} steps and its input has {steps}")
            }
            Cause::Blank { place } => {
                write!(f, "label {place} of the target of sample {sample} is the blank")
            }
            Cause::NoClass { place, label, classes } => {
                write!(
                    f,
                    "label {place} of the target of sample {sample} is {label}, not below {classes}, the number of logits"
                )
            }
            Cause::RuledOut => write!(f, "logits of -inf rule out the target of sample {sample}"),
        }
    }
}

impl core::error::Error for Impossible {}

impl Ctc {
    /// Creates the loss and the decoders for logits whose class `blank` is the blank (usually 0).
    pub fn new(blank: u32) -> Self {
        Ctc { blank, lattice: Lattice::default() }
    }

    /// Returns the class of the blank.
    pub fn blank(&self) -> u32 {
        self.blank
    }

    /// Computes the loss of a batch: the mean of `-ln p(target)` over its possible samples
    /// (equations 6 to 8), in nats.
    ///
    /// `logits[t]` are the logits of step `t`, one sample per column. `lengths` holds the number of
    /// steps of each sample; without it, and for a length beyond the last step, a sample has all
    /// steps. `targets` are label sequences without blanks, which may be empty. If there are fewer
    /// than `B`, the last columns of the batch are unused. `dlogits` becomes the gradient with
    /// respect to the logits (equations 10 to 16), zero past a sample's end. Its allocation is
    /// reused.
    ///
    /// A target is impossible if it is too long for its input, or if one of its labels is the blank
    /// or not a class. It has a loss of +inf, no gradient, no share in the mean, and an entry in
    /// [`impossible`](CtcLoss::impossible). The other samples of the batch are not affected. A
    /// logit that is NaN or +inf makes the sample's loss and gradient NaN.
    ///
    /// Everything is computed in `f64` from logarithms, because the probabilities of one sequence
    /// span hundreds of orders of magnitude.
    ///
    /// # Panics
    /// Panics if there are more than `B` targets, or the blank is not a class.
    pub fn loss<T: Scalar, S: AsRef<[u32]>, const C: usize, const B: usize>(
        &mut self,
        logits: &[SMatrix<T, C, B>],
        lengths: Option<[usize; B]>,
        targets: &[S],
        dlogits: &mut Vec<SMatrix<T, C, B>>,
    ) -> CtcLoss<T, B> {
        let mut loss = self.loss_weighted(logits, lengths, targets, &[T::one(); B], dlogits);
        let possible = targets.len() - loss.impossible.len();
        let share = T::of(1.0 / possible.max(1) as f64);
        loss.value *= share;
        dlogits.iter_mut().for_each(|dlogits| *dlogits *= share);
        loss
    }

    /// Computes [`loss`](Self::loss) with one weight per sample: the sum of weight times loss over
    /// the possible samples. A sample of weight zero has a loss in [`samples`](CtcLoss::samples),
    /// but no gradient.
    ///
    /// # Panics
    /// Panics if [`loss`](Self::loss) panics.
    pub fn loss_weighted<T: Scalar, S: AsRef<[u32]>, const C: usize, const B: usize>(
        &mut self,
        logits: &[SMatrix<T, C, B>],
        lengths: Option<[usize; B]>,
        targets: &[S],
        weights: &[T; B],
        dlogits: &mut Vec<SMatrix<T, C, B>>,
    ) -> CtcLoss<T, B> {
        assert!(targets.len() <= B, "{} targets do not fit into a batch of {B}", targets.len());
        self.check_blank(C);
        dlogits.clear();
        dlogits.resize(logits.len(), SMatrix::zeros());
        let mut loss = CtcLoss { value: T::zero(), samples: [T::zero(); B], impossible: Vec::new() };
        for (sample, target) in targets.iter().enumerate() {
            let target = target.as_ref();
            if let Some(cause) = self.bad_label(C, target) {
                loss.samples[sample] = T::of(f64::INFINITY);
                loss.impossible.push(Impossible { sample, cause });
                continue;
            }
            let steps = lengths.map_or(logits.len(), |lengths| lengths[sample].min(logits.len()));
            self.lattice.read(C, logits[..steps].iter().map(|logits| column(logits, sample)));
            let value = self.lattice.loss(target, self.blank);
            loss.samples[sample] = T::of(value);
            if value == f64::INFINITY {
                let equal = target.windows(2).filter(|pair| pair[0] == pair[1]).count();
                let needed = target.len() + equal;
                let cause = if needed > steps { Cause::TooLong { needed, steps } } else { Cause::RuledOut };
                loss.impossible.push(Impossible { sample, cause });
                continue;
            }
            let weight = weights[sample].as_f64();
            if weight == 0.0 {
                continue;
            }
            loss.value += T::of(weight * value);
            self.lattice.differentiate(target, self.blank);
            for (dlogits, gradient) in dlogits.iter_mut().zip(self.lattice.gradients()) {
                let column = &mut dlogits.as_mut_slice()[sample * C..][..C];
                column.iter_mut().zip(gradient).for_each(|(to, &from)| *to = T::of(weight * from));
            }
        }
        if !targets.is_empty() && loss.impossible.len() == targets.len() {
            loss.value = T::of(f64::INFINITY);
        }
        loss
    }

    #[track_caller]
    fn check_blank(&self, classes: usize) {
        let blank = self.blank;
        assert!((blank as usize) < classes, "the blank {blank} is not below {classes}, the number of logits");
    }

    /// Returns the first label that no labelling can contain.
    fn bad_label(&self, classes: usize, target: &[u32]) -> Option<Cause> {
        target.iter().enumerate().find_map(|(place, &label)| match label {
            _ if label as usize >= classes => Some(Cause::NoClass { place, label, classes }),
            _ if label == self.blank => Some(Cause::Blank { place }),
            _ => None,
        })
    }
}

fn column<T: Scalar, const C: usize, const B: usize>(logits: &SMatrix<T, C, B>, sample: usize) -> &[T] {
    &logits.as_slice()[sample * C..][..C]
}

#[cfg(test)]
mod tests;
