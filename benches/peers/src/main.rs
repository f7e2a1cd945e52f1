//! Other Rust libraries in a process that runs slices of work on request
//! (`benches::measure::Calibrated`). Each is behind a feature of its name, and runs on one thread,
//! like ours.

#[cfg(feature = "burn")]
mod burn;
#[cfg(feature = "candle")]
mod candle;
#[cfg(feature = "nexus")]
mod nexus;
#[cfg(feature = "tract")]
mod tract;

use benches::measure::{Calibrated, Effort, Work};
use benches::peers::{Request, Task};
#[cfg(any(feature = "burn", feature = "candle", feature = "tract"))]
use benches::work::STEPS;

/// The name of the library; a build for this very processor has its own name.
#[cfg(feature = "nexus")]
const NEXUS: &str = if cfg!(target_feature = "avx2") { "nexus-native" } else { "nexus-inference" };

fn main() -> std::io::Result<()> {
    Calibrated::serve(Effort::FULL.slice, |words| build(&Request::read(words)?))
}

/// Returns the work of a library, or `None` if it is not built in or does not support the request.
fn build(request: &Request) -> Option<Work<'static>> {
    let Request { task, kind, size: (i, h), library } = *request;
    match (library, task) {
        #[cfg(feature = "burn")]
        ("burn", Task::Step) => burn::step(kind, i, h),
        #[cfg(feature = "burn")]
        ("burn", Task::Training(batch)) => burn::train(kind, i, h, batch, STEPS),
        #[cfg(feature = "candle")]
        ("candle", Task::Step) => candle::step(kind, i, h),
        #[cfg(feature = "candle")]
        ("candle", Task::Run(batch)) => candle::run(kind, i, h, batch, STEPS),
        #[cfg(feature = "candle")]
        ("candle", Task::Training(batch)) => candle::train(kind, i, h, batch, STEPS),
        #[cfg(feature = "nexus")]
        (NEXUS, Task::Step) => nexus::step(kind, i, h),
        #[cfg(feature = "tract")]
        ("tract", Task::Step) => tract::step(kind, i, h),
        #[cfg(feature = "tract")]
        ("tract", Task::Run(batch)) => tract::run(kind, i, h, batch, STEPS),
        _ => None,
    }
}
