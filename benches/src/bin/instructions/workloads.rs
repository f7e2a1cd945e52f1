//! The counted workloads: steps and training passes, at sizes that fill the vectors and at sizes
//! that do not.

use benches::measure::Work;
use benches::odd::FastWeights;
use benches::work::{rng, step, train};
use rnn_cell::cells::{Gru, GruResetAfter, LayerNormLstm, Lstm};

/// The number of steps of a stream or of a sequence per workload.
const STEPS: usize = 16;

/// A piece of work to count once.
pub struct Workload {
    /// The cell, its size and its task.
    pub name: String,
    /// The number of steps times samples.
    pub units: u64,
    /// The FLOP of one step of one sample.
    pub flops: usize,
    /// The work.
    pub work: Work<'static>,
}

macro_rules! steps {
    ($all:ident: $($cell:ident<$scalar:ident> ($i:literal, $h:literal))*) => {$(
        let mut work = step::<$scalar, 1, _>($cell::<$i, $h, $scalar>::init_boxed(&mut rng()));
        work();
        $all.push(Workload {
            name: format!("{} {} ({}, {}), step", stringify!($cell), stringify!($scalar), $i, $h),
            units: STEPS as u64,
            flops: $cell::<$i, $h, $scalar>::FLOPS_PER_STEP,
            work: Box::new(move || (0..STEPS).for_each(|_| work())),
        });
    )*};
}

macro_rules! passes {
    ($all:ident: $($cell:ident<$scalar:ident> ($i:literal, $h:literal) x $batch:literal)*) => {$(
        let mut work = train::<$scalar, $batch, _>($cell::<$i, $h, $scalar>::init_boxed(&mut rng()), STEPS);
        work();
        $all.push(Workload {
            name: format!("{} {} ({}, {}), training, batch {}", stringify!($cell), stringify!($scalar), $i, $h, $batch),
            units: STEPS as u64 * $batch,
            flops: 3 * $cell::<$i, $h, $scalar>::FLOPS_PER_STEP,
            work: Box::new(work),
        });
    )*};
}

/// Returns all workloads after a first run.
pub fn all() -> Vec<Workload> {
    let mut all = vec![];
    steps! { all:
        Lstm<f32> (1, 8)
        Lstm<f32> (1, 16)
        Lstm<f32> (1, 20)
        Lstm<f32> (1, 32)
        Lstm<f32> (1, 33)
        Lstm<f32> (1, 64)
        Lstm<f32> (1, 128)
        Lstm<f64> (1, 32)
        GruResetAfter<f32> (1, 8)
        GruResetAfter<f32> (1, 20)
        GruResetAfter<f32> (1, 32)
        GruResetAfter<f32> (1, 64)
        Gru<f32> (1, 32)
        LayerNormLstm<f32> (1, 20)
        LayerNormLstm<f32> (1, 64)
        FastWeights<f32> (16, 16)
        FastWeights<f32> (64, 64)
    }
    passes! { all:
        Lstm<f32> (16, 32) x 1
        Lstm<f32> (20, 20) x 4
        Lstm<f32> (64, 64) x 16
        GruResetAfter<f32> (16, 32) x 1
        LayerNormLstm<f32> (16, 32) x 1
        FastWeights<f32> (16, 16) x 1
    }
    all
}
