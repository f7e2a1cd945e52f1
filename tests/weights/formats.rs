//! Files of other formats. The loader recognises them, and the message names the format and the
//! remedy.

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::weights::torch;
use rnn_cell::weights::{Error, load, nam, onnx, rtneural};

type Loader = (&'static str, fn(&[u8]) -> Result<(), Error>);

/// All loaders except ONNX.
const LOADERS: [Loader; 4] = [
    ("safetensors", |bytes| load(&mut Dense::<2, 3>::zeros(), bytes)),
    ("safetensors of PyTorch", |bytes| torch::lstm().load(&mut Lstm::<2, 3>::zeros(), bytes)),
    ("nam", |bytes| nam::load(&mut nam::one_layer::<2>(), bytes)),
    ("rtneural", |bytes| rtneural::load(&mut Lstm::<2, 3>::zeros(), bytes)),
];

/// Returns a zip archive whose first entry has this name.
fn zip(name: &str) -> Vec<u8> {
    let length = (name.len() as u16).to_le_bytes();
    [b"PK\x03\x04".as_slice(), &[0; 22], &length, &[0; 2], name.as_bytes(), &[1; 50]].concat()
}

fn utf_16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

/// Returns the first bytes of files, with the description and the help that the message must
/// contain.
fn formats() -> Vec<(Vec<u8>, &'static str, &'static str)> {
    let json = r#"{"version": "0.5.4"}"#;
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let pickle = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    vec![
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), "compressed with gzip", "gunzip"),
        (b"BZh91AY&SY".to_vec(), "compressed with bzip2", "bunzip2"),
        (b"\xfd7zXZ\0\0\x04".to_vec(), "compressed with xz", "unxz"),
        (b"\x28\xb5\x2f\xfd\x04\x58".to_vec(), "compressed with Zstandard", "unzstd"),
        (utf_16(&format!("\u{feff}{json}"), u16::to_le_bytes), "text in UTF-16", "save it as UTF-8"),
        (utf_16(&format!("\u{feff}{json}"), u16::to_be_bytes), "text in UTF-16", "save it as UTF-8"),
        (utf_16(json, u16::to_le_bytes), "text in UTF-16", "save it as UTF-8"),
        (utf_16(json, u16::to_be_bytes), "text in UTF-16", "save it as UTF-8"),
        (lfs.into(), "a Git LFS pointer", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Sign in".to_vec(), "an HTML page", "download the raw file"),
        (b"\n  <html lang=\"en\">".to_vec(), "an HTML page", "download the raw file"),
        ("\u{feff}<!doctype HTML>".into(), "an HTML page", "download the raw file"),
        (b"<?xml version=\"1.0\"?><Error>".to_vec(), "an XML document", "download the raw file"),
        (vec![], "an empty file", "download or export it again"),
        (zip("net/data.pkl"), "a PyTorch zip archive (`torch.save`)", ""),
        (b"PK\x03\x04".to_vec(), "a PyTorch zip archive (`torch.save`)", ""),
        (zip("arr_0.npy"), "a NumPy zip archive (`numpy.savez`)", ""),
        (zip("metadata.json"), "a Keras zip archive (`model.save`)", ""),
        (zip("amps/amp.nam"), "a zip archive with `amps/amp.nam` in it", "unzip"),
        (zip("net.safetensors"), "a zip archive with `net.safetensors` in it", "unzip"),
        (pickle.to_vec(), "a pickle of an old PyTorch version (`torch.save`)", ""),
        (b"\x80\x04\x95\x0f\0\0\0\0\0\0\0}".to_vec(), "a Python pickle", ""),
        (b"\x93NUMPY\x01\0v\0".to_vec(), "a NumPy array (`numpy.save`)", ""),
        (b"\x89HDF\r\n\x1a\n\0".to_vec(), "an HDF5 file, as Keras saves weights", ""),
    ]
}

/// Panics unless `load` recognises the file, in a message of two lines.
fn recognised(name: &str, load: fn(&[u8]) -> Result<(), Error>, bytes: &[u8], found: &str, help: &str) {
    let message = load(bytes).unwrap_err().to_string();
    let (fact, rest) = message.split_once("\n  help: ").unwrap_or_else(|| panic!("{name}: {message}"));
    assert_eq!(fact, format!("weights not loaded: this is {found}"), "{name}");
    assert!(rest.contains(help) && rest.len() > 5 && !rest.contains('\n'), "{name}: {message}");
}

#[test]
fn every_loader_recognises_other_formats() {
    for (name, load) in LOADERS {
        for (bytes, found, help) in formats() {
            recognised(name, load, &bytes, found, help);
        }
    }
}

#[test]
fn onnx_recognises_other_formats() {
    for (bytes, found, help) in formats() {
        recognised("ONNX", |bytes| onnx::load(&mut Lstm::<2, 3>::zeros(), bytes), &bytes, found, help);
    }
}

#[test]
fn loaders_recognise_the_files_of_other_loaders() {
    let safetensors = rnn_cell::weights::save(&Dense::<2, 3>::zeros()).unwrap();
    let json = b" {\"layers\": []}";
    let [by_name, torch, nam, rtneural] = LOADERS;
    for (name, load) in [nam, rtneural] {
        recognised(name, load, &safetensors, "a safetensors file", "`rnn_cell::weights::load`");
    }
    for (name, load) in [by_name, torch] {
        recognised(name, load, json, "a JSON file", "`nam` and `rtneural`");
    }
}

/// For some files, the help depends on the loader.
#[test]
fn the_help_is_for_the_format_of_the_loader() {
    let help = |(_, load): Loader| load(&zip("net/data.pkl")).unwrap_err().to_string();
    let [by_name, _, nam, rtneural] = LOADERS;
    assert!(help(by_name).contains("`safetensors.torch.save_file("));
    assert!(help(nam).contains("the trainer of Neural Amp Modeler exports `.nam` files"));
    assert!(help(rtneural).contains("RTNeural's Python scripts write its JSON"));
}

/// Windows programs put a byte order mark before UTF-8 text.
#[test]
fn a_byte_order_mark_before_json_is_accepted() {
    let amp = nam::one_layer::<2>();
    let bytes = [b"\xef\xbb\xbf".as_slice(), &nam::save(&amp, &nam::Info::default()).unwrap()].concat();
    nam::load(&mut nam::one_layer::<2>(), &bytes).unwrap();
    let bytes = [b"\xef\xbb\xbf".as_slice(), &crate::fixture("rtneural_lstm.json")].concat();
    rtneural::File::read(&bytes).unwrap();
}

#[test]
fn duplicate_keys() {
    let entry = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let safetensors = |header: &str| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend([0; 4]);
        load(&mut Dense::<2, 3>::zeros(), &bytes).unwrap_err().to_string()
    };
    let twice = |key: &str| format!("the key \"{key}\" occurs twice in one object");
    let message = safetensors(&format!(r#"{{"b":{entry},"W":{entry},"b":{entry}}}"#));
    assert!(message.contains(&twice("b")), "{message}");
    let message = safetensors(r#"{"b":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,4]}}"#);
    assert!(message.contains(&twice("shape")), "{message}");

    let amp = String::from_utf8(nam::save(&nam::one_layer::<2>(), &nam::Info::default()).unwrap()).unwrap();
    let message = |text: &str| nam::File::read(text.as_bytes()).unwrap_err().to_string();
    let text = amp.replace("\"hidden_size\"", "\"hidden_size\": 9, \"hidden_size\"");
    assert!(message(&text).contains(&twice("hidden_size")), "{}", message(&text));

    let json = String::from_utf8(crate::fixture("rtneural_lstm.json")).unwrap();
    let message = |text: &str| rtneural::File::read(text.as_bytes()).unwrap_err().to_string();
    let text = json.replacen("\"type\"", "\"type\": \"gru\", \"type\"", 1);
    assert!(message(&text).contains(&twice("type")), "{}", message(&text));
    // A long key is shortened, and its control characters are escaped.
    let text = format!(r#"{{"{0}":0,"{0}":0}}"#, "\\u0007".repeat(1000));
    let found = message(&text);
    assert!(found.len() < 400 && found.contains("\\u{7}") && !found.contains('\u{7}'), "{found}");
}
