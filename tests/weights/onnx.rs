//! ONNX models, compared with ONNX Runtime (`fixtures/make_onnx.py`), which computes in single
//! precision.

use crate::protobuf::field;
use crate::{DenseTanh, bits, fixture, largest_error, randomise, sequences};
use rnn_cell::cell::{Layer, ModelMut};
use rnn_cell::cells::*;
use rnn_cell::prelude::*;
use rnn_cell::weights::Family;
use rnn_cell::weights::onnx::{self, File, dense, gru_reset_after, lstm};

const I: usize = 3;
const H: usize = 4;

/// The tolerance for the reference's single precision and its approximations of sigmoid and tanh.
const CLOSE: f64 = 2e-6;

fn check<M, const Y: usize>(name: &str, mut layer: M)
where
    M: ModelMut + Layer<1, Scalar = f64, Context = (), Input = SVector<f64, I>, Output = SVector<f64, Y>>,
{
    randomise(&mut layer, 1);
    onnx::load(&mut layer, &fixture(&format!("{name}.onnx"))).unwrap();
    let error = largest_error(name, &layer);
    assert!(error < CLOSE, "{name}: {error}");
}

#[test]
fn nodes_agree_with_onnx_runtime() {
    check("onnx_lstm", Lstm::<I, H, f64>::zeros());
    check("onnx_lstm_no_bias", Lstm::<I, H, f64>::zeros());
    check("onnx_lstm_peepholes", PeepholeLstm::<I, H, f64>::zeros());
    check("onnx_lstm_coupled", CifgLstm::<I, H, f64>::zeros());
    check("onnx_lstm_initial", InitialStateLstm::<I, H, f64>::zeros());
    check("onnx_gru", Gru::<I, H, f64>::zeros());
    check("onnx_gru_reset_after", GruResetAfter::<I, H, f64>::zeros());
    check("onnx_rnn", Elman::<I, H, f64>::zeros());
    check("onnx_torch", Lstm::<I, H, f64>::zeros());
    let both = Bidirectional::new(Lstm::<I, H, f64>::zeros(), Lstm::<I, H, f64>::zeros());
    check("onnx_lstm_both", both.joined(Concat::<{ 2 * H }>));
    let both = Bidirectional::new(Lstm::<I, H, f64>::zeros(), Lstm::<I, H, f64>::zeros());
    check(
        "onnx_joined",
        Stack(both.joined(Concat::<{ 2 * H }>), GruResetAfter::<{ 2 * H }, H, f64>::zeros()),
    );
}

#[test]
fn a_reverse_node() {
    let bytes = fixture("onnx_lstm_reverse.onnx");
    let mut cell = Lstm::<I, H, f64>::zeros();
    let message = onnx::load(&mut cell, &bytes).unwrap_err().to_string();
    assert!(message.contains("`0.lstm.W` [16, 3] is missing from the file"), "{message}");
    let mapping = onnx::layers([lstm().reverse()]);
    File::read(&bytes).unwrap().load_by(&mapping, &mut cell).unwrap();
    let [xs, ys] = sequences("onnx_lstm_reverse");
    let mut state = cell.zero_state();
    for (x, wanted) in xs.iter().zip(&ys).rev() {
        let y = cell.step(&SVector::<f64, I>::from_column_slice(x), &mut state);
        assert!(y.iter().zip(wanted).all(|(y, wanted)| (y - wanted).abs() < CLOSE));
    }
}

#[test]
fn a_chain() {
    let recurrent = Stack(GruResetAfter::<I, H, f64>::zeros(), Lstm::<H, H, f64>::zeros());
    let mut net = Stack(recurrent, Stack(DenseTanh::<H, 3, f64>::zeros(), Dense::<3, 2, f64>::zeros()));
    let file = File::read(&fixture("onnx_chain.onnx")).unwrap();
    let mapping = onnx::layers([gru_reset_after(), lstm(), dense("tanh"), dense("")]);
    file.load_by(&mapping, &mut net).unwrap();
    let error = largest_error("onnx_chain", &net);
    assert!(error < CLOSE, "{error}");

    // Without a mapping, the activation of a layer is unknown.
    let message = file.load(&mut net).unwrap_err().to_string();
    assert!(message.contains("the file has `2.dense_tanh.W` [3, 4]"), "{message}");
    let sizes = Family::<_, SVector<f32, I>, SVector<f32, 2>>::of(&file).load().err().unwrap().to_string();
    let wanted = "the file's model is 3 -> gru_reset_after 4 -> lstm 4 -> dense_tanh 3 -> dense 2";
    assert!(sizes.contains(wanted), "{sizes}");
}

#[test]
fn a_family_of_sizes() {
    let file = File::read(&fixture("onnx_lstm.onnx")).unwrap();
    Family::of(&file).or(Elman::<I, H>::zeros).or(Lstm::<I, H>::zeros).load().unwrap();
}

#[test]
fn unsupported_nodes_are_named() {
    let error = File::read(&fixture("onnx_refused.onnx")).unwrap_err().to_string();
    let wanted = "weights not loaded, 6 problems
- `LSTM cell: clip` is 3 in the file; none of this crate's cells clips the input of its gates
- `LSTM cell: activations` is Sigmoid, Relu, Tanh in the file; only sigmoid, tanh, tanh can be read, in each direction
- `LSTM cell: W` is of the type FLOAT16 in the file; it must be a tensor of FLOAT or DOUBLE in the file
- `Conv` is used by a node in the file; no layer can be made from it; `File::read_without` skips it
- `RandomNormal` is used by a node in the file; no layer can be made from it; `File::read_without` skips it
- `Softmax` is used by 2 nodes in the file; no layer can be made from it; `File::read_without` skips it";
    assert_eq!(error, wanted);
    let without = File::read_without(&fixture("onnx_refused.onnx"), &["Conv", "RandomNormal", "Softmax"]);
    assert_eq!(without.unwrap_err().problems().len(), 3);
}

fn refused<M: ModelMut>(model: &mut M, bytes: &[u8]) -> String {
    randomise(model, 1);
    let before = bits(model);
    let error = onnx::load(model, bytes).unwrap_err();
    assert_eq!(bits(model), before, "the model has changed");
    error.to_string()
}

#[test]
fn files_that_do_not_fit() {
    let lstm = |bytes: &[u8]| refused(&mut Lstm::<I, H>::zeros(), bytes);
    let message = refused(&mut Lstm::<I, 5>::zeros(), &fixture("onnx_lstm.onnx"));
    assert!(message.contains("- `0.lstm.W` is [16, 3] in the file, [20, 3] in the cell"), "{message}");
    let message = lstm(&fixture("onnx_gru.onnx"));
    assert!(message.contains("the file has `0.gru.W` [12, 3]"), "{message}");

    let bytes = fixture("onnx_lstm.onnx");
    let message = lstm(&bytes[..bytes.len() - 1]);
    assert!(message.contains("this is not a valid ONNX file: it ends within a field"), "{message}");
    assert!(lstm(b"\x08\x08").contains("this is not a valid ONNX file: it has no graph"));
    assert!(lstm(b"\x3a\x00").contains("`graph` is without layers in the file"));
}

/// A tensor that is shared by a hundred thousand nodes must not be copied for each of them.
#[test]
fn shared_tensors_are_not_copied() {
    let dims = [8, 0x80, 1, 8, 0x80, 1]; // [128, 128]
    let tensor = [&dims[..], &[16, 1], &field(8, b"w"), &field(9, &[0; 65_536])].concat();
    let node = |input: &str, output: &str| {
        let names = [field(1, input.as_bytes()), field(1, b"w"), field(2, output.as_bytes())];
        field(1, &[&names.concat()[..], &field(4, b"MatMul")].concat())
    };
    let mut graph = [field(5, &tensor), field(11, &field(1, b"0"))].concat();
    (0..100_000).for_each(|k| graph.extend(node(&k.to_string(), &(k + 1).to_string())));
    let error = File::read(&field(7, &graph)).unwrap_err();
    assert!(error.to_string().contains("is a tensor shared by too many nodes"));
}
