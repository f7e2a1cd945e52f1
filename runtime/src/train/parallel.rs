//! Training on several threads, with gradients that do not depend on their number.
//!
//! The parts of a batch are batches of `B / parts` samples. Each part has its own gradients, which
//! are added in the order of the parts. Two runs therefore agree to the last bit, on any number of
//! threads.
//!
//! ```
//! use rnn_cell::cells::Lstm;
//! use rnn_cell::train::parallel::DataParallel;
//! use rnn_cell::prelude::*;
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let mut lstm = Lstm::<3, 16>::init(&mut rng);
//! let (mut adam, mut gradients) = (Adam::new(1e-3), lstm.zero_gradients());
//!
//! // A batch of 32 samples in two parts, each with a tape of its own.
//! let parts = vec![vec![SMatrix::<f32, 3, 16>::repeat(0.5); 20]; 2];
//! let mut parallel = DataParallel::new(&lstm, parts.len(), |_| lstm.tape());
//! for _ in 0..3 {
//!     gradients.set_zero();
//!     let loss = parallel.run(&mut *gradients, |part, tape, gradients| {
//!         let xs = &parts[part];
//!         let ys = lstm.forward(xs, &mut lstm.zero_state(), tape).to_vec();
//!         lstm.backward(xs, tape, &ys, gradients);
//!         ys.iter().map(|y| 0.5 * f64::from(y.norm_squared())).sum()
//!     });
//!     assert!(loss.is_finite());
//!     adam.step(&mut lstm, &gradients);
//! }
//! ```
//!
//! The threads are those of rayon: its global pool, or the pool in which `run` is
//! [called](rayon::ThreadPool::install).

use alloc::boxed::Box;
use alloc::vec::Vec;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use crate::cell::{Model, ModelMut};
use crate::train::optim::add_through;

/// The data that each part of a batch needs: gradients `G`, and `W`, usually a tape.
#[derive(Debug)]
pub struct DataParallel<G: Model, W> {
    parts: Vec<Part<G, W>>,
    flat: Vec<G::Scalar>,
}

#[derive(Debug)]
struct Part<G, W> {
    gradients: Box<G>,
    own: W,
    loss: f64,
}

impl<G, W> DataParallel<G, W>
where
    G: ModelMut + Send,
    W: Send,
{
    /// Makes the data of `parts` parts. `own` is called with the number of each part. There may be
    /// more parts than threads.
    pub fn new<M: Model<Gradients = G>>(model: &M, parts: usize, mut own: impl FnMut(usize) -> W) -> Self {
        let part = |number| Part { gradients: model.zero_gradients(), own: own(number), loss: 0.0 };
        DataParallel { parts: (0..parts).map(part).collect(), flat: Vec::new() }
    }

    /// Calls `work` for every part, in parallel, with the part's number, its own data, and its
    /// gradients, which are all zero. Adds the gradients to `grads` and returns the sum of the
    /// losses that `work` returned.
    ///
    /// # Panics
    /// If `work` panics.
    pub fn run(&mut self, grads: &mut G, work: impl Fn(usize, &mut W, &mut G) -> f64 + Sync) -> f64 {
        self.parts.par_iter_mut().enumerate().for_each(|(number, part)| {
            part.gradients.set_zero();
            part.loss = work(number, &mut part.own, &mut part.gradients);
        });
        let mut loss = 0.0;
        for part in &self.parts {
            add_through(grads, &*part.gradients, &mut self.flat);
            loss += part.loss;
        }
        loss
    }

    /// Returns an iterator over the own data of each part.
    pub fn own_mut(&mut self) -> impl Iterator<Item = &mut W> {
        self.parts.iter_mut().map(|part| &mut part.own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::by_hand::{Conditioned, Elman, Tape};
    use crate::cell::Layer;
    use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};
    use nalgebra::SMatrix;

    const PARTS: usize = 5;

    fn flat(gradients: &impl Model<Scalar = f64>) -> Vec<f64> {
        let mut flat = Vec::new();
        gradients.visit(&mut |parameter| flat.extend_from_slice(parameter.values));
        flat
    }

    #[test]
    fn parts_add_up_in_their_order_on_any_number_of_threads() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let cell = Elman(Conditioned::<2, 3>::init(&mut rng));
        let mut xs = || -> Vec<SMatrix<f64, 2, 2>> {
            (0..6).map(|_| SMatrix::from_fn(|_, _| rng::normal(&mut rng))).collect()
        };
        let parts: Vec<_> = (0..PARTS).map(|_| xs()).collect();
        let work = |part: usize, tape: &mut Tape<3, 2>, gradients: &mut Conditioned<2, 3>| {
            let ys = cell.forward(&parts[part], &mut cell.zero_state(), tape).to_vec();
            cell.backward(&parts[part], tape, &ys, gradients);
            ys.iter().map(SMatrix::norm_squared).sum::<f64>()
        };

        // The reference: one part after the other.
        let (mut want, mut want_loss) = (cell.zero_gradients(), 0.0);
        for part in 0..PARTS {
            let mut gradients = cell.zero_gradients();
            want_loss += work(part, &mut cell.tape::<2>(), &mut gradients);
            crate::train::optim::add(&mut *want, &gradients);
        }
        for threads in [1, 2, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            let mut parallel = DataParallel::new(&cell, PARTS, |_| cell.tape::<2>());
            for _ in 0..2 {
                let mut gradients = cell.zero_gradients();
                let loss = pool.install(|| parallel.run(&mut *gradients, work));
                assert_eq!((loss, flat(&*gradients)), (want_loss, flat(&*want)), "on {threads} threads");
            }
        }
    }

    #[test]
    fn no_parts_leave_the_gradients_unchanged() {
        let cell = Elman(Conditioned::<2, 3>::zeros());
        let mut parallel = DataParallel::new(&cell, 0, |_| ());
        let mut gradients = cell.zero_gradients();
        gradients.bias[1] = 3.0;
        assert_eq!(parallel.run(&mut *gradients, |_, (), _| 1.0), 0.0);
        assert_eq!(gradients.bias[1], 3.0);
    }
}
