//! The library `tract-onnx`, which runs a model of one ONNX operator with the state as input and
//! output.

use benches::measure::Work;
use benches::peers::Kind;
use std::hint::black_box;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, attribute_proto, tensor_proto, tensor_shape_proto, type_proto,
};
use tract_onnx::prelude::*;

const RUN: &str = "the model is well-formed";

/// Returns the workload of a step at batch 1.
pub fn step(kind: Kind, i: usize, h: usize) -> Option<Work<'static>> {
    let (operator, gates, states) = match kind {
        Kind::Lstm => ("LSTM", 4, &["h", "c"][..]),
        Kind::Gru => ("GRU", 3, &["h"][..]),
        Kind::Peephole => return None,
    };
    let model = onnx().model_for_proto_model(&model(operator, gates, states, i, h)).expect(RUN);
    let model = model.into_optimized().expect(RUN).into_runnable().expect(RUN);
    let x: TValue = tensor(&[1, 1, i]);
    let mut carried: Vec<TValue> = states.iter().map(|_| tensor(&[1, 1, h])).collect();
    Some(Box::new(move || {
        let inputs = [black_box(&x)].into_iter().chain(&carried).cloned().collect();
        let outputs = model.run(inputs).expect(RUN);
        // The first output is the sequence.
        carried = outputs.into_iter().skip(1).collect();
        black_box(&carried);
    }))
}

fn tensor(shape: &[usize]) -> TValue {
    let values = vec![0.5f32; shape.iter().product()];
    Tensor::from_shape(shape, &values).expect(RUN).into()
}

/// Builds the model `Y, h', c' = operator(X, W, R, B, -, h, c)`.
fn model(operator: &str, gates: usize, states: &[&str], i: usize, h: usize) -> ModelProto {
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
    let graph = GraphProto {
        name: "cell".to_owned(),
        node: vec![node],
        initializer: vec![
            weights("W", &[1, gates * h, i], h),
            weights("R", &[1, gates * h, h], h),
            weights("B", &[1, 2 * gates * h], h),
        ],
        input: inputs,
        output: outputs,
        ..Default::default()
    };
    let opset = OperatorSetIdProto { version: 14, ..Default::default() };
    ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() }
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
