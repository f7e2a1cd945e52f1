//! Golden cases: the parameters, inputs and initial state of a cell, and the outputs, states, loss
//! and gradients that PyTorch's autograd computed for them in float64 (`golden/cases/*.json`).
//!
//! The loss of a case is the sum of the inner products of fixed cotangents with the outputs and the
//! final states. The backward pass therefore starts from exactly these cotangents.

use nalgebra::SMatrix;
use rnn_cell::cell::{Bars, BlockShape, Cell, Layer, Model, ModelMut};
use rnn_cell::types::varying::Varying;
use serde_json::Value;
use std::path::Path;

/// The largest error allowed, relative to the largest entry of the array.
pub const TOLERANCE: f64 = 1e-12;

/// One array of a case, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The sizes, from the slowest index to the fastest.
    pub shape: Vec<usize>,
    /// The entries.
    pub data: Vec<f64>,
}

impl Array {
    /// Returns the entries of a part of a matrix in column-major order. `width` is the number of
    /// columns of the whole matrix.
    fn part(&self, width: usize, (rows, columns): (usize, usize), (row, column): (usize, usize)) -> Vec<f64> {
        let entry = |k: usize| self.data[(row + k % rows) * width + column + k / rows];
        (0..rows * columns).map(entry).collect()
    }

    /// Returns the entries whose first index is `t`.
    pub fn step(&self, t: usize) -> &[f64] {
        let size = self.data.len() / self.shape[0];
        &self.data[t * size..(t + 1) * size]
    }
}

/// A golden case, read from its file.
#[derive(Debug)]
pub struct Case {
    name: String,
    value: Value,
}

impl Case {
    /// Reads the case `name` at this batch size.
    ///
    /// # Panics
    /// Panics if there is no such case.
    pub fn load(name: &str, batch: usize) -> Self {
        Self::open(&format!("{name}_b{batch}"))
    }

    /// Reads the file `name` of a case that has only one batch size.
    ///
    /// # Panics
    /// Panics if there is no such file.
    pub fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/cases").join(format!("{name}.json"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { name: name.to_string(), value }
    }

    /// Returns the value at `path`, whose keys are separated by dots.
    pub fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.value, |value, key| {
            value.get(key).unwrap_or_else(|| panic!("{} has no {path}: {key} is missing", self.name))
        })
    }

    /// Returns the array at `path`, whose keys are separated by dots.
    pub fn array(&self, path: &str) -> Array {
        fn flatten(value: &Value, data: &mut Vec<f64>) {
            match value {
                Value::Array(values) => values.iter().for_each(|value| flatten(value, data)),
                number => data.push(number.as_f64().expect("arrays hold numbers")),
            }
        }
        let object = self.at(path);
        let sizes = object["shape"].as_array().expect("an array has a shape");
        let shape: Vec<usize> =
            sizes.iter().map(|size| size.as_u64().expect("sizes are whole") as usize).collect();
        let mut data = Vec::new();
        flatten(&object["data"], &mut data);
        assert_eq!(data.len(), shape.iter().product::<usize>(), "{}: {path}", self.name);
        Array { shape, data }
    }

    /// Returns the number at `path`.
    pub fn number(&self, path: &str) -> f64 {
        self.at(path).as_f64().unwrap_or_else(|| panic!("{}: {path} is not a number", self.name))
    }

    /// Returns whether there is a value at `path`.
    pub fn has(&self, path: &str) -> bool {
        let keys: Vec<&str> = path.split('.').collect();
        keys.iter().try_fold(&self.value, |value, key| value.get(key)).is_some()
    }
}

/// The result of the comparisons so far.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The number of arrays.
    pub arrays: usize,
    /// The largest error, relative to the largest entry of its array, and the name of that array.
    pub worst: (f64, String),
    /// A message for every array whose error is above [`TOLERANCE`].
    pub failures: Vec<String>,
}

impl Comparison {
    /// Compares one array.
    pub fn compare(&mut self, what: &str, got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len(), "{what}: the sizes differ");
        assert!(!want.is_empty(), "{what}: there is nothing to compare");
        let largest = want.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        // `f64::max` would drop a NaN.
        let error = got.iter().zip(want).map(|(got, want)| (got - want).abs());
        let error =
            error.fold(0.0, |worst: f64, error| if error > worst || error.is_nan() { error } else { worst });
        let relative = if error == 0.0 { 0.0 } else { error / largest };
        self.arrays += 1;
        if relative > self.worst.0 || relative.is_nan() {
            self.worst = (relative, what.to_string());
        }
        if relative.is_nan() || relative > TOLERANCE {
            self.failures.push(format!("{what}: error {relative:.2e}, got {got:?}, want {want:?}"));
        }
    }

    /// Compares the scalars of a value.
    pub fn compare_varying(&mut self, what: &str, got: &impl Varying<f64>, want: &[f64]) {
        self.compare(what, &scalars(got), want);
    }
}

/// Returns the scalars of a value field by field. The scalars of a field are ordered by sample.
pub fn scalars(value: &impl Varying<f64>) -> Vec<f64> {
    let mut scalars = Vec::new();
    value.scalars(&mut |x| scalars.push(x));
    scalars
}

/// Returns the value that has these scalars.
///
/// # Panics
/// Panics if there are too few or too many.
pub fn from_scalars<V: Varying<f64>>(scalars: &[f64]) -> V {
    let mut value = V::zero();
    let mut rest = scalars.iter();
    value.scalars_mut(&mut |x| *x = *rest.next().expect("a value for every scalar"));
    assert_eq!(rest.next(), None, "a scalar for every value");
    value
}

/// The mapping from a cell's names to those of its case.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// The name of the case.
    pub case: &'a str,
    /// The mapping of parameter names. `None` means that the parameter is zero in the case and that
    /// its gradient is unknown.
    ///
    /// `-W_f` is the negative of the case's `W_f`, for a gate that is one minus the case's gate
    /// (`1 - sigmoid(z)` is `sigmoid(-z)`). `b_ir + b_hr` is the sum of two parameters, whose
    /// gradients are equal.
    pub parameter: fn(&str) -> Option<String>,
    /// The case's names of the inputs, in the order of the cell's declarations.
    pub inputs: &'a [&'a str],
    /// The case's names of the states, in the order of the cell's declarations.
    pub states: &'a [&'a str],
    /// The case's names of the outputs, in the cell's order.
    pub outputs: &'a [&'a str],
}

/// Maps a parameter to the same name in the case.
pub fn same_name(name: &str) -> Option<String> {
    Some(name.to_string())
}

/// Sets every parameter and buffer of `model` from the case.
pub fn set_parameters(model: &mut impl ModelMut<Scalar = f64>, case: &Case, names: &Names) {
    model.visit_buffers_mut(&mut |buffer| {
        buffer.values.copy_from_slice(&block(case, &format!("buffers.{}", buffer.name), buffer.shape));
    });
    model.visit_mut(&mut |parameter| {
        parameter.values.fill(0.0);
        let Some(name) = (names.parameter)(parameter.name) else { return };
        let (sign, terms) = signed(&name);
        for term in terms.split(" + ") {
            let values = block(case, &format!("params.{term}"), parameter.shape);
            parameter.values.iter_mut().zip(values).for_each(|(to, value)| *to += sign * value);
        }
    });
}

fn signed(name: &str) -> (f64, &str) {
    name.strip_prefix('-').map_or((1.0, name), |name| (-1.0, name))
}

/// Returns the part of an array that a block of a parameter holds, in column-major order, as the
/// library stores a matrix. The first index of the array is the head, if the parameter has heads.
fn block(case: &Case, path: &str, shape: BlockShape) -> Vec<f64> {
    let mut array = case.array(path);
    if let Some((head, heads)) = shape.head {
        assert_eq!(array.shape[0], heads, "{path} has another number of heads in the case than in the cell");
        array = Array { data: array.step(head).to_vec(), shape: array.shape[1..].to_vec() };
    }
    let found = (array.shape.first().copied().unwrap_or(1), array.shape.get(1).copied().unwrap_or(1));
    assert_eq!(found, shape.whole, "{path} has another size in the case than in the cell");
    array.part(found.1, shape.size, shape.at)
}

/// Compares all gradients that the case contains.
pub fn compare_gradients(
    comparison: &mut Comparison,
    gradients: &impl Model<Scalar = f64>,
    case: &Case,
    names: &Names,
) {
    gradients.visit(&mut |parameter| {
        let Some(name) = (names.parameter)(parameter.name) else { return };
        let (sign, terms) = signed(&name);
        for term in terms.split(" + ") {
            let mut want = block(case, &format!("grads.params.{term}"), parameter.shape);
            want.iter_mut().for_each(|entry| *entry *= sign);
            comparison.compare(&format!("gradient of {}", parameter.name), parameter.values, &want);
        }
    });
}

/// Returns the fields `names` of a state or an output, one after the other: at step `t`, or at all
/// steps if `t` is `None`.
fn fields(case: &Case, prefix: &str, names: &[&str], t: Option<usize>) -> Vec<f64> {
    let arrays = names.iter().map(|name| case.array(&format!("{prefix}.{name}")));
    arrays.flat_map(|array| t.map_or_else(|| array.data.clone(), |t| array.step(t).to_vec())).collect()
}

/// Runs `cell` over its case. Compares the outputs and the state after every step (by `step` and by
/// `forward`), the loss, and the gradients of the parameters, the inputs and the initial state.
pub fn check<const B: usize, L>(mut cell: L, names: &Names) -> Comparison
where
    L: ModelMut + Cell<B, Scalar = f64, Context = ()>,
    L: Layer<B, Input: Varying<f64>, InputBar: Varying<f64>>,
{
    let case = Case::load(names.case, B);
    let mut comparison = Comparison::default();
    set_parameters(&mut cell, &case, names);
    let steps = case.array(&format!("inputs.{}", names.inputs[0])).shape[0];
    let xs: Vec<L::Input> =
        (0..steps).map(|t| from_scalars(&fields(&case, "inputs", names.inputs, Some(t)))).collect();
    let initial = fields(&case, "initial_states", names.states, None);

    let mut state: L::State = from_scalars(&initial);
    for (t, x) in xs.iter().enumerate() {
        let y = cell.step(x, &mut state);
        comparison.compare_varying("output of step", &y, &fields(&case, "outputs", names.outputs, Some(t)));
        let want = fields(&case, "states_per_step", names.states, Some(t));
        comparison.compare_varying("state after step", &state, &want);
    }

    // `forward` returns only the final state, so it runs over every prefix of the sequence.
    let mut tape = cell.tape();
    for t in 0..steps {
        let mut state: L::State = from_scalars(&initial);
        cell.forward(&xs[..=t], &mut state, &mut tape);
        let want = fields(&case, "states_per_step", names.states, Some(t));
        comparison.compare_varying("state after forward", &state, &want);
    }
    let mut loss = 0.0;
    let mut dys = Vec::new();
    for (t, y) in cell.outputs(&tape).iter().enumerate() {
        let want = fields(&case, "outputs", names.outputs, Some(t));
        comparison.compare_varying("output of forward", y, &want);
        let mut dy = Vec::new();
        for (name, size) in
            names.outputs.iter().map(|name| (name, case.array(&format!("outputs.{name}")).step(t).len()))
        {
            let path = format!("cotangents.outputs.{name}");
            dy.extend(if case.has(&path) { case.array(&path).step(t).to_vec() } else { vec![0.0; size] });
        }
        loss += inner_product(&dy, &scalars(y));
        dys.push(from_scalars::<L::Output>(&dy));
    }
    assert_eq!(dys.len(), steps, "one output per step");
    let mut state: L::State = from_scalars(&initial);
    cell.forward(&xs, &mut state, &mut tape);
    let dfinal = fields(&case, "cotangents.final_states", names.states, None);
    loss += inner_product(&dfinal, &scalars(&state));
    comparison.compare("loss", &[loss], &[case.number("loss_value")]);

    let mut dstate: L::State = from_scalars(&dfinal);
    let mut gradients = cell.zero_gradients();
    let mut dxs: Vec<L::InputBar> = (0..steps).map(|_| L::InputBar::zero()).collect();
    dxs.iter_mut().for_each(|dx| dx.scalars_mut(&mut |x| *x = f64::NAN));
    let bars = Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs);
    cell.backward(&xs, &mut tape, &dys, bars);
    compare_gradients(&mut comparison, &*gradients, &case, names);
    for (name, want) in names.states.iter().zip(split_fields(&case, &scalars(&dstate), names.states)) {
        let path = format!("grads.initial_states.{name}");
        comparison.compare(&format!("gradient of the initial {name}"), &want, &case.array(&path).data);
    }
    for (t, dx) in dxs.iter().enumerate() {
        comparison.compare_varying(
            "gradient of the inputs",
            dx,
            &fields(&case, "grads.inputs", names.inputs, Some(t)),
        );
    }
    comparison
}

/// Runs one attention step over the encoder's outputs. Compares the attention weights and the
/// weighted sum (by `step` and by `forward`), the loss, and the gradients of the parameters, the
/// query and the encoder's outputs.
///
/// The context consists of the encoder's outputs `[E, S]` and a mask `[S]`.
pub fn check_attention<const B: usize, const Q: usize, L>(mut cell: L, names: &Names) -> Comparison
where
    L: ModelMut + Cell<B, Scalar = f64, Context: Varying<f64>>,
    L: Layer<B, Input = SMatrix<f64, Q, B>, InputBar = SMatrix<f64, Q, B>>,
{
    let case = Case::load(names.case, B);
    let mut comparison = Comparison::default();
    set_parameters(&mut cell, &case, names);
    let query: L::Input = from_scalars(&case.array("s").data);
    let mut context = case.array("h").data;
    let encoded = context.len();
    context.extend(case.array("mask").data);
    let context: L::Context = from_scalars(&context);
    let want = fields(&case, "outputs", names.outputs, None);

    let mut state = cell.initial_state_with(&context);
    comparison.compare_varying("output of step", &cell.step((&query, &context), &mut state), &want);
    let mut tape = cell.tape();
    let xs = [query];
    let [y] = cell.forward((&xs, &context), &mut state, &mut tape) else { panic!("one output per step") };
    comparison.compare_varying("output of forward", y, &want);

    let mut dy = Vec::new();
    for name in names.outputs {
        let path = format!("cotangents.{name}");
        let size = case.array(&format!("outputs.{name}")).data.len();
        dy.extend(if case.has(&path) { case.array(&path).data } else { vec![0.0; size] });
    }
    comparison.compare("loss", &[inner_product(&dy, &scalars(y))], &[case.number("loss_value")]);

    let mut gradients = cell.zero_gradients();
    let mut dxs = [SMatrix::from_element(f64::NAN)];
    let mut dcontext = L::Context::zero();
    let dys = [from_scalars(&dy)];
    let bars = Bars::of(&mut gradients).inputs(&mut dxs).context(&mut dcontext);
    cell.backward((&xs, &context), &mut tape, &dys, bars);
    compare_gradients(&mut comparison, &*gradients, &case, names);
    comparison.compare_varying("gradient of the query", &dxs[0], &case.array("grads.s").data);
    let dcontext = scalars(&dcontext);
    comparison.compare(
        "gradient of the encoder's outputs",
        &dcontext[..encoded],
        &case.array("grads.h").data,
    );
    assert!(dcontext[encoded..].iter().all(|&x| x == 0.0), "a mask has no gradient: {dcontext:?}");
    comparison
}

/// Splits the scalars of a state into those of each field.
fn split_fields(case: &Case, scalars: &[f64], names: &[&str]) -> Vec<Vec<f64>> {
    let mut rest = scalars;
    let mut take = |name: &&str| {
        let (field, others) = rest.split_at(case.array(&format!("initial_states.{name}")).data.len());
        rest = others;
        field.to_vec()
    };
    names.iter().map(&mut take).collect()
}

/// Returns the inner product of two arrays of equal size.
pub fn inner_product(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_report_errors_and_nan() {
        let mut comparison = Comparison::default();
        comparison.compare("right", &[1.0, 1e-14], &[1.0, 0.0]);
        assert!(comparison.failures.is_empty() && comparison.worst.0 == 1e-14);
        comparison.compare("wrong", &[1.0, 1e-11], &[1.0, 0.0]);
        comparison.compare("not a number", &[1.0, f64::NAN], &[1.0, 0.0]);
        assert_eq!(comparison.failures.len(), 2, "{:?}", comparison.failures);
        assert_eq!(comparison.arrays, 3);
    }

    #[test]
    fn parts_are_converted_from_row_major() {
        let array = Array { shape: vec![2, 3], data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        assert_eq!(array.part(3, (2, 3), (0, 0)), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(array.part(3, (2, 1), (0, 2)), [3.0, 6.0]);
        assert_eq!(array.step(1), [4.0, 5.0, 6.0]);
    }
}
