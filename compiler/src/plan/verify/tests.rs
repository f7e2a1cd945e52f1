//! Tests that break each invariant by hand.

use super::{graph, schedule, verify};
use crate::dim::{Atom, Dim};
use crate::graph::ir::{Binary, BlockShape, Graph, Id, Level, Op, Piece, Unary};
use crate::plan::schedule::{Group, Region};
use crate::plan::{Lifetime, Place, Plan};
use crate::testing::source::read;

const N: Atom = Atom::Name(0);
const S: Atom = Atom::Name(1);
const ONE: Atom = Atom::ONE;

/// Returns a graph of two vectors `[N]`, a matrix `[N, S]` and an index.
fn leaves() -> (Graph, [Id; 4]) {
    let mut graph = Graph::default();
    let mut leaf = |of, rows, columns| {
        graph.intern(
            Op::Read(Piece { of, row: 0, column: 0 }),
            vec![],
            BlockShape::new(rows, columns),
            Level::Time,
        )
    };
    let ids = [leaf(0, N, ONE), leaf(1, N, ONE), leaf(2, N, S), leaf(3, ONE, ONE)];
    (graph, ids)
}

/// Returns the error after adding one more node.
fn broken(op: Op, args: &[Id], (rows, columns): (Atom, Atom), level: Level) -> String {
    let (mut with, _) = leaves();
    with.intern(op, args.to_vec(), BlockShape::new(rows, columns), level);
    graph(&with).expect_err("the node is broken")
}

#[test]
fn a_correct_graph() {
    let (mut right, [a, b, m, w]) = leaves();
    let product = right.matmul(true, false, m, a);
    right.sum(product);
    right.gather(Dim::one(), m, w);
    let row = right.transpose(product);
    let wide = right.mul(m, row);
    right.row_sum(wide);
    right.column_sum(wide);
    right.add(a, b);
    assert_eq!(graph(&right), Ok(()));
}

#[test]
fn order_of_arguments() {
    let later = Id(9);
    let error = broken(Op::Unary(Unary::Neg), &[later], (N, ONE), Level::Time);
    assert!(error.contains("an argument comes after its use"), "{error}");
}

#[test]
fn number_of_arguments() {
    let (_, [a, b, ..]) = leaves();
    for (op, args) in [
        (Op::Binary(Binary::Add), vec![a]),
        (Op::Unary(Unary::Neg), vec![a, b]),
        (Op::Read(Piece { of: 7, row: 0, column: 0 }), vec![a]),
        (Op::Concat, vec![a]),
        (Op::MatMul { ta: true, tb: false }, vec![a]),
    ] {
        let error = broken(op, &args, (N, ONE), Level::Time);
        assert!(error.contains("number of arguments"), "{error}");
    }
}

#[test]
fn levels() {
    let (_, [a, ..]) = leaves();
    for (op, level) in
        [(Op::Unary(Unary::Neg), Level::Param), (Op::Accumulate, Level::Time), (Op::Copy(1), Level::Context)]
    {
        let error = broken(op, &[a], (N, ONE), level);
        assert!(error.contains("the level is not that of the arguments"), "{error}");
    }
}

#[test]
fn rows() {
    let (_, [.., w]) = leaves();
    let error = broken(Op::Expand, &[w], (ONE, S), Level::Time);
    assert!(error.contains("a row is not computed as a vector"), "{error}");
}

#[test]
fn shapes() {
    let (_, [a, b, m, w]) = leaves();
    for (op, args, shape) in [
        (Op::Number(0), vec![], (N, ONE)),
        (Op::Binary(Binary::Add), vec![a, b], (S, ONE)),
        (Op::Binary(Binary::Add), vec![a, m], (N, ONE)),
        (Op::MatMul { ta: false, tb: false }, vec![m, a], (N, ONE)),
        (Op::MatMul { ta: true, tb: false }, vec![m, a], (N, ONE)),
        (Op::Transpose, vec![m], (N, S)),
        (Op::Reshape, vec![m], (S, N)),
        (Op::Reshape, vec![a], (S, ONE)),
        (Op::Accumulate, vec![a], (S, ONE)),
        (Op::Gather { offset: Dim::one() }, vec![m, a], (N, ONE)),
        (Op::Gather { offset: Dim::one() }, vec![m, w], (S, ONE)),
        (Op::Scatter { offset: Dim::one() }, vec![a, w], (S, N)),
        (Op::Sum, vec![m], (N, ONE)),
        (Op::Maximum, vec![m], (N, ONE)),
        (Op::RowSum, vec![m], (S, ONE)),
        (Op::ColumnSum, vec![m], (N, ONE)),
        (Op::Concat, vec![a, b], (N, ONE)),
        (Op::Slice { start: 0, count: 1 }, vec![m], (S, ONE)),
    ] {
        let level = if op == Op::Accumulate { Level::Param } else { Level::Time };
        let level = if args.is_empty() { Level::Param } else { level };
        let error = broken(op, &args, shape, level);
        assert!(error.contains("the shape is not the operation's"), "{error}");
    }
}

#[test]
fn slices_end_within() {
    let mut with = Graph::default();
    let four = BlockShape::new(Atom::Literal(4), S);
    let m = with.read(Piece { of: 0, row: 0, column: 0 }, four, Level::Time);
    let part = BlockShape::new(Atom::Literal(2), S);
    with.intern(Op::Slice { start: 2, count: 2 }, vec![m], part, Level::Time);
    assert_eq!(graph(&with), Ok(()));
    with.intern(Op::Slice { start: 3, count: 2 }, vec![m], part, Level::Time);
    assert!(graph(&with).is_err());
}

fn plan() -> Plan {
    read(
        "cell Test<I, H> { input x: [I]; state h: [H]; param W: [H, H + I], U: [I, H];
         h = tanh(W @ [h[t-1], x]); y = U @ h; output y; }",
    )
    .plan()
}

/// Returns the error of a plan after a change.
fn changed(change: impl FnOnce(&mut Plan)) -> String {
    let mut plan = plan();
    assert_eq!(verify(&plan), Ok(()));
    change(&mut plan);
    verify(&plan).expect_err("the plan is broken")
}

#[test]
fn groups_in_the_wrong_order() {
    let error = changed(|plan| plan.forward.schedule.groups_mut(Region::Step).reverse());
    assert!(error.starts_with("forward: ") && error.contains("before it is computed"), "{error}");
}

#[test]
fn nodes_in_the_wrong_order() {
    let error = changed(|plan| {
        for group in plan.forward.schedule.groups_mut(Region::Step) {
            if let Group::Elementwise { nodes, .. } = group {
                nodes.reverse();
            }
        }
    });
    assert!(error.contains("before it is computed") || error.contains("has no place"), "{error}");
}

#[test]
fn scheduled_values_are_computed() {
    let error = changed(|plan| {
        plan.forward.schedule.groups_mut(Region::After).clear();
    });
    assert!(error.starts_with("forward: ") && error.contains("is never computed"), "{error}");
    let error = changed(|plan| {
        plan.backward.schedule.groups_mut(Region::After).pop();
    });
    assert!(error.starts_with("backward: ") && error.contains("is never computed"), "{error}");
}

#[test]
fn values_are_computed_once() {
    let error = changed(|plan| {
        let groups = plan.streaming.schedule.groups_mut(Region::Step);
        groups.push(groups[0].clone());
    });
    assert!(error.starts_with("streaming: ") && error.contains("is computed twice"), "{error}");
}

#[test]
fn regions_of_another_level() {
    let error = changed(|plan| {
        let step = std::mem::take(plan.streaming.schedule.groups_mut(Region::Step));
        *plan.streaming.schedule.groups_mut(Region::Context) = step;
    });
    assert!(error.contains("runs in a region of another level"), "{error}");
}

#[test]
fn residuals_that_are_not_stored() {
    let error = changed(|plan| {
        plan.forward.places.retain(|_, place| !matches!(place, Place::State(_)));
    });
    assert!(error.contains("has no place") || error.starts_with("backward: "), "{error}");
    let error = changed(|plan| {
        for place in plan.forward.places.values_mut() {
            if matches!(place, Place::State(_)) {
                *place = Place::Buffer(Lifetime::Chunk);
            }
        }
    });
    assert!(error.starts_with("backward: ") && error.contains("before it is computed"), "{error}");
}

#[test]
fn schedules_without_places() {
    let Plan { graph, forward, backward, residuals, .. } = plan();
    assert_eq!(schedule(&graph, &forward.schedule, &[]), Ok(()));
    assert_eq!(schedule(&graph, &backward.schedule, &residuals), Ok(()));
    let broken = schedule(&graph, &backward.schedule, &residuals[1..]).expect_err("a residual is missing");
    assert!(broken.contains("before it is computed"), "{broken}");
}

#[test]
fn places_with_too_short_a_lifetime() {
    let error = changed(|plan| {
        for place in plan.backward.places.values_mut() {
            if *place == Place::Buffer(Lifetime::Chunk) {
                *place = Place::Buffer(Lifetime::Step);
            }
        }
    });
    assert!(error.contains("has too short a lifetime"), "{error}");
    let error = changed(|plan| plan.backward.places.clear());
    assert!(error.contains("has no place"), "{error}");
}

#[test]
fn delayed_series_are_computed_before_they_are_read() {
    let mut plan = read(
        "cell Filter<I, H> { input x: [I]; state x_prev: [I], c: [H]; param V, W: [H, I];
         x_prev = x; c = 0.5 * c[t-1] + V @ x_prev[t-1] + W @ x; output c; }",
    )
    .plan();
    plan.forward.schedule.groups_mut(Region::Before).reverse();
    let error = verify(&plan).expect_err("the product reads the series");
    assert!(
        error.starts_with("forward: ") && error.contains("reads a series before it is computed"),
        "{error}"
    );
}
