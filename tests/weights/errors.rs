//! The exact texts of error messages.

use crate::{Tensor, bits, file, randomise, tensors};
use rnn_cell::cell::{ModelMut, Parameter, ParameterMut};
use rnn_cell::cells::{Dense, Gru, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::torch;
use rnn_cell::weights::{Mapping, load, matrix, part, save, scalar, vector};

/// Loads a wrong file, checks that the model is unchanged, and returns the error message.
fn refused<M: ModelMut>(mapping: &Mapping, model: &mut M, bytes: &[u8]) -> String {
    let before = bits(model);
    let error = mapping.load(model, bytes).unwrap_err();
    assert_eq!(bits(model), before, "the model has changed");
    error.to_string()
}

fn dense() -> Dense<2, 3> {
    let mut dense = Dense::zeros();
    randomise(&mut dense, 1);
    dense
}

#[test]
fn all_problems_are_reported_at_once() {
    let mut lstm = Lstm::<3, 2>::zeros();
    randomise(&mut lstm, 2);
    let mapping = torch::lstm();
    let mut saved = tensors(&mapping.save(&lstm).unwrap());
    // bias_hh_l0, bias_ih_l0, weight_hh_l0, weight_ih_l0
    saved[0].name = "bias_hh_10".into();
    saved[1].dtype = "I32".into();
    saved[2] = Tensor::f64(
        "weight_hh_l0",
        &[8, 2],
        &[[0.0; 5].as_slice(), &[f64::NAN, 1.0, f64::INFINITY], &[0.0; 8]].concat(),
    );
    saved[3] = Tensor::f32("weight_ih_l0", &[3, 8], &[0.0; 24]);
    let message = refused(&mapping, &mut lstm, &file(&saved));
    assert_eq!(
        message,
        "weights not loaded, 4 problems
- `weight_ih_l0` is [3, 8] in the file, [8, 3] in the cell
  note: in the cell it is made of `W_i` [2, 3], `W_f` [2, 3], `W_g` [2, 3], `W_o` [2, 3]
  help: the file holds it transposed; save it as `tensor.T.contiguous()`, or describe it in a mapping of your own, `matrix(\"weight_ih_l0\").transposed()`
- `weight_hh_l0` is NaN at [2, 1], the first of 2 values that are not finite
- `bias_ih_l0` has type I32 in the file
  help: save it as F16, BF16, F32 or F64 (in PyTorch `tensor.float()`)
- `bias_hh_l0` [8] is missing from the file
  note: it would hold `b_i`, `b_f`, `b_g`, `b_o`
  help: the file has a similar name, `bias_hh_10`"
    );
}

#[test]
fn wrong_sizes() {
    let bytes = save(&Dense::<2, 4>::zeros()).unwrap();
    let message = refused(&Mapping::by_name(&dense()), &mut dense(), &bytes);
    let wanted = "weights not loaded, 2 problems\n- `W` is [4, 2] in the file, [3, 2] in the cell\n- `b` is [4] in the file, [3] in the cell";
    assert_eq!(message, wanted);
}

#[test]
fn values_that_do_not_fit() {
    let (weight, bias) =
        (Tensor::f64("W", &[3, 2], &[0.0, 0.0, 0.0, 0.0, 0.0, -1e300]), Tensor::f64("b", &[3], &[0.0; 3]));
    let bytes = file(&[weight, bias]);
    let message = refused(&Mapping::by_name(&dense()), &mut dense(), &bytes);
    assert_eq!(
        message,
        "weights not loaded: `W` would be -1e300 at [2, 1], too large for f32\n  help: load the file into a cell of f64"
    );
    load(&mut Dense::<2, 3, f64>::zeros(), &bytes).unwrap();

    let mut broken = dense();
    broken.W[(1, 0)] = f32::NEG_INFINITY;
    broken.b[2] = f32::NAN;
    let message = save(&broken).unwrap_err().to_string();
    assert_eq!(message, "weights not saved, 2 problems\n- `W` is -inf at [1, 0]\n- `b` is NaN at [2, 0]");
}

#[test]
fn files_that_are_not_safetensors() {
    let mut model = dense();
    let mapping = Mapping::by_name(&model);
    let message = refused(&mapping, &mut model, b"PK");
    assert_eq!(
        message,
        "weights not loaded: this is not a valid safetensors file: it has fewer than 8 bytes"
    );
    let bytes = save(&model).unwrap();
    let message = refused(&mapping, &mut model, &bytes[..bytes.len() - 1]);
    assert!(
        message.ends_with("its length isn't what its header says; it may have been cut off"),
        "{message}"
    );
    let message = refused(&mapping, &mut model, &bytes[..20]);
    assert!(message.ends_with("it ends within its header"), "{message}");
}

#[test]
fn files_of_other_formats() {
    let message = |bytes: &[u8]| refused(&Mapping::by_name(&dense()), &mut dense(), bytes);
    // The header of a zip archive, which contains the name of the first entry.
    let zip = |name: &str| {
        let length = (name.len() as u16).to_le_bytes();
        message(&[b"PK\x03\x04".as_slice(), &[0; 22], &length, &[0; 2], name.as_bytes(), &[1; 50]].concat())
    };
    let torch = "weights not loaded: this is a PyTorch zip archive (`torch.save`)
  help: in Python `safetensors.torch.save_file(model.state_dict(), \"net.safetensors\")`";
    assert_eq!(zip("net/data.pkl"), torch);
    assert_eq!(message(b"PK\x03\x04"), torch);
    assert!(zip("arr_0.npy").contains(": this is a NumPy zip archive (`numpy.savez`)\n  help: in Python"));
    assert!(zip("metadata.json").contains(": this is a Keras zip archive (`model.save`)\n  help: in Python"));
    assert!(
        message(b"\x80\x02\x8a\x0al\xfc\x9cF")
            .contains(": this is a pickle of an old PyTorch version (`torch.save`)")
    );
    assert!(message(b"\x89HDF\r\n\x1a\n").contains(": this is an HDF5 file, as Keras saves weights"));
}

/// Long names are shortened, long lists are cut, control characters are escaped.
#[test]
fn messages_are_bounded() {
    let tensor = |name: &str| Tensor::f32(name, &[1], &[0.0]);
    let mut all = tensors(&save(&dense()).unwrap());
    all.push(tensor(&"x".repeat(1_000_000)));
    all.push(tensor("\u{1b}[2J\"\r\u{202e}"));
    let message = refused(&Mapping::by_name(&dense()), &mut dense(), &file(&all));
    let long = "x".repeat(200);
    assert_eq!(
        message,
        format!(
            "weights not loaded, 2 problems
- the file has `\\u{{1b}}[2J\"\\r\\u{{202e}}` [1], which matches no parameter
  help: to leave it out, add `.ignoring(\"\\u{{1b}}[2J\\\"\\r\\u{{202e}}\")` to the mapping
- the file has `{long}..` [1], which matches no parameter
  help: to leave it out, add `.ignoring(\"{long}..\")` to the mapping"
        )
    );

    let many: Vec<_> = (0..100_000).map(|number| tensor(&format!("n{number:05}"))).collect();
    let message = refused(&Mapping::by_name(&dense()), &mut dense(), &file(&many));
    let (beginning, end) = message.split_at(40);
    assert!(beginning.starts_with("weights not loaded, 100002 problems\n- "), "{beginning}");
    assert!(end.ends_with("to the mapping\nand 99952 more"), "{end}");

    let integers = many.into_iter().map(|tensor| Tensor { dtype: "U32".into(), ..tensor });
    let mapping = (0..40).fold(Mapping::new(), |mapping, number| {
        mapping.with(vector(format!("n{number:05}")).stack([part("b").rows(number % 3..number % 3 + 1)]))
    });
    let message = refused(&mapping, &mut dense(), &file(&integers.collect::<Vec<_>>()));
    assert!(message.contains("`n00014`, `n00015` and 24 more have type U32 in the file"), "{message}");
}

/// `unwrap` and `fn main() -> Result<(), Error>` print the same message as `Display`.
#[test]
fn debug_equals_display() {
    let error = Mapping::by_name(&dense()).load(&mut dense(), b"PK\x03\x04").unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn unsupported_types() {
    let integers = |name: &str, shape: &[usize]| Tensor {
        dtype: "I64".into(),
        ..Tensor::f64(name, shape, &vec![0.0; shape.iter().product()])
    };
    let message = refused(
        &Mapping::by_name(&dense()),
        &mut dense(),
        &file(&[integers("W", &[3, 2]), integers("b", &[3])]),
    );
    assert_eq!(
        message,
        "weights not loaded: `W`, `b` have type I64 in the file
  help: save them as F16, BF16, F32 or F64 (in PyTorch `tensor.float()`)"
    );
}

/// Returns the message for a mapping that does not fit a `Dense<2, 3>`. Loading and saving must
/// report the same.
fn wrong(mapping: Mapping) -> String {
    let message = mapping.save(&dense()).unwrap_err().to_string();
    let bytes = save(&dense()).unwrap();
    let loading = mapping.clone().ignoring("").load(&mut dense(), &bytes).unwrap_err();
    let problem = message.split_once(['\n', ':']).unwrap().1.trim_start_matches(['-', ' ']).to_string();
    assert!(loading.to_string().contains(problem.lines().next().unwrap()), "{loading} and {message}");
    message
}

#[test]
fn mappings_that_do_not_fit_the_cell() {
    let weight = || matrix("W").stack(["W"]);
    let bias = || vector("b").stack(["b"]);
    let new = Mapping::new;
    assert_eq!(
        wrong(new().with(weight())),
        "weights not saved: the mapping leaves out the parameter `b`\n  help: add it to the stack of a tensor"
    );
    assert_eq!(
        wrong(new().with(bias()).with(matrix("W").stack([part("W").rows(1..)]))),
        "weights not saved: the mapping covers 4 of the 6 entries of the parameter `W`"
    );
    assert_eq!(
        wrong(new().with(weight()).with(vector("b").stack(["bb"]))),
        "weights not saved: the cell has no parameter `bb`, which the mapping makes a part of `b`"
    );
    assert_eq!(
        wrong(new().with(weight()).with(bias()).with(vector("c").stack(["b"]))),
        "weights not saved: the mapping sets entries of `b` twice, from `b` and from `c`
  help: if it is the sum of both, write `plus(\"b\")` for one of them"
    );
    assert_eq!(
        wrong(new().with(weight()).with(bias()).with(bias())),
        "weights not saved: the mapping describes the tensor `b` twice
  help: give one of them a prefix, or put all of its parts into one `with`"
    );
    assert_eq!(
        wrong(new().with(weight()).with(vector("b").stack([part("b").rows(1..4)]))),
        "weights not saved: the mapping makes rows 1..4 and columns 0.. of `b` a part of `b`, but the parameter is [3, 1]"
    );
    assert_eq!(
        wrong(new().with(matrix("all").stack(["W", "b"]))),
        "weights not saved: the parts of a stack of `all` are [2, 1] columns wide, but must be equally wide"
    );
    assert_eq!(
        wrong(new().with(matrix("all").stack(["W"]).stack([part("b").rows(..2)]))),
        "weights not saved: the stacks of `all` are [3, 2] rows high, but must be equally high"
    );
    assert_eq!(
        wrong(new().with(vector("W").stack(["W"])).with(scalar("b").stack(["b"]))),
        "weights not saved, 2 problems
- `W` is a vector in the mapping, but its parts make [3, 2]
- `b` is a scalar in the mapping, but its parts make [3, 1]"
    );
}

#[test]
fn missing_paths() {
    let net = Stack(Gru::<3, 2>::zeros(), dense());
    let mapping = Mapping::new().with(matrix("weight").stack(["W"])).with(vector("bias").stack(["b"]));
    let message = mapping.save(&net).unwrap_err().to_string();
    assert!(message.contains("help: it has `1.W`; add `.under(\"1\")` to the mapping"), "{message}");
}

/// Two layers whose parameters have the same names.
struct Twins([Dense<2, 3>; 2]);

impl Model for Twins {
    type Scalar = f32;
    type Gradients = Dense<2, 3>;

    fn zero_gradients(&self) -> Box<Dense<2, 3>> {
        Box::new(Dense::zeros())
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, f32>)) {
        self.0.iter().for_each(|dense| dense.visit(visitor));
    }
}

impl ModelMut for Twins {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, f32>)) {
        self.0.iter_mut().for_each(|dense| dense.visit_mut(visitor));
    }
}

#[test]
fn duplicate_names() {
    let mut twins = Twins([dense(), Dense::zeros()]);
    let wanted = "- two parameters of the model are called `W`\n  help: a layer that holds several must prefix the names of each with a path\n- two";
    let message = save(&twins).unwrap_err().to_string();
    assert!(message.contains(wanted), "{message}");
    let bytes = save(&dense()).unwrap();
    let mapping = Mapping::by_name(&twins);
    assert!(refused(&mapping, &mut twins, &bytes).contains(wanted));
}
