//! Tests of whole definitions run by their schedules: outputs against the equations as written,
//! cotangents against finite differences, and equality for all chunk sizes.

use super::machine::{Bars, Data, Machine, Results};
use super::matrix::Matrix;
use super::random::Random;
use super::source::{Definition, read_all};
use super::{assemble, dim_size, run};
use crate::analysis::heads::visible;
use crate::analysis::past::PastOf;
use crate::graph::ir::{Earlier, Op, Piece};
use crate::syntax::ast::DeclarationKind;
use crate::testing::samples::SAMPLES;

const BATCH: usize = 2;

/// Returns random values for everything that a definition reads.
fn data(definition: &Definition, random: &mut Random, steps: usize) -> Data {
    let sizes: Vec<usize> =
        (0..definition.cell.dimensions.len()).map(|index| 2 + (index + random.below(3)) % 3).collect();
    let of = |shape: &crate::dim::Shape| (dim_size(&sizes, &shape.rows), dim_size(&sizes, &shape.columns));
    let mut declared = vec![];
    let mut state_bars = vec![];
    for (index, declaration) in definition.cell.declarations.iter().enumerate() {
        let count = match declaration.kind {
            DeclarationKind::Param | DeclarationKind::Buffer => 1,
            DeclarationKind::Context | DeclarationKind::State => BATCH,
            DeclarationKind::Input => steps * BATCH,
        };
        let (rows, columns) = of(definition.shapes.declarations[index].as_ref().expect("the shape is known"));
        let columns = columns * definition.heads(index, &sizes);
        let mut value = || match &definition.shapes.one_hot[index] {
            Some(range) => Matrix::scalar(random.below(dim_size(&sizes, range)) as f64),
            None => random.matrix(rows, columns, 0.2, 1.2),
        };
        declared.push((0..count).map(|_| value()).collect::<Vec<_>>());
        let is_state = declaration.kind == DeclarationKind::State;
        state_bars.push(
            (0..if is_state { BATCH } else { 0 }).map(|_| random.matrix(rows, columns, -1.0, 1.0)).collect(),
        );
    }
    let outputs = definition.resolved.outputs.iter().map(|target| {
        let target = target.expect("the output is known");
        let shape = visible(&definition.cell, &definition.shapes, target);
        let (rows, columns) = of(&shape.expect("the shape is known"));
        (0..steps * BATCH).map(|_| random.matrix(rows, columns, -1.0, 1.0)).collect()
    });
    let output_bars = outputs.collect();
    Data { sizes, steps, batch: BATCH, declared, output_bars, state_bars }
}

fn loss(data: &Data, results: &Results) -> f64 {
    let dot =
        |values: &[Matrix], bars: &[Matrix]| values.iter().zip(bars).map(|(a, b)| a.dot(b)).sum::<f64>();
    let all = |values: &[Vec<Matrix>], bars: &[Vec<Matrix>]| {
        values.iter().zip(bars).map(|(a, b)| dot(a, b)).sum::<f64>()
    };
    all(&results.outputs, &data.output_bars) + all(&results.states, &data.state_bars)
}

/// Computes the outputs by the lowered equations, one step after the other, from the given initial
/// states.
fn outputs_as_written(definition: &Definition, data: &Data) -> Vec<Vec<Matrix>> {
    let lowered = definition.lower();
    let mut outputs = vec![vec![]; definition.resolved.outputs.len()];
    let mut states = data.declared.clone();
    // The values of all nodes and the old states, by step and sample.
    let mut history: Vec<(Vec<Matrix>, Vec<Matrix>)> = vec![];
    for (t, b) in (0..data.steps).flat_map(|t| (0..BATCH).map(move |b| (t, b))) {
        let past = |earlier: Earlier| {
            let value = &definition.past.values[earlier.piece.of];
            super::earlier(&super::delays(&data.sizes, earlier.reach), earlier.reach, |delay| {
                let shape = value.block(earlier.piece.row, earlier.piece.column);
                let (rows, columns) = super::shape_extent(shape, &data.sizes);
                let zero = Matrix::zero(rows, columns);
                let at = t.checked_sub(delay);
                let block = |of: usize, whole: &Matrix| {
                    let piece = Piece { of, ..earlier.piece };
                    definition.block(whole, piece, &data.sizes)
                };
                match (value.of, at) {
                    _ if delay == 0 => zero,
                    (PastOf::Declaration(of), Some(at)) if value.is_one_hot => {
                        data.declared[of][at * BATCH + b].clone()
                    }
                    (PastOf::Declaration(_), None) if value.is_one_hot => Matrix::scalar(1e9),
                    (PastOf::Declaration(of), None) if value.is_state => block(of, &data.declared[of][b]),
                    // The new state of a step is the old one of the next step.
                    (PastOf::Declaration(of), Some(_)) if value.is_state && delay == 1 => {
                        block(of, &states[of][b])
                    }
                    (PastOf::Declaration(of), Some(at)) if value.is_state => {
                        block(of, &history[(at + 1) * BATCH + b].1[of])
                    }
                    (PastOf::Declaration(of), Some(at)) => block(of, &data.declared[of][at * BATCH + b]),
                    (_, None) => zero,
                    (_, Some(at)) => {
                        let grid =
                            lowered.recorded[earlier.piece.of].as_ref().expect("the value is computed");
                        let id = grid.at(earlier.piece.row, earlier.piece.column);
                        history[at * BATCH + b].0[id.index()].clone()
                    }
                }
            })
        };
        let values = run(&lowered.graph, &data.sizes, |op, (rows, columns)| {
            let (piece, whole) = match op {
                Op::Past(earlier) => return past(*earlier),
                Op::Present { .. } => return super::present(&data.sizes, op, t),
                Op::Read(piece) => match data.declared[piece.of].len() {
                    1 => (piece, &data.declared[piece.of][0]),
                    BATCH => (piece, &data.declared[piece.of][b]),
                    _ => (piece, &data.declared[piece.of][t * BATCH + b]),
                },
                Op::Previous(piece) => (piece, &states[piece.of][b]),
                _ => panic!("unexpected leaf of a step: {op:?}"),
            };
            let block = definition.block(whole, *piece, &data.sizes);
            Matrix::new(rows, columns, block.entries)
        });
        let of = |id: crate::graph::ir::Id| values[id.index()].clone();
        let old = (0..states.len()).map(|of| states[of].get(b).cloned().unwrap_or(Matrix::scalar(0.0)));
        history.push((values.clone(), old.collect()));
        for (index, declaration) in definition.cell.declarations.iter().enumerate() {
            if declaration.kind == DeclarationKind::State {
                let target = definition.resolved.state_values[index].expect("the state has a value");
                let grid = &lowered.targets[target.equation][target.index];
                let new = definition.assemble(index, &data.sizes, |row, column| of(grid.at(row, column)));
                let old = &mut states[index][b];
                // A scalar may be assigned to a state with one row, so the shapes are matched.
                *old = Matrix::from_fn(old.rows, old.columns, |r, c| new.at(r, c));
            }
        }
        for (output, grid) in outputs.iter_mut().zip(&lowered.outputs) {
            let grid = grid.as_ref().expect("the output has a value");
            output.push(assemble(grid, &data.sizes, |row, column| of(grid.at(row, column))));
        }
    }
    outputs
}

fn assert_close(what: &str, found: &[Vec<Matrix>], expected: &[Vec<Matrix>], tolerance: f64) {
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!(found.is_close(expected, tolerance), "{what}: {found:?} instead of {expected:?}");
    }
    let lengths = |all: &[Vec<Matrix>]| all.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(lengths(found), lengths(expected), "{what}");
}

/// Runs a definition in every possible way.
pub fn check(definition: &Definition, seed: u64) {
    let name = definition.cell.name.to_string();
    let plan = definition.plan();
    for steps in [0, 1, 3, 5] {
        let mut random = Random::new(seed + steps as u64);
        let data = data(definition, &mut random, steps);
        let mut first: Option<(Vec<Vec<Matrix>>, Bars)> = None;
        for chunk in [1, 2, 5] {
            let machine = Machine { definition, plan: &plan, data: &data, chunk };
            let results = machine.forward();
            let (outputs, states) = (results.outputs.clone(), results.states.clone());
            let bars = machine.backward(results);
            match &first {
                Some((known, known_bars)) => {
                    assert_close(&name, &outputs, known, 1e-14);
                    assert_close(&name, &bars, known_bars, 1e-12);
                }
                None => first = Some((outputs, bars)),
            }
            let streamed = machine.stream();
            assert_close(&name, &streamed.outputs, &first.as_ref().expect("there are chunk sizes").0, 1e-13);
            assert_close(&name, &streamed.states, &states, 1e-13);
        }
        let (outputs, bars) = first.expect("there are chunk sizes");
        if plan.initial.is_none() {
            assert_close(&name, &outputs, &outputs_as_written(definition, &data), 1e-12);
        }
        check_directions(definition, &data, &bars, &mut random, &|data| {
            loss(data, &Machine { definition, plan: &plan, data, chunk: 2 }.forward())
        });
    }
}

/// Checks the derivatives of each declaration in a random direction.
fn check_directions(
    definition: &Definition,
    data: &Data,
    bars: &Bars,
    random: &mut Random,
    loss: &dyn Fn(&Data) -> f64,
) {
    for (of, declaration) in definition.cell.declarations.iter().enumerate() {
        let is_fixed = declaration.kind == DeclarationKind::Buffer || definition.shapes.one_hot[of].is_some();
        if is_fixed {
            assert!(bars[of].iter().all(|bar| bar.entries.iter().all(|x| *x == 0.0)), "{}", declaration.name);
            continue;
        }
        let directions: Vec<Matrix> = data.declared[of]
            .iter()
            .map(|value| random.matrix(value.rows, value.columns, -1.0, 1.0))
            .collect();
        let at = |step: f64| {
            let mut moved = data.clone();
            for (value, direction) in moved.declared[of].iter_mut().zip(&directions) {
                value.add(&direction.map(|x| step * x));
            }
            loss(&moved)
        };
        let slope = |h: f64| (at(h) - at(-h)) / (2.0 * h);
        let expected = (4.0 * slope(1e-5) - slope(2e-5)) / 3.0;
        let found: f64 = bars[of].iter().zip(&directions).map(|(bar, direction)| bar.dot(direction)).sum();
        let error = (found - expected).abs() / expected.abs().max(1.0);
        let what = format!("{}.{} of {} steps", definition.cell.name, declaration.name, data.steps);
        assert!(error < 1e-7, "{what}: {found}, but finite differences give {expected}");
    }
}

#[test]
fn samples() {
    for (number, source) in SAMPLES.iter().enumerate() {
        for definition in read_all(source) {
            check(&definition, number as u64);
        }
    }
}
