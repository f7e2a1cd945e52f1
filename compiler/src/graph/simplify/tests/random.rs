//! Tests on random graphs: simplified values and derivatives agree with plain matrix arithmetic.

use super::{N, ONE, S, read};
use crate::dim::{Atom, Dim};
use crate::graph::autodiff::pull_back;
use crate::graph::ir::{Binary, BlockShape, Comparison, Graph, Id, Level, Op, Piece, Unary};
use crate::graph::simplify::rebuild;
use crate::plan::verify;
use crate::testing::matrix::Matrix;
use crate::testing::random::Random;
use crate::testing::{run, size};

const SIZES: [usize; 2] = [3, 4];
/// The rows and columns of the leaves, including a literal that can be sliced and stacked.
const LEAVES: [(Atom, Atom); 8] = [
    (ONE, ONE),
    (N, ONE),
    (S, ONE),
    (ONE, S),
    (N, S),
    (N, N),
    (Atom::Literal(2), ONE),
    (Atom::Literal(2), S),
];

/// A value of the graph, and its value by plain arithmetic.
type Value = (Id, Matrix);

struct Growing {
    graph: Graph,
    values: Vec<Value>,
    leaves: Vec<Matrix>,
    random: Random,
}

impl Growing {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (mut graph, mut values, mut leaves) = (Graph::default(), vec![], vec![]);
        for (of, (rows, columns)) in LEAVES.iter().chain(&LEAVES[1..]).enumerate() {
            let level = random.pick(&[Level::Param, Level::Context, Level::Time]);
            let id = read(&mut graph, of, *rows, *columns, level);
            let matrix = random.matrix(size(&SIZES, *rows), size(&SIZES, *columns), 0.2, 1.4);
            values.push((id, matrix.clone()));
            leaves.push(matrix);
        }
        for number in [0.0, 1.0, -1.0, 2.0, 0.5] {
            values.push((graph.constant(number), Matrix::scalar(number)));
        }
        values.push((graph.size(Dim::sum([N])), Matrix::scalar(3.0)));
        Growing { graph, values, leaves, random }
    }

    fn pick(&mut self, fits: impl Fn(&Graph, Id) -> bool) -> Option<Value> {
        let graph = &self.graph;
        let fitting: Vec<&Value> = self.values.iter().filter(|(id, _)| fits(graph, *id)).collect();
        if fitting.is_empty() { None } else { Some(fitting[self.random.below(fitting.len())].clone()) }
    }

    /// Returns a value that broadcasts against `shape`.
    fn pick_for(&mut self, shape: BlockShape) -> Option<Value> {
        self.pick(|graph, id| {
            let other = graph[id].shape;
            let fits = |a, b| a == b || a == ONE || b == ONE;
            fits(other.rows, shape.rows) && fits(other.columns, shape.columns)
        })
    }

    fn grow(&mut self) -> Option<()> {
        let (a, a_value) = self.pick(|_, _| true)?;
        let shape = self.graph[a].shape;
        let new = match self.random.below(16) {
            0 => (self.graph.neg(a), a_value.map(|x| -x)),
            1 => {
                let (op, f) = self.random.pick::<(Unary, fn(f64) -> f64)>(&[
                    (Unary::Tanh, f64::tanh),
                    (Unary::Sin, f64::sin),
                    (Unary::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
                ]);
                (self.graph.unary(op, a), a_value.map(f))
            }
            2..=6 => {
                let (b, b_value) = self.pick_for(shape)?;
                let (op, f) = self.random.pick::<(Binary, fn(f64, f64) -> f64)>(&[
                    (Binary::Add, |x, y| x + y),
                    (Binary::Sub, |x, y| x - y),
                    (Binary::Mul, |x, y| x * y),
                    (Binary::Mul, |x, y| x * y),
                    (Binary::Max, f64::max),
                ]);
                (
                    self.graph.binary(op, a, b),
                    Matrix::elementwise(&[a_value, b_value], |args| f(args[0], args[1])),
                )
            }
            7 => {
                let exponent = self.random.pick(&[1.0, 2.0, 3.0]);
                let number = self.graph.constant(exponent);
                (self.graph.binary(Binary::Pow, a, number), a_value.map(|x| x.powf(exponent)))
            }
            8 => {
                let (b, b_value) = self.pick_for(shape)?;
                let (shape, value) = {
                    let both = self.graph.broadcast(&[a, b]);
                    (both, Matrix::elementwise(&[a_value.clone(), b_value.clone()], |args| args[0] - args[1]))
                };
                let (c, c_value) = self.pick_for(shape)?;
                let chosen = self.graph.select(Comparison::Greater, &[a, b, c, a]);
                let all = [value, c_value, a_value];
                (chosen, Matrix::elementwise(&all, |args| if args[0] > 0.0 { args[1] } else { args[2] }))
            }
            9 => (self.graph.transpose(a), a_value.transposed()),
            10..=12 => {
                let turn = |shape: BlockShape, flag| if flag { shape.transposed() } else { shape };
                let oriented = |matrix: Matrix, flag| if flag { matrix.transposed() } else { matrix };
                let (ta, tb) = (self.random.below(2) == 0, self.random.below(2) == 0);
                let inner = turn(shape, ta).columns;
                let (b, b_value) = self.pick(|graph, id| turn(graph[id].shape, tb).rows == inner)?;
                (self.graph.matmul(ta, tb, a, b), oriented(a_value, ta).product(&oriented(b_value, tb)))
            }
            13 => {
                let total = Matrix::scalar(a_value.entries.iter().sum());
                (self.graph.sum(a), total)
            }
            14 => match self.random.below(2) {
                0 => (
                    self.graph.row_sum(a),
                    Matrix::from_fn(a_value.rows, 1, |r, _| a_value.row(r).iter().sum()),
                ),
                _ => {
                    let transposed = a_value.transposed();
                    (
                        self.graph.column_sum(a),
                        Matrix::from_fn(1, a_value.columns, |_, c| transposed.row(c).iter().sum()),
                    )
                }
            },
            _ => {
                let (a, a_value) = self.pick(|graph, id| graph[id].shape.rows == Atom::Literal(2))?;
                let start = self.random.below(2);
                let slice = self.graph.slice(a, start as u64, 1);
                let part = Matrix::from_fn(1, a_value.columns, |_, c| a_value.at(start, c));
                // Stacks a row with the two rows that it was taken from.
                let stacked = self.graph.concat(vec![slice, a]);
                let whole = Matrix::from_fn(3, a_value.columns, |r, c| {
                    if r == 0 { part.at(0, c) } else { a_value.at(r - 1, c) }
                });
                self.values.push((stacked, whole));
                (slice, part)
            }
        };
        // Values that grow without bound would hide errors in small ones.
        if new.1.greatest() < 1e3 {
            self.values.push(new);
        }
        Some(())
    }

    fn read(&self, op: &Op, (rows, columns): (usize, usize)) -> Matrix {
        match op {
            Op::Read(piece) => Matrix::new(rows, columns, self.leaves[piece.of].entries.clone()),
            _ => panic!("unexpected read of {op:?}"),
        }
    }
}

fn is_close(found: &Matrix, expected: &Matrix) -> bool {
    found.is_close(expected, 1e-11)
}

#[test]
fn simplification_keeps_values() {
    for seed in 0..400 {
        let mut growing = Growing::new(seed);
        for _ in 0..60 {
            growing.grow();
        }
        verify::graph(&growing.graph).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        let values = run(&growing.graph, &SIZES, |op, extent| growing.read(op, extent));
        for (id, expected) in &growing.values {
            let found = &values[id.index()];
            assert!(
                is_close(found, expected),
                "seed {seed}, node {}: {found:?} instead of {expected:?}",
                id.index()
            );
        }

        let mut roots: Vec<Id> = growing.values.iter().map(|(id, _)| *id).collect();
        let rebuilt = rebuild(&growing.graph, &mut roots.iter_mut().collect::<Vec<_>>());
        verify::graph(&rebuilt).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        let needed = rebuilt.reachable(roots.iter().copied());
        assert!(needed.iter().all(|is_needed| *is_needed), "seed {seed}");
        let values = run(&rebuilt, &SIZES, |op, extent| growing.read(op, extent));
        for (id, (_, expected)) in roots.iter().zip(&growing.values) {
            let found = &values[id.index()];
            assert!(is_close(found, expected), "seed {seed}, rebuilt: {found:?} instead of {expected:?}");
        }
    }
}

#[test]
fn derivatives_match_finite_differences() {
    let mut checked = 0;
    for seed in 1000..1300 {
        let mut growing = Growing::new(seed);
        for _ in 0..25 {
            growing.grow();
        }
        // The loss is the weighted last value.
        let (root, value) = growing.values.last().expect("there are leaves").clone();
        let weight = growing.random.matrix(value.rows, value.columns, -1.0, 1.0);
        let shape = growing.graph[root].shape;
        let bar = growing.graph.leaf(Op::OutputBar(Piece { of: 0, row: 0, column: 0 }), shape, Level::Time);
        let leaves = pull_back(&mut growing.graph, &[(root, bar)], |op| matches!(op, Op::Read(_)));
        verify::graph(&growing.graph).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));

        let read = |growing: &Growing, op: &Op, extent: (usize, usize)| match op {
            Op::OutputBar(_) => Matrix::new(extent.0, extent.1, weight.entries.clone()),
            _ => growing.read(op, extent),
        };
        let bars = run(&growing.graph, &SIZES, |op, extent| read(&growing, op, extent));
        for (leaf, bar) in leaves {
            let Op::Read(Piece { of, .. }) = growing.graph[leaf].op else { panic!("the leaves are reads") };
            let bar = bars[bar.index()].clone();
            let at = |growing: &mut Growing, entry: usize, step: f64| {
                growing.leaves[of].entries[entry] += step;
                let values = run(&growing.graph, &SIZES, |op, extent| read(growing, op, extent));
                growing.leaves[of].entries[entry] -= step;
                values[root.index()].dot(&weight)
            };
            let entry = growing.random.below(bar.entries.len());
            let mut slope = |h: f64| (at(&mut growing, entry, h) - at(&mut growing, entry, -h)) / (2.0 * h);
            let (fine, coarse) = (slope(1e-5), slope(2e-5));
            let scale = fine.abs().max(1.0);
            // A comparison between two equal values has no derivative.
            if (fine - coarse).abs() > 1e-3 * scale {
                continue;
            }
            checked += 1;
            let error = (bar.entries[entry] - (4.0 * fine - coarse) / 3.0).abs();
            let found = bar.entries[entry];
            assert!(
                error < 1e-6 * scale,
                "seed {seed}, leaf {of}: {found}, but finite differences give {fine}"
            );
        }
    }
    assert!(checked > 400, "{checked}");
}
