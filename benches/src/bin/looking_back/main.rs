//! Cells that look further back than one step, and cells with heads: causal convolutions, a
//! block-diagonal recurrence, and attention over the last steps.

mod cells;
mod convolution;
mod heads;
mod windows;

use benches::run::Run;
use std::process::ExitCode;

fn main() -> ExitCode {
    Run::start("Looking further back, and heads", |run| {
        convolution::report(run);
        heads::report(run);
        windows::report(run);
    })
}
