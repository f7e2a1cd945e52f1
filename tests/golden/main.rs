//! All golden cases at batch 1 and 4 in float64. The library's cells run the cases that they cover.
//! Definitions in this test run them too and also return the gates.
//!
//! A single test runs all cases and prints the largest error. It reports every array above the
//! tolerance.

mod cells;
mod ctc;
mod networks;
mod readout;

use cells::*;
use readout::ElmanAndDense;
use rnn_cell::cells::*;
use std::io::Write;
use tests::golden::{Comparison, Names, TOLERANCE, check, check_attention, same_name};

type Run = fn() -> Comparison;

/// A case at both batch sizes. `[I, H, ..]` are the cell's dimensions in its order.
macro_rules! case {
    ($case:literal, $cell:ident [$($size:literal),+], $parameter:expr, $states:expr, $outputs:expr) => {
        case!($case, $cell [$($size),+], $parameter, ["x"], $states, $outputs)
    };
    ($case:literal, $cell:ident [$($size:literal),+], $parameter:expr, $inputs:expr, $states:expr, $outputs:expr) => {{
        const NAMES: Names<'static> = Names {
            case: $case,
            parameter: $parameter,
            inputs: &$inputs,
            states: &$states,
            outputs: &$outputs,
        };
        let single: Run = || check::<1, _>($cell::<$($size,)+ f64>::zeros(), &NAMES);
        let batch: Run = || check::<4, _>($cell::<$($size,)+ f64>::zeros(), &NAMES);
        ($case, stringify!($cell), single, batch)
    }};
}

macro_rules! attention {
    ($case:literal, $cell:ident [$($size:literal),+], $parameter:expr) => {{
        const NAMES: Names<'static> =
            Names { case: $case, parameter: $parameter, inputs: &["s"], states: &[], outputs: &["context", "alpha"] };
        let single: Run = || check_attention::<1, 5, _>($cell::<$($size,)+ f64>::zeros(), &NAMES);
        let batch: Run = || check_attention::<4, 5, _>($cell::<$($size,)+ f64>::zeros(), &NAMES);
        ($case, stringify!($cell), single, batch)
    }};
}

/// Renames the recurrent matrices: they are `U` in the library and `R` in the cases.
fn library(name: &str) -> Option<String> {
    Some(name.replace("U_", "R_"))
}

fn elman(name: &str) -> Option<String> {
    let name = match name {
        "W" => "W_xh",
        "U" => "W_hh",
        other => other,
    };
    Some(name.into())
}

fn jordan(name: &str) -> Option<String> {
    Some(if name == "b_h" { "b".into() } else { name.into() })
}

/// Negates the input gate: the library couples the gates by the input gate, the case by the forget
/// gate.
fn coupled(name: &str) -> Option<String> {
    library(name).map(|name| name.strip_suffix("_i").map(|kind| format!("-{kind}_f")).unwrap_or(name))
}

/// Negates the update gate: in the library it keeps the old state (as Cho et al. print it), in the
/// case it takes the new one.
fn update(name: &str) -> Option<String> {
    library(name).map(|name| if name.ends_with("_z") { format!("-{name}") } else { name })
}

fn update_without_bias(name: &str) -> Option<String> {
    update(name).filter(|name| !name.contains("b_"))
}

fn reset_after(name: &str) -> Option<String> {
    Some(match name {
        "b_r" => "b_ir + b_hr".into(),
        "b_z" => "b_iz + b_hz".into(),
        "b_n" => "b_in".into(),
        _ => return library(name),
    })
}

/// Renames the block input, which Greff et al. call `z`.
fn block_input(name: &str) -> Option<String> {
    library(name).map(|name| name.replace("_g", "_z"))
}

fn general(name: &str) -> Option<String> {
    Some(if name == "W_a" { "W".into() } else { name.into() })
}

fn additive(name: &str) -> Option<String> {
    Some(name.replace("W_a", "W_s").replace("U_a", "W_h").replace("v_a", "v"))
}

#[test]
fn golden_cases() {
    let cases = [
        case!("elman_tanh", ElmanAndDense [3, 5, 2], elman, ["h"], ["h", "y"]),
        case!("jordan", Jordan [3, 5, 2], jordan, ["y"], ["y", "h"]),
        case!("lstm", Lstm [3, 5], library, ["h", "c"], ["h"]),
        case!("lstm_peephole", PeepholeLstm [3, 5], library, ["h", "c"], ["h"]),
        case!("lstm_cifg", CifgLstm [3, 5], coupled, ["h", "c"], ["h"]),
        case!("gru_cho", Gru [3, 5], update_without_bias, ["h"], ["h"]),
        case!("gru_cho_bias", Gru [3, 5], update, ["h"], ["h"]),
        case!("gru_torch", GruResetAfter [3, 5], reset_after, ["h"], ["h"]),
        case!("greff_vanilla", PeepholeLstm [3, 5], block_input, ["y", "c"], ["y"]),
        case!("greff_nig", GreffNig [3, 5], library, ["y", "c"], ["y"]),
        case!("greff_nfg", GreffNfg [3, 5], library, ["y", "c"], ["y"]),
        case!("greff_nog", GreffNog [3, 5], library, ["y", "c"], ["y"]),
        case!("greff_niaf", GreffNiaf [3, 5], library, ["y", "c"], ["y"]),
        case!("greff_noaf", GreffNoaf [3, 5], library, ["y", "c"], ["y"]),
        case!("greff_cifg", GreffCifg [3, 5], library, ["y", "c"], ["y"]),
        case!("greff_np", GreffNp [3, 5], library, ["y", "c"], ["y"]),
        case!("mgu", Mgu [3, 5], library, ["h"], ["h"]),
        case!("ugrnn", UgRnn [3, 5], library, ["h"], ["h"]),
        case!("elman_tanh", ElmanWithReadout [3, 5, 2], same_name, ["h"], ["h", "y"]),
        case!("lstm", LstmWithGates [3, 5], same_name, ["h", "c"], ["h", "i", "f", "g", "o"]),
        case!("lstm_peephole", PeepholeWithGates [3, 5], same_name, ["h", "c"], ["h", "i", "f", "g", "o"]),
        case!("lstm_cifg", CifgWithGates [3, 5], same_name, ["h", "c"], ["h", "f", "g", "o"]),
        case!("gru_cho", GruWithoutBias [3, 5], same_name, ["h"], ["h", "z", "r", "h_tilde"]),
        case!("gru_torch", TorchGru [3, 5], same_name, ["h"], ["h", "r", "z", "n"]),
        case!("mgu", MguWithGates [3, 5], same_name, ["h"], ["h", "f", "h_tilde"]),
        case!("ugrnn", UgRnnWithGates [3, 5], same_name, ["h"], ["h", "c", "g"]),
        case!("ssm_diag_zoh", DiagonalSsm [3, 5, 2], same_name, ["s"], ["y"]),
        case!("lru", Lru [3, 5], same_name, ["u"], ["x_re", "x_im"], ["y"]),
        case!("cfc", Cfc [3, 5, 4], same_name, ["x", "elapsed"], ["h"], ["h"]),
        case!("rg_lru", RgLru[5], same_name, ["h"], ["h"]),
        case!("echo_state", EchoState [3, 5, 2], same_name, ["u"], ["x"], ["y"]),
        case!("s4", S4 [3, 4], same_name, ["u"], ["s_re", "s_im"], ["y"]),
        case!("s5", S5 [3, 5], same_name, ["u"], ["s_re", "s_im"], ["y"]),
        case!("ssd", Ssd [3, 4, 2, 4, 2], same_name, ["u"], ["S"], ["out"]),
        case!("mamba2", Mamba2 [3, 4, 2, 2, 1], same_name, ["u"], ["S"], ["out"]),
        case!("mamba2_groups", Mamba2 [3, 4, 2, 4, 2], same_name, ["u"], ["S"], ["out"]),
        case!("gated_linear_attention", GatedLinearAttention [3, 4, 3, 2, 2], same_name, ["S"], ["y"]),
        case!("gated_delta_net", GatedDeltaNet [3, 4, 3, 2, 1], same_name, ["S"], ["y"]),
        case!("rwkv5", Rwkv5TimeMixing [6, 3, 2], same_name, ["x_prev", "S"], ["y"]),
        case!("rwkv6", Rwkv6TimeMixing [6, 3, 2, 2], same_name, ["x_prev", "S"], ["y"]),
        case!("rwkv7", Rwkv7TimeMixing [6, 3, 2, 2], same_name, ["x_prev", "S"], ["y"]),
        case!("rwkv7_channel_mixing", Rwkv7ChannelMixing [4, 5], same_name, ["x_prev"], ["y"]),
        case!(
            "rwkv7_layer",
            Rwkv7Layer[4, 3, 2, 2, 5],
            same_name,
            ["x", "v_first"],
            ["x_prev", "z_prev", "S"],
            ["y", "v_first"]
        ),
        case!("slstm", SLstm [3, 4], same_name, ["c", "n", "h", "m"], ["h"]),
        case!("mlstm", MLstm [3, 4], same_name, ["C", "n", "m"], ["h"]),
        case!("slstm_heads", SLstmHeads [3, 4, 2], same_name, ["c", "n", "h", "m"], ["h"]),
        case!("mlstm_heads", MLstmHeads [3, 4, 2], same_name, ["C", "n", "m"], ["h"]),
        case!("mlstm_block", MLstmBlock [3, 4, 2, 2], same_name, ["C", "n", "m"], ["y"]),
        case!("slstm_block", SLstmBlock [4, 2, 5], same_name, ["c", "n", "h", "m"], ["y"]),
        case!("conformer", Conformer [4, 6, 2, 2, 3, 5], same_name, [], ["y"]),
        case!("sliding_transformer", SlidingTransformer [4, 6, 2, 2, 3], same_name, [], ["y"]),
        attention!("attn_luong_dot", DotAttention [5, 6], same_name),
        attention!("attn_luong_general", GeneralAttention [5, 4, 6], general),
        attention!("attn_bahdanau", AdditiveAttention [5, 4, 5, 6], additive),
        attention!("attn_bahdanau_masked", AdditiveAttention [5, 4, 5, 6], additive),
    ];
    let cells = cases.into_iter().flat_map(|(case, cell, single, batch)| {
        [(1, single), (4, batch)].map(|(size, run)| (format!("{case} at batch {size} ({cell})"), run))
    });
    let networks = networks::CASES.map(|(case, run)| (case.to_string(), run));
    let mut out = std::io::stdout();
    let mut worst = (0.0, String::new());
    let mut failures = Vec::new();
    let mut arrays = 0;
    for (place, run) in cells.chain(networks) {
        let comparison = run();
        arrays += comparison.arrays;
        failures.extend(comparison.failures.iter().map(|failure| format!("{place}, {failure}")));
        // The test harness captures `println!`, but not this.
        let _ = writeln!(out, "{place}: {:.1e}, {}", comparison.worst.0, comparison.worst.1);
        if comparison.worst.0.is_nan() || comparison.worst.0 > worst.0 {
            worst = (comparison.worst.0, format!("{place}, {}", comparison.worst.1));
        }
    }
    let _ = writeln!(out, "worst golden error of {arrays} arrays: {:.2e} ({})", worst.0, worst.1);
    let count = failures.len();
    assert!(failures.is_empty(), "{count} arrays have errors above {TOLERANCE:e}:\n{}", failures.join("\n"));
}
