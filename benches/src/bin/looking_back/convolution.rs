//! A causal convolution, compared with other libraries, with a dense layer of as many weights, and
//! with the equation for filters of any width.

use crate::cells::{AnyWidth, Convolution};
use benches::peers::{Kind, Request, Task};
use benches::run::{Goals, Run};
use benches::table::{Table, figure, percent};
use benches::work::{self, STEPS, inputs, rng, step, train};
use rnn_cell::cells::Dense;

/// The libraries that convolve.
const LIBRARIES: [&str; 4] = ["tract", "candle", "PyTorch", "JAX"];

/// The minimal fraction of the peak in batches.
const PEAK: f64 = 0.6;

/// The workloads, which are also the names of our competitors.
const WORK: [&str; 3] = ["step", "run", "training"];

/// The same workloads of a dense layer with as many weights.
const DENSE: [&str; 3] = ["dense step", "dense run", "dense training"];

/// The same workloads of the convolution of any width.
const ANY_WIDTH: [&str; 3] = ["any width step", "any width run", "any width training"];

macro_rules! rows {
    ($run:ident $table:ident: $(($n:literal, $weights:literal) $delay:literal x $batch:literal)*) => {$({
        let id = format!("convolution ({0}, {0}) dilation {1} batch {2}", $n, $delay, $batch);
        if $run.wants(&id) {
            type Conv = Convolution<$n, $n, $delay>;
            let cell = || Conv::init_boxed(&mut rng());
            let any_width = || AnyWidth::<$n, $n, 3, $delay>::init_boxed(&mut rng());
            let dense = || Dense::<$weights, $n>::init_boxed(&mut rng());
            let steps = STEPS * $batch;
            let mut contest = $run.baselines(size_of::<Conv>());
            contest.enter(WORK[0], $batch, step::<f32, $batch, _>(cell()));
            contest.enter(WORK[1], steps, work::run::<$batch, _>(cell(), inputs(STEPS)));
            contest.enter(WORK[2], steps, train::<f32, $batch, _>(cell(), STEPS));
            contest.enter(DENSE[0], $batch, step::<f32, $batch, _>(dense()));
            contest.enter(DENSE[1], steps, work::run::<$batch, _>(dense(), inputs(STEPS)));
            contest.enter(DENSE[2], steps, train::<f32, $batch, _>(dense(), STEPS));
            contest.enter(ANY_WIDTH[0], $batch, step::<f32, $batch, _>(any_width()));
            contest.enter(ANY_WIDTH[1], steps, work::run::<$batch, _>(any_width(), inputs(STEPS)));
            contest.enter(ANY_WIDTH[2], steps, train::<f32, $batch, _>(any_width(), STEPS));
            for library in LIBRARIES {
                let tasks = [Task::Step, Task::Run($batch), Task::Training($batch)];
                for (work, task) in WORK.into_iter().zip(tasks) {
                    // The other libraries compute the convolution of consecutive steps only.
                    if $delay == 1 && ($batch == 1 || task != Task::Step) {
                        let units = if task == Task::Step { 1 } else { steps };
                        let request = Request { task, kind: Kind::Convolution, size: ($n, $n), library };
                        $run.enter(&mut contest, units, &format!("{library} {work}"), &request);
                    }
                }
            }
            let times = $run.measure(&id, contest);
            let flops = Conv::FLOPS_PER_STEP;
            let mut goals = Goals::default();
            let mut cells = vec![format!("({0}, {0})", $n), $delay.to_string(), $batch.to_string()];
            for (index, (work, flops)) in WORK.into_iter().zip([flops, flops, 3 * flops]).enumerate() {
                let of_peak = times.of_peak(work, flops);
                cells.extend([figure(times.get(work)), percent(of_peak)]);
                cells.push(figure(times.ratio(work, DENSE[index])));
                cells.push(figure(times.ratio(ANY_WIDTH[index], work)));
                if $batch > 1 && index > 0 {
                    goals.at_least(work, of_peak, PEAK);
                }
            }
            for work in WORK {
                let names = LIBRARIES.map(|library| format!("{library} {work}"));
                cells.extend(names.iter().map(|name| figure(times.ratio(name, work))));
            }
            cells.push(goals.verdict());
            $table.row(cells);
        }
    })*};
}

/// Prints the table.
pub fn report(run: &mut Run) {
    let note = format!(
        "ns per step and sample, f32; T = {STEPS} for `run` and for training, which is forward and backward and counts three times the FLOP. \
         `/ dense`: relative to a dense layer from 3 N inputs to N outputs, which has as many weights and no history. `any width`: the time of \
         `K @ vec(window(x, W, D))` relative to ours. The columns of other libraries are their time relative to ours. Goal: {} % of the peak in batches.",
        100.0 * PEAK
    );
    let mut columns = vec!["(I, O)".to_owned(), "dilation".to_owned(), "batch".to_owned()];
    for work in WORK {
        columns.extend([
            work.to_owned(),
            "of the peak".to_owned(),
            "/ dense".to_owned(),
            "any width".to_owned(),
        ]);
    }
    columns.extend(WORK.iter().flat_map(|work| LIBRARIES.map(|library| format!("{library}, {work}"))));
    columns.push("goals".to_owned());
    let mut table = Table::new("Causal convolutions of width three", &note, columns);
    rows! { run table:
        (16, 48) 1 x 1
        (64, 192) 1 x 1
        (64, 192) 64 x 1
        (64, 192) 1024 x 1
        (64, 192) 1 x 16
    }
    table.print();
}
