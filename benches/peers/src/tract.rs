//! The library `tract-onnx`, which runs a model of one ONNX operator with the state as input and
//! output. The state of a convolution is its last inputs.

use benches::measure::Work;
use benches::peers::{Kind, WIDTH};
use std::hint::black_box;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, attribute_proto, tensor_proto, tensor_shape_proto, type_proto,
};
use tract_onnx::prelude::*;

const RUN: &str = "the model is well-formed";

/// Returns the workload of a step at batch 1.
pub fn step(kind: Kind, i: usize, h: usize) -> Option<Work<'static>> {
    let (model, states) = match kind {
        Kind::Lstm => (recurrent("LSTM", 4, &["h", "c"], i, h), vec![vec![1, 1, h]; 2]),
        Kind::Gru => (recurrent("GRU", 3, &["h"], i, h), vec![vec![1, 1, h]]),
        Kind::Convolution => (convolution_step(i, h), vec![vec![1, i, WIDTH - 1]]),
        _ => return None,
    };
    let model = optimized(&model).into_runnable().expect(RUN);
    let x = if kind == Kind::Convolution { tensor(&[1, i, 1]) } else { tensor(&[1, 1, i]) };
    let mut carried: Vec<TValue> = states.iter().map(|shape| tensor(shape)).collect();
    Some(Box::new(move || {
        let inputs = [black_box(&x)].into_iter().chain(&carried).cloned().collect();
        let outputs = model.run(inputs).expect(RUN);
        // The first output is the sequence.
        carried = outputs.into_iter().skip(1).collect();
        black_box(&carried);
    }))
}

/// Returns the workload of a sequence in one call.
pub fn run(kind: Kind, i: usize, h: usize, batch: usize, steps: usize) -> Option<Work<'static>> {
    if kind != Kind::Convolution {
        return None;
    }
    let node = NodeProto { attribute: vec![integers("pads", &[WIDTH as i64 - 1, 0])], ..convolution("X") };
    let (x, y) = (info("X", &[batch, i, steps]), info("Y", &[batch, h, steps]));
    let model = optimized(&model(vec![node], filters(i, h), vec![x], vec![y]));
    let model = model.into_runnable().expect(RUN);
    let x = tensor(&[batch, i, steps]);
    Some(Box::new(move || {
        black_box(model.run(tvec!(black_box(&x).clone())).expect(RUN));
    }))
}

fn optimized(model: &ModelProto) -> TypedModel {
    onnx().model_for_proto_model(model).expect(RUN).into_optimized().expect(RUN)
}

fn tensor(shape: &[usize]) -> TValue {
    let values = vec![0.5f32; shape.iter().product()];
    Tensor::from_shape(shape, &values).expect(RUN).into()
}

/// Builds the model `Y, h', c' = operator(X, W, R, B, -, h, c)`.
fn recurrent(operator: &str, gates: usize, states: &[&str], i: usize, h: usize) -> ModelProto {
    let next = |state: &&str| format!("{state}_next");
    let mut input: Vec<String> = ["X", "W", "R", "B", ""].map(str::to_owned).to_vec();
    input.extend(states.iter().map(|state| (*state).to_owned()));
    let mut output = vec!["Y".to_owned()];
    output.extend(states.iter().map(next));
    let mut attribute = vec![integer("hidden_size", h as i64)];
    if operator == "GRU" {
        attribute.push(integer("linear_before_reset", 1));
    }
    let node = NodeProto { op_type: operator.to_owned(), input, output, attribute, ..Default::default() };

    let mut inputs = vec![info("X", &[1, 1, i])];
    inputs.extend(states.iter().map(|state| info(state, &[1, 1, h])));
    let mut outputs = vec![info("Y", &[1, 1, 1, h])];
    outputs.extend(states.iter().map(|state| info(&next(state), &[1, 1, h])));
    let weights = vec![
        weights("W", &[1, gates * h, i], h),
        weights("R", &[1, gates * h, h], h),
        weights("B", &[1, 2 * gates * h], h),
    ];
    model(vec![node], weights, inputs, outputs)
}

/// Builds the model `Y = convolution([past, X])`, whose second output is the `past` of the next
/// step.
fn convolution_step(i: usize, o: usize) -> ModelProto {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let joined = NodeProto {
        op_type: "Concat".to_owned(),
        input: names(&["past", "X"]),
        output: names(&["window"]),
        attribute: vec![integer("axis", 2)],
        ..Default::default()
    };
    let last = NodeProto {
        op_type: "Slice".to_owned(),
        input: names(&["window", "from", "to", "axis"]),
        output: names(&["past_next"]),
        ..Default::default()
    };
    let mut constants = filters(i, o);
    constants.extend([index("from", 1), index("to", WIDTH as i64), index("axis", 2)]);
    let inputs = vec![info("X", &[1, i, 1]), info("past", &[1, i, WIDTH - 1])];
    let outputs = vec![info("Y", &[1, o, 1]), info("past_next", &[1, i, WIDTH - 1])];
    model(vec![joined, convolution("window"), last], constants, inputs, outputs)
}

/// Returns the node `Y = convolution(input)`.
fn convolution(input: &str) -> NodeProto {
    NodeProto {
        op_type: "Conv".to_owned(),
        input: [input, "K", "b"].map(str::to_owned).to_vec(),
        output: vec!["Y".to_owned()],
        ..Default::default()
    }
}

fn filters(i: usize, o: usize) -> Vec<TensorProto> {
    vec![weights("K", &[o, i, WIDTH], o), weights("b", &[o], o)]
}

fn model(
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    input: Vec<ValueInfoProto>,
    output: Vec<ValueInfoProto>,
) -> ModelProto {
    let graph =
        GraphProto { name: "cell".to_owned(), node, initializer, input, output, ..Default::default() };
    let opset = OperatorSetIdProto { version: 14, ..Default::default() };
    ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() }
}

fn integers(name: &str, values: &[i64]) -> AttributeProto {
    let kind = attribute_proto::AttributeType::Ints as i32;
    AttributeProto { name: name.to_owned(), r#type: kind, ints: values.to_vec(), ..Default::default() }
}

fn index(name: &str, value: i64) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![1],
        data_type: tensor_proto::DataType::Int64 as i32,
        int64_data: vec![value],
        ..Default::default()
    }
}

fn integer(name: &str, value: i64) -> AttributeProto {
    let kind = attribute_proto::AttributeType::Int as i32;
    AttributeProto { name: name.to_owned(), r#type: kind, i: value, ..Default::default() }
}

fn weights(name: &str, shape: &[usize], h: usize) -> TensorProto {
    let scale = 1.0 / (h as f32).sqrt();
    TensorProto {
        name: name.to_owned(),
        dims: shape.iter().map(|size| *size as i64).collect(),
        data_type: tensor_proto::DataType::Float as i32,
        float_data: (0..shape.iter().product()).map(|k| (k as f32).sin() * scale).collect(),
        ..Default::default()
    }
}

fn info(name: &str, shape: &[usize]) -> ValueInfoProto {
    let size = |size: &usize| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(*size as i64)),
        ..Default::default()
    };
    let shape = TensorShapeProto { dim: shape.iter().map(size).collect() };
    let tensor = type_proto::Tensor { elem_type: tensor_proto::DataType::Float as i32, shape: Some(shape) };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: name.to_owned(), r#type: Some(kind), ..Default::default() }
}
