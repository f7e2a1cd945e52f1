//! Files of RTNeural and AIDA-X, compared with Keras (`fixtures/make_keras.py`).

use crate::{DenseTanh, bits, fixture, largest_error, randomise};
use rnn_cell::cell::ModelMut;
use rnn_cell::cells::{Dense, GruResetAfter, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::rtneural::{self, File, Info, dense, gru, lstm};
use rnn_cell::weights::{Family, Mapping};

rnn_cell! {
    /// A dense layer with relu.
    pub cell DenseRelu<I, O> {
        input x: [I];
        param W: [O, I];
        param b: [O];
        y = relu(W @ x + b);
        output y;
    }
}

type Deep = Stack<
    Stack<GruResetAfter<2, 5, f64>, Lstm<5, 4, f64>>,
    Stack<DenseTanh<4, 3, f64>, DenseRelu<3, 2, f64>>,
>;

fn deep() -> (Mapping, Deep) {
    let mapping = rtneural::layers([gru(), lstm(), dense("tanh"), dense("relu")]);
    let recurrent = Stack(GruResetAfter::zeros(), Lstm::zeros());
    (mapping, Stack(recurrent, Stack(DenseTanh::zeros(), DenseRelu::zeros())))
}

#[test]
fn agrees_with_keras() {
    let mut net = Stack(Lstm::<1, 8, f64>::zeros(), Dense::<8, 1, f64>::zeros());
    rtneural::load(&mut net, &fixture("rtneural_lstm.json")).unwrap();
    let error = largest_error("rtneural_lstm", &net);
    assert!(error < 1e-14, "{error}");

    let file = File::read(&fixture("rtneural_gru.json")).unwrap();
    let wanted = Info { sample_rate: Some(48_000.0), skip: true, input_gain: -3.0, output_gain: 2.0 };
    assert_eq!(file.info(), &wanted);
    let (mapping, mut net) = deep();
    file.load_by(&mapping, &mut net).unwrap();
    let error = largest_error("rtneural_gru", &net);
    assert!(error < 1e-14, "{error}");
}

#[test]
fn a_family_of_sizes() {
    let file = File::read(&fixture("rtneural_lstm.json")).unwrap();
    let family = Family::of(&file)
        .or(|| Stack(Lstm::<1, 4>::zeros(), Dense::<4, 1>::zeros()))
        .or(|| Stack(GruResetAfter::<1, 8>::zeros(), Dense::<8, 1>::zeros()));
    let message = family.load().err().unwrap().to_string();
    assert!(message.contains("the file's model is 1 -> lstm 8 -> dense 1, and the family to choose from has `1 -> lstm 4 -> dense 1`, `1 -> gru 8 -> dense 1`"), "{message}");
    Family::of(&file).or(|| Stack(Lstm::<1, 8>::zeros(), Dense::<8, 1>::zeros())).load().unwrap();
}

fn refused<M: ModelMut>(model: &mut M, bytes: &[u8]) -> String {
    randomise(model, 1);
    let before = bits(model);
    let error = rtneural::load(model, bytes).unwrap_err();
    assert_eq!(bits(model), before, "the model has changed");
    error.to_string()
}

fn changed(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(&fixture("rtneural_lstm.json")).unwrap();
    change(&mut json);
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn unsupported_files() {
    let message = |bytes: &[u8]| refused(&mut Stack(Lstm::<1, 8>::zeros(), Dense::<8, 1>::zeros()), bytes);
    let scaled = message(&fixture("rtneural_gru.json"));
    assert!(scaled.contains("- `in_skip` is 1 in the file; weights alone don't do that"), "{scaled}");
    assert!(scaled.contains("- `in_gain` is -3 in the file"), "{scaled}");

    let types = changed(|json| {
        json["layers"][0]["type"] = "conv1d".into();
        json["layers"][1]["weights"][0][2] = "x".into();
        json["in_shape"] = serde_json::json!([null, null]);
    });
    assert_eq!(
        message(&types),
        "weights not loaded, 3 problems
- `in_shape` is an array that ends with null in the file; its last element must be the input's size
- `layers[0].type` is \"conv1d\" in the file; only `lstm`, `gru`, `dense`, `time-distributed-dense` and `activation` can be read
- `layers[1].weights, kernel` is an array of 8 elements in the file; it must be a vector of numbers or a matrix with rows of equal length"
    );
    let bias = message(&changed(|json| {
        json["layers"][0]["weights"].as_array_mut().unwrap().pop();
    }));
    assert!(bias.contains("a layer of this type has 3 arrays: kernel, recurrent_kernel, bias"), "{bias}");
    let tanh = message(&changed(|json| json["layers"][1]["activation"] = "tanh".into()));
    assert!(tanh.contains("`1.dense.kernel` [8, 1] is missing from the file"), "{tanh}");
    assert!(tanh.contains("the file has `1.dense_tanh.kernel` [8, 1]"), "{tanh}");
    let softmax = changed(|json| {
        let layers = json["layers"].as_array_mut().unwrap();
        layers.insert(1, serde_json::json!({"type": "activation", "activation": "softmax", "weights": []}));
    });
    assert!(
        message(&softmax)
            .contains("`layers[1].activation` is \"softmax\" in the file; it can only be read after")
    );

    let size =
        refused(&mut Stack(Lstm::<1, 4>::zeros(), Dense::<4, 1>::zeros()), &fixture("rtneural_lstm.json"));
    let wanted = "- `0.lstm.kernel` is [1, 32] in the file, [1, 16] in the cell";
    assert!(size.starts_with("weights not loaded, 4 problems") && size.contains(wanted), "{size}");
    assert!(message(b"[1]").contains("`layers` is missing in the file"));
}

/// Invalid sizes, and sizes of any magnitude that contradict the weights.
#[test]
fn impossible_sizes() {
    let layer =
        |shape: &str| changed(|json| json["layers"][0]["shape"][2] = serde_json::from_str(shape).unwrap());
    let input = |shape: &str| changed(|json| json["in_shape"][2] = serde_json::from_str(shape).unwrap());
    let read = |bytes: &[u8]| File::read(bytes).unwrap_err().to_string();
    for (size, shown) in [
        ("-1", "-1"),
        ("0", "0"),
        ("0.5", "0.5"),
        ("1e30", "1e30"),
        ("1e308", "1e308"),
        ("9007199254740992", "9007199254740992"),
        ("\"8\"", "\"8\""),
    ] {
        let wanted = format!(
            "weights not loaded: `layers[0].shape` is an array that ends with {shown} in the file; its last element must be the layer's size"
        );
        assert_eq!(read(&layer(size)), wanted);
        let wanted = format!(
            "weights not loaded: `in_shape` is an array that ends with {shown} in the file; its last element must be the input's size"
        );
        assert_eq!(read(&input(size)), wanted);
    }
    let kernel = |bytes: &[u8], wanted: &str| {
        let wanted = format!(
            "weights not loaded: `layers[0].weights, kernel` is [1, 32] in the file; according to `in_shape` and `shape`, it must be {wanted}"
        );
        assert_eq!(read(bytes), wanted);
    };
    kernel(&layer("9"), "[1, 36]");
    kernel(&layer("9007199254740991"), "[1, 36028797018963964]");
    kernel(&input("9007199254740991"), "[9007199254740991, 32]");
    let dense = changed(|json| json["layers"][1]["weights"][0].as_array_mut().unwrap().truncate(5));
    assert!(
        read(&dense).contains("`layers[1].weights, kernel` is [5, 1] in the file; according to `in_shape`")
    );
}

/// For a file of many mistakes, the message lists the first ones and counts the layers that were
/// not read.
#[test]
fn many_wrong_layers() {
    let layers = vec!["null"; 100_000].join(",");
    let error = File::read(format!(r#"{{"in_shape": [1], "layers": [{layers}]}}"#).as_bytes()).unwrap_err();
    assert_eq!(error.problems().len(), 21);
    let wanted = "\n- `layers` is an array of 100000 elements in the file; after so many mistakes, those from 20 on were not checked";
    assert!(error.to_string().ends_with(wanted), "{error}");
}
