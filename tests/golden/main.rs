//! Every golden case, at batch 1 and 4, in float64: cells of the library where it has them, otherwise (and
//! where a case also knows the gates) definitions written here.
//!
//! One test runs them all, so that it can print the worst error of all; it reports every array that is off.

mod cells;

use cells::*;
use rnn_cell::cells as library;
use std::io::Write;
use tests::golden::{Comparison, Names, TOLERANCE, check, check_attention, same_name, stacked};

type Run = fn() -> Comparison;

/// A case at both batch sizes. `[I, H, ..]` are the dimensions' values in the cell's order, `I` always 3.
macro_rules! case {
    ($case:literal, $cell:ident [$($size:literal),+], $parameter:expr, $states:expr, $outputs:expr) => {{
        const NAMES: Names<'static> =
            Names { case: $case, parameter: $parameter, states: &$states, outputs: &$outputs };
        let single: Run = || check::<1, 3, _>($cell::<$($size,)+ f64>::zeros(), &NAMES);
        let batch: Run = || check::<4, 3, _>($cell::<$($size,)+ f64>::zeros(), &NAMES);
        ($case, stringify!($cell), single, batch)
    }};
}

macro_rules! attention {
    ($case:literal, $cell:ident [$($size:literal),+], $masked:literal) => {{
        const NAMES: Names<'static> =
            Names { case: $case, parameter: same_name, states: &[], outputs: &["scores", "alpha", "context"] };
        let single: Run = || check_attention::<1, 5, _>($cell::<$($size,)+ f64>::zeros(), &NAMES, $masked);
        let batch: Run = || check_attention::<4, 5, _>($cell::<$($size,)+ f64>::zeros(), &NAMES, $masked);
        ($case, stringify!($cell), single, batch)
    }};
}

#[test]
fn golden_cases() {
    let cases = [
        case!("elman_tanh", ElmanWithReadout [3, 5, 2], same_name, ["h"], ["h", "y"]),
        case!("jordan", JordanWithHidden [3, 5, 2], same_name, ["y"], ["h", "y"]),
        case!("lstm", LstmWithGates [3, 5], same_name, ["h", "c"], ["h", "i", "f", "g", "o"]),
        case!("lstm_peephole", PeepholeWithGates [3, 5], same_name, ["h", "c"], ["h", "i", "f", "g", "o"]),
        case!("lstm_cifg", CifgWithGates [3, 5], same_name, ["h", "c"], ["h", "f", "g", "o"]),
        case!("gru_cho", GruWithoutBias [3, 5], same_name, ["h"], ["h", "z", "r", "h_tilde"]),
        case!("gru_cho_bias", GruWithGates [3, 5], same_name, ["h"], ["h", "z", "r", "h_tilde"]),
        case!("gru_torch", TorchGru [3, 5], same_name, ["h"], ["h", "r", "z", "n"]),
        case!("greff_vanilla", VanillaWithGates [3, 5], same_name, ["y", "c"], ["y", "z", "i", "f", "o"]),
        case!("mgu", MguWithGates [3, 5], same_name, ["h"], ["h", "f", "h_tilde"]),
        case!("ugrnn", UgRnnWithGates [3, 5], same_name, ["h"], ["h", "c", "g"]),
        case!("ssm_diag_zoh", DiagonalSsm [3, 5, 2], same_name, ["s"], ["y"]),
        attention!("attn_luong_dot", LuongDot [5, 6], false),
        attention!("attn_luong_general", LuongGeneral [5, 4, 6], false),
        attention!("attn_bahdanau", Bahdanau [5, 4, 6, 5], false),
        attention!("attn_bahdanau_masked", MaskedBahdanau [5, 4, 6, 5], true),
    ];
    let mut out = std::io::stdout();
    let mut worst = (0.0, String::new());
    let mut failures = Vec::new();
    let mut arrays = 0;
    for (case, cell, single, batch) in cases {
        for (size, run) in [(1, single), (4, batch)] {
            let comparison = run();
            arrays += comparison.arrays;
            let place = format!("{case} at batch {size} ({cell})");
            failures.extend(comparison.failures.iter().map(|failure| format!("{place}, {failure}")));
            // Written past the test harness, which shows what is printed only when the test fails.
            let _ = writeln!(out, "{place}: {:.1e}, {}", comparison.worst.0, comparison.worst.1);
            if comparison.worst.0.is_nan() || comparison.worst.0 > worst.0 {
                worst = (comparison.worst.0, format!("{place}, {}", comparison.worst.1));
            }
        }
    }
    let _ = writeln!(out, "worst golden error of {arrays} arrays: {:.2e} ({})", worst.0, worst.1);
    assert!(
        failures.is_empty(),
        "{} arrays are off by more than {TOLERANCE:e}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
