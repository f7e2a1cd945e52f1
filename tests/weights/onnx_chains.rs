//! ONNX graphs that are not a chain of layers, and unusual chains. The files are written byte by
//! byte so that they can contain any mistake.

use crate::damage::{MEMORY_BASE, MEMORY_FACTOR};
use crate::protobuf::{field, varint};
use crate::{bits, fixture, randomise};
use rnn_cell::cell::ModelMut;
use rnn_cell::cells::*;
use rnn_cell::prelude::*;
use rnn_cell::weights::Source;
use rnn_cell::weights::onnx::{self, File, dense, gru, lstm};

/// Encodes an integer field of a protocol buffer.
fn whole(number: u64, value: i64) -> Vec<u8> {
    [varint(number << 3), varint(value as u64)].concat()
}

fn single(number: u64, value: f32) -> Vec<u8> {
    [&varint(number << 3 | 5)[..], &value.to_le_bytes()].concat()
}

/// Encodes an attribute of a node.
fn attribute(name: &str, value: Vec<u8>) -> Vec<u8> {
    field(5, &[field(1, name.as_bytes()), value].concat())
}

fn int(name: &str, value: i64) -> Vec<u8> {
    attribute(name, whole(3, value))
}

fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    attribute(name, values.iter().flat_map(|&value| whole(8, value)).collect())
}

/// Encodes a node such as `LSTM x w r -> y h c`. An input or output `_` is omitted.
fn node_with(text: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let (read, given) = text.split_once(" -> ").unwrap();
    let mut read = read.split(' ');
    let operator = field(4, read.next().unwrap().as_bytes());
    let names = |number, name: &str| field(number, name.trim_matches('_').as_bytes());
    let inputs = read.flat_map(|name| names(1, name));
    let outputs = given.split(' ').flat_map(|name| names(2, name));
    field(1, &[inputs.chain(outputs).collect(), operator, attributes.concat()].concat())
}

fn node(text: &str) -> Vec<u8> {
    node_with(text, &[])
}

/// Encodes a tensor of the floats 0.5, 1.5, 2.5 ..
fn tensor(name: &str, shape: &[i64]) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|&size| whole(1, size)).collect();
    let numbers = (0..shape.iter().product::<i64>()).flat_map(|k| (k as f32 + 0.5).to_le_bytes());
    field(
        5,
        &[dims, whole(2, 1), field(8, name.as_bytes()), field(9, &numbers.collect::<Vec<u8>>())].concat(),
    )
}

/// Encodes a tensor of the type INT64.
fn integers(name: &str, numbers: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let dims = whole(1, numbers.len() as i64);
    field(5, &[dims, whole(2, 7), field(8, name.as_bytes()), field(9, &raw)].concat())
}

/// Encodes a model of nodes and tensors with the inputs `x`, `h0`, `c0` and `lengths`.
fn model(parts: &[Vec<u8>], outputs: &str) -> Vec<u8> {
    let names = |number, names: &str| -> Vec<u8> {
        names.split(' ').flat_map(|name| field(number, &field(1, name.as_bytes()))).collect()
    };
    let graph = [names(11, "x h0 c0 lengths"), parts.concat(), names(12, outputs)].concat();
    [field(8, &whole(2, 17)), field(7, &graph)].concat()
}

/// Encodes the tensors of LSTMs with 2 inputs and 2 outputs, of a GRU and of dense layers, and
/// lists of axes.
fn tensors() -> Vec<u8> {
    let all = [
        tensor("W", &[1, 8, 2]),
        tensor("R", &[1, 8, 2]),
        tensor("W2", &[2, 8, 2]),
        tensor("R2", &[2, 8, 2]),
        tensor("W4", &[1, 8, 4]),
        tensor("P", &[1, 6]),
        tensor("s", &[1, 1, 2]),
        tensor("WG", &[1, 6, 2]),
        tensor("RG", &[1, 6, 2]),
        tensor("B", &[2, 2]),
        tensor("B4", &[4, 2]),
        tensor("b", &[2]),
        integers("zero", &[0]),
        integers("one", &[1]),
        integers("last", &[-1]),
        integers("swap", &[1, 0]),
        integers("three", &[0, 0, -1]),
        integers("rows", &[-1, 2]),
        integers("pairs", &[-1, 4]),
    ];
    all.concat()
}

fn read(nodes: &[Vec<u8>], outputs: &str) -> Result<File, String> {
    File::read(&model(&[tensors(), nodes.concat()], outputs)).map_err(|error| error.to_string())
}

/// Encodes a recurrent layer as PyTorch writes it with `batch_first`.
fn batch_first(x: &str, y: &str) -> [Vec<u8>; 4] {
    [
        node_with(&format!("Transpose {x} -> {y}1"), &[ints("perm", &[1, 0, 2])]),
        node(&format!("LSTM {y}1 W R -> {y}2")),
        node(&format!("Squeeze {y}2 one -> {y}3")),
        node_with(&format!("Transpose {y}3 -> {y}"), &[ints("perm", &[1, 0, 2])]),
    ]
}

fn two() -> Stack<Lstm<2, 2>, Dense<2, 2>> {
    Stack(Lstm::zeros(), Dense::zeros())
}

#[test]
fn chains_that_exporters_write() {
    let load = |nodes: &[Vec<u8>], outputs: &str| {
        let file = read(nodes, outputs).unwrap();
        file.load(&mut two()).unwrap();
    };
    // The head reads the hidden state of the last step, the last output, or all outputs as rows.
    load(&[node("LSTM x W R -> _ h"), node("Squeeze h zero -> a"), node("Gemm a B b -> y")], "y");
    let last = [node_with("Gather seq last -> end", &[int("axis", 1)]), node("Squeeze end one -> a")];
    load(&[&batch_first("x", "seq")[..], &last, &[node("Gemm a B b -> y")]].concat(), "y");
    let slice = node("Slice seq last one one -> a");
    load(
        &[&batch_first("x", "seq")[..], &[slice, node("MatMul a B -> p"), node("Add b p -> y")]].concat(),
        "y",
    );
    let rows = [node("Reshape seq rows -> a"), node("Gemm a B b -> p"), node("Reshape p three -> y")];
    load(&[&batch_first("x", "seq")[..], &rows].concat(), "y");
    // States are inputs and outputs of the graph.
    let states =
        [node("LSTM x W R _ lengths h0 c0 -> a h c"), node("Squeeze a one -> d"), node("MatMul d B -> y")];
    load(&states, "y h c");
    let parts = [node("Slice h0 zero one zero -> p"), node("LSTM x W R _ _ p p -> a h c")];
    load(
        &[&parts[..], &[node("MatMul a B -> y"), node_with("Concat h c -> s0", &[int("axis", 0)])]].concat(),
        "y s0",
    );
    // A node with `layout`, and a dense layer before a recurrent layer.
    let batch = [node_with("LSTM x W R -> a", &[int("layout", 1)]), node("MatMul a B -> y")];
    load(&batch, "y");
    let first = [node("MatMul x B -> p"), node("LSTM p W R -> y")];
    let file = read(&first, "y").unwrap();
    file.load(&mut Stack(Dense::<2, 2>::zeros(), Lstm::<2, 2>::zeros())).unwrap();
    // Two layers, and two directions whose features are joined.
    let deep = [&batch_first("x", "a")[..], &batch_first("a", "y")].concat();
    read(&deep, "y").unwrap().load(&mut Stack(Lstm::<2, 2>::zeros(), Lstm::<2, 2>::zeros())).unwrap();
    let both = [
        node_with("LSTM x W2 R2 -> a", &[attribute("direction", field(4, b"bidirectional"))]),
        node_with("Transpose a -> t", &[ints("perm", &[0, 2, 1, 3])]),
        node("Reshape t three -> j"),
    ];
    let file = read(&[&both[..], &[node("LSTM j W4 R -> y")]].concat(), "y").unwrap();
    let pair = Bidirectional::new(Lstm::<2, 2>::zeros(), Lstm::<2, 2>::zeros()).joined(Concat::<4>);
    file.load(&mut Stack(pair, Lstm::<4, 2>::zeros())).unwrap();
}

/// Graphs that do not compute a stack of their layers are refused.
#[test]
fn graphs_that_are_not_chains() {
    let cases: &[(&str, &[&str], &str, &str)] = &[
        (
            "the cell state, not the hidden one",
            &["LSTM x W R -> y h c", "Squeeze c zero -> q", "Gemm q B b -> z"],
            "z",
            "`Gemm z` is outside the chain in the file; it reads `q`, but each layer must read the output of the previous one, here `y`",
        ),
        (
            "an activation of a value that the next layer does not read",
            &["Gemm x B b -> a", "Tanh a -> t", "Gemm a B b -> y"],
            "y",
            "`Gemm y` is outside the chain in the file; it reads `a`, but each layer must read the output of the previous one, here `t`",
        ),
        (
            "a bias of a value that the next layer does not read",
            &["MatMul x B -> a", "Add a b -> t", "MatMul a B -> y"],
            "y",
            "`MatMul y` is outside",
        ),
        (
            "an activation of an older tensor",
            &["Gemm x B b -> a", "Gemm a B b -> c", "Tanh a -> y"],
            "y",
            "`Tanh y` is outside",
        ),
        (
            "a bias of an older tensor",
            &["MatMul x B -> a", "MatMul a B -> c", "Add b a -> y"],
            "y",
            "`Add y` is outside",
        ),
        (
            "features in another order",
            &["Gemm x B b -> a", "Gather a swap -> g", "Gemm g B b -> y"],
            "y",
            "`Gather g` is on axes that are not known",
        ),
        (
            "features in another order, of an LSTM",
            &["LSTM x W R -> a", "Gather:3 a swap -> g", "MatMul g B -> y"],
            "y",
            "`Gather g` is on the axis of features",
        ),
        (
            "a part of the input",
            &["Slice x zero one -> p", "LSTM p W R -> y"],
            "y",
            "`LSTM y` is outside the chain in the file; it reads `p`, but each layer must read the output of the previous one, here an input of the graph",
        ),
        (
            "a loop of one node",
            &["LSTM h W R -> h"],
            "h",
            "`LSTM h: h` is not computed by any earlier node in the file; nodes must be in the order of computation, without cycles",
        ),
        (
            "a loop of two nodes",
            &["Gemm b2 B -> a", "Gemm a B -> b2"],
            "b2",
            "`Gemm a: b2` is not computed by any earlier node",
        ),
        (
            "an undefined input",
            &["LSTM unknown W R -> y"],
            "y",
            "`LSTM y: unknown` is not defined in the file",
        ),
        (
            "an output that is defined twice",
            &["Gemm x B -> y", "Tanh y -> y"],
            "y",
            "`Tanh y: y` is defined a second time in the file",
        ),
        (
            "an output with the name of a tensor",
            &["Identity x -> B", "Gemm x B -> y"],
            "y",
            "`Identity B: B` is defined a second time",
        ),
        (
            "an output with the name of an input",
            &["Gemm x B -> h0", "Gemm h0 B -> y"],
            "y",
            "`Gemm h0: h0` is defined a second time",
        ),
        (
            "an output from the middle",
            &["LSTM x W R -> a", "MatMul a B -> y"],
            "a",
            "`output a` is outside the chain in the file; it must be the output of the last layer, here `y`, or a state",
        ),
        (
            "a second output from the middle",
            &["LSTM x W R -> a", "MatMul a B -> y"],
            "y a",
            "`output a` is outside the chain",
        ),
        (
            "a last layer without an output",
            &["LSTM x W R -> y", "MatMul y B -> z"],
            "y",
            "`output y` is outside the chain",
        ),
        (
            "the cell state alone",
            &["LSTM x W R -> _ _ c"],
            "c",
            "`graph` is without the output of its last layer in the file",
        ),
        ("an undefined output", &["LSTM x W R -> y"], "z", "`output z` is outside the chain"),
        ("an output that is an input", &["LSTM x W R -> y"], "y x", "`output x` is outside the chain"),
        ("a second chain", &["LSTM x W R -> a", "LSTM x W R -> y"], "y", "`LSTM y` is outside the chain"),
        (
            "a residual",
            &["Gemm x B -> a", "Gemm a B -> c", "Add a c -> y"],
            "y",
            "`Add` is used by a node in the file; no layer",
        ),
        (
            "a product with exchanged factors",
            &["MatMul B x -> y"],
            "y",
            "`MatMul y` is outside the chain in the file; it reads `B`",
        ),
        (
            "an LSTM over the last step only",
            &["LSTM x W R -> a h", "LSTM h W R -> y"],
            "y",
            "`LSTM y` is on other axes in the file; it must read all steps",
        ),
        (
            "an LSTM over the batch",
            &["LSTM x W R -> a", "Squeeze a one -> q", "Transpose:1,0,2 q -> t", "LSTM t W R -> y"],
            "y",
            "`LSTM y` is on other axes",
        ),
        (
            "an LSTM over the batch, by `layout`",
            &["LSTM:layout x W R -> a", "Squeeze a two -> q", "LSTM q W R -> y"],
            "y",
            "`LSTM y` is on other axes",
        ),
        (
            "a product over the steps",
            &["LSTM x W R -> a", "Squeeze a one -> q", "Transpose:1,2,0 q -> t", "MatMul t B -> y"],
            "y",
            "`MatMul y` is on another axis than features",
        ),
        (
            "a bias along the steps",
            &["MatMul x B -> a", "Transpose:1,0 a -> t", "Add t b -> y"],
            "y",
            "`Transpose t` is on axes that are not known",
        ),
        (
            "axes reversed",
            &["LSTM x W R -> a", "Transpose a -> t", "MatMul t B -> y"],
            "y",
            "`MatMul y` is on another axis than features",
        ),
        (
            "features mixed with steps",
            &["LSTM x W R -> a", "Transpose a -> t", "Reshape t three -> r", "MatMul r B -> y"],
            "y",
            "`Reshape r` is on features that are not last",
        ),
        (
            "features of two samples",
            &["LSTM x W R -> a", "Reshape a pairs -> r", "Relu r -> y"],
            "y",
            "`Reshape r` is on features that it splits or joins",
        ),
        (
            "directions that are joined along the steps",
            &["LSTM:both x W2 R2 -> a", "Reshape a three -> r", "LSTM r W4 R -> y"],
            "y",
            "`Reshape r` is on the axis of features or of directions",
        ),
        (
            "one of two directions",
            &["LSTM:both x W2 R2 -> a", "Gather:1 a zero -> g", "LSTM g W R -> y"],
            "y",
            "`Gather g` is on the axis of features or of directions",
        ),
        (
            "both ends of a sequence",
            &["LSTM:both x W2 R2 -> a h", "Reshape h three -> r", "MatMul r B4 -> y"],
            "y",
            "`MatMul y` is outside the chain",
        ),
        (
            "a wrong number of inputs",
            &["LSTM x W R -> a", "MatMul a B4 -> y"],
            "y",
            "`MatMul y: inputs` is 4 in the file; it must be 2, the size of the previous layer",
        ),
        (
            "integers in between",
            &["Gemm x B b -> a", "Cast:6 a -> i", "Gemm i B b -> y"],
            "y",
            "`Cast i` is an operator that changes numbers",
        ),
        (
            "an activation of an LSTM",
            &["LSTM x W R -> a", "Tanh a -> t", "MatMul t B -> y"],
            "y",
            "`Tanh` is used by a node in the file; no layer",
        ),
        (
            "two activations",
            &["Gemm x B b -> a", "Tanh a -> t", "Relu t -> y"],
            "y",
            "`Relu` is used by a node in the file; no layer",
        ),
        (
            "a subgraph",
            &["LSTM x W R -> a", "If a -> y"],
            "y",
            "`If` is used by a node in the file; no layer",
        ),
        (
            "the mask of a dropout",
            &["Gemm x B b -> a", "Dropout a -> d m", "Gemm m B b -> y"],
            "y",
            "`Gemm y` is outside the chain",
        ),
        (
            "a dropout in training mode",
            &["Gemm x B b -> a", "Dropout a _ one -> d", "Gemm d B b -> y"],
            "y",
            "`Dropout d` is an operator that changes numbers",
        ),
        (
            "lengths in the file",
            &["LSTM x W R _ one -> y"],
            "y",
            "`LSTM y: sequence_lens` is a constant or computed by a layer in the file",
        ),
        (
            "an initial state that a layer computes",
            &["LSTM x W R -> a h", "LSTM a W R _ _ h -> y"],
            "y",
            "`LSTM y: initial_h` is computed in the file",
        ),
        ("a scaled product", &["Gemm:alpha x B b -> y"], "y", "`Gemm y` is scaled or transposed in the file"),
        ("a scaled bias", &["Gemm:beta x B b -> y"], "y", "`Gemm y` is scaled or transposed in the file"),
        (
            "a transposed input",
            &["Gemm:transA x B b -> y"],
            "y",
            "`Gemm y` is scaled or transposed in the file",
        ),
    ];
    let (mut wrong, mut named) = (String::new(), 0);
    for (what, nodes, outputs, wanted) in cases {
        let nodes = nodes.iter().map(|text| {
            let (head, names) = text.split_once(' ').unwrap();
            let (operator, setting) = head.split_once(':').unwrap_or((head, ""));
            let attribute = match (operator, setting) {
                (_, "") => vec![],
                ("Transpose", perm) => {
                    ints("perm", &perm.split(',').map(|axis| axis.parse().unwrap()).collect::<Vec<_>>())
                }
                ("Gather", axis) => int("axis", axis.parse().unwrap()),
                ("Cast", to) => int("to", to.parse().unwrap()),
                ("Gemm", "transA") => int("transA", 1),
                ("Gemm", scale) => attribute(scale, single(2, 2.0)),
                (_, "both") => attribute("direction", field(4, b"bidirectional")),
                (_, name) => int(name, 1),
            };
            node_with(&format!("{operator} {names}"), &[attribute])
        });
        let nodes = [integers("two", &[2])].into_iter().chain(nodes).collect::<Vec<_>>();
        match read(&nodes, outputs) {
            Ok(_) => wrong += &format!("{what}: read without an error\n"),
            Err(message) if !message.contains(wanted) => wrong += &format!("{what}: {message}\n"),
            Err(_) => named += 1,
        }
    }
    assert!(wrong.is_empty() && named == cases.len(), "{wrong}");
}

#[test]
fn mistakes_of_a_whole_file() {
    let message = |bytes: &[u8]| File::read(bytes).err().map_or_else(String::new, |error| error.to_string());
    let graph =
        [field(11, &field(1, b"x")), tensors(), node("LSTM x W R -> y"), field(12, &field(1, b"y"))].concat();
    let sound = field(7, &graph);
    assert_eq!(message(&sound), "");
    let cases = [
        ([sound.clone(), sound.clone()].concat(), "it has two graphs"),
        ([sound.clone(), field(8, &whole(2, 6))].concat(), "a version before 7"),
        ([sound.clone(), field(25, &field(1, b"LSTM"))].concat(), "it redefines ONNX's own operators"),
        (field(7, &[&graph[..], &tensor("W", &[1])].concat()), "two tensors have the same name"),
        (
            field(7, &[&graph[..], &field(11, &field(1, b"x"))].concat()),
            "two inputs of its graph have the same name",
        ),
        (field(7, &[&graph[..], &field(1, b"")].concat()), "a node has no operator"),
        (
            field(7, &node_with("LSTM x W R -> y", &[int("layout", 1), int("layout", 0)])),
            "a node has two attributes with the same name",
        ),
    ];
    for (bytes, wanted) in cases {
        let message = message(&bytes);
        assert!(message.contains(wanted), "{wanted}: {message}");
    }
    // Operators and functions of other domains have their own versions.
    let others = [field(1, b"com.example"), whole(2, 1)].concat();
    let function = [field(1, b"LSTM"), field(10, b"com.example")].concat();
    assert_eq!(message(&[sound, field(8, &others), field(25, &function)].concat()), "");
    let elsewhere = field(5, &[whole(1, 1), whole(2, 1), field(8, b"out"), whole(14, 1)].concat());
    let file = read(&[elsewhere, node("LSTM x W out -> y")], "y").unwrap_err();
    assert!(file.contains("`LSTM y: R` is kept in another file in the file"), "{file}");
}

#[test]
fn malicious_tensors() {
    let long = i64::MAX / 2 + 1;
    let entry = |sizes: &[i64], data_type: i64, raw: usize| {
        let dims: Vec<u8> = sizes.iter().flat_map(|&size| whole(1, size)).collect();
        field(5, &[dims, whole(2, data_type), field(8, b"t"), field(9, &vec![0; raw])].concat())
    };
    for (sizes, wanted) in [
        (&[-1_i64][..], "a tensor has a negative size"),
        (&[0, i64::MIN], "a tensor has a negative size"),
        (&[long], "the number of values in a tensor doesn't match its shape"),
        (&[long, 4], "the number of values in a tensor doesn't match its shape"),
        (&[long, long, 0], "the number of values in a tensor doesn't match its shape"),
        (&[2, 2], "the number of values in a tensor doesn't match its shape"),
        (&[1; 1000], "is of too many axes"),
    ] {
        let file = read(&[entry(sizes, 1, 4), node("LSTM x t R -> y")], "y").unwrap_err();
        assert!(file.contains(wanted), "{sizes:?}: {file}");
        // Integer tensors are only read as axes, of which there are few.
        let file = read(&[entry(sizes, 7, 8), node("LSTM x W R -> a"), node("Squeeze a t -> y")], "y");
        assert!(file.is_err() || sizes.iter().all(|&size| size == 1), "{sizes:?}");
    }
    let file = read(&[entry(&[1], 1, 3), node("LSTM x t R -> y")], "y").unwrap_err();
    assert!(file.contains("not a multiple of 4"), "{file}");
    for axis in [i64::MIN, i64::MAX, -4, 3] {
        let nodes = [node("LSTM x W R -> a"), node_with("Squeeze a -> y", &[ints("axes", &[axis])])];
        assert_eq!(read(&nodes, "y").is_err(), axis != -4 + 1 && axis != -4, "{axis}");
        let nodes = [node("LSTM x W R -> a"), node_with("Unsqueeze a -> y", &[ints("axes", &[axis; 20])])];
        assert!(read(&nodes, "y").is_err());
    }
}

/// A large tensor of axes that is shared by thousands of nodes is not read by each of them.
#[test]
fn large_tensors_of_axes() {
    let nodes = (0..20_000).map(|k| node(&format!("Squeeze a many -> a{k}"))).collect::<Vec<_>>();
    let many = integers("many", &[1; 100_000]);
    let floats = tensor("many", &[100_000]);
    for axes in [many, floats] {
        let start = std::time::Instant::now();
        let file = read(&[axes, node("LSTM x W R -> a"), nodes.concat()], "a0").unwrap_err();
        assert!(file.contains("`Squeeze a0` is on axes that are computed"), "{file}");
        // Two billion reads would take hours under memcheck, and minutes without it. A busy machine
        // takes a minute under memcheck.
        assert!(start.elapsed().as_secs() < 600, "{:?}", start.elapsed());
    }
}

/// Files of many small elements stay within the bounds on memory and on the message.
#[test]
fn many_small_nodes() {
    let many = |write: &dyn Fn(usize) -> Vec<u8>| (0..10_000).flat_map(write).collect::<Vec<u8>>();
    let name = |k: usize| char::from_u32(0x100 + k as u32).unwrap().to_string();
    let next = |k: usize| if k == 0 { "x".into() } else { name(k - 1) };
    let tiny =
        [tensor("w", &[1, 4, 1]), tensor("r", &[1, 4, 1]), tensor("m", &[1, 1]), tensor("n", &[70_000])];
    let tiny = tiny.concat();
    let recurrent = many(&|k| {
        let all = name(10_000 + k);
        let squeeze = node(&format!("Squeeze {all} -> {}", name(k)));
        [node(&format!("LSTM {} w r -> {all}", next(k))), squeeze].concat()
    });
    let dense = many(&|k| node(&format!("MatMul {} m -> {}", next(k), name(k))));
    let end = name(9_999);
    let graphs = [
        ("bare LSTMs", many(&|_| field(1, &field(4, b"LSTM")))),
        ("LSTMs of one name", many(&|_| node("LSTM x w r -> y"))),
        ("a chain of LSTMs", [&tiny[..], &recurrent].concat()),
        ("a chain of dense layers", [&tiny[..], &dense].concat()),
        ("unknown operators", many(&|k| node(&format!("{} -> {}", name(k), name(k))))),
        ("constants", many(&|k| node(&format!("Shape x -> {}", name(k))))),
        ("empty nodes", many(&|_| field(1, b""))),
        ("nodes without names", many(&|_| field(1, &field(4, b"Y")))),
        ("inputs", many(&|k| field(11, &field(1, name(k).as_bytes())))),
        ("outputs", many(&|k| field(12, &field(1, name(k).as_bytes())))),
        ("tensors", many(&|k| field(5, &[whole(2, 7), field(8, name(k).as_bytes())].concat()))),
        ("inputs of a node", field(1, &[field(4, b"Identity"), many(&|_| field(1, b""))].concat())),
        (
            "unknown inputs",
            field(1, &[field(4, b"Concat"), many(&|k| field(1, name(k).as_bytes()))].concat()),
        ),
        (
            "outputs of a node",
            field(1, &[field(4, b"Split"), many(&|k| field(2, name(k).as_bytes()))].concat()),
        ),
        ("attributes", field(1, &[field(4, b"LSTM"), many(&|k| attribute(&name(k), vec![]))].concat())),
        ("activations", node_with("LSTM x w r -> y", &[attribute("activations", many(&|_| field(9, b"")))])),
        ("sizes", field(5, &[many(&|_| whole(1, 1)), whole(2, 1), single(4, 1.0)].concat())),
    ];
    for (what, graph) in graphs {
        let ends = [field(11, &field(1, b"x")), field(12, &field(1, end.as_bytes()))].concat();
        let bytes = field(7, &[ends, graph].concat());
        let mut model = Lstm::<1, 1>::zeros();
        let mut message = String::new();
        let memory = allocation_counter::measure(|| {
            message = onnx::load(&mut model, &bytes).unwrap_err().to_string();
        });
        let times = memory.bytes_max as f64 / bytes.len() as f64;
        println!("{what}: {times:.1} times {} bytes, a message of {}", bytes.len(), message.len());
        assert!(
            memory.bytes_max <= MEMORY_FACTOR * bytes.len() as u64 + MEMORY_BASE,
            "{what}: {memory:?}, {times:.1}"
        );
        assert!(message.len() < 6_000, "{what}: {message}");
    }
}

#[test]
fn problems_that_are_not_listed_are_counted() {
    let nodes: Vec<Vec<u8>> =
        (0..1_254).map(|_| field(1, &[field(4, b"LSTM"), field(1, b"x")].concat())).collect();
    let message = read(&nodes, "y").unwrap_err();
    assert!(message.starts_with("weights not loaded, 21 problems\n"), "{message}");
    assert!(
        message.ends_with("- `graph` is wrong in 2,488 more places in the file; the first 20 are listed"),
        "{message}"
    );
    let long = "\u{202e}\n\u{7}".to_string() + &"n".repeat(100_000);
    let message =
        read(&[field(1, &[field(4, long.as_bytes()), field(1, long.as_bytes())].concat())], "y").unwrap_err();
    assert!(
        message.len() < 500 && message.contains("\\u{202e}\\n\\u{7}nnn") && !message.contains('\u{202e}'),
        "{message}"
    );
}

#[test]
fn cells_for_peepholes_and_initial_states() {
    fn refused<M: ModelMut>(mut model: M, bytes: &[u8]) -> String {
        randomise(&mut model, 1);
        let before = bits(&model);
        let message = onnx::load(&mut model, bytes).unwrap_err().to_string();
        assert_eq!(bits(&model), before, "the model has changed");
        assert!(!message.contains("ignoring"), "{message}");
        message
    }
    let lstm = || Lstm::<3, 4>::zeros();
    assert_eq!(
        refused(lstm(), &fixture("onnx_lstm_peepholes.onnx")),
        "weights not loaded: `0.lstm.P` is made of peephole weights in the file; \
         the cell must be a `PeepholeLstm`, in a mapping `onnx::peephole_lstm()`"
    );
    let wanted = "is an initial state that is not zero in the file; \
                  the cell must be an `InitialStateLstm`, in a mapping `onnx::initial_state_lstm()`";
    assert_eq!(
        refused(lstm(), &fixture("onnx_lstm_initial.onnx")),
        format!(
            "weights not loaded, 2 problems\n- `0.lstm.initial_c` {wanted}\n- `0.lstm.initial_h` {wanted}"
        )
    );
    // Features that no cell of the library has: peepholes together with initial states, an initial
    // state of a GRU, peepholes of coupled gates.
    let bytes = |text: &str, attributes: &[Vec<u8>]| model(&[tensors(), node_with(text, attributes)], "y");
    let none = "no ready-made cell has everything in this node: write one, and a mapping for its tensors";
    for message in [
        refused(PeepholeLstm::<2, 2>::zeros(), &bytes("LSTM x W R _ _ s s P -> y", &[])),
        refused(InitialStateLstm::<2, 2>::zeros(), &bytes("LSTM x W R _ _ s s P -> y", &[])),
        refused(Gru::<2, 2>::zeros(), &bytes("GRU x WG RG _ _ s -> y", &[])),
        refused(CifgLstm::<2, 2>::zeros(), &bytes("LSTM x W R _ _ _ _ P -> y", &[int("input_forget", 1)])),
    ] {
        assert!(message.contains(none), "{message}");
    }
}

#[test]
fn layers_that_a_mapping_leaves_out() {
    let chain = |depth: usize| {
        let nodes = (0..depth).map(|k| {
            node(&format!("MatMul {} B -> a{k}", if k == 0 { "x".into() } else { format!("a{}", k - 1) }))
        });
        // The file is large enough that all layers are read.
        read(&nodes.chain([tensor("many", &[1000])]).collect::<Vec<_>>(), &format!("a{}", depth - 1)).unwrap()
    };
    let mut model = Dense::<2, 2>::zeros();
    let message = chain(100).load(&mut model).unwrap_err().to_string();
    assert_eq!(
        message,
        "weights not loaded: `graph` is a chain of 100 layers in the file; the mapping reads 1 of them"
    );
    let sizes = chain(100).sizes();
    assert!(sizes.starts_with("2 -> dense 2 -> ") && sizes.ends_with(" -> 80 more layers"), "{sizes}");
    let message = chain(3).load(&mut model).unwrap_err().to_string();
    assert!(message.contains("`1.dense.W`") && message.contains("`2.dense.b`"), "{message}");
    let all = (1..100).fold(onnx::layers([dense("")]), |mapping, k| mapping.ignoring(&format!("{k}.")));
    chain(100).load_by(&all, &mut model).unwrap();
    // Layers of other kinds must not cause a panic.
    assert!(chain(2).load_by(&onnx::layers([gru(), lstm()]), &mut model).is_err());
}
