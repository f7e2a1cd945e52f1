//! `.nam` files, compared with a NumPy program that follows NeuralAmpModelerCore
//! (`fixtures/make_nam.py`).

use crate::{bits, fixture, largest_error, randomise};
use rnn_cell::cell::ModelMut;
use rnn_cell::cells::{Dense, InitialStateLstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::nam::{self, File, Info, one_layer, two_layers};
use rnn_cell::weights::{Error, Family, Player, Source};

type Wide<T> = (InitialStateLstm<1, 8, T>, Dense<8, 1, T>);

fn wide<T: rnn_cell::Scalar>() -> Stack<InitialStateLstm<1, 8, T>, Dense<8, 1, T>> {
    let (lstm, head): Wide<T> = (InitialStateLstm::zeros(), Dense::zeros());
    Stack(lstm, head)
}

#[test]
fn one_layer_agrees_with_numpy() {
    let file = File::read(&fixture("nam_1x8.nam")).unwrap();
    let wanted = Info {
        sample_rate: Some(48_000.0),
        name: Some("nam_1x8".into()),
        loudness: Some(-17.5),
        ..Info::default()
    };
    assert_eq!((file.version(), file.info()), ("0.5.4", &wanted));
    assert_eq!(file.sizes(), "1x8");
    let (mut double, mut single) = (wide::<f64>(), wide::<f32>());
    file.load(&mut double).unwrap();
    file.load(&mut single).unwrap();
    assert!(largest_error("nam_1x8", &double) < 1e-14);
    assert!(largest_error("nam_1x8", &single) < 1e-6);
}

#[test]
fn two_layers_agree_with_numpy() {
    let layers = Stack(InitialStateLstm::<1, 3, f64>::zeros(), InitialStateLstm::<3, 3, f64>::zeros());
    let mut amp = Stack(layers, Dense::<3, 1, f64>::zeros());
    let file = File::read(&fixture("nam_2x3.nam")).unwrap();
    assert_eq!(file.info(), &Info { sample_rate: Some(44_100.0), ..Info::default() });
    file.load(&mut amp).unwrap();
    assert!(largest_error("nam_2x3", &amp) < 1e-14);
}

#[test]
fn two_channels_agree_with_numpy() {
    let mut amp = Stack(InitialStateLstm::<2, 3, f64>::zeros(), Dense::<3, 2, f64>::zeros());
    nam::load(&mut amp, &fixture("nam_stereo.nam")).unwrap();
    assert!(largest_error("nam_stereo", &amp) < 1e-14);
    let saved = nam::save(&amp, &Info::default()).unwrap();
    let text = core::str::from_utf8(&saved).unwrap();
    assert!(text.contains(r#""in_channels": 2, "out_channels": 2"#), "{text}");
    let before = bits(&amp);
    nam::load(&mut amp, &saved).unwrap();
    assert_eq!(bits(&amp), before);
}

/// A saved file has the weights of the loaded file, in the same order.
#[test]
fn round_trips() {
    for name in ["nam_1x8.nam", "nam_2x3.nam"] {
        let bytes = fixture(name);
        let file = File::read(&bytes).unwrap();
        let saved = if file.sizes() == "1x8" {
            let mut amp = one_layer::<8>();
            file.load(&mut amp).unwrap();
            nam::save(&amp, file.info()).unwrap()
        } else {
            let mut amp = two_layers::<3>();
            file.load(&mut amp).unwrap();
            nam::save(&amp, file.info()).unwrap()
        };
        let [ours, theirs]: [serde_json::Value; 2] =
            [&saved, &bytes].map(|bytes| serde_json::from_slice(bytes).unwrap());
        for key in ["version", "architecture", "config", "weights"] {
            assert_eq!(ours[key], theirs[key], "{key}");
        }
        assert_eq!(File::read(&saved).unwrap().info(), file.info());
    }

    // The bits are the same in double precision. The name needs escapes in JSON.
    let (mut amp, mut copy) = (wide::<f64>(), wide::<f64>());
    randomise(&mut amp, 5);
    let info = Info { name: Some("\"Tweed\" \u{1} \\ \n ü".into()), ..Info::default() };
    let saved = nam::save(&amp, &info).unwrap();
    let file = File::read(&saved).unwrap();
    file.load(&mut copy).unwrap();
    assert_eq!((bits(&copy), file.info()), (bits(&amp), &info));
}

fn family(bytes: &[u8]) -> Result<Box<dyn Player<SVector<f32, 1>, SVector<f32, 1>> + Send>, Error> {
    let file = File::read(bytes)?;
    Family::of(&file).or(one_layer::<8>).or(two_layers::<3>).or(two_layers::<8>).load()
}

#[test]
fn a_family_of_sizes() {
    for name in ["nam_1x8", "nam_2x3"] {
        let mut amp = family(&fixture(&format!("{name}.nam"))).unwrap();
        let [xs, ys] = crate::sequences(name);
        let xs: Vec<_> = xs.iter().map(|x| SVector::<f32, 1>::new(x[0] as f32)).collect();
        let mut outputs = vec![SVector::zeros(); xs.len()];
        for _ in 0..2 {
            amp.run(&xs, &mut outputs);
            let error = outputs.iter().zip(&ys).map(|(y, wanted)| (f64::from(y[0]) - wanted[0]).abs());
            assert!(error.fold(0.0, f64::max) < 1e-6);
            amp.reset();
        }
        assert_eq!(amp.step(&xs[0]), outputs[0]);
    }
    let message = family(&fixture("nam_stereo.nam")).err().unwrap().to_string();
    assert_eq!(
        message,
        "weights not loaded: the file's model is 1x3 from 2 to 2 channels, and the family to choose from has `1x8`, `2x3`, `2x8`
  help: add a model of that size to the family"
    );
}

fn refused<M: ModelMut>(model: &mut M, bytes: &[u8]) -> String {
    randomise(model, 1);
    let before = bits(model);
    let error = nam::load(model, bytes).unwrap_err();
    assert_eq!(bits(model), before, "the model has changed");
    error.to_string()
}

/// Returns the file of one layer of two units after `change`.
fn changed(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let saved = nam::save(&one_layer::<2>(), &Info::default()).unwrap();
    let mut json = serde_json::from_slice(&saved).unwrap();
    change(&mut json);
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn unsupported_files() {
    let message = |bytes: &[u8]| refused(&mut one_layer::<2>(), bytes);
    assert_eq!(
        refused(&mut two_layers::<4>(), &changed(|_| {})),
        "weights not loaded, 2 problems\n- `num_layers` is 1 in the file, 2 in the cell\n- `hidden_size` is 2 in the file, 4 in the cell"
    );
    assert_eq!(
        message(&changed(|json| json["architecture"] = "ConvNet".into())),
        "weights not loaded: `architecture` is \"ConvNet\" in the file; only \"LSTM\", \"WaveNet\" and \"SlimmableContainer\" can be read"
    );
    assert_eq!(
        message(&changed(|json| {
            json["version"] = "0.4.0".into();
            json["config"]["hidden_size"] = (-2).into();
            json["config"]["num_layers"] = serde_json::Value::Null;
            json["weights"] = "none".into();
        })),
        "weights not loaded, 4 problems
- `version` is \"0.4.0\" in the file; only versions from 0.5.0 to 0.7 can be read
- `config.num_layers` is missing in the file; it must be a whole number above 0
- `config.hidden_size` is -2 in the file; it must be a whole number above 0
- `weights` is \"none\" in the file; it must be an array of numbers"
    );
    let short = changed(|json| json["weights"].as_array_mut().unwrap().truncate(10));
    let wanted = "weights not loaded: `weights` is an array of 10 numbers in the file; a model of 1x2 has 39";
    assert_eq!(message(&short), wanted);
    let huge = changed(|json| json["config"]["hidden_size"] = 9_007_199_254_740_991_u64.into());
    assert!(message(&huge).contains("a model of 1x9007199254740991 has 18446744073709551615"));
    let large = changed(|json| json["weights"][38] = 1e200.into());
    assert!(message(&large).contains("`1.b` would be 1e200 at [0, 0], too large for f32"));

    let whole = String::from_utf8(changed(|_| {})).unwrap();
    let nan = message(whole.replace("[0.0,", "[NaN,").as_bytes());
    assert!(nan.contains("this is not a valid Neural Amp Modeler file: `NaN` at line 1"), "{nan}");
    let cut = message(&whole.as_bytes()[..whole.len() / 2]);
    assert!(cut.contains("not a valid Neural Amp Modeler file: EOF while parsing"), "{cut}");
    assert!(message("[".repeat(100_000).as_bytes()).contains("recursion limit exceeded"));
    assert!(message(b"3").contains("`architecture` is missing in the file"));
}

#[test]
fn unsupported_models() {
    let message = nam::save(&Dense::<2, 1>::zeros(), &Info::default()).unwrap_err().to_string();
    assert!(message.contains("the cell has no parameter `0.W_i`"), "{message}");
    let message = refused(&mut Dense::<2, 1>::zeros(), &fixture("nam_1x8.nam"));
    assert!(message.contains("the cell has no parameter `0.W_i`"), "{message}");
    let wanted =
        "- `config` is 1x8 in the file; the model must be a stack of `InitialStateLstm`s and a `Dense`";
    assert!(message.ends_with(wanted), "{message}");

    let mut amp = wide::<f64>();
    amp.1.b[0] = 1e200;
    let info = Info { loudness: Some(f64::NAN), ..Info::default() };
    let message = nam::save(&amp, &info).unwrap_err().to_string();
    let wanted =
        "weights not saved, 2 problems\n- `loudness` is NaN at []\n- `head.bias` would be 1e200 at [0, 0]";
    assert!(message.starts_with(wanted), "{message}");
}
