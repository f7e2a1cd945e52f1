//! The models of Neural Amp Modeler in blocks of 64 samples, compared with the crate `nam-rs`: the
//! same weights, in turns, within one process.
//!
//! `cargo run --release --features nam --bin amplifiers`, in `benches/peers`. With `--outputs FILE`
//! it adds the outputs of `nam-rs` to the file `tests/weights/fixtures/nam_wavenets.json` instead.

use benches::measure::{Contest, Effort};
use benches::table::{Table, figure};
use nalgebra::SVector;
use nam_rs::{Model, NamModel};
use rnn_cell::cell::ModelMut;
use rnn_cell::prelude::*;
use rnn_cell::weights::nam::{self, Create, File};
use std::error::Error;
use std::hint::black_box;

/// The number of samples that a sound card requests at a time.
const BLOCK: usize = 64;
/// The number of samples per second.
const RATE: f64 = 48_000.0;

fn main() -> Result<(), Box<dyn Error>> {
    if let [_, option, path] = &std::env::args().collect::<Vec<_>>()[..]
        && option == "--outputs"
    {
        return add_outputs(path);
    }
    let note = "ns per sample in blocks of 64, and the share of the time that a block lasts at 48 kHz.";
    let mut table =
        Table::new("Amplifiers", note, ["model", "rnn-cell", "nam-rs", "ratio", "share of 1333 us"]);
    macro_rules! compare {
        ($($name:literal $model:expr)*) => {$({
            let bytes = random($model)?;
            let mut ours = nam::published::<f32>(&File::read(&bytes)?).load()?;
            let mut theirs = Model::from_nam(&NamModel::from_json_str(std::str::from_utf8(&bytes)?)?)?;
            let sound = |t: usize| 0.3 * (0.1 * t as f32).sin();
            let dry: Vec<SVector<f32, 1>> = (0..BLOCK).map(|t| SVector::<f32, 1>::new(sound(t))).collect();
            let (mut wet, mut buffer) = (dry.clone(), [0.0; BLOCK]);
            let mut contest = Contest::new(Effort::FULL);
            contest.enter("rnn-cell", BLOCK, || ours.run(black_box(&dry), black_box(&mut wet)));
            contest.enter("nam-rs", BLOCK, || {
                buffer = std::array::from_fn(sound);
                theirs.process_buffer(black_box(&mut buffer));
            });
            let times = contest.run();
            let share = times.get("rnn-cell").map(|time| format!("{:.1} %", 100.0 * time * 1e-9 * RATE));
            let [ours, theirs] = ["rnn-cell", "nam-rs"].map(|name| figure(times.get(name)));
            let ratio = figure(times.ratio("nam-rs", "rnn-cell"));
            table.row([$name.to_string(), ours, theirs, ratio, share.unwrap_or_default()]);
        })*};
    }
    compare! {
        "standard" nam::Standard::<f32>::zeros_boxed()
        "lite" nam::Lite::<f32>::zeros_boxed()
        "feather" nam::Feather::<f32>::zeros_boxed()
        "nano" nam::Nano::<f32>::zeros_boxed()
        "A2" nam::A2::<f32>::zeros_boxed()
        "A2 nano" nam::A2Nano::<f32>::zeros_boxed()
        "LSTM of 16" Box::new(nam::one_layer::<16>())
    }
    table.print();
    Ok(())
}

/// Returns the file of a model with random weights.
fn random<M: ModelMut<Scalar = f32>>(mut model: Box<M>) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    model.visit_mut(&mut |parameter| {
        parameter.values.iter_mut().for_each(|x| *x = (rng.next_u32() as f32 * 2f32.powi(-32) - 0.5) * 0.5);
    });
    Ok(nam::save(&*model, &nam::Info::default())?)
}

/// Adds the outputs of `nam-rs` to each model of a file, whose weights are computed as in
/// `make_nam_wavenet.py`.
fn add_outputs(path: &str) -> Result<(), Box<dyn Error>> {
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(path)?)?;
    let (steps, kept): (u32, Vec<usize>) =
        (serde_json::from_value(json["steps"].clone())?, serde_json::from_value(json["kept"].clone())?);
    for model in json["models"].as_array_mut().ok_or("no models")? {
        let count = model["weights"].as_u64().ok_or("no number of weights")?;
        let mut state = count;
        let weights = (0..count).map(|_| {
            state = (1_664_525 * state + 1_013_904_223) % (1 << 32);
            (((state >> 16) % 801) as f64 - 400.0) / 1000.0
        });
        model["file"]["weights"] = weights.collect::<Vec<f64>>().into();
        let mut amp = Model::from_nam(&NamModel::from_json_str(&model["file"].to_string())?)?;
        model["file"].as_object_mut().ok_or("no file")?.remove("weights");
        let sample = |t: f64| 0.5 * (0.013 * t).sin() + 0.3 * (0.27 * t).sin();
        let mut samples: Vec<f32> = (0..steps).map(|t| sample(t.into()) as f32).collect();
        amp.process_buffer(&mut samples);
        model["nam_rs"] = kept.iter().map(|step| samples[*step]).collect::<Vec<f32>>().into();
    }
    Ok(std::fs::write(path, json.to_string())?)
}
