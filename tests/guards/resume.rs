//! A training that is killed at any time resumes from its checkpoint when it is started again, and
//! ends with the same bits as one that was never interrupted.
//!
//! The test starts this same test program, with the test [`child`] as the only one, and kills it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::data::pad;
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::{FullBptt, LayerPart, Schedule, Trainer};
use rnn_cell::weights::Writer;

/// The environment variable with the folder of the training.
const FOLDER: &str = "RNN_CELL_RESUME";
const KILLS: usize = 20;

type Net = Stack<Dropout<Lstm<2, 6>>, Dense<6, 1>>;
type Sample = Vec<SVector<f32, 2>>;

fn trainer() -> Trainer<Net, Adam<f32>, FullBptt<Net, 3>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Stack::new(Dropout::new(Lstm::init(&mut rng), 0.3), Dense::init(&mut rng));
    let trainer = Trainer::new::<3>(net, Adam::new(1e-2)).weight_noise(0.02).clip_norm(1.0);
    trainer.schedule(Schedule::cosine(1e-2, 150).warm_up(10)).accumulate(2).parts(2)
}

/// Trains on samples of one to seven steps, and writes the model and the report to a file.
#[test]
fn child() {
    let Ok(folder) = env::var(FOLDER).map(PathBuf::from) else { return };
    let value = |k: usize, t: usize, i: usize| (0.7 * k as f32 + 0.3 * t as f32 + i as f32).sin();
    let sample = |k: usize| (0..1 + k % 7).map(|t| SVector::from_fn(|i, _| value(k, t, i))).collect();
    let samples: Vec<Sample> = (0..41).map(sample).collect();
    let loss = |part: &mut LayerPart<'_, Net, Sample, 3>| {
        // Most of the time passes between the checkpoints, as it does in a real training.
        sleep(Duration::from_micros(200));
        let batch = pad(part.samples);
        part.sequence(&batch, |out| {
            out.last_step(|y, weights| mean_squared_error_weighted(y, &SMatrix::repeat(0.3), weights))
        })
    };
    let mut trainer = trainer();
    let fit = trainer.fit(&samples[..33], loss).validation(&samples[33..]).epochs(50).patience(49);
    let fit = fit.restore_best().checkpoint(folder.join("checkpoint"), 1);
    let outcome = fit.run().unwrap();
    let mut file = Writer::new();
    file.model("", &trainer.model).unwrap();
    file.metadata("outcome", format!("{outcome:?}"));
    file.save(folder.join("result")).unwrap();
}

/// Starts a training in `folder`.
fn start(folder: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "resume::child"]).env(FOLDER, folder).stdout(Stdio::null());
    command.spawn().unwrap()
}

/// Returns a new folder.
fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("rnn-cell-resume-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_killed_training_ends_with_the_same_bits() {
    let whole = folder("whole");
    assert!(start(&whole).wait().unwrap().success());
    let want = fs::read(whole.join("result")).unwrap();

    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let (folder, mut kills, mut loads, mut updates) = (folder("killed"), 0, 0, Vec::new());
    let checkpoint = folder.join("checkpoint");
    loop {
        let mut child = start(&folder);
        // Up to 60 ms after the first checkpoint of this child; it is loaded until then.
        let before = fs::read(&checkpoint).ok();
        let mut left = None;
        let is_done = loop {
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "after {kills} kills");
                break true;
            }
            if checkpoint.exists() {
                trainer().load_checkpoint(&checkpoint).unwrap();
                loads += 1;
            }
            if left.is_none() && fs::read(&checkpoint).ok() != before {
                left = Some(below(&mut rng, 60_000));
            }
            match &mut left {
                Some(left) if kills < KILLS => match left.checked_sub(500) {
                    Some(less) => *left = less,
                    None => {
                        sleep(Duration::from_micros(*left as u64));
                        break false;
                    }
                },
                _ => {}
            }
            sleep(Duration::from_micros(500));
        };
        if !is_done {
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            let mut killed = trainer();
            killed.load_checkpoint(&checkpoint).unwrap();
            updates.push(killed.updates());
            continue;
        }
        let result = fs::read(folder.join("result")).unwrap();
        assert!(result == want, "the result differs after {kills} kills, at the updates {updates:?}");
        if kills == KILLS {
            break;
        }
        // The training was over before it was killed often enough.
        fs::remove_file(&checkpoint).unwrap();
    }
    eprintln!("killed after the updates {updates:?}; {loads} checkpoints were read meanwhile");
    assert!(updates.iter().any(|count| *count > 0 && *count < 150), "{updates:?}");
}
