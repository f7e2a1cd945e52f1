//! Other Rust libraries, each behind a feature of its name, as a process that does slices of work on request
//! (`benches::measure::Calibrated`). Every one runs on one thread, like ours.

#[cfg(feature = "burn")]
mod burn;
#[cfg(feature = "candle")]
mod candle;
#[cfg(feature = "nexus")]
mod nexus;
#[cfg(feature = "tract")]
mod tract;

use benches::measure::{Calibrated, Effort, Work};
use benches::peers::Request;
#[cfg(any(feature = "burn", feature = "candle"))]
use benches::work::STEPS;

/// What the library is called here: a build for this very processor has a name of its own.
#[cfg(feature = "nexus")]
const NEXUS: &str = if cfg!(target_feature = "avx2") { "nexus-native" } else { "nexus-inference" };

fn main() -> std::io::Result<()> {
    Calibrated::serve(Effort::FULL.slice, |words| build(&Request::read(words)?))
}

/// A library's work; None if it is not built in or can't do it.
fn build(request: &Request) -> Option<Work<'static>> {
    let Request { batch, kind, size: (i, h), library } = *request;
    match (library, batch) {
        #[cfg(feature = "burn")]
        ("burn", None) => burn::step(kind, i, h),
        #[cfg(feature = "burn")]
        ("burn", Some(batch)) => burn::train(kind, i, h, batch, STEPS),
        #[cfg(feature = "candle")]
        ("candle", None) => candle::step(kind, i, h),
        #[cfg(feature = "candle")]
        ("candle", Some(batch)) => candle::train(kind, i, h, batch, STEPS),
        #[cfg(feature = "nexus")]
        (NEXUS, None) => nexus::step(kind, i, h),
        #[cfg(feature = "tract")]
        ("tract", None) => tract::step(kind, i, h),
        _ => None,
    }
}
