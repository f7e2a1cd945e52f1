//! Forward and backward passes through 100 steps, compared with other libraries.

use benches::by_hand;
use benches::measure::Contest;
use benches::peers::{Kind, TRAINING};
use benches::run::{Goals, Run};
use benches::table::{Table, figure, percent};
use benches::work::{STEPS, inputs, rng, train};
use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{GruResetAfter, Lstm, PeepholeLstm};
use std::hint::black_box;
use std::process::ExitCode;

const BY_HAND: &str = "nalgebra by hand";

/// The libraries in the goals.
const RIVALS: [&str; 2] = ["PyTorch", "JAX"];

fn main() -> ExitCode {
    Run::start("Training", report)
}

macro_rules! rows {
    ($run:ident $table:ident $row:ident: $(($i:literal, $h:literal))*) => {$(
        $row::<$i, $h, 1>($run, &mut $table);
        $row::<$i, $h, 16>($run, &mut $table);
        $row::<$i, $h, 64>($run, &mut $table);
    )*};
}

fn report(run: &mut Run) {
    let note = "µs per pass: T = 100, forward and backward, f32; gradients of parameters, inputs and initial state. FLOP: three times \
                `FLOPS_PER_STEP`. Goals: faster than the best of PyTorch and JAX, 3 times at batch 1 up to H = 128, 1.5 times in batches; \
                65 % of the peak in batches from H = 32.";
    let mut table = Table::new("Training: LSTM", note, columns());
    rows! { run table lstm: (8, 16) (16, 32) (64, 64) (128, 128) (256, 256) }
    table.print();
    let note = "As above; the GRU with its reset after the product.";
    let mut table = Table::new("Training: GRU", note, columns());
    rows! { run table gru: (8, 16) (16, 32) (64, 64) (128, 128) (256, 256) }
    table.print();
    let note = "As above; the LSTM with peepholes, which none of the libraries provides.";
    let mut table = Table::new("Training: LSTM with peepholes", note, columns());
    rows! { run table peephole: (16, 32) (64, 64) }
    table.print();
}

fn columns() -> Vec<&'static str> {
    let ours = ["(I, H)", "batch", "ours", "of the peak", "ours, f64", BY_HAND].into_iter();
    ours.chain(TRAINING).chain(["best peer / ours", "best of PyTorch and JAX / ours", "goals"]).collect()
}

fn lstm<const I: usize, const H: usize, const B: usize>(run: &mut Run, table: &mut Table) {
    let cost = Cost { kind: Kind::Lstm, size: (I, H), batch: B, flops: Lstm::<I, H, f32>::FLOPS_PER_STEP };
    if !run.wants(&cost.id()) {
        return;
    }
    let (hand, mut grads) = (by_hand::Lstm::<I, H>::new(), by_hand::Lstm::<I, H>::zeros());
    let (xs, dys) = sequences::<I, H>();
    let (mut tape, mut dxs) = (Vec::new(), xs.clone());
    let mut contest = run.baselines(0);
    contest.enter("ours", 1, train::<f32, B, _>(Lstm::<I, H>::init_boxed(&mut rng()), STEPS));
    contest.enter("ours, f64", 1, train::<f64, B, _>(Lstm::<I, H, f64>::init_boxed(&mut rng()), STEPS));
    if B == 1 {
        contest.enter(BY_HAND, 1, || {
            hand.forward(black_box(&xs), &mut tape);
            hand.backward(&xs, &tape, &dys, &mut grads, &mut dxs);
            black_box(&dxs);
        });
    }
    row(run, table, contest, &cost);
}

fn gru<const I: usize, const H: usize, const B: usize>(run: &mut Run, table: &mut Table) {
    let cost =
        Cost { kind: Kind::Gru, size: (I, H), batch: B, flops: GruResetAfter::<I, H, f32>::FLOPS_PER_STEP };
    if !run.wants(&cost.id()) {
        return;
    }
    let (hand, mut grads) = (by_hand::Gru::<I, H>::new(), by_hand::Gru::<I, H>::zeros());
    let (xs, dys) = sequences::<I, H>();
    let (mut tape, mut dxs) = (Vec::new(), xs.clone());
    let mut contest = run.baselines(0);
    contest.enter("ours", 1, train::<f32, B, _>(GruResetAfter::<I, H>::init_boxed(&mut rng()), STEPS));
    if B == 1 {
        contest.enter(BY_HAND, 1, || {
            hand.forward(black_box(&xs), &mut tape);
            hand.backward(&xs, &tape, &dys, &mut grads, &mut dxs);
            black_box(&dxs);
        });
    }
    row(run, table, contest, &cost);
}

fn peephole<const I: usize, const H: usize, const B: usize>(run: &mut Run, table: &mut Table) {
    let flops = PeepholeLstm::<I, H, f32>::FLOPS_PER_STEP;
    let cost = Cost { kind: Kind::Peephole, size: (I, H), batch: B, flops };
    if !run.wants(&cost.id()) {
        return;
    }
    let mut contest = run.baselines(0);
    contest.enter("ours", 1, train::<f32, B, _>(PeepholeLstm::<I, H>::init_boxed(&mut rng()), STEPS));
    row(run, table, contest, &cost);
}

/// Returns inputs of one sample, and cotangents of outputs, for the hand-written layers.
fn sequences<const I: usize, const H: usize>() -> (Vec<SMatrix<f32, I, 1>>, Vec<SVector<f32, H>>) {
    (inputs(STEPS), vec![SVector::repeat(0.01); STEPS])
}

/// The counted cost of a pass.
struct Cost {
    kind: Kind,
    size: (usize, usize),
    batch: usize,
    /// The FLOP of one step and sample in the forward pass.
    flops: usize,
}

impl Cost {
    fn id(&self) -> String {
        format!("training {} {:?} batch {}", self.kind, self.size, self.batch)
    }
}

fn row(run: &mut Run, table: &mut Table, mut contest: Contest, cost: &Cost) {
    let Cost { kind, size: (i, h), batch, flops } = *cost;
    run.enter_training_peers(&mut contest, kind, (i, h), batch);
    let times = run.measure(&cost.id(), contest);
    let of_peak = times.of_peak("ours", 3 * flops * STEPS * batch);
    let rival = times.best_of(RIVALS, "ours");
    let wanted = match (batch, h) {
        (1, ..=128) => 3.0,
        (1, _) => 1.0,
        _ => 1.5,
    };
    let mut goals = Goals::default();
    goals.at_least("speed", rival, wanted);
    if batch > 1 && h >= 32 {
        goals.at_least("peak", of_peak, 0.65);
    }

    let micros = |name: &str| figure(times.get(name).map(|time| time / 1000.0));
    let mut cells = vec![format!("({i}, {h})"), batch.to_string(), micros("ours"), percent(of_peak)];
    cells.extend([micros("ours, f64"), micros(BY_HAND)]);
    cells.extend(TRAINING.map(micros));
    cells.push(figure(times.best_of(TRAINING.into_iter().chain([BY_HAND]), "ours")));
    cells.extend([figure(rival), goals.verdict()]);
    table.row(cells);
}
