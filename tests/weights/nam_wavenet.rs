//! WaveNets in `.nam` files, compared with a NumPy program that follows NeuralAmpModelerCore
//! (`fixtures/make_nam_wavenet.py`) and with the crate `nam-rs`.

use crate::fixture;
use nalgebra::SMatrix;
use rnn_cell::Scalar;
use rnn_cell::cell::Layer;
use rnn_cell::prelude::*;
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
        ($($name:literal $model:ident)*) => {$({
            let file = File::read(&models.file($name)).unwrap();
            let mut model = nam::$model::<f64>::zeros_boxed();
            file.load(&mut model).unwrap();
            let error = models.error($name, "ys", &outputs(&model, models.steps()));
            assert!(error < 1e-13, "{}: {error}", $name);
            let mut model = nam::$model::<f32>::zeros_boxed();
            file.load(&mut model).unwrap();
            let ys = outputs(&model, models.steps());
            for program in ["ys", "nam_rs"] {
                let error = models.error($name, program, &ys);
                assert!(error < 1e-5, "{} and {program}: {error}", $name);
            }
        })*};
    }
    check!("standard" Standard "lite" Lite "feather" Feather "nano" Nano "A2" A2 "A2 nano" A2Nano);
}
