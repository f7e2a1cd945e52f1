//! The LSTM of 1997: no forget gate, gates shared by blocks of cells, and a gradient that is
//! truncated where the error would leave a cell.

use examples::report::mean_and_deviation;
use rnn_cell::train::Trainer;

use rnn_cell::prelude::*;
use std::collections::VecDeque;

rnn_cell! {
    /// Two blocks of two memory cells and a readout (Hochreiter & Schmidhuber 1997, appendix A.1).
    /// Cells `k` and `k + 2` share the gates of block `k`. Cells and gates read the inputs, all
    /// cells and all gates; the output reads the cells.
    ///
    /// The paper truncates the gradient of all recurrent values except the cells' own states;
    /// `stop_gradient` does the same here.
    pub cell Blocks<I, O> {
        /// The inputs of one step.
        input x: [I];
        /// The outputs and the states of the cells.
        state h, c: [4];
        /// The input and output gates of the blocks.
        state i, o: [2];
        /// The weights of the gates, of the cells and of the output.
        param W_i, W_o: [2, 8 + I] = uniform(0.1);
        param W_c: [4, 8 + I] = uniform(0.1);
        param W_y: [O, 4] = uniform(0.1);
        /// The biases.
        param b_i, b_o: [2] = uniform(0.1);
        param b_c: [4] = uniform(0.1);
        param b_y: [O] = uniform(0.1);

        fn g(u) = 4 * sigmoid(u) - 2;
        fn squashed(u) = 2 * sigmoid(u) - 1;

        before = stop_gradient([h[t-1], i[t-1], o[t-1]]);
        i = sigmoid(W_i @ [before, x] + b_i);
        o = sigmoid(W_o @ [before, x] + b_o);
        c = c[t-1] + [i, i] * g(W_c @ [before, x] + b_c);
        h = [o, o] * squashed(c);
        y = sigmoid(W_y @ h + b_y);

        output y;
    }
}

/// Formats the mean and the deviation of the present counts, and their number: "74200 ± 1300 (6 of
/// 6)".
pub fn counted(counts: impl Iterator<Item = Option<usize>>) -> String {
    let all: Vec<Option<usize>> = counts.collect();
    let some: Vec<f64> = all.iter().flatten().map(|&count| count as f64).collect();
    if some.is_empty() {
        return format!("never (0 of {})", all.len());
    }
    let (mean, deviation) = mean_and_deviation(&some);
    format!("{mean:.0} ± {deviation:.0} ({} of {})", some.len(), all.len())
}

/// Formats the counts of all seeds: "66 21 12".
pub fn listed(counts: impl Iterator<Item = usize>) -> String {
    counts.map(|count| count.to_string()).collect::<Vec<_>>().join(" ")
}

/// A task of the paper, whose error is that of the last step of a sequence.
pub struct Experiment<S> {
    /// The learning rate for half the squared error. It is twice that of the paper, which we
    /// interpret as a rate for the squared error.
    pub rate: f64,
    /// The initial biases of the input gates of the two blocks, which keep the blocks from learning
    /// the same.
    pub input_biases: [f32; 2],
    /// The absolute error below which an output is right.
    pub tolerance: f32,
    /// The mean absolute error below which the training ends.
    pub mean_error: f64,
    /// The function that draws a sequence and its target.
    pub draw: S,
}

/// The result of a training run.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    /// The number of sequences until the mean absolute error of the last 2,000 was low enough, if
    /// it ever was.
    pub low: Option<usize>,
    /// The number of sequences until the last 2,000 were all right as well, which is the paper's
    /// criterion and ends the training.
    pub solved: Option<usize>,
    /// The number of wrong test sequences.
    pub wrong: usize,
    /// The mean squared error in the test.
    pub squared: f64,
}

/// The number of test sequences, as in the paper.
pub const TESTED: usize = 2560;
/// The number of consecutive sequences that must be right.
const IN_A_ROW: usize = 2000;

impl<S> Experiment<S> {
    /// Trains on one sequence per update until the last 2,000 are right and their mean error is low
    /// enough (the paper's criterion), with at most `budget` sequences. Then tests on `tested`
    /// other sequences.
    pub fn learn<const I: usize, const O: usize>(&self, budget: usize, tested: usize, seed: u64) -> Ending
    where
        S: Fn(&mut Xoshiro256PlusPlus) -> (Vec<SVector<f32, I>>, SVector<f32, O>),
    {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut net = Blocks::<I, O>::init(rng);
        net.b_i = SVector::from(self.input_biases);
        let mut trainer = Trainer::new::<1>(net, Sgd::new(self.rate));
        let (mut low, mut solved) = (None, None);
        let (mut right, mut sum, mut errors) = (0, 0.0, VecDeque::with_capacity(IN_A_ROW));
        for sequence in 1..=budget {
            let (xs, target) = (self.draw)(rng);
            let mut error = 0.0;
            let loss = trainer.step(&xs, |out| {
                // The gradient is that of half the squared error.
                out.last_step(|y, _| {
                    let difference = y - target;
                    error = difference.amax();
                    (0.5 * difference.norm_squared(), difference)
                })
            });
            loss.expect("the loss is finite");
            right = if error < self.tolerance { right + 1 } else { 0 };
            if errors.len() == IN_A_ROW {
                sum -= errors.pop_front().unwrap_or(0.0);
            }
            errors.push_back(f64::from(error));
            sum += f64::from(error);
            if errors.len() == IN_A_ROW && sum < self.mean_error * IN_A_ROW as f64 {
                low = low.or(Some(sequence));
                if right >= IN_A_ROW {
                    solved = Some(sequence);
                    break;
                }
            }
        }
        let (mut wrong, mut squared) = (0, 0.0);
        for _ in 0..tested {
            let (xs, target) = (self.draw)(rng);
            let ys = trainer.outputs(&xs);
            let error = ys[ys.len() - 1] - target;
            wrong += usize::from(error.amax() >= self.tolerance);
            squared += f64::from(error.norm_squared()) / (O * tested) as f64;
        }
        Ending { low, solved, wrong, squared }
    }
}
