//! Streams of many steps. At the end, the state of a cell equals that of a cell that has read only
//! the end of the stream. All its outputs were finite, and it has allocated nothing.
//!
//! ```text
//! STREAMED_STEPS=100000000 cargo test --release -p tests --test guards streams -- --nocapture
//! ```

use allocation_counter::measure;
use nalgebra::{SMatrix, SVector};
use rnn_cell::cell::Cell;
use rnn_cell::cells::{Gru, LayerNormLstm, Lstm, MinGru, RwkvTimeMixing, SelectiveSsm};
use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus, uniform};
use rnn_cell::types::varying::Varying;
use std::time::Instant;

/// The number of steps that the compared cell reads. After these, each cell has forgotten its
/// initial state.
const REMEMBERED: usize = 10_000;

/// The largest difference of the states that rounding may cause, relative to their largest entry.
const TOLERANCE: f32 = 1e-5;

fn steps() -> usize {
    match std::env::var("STREAMED_STEPS") {
        Ok(text) => text.parse().unwrap_or_else(|error| panic!("STREAMED_STEPS={text}: {error}")),
        Err(_) => 2 * REMEMBERED,
    }
}

/// Returns the resident memory of this process in KiB, if the system reports it.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn scalars<V: Varying<f32>>(value: &mut V) -> Vec<f32> {
    let mut scalars = vec![];
    value.scalars_mut(&mut |x: &mut f32| scalars.push(*x));
    scalars
}

/// Streams noise through `cell`, and the end of the stream again from the initial state. Checks
/// that both final states agree.
fn endures<const I: usize, L>(name: &str, cell: &L)
where
    L: Cell<1, Scalar = f32, Context = (), Input = SVector<f32, I>>,
{
    let steps = steps().max(REMEMBERED);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let stream = |rng: &mut Xoshiro256PlusPlus, state: &mut L::State, steps: usize| {
        (0..steps).all(|_| {
            let x = SMatrix::from_fn(|_, _| uniform(rng, -1.0, 1.0) as f32);
            let mut finite = true;
            cell.step(&x, state).scalars_mut(&mut |y: &mut f32| finite &= y.is_finite());
            finite
        })
    };

    let (mut state, memory, clock) = (cell.initial_state(), resident(), Instant::now());
    let (mut finite, mut end) = (true, rng.clone());
    let allocated = measure(|| {
        finite &= stream(&mut rng, &mut state, steps - REMEMBERED);
        end = rng.clone();
        finite &= stream(&mut rng, &mut state, REMEMBERED);
    });
    let (took, grown) = (clock.elapsed(), memory.zip(resident()));
    assert!(finite, "{name}: an output is not finite");
    assert_eq!(allocated.count_total, 0, "{name}: {allocated:?}");

    let mut fresh = cell.initial_state();
    assert!(stream(&mut end, &mut fresh, REMEMBERED), "{name}: an output of the fresh cell is not finite");
    let (state, fresh) = (scalars(&mut state), scalars(&mut fresh));
    let largest = fresh.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let drift = state.iter().zip(&fresh).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs())) / largest;
    assert!(drift <= TOLERANCE, "{name}: the state has drifted by {drift:.1e} of {largest}");
    let memory = grown.map_or("unknown".into(), |(before, after)| format!("{before} KiB, then {after}"));
    println!("{name}: {steps} steps in {took:.1?}, drift {drift:.1e}, in memory {memory}");
}

macro_rules! endures {
    ($($cell:expr),* $(,)?) => {$(
        endures(stringify!($cell), &$cell);
    )*};
}

#[test]
fn streams_neither_drift_nor_grow() {
    let rng = || Xoshiro256PlusPlus::seed_from_u64(2);
    endures! {
        Lstm::<2, 16>::init(&mut rng()),
        Gru::<2, 16>::init(&mut rng()),
        LayerNormLstm::<2, 16>::init(&mut rng()),
        MinGru::<2, 16>::init(&mut rng()),
        SelectiveSsm::<4, 4, 1>::init(&mut rng()),
        RwkvTimeMixing::<8>::init(&mut rng()),
    }
}
