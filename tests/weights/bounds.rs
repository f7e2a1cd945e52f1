//! Files that need the most memory for their size. The memory of a load is bounded by a multiple of
//! the file's length. Error messages have a bounded length, for any number of mistakes and any
//! length of names.

use crate::damage::{MEMORY_BASE, MEMORY_FACTOR};
use crate::protobuf::field;
use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::torch;
use rnn_cell::weights::{Error, load, nam, onnx, rtneural};

/// The bound on the length of a message in bytes.
const MESSAGE: usize = 16 * 1024;

/// The number of entries in a long list: one more than a power of two, so that vectors have just
/// doubled their capacity.
const MANY: usize = (1 << 12) + 1;

/// Loads a file that must fail, and describes how it exceeds the bounds on memory or on the
/// message, if it does. `most` is updated with the memory in multiples of the file's length.
fn excess(
    name: &str,
    bytes: &[u8],
    most: &mut f64,
    load: impl FnOnce(&[u8]) -> Result<(), Error>,
) -> Option<String> {
    let mut result = Ok(());
    let memory = allocation_counter::measure(|| result = load(bytes));
    let length = bytes.len() as u64;
    let times = memory.bytes_max as f64 / (length + 600) as f64;
    *most = most.max(times);
    if memory.bytes_max > MEMORY_FACTOR * length + MEMORY_BASE {
        return Some(format!("{name}: {times:.1} times {length} bytes"));
    }
    let Err(error) = result else { return Some(format!("{name}: no error")) };
    let mut messages = vec![error.to_string(), format!("{error:?}")];
    messages.extend(error.problems().iter().take(100).map(|problem| format!("{problem:?}")));
    crate::damage::record(name, &messages[0]);
    messages.iter().find_map(|message| {
        let control = message.chars().find(|&c| c.is_control() && c != '\n');
        (message.len() > MESSAGE || control.is_some())
            .then(|| format!("{name}: a message of {} bytes, with control {control:?}", message.len()))
    })
}

/// Panics if `load` exceeds the bounds with one of the files.
fn bounded(files: &[(String, Vec<u8>)], mut load: impl FnMut(&[u8]) -> Result<(), Error>) {
    let mut most = 0.0;
    let wrong = files.iter().filter_map(|(name, bytes)| excess(name, bytes, &mut most, &mut load));
    let wrong: Vec<String> = wrong.collect();
    println!("{} files: at most {most:.1} times the file's length in memory", files.len());
    assert!(wrong.is_empty(), "{} of {} files:\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

/// Repeats `one` [`MANY`] times, separated by commas, with the number of each in place of `#`.
fn many(one: &str) -> String {
    (0..MANY).map(|number| one.replace('#', &number.to_string())).collect::<Vec<_>>().join(",")
}

/// Returns JSON values that need much memory for their length, with names.
fn values() -> Vec<(String, String)> {
    let elements = [
        "0",
        "0.5",
        "null",
        "true",
        "\"\"",
        "\"a\"",
        "[]",
        "{}",
        "[0]",
        "[[]]",
        "[[0]]",
        "{\"\":0}",
        "[\"\"]",
        "[0,\"\"]",
        "[null,1]",
        "{\"\":[0]}",
        "{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\"}",
    ];
    let mut values: Vec<_> =
        elements.map(|element| (format!("many {element}"), format!("[{}]", many(element)))).into();
    values.push(("numbers and a string".into(), format!("[{},\"\"]", many("0"))));
    values.push(("strings and a number".into(), format!("[{},0]", many("\"\""))));
    values.push(("many keys".into(), format!("{{{}}}", many("\"#\":0"))));
    values.push(("one key, many times".into(), format!("{{{}}}", many("\"a\":0"))));
    values.push(("a long key twice".into(), format!("{{\"{0}\":0,\"{0}\":0}}", "\\u0007".repeat(MANY))));
    values.push(("a long text".into(), format!("\"{}\"", "x".repeat(MANY))));
    values.push(("control characters".into(), format!("\"{}\"", "\\u001b[31m\\r".repeat(MANY))));
    values.push(("deep".into(), "[".repeat(MANY)));
    values.push(("deep objects".into(), "{\"a\":".repeat(MANY)));
    let wide = format!("{}0{}", "[0,".repeat(100), "]".repeat(100));
    values.push(("deep within the limit".into(), format!("[{}]", vec![wide; MANY / 100].join(","))));
    values.push(("a huge number".into(), "9".repeat(MANY)));
    values
}

fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(vec![0xff; data]);
    bytes
}

fn safetensors_files() -> Vec<(String, Vec<u8>)> {
    let empty = r#"{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#;
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, header: String, data: usize| {
        files.push((name.into(), safetensors(&header, data)));
    };
    add("many tensors", format!("{{{}}}", many(&format!(r##""#":{empty}"##))), 0);
    for name in ["weight_ih_l0", "W_i", "weight_hh_l#", "#.weight_ih_l0", "m#.weight_ih_l0", "W_i#", "#W_i"] {
        let own = many(&format!(r#""{name}":{empty}"#));
        add(&format!("many `{name}`"), format!("{{{own}}}"), 0);
    }
    let layers = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"];
    let layers = layers.map(|name| format!(r##""#.{name}":{empty}"##)).join(",");
    add("many layers", format!("{{{}}}", many(&layers)), 0);
    let scalar = r#"{"dtype":"I8","shape":[],"data_offsets":[0,1]}"#;
    add("many tensors of one place", format!("{{{}}}", many(&format!(r##""#":{scalar}"##))), 1);
    for name in ["x", "\\u0000", "\\u001b[2J", "é", "\\u202e"] {
        for end in ["", "W_i", "weight_ih_l0", ".weight_ih_l0"] {
            let long = name.repeat(MANY);
            add(&format!("a long name of {name}{end}"), format!(r#"{{"{long}{end}":{empty}}}"#), 0);
        }
    }
    for name in ["W_i", "weight_ih_l0", "other"] {
        let ones = many("1");
        let entry = format!(r#"{{"{name}":{{"dtype":"F32","shape":[{ones}],"data_offsets":[0,4]}}}}"#);
        add(&format!("many dimensions of {name}"), entry, 4);
        let wrong =
            format!(r#"{{"{name}":{{"dtype":"F32","shape":[{MANY}],"data_offsets":[0,{}]}}}}"#, 4 * MANY);
        add(&format!("many wrong entries of {name}"), wrong, 4 * MANY);
    }
    for (what, value) in values() {
        add(&what, value.clone(), 0);
        add(&format!("{what} as a tensor"), format!(r#"{{"W_i":{value}}}"#), 0);
        add(&format!("{what} as metadata"), format!(r#"{{"__metadata__":{value},"a":{empty}}}"#), 0);
        for key in ["dtype", "shape", "data_offsets", "x"] {
            add(&format!("{what} as {key}"), format!(r#"{{"W_i":{{"{key}":{value}}}}}"#), 0);
        }
    }
    files
}

#[test]
fn safetensors_by_name() {
    bounded(&safetensors_files(), |bytes| load(&mut Lstm::<2, 3>::zeros(), bytes));
}

#[test]
fn safetensors_of_pytorch() {
    let mapping = torch::lstm();
    let far = mapping.clone().prefix("net.lstm.").ignoring("0");
    bounded(&safetensors_files(), |bytes| mapping.load(&mut Lstm::<2, 3>::zeros(), bytes));
    bounded(&safetensors_files(), |bytes| far.load(&mut Lstm::<2, 3>::zeros(), bytes));
}

fn nam_file(layers: usize, hidden: usize, weights: &str) -> String {
    format!(
        r#"{{"version":"0.5.4","architecture":"LSTM","config":{{"input_size":1,"hidden_size":{hidden},"num_layers":{layers}}},"weights":{weights}}}"#
    )
}

#[test]
fn nam_files() {
    let mut files: Vec<(String, String)> = Vec::new();
    let weights = format!("[{}0]", "0,".repeat(14 * MANY + 1));
    files.push(("many layers".into(), nam_file(MANY, 1, &weights)));
    files.push(("many units".into(), nam_file(1, MANY, &weights)));
    for (what, value) in values() {
        files.push((what.clone(), value.clone()));
        files.push((format!("{what} as weights"), nam_file(1, 2, &value)));
        for key in ["version", "architecture", "config", "metadata", "sample_rate", "other"] {
            files.push((format!("{what} as {key}"), format!(r#"{{"architecture":"LSTM","{key}":{value}}}"#)));
        }
        for key in ["num_layers", "hidden_size", "in_channels"] {
            files.push((
                format!("{what} as {key}"),
                format!(r#"{{"architecture":"LSTM","config":{{"{key}":{value}}}}}"#),
            ));
        }
        let metadata =
            format!(r#"{{"architecture":"LSTM","metadata":{{"name":{value},"loudness":{value}}}}}"#);
        files.push((format!("{what} as a name"), metadata));
    }
    let files: Vec<_> = files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    bounded(&files, |bytes| nam::load(&mut nam::one_layer::<2>(), bytes));
    bounded(&files, |bytes| nam::load(&mut Dense::<2, 1>::zeros(), bytes));
}

fn rtneural_file(layers: &str) -> String {
    format!(r#"{{"in_shape":[null,null,1],"layers":{layers}}}"#)
}

#[test]
fn rtneural_files() {
    let mut files: Vec<(String, String)> = Vec::new();
    let dense = r#"{"type":"dense","activation":"","shape":[1],"weights":[[[1]],[1]]}"#;
    let short = r#"{"type":"dense","shape":[1],"weights":[[[1]],[1]]}"#;
    let lstm = r#"{"type":"lstm","shape":[1],"weights":[[[1,1,1,1]],[[1,1,1,1]],[1,1,1,1]]}"#;
    let activation = r#"{"type":"activation","activation":"tanh"}"#;
    let long = "\\u0007".repeat(MANY);
    for layer in [dense, short, lstm, activation] {
        files.push((format!("many {layer}"), rtneural_file(&format!("[{}]", many(layer)))));
    }
    let pair = format!("{short},{activation}");
    files.push(("many pairs".into(), rtneural_file(&format!("[{}]", many(&pair)))));
    files.push((
        "a long activation".into(),
        rtneural_file(&format!(r#"[{short},{{"type":"activation","activation":"{long}"}}]"#)),
    ));
    for (what, value) in values() {
        files.push((what.clone(), value.clone()));
        files.push((format!("{what} as layers"), rtneural_file(&value)));
        files.push((format!("{what} as a layer"), rtneural_file(&format!("[{value}]"))));
        for key in ["in_shape", "in_skip", "in_gain", "samplerate", "metadata", "other"] {
            files.push((format!("{what} as {key}"), format!(r#"{{"{key}":{value},"layers":[{short}]}}"#)));
        }
        for kind in ["dense", "lstm"] {
            for key in ["activation", "shape", "weights", "other"] {
                let layer = format!(r#"[{{"type":"{kind}","{key}":{value}}}]"#);
                files.push((format!("{what} as {key} of {kind}"), rtneural_file(&layer)));
            }
            let layer = format!(r#"[{{"type":"{kind}","shape":[1],"weights":[{value},{value},{value}]}}]"#);
            files.push((format!("{what} as weights of {kind}"), rtneural_file(&layer)));
        }
        files.push((
            format!("{what} as a kernel"),
            rtneural_file(&format!(r#"[{{"type":"dense","shape":[{MANY}],"weights":[{value},[0]]}}]"#)),
        ));
        files.push((format!("{what} as a type"), rtneural_file(&format!(r#"[{{"type":{value}}}]"#))));
    }
    let files: Vec<_> = files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    let mut net = Stack(Lstm::<1, 8>::zeros(), Dense::<8, 1>::zeros());
    bounded(&files, |bytes| rtneural::load(&mut net, bytes));
}

fn model(graph: &[u8]) -> Vec<u8> {
    [[0x08, 0x08].as_slice(), &field(7, graph)].concat()
}

#[test]
fn onnx_files() {
    let each = |one: &dyn Fn(usize) -> Vec<u8>| (0..MANY).flat_map(one).collect::<Vec<u8>>();
    let node = |operator: &str, name: &str| {
        field(1, &[field(4, operator.as_bytes()), field(3, name.as_bytes())].concat())
    };
    let tensor = |dims: &[u8], name: &str, raw: &[u8]| {
        field(5, &[field(1, dims), vec![0x10, 1], field(8, name.as_bytes()), field(9, raw)].concat())
    };
    let long = "\u{7}x".repeat(MANY);
    let inputs = each(&|_| field(1, b""));
    let chain = |operator: &str| {
        let nodes = each(&|k| {
            let (x, y) = (k.to_string(), (k + 1).to_string());
            let parts = [
                field(1, x.as_bytes()),
                field(1, b"w"),
                field(2, y.as_bytes()),
                field(4, operator.as_bytes()),
            ];
            field(1, &parts.concat())
        });
        [tensor(&[1, 1], "w", &[0; 4]), nodes].concat()
    };
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("many empty nodes", each(&|_| field(1, b""))),
        ("many empty tensors", each(&|_| field(5, b""))),
        ("many operators", each(&|k| node(&k.to_string(), ""))),
        ("many LSTMs", each(&|_| node("LSTM", ""))),
        ("many named GRUs", each(&|k| node("GRU", &k.to_string()))),
        ("many products", each(&|_| node("Gemm", ""))),
        ("many constants", each(&|_| node("Constant", ""))),
        ("a long operator", node(&long, "")),
        ("a long name", node("LSTM", &long)),
        ("many inputs", field(1, &[field(4, b"LSTM"), inputs].concat())),
        (
            "many outputs",
            field(1, &[field(4, b"Concat"), each(&|k| field(2, k.to_string().as_bytes()))].concat()),
        ),
        (
            "many attributes",
            field(1, &[field(4, b"LSTM"), each(&|k| field(5, &field(1, k.to_string().as_bytes())))].concat()),
        ),
        (
            "many activations",
            field(
                1,
                &[
                    field(4, b"LSTM"),
                    field(5, &[field(1, b"activations"), each(&|_| field(9, b"\x1b"))].concat()),
                ]
                .concat(),
            ),
        ),
        ("a long domain", field(1, &[field(4, b"LSTM"), field(7, long.as_bytes())].concat())),
        ("many tensors", each(&|k| tensor(&[1], &k.to_string(), &[0; 4]))),
        ("many tensors of one name", each(&|_| tensor(&[1], "a", &[0; 4]))),
        ("a long tensor", tensor(&[1], &long, &[0; 4])),
        ("many dimensions", [tensor(&vec![1; MANY], "w", &[0; 4]), chain("LSTM")[11..].to_vec()].concat()),
        ("many products in a chain", chain("MatMul")),
        ("many recurrent layers in a chain", chain("LSTM")),
        ("many wrong entries", tensor(&[4, 8], "a", &[0xff; 4 * 32])),
    ];
    let files: Vec<_> = files.into_iter().map(|(name, graph)| (name.into(), model(&graph))).collect();
    bounded(&files, |bytes| onnx::load(&mut Lstm::<3, 4>::zeros(), bytes));
}
