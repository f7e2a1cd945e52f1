//! The functions of the language in terms of the graph's operations.

use crate::dim::{Atom, Dim};
use crate::ir::{Graph, Id};
use crate::lower::Grid;
use crate::ops::binary::Binary;
use crate::ops::unary::{self, Unary};
use crate::syntax::ast::Comparison;

/// What keeps `layer_norm` and `rms_norm` from a division by zero: PyTorch's default.
const EPSILON: f64 = 1e-5;

pub fn lower(graph: &mut Graph, name: &str, args: &[Grid]) -> Option<Grid> {
    match (name, args) {
        ("min", [u, v]) => Grid::elementwise(graph, &[u, v], |g, ids| g.binary(Binary::Min, ids[0], ids[1])),
        ("max", [u, v]) => Grid::elementwise(graph, &[u, v], |g, ids| g.binary(Binary::Max, ids[0], ids[1])),
        ("pow", [u, v]) => Grid::elementwise(graph, &[u, v], |g, ids| g.binary(Binary::Pow, ids[0], ids[1])),
        ("clamp", [u, low, high]) => {
            Grid::elementwise(graph, &[u, low, high], |g, ids| g.clamp(ids[0], ids[1], ids[2]))
        }
        ("stop_gradient", [u]) => Grid::elementwise(graph, &[u], |g, ids| g.stop_gradient(ids[0])),
        ("sum", [u]) => {
            let total = sum(graph, u)?;
            Some(Grid::single(graph, total))
        }
        ("mean", [u]) => {
            let mean = mean(graph, u)?;
            Some(Grid::single(graph, mean))
        }
        ("row_sum", [u]) => {
            let mut blocks = vec![];
            for row in 0..u.rows.len() {
                let sums: Vec<Id> = (0..u.columns.len()).map(|column| graph.row_sum(u.at(row, column))).collect();
                blocks.push(sums.into_iter().reduce(|a, b| graph.add(a, b))?);
            }
            Some(Grid { rows: u.rows.clone(), columns: vec![Atom::ONE], blocks })
        }
        ("softmax", [scores]) => softmax(graph, scores),
        ("softmax", [scores, mask]) => masked_softmax(graph, scores, mask),
        ("layer_norm", [u, gain, bias]) => {
            let mean = mean(graph, u)?;
            let mean = Grid::single(graph, mean);
            let centred = Grid::elementwise(graph, &[u, &mean], |g, ids| g.sub(ids[0], ids[1]))?;
            let scaled = over_root_mean_square(graph, &centred, gain)?;
            Grid::elementwise(graph, &[&scaled, bias], |g, ids| g.add(ids[0], ids[1]))
        }
        ("rms_norm", [u, gain]) => over_root_mean_square(graph, u, gain),
        (_, [u]) => {
            // The table and this list stand for each other; a name that only one has is a bug that the
            // unit test below finds.
            let mut known = true;
            let result = Grid::elementwise(graph, &[u], |g, ids| {
                unary::activation(g, name, ids[0]).unwrap_or_else(|| {
                    known = false;
                    ids[0]
                })
            });
            result.filter(|_| known)
        }
        _ => None,
    }
}

fn sum(graph: &mut Graph, u: &Grid) -> Option<Id> {
    let sums: Vec<Id> = u.blocks.iter().map(|id| graph.sum(*id)).collect();
    sums.into_iter().reduce(|a, b| graph.add(a, b))
}

fn mean(graph: &mut Graph, u: &Grid) -> Option<Id> {
    let total = sum(graph, u)?;
    let rows = graph.size(Dim::sum(u.rows.iter().copied()));
    let columns = graph.size(Dim::sum(u.columns.iter().copied()));
    let count = graph.mul(rows, columns);
    let one = graph.constant(1.0);
    let share = graph.div(one, count);
    Some(graph.mul(total, share))
}

/// `gain * u / sqrt(mean(u^2) + ε)`, the statistics over all entries.
fn over_root_mean_square(graph: &mut Graph, u: &Grid, gain: &Grid) -> Option<Grid> {
    let squares = Grid::elementwise(graph, &[u], |g, ids| g.mul(ids[0], ids[0]))?;
    let variance = mean(graph, &squares)?;
    let epsilon = graph.constant(EPSILON);
    let shifted = graph.add(variance, epsilon);
    let deviation = graph.unary(Unary::Sqrt, shifted);
    let scale = graph.unary(Unary::Recip, deviation);
    let scale = Grid::single(graph, scale);
    let normalised = Grid::elementwise(graph, &[u, &scale], |g, ids| g.mul(ids[0], ids[1]))?;
    Grid::elementwise(graph, &[gain, &normalised], |g, ids| g.mul(ids[0], ids[1]))
}

fn maximum(graph: &mut Graph, u: &Grid) -> Option<Id> {
    let parts: Vec<Id> = u.blocks.iter().map(|id| graph.maximum(*id)).collect();
    let greatest = parts.into_iter().reduce(|a, b| graph.binary(Binary::Max, a, b))?;
    // Softmax doesn't depend on what is subtracted, so nothing is lost.
    Some(graph.stop_gradient(greatest))
}

/// `exp(e - max e)` over its sum.
fn softmax(graph: &mut Graph, scores: &Grid) -> Option<Grid> {
    let greatest = maximum(graph, scores)?;
    let greatest = Grid::single(graph, greatest);
    let powers = Grid::elementwise(graph, &[scores, &greatest], |g, ids| {
        let shifted = g.sub(ids[0], ids[1]);
        g.unary(Unary::Exp, shifted)
    })?;
    let total = sum(graph, &powers)?;
    let total = Grid::single(graph, total);
    Grid::elementwise(graph, &[&powers, &total], |g, ids| g.div(ids[0], ids[1]))
}

/// Softmax over the entries where the mask is not zero: exactly zero elsewhere, and everywhere if all are masked.
fn masked_softmax(graph: &mut Graph, scores: &Grid, mask: &Grid) -> Option<Grid> {
    let (zero, one) = (graph.constant(0.0), graph.constant(1.0));
    let lowest = graph.constant(f64::NEG_INFINITY);
    let open = Grid::elementwise(graph, &[scores, mask], |g, ids| {
        g.select(Comparison::NotEqual, [ids[1], zero, ids[0], lowest])
    })?;
    let greatest = maximum(graph, &open)?;
    let greatest = Grid::single(graph, greatest);
    let powers = Grid::elementwise(graph, &[scores, mask, &greatest], |g, ids| {
        // Selected before and after the exponential: a masked score may be anything, and its cotangent
        // must not become 0 * inf.
        let shifted = g.sub(ids[0], ids[2]);
        let shifted = g.select(Comparison::NotEqual, [ids[1], zero, shifted, zero]);
        let power = g.unary(Unary::Exp, shifted);
        g.select(Comparison::NotEqual, [ids[1], zero, power, zero])
    })?;
    let total = sum(graph, &powers)?;
    let total = graph.select(Comparison::Equal, [total, zero, one, total]);
    let total = Grid::single(graph, total);
    Grid::elementwise(graph, &[&powers, &total], |g, ids| g.div(ids[0], ids[1]))
}
