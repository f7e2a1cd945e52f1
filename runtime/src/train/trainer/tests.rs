//! A trainer against the same training written by hand.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::cell::Cell;

use nalgebra::SMatrix;

use super::*;
use crate::by_hand::{Conditioned, Elman};
use crate::cell::ModelMut;
use crate::cells::InitialStateLstm;
use crate::data::Batch;
use crate::rng;
use crate::train::Schedule;
use crate::train::bptt::Truncated;
use crate::train::loss::mean_squared_error_weighted;
use crate::train::optim::{Adam, Optimiser, Sgd, clip_global_norm};

type Net = Elman<2, 3>;
type Xs<const B: usize> = Vec<SMatrix<f64, 2, B>>;
type Y<const B: usize> = SMatrix<f64, 3, B>;

fn net() -> Net {
    Elman(Conditioned::init(&mut Xoshiro256PlusPlus::seed_from_u64(3)))
}

fn sequence<const B: usize>(steps: usize, seed: u64) -> Xs<B> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    (0..steps).map(|_| SMatrix::from_fn(|_, _| rng::normal(&mut rng))).collect()
}

fn flat(model: &impl Model<Scalar = f64>) -> Vec<f64> {
    let mut flat = Vec::new();
    model.visit(&mut |parameter| flat.extend_from_slice(parameter.values));
    flat
}

/// Returns the target of a step, which no output equals.
fn target<const B: usize>(t: usize) -> Y<B> {
    SMatrix::from_fn(|row, _| 0.1 * (t + row) as f64)
}

fn squares<const B: usize>(out: &mut Outputs<'_, Net, B>) -> f64 {
    out.every_step(|t, y, weights| mean_squared_error_weighted(y, &target(t), weights))
}

fn last_squares<const B: usize>(out: &mut Outputs<'_, Net, B>) -> f64 {
    out.last_step(|y, weights| mean_squared_error_weighted(y, &target(0), weights))
}

fn assert_close(one: &[f64], other: &[f64]) {
    assert_eq!(one.len(), other.len());
    for (a, b) in one.iter().zip(other) {
        assert!((a - b).abs() < 1e-13, "{a} is not {b}");
    }
}

#[test]
fn a_step_is_the_loop_that_users_wrote() {
    let (xs, mut by_hand, mut adam) = (sequence::<4>(6, 1), net(), Adam::new(1e-2));
    let batch = Batch { xs: xs.clone(), lengths: [6, 2, 0, 5] };
    let schedule = Schedule::linear(1e-2, 4);
    let mut trainer = Trainer::new::<4>(net(), Adam::new(1.0)).clip_norm(0.5).schedule(schedule);
    let (mut gradients, mut tape, mut dys) = (by_hand.zero_gradients(), by_hand.tape(), Vec::new());
    for update in 0..4 {
        let loss = trainer.step(&batch, squares).unwrap();

        let ys = by_hand.forward(&batch, &mut by_hand.zero_state(), &mut tape);
        let want = crate::train::loss::every_step(ys, Some(batch.lengths), &mut dys, |t, y, weights| {
            mean_squared_error_weighted(y, &target(t), weights)
        });
        gradients.set_zero();
        by_hand.backward(&batch, &mut tape, &dys, &mut gradients);
        clip_global_norm(&mut gradients, 0.5);
        schedule.apply(update, &mut adam);
        adam.step(&mut by_hand, &gradients);
        assert_eq!(loss, want);
        assert_eq!(flat(&trainer.model), flat(&by_hand));
    }
    assert_eq!(trainer.updates(), 4);
}

#[test]
fn truncated_steps_are_the_blocks_of_truncated_bptt() {
    let (xs, mut by_hand, mut sgd) = (sequence::<2>(11, 2), net(), Sgd::new(0.1));
    let mut trainer = Trainer::new::<2>(net(), Sgd::new(0.1)).truncated(3, 5);
    for _ in 0..2 {
        let mut blocks = Vec::new();
        trainer
            .step(&xs, |out| {
                blocks.push(out.steps.clone());
                squares(out)
            })
            .unwrap();
        assert_eq!(blocks, [0..3, 3..6, 6..9, 9..11]);

        let (mut bptt, mut gradients) = (Truncated::new(&by_hand, 3, 5), by_hand.zero_gradients());
        while let Some(block) = bptt.forward(&by_hand, &xs) {
            let weights = [1.0 / (2 * block.len()) as f64; 2];
            let errors = bptt.outputs().iter().zip(block);
            let dys: Vec<_> =
                errors.map(|(y, t)| mean_squared_error_weighted(y, &target(t), &weights).1).collect();
            gradients.set_zero();
            bptt.backward(&by_hand, &xs, &dys, &mut gradients);
            sgd.step(&mut by_hand, &gradients);
        }
        assert_eq!(flat(&trainer.model), flat(&by_hand));
    }
    assert_eq!(trainer.updates(), 8);
}

#[test]
fn checkpoints_give_the_gradients_of_whole_sequences() {
    let batch = Batch { xs: sequence::<2>(30, 3), lengths: [30, 17] };
    for loss in [squares, last_squares] {
        let mut whole = Trainer::new::<2>(net(), Sgd::new(0.1));
        let mut checkpointed = Trainer::new::<2>(net(), Sgd::new(0.1)).checkpointed();
        let (a, b) = (whole.step(&batch, loss).unwrap(), checkpointed.step(&batch, loss).unwrap());
        assert!((a - b).abs() < 1e-14, "{a} is not {b}");
        assert_close(&flat(&whole.model), &flat(&checkpointed.model));
    }
}

#[test]
fn a_loss_at_the_last_step_counts_in_the_block_that_holds_it() {
    let batch = Batch { xs: sequence::<2>(9, 3), lengths: [9, 4] };
    let mut trainer = Trainer::new::<2>(net(), Sgd::new(0.0)).truncated(3, 9);
    let mut sum = 0.0;
    trainer
        .step(&batch, |out| {
            let loss = last_squares(out);
            sum += loss;
            loss
        })
        .unwrap();
    let whole = Trainer::new::<2>(net(), Sgd::new(0.0)).step(&batch, last_squares).unwrap();
    assert!((sum - whole).abs() < 1e-15);
}

#[test]
fn carried_states_join_windows() {
    let xs = sequence::<2>(8, 4);
    let mut whole = Trainer::new::<2>(net(), Sgd::new(0.0)).truncated(4, 4);
    let mut windows = Trainer::new::<2>(net(), Sgd::new(0.0)).carry_state();
    for _ in 0..2 {
        let want = whole.step(&xs, squares).unwrap();
        let mut loss = 0.0;
        for (number, window) in xs.chunks(4).enumerate() {
            let squares = |out: &mut Outputs<'_, Net, 2>| {
                let shifted = |t| target(4 * number + t);
                out.every_step(|t, y, weights| mean_squared_error_weighted(y, &shifted(t), weights))
            };
            loss += windows.step(window, squares).unwrap() / 2.0;
        }
        assert!((loss - want).abs() < 1e-15);
        windows.reset_state();
    }
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    let (one, other) = (sequence::<2>(5, 5), sequence::<2>(5, 6));
    let join = |(a, b): (&SMatrix<f64, 2, 2>, &SMatrix<f64, 2, 2>)| {
        SMatrix::<f64, 2, 4>::from_fn(
            |row, column| if column < 2 { a[(row, column)] } else { b[(row, column - 2)] },
        )
    };
    let both: Xs<4> = one.iter().zip(&other).map(join).collect();
    let zero = |_, y: &_, weights: &_| mean_squared_error_weighted(y, &SMatrix::zeros(), weights);
    let mut large = Trainer::new::<4>(net(), Sgd::new(0.1));
    large
        .step(&both, |out| out.every_step(|_, y, w| mean_squared_error_weighted(y, &SMatrix::zeros(), w)))
        .unwrap();
    let mut small = Trainer::new::<2>(net(), Sgd::new(0.1)).accumulate(2);
    for xs in [&one, &other] {
        assert_eq!(small.updates(), 0);
        small.step(xs, |out| out.every_step(zero)).unwrap();
    }
    assert_eq!(small.updates(), 1);
    assert_close(&flat(&small.model), &flat(&large.model));
}

#[test]
fn a_fault_is_located_and_changes_nothing() {
    let good = sequence::<2>(5, 7);
    let mut bad = good.clone();
    bad[3][(1, 1)] = f64::NAN;
    fn check<W: Bptt<Net, 2>>(mut trainer: Trainer<Net, Sgd<f64>, W>, good: &Xs<2>, bad: &Xs<2>) {
        trainer.step(good, squares).unwrap();
        let before = flat(&trainer.model);
        let updates = trainer.updates();
        let error = trainer.step(bad, squares).unwrap_err();
        // Truncated BPTT has learned from the blocks before the fault.
        if trainer.updates() == updates {
            assert_eq!(flat(&trainer.model), before);
        }
        let want = "the loss is NaN; the input is NaN at step 3 (sample 1, scalar 1)";
        assert_eq!(error.to_string(), format!("update {}: {want}", trainer.updates()));
        trainer.step(good, squares).unwrap();
    }
    let trainer = || Trainer::new::<2>(net(), Sgd::new(0.1)).weight_noise(0.1);
    check(trainer(), &good, &bad);
    check(trainer().carry_state(), &good, &bad);
    check(trainer().truncated(2, 2), &good, &bad);
    check(trainer().checkpointed(), &good, &bad);
}

/// The next window starts the stream again, so its gradient reaches the learned initial state.
#[test]
fn a_fault_in_the_first_window_leaves_the_stream_at_its_start() {
    let lstm = || InitialStateLstm::<2, 3, f64>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    let trainer = || Trainer::new::<2>(lstm(), Sgd::new(0.1)).carry_state();
    let loss = |out: &mut Outputs<'_, InitialStateLstm<2, 3, f64>, 2>| {
        out.every_step(|_, y, weights| mean_squared_error_weighted(y, &SMatrix::repeat(0.5), weights))
    };
    let good = sequence::<2>(4, 7);
    let mut bad = good.clone();
    bad[2][0] = f64::NAN;
    let (mut fresh, mut again) = (trainer(), trainer());
    again.step(&bad, loss).unwrap_err();
    for _ in 0..2 {
        assert_eq!(again.step(&good, loss).unwrap(), fresh.step(&good, loss).unwrap());
    }
    assert_eq!(flat(&again.model), flat(&fresh.model));
}

#[test]
fn noise_depends_on_the_seed_and_the_update_alone() {
    let xs = sequence::<2>(5, 7);
    let run = |seed: u64| {
        let mut trainer = Trainer::new::<2>(net(), Sgd::new(0.1)).weight_noise(0.1).seed(seed);
        (0..3).for_each(|_| _ = trainer.step(&xs, squares).unwrap());
        flat(&trainer.model)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

/// A function that adds noise to its data must return the same data for every block.
#[test]
fn blocks_of_a_batch_share_their_random_numbers() {
    let xs = sequence::<2>(5, 7);
    let mut trainer = Trainer::new::<2>(net(), Sgd::new(0.1)).truncated(2, 2);
    let mut drawn = Vec::new();
    for _ in 0..2 {
        trainer
            .update(|part| {
                drawn.push(part.rng.clone().next_u64());
                part.sequence(&xs, squares)
            })
            .unwrap();
    }
    assert_eq!(drawn.len(), 6);
    assert!(drawn.chunks(3).all(|blocks| blocks == [blocks[0]; 3]), "{drawn:?}");
    assert_ne!(drawn[0], drawn[3]);
}

type Sample = Vec<nalgebra::SVector<f64, 2>>;

fn samples(count: usize) -> Vec<Sample> {
    (0..count).map(|k| sequence::<1>(k % 5, k as u64)).collect()
}

fn loss<const B: usize>(part: &mut LayerPart<'_, Net, Sample, B>) -> f64 {
    let samples: Vec<&Sample> = part.samples.to_vec();
    let batch = crate::data::pad(&samples);
    part.metric("steps", batch.lengths.iter().sum::<usize>() as f64 / samples.len() as f64);
    part.sequence(&batch, last_squares)
}

#[test]
fn the_workers_do_not_change_a_bit() {
    let samples = samples(23);
    fn run<C: Workers>(workers: C, samples: &[Sample]) -> (Outcome, Vec<f64>) {
        let mut trainer =
            Trainer::new::<3>(net(), Adam::new(1e-2)).weight_noise(0.01).parts(4).workers(workers);
        let fit = trainer.fit(&samples[..17], loss).validation(&samples[17..]).epochs(3);
        let outcome = fit.run().unwrap();
        (outcome, flat(&trainer.model))
    }
    let want = run(OneThread, &samples);
    assert_eq!(want.0.epochs.len(), 3);
    #[cfg(feature = "rayon")]
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| run(Threads, &samples)), want);
    }
    for count in [2, 3, 6] {
        for outcome in processes(count, |process| run(process, &samples)) {
            assert_eq!(outcome, want, "{count} processes");
        }
    }
}

/// A process among several, simulated by a thread.
#[derive(Clone, Copy)]
struct Process<'a> {
    number: usize,
    messages: &'a [std::sync::Mutex<Vec<u8>>],
    barrier: &'a std::sync::Barrier,
}

/// Runs `program` in `count` processes and returns the results.
fn processes<R: Send>(count: usize, program: impl Fn(Process<'_>) -> R + Sync) -> Vec<R> {
    let messages: Vec<_> = (0..count).map(|_| std::sync::Mutex::default()).collect();
    let (messages, barrier, program) = (&*messages, &std::sync::Barrier::new(count), &program);
    std::thread::scope(|scope| {
        let start = |number| scope.spawn(move || program(Process { number, messages, barrier }));
        let threads: Vec<_> = (0..count).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

impl Workers for Process<'_> {
    fn own(&self, parts: usize) -> core::ops::Range<usize> {
        let count = self.messages.len();
        parts * self.number / count..parts * (self.number + 1) / count
    }

    fn each<P: Send>(&self, own: &mut [P], work: impl Fn(usize, &mut P) + Sync) {
        OneThread.each(own, work);
    }

    fn sum<T: crate::Scalar>(&self, parts: usize, own: &mut [&mut [T]], sum: &mut [T]) {
        let own = own.iter().flat_map(|part| part.iter().flat_map(|x| x.as_f64().to_le_bytes()));
        let all = self.all_gather(own.collect()).concat();
        let number = |bytes: &[u8]| T::of(f64::from_le_bytes(bytes.try_into().unwrap()));
        let mut all: Vec<T> = all.chunks(8).map(number).collect();
        OneThread.sum(parts, &mut all.chunks_mut(sum.len()).collect::<Vec<_>>(), sum);
    }

    fn all_gather(&self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        *self.messages[self.number].lock().unwrap() = bytes;
        self.barrier.wait();
        let all = self.messages.iter().map(|message| message.lock().unwrap().clone()).collect();
        self.barrier.wait();
        all
    }

    fn is_first(&self) -> bool {
        self.number == 0
    }
}

#[test]
fn sums_are_pairwise_for_any_division() {
    for parts in 1..20 {
        let vectors = || (0..parts).map(|part| [0.1 + part as f64, 1e9 / (part as f64 + 0.3)]);
        // Adjacent sums until one is left.
        let mut level: Vec<_> = vectors().collect();
        while level.len() > 1 {
            let add =
                |pair: &[[f64; 2]]| pair.get(1).map_or(pair[0], |b| [pair[0][0] + b[0], pair[0][1] + b[1]]);
            level = level.chunks(2).map(add).collect();
        }
        let (mut all, mut sum): (Vec<_>, _) = (vectors().collect(), [0.0; 2]);
        OneThread.sum(parts, &mut all.iter_mut().map(|v| &mut v[..]).collect::<Vec<_>>(), &mut sum);
        assert_eq!(sum, level[0]);
        // The pairs of two processes come before the others.
        for cut in 0..=parts {
            let own: Vec<_> = pairs(parts, 0..cut).chain(pairs(parts, cut..parts)).collect();
            let others = pairs(parts, 0..parts).filter(|pair| !own.contains(pair));
            let mut vectors: Vec<_> = vectors().collect();
            for (i, j) in own.iter().copied().chain(others) {
                vectors[i] = [vectors[i][0] + vectors[j][0], vectors[i][1] + vectors[j][1]];
            }
            assert_eq!(vectors[0], level[0], "{parts} parts, {cut} of them in the first process");
        }
    }
}

#[test]
fn processes_stop_together() {
    let samples = samples(9);
    let stopped = processes(3, |process| {
        let mut trainer = Trainer::new::<3>(net(), Sgd::new(0.1)).parts(3).workers(process);
        let reports = Cell::new(0);
        let fit = trainer.fit(&samples, loss).epochs(9).each_epoch(|_| reports.set(reports.get() + 1));
        // The second process has waited long enough.
        let outcome = fit.stop_when(|epoch| process.number == 1 && epoch.number == 4).run().unwrap();
        (outcome.epochs.len(), reports.get())
    });
    assert_eq!(stopped, [(4, 4), (4, 0), (4, 0)]);
}

#[test]
fn processes_that_differ_are_an_error_in_each() {
    let samples = samples(9);
    let errors = processes(3, |process| {
        let net = if process.number == 2 { Elman(Conditioned::<2, 3>::zeros()) } else { net() };
        let mut trainer = Trainer::new::<3>(net, Sgd::new(0.1)).parts(3).workers(process);
        trainer.fit(&samples, loss).run().unwrap_err().to_string()
    });
    for error in errors {
        assert!(error.starts_with("process 2 has ") && error.contains("as the hash of its model"), "{error}");
    }
    let errors = processes(2, |process| {
        let mut trainer = Trainer::new::<3>(net(), Sgd::new(0.1)).parts(3).workers(process);
        trainer.fit(&samples[process.number..], loss).run().unwrap_err().to_string()
    });
    for error in errors {
        assert!(error.starts_with("process 1 has 8 samples, and process 0 has 9\n  note: each"), "{error}");
    }
}

#[test]
fn a_fault_is_described_in_every_process() {
    let mut samples = samples(9);
    samples[8][1][0] = f64::INFINITY;
    let errors = processes(2, |process| {
        let mut trainer = Trainer::new::<3>(net(), Sgd::new(0.1)).parts(3).workers(process);
        trainer.fit(&samples, loss).in_order().run().unwrap_err().to_string()
    });
    for error in errors {
        let fault = "the input is inf at step 1 (sample 2, scalar 0)";
        assert_eq!(error, format!("update 0: the loss is 0.4325854471572789; {fault}"));
    }
}

#[test]
fn parts_are_one_batch() {
    // Samples of equal length: the mean of the means is the mean.
    let samples: Vec<Sample> = (0..7).map(|k| sequence::<1>(4, k)).collect();
    let mut whole = Trainer::new::<8>(net(), Sgd::new(0.1));
    whole.fit(&samples, loss).in_order().run().unwrap();
    let mut parts = Trainer::new::<2>(net(), Sgd::new(0.1)).parts(4);
    let outcome = parts.fit(&samples, loss).in_order().run().unwrap();
    assert_close(&flat(&whole.model), &flat(&parts.model));
    assert_eq!(outcome.epochs[0].training.get("steps"), Some(4.0));
    assert_eq!((outcome.epochs[0].updates, parts.updates()), (1, 1));
}

/// A part whose sequences are shorter than those of another part ends earlier: its steps train
/// once.
#[test]
fn parts_of_different_lengths_have_their_own_blocks() {
    let samples: Vec<Sample> = [9, 3, 0].map(|steps| sequence::<1>(steps, 8)).into();
    let blocks = std::sync::Mutex::new(Vec::new());
    let work = |part: &mut Part<'_, Net, Sample, crate::train::TruncatedBptt<Net, 1>>| {
        let sample = part.samples[0];
        part.sequence(sample, |out| {
            blocks.lock().unwrap().push((sample.len(), out.steps.clone()));
            squares(out)
        })
    };
    let mut trainer = Trainer::new::<1>(net(), Sgd::new(0.1)).truncated(3, 3).parts(3);
    trainer.learn(&samples, work).unwrap();
    let blocks = blocks.into_inner().unwrap();
    assert_eq!(blocks, [(9, 0..3), (3, 0..3), (0, 0..0), (9, 3..6), (9, 6..9)]);

    // By hand: each sample has a third of the weight.
    let (mut by_hand, mut sgd) = (net(), Sgd::new(0.1));
    let mut bptt: Vec<_> = samples.iter().map(|_| Truncated::<Net, 1>::new(&by_hand, 3, 3)).collect();
    for _ in 0..3 {
        let mut gradients = by_hand.zero_gradients();
        for (bptt, sample) in bptt.iter_mut().zip(&samples) {
            let Some(block) = bptt.forward(&by_hand, sample) else { continue };
            let errors = bptt.outputs().iter().zip(block);
            let weights = [1.0 / 9.0];
            let dys: Vec<_> =
                errors.map(|(y, t)| mean_squared_error_weighted(y, &target(t), &weights).1).collect();
            bptt.backward(&by_hand, sample, &dys, &mut gradients);
        }
        sgd.step(&mut by_hand, &gradients);
    }
    assert_close(&flat(&trainer.model), &flat(&by_hand));
}

/// Returns a loss that adds the samples of each batch to `seen`.
fn recorder(
    seen: &std::sync::Mutex<Vec<Vec<u32>>>,
) -> impl Fn(&mut Part<'_, Net, u32, FullBptt<Net, 4>>) -> f64 + Copy + Sync {
    |part| {
        seen.lock().unwrap().push(part.samples.iter().map(|k| **k).collect());
        0.0
    }
}

#[test]
fn epochs_visit_every_sample_once_in_new_orders() {
    let samples: Vec<u32> = (0..10).collect();
    let seen = std::sync::Mutex::new(Vec::new());
    let note = recorder(&seen);
    let mut trainer = Trainer::new::<4>(net(), Sgd::new(0.1));
    trainer.fit(&samples, note).epochs(2).run().unwrap();
    let batches = core::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2, 4, 4, 2]);
    for epoch in batches.chunks(3) {
        let mut all = epoch.concat();
        assert_ne!(all, samples);
        all.sort_unstable();
        assert_eq!(all, samples);
    }
    assert_ne!(batches[..3], batches[3..]);

    trainer.fit(&samples, note).in_order().drop_last().run().unwrap();
    assert_eq!(core::mem::take(&mut *seen.lock().unwrap()), [[0, 1, 2, 3], [4, 5, 6, 7]]);

    // A second call does not repeat the orders of the first.
    trainer.fit(&samples, note).run().unwrap();
    let again = core::mem::take(&mut *seen.lock().unwrap());
    assert!(again != batches[..3] && again != batches[3..]);
}

#[test]
fn buckets_hold_samples_of_similar_length() {
    let samples: Vec<u32> = (0..160).collect();
    let seen = std::sync::Mutex::new(Vec::new());
    let note = recorder(&seen);
    let mut trainer = Trainer::new::<4>(net(), Sgd::new(0.1));
    let length = |k: &u32| *k as usize;
    trainer.fit(&samples, note).epochs(2).bucket_by(length).run().unwrap();
    let batches = core::mem::take(&mut *seen.lock().unwrap());
    let padding = |batch: &Vec<u32>| batch.iter().map(|k| batch.iter().max().unwrap() - k).sum::<u32>();
    for epoch in batches.chunks(40) {
        let mut all = epoch.concat();
        all.sort_unstable();
        assert_eq!(all, samples);
        // Random batches have a mean of about 64 steps for each sample, sorted ones 1.5.
        let mean = epoch.iter().map(padding).sum::<u32>() as f64 / 160.0;
        assert!(mean < 10.0, "{mean}");
    }
    let sorted = |epoch: &[Vec<u32>]| {
        let mut batches = epoch.to_vec();
        batches.iter_mut().for_each(|batch| batch.sort_unstable());
        batches.sort_unstable();
        batches
    };
    assert_ne!(sorted(&batches[..40]), sorted(&batches[40..]));

    trainer.fit(&samples, note).bucket_by(|k| 160 - length(k)).in_order().run().unwrap();
    let reversed: Vec<u32> = samples.iter().rev().copied().collect();
    assert_eq!(seen.lock().unwrap().concat(), reversed);
}

#[test]
fn training_stops_early_and_restores_the_best_epoch() {
    let epoch = Cell::new(0);
    // The validation losses of the epochs.
    let losses = [3.0, 1.0, 2.0, 1.0, 0.5];
    let (train, validation) = ([false], [true]);
    let epochs = std::sync::atomic::AtomicUsize::new(0);
    let work = |part: &mut Part<'_, Net, bool, FullBptt<Net, 1>>| {
        use std::sync::atomic::Ordering::Relaxed;
        if let Some(gradients) = part.gradients.as_deref_mut() {
            gradients.bias[0] += 1.0;
            return 9.0;
        }
        assert!(*part.samples[0] && !part.is_training());
        losses[epochs.fetch_add(1, Relaxed)]
    };
    let mut trainer = Trainer::new::<1>(net(), Sgd::new(1.0));
    let before = trainer.model.0.bias[0];
    let fit = trainer.fit(&train, work).validation(&validation).epochs(9).patience(2).restore_best();
    let outcome = fit.each_epoch(|report| epoch.set(report.number)).run().unwrap();
    assert_eq!((outcome.best, outcome.epochs.len(), epoch.get()), (Some(2), 4, 4));
    assert!((before - trainer.model.0.bias[0] - 2.0).abs() < 1e-15, "the bias of the second epoch");
}

/// A patience of zero epochs is a patience of one: the run goes on while the loss falls.
#[test]
fn a_patience_of_zero_waits_for_an_epoch_without_progress() {
    let losses = [3.0, 2.0, 1.0, 1.5, 0.5];
    let epochs = std::sync::atomic::AtomicUsize::new(0);
    let work = |part: &mut Part<'_, Net, (), FullBptt<Net, 1>>| {
        assert!(part.is_training());
        losses[epochs.fetch_add(1, std::sync::atomic::Ordering::Relaxed)]
    };
    let outcome = Trainer::new::<1>(net(), Sgd::new(1.0)).fit(&[()], work).epochs(5).patience(0).run();
    assert_eq!(outcome.unwrap().training("loss"), losses[..4]);
}

#[test]
#[should_panic(expected = "`drop_last` leaves no batch: there are fewer samples (3) than in a batch (4)")]
fn a_run_needs_a_whole_batch_if_the_last_is_dropped() {
    let mut trainer = Trainer::new::<2>(net(), Sgd::new(0.1)).parts(2);
    let _ = trainer.fit(&samples(3), loss).drop_last().run();
}

#[cfg(all(feature = "std", feature = "safetensors"))]
mod checkpoints {
    use std::path::PathBuf;

    use super::*;
    use crate::train::Error;
    use crate::train::optim::AdamW;

    /// Returns a path in a new temporary folder.
    fn path(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("rnn-cell-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder.join("training.safetensors")
    }

    fn trainer() -> Trainer<Net, Adam<f64>, FullBptt<Net, 3>> {
        Trainer::new::<3>(net(), Adam::new(1e-2)).weight_noise(0.01).clip_norm(1.0).accumulate(2)
    }

    #[test]
    fn a_resumed_training_ends_with_the_same_bits() {
        let samples = samples(17);
        let path = path("resume");
        let log = path.with_extension("csv");
        let mut whole = trainer();
        let fit = whole.fit(&samples[..13], loss).validation(&samples[13..]).epochs(5).restore_best();
        let want = fit.run().unwrap();
        // A file of a program that was killed while it saved.
        let partial = path.with_extension("safetensors.1.2.partial");
        std::fs::write(&partial, "incomplete").unwrap();
        // Five batches per epoch; the training breaks off after every possible number of batches.
        let mut breaks = 0;
        let outcome = loop {
            let mut resumed = trainer();
            let left = std::sync::atomic::AtomicUsize::new(3);
            let breaking = |part: &mut LayerPart<'_, Net, Sample, 3>| {
                use std::sync::atomic::Ordering::Relaxed;
                let value = loss(part);
                let is_last = part.is_training() && left.fetch_sub(1, Relaxed) == 0;
                if is_last { f64::NAN } else { value }
            };
            let fit = resumed.fit(&samples[..13], breaking).validation(&samples[13..]).epochs(5);
            #[cfg(feature = "tensorboard")]
            let fit = fit.tensorboard(path.with_extension("run"));
            match fit.restore_best().checkpoint(&path, 1).log(&log).run() {
                Ok(outcome) => {
                    assert_eq!(flat(&resumed.model), flat(&whole.model));
                    break outcome;
                }
                Err(error) => assert!(matches!(error, Error::Diverged(_)), "{error}"),
            }
            breaks += 1;
        };
        assert_eq!(breaks, 8);
        assert!(!partial.exists());
        assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), 1 + 5);
        #[cfg(feature = "tensorboard")]
        for run in ["training", "validation"] {
            let file = path.with_extension("run").join(run).join("events.out.tfevents.rnn-cell");
            let events = std::fs::read(file).unwrap();
            assert_eq!(events.windows(4).filter(|text| text == b"loss").count(), 5, "{run}");
        }
        assert_eq!(outcome, want);
        // A training that is over stays as it is.
        let mut over = trainer();
        let fit = over.fit(&samples[..13], loss).epochs(5).restore_best().checkpoint(&path, 1);
        assert_eq!(fit.run().unwrap(), want);
        assert_eq!(flat(&over.model), flat(&whole.model));
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn carried_states_are_part_of_a_checkpoint() {
        let (xs, path) = (sequence::<2>(12, 4), path("carry"));
        let new = || Trainer::new::<2>(net(), Sgd::new(0.1).momentum(0.9)).carry_state();
        let mut whole = new();
        for window in xs.chunks(4) {
            whole.step(window, squares).unwrap();
        }
        let mut first = new();
        first.step(&xs[..4], squares).unwrap();
        first.save_checkpoint(&path).unwrap();
        let mut resumed = new();
        resumed.load_checkpoint(&path).unwrap();
        for window in xs[4..].chunks(4) {
            resumed.step(window, squares).unwrap();
        }
        assert_eq!(flat(&resumed.model), flat(&whole.model));
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    /// The setting comes from the program: with fewer batches per update, the next batch updates.
    #[test]
    fn an_update_is_the_mean_of_all_batches_since_the_last() {
        let path = path("accumulate");
        let new = |batches| Trainer::new::<2>(net(), Sgd::new(0.1)).clip_norm(0.1).accumulate(batches);
        let mut whole = new(4);
        for seed in 0..4 {
            if seed == 3 {
                whole.save_checkpoint(&path).unwrap();
            }
            whole.step(&sequence::<2>(5, seed), squares).unwrap();
        }
        for batches in [1, 2, 4] {
            let mut resumed = new(batches);
            resumed.load_checkpoint(&path).unwrap();
            resumed.step(&sequence::<2>(5, 3), squares).unwrap();
            assert_eq!((resumed.updates(), flat(&resumed.model)), (1, flat(&whole.model)));
        }
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn carried_states_of_parts_do_not_depend_on_the_processes() {
        let (samples, path) = (samples(24), path("parts"));
        fn run<C: Workers>(workers: C, samples: &[Sample], path: Option<&PathBuf>) -> Vec<f64> {
            let trainer = Trainer::new::<3>(net(), Adam::new(1e-2)).carry_state();
            let mut trainer = trainer.parts(4).workers(workers);
            let mut fit = trainer.fit(samples, loss).in_order();
            if let Some(path) = path {
                fit = fit.checkpoint(path, 1);
            }
            // Two batches of four parts.
            fit.run().unwrap();
            flat(&trainer.model)
        }
        let want = run(OneThread, &samples, None);
        for (first, second) in [(1, 1), (1, 3), (3, 2), (2, 5)] {
            let _ = std::fs::remove_file(&path);
            processes(first, |process| {
                let left = std::sync::atomic::AtomicUsize::new(0);
                let trainer = Trainer::new::<3>(net(), Adam::new(1e-2)).carry_state();
                let mut trainer = trainer.parts(4).workers(process);
                // The second batch fails in every process that has a part.
                let own = process.own(4).len();
                let breaking = |part: &mut LayerPart<'_, Net, Sample, 3>| {
                    let calls = left.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let value = loss(part);
                    if calls < own { value } else { f64::NAN }
                };
                trainer.fit(&samples, breaking).in_order().checkpoint(&path, 1).run().unwrap_err();
            });
            for result in processes(second, |process| run(process, &samples, Some(&path))) {
                assert_eq!(result, want, "{first} and {second} processes");
            }
        }
    }

    #[test]
    fn the_best_epoch_cannot_be_restored_if_it_was_not_kept() {
        let (samples, path) = (samples(9), path("best"));
        trainer().fit(&samples, loss).epochs(2).checkpoint(&path, 0).run().unwrap();
        let mut resumed = trainer();
        let fit = resumed.fit(&samples, loss).epochs(3).checkpoint(&path, 0).restore_best();
        let message = fit.run().unwrap_err().to_string();
        assert!(message.contains("`best.values` is 0 in the file; this training restores"), "{message}");
        assert_eq!((resumed.updates(), flat(&resumed.model)), (0, flat(&net())));
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error_in_every_process() {
        let samples = samples(9);
        let errors = processes(2, |process| {
            let mut trainer = trainer().parts(3).workers(process);
            let path = "/no such folder/training.safetensors";
            trainer.fit(&samples, loss).checkpoint(path, 1).run().unwrap_err().to_string()
        });
        for error in errors {
            assert!(error.contains("/no such folder"), "{error}");
        }
    }

    #[test]
    fn other_files_are_errors_and_change_nothing() {
        let (xs, path) = (sequence::<3>(5, 4), path("errors"));
        let mut saved = trainer();
        (0..3).for_each(|_| _ = saved.step(&xs, squares).unwrap());
        saved.save_checkpoint(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();

        // Another optimiser, another model, another kind of file.
        let mut other = Trainer::new::<3>(net(), AdamW::new(1e-2));
        let message = other.load_checkpoint(&path).unwrap_err().to_string();
        assert!(message.contains("`optimiser` is Adam in the file; the trainer has `AdamW`"), "{message}");
        let large = Elman(Conditioned::<2, 4>::zeros());
        let mut other = Trainer::new::<3>(large, Adam::new(1e-2));
        let message = other.load_checkpoint(&path).unwrap_err().to_string();
        assert!(message.contains("`model.W` is [3, 5] in the file, [4, 6] in the cell"), "{message}");
        let model = crate::weights::save(&net()).unwrap();
        std::fs::write(&path, model).unwrap();
        let message = trainer().load_checkpoint(&path).unwrap_err().to_string();
        assert!(message.contains("a checkpoint of a training run has `training` here"), "{message}");

        // Every truncated file, and every file with a damaged byte, is an error or loads whole.
        let mut resumed = trainer();
        resumed.step(&xs, squares).unwrap();
        let before = (flat(&resumed.model), resumed.updates());
        for length in (0..bytes.len()).step_by(7) {
            std::fs::write(&path, &bytes[..length]).unwrap();
            resumed.load_checkpoint(&path).unwrap_err();
            assert_eq!((flat(&resumed.model), resumed.updates()), before);
        }
        std::fs::write(&path, &bytes).unwrap();
        resumed.load_checkpoint(&path).unwrap();
        assert_eq!((flat(&resumed.model), resumed.updates()), (flat(&saved.model), 1));
        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}
