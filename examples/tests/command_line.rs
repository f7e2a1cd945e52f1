//! The examples, run from the command line: short runs that learn almost nothing, and runs with
//! wrong data or options. The latter must print an error message and return a failing exit code
//! before any training starts.

use examples::audio::Sound;
use rnn_cell::prelude::*;
use rnn_cell::weights::nam::{self, Create};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs an example that `cargo test` has built.
fn run(example: &str, arguments: &[&str]) -> Output {
    let test = std::env::current_exe().expect("the test has a path");
    let folder = test.ancestors().nth(2).expect("the test is in target/<profile>/deps");
    let program = folder.join("examples").join(example).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "{} is missing: run the whole of `cargo test -p examples`", program.display());
    Command::new(program).args(arguments).output().expect("the example runs")
}

#[track_caller]
fn assert_fails(output: &Output, words: &[&str]) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("error: "), "{message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

/// Runs an example for a few seconds and checks its picture. Returns its output.
#[track_caller]
fn run_quickly(example: &str) -> String {
    let folder = folder(example);
    let path = folder.join("picture.svg");
    let output = run(example, &["--quick", "--picture", path.to_str().expect("a path in UTF-8")]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{message}");
    let picture = fs::read_to_string(&path).expect("a picture");
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"), "{picture}");
    fs::remove_dir_all(folder).expect("the folder was made above");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn assert_says(output: &str, words: &[&str]) {
    words.iter().for_each(|word| assert!(output.contains(word), "`{word}` is not in: {output}"));
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rnn-cell-examples-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

#[test]
fn digit_strings_are_read() {
    let said = run_quickly("ctc_digits");
    assert_says(
        &said,
        &["1415 of 11 forms", "38795 parameters", "label error rate on 20 held-out strings: "],
    );
    assert_eq!(said.matches("written ").count(), 8, "{said}");
}

#[test]
fn spoken_digits_are_recognised() {
    let folder = folder("conformer");
    let path = |name: &str| folder.join(name).display().to_string();
    let (weights, picture, wav) = (path("digits.safetensors"), path("picture.svg"), path("silence.wav"));
    let output = run("conformer", &["--quick", "--save", &weights, "--picture", &picture]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{message}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_says(
        &said,
        &[
            "synthetic speech: 16 strings of digits in 16 voices for training, 2 in 2 others",
            "\nConformer and LSTM ",
            "the logits of the stream and of the whole sound differ by at most ",
            " for a step of 40 ms; real-time factor ",
        ],
    );
    assert_eq!(said.matches(" spoken ").count(), 2, "{said}");
    assert!(fs::read_to_string(&picture).expect("a picture").contains("labels wrong"));

    // The weights of that run listen to a file.
    let listen =
        |file: &str| run("conformer", &["--quick", "--weights", &weights, "--picture", &picture, file]);
    examples::audio::write(wav.as_ref(), &Sound { rate: 8000, samples: vec![0.0; 8000] }).expect("a file");
    assert_says(&String::from_utf8_lossy(&listen(&wav).stdout), &["heard in 1.00 s of sound: "]);
    let speech = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/silero/speech.wav").display().to_string();
    assert_fails(&listen(&speech), &["has 16000 samples per second, not 8000"]);
    assert_fails(&run("conformer", &["--quick", "--weights", "/no/such"]), &["/no/such"]);
    fs::remove_dir_all(folder).expect("the folder was made above");
}

#[test]
fn dates_are_converted() {
    let said = run_quickly("dates");
    assert_says(&said, &["dates: 50 of held-out days, 4 batches", "67228 with, 57212 without", "13 to 20 "]);
    assert_eq!(said.matches("-> ").count(), 6, "{said}");
}

#[test]
fn successors_are_trained() {
    let said = run_quickly("successors");
    assert_says(&said, &["S4dBilinear", "MinGru", "Mamba × 2", "RWKV-4", "0.75 without learning"]);
    assert_eq!(said.matches("\nLstm ").count(), 4, "{said}");
}

#[test]
fn tasks_of_the_papers_run() {
    let output = run("papers", &["--quick"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let listed = String::from_utf8_lossy(&run("papers", &["--list"]).stdout).into_owned();
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"elman-xor"), "{listed}");
    for name in &names {
        assert!(said.lines().any(|line| line.starts_with(&format!("{name}: "))), "{name} is not in: {said}");
    }
    assert_eq!(said.matches("| setting ").count(), names.len(), "{said}");
}

#[test]
fn gradients_are_plotted() {
    let said = run_quickly("gradients");
    assert_says(
        &said,
        &[
            "tanh, radius 1.5",
            "LSTM, forget bias 5",
            "GRU",
            "adding problem over 20 steps",
            "clipped to a norm",
        ],
    );
}

#[test]
fn speech_is_detected() {
    let said = run_quickly("voice_activity");
    assert_says(
        &said,
        &[
            "239 chunks",
            "speech from 0.67 to 4.67 s",
            "speech from 4.96 to 6.43 s",
            "real-time factor ",
            " us per chunk of 32 ms",
        ],
    );
    let folder = folder("speech");
    let [csv, picture] = ["p.csv", "p.svg"].map(|name| folder.join(name).display().to_string());
    let output =
        run("voice_activity", &["--quick", "--threshold", "1", "--csv", &csv, "--picture", &picture]);
    assert_says(&String::from_utf8_lossy(&output.stdout), &["no speech"]);
    let csv = fs::read_to_string(csv).expect("one line per chunk");
    assert_eq!(csv.lines().count(), 240);
    assert!(csv.lines().nth(1).is_some_and(|line| line.starts_with("0.000,0.032,0.1384")), "{csv}");
    fs::remove_dir_all(folder).expect("the folder was made above");
}

#[test]
fn unusable_sound_is_reported() {
    let folder = folder("sounds");
    let shipped = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/silero/speech.wav"));
    let shipped = shipped.expect("the recording is shipped");
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = shipped.clone();
        change(&mut bytes);
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a copy");
        path.display().to_string()
    };
    let short = |bytes: &mut Vec<u8>| {
        // Truncates to 511 samples and adjusts the sizes of the file and of its data.
        bytes.truncate(44 + 1022);
        bytes[4..8].copy_from_slice(&1058u32.to_le_bytes());
        bytes[40..44].copy_from_slice(&1022u32.to_le_bytes());
    };
    let rate = |bytes: &mut Vec<u8>| {
        bytes[24..28].copy_from_slice(&8000u32.to_le_bytes());
        bytes[28..32].copy_from_slice(&16000u32.to_le_bytes());
    };
    for (path, words) in [
        (changed("short.wav", &short), "has 511 samples, less than a chunk of 512"),
        (changed("rate.wav", &rate), "has 8000 samples per second, not 16000"),
        (changed("cut.wav", &|bytes| bytes.truncate(1000)), "is cut short"),
        (changed("text.wav", &|bytes| *bytes = b"a text, and no sound".repeat(9)), "is not a valid WAV file"),
        ("/no/such.wav".into(), "cannot be read"),
    ] {
        assert_fails(&run("voice_activity", &[&path]), &[&path, words]);
    }
    fs::remove_dir_all(folder).expect("the folder was made above");
    assert_fails(&run("voice_activity", &["--weights", "/no/such"]), &["the weights /no/such"]);
    assert_fails(&run("voice_activity", &["--threshold", "2"]), &["expected a probability from 0 to 1"]);
}

#[test]
fn an_amplifier_is_trained_and_played() {
    let folder = folder("amplifier");
    let path = |name: &str| folder.join(name).display().to_string();
    let (wav, picture, again) = (path("out.wav"), path("picture.svg"), path("again.wav"));
    let output = run("amplifier", &["--quick", "--wav", &wav, "--picture", &picture]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{message}");
    assert_says(
        &String::from_utf8_lossy(&output.stdout),
        &["LSTM of 1 x 16, 1201 parameters", "best linear filter", "150 blocks of 64", "denormal at the end"],
    );
    assert!(fs::read_to_string(&picture).expect("a picture").contains("power of the error"));
    // The example can play the file that it has written.
    let output =
        run("amplifier", &["--quick", &wav, "--block", "4800", "--wav", &again, "--picture", &picture]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_says(&said, &["2 blocks of 4800", "error to signal on "]);
    assert_eq!(fs::metadata(&again).expect("a sound file").len(), 44 + 2 * 9600);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/weights/fixtures");
    let model = fixtures.join("nam_1x8.nam").display().to_string();
    let output = run("amplifier", &[&wav, "--model", &model, "--wav", &again, "--picture", &picture]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_says(&said, &["model: nam_1x8, 1x8", "150 blocks of 64"]);
    // A WaveNet sounds the same in blocks of any length, and louder than silence.
    let (nano, loud) = (path("nano.nam"), path("loud.wav"));
    let mut wavenet = nam::Nano::<f32>::init_boxed(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    wavenet.1.a = 1.0;
    nam::save_file(&wavenet, &nam::Info::default(), &nano).expect("a model");
    let mut sounds = vec![];
    for block in ["64", "1000"] {
        let output = run(
            "amplifier",
            &[&wav, "--model", &nano, "--wav", &loud, "--picture", &picture, "--block", block],
        );
        assert_says(
            &String::from_utf8_lossy(&output.stdout),
            &["model: unnamed, WaveNet nano", "blocks of "],
        );
        sounds.push(fs::read(&loud).expect("a sound file"));
    }
    assert!(sounds[0][44..].iter().any(|byte| *byte != 0), "the WaveNet is silent");
    let differ = sounds[0].iter().zip(&sounds[1]).filter(|(a, b)| a != b).count();
    assert!(differ < sounds[0].len() / 1000, "{differ} bytes differ");

    let other = fixtures.join("nam_2x3.nam").display().to_string();
    assert_fails(&run("amplifier", &["--model", &other]), &["2x3", "1x16"]);
    // Unusable files: each is reported in one error.
    let text = fs::read_to_string(&nano).expect("the model");
    for (changed, words) in [
        (text.replace("WaveNet", "ConvNet"), "`architecture` is \"ConvNet\" in the file; only \"LSTM\""),
        (text.replace("\"Tanh\"", "\"Softsign\""), "`config.layers[0].activation` is \"Softsign\""),
        (text[..text.len() / 2].into(), "is not a valid Neural Amp Modeler file"),
    ] {
        fs::write(&nano, changed).expect("a damaged model");
        assert_fails(&run("amplifier", &[&wav, "--model", &nano]), &[&nano, words]);
    }
    let bytes = fs::read(&wav).expect("the sound");
    for (length, words) in [(44 + 1001, "is cut short"), (0, "is cut short"), (44, "")] {
        fs::write(&loud, &bytes[..length]).expect("a damaged sound");
        assert_fails(&run("amplifier", &[&loud]), &[&loud, words]);
    }
    fs::remove_dir_all(folder).expect("the folder was made above");

    let speech = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/silero/speech.wav").display().to_string();
    assert_fails(&run("amplifier", &[&speech]), &["has 16000 samples per second, not 48000"]);
    assert_fails(&run("amplifier", &["--block", "0"]), &["at least 1"]);
}

#[test]
fn noise_is_removed() {
    let folder = folder("denoise");
    let path = |name: &str| folder.join(name).display().to_string();
    let (noisy, wav, picture) = (path("noisy.wav"), path("out.wav"), path("picture.svg"));
    let files = ["--noisy", &noisy, "--wav", &wav, "--picture", &picture, "--quick"];
    let output = run("denoise", &files);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_says(&said, &["RNNoise, 87503 parameters", "speech to noise: 5.0 dB before, 9.8 dB after"]);
    let difference = said.split("(full scale: 1): ").nth(1).and_then(|rest| rest.split(' ').next());
    let difference: f32 = difference.and_then(|number| number.parse().ok()).expect("a difference");
    assert!(difference < 1e-5, "{said}");
    assert!(fs::read_to_string(&picture).expect("a picture").contains("the speech alone"));

    // The example can read the file that it has written, and gets the same sound.
    let again = path("again.wav");
    let output = run("denoise", &[&noisy, "--wav", &again, "--picture", &picture, "--quick"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let [first, second] = [&wav, &again].map(|path| fs::read(path).expect("a sound"));
    assert_eq!((first.len(), second.len()), (44 + 2 * 144_000, 44 + 2 * 144_000));
    let samples = |bytes: &[u8]| -> Vec<i16> {
        bytes[44..].chunks(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect()
    };
    let worst = samples(&first).iter().zip(samples(&second)).map(|(a, b)| a.abs_diff(b)).max();
    assert!(worst.is_some_and(|worst| worst <= 64), "{worst:?}");
    fs::remove_dir_all(folder).expect("the folder was made above");
}

#[test]
fn sound_that_cannot_be_denoised_is_reported() {
    let folder = folder("not-denoised");
    let shipped = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/rnnoise/speech.wav"));
    let shipped = shipped.expect("the speech is shipped");
    // The fields of the header: the channels at 22, the rate at 24, the bytes per second at 28, per
    // frame at 32, the bits at 34, and the number of bytes of samples at 40.
    let changed = |name: &str, length: usize, fields: &[(usize, &[u8])]| {
        let mut bytes = shipped[..length].to_vec();
        for (at, field) in fields {
            bytes[*at..][..field.len()].copy_from_slice(field);
        }
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a copy");
        path.display().to_string()
    };
    let rate: [(usize, &[u8]); 2] = [(24, &44_100u32.to_le_bytes()), (28, &88_200u32.to_le_bytes())];
    let stereo: [(usize, &[u8]); 3] = [(22, &[2]), (28, &192_000u32.to_le_bytes()), (32, &[4])];
    let deep: [(usize, &[u8]); 3] = [(28, &144_000u32.to_le_bytes()), (32, &[3]), (34, &[24])];
    let empty: [(usize, &[u8]); 2] = [(4, &36u32.to_le_bytes()), (40, &[0; 4])];
    for (path, words) in [
        (changed("rate.wav", shipped.len(), &rate), "has 44100 samples per second, not 48000"),
        (changed("stereo.wav", shipped.len(), &stereo), "has 2 channels, not 1"),
        (changed("deep.wav", shipped.len(), &deep), "has integers of 24 bits, not integers of 16"),
        (changed("empty.wav", 44, &empty), "holds no samples"),
        (changed("cut.wav", 1000, &[]), "is cut short"),
        ("/no/such.wav".into(), "cannot be read"),
    ] {
        assert_fails(&run("denoise", &[&path]), &[&path, words]);
    }
    fs::remove_dir_all(folder).expect("the folder was made above");
    let other = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/rnnoise/speech.wav").display().to_string();
    assert_fails(&run("denoise", &["--weights", &other]), &["the weights ", "the layer `dense` is"]);
    assert_fails(&run("denoise", &["--snr", "loud"]), &["--snr loud"]);
}

#[test]
fn online_learning_runs() {
    let said = run_quickly("online");
    assert_says(
        &said,
        &[
            "2000 samples with a delay of 17, then 2000 with 30",
            "249 updates",
            "; 0 allocations in total after",
        ],
    );
    assert_fails(&run("online", &["--delays", "17"]), &["two numbers from 4 to 39"]);
    assert_fails(&run("online", &["--before", "10"]), &["at least 1000"]);
}

#[test]
fn missing_data_is_reported() {
    for (example, file) in [
        ("ctc_digits", "digits.csv"),
        ("conformer", "training.csv"),
        ("japanese_vowels", "japanese_vowels_train.csv"),
        ("laser", "santafe_laser.csv"),
    ] {
        let output = run(example, &["--data", "/no/such/folder"]);
        assert_fails(&output, &["cannot read the data file", "/no/such/folder", file, "help: "]);
    }
}

#[test]
fn damaged_data_are_reported() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let folder = folder("damaged");
    for name in ["japanese_vowels_train.csv", "japanese_vowels_test.csv", "santafe_laser.csv"] {
        let text = fs::read_to_string(shipped.join(name)).expect("the data are shipped");
        let half: String =
            text.lines().take(text.lines().count() / 2).map(|line| format!("{line}\n")).collect();
        fs::write(folder.join(name), half).expect("a copy");
    }
    let data = folder.to_str().expect("a path in UTF-8");
    let vowels = run("japanese_vowels", &["--data", data]);
    assert_fails(&vowels, &["is damaged", "utterances instead of 270", "help: "]);
    let laser = run("laser", &["--data", data]);
    assert_fails(&laser, &["is damaged", "samples instead of 10093", "help: "]);
    fs::remove_dir_all(folder).expect("the folder was made above");
}

#[test]
fn wrong_options_are_reported() {
    assert_fails(&run("laser", &["--sede", "1"]), &["unknown option `--sede`", "--seed"]);
    assert_fails(&run("japanese_vowels", &["--seed", "many"]), &["--seed many"]);
    assert_fails(&run("papers", &["--task", "add"]), &["no task is called `add`", "elman-xor"]);
}
