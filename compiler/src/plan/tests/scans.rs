//! Tests that the recurrence of cells whose state is linear or element-wise is nothing but a scan.

use super::{Planned, planned};
use crate::graph::ir::Op;
use crate::plan::Pass;
use crate::plan::schedule::{Group, Region};
use crate::testing::source;

/// Returns the library's cell of that name.
fn ready(name: &str) -> Planned {
    let mut found = source::ready().into_iter().filter(|definition| definition.cell.name == name);
    let definition = found.next().unwrap_or_else(|| panic!("no library cell `{name}`"));
    let plan = definition.plan();
    Planned { definition, plan }
}

/// Asserts that the loop over the steps consists of fused loops, without products.
#[track_caller]
fn assert_element_wise(cell: &Planned, pass: &Pass) {
    for group in pass.schedule.groups(Region::Step) {
        let is_product = |group: &Group| {
            let of = |op: &Op| matches!(op, Op::MatMul { .. } | Op::Gather { .. } | Op::Scatter { .. });
            !group.sums().is_empty() || group.nodes().iter().any(|id| of(&cell.plan.graph[*id].op))
        };
        assert!(!is_product(group), "{}: {:?}", cell.definition.cell.name, cell.region(pass, Region::Step));
    }
}

/// The cells, each with the values that its forward pass computes within the recurrence: new
/// states, sums of them, and values that are cheap enough to be computed where they are used.
const SCANS: [(&str, &[&str]); 12] = [
    ("MinGru", &["loop: h_tilde, h"]),
    ("MinLstm", &["loop: h_tilde, h"]),
    // The gates read the state, channel by channel.
    ("Sru", &["loop: f, c"]),
    ("Qrnn", &["loop: c"]),
    ("DiagonalSsm", &["loop: s"]),
    ("S4dReal", &["loop: s, sum"]),
    ("S4d", &["loop: s_re, s_im, sum"]),
    ("S4dBilinear", &["loop: s_re, s_im, sum"]),
    // The input of the step, and the rows of `B` and `C`, are computed for the loop over its
    // matrix.
    ("SelectiveSsm", &["loop: value_5", "loop: value_6", "loop: s, sum"]),
    ("Mamba", &["loop: value_15", "loop: value_16", "loop: s, sum"]),
    ("RwkvTimeMixing", &["loop: largest, kept, added, numerator, denominator"]),
    ("RwkvChannelMixing", &[]),
];

#[test]
fn scans_are_element_wise() {
    for (name, scan) in SCANS {
        let cell = ready(name);
        assert_eq!(cell.region(&cell.plan.forward, Region::Step), scan, "{name}");
        assert_element_wise(&cell, &cell.plan.forward);
        assert_element_wise(&cell, &cell.plan.backward);
    }
}

/// The state that holds the previous input is written for all steps before the recurrence, and so
/// are its products. Its cotangent is computed after the recurrence.
#[test]
fn delays_are_not_part_of_the_recurrence() {
    let cell = planned(
        "cell Filter<I, H> { input x: [I]; state x_prev: [I], c: [H]; param V, W, U: [H, I];
         f = sigmoid(U @ x_prev[t-1]); x_prev = x; c = f * c[t-1] + V @ x_prev[t-1] + W @ x; output c; }",
    );
    let forward = |region| cell.region(&cell.plan.forward, region);
    assert_eq!(
        forward(Region::Before),
        ["products: W @ x", "loop: x_prev", "products: U @ x_prev_prev, V @ x_prev_prev", "loop: f"]
    );
    assert_eq!(forward(Region::Step), ["loop: c"]);
    let backward = |region| cell.region(&cell.plan.backward, region);
    assert_eq!(backward(Region::Step), ["loop: c_bar, c_prev_bar"]);
    let after = backward(Region::After);
    assert_eq!(
        after.last().map(String::as_str),
        Some("pull back: V.T @ c_bar + U.T @ f_pre_bar"),
        "{after:?}"
    );
    assert_eq!(backward(Region::Inputs), ["pull back: W.T @ c_bar", "loop: x_bar"]);
    // A single step cannot compute anything ahead.
    assert!(cell.plan.streaming.schedule.delayed.is_empty());
}

/// A delay does not depend on a cycle: neither on a recurrent state, nor on itself by way of
/// another state.
#[test]
fn states_that_are_delays() {
    let cell = planned(
        "cell Mixed<H> { input x: [H]; state a, b, c, d, e: [H];
         a = x; b = tanh(a[t-1]) + x; c = d[t-1] + b[t-1]; d = c[t-1] * x; e = c; y = e[t-1]; output y; }",
    );
    let name = |of: usize| cell.definition.cell.declarations[of].name.to_string();
    let delays: Vec<String> = cell.plan.delay_states.iter().map(|piece| name(piece.of)).collect();
    assert_eq!(delays, ["a", "b"]);
}
