//! Tests of every function and operator against a direct formula: values, and derivatives against
//! finite differences.
//!
//! Each family lists its own cases. Each case runs through the whole front end, with arguments that
//! vary over time, belong to a sample, or are shared by all samples. It then runs again with its
//! value and its arguments used more than once.

use super::operation::Translation;
use super::{
    activation, binary, choice, normalise, one_hot, parts, product, rearrange, reduce, softmax, unary,
};
use crate::dim::Atom;
use crate::graph::autodiff::pull_back;
use crate::graph::grid::Grid;
use crate::graph::ir::{BlockShape, Graph, Id, Level, Op, Piece};
use crate::graph::simplify::rebuild;
use crate::testing::matrix::Matrix;
use crate::testing::random::Random;
use crate::testing::source::{Definition, read};
use crate::testing::{assemble, block_of, run, shape_extent, size};
use std::rc::Rc;

/// Scalars, vectors, rows, matrices, and sums of terms.
pub const SHAPES: [&str; 9] =
    ["[]", "[N]", "[1, S]", "[N, S]", "[4]", "[N + M]", "[1, S + M]", "[N + 2, S]", "[2*N, S + M + 1]"];

/// Shapes of several arguments that broadcast against each other.
const BROADCAST: [[&str; 4]; 9] = [
    ["[N]", "[N]", "[N]", "[N]"],
    ["[N]", "[]", "[N]", "[]"],
    ["[]", "[1, S]", "[]", "[1, S]"],
    ["[N, S]", "[N]", "[1, S]", "[]"],
    ["[N]", "[N, S]", "[]", "[1, S]"],
    ["[1, S]", "[N]", "[N, S]", "[N, S]"],
    ["[N, S]", "[N, S]", "[N]", "[N, S]"],
    ["[N + M + 1]", "[N + M + 1]", "[]", "[N + M + 1]"],
    ["[N + M, S + 2]", "[N + M]", "[1, S + 2]", "[N + M, S + 2]"],
];

/// The sizes of `N`, `M`, `S` in the tests.
const DIMENSIONS: [(&str, usize); 3] = [("N", 3), ("M", 2), ("S", 4)];

/// The names of the language's operators in the cases.
const OPERATORS: [&str; 10] = ["+", "-", "*", "/", "@", "neg", "T", "stack", "split", "one_hot"];
/// The formula of an operation, written out.
type Direct = dyn Fn(&[Matrix]) -> Matrix;

#[derive(Clone)]
pub struct Case {
    /// The name of the function in the table, or of the operator.
    name: &'static str,
    /// Equations that compute `y` from `u`, `v`, `w`, `z`.
    body: String,
    /// The shapes of the arguments.
    shapes: Vec<&'static str>,
    /// The range of the arguments' entries.
    range: (f64, f64),
    direct: Rc<Direct>,
}

/// Returns the FNV-1a hash of the bits of some numbers.
pub fn digest(numbers: impl Iterator<Item = f64>) -> u64 {
    numbers.flat_map(|number| number.to_bits().to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

pub fn case(
    name: &'static str,
    body: &str,
    shapes: &[&'static str],
    range: (f64, f64),
    direct: impl Fn(&[Matrix]) -> Matrix + 'static,
) -> Case {
    Case { name, body: body.to_owned(), shapes: shapes.to_vec(), range, direct: Rc::new(direct) }
}

/// Returns a case for each shape of the arguments of an element-wise function.
pub fn elementwise(
    name: &'static str,
    body: &str,
    count: usize,
    range: (f64, f64),
    f: impl Fn(&[f64]) -> f64 + Clone + 'static,
) -> Vec<Case> {
    let one: Vec<Vec<&str>> = SHAPES.iter().map(|shape| vec![*shape]).collect();
    let more: Vec<Vec<&str>> = BROADCAST.iter().map(|shapes| shapes[..count].to_vec()).collect();
    let shapes = if count == 1 { one } else { more };
    let of = |shapes: &Vec<&'static str>| {
        let f = f.clone();
        case(name, body, shapes, range, move |args| Matrix::elementwise(args, &f))
    };
    shapes.iter().map(of).collect()
}

/// The value and the cotangents that a body gives for some arguments.
pub struct Found {
    pub value: Matrix,
    /// The cotangents of the arguments, for a given cotangent of the value.
    pub bars: Vec<Matrix>,
    value_bar: Matrix,
}

const NAMES: [&str; 4] = ["u", "v", "w", "z"];

/// Defines a cell whose output `y` is computed by the body.
fn define(body: &str, shapes: &[&str]) -> (Definition, Vec<usize>) {
    let used = |name: &str| {
        let is_word = |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
        shapes.iter().any(|shape| is_word(shape))
    };
    let dimensions: Vec<(&str, usize)> = DIMENSIONS.iter().copied().filter(|(name, _)| used(name)).collect();
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let declarations: Vec<String> = shapes
        .iter()
        .enumerate()
        .map(|(index, shape)| {
            format!("{} {}: {shape};", ["input", "param", "context"][index % 3], NAMES[index])
        })
        .collect();
    let source =
        format!("cell Test<{}> {{ {} {body}; output y; }}", names.join(", "), declarations.join(" "));
    (read(&source), dimensions.into_iter().map(|(_, size)| size).collect())
}

/// Evaluates a body, and the cotangents of its arguments for a random cotangent of its value.
pub fn evaluate(body: &str, shapes: &[&str], args: &[Matrix]) -> Found {
    let (definition, sizes) = define(body, shapes);
    let lowered = definition.lower();
    let equation = definition.cell.equations.iter().position(|equation| equation.targets[0] == "y");
    let grid = lowered.targets[equation.expect("the body defines `y`")][0].clone();
    let mut graph = lowered.graph;

    let mut seeds = vec![];
    for (row, column, id) in grid.pieces() {
        // A block that is a row is read as the vector that shares its memory.
        let shape = graph[id].shape;
        seeds.push((id, graph.leaf(Op::OutputBar(Piece { of: 0, row, column }), shape, Level::Time)));
    }
    let wanted = |op: &Op| matches!(op, Op::Read(piece) if definition.shapes.one_hot[piece.of].is_none());
    let mut leaves: Vec<(Id, Id)> = pull_back(&mut graph, &seeds, wanted).into_iter().collect();
    crate::plan::verify::graph(&graph).unwrap_or_else(|broken| panic!("{body} of {shapes:?}: {broken}"));

    let extent = |atoms: &[Atom]| atoms.iter().map(|atom| size(&sizes, *atom)).sum();
    let value_bar = Random::new(7).matrix(extent(&grid.rows), extent(&grid.columns), -1.0, 1.0);
    let declared = |index: usize| definition.shapes.declarations[index].clone().expect("the shape is known");
    let read = |op: &Op, (rows, columns): (usize, usize)| {
        let part = match op {
            Op::OutputBar(piece) => {
                block_of(&value_bar, &grid.rows, &grid.columns, &sizes, (piece.row, piece.column))
            }
            Op::Read(piece) if definition.shapes.one_hot[piece.of].is_some() => args[piece.of].clone(),
            Op::Read(piece) => {
                let shape = declared(piece.of);
                let (rows, columns) = (shape.rows.atoms(), shape.columns.atoms());
                block_of(&args[piece.of], rows, columns, &sizes, (piece.row, piece.column))
            }
            _ => panic!("only a step reads {op:?}"),
        };
        Matrix::new(rows, columns, part.entries)
    };
    let values = run(&graph, &sizes, read);

    // The rebuilt graph has the same values.
    let mut outputs = grid.clone();
    let (mut rebuilt_leaves, keys): (Vec<Id>, Vec<Op>) =
        leaves.iter().map(|(leaf, bar)| (*bar, graph[*leaf].op.clone())).unzip();
    let mut roots: Vec<&mut Id> = outputs.blocks.iter_mut().chain(&mut rebuilt_leaves).collect();
    let rebuilt = rebuild(&graph, &mut roots);
    crate::plan::verify::graph(&rebuilt)
        .unwrap_or_else(|broken| panic!("{body} of {shapes:?}, rebuilt: {broken}"));
    let again = run(&rebuilt, &sizes, read);
    let pairs = leaves
        .iter()
        .map(|(_, bar)| *bar)
        .zip(rebuilt_leaves)
        .chain(grid.blocks.iter().copied().zip(outputs.blocks));
    for (old, new) in pairs {
        let (old, new) = (&values[old.index()], &again[new.index()]);
        assert!(new.is_close(old, 1e-13), "{body} of {shapes:?}: {old:?} rebuilt as {new:?}, {keys:?}");
    }

    let value = assemble(&grid, &sizes, |row, column| values[grid.at(row, column).index()].clone());
    leaves.sort();
    let bars = (0..shapes.len())
        .map(|of| {
            if definition.shapes.one_hot[of].is_some() {
                return Matrix::zero(args[of].rows, args[of].columns);
            }
            let shape = declared(of);
            let (rows, columns) = (shape.rows.atoms().to_vec(), shape.columns.atoms().to_vec());
            assemble(
                &Grid { rows: rows.clone(), columns: columns.clone(), blocks: vec![] },
                &sizes,
                |row, column| {
                    let (r, c) = shape_extent(BlockShape::new(rows[row], columns[column]), &sizes);
                    let is_bar =
                        |(leaf, _): &&(Id, Id)| graph[*leaf].op == Op::Read(Piece { of, row, column });
                    let bar = leaves.iter().find(is_bar).map(|(_, bar)| values[bar.index()].entries.clone());
                    bar.map_or(Matrix::zero(r, c), |entries| Matrix::new(r, c, entries))
                },
            )
        })
        .collect();
    Found { value, bars, value_bar }
}

/// Returns the derivatives of an expression of scalars.
pub fn slopes(expression: &str, at: &[f64]) -> Vec<f64> {
    let args: Vec<Matrix> = at.iter().map(|x| Matrix::scalar(*x)).collect();
    let found = evaluate(&format!("y = {expression}"), &vec!["[]"; at.len()], &args);
    found.bars.iter().map(|bar| bar.entries[0] / found.value_bar.entries[0]).collect()
}

pub fn check_all(cases: &[Case]) {
    for (number, case) in cases.iter().enumerate() {
        let mut random = Random::new(number as u64);
        let args: Vec<Matrix> =
            case.shapes.iter().map(|shape| argument(&mut random, shape, case.range)).collect();
        check(case, &args);
        // Uses each value more than once: the result in three places, and the arguments besides.
        let (direct, shapes) = (case.direct.clone(), case.shapes.clone());
        let varying: Vec<usize> =
            (0..shapes.len()).filter(|index| !shapes[*index].starts_with("one_hot")).collect();
        let terms: Vec<String> =
            varying.iter().map(|index| format!("sum({0} * {0}) * mean({0})", NAMES[*index])).collect();
        let body = case.body.replace("y = ", "q = ");
        let again = Case {
            body: format!("{body}; y = sum(q * q) * mean(q) + sum(q) + {}", terms.join(" + ")),
            direct: Rc::new(move |args| {
                let mean = |matrix: &Matrix| matrix.entries.iter().sum::<f64>() / matrix.entries.len() as f64;
                let term = |matrix: &Matrix| matrix.dot(matrix) * mean(matrix);
                let value = direct(args);
                let arguments: f64 = varying.iter().map(|index| term(&args[*index])).sum();
                Matrix::scalar(term(&value) + mean(&value) * value.entries.len() as f64 + arguments)
            }),
            ..case.clone()
        };
        check(&again, &args);
    }
}

fn argument(random: &mut Random, shape: &str, (low, high): (f64, f64)) -> Matrix {
    let extent = |dim: &str| -> usize {
        let term = |term: &str| -> usize {
            let factor = |word: &str| match DIMENSIONS.iter().find(|(name, _)| *name == word) {
                Some((_, size)) => *size,
                None => word.parse().expect("shapes in the tests consist of N, M, S and numbers"),
            };
            term.split('*').map(factor).product()
        };
        dim.split(" + ").map(term).sum()
    };
    if let Some(range) = shape.strip_prefix("one_hot[") {
        return Matrix::scalar(random.below(extent(range.trim_end_matches(']'))) as f64);
    }
    let inner = shape.trim_matches(['[', ']']);
    let sizes: Vec<usize> = inner.split(", ").filter(|dim| !dim.is_empty()).map(extent).collect();
    random.matrix(sizes.first().copied().unwrap_or(1), sizes.get(1).copied().unwrap_or(1), low, high)
}

fn check(case: &Case, args: &[Matrix]) {
    let what = format!("`{}` of {:?}", case.body, case.shapes);
    let found = evaluate(&case.body, &case.shapes, args);
    let direct = (case.direct)(args);
    assert!(found.value.is_close(&direct, 1e-12), "{what}: {:?} instead of {direct:?}", found.value);
    for (index, bar) in found.bars.iter().enumerate() {
        if case.shapes[index].starts_with("one_hot") {
            continue;
        }
        // Differences at two step sizes, combined to an error of the fourth order.
        let at = |entry: usize, step: f64| {
            let mut moved = args.to_vec();
            moved[index].entries[entry] += step;
            (case.direct)(&moved).dot(&found.value_bar)
        };
        let slope = |entry: usize, h: f64| (at(entry, h) - at(entry, -h)) / (2.0 * h);
        let differences =
            (0..bar.entries.len()).map(|entry| (4.0 * slope(entry, 1e-5) - slope(entry, 2e-5)) / 3.0);
        let differences = Matrix::new(bar.rows, bar.columns, differences.collect());
        assert!(
            bar.is_close(&differences, 1e-7),
            "{what}, derivative with respect to {}: {bar:?}, but finite differences give {differences:?}",
            NAMES[index]
        );
    }
}

#[test]
fn every_function_and_operator_has_a_case() {
    let cases = [
        activation::tests::cases(),
        binary::tests::cases(),
        choice::tests::cases(),
        normalise::tests::cases(),
        one_hot::tests::cases(),
        parts::tests::cases(),
        product::tests::cases(),
        rearrange::tests::cases(),
        reduce::tests::cases(),
        softmax::tests::cases(),
        unary::tests::cases(),
    ]
    .concat();
    let known = super::all()
        .map(|operation| operation.name)
        .filter(|name| !["stop_gradient", "window", "present"].contains(name))
        .chain(OPERATORS);
    for name in known {
        let own = cases.iter().filter(|case| case.name == name);
        let is_called = |case: &Case| case.body.contains(&format!("{name}(")) || OPERATORS.contains(&name);
        assert!(own.clone().count() > 0 && own.clone().all(is_called), "`{name}` has no case");
    }
    for case in &cases {
        let is_known = OPERATORS.contains(&case.name) || super::find(case.name).is_some();
        assert!(is_known, "`{}` is not a function", case.name);
    }
}

/// `stop_gradient` has no formula whose finite differences would match.
#[test]
fn stop_gradient() {
    assert_eq!(slopes("stop_gradient(u) * u", &[3.0]), [3.0]);
    assert_eq!(slopes("stop_gradient(u * v) + v", &[3.0, 2.0]), [0.0, 1.0]);
    let found = evaluate(
        "y = stop_gradient(tanh(u)) + v",
        &["[N]", "[N]"],
        &[0.5, 0.1].map(|x| Matrix::new(3, 1, vec![x; 3])),
    );
    assert!(found.value.is_close(&Matrix::new(3, 1, vec![0.5f64.tanh() + 0.1; 3]), 1e-15));
    assert_eq!(found.bars[0], Matrix::zero(3, 1));
    assert_eq!(found.bars[1], found.value_bar);
}

#[test]
fn wrong_numbers_of_arguments_have_no_value() {
    let mut graph = Graph::default();
    let id = graph.constant(1.5);
    let argument = Grid::single(&graph, id);
    for operation in super::all().filter(|operation| {
        !matches!(operation.translation, Translation::Where | Translation::Past | Translation::OfParts(_))
    }) {
        for count in 0..5 {
            let is_right = (operation.arity.0..=operation.arity.1).contains(&count);
            let value = operation.lower(&mut graph, &vec![argument.clone(); count]);
            assert_eq!(value.is_some(), is_right, "{} of {count}", operation.name);
        }
    }
}
