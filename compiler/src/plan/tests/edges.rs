//! Tests of the boundaries of the plan's decisions, with a case on either side.

use super::{all, planned};
use crate::dim::Atom;
use crate::graph::ir::{BlockShape, Graph, Id, Level, Op, Piece, Unary};
use crate::plan::schedule::{Group, Region, is_flat_product};
use crate::plan::{Pass, Place};
use std::collections::HashSet;

/// A cheap value is computed in the loop that uses it; an expensive one is computed once, before
/// the loop.
#[test]
fn cheap_values_sink_into_the_step() {
    for (value, before) in [
        ("abs(W @ x)", vec!["products: W @ x"]),
        ("where(x >= 0, W @ x, x)", vec!["products: W @ x"]),
        ("max(W @ x, x)", vec!["products: W @ x"]),
        ("tanh(W @ x)", vec!["products: W @ x", "loop: a"]),
    ] {
        let cell = planned(&format!(
            "cell Sinks<H> {{ input x: [H]; state h: [H]; param W: [H, H]; a = {value}; h = a * h[t-1] + a; output h; }}"
        ));
        assert_eq!(cell.region(&cell.plan.forward, Region::Before), before, "{value}");
    }
}

/// A cheap value that is computed from stored values is recomputed, not stored.
#[test]
fn cheap_values_are_not_stored() {
    for (value, kept) in [
        ("abs(h[t-1])", vec!["u", "h"]),
        ("where(x >= h[t-1], x, 0.5)", vec!["u", "h"]),
        ("x * h[t-1]", vec!["u", "h"]),
        ("sigmoid(h[t-1])", vec!["k", "u", "h"]),
    ] {
        let cell = planned(&format!(
            "cell Kept<H> {{ input x: [H]; state h: [H]; param W: [H, H]; k = {value}; u = tanh(W @ x); h = k * u; output h; }}"
        ));
        let mut residuals = cell.residuals();
        residuals.sort_by_key(|name| ["k", "u", "h"].iter().position(|known| known == name));
        assert_eq!(residuals, kept, "{value}");
    }
}

/// Several outputs are copied out of the chunk. A lone output is stored in the series that the
/// caller reads.
#[test]
fn only_a_lone_output_is_stored_anyway() {
    let residuals = |outputs: &str| {
        planned(&format!(
            "cell Two<H> {{ input x: [H]; state h: [H]; param U, V, W: [H, H];
             h = tanh(W @ h[t-1] + x); y = U @ h; z = V @ h; output {outputs}; }}"
        ))
        .residuals()
    };
    assert_eq!(residuals("y, z"), ["h"]);
}

/// A value that is passed to the next step is computed before the recurrence, even if this step
/// reads it only after the recurrence.
#[test]
fn delayed_values_are_computed_before_the_recurrence() {
    let cell = planned(
        "cell Late<H> { input x: [H]; state p, h: [H]; param U, W: [H, H];
         p = tanh(x); h = tanh(U @ h[t-1] + W @ p[t-1]); y = p * h; output y; }",
    );
    let before = cell.region(&cell.plan.forward, Region::Before);
    assert!(before.contains(&"loop: p".to_owned()), "{before:?}");
    let recurrent: Vec<Id> = cell.plan.recurrent().map(|bound| bound.id).collect();
    assert_eq!(recurrent, [cell.named("h")]);
}

/// Equal states and equal cotangents have separate places.
#[test]
fn equal_values_are_stored_separately() {
    let cell = planned(
        "cell Twins<H> { input x: [H]; state a, b, c: [H]; a = x; b = x; c = x; y = a + b + c; output y; }",
    );
    for bounds in [&cell.plan.states, &cell.plan.carries] {
        let ids: HashSet<Id> = bounds.iter().map(|bound| bound.id).collect();
        assert_eq!(ids.len(), 3);
    }
}

/// A product that is added twice is computed once.
#[test]
fn products_never_run_twice() {
    let cell = planned(
        "cell Twice<I, H> { input x: [I]; state h: [H]; param W: [H, I];
         a = W @ x; h = tanh(a + a + h[t-1]); output h; }",
    );
    for pass in [&cell.plan.forward, &cell.plan.streaming] {
        let sums =
            Region::ALL.into_iter().flat_map(|region| pass.schedule.groups(region)).flat_map(Group::sums);
        let terms: Vec<Id> = sums.flat_map(|sum| sum.terms.iter().copied()).collect();
        assert_eq!(terms.len(), 1);
    }
}

/// Products run together only if they have the same shape; the same right-hand side is not enough.
#[test]
fn products_of_different_shapes_run_separately() {
    let cell = planned(
        "cell Shapes<I, H> { input x: [I]; state h: [H]; param V: [I, I], W: [H, I];
         a = tanh(V @ x); h = h[t-1] * sum(a) + W @ x; output h; }",
    );
    let before = cell.region(&cell.plan.forward, Region::Before);
    assert!(before.contains(&"products: V @ x".to_owned()), "{before:?}");
    assert!(before.contains(&"products: W @ x".to_owned()), "{before:?}");
}

#[test]
fn flat_products() {
    let (n, s) = (Atom::Name(0), Atom::Name(1));
    let mut graph = Graph::default();
    let mut read = |of: usize, rows: Atom, columns: Atom, level: Level| {
        graph.intern(Op::Read(Piece { of, row: 0, column: 0 }), vec![], BlockShape::new(rows, columns), level)
    };
    let matrices = [Level::Param, Level::Context, Level::Time].map(|level| (level, read(0, n, s, level)));
    let vectors =
        [Level::Param, Level::Context, Level::Time].map(|level| (level, read(1, s, Atom::ONE, level)));
    for (a_level, a) in matrices {
        for (b_level, b) in vectors {
            let mut product = |ta, tb, rows, columns| {
                let shape = BlockShape::new(rows, columns);
                let id = graph.intern(Op::MatMul { ta, tb }, vec![a, b], shape, a_level.max(b_level));
                is_flat_product(&graph, id)
            };
            let expected = a_level == Level::Param && b_level > Level::Param;
            assert_eq!(product(false, false, n, Atom::ONE), expected, "{a_level:?} {b_level:?}");
            assert!(!product(false, false, Atom::ONE, n));
            assert!(!product(false, true, n, Atom::ONE));
        }
    }
}

/// The operands of a group are exactly the values that its nodes are computed from, and they have
/// been computed.
#[test]
fn operands_of_groups() {
    for planned in all() {
        let plan = &planned.plan;
        for pass in [&plan.forward, &plan.streaming, &plan.backward] {
            let groups: Vec<&Group> =
                Region::ALL.into_iter().flat_map(|region| pass.schedule.groups(region)).collect();
            let computed: HashSet<Id> = groups.iter().flat_map(|group| group.nodes()).collect();
            for group in groups {
                let storage = |id: &Id| plan.graph.storage(*id);
                let operands: HashSet<Id> =
                    group.operands(&plan.graph, &pass.schedule.users).iter().map(storage).collect();
                for id in &operands {
                    let is_there = pass.schedule.region[id.index()].is_none() || computed.contains(id);
                    assert!(is_there, "{}: {:?}", planned.definition.cell.name, plan.graph[*id]);
                }
                for node in group.nodes() {
                    for arg in plan.graph[node].args.iter().map(storage).filter(|arg| computed.contains(arg))
                    {
                        assert!(operands.contains(&arg), "{}: {group:?}", planned.definition.cell.name);
                    }
                }
            }
        }
    }
}

/// Only the new value of a state is stored in the state, and only a sum whose sole use is one
/// gradient in the gradient.
#[test]
fn places_of_states_and_gradients() {
    for planned in all() {
        let plan = &planned.plan;
        let places = |pass: &Pass| pass.places.iter().map(|(id, place)| (*id, *place)).collect::<Vec<_>>();
        for pass in [&plan.forward, &plan.streaming] {
            for (id, place) in places(pass) {
                if let Place::State(piece) = place {
                    assert!(plan.states.iter().any(|bound| bound.piece == piece && bound.id == id));
                }
            }
        }
        for (id, place) in places(&plan.backward) {
            if let Place::Gradient(piece) = place {
                assert!(plan.gradients.iter().any(|bound| bound.piece == piece && bound.id == id));
                assert_eq!(plan.graph[id].op, Op::Accumulate);
                assert!(plan.backward.schedule.users[id.index()].is_empty());
            }
        }
    }
}

/// Blocks are numbered if there are several: in the rows, in the columns or in both.
#[test]
fn names_of_blocks() {
    let cell = planned(
        "cell Blocks<I, H> { input x: [I]; state h: [H]; param V: [2*H, I], W: [H, H + I], U: [2*H, H + I];
         a = tanh(V @ x); b = tanh(W); c = tanh(U); s = sum(a) + sum(b) + sum(c); h = s * h[t-1]; output h; }",
    );
    for name in ["a_0", "a_1", "b_0", "b_1", "c_0_0", "c_0_1", "c_1_0", "c_1_1"] {
        assert_eq!(cell.plan.graph[cell.named(name)].op, Op::Unary(Unary::Tanh), "{name}");
    }
}

/// A state whose entries all start with the same number.
#[test]
fn states_that_start_with_a_number() {
    for (written, number) in [("zeros", 0.0), ("ones", 1.0), ("-2", -2.0)] {
        let cell = planned(&format!(
            "cell Starts<H> {{ input x: [H]; state h: [H] = {written}; h = h[t-1] + x; output h; }}"
        ));
        let initial = cell.plan.initial.expect("the definition has an initial value");
        let mut id = initial.values[0].id;
        while let [arg] = initial.graph[id].args[..] {
            id = arg;
        }
        assert_eq!(initial.graph.number(id), Some(number), "{written}");
    }
}
