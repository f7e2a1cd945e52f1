//! One step of a stream: LSTM and GRU at batch 1 compared with other libraries, and small batches.

mod lstm_gru;
mod small_batches;

use benches::run::Run;
use std::process::ExitCode;

fn main() -> ExitCode {
    Run::start("Steps", |run| {
        lstm_gru::report(run);
        small_batches::report(run);
    })
}
