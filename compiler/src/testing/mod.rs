//! A reference interpreter of the graph, for unit tests. It evaluates every node in `f64` on
//! matrices of concrete sizes, directly by its definition. The passes and the emitted code must
//! agree with it.

mod guide;
mod heads;
mod language;
pub mod machine;
pub mod matrix;
mod pages;
mod passes;
pub mod random;
pub mod samples;
pub mod source;

use crate::dim::{Atom, Dim};
use crate::graph::grid::Grid;
use crate::graph::ir::{BlockShape, Comparison, Condition, Graph, Id, Logic, Op, Reach};
use matrix::Matrix;

/// Returns the value of a dimension, given the `sizes` of the named dimensions.
pub fn size(sizes: &[usize], atom: Atom) -> usize {
    match atom {
        Atom::Name(index) => sizes[index],
        Atom::Literal(value) => value as usize,
        Atom::Product(heads, rows) => size(sizes, heads.into()) * size(sizes, rows.into()),
    }
}

pub fn dim_size(sizes: &[usize], dim: &Dim) -> usize {
    dim.atoms().iter().map(|atom| size(sizes, *atom)).sum()
}

/// Returns the numbers of rows and columns of a node's value. The matrices of heads are side by
/// side.
pub fn extent(graph: &Graph, id: Id, sizes: &[usize]) -> (usize, usize) {
    shape_extent(graph[id].shape, sizes)
}

pub fn shape_extent(shape: BlockShape, sizes: &[usize]) -> (usize, usize) {
    (size(sizes, shape.rows), size(sizes, shape.heads) * size(sizes, shape.columns))
}

/// Assembles a value from its blocks.
pub fn assemble(grid: &Grid, sizes: &[usize], block: impl Fn(usize, usize) -> Matrix) -> Matrix {
    let places = |atoms: &[Atom]| -> Vec<(usize, usize)> {
        let of = |(index, atom): (usize, &Atom)| {
            (0..size(sizes, *atom)).map(move |at| (index, at)).collect::<Vec<_>>()
        };
        atoms.iter().enumerate().flat_map(of).collect()
    };
    let (rows, columns) = (places(&grid.rows), places(&grid.columns));
    Matrix::from_fn(rows.len(), columns.len(), |r, c| {
        let ((row, r), (column, c)) = (rows[r], columns[c]);
        let block = heads::stack(block(row, column), grid.rows[row], sizes);
        assert_eq!(
            (block.rows, block.columns),
            (size(sizes, grid.rows[row]), size(sizes, grid.columns[column]))
        );
        block.at(r, c)
    })
}

/// Returns a block of a whole value.
pub fn block_of(
    whole: &Matrix,
    rows: &[Atom],
    columns: &[Atom],
    sizes: &[usize],
    (row, column): (usize, usize),
) -> Matrix {
    let start = |atoms: &[Atom]| atoms.iter().map(|atom| size(sizes, *atom)).sum::<usize>();
    let (r0, c0) = (start(&rows[..row]), start(&columns[..column]));
    let (r, c) = (size(sizes, rows[row]), size(sizes, columns[column]));
    heads::unstack(Matrix::from_fn(r, c, |r, c| whole.at(r0 + r, c0 + c)), rows[row], sizes)
}

/// Returns the delay of a read of earlier values, in steps: one for a delayed value, one for each
/// column of a window but the last.
pub fn delays(sizes: &[usize], reach: Reach) -> Vec<usize> {
    match reach {
        Reach::Delay { count, dimension } => {
            vec![count as usize * dimension.map_or(1, |dimension| sizes[dimension])]
        }
        Reach::Window { entries, spacing } => {
            let (entries, spacing) = (size(sizes, entries), size(sizes, spacing));
            (1..entries).rev().map(|back| back * spacing).collect()
        }
    }
}

/// Assembles the result of a read of earlier values: a delayed value, or a window without its last
/// column.
pub fn earlier(delays: &[usize], reach: Reach, value: impl Fn(usize) -> Matrix) -> Matrix {
    let values: Vec<Matrix> = delays.iter().map(|delay| value(*delay)).collect();
    match reach {
        Reach::Delay { .. } => values[0].clone(),
        Reach::Window { .. } => {
            let size = value(0).entries.len();
            let mut entries: Vec<f64> = values.into_iter().flat_map(|value| value.entries).collect();
            entries.extend(vec![0.0; size]);
            Matrix::new(size, entries.len() / size.max(1), entries)
        }
    }
}

/// Returns the mask of a window at a step.
pub fn present(sizes: &[usize], op: &Op, t: usize) -> Matrix {
    let Op::Present { entries, spacing } = op else { panic!("no mask: {op:?}") };
    let (entries, spacing) = (size(sizes, *entries), size(sizes, *spacing));
    let exists = |index: usize| f64::from(u8::from((entries - 1 - index) * spacing <= t));
    Matrix::new(entries, 1, (0..entries).map(exists).collect())
}

/// Evaluates every node for one step of one sample; `leaf` returns the values that are read.
pub fn run(graph: &Graph, sizes: &[usize], leaf: impl Fn(&Op, (usize, usize)) -> Matrix) -> Vec<Matrix> {
    let mut values: Vec<Matrix> = vec![];
    for id in graph.ids() {
        let node = &graph[id];
        let value = match node.op {
            Op::Read(_)
            | Op::Previous(_)
            | Op::Past(_)
            | Op::PastBar { .. }
            | Op::Present { .. }
            | Op::OutputBar(_)
            | Op::CarryBar(_) => {
                let (rows, columns) = extent(graph, id, sizes);
                let value = heads::earlier(leaf(&node.op, (rows, columns)), node, sizes);
                Matrix::new(rows, columns, value.entries)
            }
            _ => {
                let args: Vec<&Matrix> = node.args.iter().map(|arg| &values[arg.index()]).collect();
                evaluate(graph, id, sizes, &args)
            }
        };
        assert_eq!(
            (value.rows, value.columns),
            extent(graph, id, sizes),
            "node {} {:?}",
            id.index(),
            node.op
        );
        values.push(value);
    }
    values
}

/// Evaluates one node, given the values of its arguments: once for each head, if any of them has
/// heads. A sum over time has one step and sample here.
pub fn evaluate(graph: &Graph, id: Id, sizes: &[usize], args: &[&Matrix]) -> Matrix {
    let node = &graph[id];
    let shapes: Vec<BlockShape> = node.args.iter().map(|arg| graph[*arg].shape).collect();
    let all = [node.shape].into_iter().chain(shapes.iter().copied()).map(|shape| shape.heads);
    let Some(heads) = all.clone().find(|heads| *heads != Atom::ONE) else {
        return evaluate_head(graph, id, sizes, args);
    };
    if node.op == Op::Reshape {
        let (rows, columns) = extent(graph, id, sizes);
        return Matrix::new(rows, columns, args[0].entries.clone());
    }
    if let Op::RepeatHeads | Op::GroupSum = node.op {
        return heads::regroup(args[0], size(sizes, shapes[0].heads), size(sizes, node.shape.heads));
    }
    let heads = size(sizes, heads);
    let of_heads = (0..heads).map(|head| {
        let parts: Vec<Matrix> = args
            .iter()
            .zip(&shapes)
            .map(
                |(arg, shape)| if shape.has_heads() { heads::part(arg, heads, head) } else { (*arg).clone() },
            )
            .collect();
        evaluate_head(graph, id, sizes, &parts.iter().collect::<Vec<_>>())
    });
    if node.shape.has_heads() {
        return heads::join(of_heads.collect());
    }
    of_heads
        .reduce(|mut sum, term| {
            sum.add(&term);
            sum
        })
        .expect("there is a head")
}

/// Evaluates one node for one head.
fn evaluate_head(graph: &Graph, id: Id, sizes: &[usize], args: &[&Matrix]) -> Matrix {
    let (rows, columns) = shape_extent(graph[id].shape.of_one_head(), sizes);
    let entries = |f: &dyn Fn(usize, usize) -> f64| Matrix::from_fn(rows, columns, f);
    match &graph[id].op {
        Op::Number(bits) => Matrix::scalar(f64::from_bits(*bits)),
        Op::Size(dim) => Matrix::scalar(dim_size(sizes, dim) as f64),
        Op::Read(_)
        | Op::Previous(_)
        | Op::Past(_)
        | Op::PastBar { .. }
        | Op::Present { .. }
        | Op::OutputBar(_)
        | Op::CarryBar(_) => {
            panic!("a leaf has no definition")
        }
        Op::Unary(op) => entries(&|r, c| (op.row().value)(args[0].at(r, c))),
        Op::Binary(op) => entries(&|r, c| (op.row().value)(args[0].at(r, c), args[1].at(r, c))),
        Op::Select(condition) => entries(&|r, c| {
            let mut values = args.iter().map(|matrix| matrix.at(r, c));
            let chosen = if holds(condition, &mut values) { values.next() } else { values.nth(1) };
            chosen.expect("two values follow the compared ones")
        }),
        Op::Expand | Op::Copy(_) => entries(&|r, c| args[0].at(r, c)),
        Op::StopGradient | Op::Accumulate | Op::HeadSum => args[0].clone(),
        Op::MatMul { ta, tb } => {
            let oriented =
                |matrix: &Matrix, flag: bool| if flag { matrix.transposed() } else { matrix.clone() };
            oriented(args[0], *ta).product(&oriented(args[1], *tb))
        }
        Op::RepeatHeads | Op::GroupSum => panic!("a function of all heads"),
        Op::Blocks => entries(&|r, c| args[0].at(r / columns * columns + c, 0)),
        Op::BlockSum => {
            let size = args[0].columns;
            entries(&|r, _| (0..size).map(|i| args[0].at(r / size * size + i, r % size)).sum())
        }
        Op::Transpose => args[0].transposed(),
        Op::Reshape => Matrix::new(rows, columns, args[0].entries.clone()),
        Op::Gather { offset } => {
            let column = (args[1].entries[0] as usize).checked_sub(dim_size(sizes, offset));
            let column = column.filter(|column| *column < args[0].columns);
            entries(&|r, _| column.map_or(0.0, |column| args[0].at(r, column)))
        }
        Op::Scatter { offset } => {
            let column = (args[1].entries[0] as usize).checked_sub(dim_size(sizes, offset));
            entries(&|r, c| if Some(c) == column { args[0].at(r, 0) } else { 0.0 })
        }
        Op::Sum => Matrix::scalar(args[0].entries.iter().sum()),
        Op::RowSum => entries(&|r, _| (0..args[0].columns).map(|c| args[0].at(r, c)).sum()),
        // The result is computed as a vector.
        Op::ColumnSum => entries(&|c, _| (0..args[0].rows).map(|r| args[0].at(r, c)).sum()),
        Op::Maximum => Matrix::scalar(args[0].entries.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        Op::Concat => {
            let mut rows = vec![];
            for part in args {
                rows.extend((0..part.rows).map(|r| part.row(r)));
            }
            entries(&|r, c| rows[r][c])
        }
        // The window of a scalar is a row, which is computed as a vector.
        Op::Window { .. } => {
            let (mut window, now) = (args[0].entries.clone(), &args[1].entries);
            let last = window.len() - now.len();
            window[last..].copy_from_slice(now);
            Matrix::new(rows, columns, window)
        }
        Op::LastColumn => {
            let entries = &args[0].entries;
            Matrix::new(rows, columns, entries[entries.len() - rows * columns..].to_vec())
        }
        Op::Slice { start, count } => {
            let first = *start as usize;
            let piece = Matrix::from_fn(*count as usize, args[0].columns, |r, c| args[0].at(first + r, c));
            // A row is computed as a vector.
            if (piece.rows, piece.columns) == (rows, columns) { piece } else { piece.transposed() }
        }
    }
}

/// Returns whether a condition holds for the next of the values. It takes all that it compares.
fn holds(condition: &Condition, values: &mut impl Iterator<Item = f64>) -> bool {
    match condition {
        Condition::Compare(op) => {
            let mut value = || values.next().expect("each comparison has two values");
            compare(*op, value(), value())
        }
        Condition::Not(inner) => !holds(inner, values),
        Condition::Both(op, operands) => {
            let [left, right] = operands.each_ref().map(|operand| holds(operand, values));
            match op {
                Logic::And => left && right,
                Logic::Or => left || right,
            }
        }
    }
}

fn compare(op: Comparison, a: f64, b: f64) -> bool {
    match op {
        Comparison::Less => a < b,
        Comparison::LessEqual => a <= b,
        Comparison::Greater => a > b,
        Comparison::GreaterEqual => a >= b,
        Comparison::Equal => a == b,
        Comparison::NotEqual => a != b,
    }
}

/// Computes Φ(x) by the series x - x³/(2·3) + x⁵/(2²·2!·5) - .., which is accurate enough
/// below |x| = 5.
pub fn normal_cdf(x: f64) -> f64 {
    let (mut power, mut sum) = (x, x);
    for n in 1..200 {
        let n = f64::from(n);
        power *= -x * x / (2.0 * n);
        sum += power / (2.0 * n + 1.0);
    }
    0.5 + sum / (2.0 * std::f64::consts::PI).sqrt()
}

#[test]
fn normal_distribution() {
    // Abramowitz & Stegun, table 26.1
    for (x, expected) in
        [(0.0, 0.5), (1.0, 0.841_344_746_068_543), (-2.0, 0.022_750_131_948_179), (3.0, 0.998_650_101_968_37)]
    {
        assert!((normal_cdf(x) - expected).abs() < 1e-13, "{x}: {}", normal_cdf(x));
    }
}
