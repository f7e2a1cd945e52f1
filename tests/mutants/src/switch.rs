//! The switch of the mutants. The environment variable `MUTANT` selects the mutant that runs.
//! `MUTANT=record` runs none and records which mutants the test reaches.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const UNKNOWN: u32 = u32::MAX;
const NONE: u32 = u32::MAX - 1;
const RECORD: u32 = u32::MAX - 2;

static RUNS: AtomicU32 = AtomicU32::new(UNKNOWN);
static REACHED: [AtomicBool; 10_000] = [const { AtomicBool::new(false) }; 10_000];

#[inline]
pub(crate) fn is(id: u32) -> bool {
    let runs = RUNS.load(Ordering::Relaxed);
    if runs < RECORD { runs == id } else { asked(id) }
}

#[cold]
#[inline(never)]
fn asked(id: u32) -> bool {
    let mut runs = RUNS.load(Ordering::Relaxed);
    if runs == UNKNOWN {
        runs = match std::env::var("MUTANT") {
            Ok(text) if text == "record" => RECORD,
            Ok(text) => text.parse().unwrap_or(NONE),
            Err(_) => NONE,
        };
        RUNS.store(runs, Ordering::Relaxed);
    }
    if runs == RECORD && !REACHED[id as usize].swap(true, Ordering::Relaxed) {
        let path = std::env::var("MUTANTS_REACHED").unwrap_or_default();
        if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) {
            let _ = writeln!(file, "{id}");
        }
    }
    runs == id
}
