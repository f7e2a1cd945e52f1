//! Tests of the lines against finite differences of the step, and of their text.

use super::{absence, write};
use crate::graph::ir::{BlockShape, Id, Op, Piece};
use crate::lower::jacobian::{Factor, Jacobian, Of, Term};
use crate::testing::matrix::Matrix;
use crate::testing::random::Random;
use crate::testing::samples::SAMPLES;
use crate::testing::source::{Definition, read, read_all};
use crate::testing::{dim_size, run, size};
use std::collections::HashMap;

/// A point: the value of every leaf.
type Point = HashMap<Op, Matrix>;

struct Checker<'a> {
    jacobian: &'a Jacobian,
    sizes: Vec<usize>,
    /// The values at the point.
    values: Vec<Matrix>,
}

impl Checker<'_> {
    fn extent(&self, shape: BlockShape) -> (usize, usize) {
        (size(&self.sizes, shape.rows), size(&self.sizes, shape.columns))
    }

    fn coefficient(&self, id: Id, transposed: bool) -> Matrix {
        let value = &self.values[id.index()];
        if transposed { value.transposed() } else { value.clone() }
    }

    fn apply(&self, factor: &Factor, u: &Matrix) -> Matrix {
        match factor {
            Factor::Scale(by) => {
                Matrix::elementwise(&[self.coefficient(*by, false), u.clone()], |args| args[0] * args[1])
            }
            Factor::Left { of, transposed } => self.coefficient(*of, *transposed).product(u),
            Factor::Right { of, transposed } => u.product(&self.coefficient(*of, *transposed)),
            Factor::Transpose => u.transposed(),
            Factor::Reshape(shape) => {
                let (rows, columns) = self.extent(*shape);
                Matrix::new(rows, columns, u.entries.clone())
            }
            Factor::Expand { from, to } => {
                assert_eq!((u.rows, u.columns), self.extent(*from));
                let (rows, columns) = self.extent(*to);
                Matrix::from_fn(rows, columns, |r, c| u.at(r, c))
            }
            Factor::Sum => Matrix::scalar(u.entries.iter().sum()),
            Factor::RowSum => Matrix::from_fn(u.rows, 1, |r, _| u.row(r).iter().sum()),
            Factor::ColumnSum => Matrix::from_fn(u.columns, 1, |c, _| u.transposed().row(c).iter().sum()),
            Factor::Gather { offset, index } => {
                let column = self.values[index.index()].entries[0] as usize;
                let column = column.checked_sub(dim_size(&self.sizes, offset)).filter(|c| *c < u.columns);
                Matrix::from_fn(u.rows, 1, |r, _| column.map_or(0.0, |c| u.at(r, c)))
            }
            Factor::Place { start, rows, shape } => {
                assert_eq!(u.rows, *rows as usize);
                let (all, columns) = self.extent(*shape);
                let (first, end) = (*start as usize, (*start + *rows) as usize);
                Matrix::from_fn(all, columns, |r, c| {
                    if (first..end).contains(&r) { u.at(r - first, c) } else { 0.0 }
                })
            }
            Factor::Slice { start, count } => {
                let first = *start as usize;
                let rows = Matrix::from_fn(*count as usize, u.columns, |r, c| u.at(first + r, c));
                if *count == 1 { rows.transposed() } else { rows }
            }
        }
    }

    fn term(&self, term: &Term, change: &Matrix, known: &HashMap<Id, Matrix>) -> Matrix {
        let mut value = match term.base {
            None => change.clone(),
            Some(base) => known[&base].clone(),
        };
        for factor in term.factors.iter().rev() {
            value = self.apply(factor, &value);
        }
        if term.is_negative { value.map(|x| -x) } else { value }
    }

    /// Applies the lines to a change of a block of an old state. Returns the changes of the new
    /// states.
    fn changes(&self, by: Piece, change: &Matrix) -> Vec<(Piece, Id, Matrix)> {
        let mut known = HashMap::new();
        let mut states = vec![];
        for line in self.jacobian.lines.iter().filter(|line| line.by == by) {
            let (rows, columns) = self.extent(self.jacobian.graph[line.of.value()].shape);
            let mut sum = Matrix::zero(rows, columns);
            line.terms.iter().for_each(|term| sum.add(&self.term(term, change, &known)));
            if let Of::State { piece, value } = line.of {
                states.push((piece, value, sum.clone()));
            }
            known.insert(line.of.value(), sum);
        }
        states
    }
}

/// Checks the derivative of each new state with respect to each old one against finite differences,
/// entry by entry. Returns the number of derivatives.
fn check(definition: &Definition, seed: u64) -> usize {
    let jacobian = definition.jacobian();
    let graph = &jacobian.graph;
    let mut random = Random::new(seed);
    let sizes: Vec<usize> = (0..definition.cell.dimensions.len()).map(|index| 2 + index % 2).collect();
    let mut point = Point::new();
    for id in graph.ids().filter(|id| matches!(graph[*id].op, Op::Read(_) | Op::Previous(_))) {
        let (rows, columns) = (size(&sizes, graph[id].shape.rows), size(&sizes, graph[id].shape.columns));
        let value = match &graph[id].op {
            Op::Read(piece) if definition.shapes.one_hot[piece.of].is_some() => Matrix::scalar(1.0),
            _ => random.matrix(rows, columns, 0.2, 1.2),
        };
        point.insert(graph[id].op.clone(), value);
    }
    let at = |point: &Point| run(graph, &sizes, |op, _| point[op].clone());
    let checker = Checker { jacobian: &jacobian, sizes: sizes.clone(), values: at(&point) };

    let mut compared = 0;
    let olds: Vec<Piece> = jacobian.lines.iter().map(|line| line.by).collect();
    for (index, by) in olds.iter().enumerate().filter(|(index, by)| !olds[..*index].contains(by)) {
        let Some(old) = point.get(&Op::Previous(*by)).cloned() else {
            // A state that is never read.
            assert!(
                jacobian.lines[index..]
                    .iter()
                    .filter(|line| line.by == *by)
                    .all(|line| line.terms.is_empty())
            );
            continue;
        };
        for entry in 0..old.entries.len() {
            let mut change = old.map(|_| 0.0);
            change.entries[entry] = 1.0;
            let moved = |step: f64| {
                let mut point = point.clone();
                point.get_mut(&Op::Previous(*by)).expect("the point has every leaf").entries[entry] += step;
                at(&point)
            };
            let [near, far] = [1e-4, 2e-4].map(|step| (step, moved(step), moved(-step)));
            for (piece, value, found) in checker.changes(*by, &change) {
                let slope = |(step, plus, minus): &(f64, Vec<Matrix>, Vec<Matrix>)| {
                    Matrix::elementwise(
                        &[plus[value.index()].clone(), minus[value.index()].clone()],
                        |args| (args[0] - args[1]) / (2.0 * step),
                    )
                };
                let expected =
                    Matrix::elementwise(&[slope(&near), slope(&far)], |args| (4.0 * args[0] - args[1]) / 3.0);
                let what = format!("{}: {piece:?} by {by:?}, entry {entry}", definition.cell.name);
                assert!(
                    found.is_close(&expected, 1e-8),
                    "{what}: {found:?}, but finite differences give {expected:?}"
                );
                compared += found.entries.len();
            }
        }
    }
    compared
}

#[test]
fn samples_agree_with_finite_differences() {
    let mut compared = 0;
    for (number, source) in SAMPLES.iter().chain(&READ).enumerate() {
        let definitions = read_all(source);
        let written =
            definitions.iter().filter(|definition| absence(&definition.cell, &definition.past).is_none());
        compared += written.map(|definition| check(definition, number as u64)).sum::<usize>();
    }
    assert!(compared > 300, "{compared}");
}

/// Random cells use every operator and function between states.
#[test]
fn random_cells_agree_with_finite_differences() {
    let mut checked = 0;
    for seed in 1..150 {
        let text = random_cells::Definition::new(seed).text;
        let definition = read(&text);
        if absence(&definition.cell, &definition.past).is_none() {
            let compared = check(&definition, seed);
            assert!(compared > 0, "{text}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

const READ: [&str; 4] = [
    // Matrix, vector and scalar states, in all combinations.
    "cell Memory<H, E> { input x: [H]; state M: [H, E], h: [H], n: []; param v: [H], u: [E];
        g = sigmoid(v * n[t-1] + x);
        M = g * M[t-1] + h[t-1] @ u.T;
        n = 0.5 * n[t-1] + sum(h[t-1] * x) + mean(M[t-1]);
        h = tanh(M @ u + n);
        output h; }",
    // A state with two names, one that is an old state, and one that depends on none.
    "cell Delay<H> { input x: [H]; state h, twin, before, last: [H]; param k: [];
        h = k * h[t-1] + twin[t-1] + before[t-1] - last[t-1]; twin = h; before = h[t-1]; last = x; output h; }",
    "cell Gru<I, H> { input x: [I]; state h: [H]; param W_r, W_z, W_h: [H, I], U_r, U_z, U_h: [H, H];
        r = sigmoid(W_r @ x + U_r @ h[t-1]);
        z = sigmoid(W_z @ x + U_z @ h[t-1]);
        h_tilde = tanh(W_h @ x + U_h @ (r * h[t-1]));
        h = z * h[t-1] + (1 - z) * h_tilde;
        output h; }",
    // Vectors from scalars, scalars from vectors, and matrices that are products only in
    // combination.
    "cell Mixture<H, E> { input x: [H]; state h: [H], n, m: [], r: [E], s: [2]; param U: [E, H], v, w: [H], k: [], A: [2, H];
        n = sum(v * h[t-1]) + sum(h[t-1]) + k * n[t-1];
        m = sum(tanh(h[t-1])) - m[t-1];
        h = v * n[t-1] + w * m[t-1] + m[t-1] + x * n[t-1];
        r = (U * 2) @ h[t-1] + (U @ (v @ w.T)) @ h[t-1] + n[t-1];
        [a, b] = A @ h[t-1] + s[t-1];
        s = [b * x.T @ v, -a];
        output h, r, s; }"];

fn text(definition: &Definition) -> String {
    write(definition.shaped(), &definition.jacobian())
}

/// Returns the lines of one of the cells above, by name.
fn lines_of(name: &str) -> String {
    let definitions = SAMPLES.iter().chain(&READ).flat_map(|source| read_all(source));
    let definition = definitions.into_iter().find(|definition| definition.cell.name == name);
    text(&definition.expect("there is a cell of this name"))
}

#[track_caller]
fn assert_reads(name: &str, expected: &[&str]) {
    let found = lines_of(name);
    assert_eq!(found.lines().collect::<Vec<_>>(), expected, "{name} reads\n{found}");
}

#[test]
fn gates_and_the_cell_state() {
    assert_reads(
        "Peephole",
        &[
            "∂i/∂h[t-1] = diag(i * (1 - i)) @ W_i_0",
            "∂f/∂h[t-1] = diag(f * (1 - f)) @ W_f_0",
            "∂g/∂h[t-1] = diag(1 - (g * g)) @ W_g_0",
            "∂c/∂h[t-1] = diag(c[t-1]) @ ∂f/∂h[t-1] + diag(g) @ ∂i/∂h[t-1] + diag(i) @ ∂g/∂h[t-1]",
            "∂o/∂h[t-1] = diag(o * (1 - o)) @ W_o_0 + diag((o * (1 - o)) * p_o) @ ∂c/∂h[t-1]",
            "∂h/∂h[t-1] = diag(tanh(c)) @ ∂o/∂h[t-1] + diag(o * (1 - (tanh(c) * tanh(c)))) @ ∂c/∂h[t-1]",
            "∂i/∂c[t-1] = diag((i * (1 - i)) * p_i)",
            "∂f/∂c[t-1] = diag((f * (1 - f)) * p_f)",
            "∂c/∂c[t-1] = diag(c[t-1]) @ ∂f/∂c[t-1] + diag(f) + diag(g) @ ∂i/∂c[t-1]",
            "∂o/∂c[t-1] = diag((o * (1 - o)) * p_o) @ ∂c/∂c[t-1]",
            "∂h/∂c[t-1] = diag(tanh(c)) @ ∂o/∂c[t-1] + diag(o * (1 - (tanh(c) * tanh(c)))) @ ∂c/∂c[t-1]",
        ],
    );
    assert_reads(
        "Gru",
        &[
            "∂r/∂h[t-1] = diag(r * (1 - r)) @ U_r",
            "∂z/∂h[t-1] = diag(z * (1 - z)) @ U_z",
            "∂h_tilde/∂h[t-1] = diag(1 - (h_tilde * h_tilde)) @ U_h @ diag(h[t-1]) @ ∂r/∂h[t-1] + \
             diag(1 - (h_tilde * h_tilde)) @ U_h @ diag(r)",
            "∂h/∂h[t-1] = diag(h[t-1] - h_tilde) @ ∂z/∂h[t-1] + diag(z) + diag(1 - z) @ ∂h_tilde/∂h[t-1]",
        ],
    );
}

#[test]
fn matrices_and_scalars() {
    assert_reads(
        "DeltaRule",
        &["∂e/∂S[t-1](δS) = -row_sum(k.T * δS)", "∂S/∂S[t-1](δS) = δS + k.T * (beta * ∂e/∂S[t-1](δS))"],
    );
    let memory = lines_of("Memory");
    for line in ["∂M/∂M[t-1](δM) = g * δM\n", "∂M/∂h[t-1](δh) = u.T * δh\n", "∂n/∂n[t-1] = 0.5\n"]
    {
        assert!(memory.contains(line), "{line} is not in\n{memory}");
    }
}

#[test]
fn vectors_and_scalars() {
    let text = lines_of("Mixture");
    let found: Vec<&str> = text.lines().filter(|line| !line.ends_with(" = 0")).collect();
    let expected = [
        "value_17 = A @ h[t-1] + s[t-1]",
        "value_19 = b * x",
        "∂n/∂h[t-1] = v.T + ones.T",
        "∂m/∂h[t-1] = (1 - (tanh(h[t-1]) * tanh(h[t-1]))).T",
        "∂r/∂h[t-1] = (U * 2) + (U @ (v * w.T))",
        "∂value_17/∂h[t-1] = A",
        "∂a/∂h[t-1] @ δh = rows(∂value_17/∂h[t-1] @ δh, 0, 1)",
        "∂b/∂h[t-1] @ δh = rows(∂value_17/∂h[t-1] @ δh, 1, 1)",
        "∂value_19/∂h[t-1] = x @ ∂b/∂h[t-1]",
        "∂s/∂h[t-1] @ δh = [sum(v * (∂value_19/∂h[t-1] @ δh)), zeros(1)] - [zeros(1), ∂a/∂h[t-1] @ δh]",
        "∂n/∂n[t-1] = k",
        "∂h/∂n[t-1] = (v + x)",
        "∂r/∂n[t-1] = ones",
        "∂m/∂m[t-1] = -1",
        "∂h/∂m[t-1] = w + ones",
        "∂a/∂s[t-1] @ δs = rows(δs, 0, 1)",
        "∂b/∂s[t-1] @ δs = rows(δs, 1, 1)",
        "∂value_19/∂s[t-1] = x @ ∂b/∂s[t-1]",
        "∂s/∂s[t-1] @ δs = [sum(v * (∂value_19/∂s[t-1] @ δs)), zeros(1)] - [zeros(1), ∂a/∂s[t-1] @ δs]",
    ];
    assert_eq!(found, expected, "{text}");
}

#[test]
fn long_values_come_first() {
    assert_reads(
        "Echo",
        &[
            "value_5 = tanh(W @ r[t-1] + W_in @ x)",
            "∂r/∂r[t-1] = (1 - leak) * I + diag(leak * (1 - (value_5 * value_5))) @ W",
        ],
    );
    let softmax = lines_of("Attention");
    assert!(softmax.contains("∂e/∂s[t-1] = M.T @ U\n"), "{softmax}");
    assert!(softmax.ends_with("∂s/∂s[t-1] = diag(1 - (s * s)) @ V_0 @ M @ ∂a/∂s[t-1]\n"), "{softmax}");
}

#[test]
fn zero_and_other_names() {
    assert_reads("Gate", &["∂h/∂h[t-1] = 0"]);
    assert_reads("Dense", &[]);
    let delay = lines_of("Delay");
    for lines in [
        "∂h/∂h[t-1] = k * I\n∂twin/∂h[t-1] = ∂h/∂h[t-1]\n∂before/∂h[t-1] = I\n∂last/∂h[t-1] = 0\n",
        "∂h/∂last[t-1] = -I\n∂twin/∂last[t-1] = ∂h/∂last[t-1]\n∂before/∂last[t-1] = 0\n",
    ] {
        assert!(delay.contains(lines), "{lines} is not in\n{delay}");
    }
}
