//! An LSTM with heads, whose recurrent matrix is block-diagonal, compared with the one without and
//! with the same cell as users of other libraries write it.

use crate::cells::BlockDiagonalLstm;
use benches::measure::Contest;
use benches::peers::{HEADS, Kind, Request, Task};
use benches::run::{Goals, Run};
use benches::table::{Table, figure};
use benches::work::{self, STEPS, inputs, rng, step, train};
use rnn_cell::cells::Lstm;

/// The libraries in which users write the cell.
const LIBRARIES: [&str; 2] = ["PyTorch", "JAX"];

/// The maximal time of one head relative to the cell without heads.
const ONE_HEAD: f64 = 1.05;
/// The maximal time per FLOP relative to our LSTM.
const PER_FLOP: f64 = 1.3;

const BASE: &str = "LSTM";
const ONE: &str = "one head";
const SEVERAL: &str = "several heads";

/// Prints one table for each batch size.
pub fn report(run: &mut Run) {
    table::<1>(run);
    table::<16>(run);
}

fn table<const B: usize>(run: &mut Run) {
    let note = format!(
        "ns per step and sample, f32, 64 inputs and 64 units; T = {STEPS} for `run` and for training, which is forward and backward. Goals: one \
         head within {ONE_HEAD} of the LSTM without heads; several heads within {PER_FLOP} per FLOP. The columns of other libraries are their \
         time relative to ours: a loop over steps in PyTorch, `lax.scan` in JAX."
    );
    let title = format!("The LSTM with {HEADS} heads of 16 units, batch {B}");
    let columns =
        ["work", BASE, ONE, "/ LSTM", "4 heads", "per FLOP", "PyTorch / ours", "JAX / ours", "goals"];
    let mut table = Table::new(&title, &note, columns);
    for task in [Task::Step, Task::Run(B), Task::Training(B)] {
        row::<B>(run, &mut table, task);
    }
    table.print();
}

fn row<const B: usize>(run: &mut Run, table: &mut Table, task: Task) {
    type One = BlockDiagonalLstm<64, 64, 1>;
    type Several = BlockDiagonalLstm<64, 16, HEADS>;
    let name = match task {
        Task::Step => "step",
        Task::Run(_) => "run",
        Task::Training(_) => "training",
    };
    let id = format!("heads {name} batch {B}");
    let Some(mut contest) = run.contest(&id, 0) else { return };
    macro_rules! enter {
        ($competitor:ident $cell:ty) => {
            let cell = <$cell>::init_boxed(&mut rng());
            match task {
                Task::Step => contest.enter($competitor, B, step::<f32, B, _>(cell)),
                Task::Run(_) => contest.enter($competitor, B * STEPS, work::run::<B, _>(cell, inputs(STEPS))),
                Task::Training(_) => contest.enter($competitor, B * STEPS, train::<f32, B, _>(cell, STEPS)),
            }
        };
    }
    enter!(BASE Lstm<64, 64>);
    enter!(ONE One);
    enter!(SEVERAL Several);
    enter_peers(run, &mut contest, task, B * STEPS);
    let times = run.measure(&id, contest);

    let one = times.ratio(ONE, BASE);
    let flops = Lstm::<64, 64, f32>::FLOPS_PER_STEP as f64 / Several::FLOPS_PER_STEP as f64;
    let per_flop = times.ratio(SEVERAL, BASE).map(|ratio| ratio * flops);
    let mut goals = Goals::default();
    goals.at_most("one head", one, Some(ONE_HEAD));
    goals.at_most("per FLOP", per_flop, Some(PER_FLOP));
    let mut cells = vec![name.to_owned(), figure(times.get(BASE)), figure(times.get(ONE)), figure(one)];
    cells.extend([figure(times.get(SEVERAL)), figure(per_flop)]);
    cells.extend(LIBRARIES.map(|library| figure(times.ratio(library, SEVERAL))));
    cells.push(goals.verdict());
    table.row(cells);
}

/// Enters the libraries, which have no step of this cell.
fn enter_peers(run: &Run, contest: &mut Contest, task: Task, units: usize) {
    for library in LIBRARIES {
        let request = Request { task, kind: Kind::BlockDiagonal, size: (64, 64), library };
        if task != Task::Step {
            run.enter(contest, units, library, &request);
        }
    }
}
