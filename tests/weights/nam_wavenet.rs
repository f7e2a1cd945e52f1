//! WaveNets in `.nam` files, compared with a NumPy program that follows NeuralAmpModelerCore
//! (`fixtures/make_nam_wavenet.py`) and with the crate `nam-rs`.

use crate::{bits, fixture, randomise};
use nalgebra::SMatrix;
use rnn_cell::Scalar;
use rnn_cell::cell::Layer;
use rnn_cell::cells::{NamGatedLayer, NamHead, NamLayer, NamNext, NamStart};
use rnn_cell::prelude::*;
use rnn_cell::train::Trainer;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::weights::Source;
use rnn_cell::weights::nam::{self, Create, File, Info};
use serde_json::Value;

/// The file of `nam_wavenets.json`.
struct Models {
    json: Value,
}

impl Models {
    fn read() -> Self {
        Models { json: serde_json::from_slice(&fixture("nam_wavenets.json")).unwrap() }
    }

    fn model(&self, name: &str) -> &Value {
        let models = self.json["models"].as_array().unwrap();
        models.iter().find(|model| model["name"] == name).unwrap()
    }

    /// Returns a `.nam` file with the weights of the Python program.
    fn file(&self, name: &str) -> Vec<u8> {
        let model = self.model(name);
        let mut file = model["file"].clone();
        file["weights"] = weights(model["weights"].as_u64().unwrap()).into();
        serde_json::to_vec(&file).unwrap()
    }

    fn steps(&self) -> usize {
        self.json["steps"].as_u64().unwrap() as usize
    }

    /// Returns the largest difference from the outputs of another program, relative to the largest
    /// output.
    fn error(&self, name: &str, program: &str, ys: &[f64]) -> f64 {
        let wanted = self.model(name)[program].as_array().unwrap();
        let kept = self.json["kept"].as_array().unwrap();
        assert_eq!((kept.len(), ys.len()), (wanted.len(), self.steps()));
        let (mut largest, mut worst) = (0_f64, 0_f64);
        for (step, wanted) in kept.iter().zip(wanted) {
            let (y, wanted) = (ys[step.as_u64().unwrap() as usize], wanted.as_f64().unwrap());
            (largest, worst) = (largest.max(wanted.abs()), worst.max((y - wanted).abs()));
        }
        worst / largest
    }
}

fn weights(count: u64) -> Vec<f64> {
    let mut state = count;
    let mut next = || {
        state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
        ((state >> 16) % 801) as f64 / 1000.0 - 0.4
    };
    (0..count).map(|_| (next() * 1000.0).round() / 1000.0).collect()
}

fn inputs<T: Scalar>(steps: usize) -> Vec<SMatrix<T, 1, 1>> {
    let sample = |t: f64| 0.5 * (0.013 * t).sin() + 0.3 * (0.27 * t).sin();
    (0..steps).map(|t| SMatrix::repeat(T::of(sample(t as f64)))).collect()
}

/// Runs a model over a sequence, in blocks whose length changes.
fn outputs<T: Scalar, M>(model: &M, steps: usize) -> Vec<f64>
where
    M: Layer<1, Scalar = T, Context = (), Input = SMatrix<T, 1, 1>, Output = SMatrix<T, 1, 1>>,
{
    let (mut state, mut tape) = (model.initial_state(), model.tape());
    let (xs, mut ys) = (inputs(steps), vec![]);
    let (mut first, mut lengths) = (0, [1, 64, 3, 700, 64, 150].into_iter().cycle());
    while first < steps {
        let end = (first + lengths.next().unwrap()).min(steps);
        ys.extend(model.forward(&xs[first..end], &mut state, &mut tape).iter().map(|y| y[0].as_f64()));
        first = end;
    }
    ys
}

#[test]
fn published_models_agree_with_numpy_and_nam_rs() {
    let models = Models::read();
    macro_rules! check {
        ($scalar:ident $bound:literal: $($name:literal $model:ident)*) => {$({
            let mut model = nam::$model::<$scalar>::zeros_boxed();
            nam::load(&mut model, &models.file($name)).unwrap();
            let ys = outputs(&model, models.steps());
            let error = models.error($name, "ys", &ys);
            assert!(error < $bound, "{}: {error}", $name);
            let error = models.error($name, "nam_rs", &ys);
            assert!(error < 1e-5, "{} and nam-rs: {error}", $name);
        })*};
    }
    check!(f32 1e-5: "standard" Standard "lite" Lite "feather" Feather "nano" Nano "A2" A2 "A2 nano" A2Nano);
    // The other sizes have the same cells.
    check!(f64 1e-13: "nano" Nano "A2 nano" A2Nano);
}

/// Two arrays of gated layers, of 5 and 3 channels.
type Gated<T> = Stack<
    Stack<
        Stack<
            Stack<
                Stack<
                    Stack<Stack<NamStart<1, 5, T>, NamGatedLayer<1, 5, 1, T>>, NamGatedLayer<1, 5, 2, T>>,
                    NamGatedLayer<1, 5, 50, T>,
                >,
                NamNext<1, 5, 3, T>,
            >,
            NamGatedLayer<1, 3, 1, T>,
        >,
        NamGatedLayer<1, 3, 700, T>,
    >,
    NamHead<1, 3, T>,
>;

/// Two layers of two channels.
type Small<T> =
    Stack<Stack<Stack<NamStart<1, 2, T>, NamLayer<1, 2, 1, T>>, NamLayer<1, 2, 2, T>>, NamHead<1, 2, T>>;

#[test]
fn other_models_agree_with_numpy_and_nam_rs() {
    let models = Models::read();
    let file = File::read(&models.file("gated")).unwrap();
    assert_eq!(file.sizes(), "WaveNet 5 x [1 gated 2 gated 50 gated], 3 x [1 gated 700 gated]");
    let mut model = Gated::<f64>::zeros_boxed();
    file.load(&mut model).unwrap();
    let ys = outputs(&model, models.steps());
    assert!(models.error("gated", "ys", &ys) < 1e-13);
    assert!(models.error("gated", "nam_rs", &ys) < 1e-5);
}

/// A saved file has the settings and the weights of the loaded file.
#[test]
fn round_trips() {
    let models = Models::read();
    macro_rules! check {
        ($($name:literal $model:ty)*) => {$({
            let bytes = models.file($name);
            let mut model = <$model>::zeros_boxed();
            nam::load(&mut model, &bytes).unwrap();
            let info = Info { sample_rate: Some(48_000.0), ..Info::default() };
            let saved = nam::save(&model, &info).unwrap();
            let [ours, theirs]: [Value; 2] = [&saved, &bytes].map(|bytes| serde_json::from_slice(bytes).unwrap());
            for key in ["version", "architecture", "weights"] {
                assert_eq!(ours[key], theirs[key], "{key} of {}", $name);
            }
            assert_eq!(ours["config"]["layers"], theirs["config"]["layers"], "{}", $name);
            assert_eq!(File::read(&saved).unwrap().info(), &info);
        })*};
    }
    check!("nano" nam::Nano<f64> "A2 nano" nam::A2Nano<f64> "gated" Gated<f64>);
}

#[test]
fn containers() {
    let models = Models::read();
    let [small, large] = ["nano", "A2 nano"].map(|name| models.file(name));
    let info = Info { name: Some("two".into()), ..Info::default() };
    let bytes = nam::save_slimmable(&[(0.5, &small), (1.0, &large)], &info).unwrap();
    let file = File::read(&bytes).unwrap();
    assert_eq!((file.sizes().as_str(), file.info(), file.version()), ("WaveNet A2 nano", &info, "0.7.0"));
    let parts: Vec<_> = file.submodels().iter().map(|part| (part.max_value, part.file.sizes())).collect();
    assert_eq!(parts, [(0.5, "WaveNet nano".to_string()), (1.0, "WaveNet A2 nano".to_string())]);
    let (mut ours, mut theirs) = (nam::A2Nano::<f32>::zeros_boxed(), nam::A2Nano::<f32>::zeros_boxed());
    file.load(&mut ours).unwrap();
    nam::load(&mut theirs, &large).unwrap();
    assert_eq!(bits(&ours), bits(&theirs));

    let mut json: Value = serde_json::from_slice(&bytes).unwrap();
    json["config"]["submodels"][0]["model"]["architecture"] = "ConvNet".into();
    let message = File::read(json.to_string().as_bytes()).unwrap_err().to_string();
    assert!(message.contains("`config.submodels[0].model.architecture` is \"ConvNet\""), "{message}");
    json["config"]["submodels"] = Value::Array(vec![]);
    let message = File::read(json.to_string().as_bytes()).unwrap_err().to_string();
    assert!(
        message.contains("`config.submodels` is an array of 0 elements in the file; it must be"),
        "{message}"
    );
}

#[test]
fn unsupported_files() {
    let saved = nam::save(&*Small::<f32>::zeros_boxed(), &Info::default()).unwrap();
    let message = |change: &dyn Fn(&mut Value)| {
        let mut json: Value = serde_json::from_slice(&saved).unwrap();
        change(&mut json);
        let mut model = Small::<f32>::zeros_boxed();
        randomise(&mut model, 1);
        let before = bits(&model);
        let error = nam::load(&mut model, json.to_string().as_bytes()).unwrap_err();
        assert_eq!(bits(&model), before, "the model has changed");
        error.to_string()
    };
    let layer = |key: &str, value: Value| {
        message(&|json| json["config"]["layers"][0][key] = value.clone()).replace("weights not loaded: ", "")
    };
    assert_eq!(
        layer("activation", "ReLU".into()),
        "`config.layers[0].activation` is \"ReLU\" in the file; only \"Tanh\" and \"LeakyReLU\" of slope 0.01 can be read"
    );
    assert_eq!(
        layer("kernel_size", 5.into()),
        "`config.layers[0].kernel_size` is 5 in the file; it must be 3 for \"Tanh\", 6 or 15 for \"LeakyReLU\""
    );
    assert_eq!(
        layer("head_bias", false.into()),
        "`config.layers[0].head_bias` is false in the file; only the head of the last layer array has a bias, and it must have one"
    );
    assert_eq!(
        layer("bottleneck", 1.into()),
        "`config.layers[0].bottleneck` is 1 in the file; no cell has a bottleneck: it must equal channels"
    );
    assert_eq!(
        layer("conv_pre_film", serde_json::json!({"active": true})),
        "`config.layers[0].conv_pre_film` is an object of 1 entries in the file; no cell has this modulation"
    );
    assert_eq!(
        layer("gating_mode", "blended".into()),
        "`config.layers[0].gating_mode` is \"blended\" in the file; only \"none\" and \"gated\" can be read"
    );
    assert_eq!(
        layer("dilations", serde_json::json!([1, 4])),
        "`config` is WaveNet 2 x [1 4] in the file; the model is WaveNet 2 x [1 2]"
    );
    assert_eq!(
        layer("dilations", serde_json::json!([1, 2, 4])),
        "`weights` is an array of 50 numbers in the file; a model of WaveNet 2 x [1 2 4] has 72"
    );
    assert_eq!(
        message(&|json| json["config"]["head"] = serde_json::json!({"channels": 2})),
        "weights not loaded: `config.head` is an object of 1 entries in the file; no cell computes a head after all layer arrays"
    );
    let cut = nam::load(&mut Small::<f32>::zeros_boxed(), &saved[..saved.len() / 2]).unwrap_err().to_string();
    assert!(cut.contains("not a valid Neural Amp Modeler file: EOF while parsing"), "{cut}");
    let lstm = nam::load(&mut nam::one_layer::<2>(), &saved).unwrap_err().to_string();
    assert!(lstm.contains("`config` is WaveNet 2 x [1 2] in the file; the model is 1x2"), "{lstm}");
}

/// A WaveNet learns a distortion with an echo.
#[test]
fn a_wavenet_learns() {
    const BATCH: usize = 4;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    let xs: Vec<SMatrix<f64, 1, BATCH>> =
        (0..200).map(|_| SMatrix::from_fn(|_, _| crate::uniform(&mut rng))).collect();
    let targets: Vec<SMatrix<f64, 1, BATCH>> = (0..xs.len())
        .map(|t| {
            let echo = if t < 3 { SMatrix::zeros() } else { xs[t - 3] };
            (xs[t] + echo * 0.5).map(|x| 0.5 * (2.0 * x).tanh())
        })
        .collect();
    let mut trainer = Trainer::new::<BATCH>(Small::<f64>::init_boxed(&mut rng), Adam::new(0.02));
    let mut losses = vec![];
    for _ in 0..300 {
        let loss = trainer
            .step(&xs, |out| {
                out.every_step(|t, y, weights| mean_squared_error_weighted(y, &targets[t], weights))
            })
            .unwrap();
        losses.push(loss);
    }
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < 0.02 * first, "from {first} to {last}");
}
