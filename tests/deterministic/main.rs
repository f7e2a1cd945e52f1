//! The deterministic mode: forward and backward passes give the same bits under every instruction
//! set, in every profile, and on the machine that wrote `digests.txt`.
//!
//! `digests.txt` contains digests of the results of various cells, sizes and batches. If a change
//! of the kernels or of the compiler deliberately changes the order of operations, replace the file
//! by the text that the failing test prints.

#![allow(missing_docs)]

mod digest;
mod flow;
mod kernels;
mod training;

use digest::{Digests, rng};
use rnn_cell::cells::{Elman, Gru, GruResetAfter, LayerNormLstm, Lstm, MinGru, PeepholeLstm};
use rnn_cell::prelude::*;

rnn_cell! {
    /// A cell with every function and products of every kind.
    pub cell Functions<I, H> {
        input  x: [I];
        state  h, c: [H];
        state  S: [H, 5] = 0.1;
        param  W: [H, H + I] = normal(0.5);
        param  U: [I, H] = normal(0.5);
        param  a, b: [H] = uniform(0.5, 1.5);

        z = W @ [h[t-1], x] + U.T @ x;
        p = pow(abs(z) + 0.5, 1.3) + sin(3 * z) * cos(z) + exp(0.1 * z);
        q = gelu(z) + softplus(z) + ln(1 + square(z)) + silu(z) - elu(z) + sqrt(abs(z) + 0.1);
        S = 0.5 * S[t-1] + (tanh(q) * a) @ softmax(S[t-1].T @ tanh(z)).T;
        c = layer_norm(p + q + row_sum(S), a, b);
        h = tanh(c * 0.5 + c[t-1] * 0.1);

        output h, c;
    }
}

macro_rules! both_scalars {
    ($digests:ident, $cell:ident<$first:literal, $second:literal>) => {{
        let name = concat!(stringify!($cell), "<", $first, ", ", $second, ">");
        $digests.layer::<f32, 1, _>(name, &*$cell::<$first, $second, f32>::init_boxed(&mut rng()));
        $digests.layer::<f32, 5, _>(name, &*$cell::<$first, $second, f32>::init_boxed(&mut rng()));
        $digests.layer::<f64, 1, _>(name, &*$cell::<$first, $second, f64>::init_boxed(&mut rng()));
    }};
}

/// Computes the digests in this process.
fn digests() -> Digests {
    let mut digests = Digests::default();
    both_scalars!(digests, Elman<2, 7>);
    both_scalars!(digests, Lstm<1, 20>);
    both_scalars!(digests, Lstm<3, 33>);
    both_scalars!(digests, Lstm<64, 100>);
    both_scalars!(digests, PeepholeLstm<5, 8>);
    both_scalars!(digests, Gru<16, 40>);
    both_scalars!(digests, GruResetAfter<9, 16>);
    both_scalars!(digests, LayerNormLstm<8, 24>);
    both_scalars!(digests, MinGru<4, 12>);
    both_scalars!(digests, Functions<6, 13>);
    kernels::products::<f32, 5, 33, 4>(&mut digests);
    kernels::products::<f32, 20, 21, 4>(&mut digests);
    kernels::products::<f32, 100, 100, 1>(&mut digests);
    kernels::products::<f64, 12, 13, 3>(&mut digests);
    kernels::products::<f64, 66, 130, 1>(&mut digests);
    training::classifier(&mut digests);
    training::labels(&mut digests);
    flow::spectra(&mut digests);
    digests
}

/// The environment variable that makes `the_bits_are_on_record` print the digests.
const ASKED: &str = "DETERMINISTIC_DIGESTS";

/// The prefix of each printed line.
const MARK: &str = "digest: ";

/// Returns the digests of another process that uses the instruction set `isa`.
fn digests_under(isa: &str) -> String {
    let this = std::env::current_exe().expect("the path of this test");
    let output = std::process::Command::new(this)
        .args(["--exact", "the_bits_are_on_record", "--nocapture"])
        .envs([("RNN_CELL_ISA", isa), (ASKED, "1")])
        .output()
        .expect("this test runs again");
    let printed = String::from_utf8(output.stdout).expect("digests are text");
    let lines: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix(MARK)).collect();
    assert!(!lines.is_empty(), "no digest in:\n{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    lines.join("\n")
}

#[test]
fn the_bits_are_on_record() {
    let found = digests().to_string();
    if std::env::var_os(ASKED).is_some() {
        found.lines().for_each(|line| println!("{MARK}{line}"));
        return;
    }
    let record = include_str!("digests.txt").trim_end();
    assert!(found == record, "the digests differ from digests.txt:\n{found}");
}

#[test]
fn instruction_sets_agree() {
    let portable = digests_under("portable");
    assert_eq!(portable, digests_under("avx2"));
    assert_eq!(portable, digests_under("avx512"));
}

/// The digest depends on the last bit of a single parameter.
#[test]
fn one_bit_changes_the_digest() {
    let cell = Lstm::<1, 4>::init(&mut rng());
    let mut other = cell.clone();
    other.b_f[2] = f32::from_bits(other.b_f[2].to_bits() ^ 1);
    let [a, b] = [cell, other].map(|cell| {
        let mut digests = Digests::default();
        digests.layer::<f32, 1, _>("cell", &cell);
        digests.to_string()
    });
    assert_ne!(a, b);
}
