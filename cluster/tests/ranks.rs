//! Jobs of several processes under `mpirun`.
//!
//! The tests start this same test program under `mpirun`, with the test [`program`] as the only one
//! and with a task in the environment.

#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::data::pad;
use rnn_cell::network::Dropout;
use rnn_cell::prelude::*;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::{Error, LayerPart, Schedule, Trainer, Workers};
use rnn_cell::weights::Writer;
use rnn_cell_cluster::Mpi;

const TASK: &str = "RNN_CELL_CLUSTER_TASK";
const PATH: &str = "RNN_CELL_CLUSTER_PATH";

type Net = Stack<Dropout<Lstm<2, 5>>, Dense<5, 1>>;
type Sample = Vec<SVector<f32, 2>>;

/// Runs the task of each process of a job. It does nothing as one of the other tests.
#[test]
fn program() {
    let Ok(task) = env::var(TASK) else { return };
    let path = PathBuf::from(env::var(PATH).unwrap());
    let code = rnn_cell_cluster::run(|mpi| match task.split_once(' ').unwrap_or((&task, "")) {
        ("ordered", parts) => train(mpi, parts, &path),
        ("threads", parts) => train(mpi.threads(), parts, &path),
        ("unordered", parts) => train(mpi.unordered(), parts, &path),
        ("sums", _) => sums(mpi),
        ("slow", _) => slow(mpi, &path),
        ("fails", rank) if mpi.rank().to_string() == rank => Err("a disk is missing".into()),
        ("panics", rank) if mpi.rank().to_string() == rank => panic!("an unexpected panic"),
        ("diverges", _) => diverge(mpi),
        // The others wait for the process that failed.
        _ => {
            mpi.all_gather(Vec::new());
            Ok(())
        }
    });
    assert_eq!(code, ExitCode::SUCCESS);
}

type Failure = Box<dyn std::error::Error>;

/// Returns samples of one to seven steps.
fn samples() -> Vec<Sample> {
    let value = |k: usize, t: usize, i: usize| (0.7 * k as f32 + 0.3 * t as f32 + i as f32).sin();
    let sample = |k: usize| (0..1 + k % 7).map(|t| SVector::from_fn(|i, _| value(k, t, i))).collect();
    (0..41).map(sample).collect()
}

fn loss(part: &mut LayerPart<'_, Net, Sample, 3>) -> f64 {
    let batch = pad(part.samples);
    part.metric("steps", part.samples.iter().map(|sample| sample.len()).sum::<usize>() as f64);
    part.sequence(&batch, |out| {
        out.last_step(|y, weights| mean_squared_error_weighted(y, &SMatrix::repeat(0.3), weights))
    })
}

/// Trains on the samples, and writes the model and the report to the file of this process.
fn train<C: Workers>(mpi: Mpi<C>, parts: &str, path: &Path) -> Result<(), Failure> {
    let (parts, rank) = (parts.parse()?, mpi.rank());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Stack::new(Dropout::new(Lstm::init(&mut rng), 0.3), Dense::init(&mut rng));
    let trainer = Trainer::new::<3>(net, Adam::new(1e-2)).weight_noise(0.01).accumulate(2);
    let trainer = trainer.clip_norm(1.0).schedule(Schedule::cosine(1e-2, 20));
    let mut trainer = trainer.parts(parts).workers(mpi);
    let samples = samples();
    let fit = trainer.fit(&samples[..30], loss).validation(&samples[30..]).epochs(8);
    let mut outcome = fit.checkpoint(path.join("checkpoint"), 1).run()?;
    let mut file = Writer::new();
    file.model("", &trainer.model)?;
    outcome.epochs.iter_mut().for_each(|epoch| epoch.rate = 0.0);
    file.metadata("outcome", format!("{outcome:?}"));
    Ok(file.save(path.join(format!("{rank}")))?)
}

/// Checks the sums of vectors against sums in one process.
fn sums(mpi: Mpi) -> Result<(), Failure> {
    use rnn_cell::train::OneThread;
    for (parts, length) in [(1, 9), (2, 1), (3, 5), (4, 4), (5, 0), (6, 1000), (8, 7), (13, 3)] {
        let vector = |part: usize| -> Vec<f32> {
            (0..length).map(|k| 1.0 / (1.3 + part as f32) + 1e6 * (k * part) as f32).collect()
        };
        let mut want = vec![0.0; length];
        let mut all: Vec<_> = (0..parts).map(vector).collect();
        OneThread.sum(parts, &mut all.iter_mut().map(|v| &mut **v).collect::<Vec<_>>(), &mut want);
        let own = || mpi.own(parts).map(vector).collect::<Vec<_>>();
        let mut sum = vec![f32::NAN; length];
        mpi.sum(parts, &mut own().iter_mut().map(|v| &mut **v).collect::<Vec<_>>(), &mut sum);
        assert_eq!(sum, want, "{parts} parts of {length} numbers");
        let mpi = mpi.unordered();
        mpi.sum(parts, &mut own().iter_mut().map(|v| &mut **v).collect::<Vec<_>>(), &mut sum);
        for (sum, want) in sum.iter().zip(&want) {
            assert!((sum - want).abs() <= 1e-6 * want.abs(), "{sum} is not {want}");
        }
    }
    let own = vec![7; 1000 * mpi.rank()];
    let want: Vec<Vec<u8>> = (0..mpi.size()).map(|rank| vec![7; 1000 * rank]).collect();
    assert_eq!(mpi.all_gather(own), want);
    Ok(())
}

/// Writes the id of each process, and trains for minutes.
fn slow(mpi: Mpi, path: &Path) -> Result<(), Failure> {
    fs::write(path.join(format!("{}.part", mpi.rank())), std::process::id().to_string())?;
    fs::rename(path.join(format!("{}.part", mpi.rank())), path.join(format!("{}.pid", mpi.rank())))?;
    for _ in 0..600 {
        sleep(Duration::from_millis(100));
        mpi.all_gather(Vec::new());
    }
    Ok(())
}

/// Trains on a sample that is not finite.
fn diverge(mpi: Mpi) -> Result<(), Failure> {
    let mut samples = samples();
    samples[3][0][1] = f32::NAN;
    let net = Stack::new(Dropout::new(Lstm::zeros(), 0.3), Dense::zeros());
    let mut trainer = Trainer::new::<3>(net, Adam::new(1e-2)).parts(2).workers(mpi);
    match trainer.fit(&samples, loss).in_order().run() {
        Err(Error::Diverged(diverged)) => {
            eprintln!("found in {}", mpi.rank());
            Err(diverged.into())
        }
        other => panic!("{other:?}"),
    }
}

/// Returns the command that runs `task` in `count` processes, or in one without `mpirun`.
fn job(count: Option<usize>, task: &str, path: &Path) -> Command {
    let this = env::current_exe().unwrap();
    let mut command = match count {
        None => Command::new(this),
        Some(count) => {
            let mut command = Command::new("mpirun");
            command.args(["--oversubscribe", "--bind-to", "none", "-n", &count.to_string()]).arg(this);
            command
        }
    };
    command.args(["--exact", "program", "--nocapture"]).env(TASK, task).env(PATH, path);
    // One machine; containers run as root and forbid access to other processes' memory.
    for (key, value) in [
        ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
        ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
        ("OMPI_MCA_btl", "self,vader"),
        ("OMPI_MCA_btl_vader_single_copy_mechanism", "none"),
        ("OMPI_MCA_plm", "isolated"),
        ("RAYON_NUM_THREADS", "2"),
    ] {
        command.env(key, value);
    }
    command
}

/// Returns a new folder.
fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("rnn-cell-cluster-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[track_caller]
fn run(count: Option<usize>, task: &str, path: &Path) {
    let output = job(count, task, path).output().expect("mpirun is installed");
    assert!(output.status.success(), "{task} in {count:?} processes:\n{}", text(&output));
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Returns the results of a training run in `count` processes, which must be equal.
#[track_caller]
fn result(path: &Path, count: usize) -> Vec<u8> {
    let of_rank = |rank: usize| fs::read(path.join(rank.to_string())).unwrap();
    for rank in 1..count {
        assert!(of_rank(rank) == of_rank(0), "process {rank} has another result");
    }
    of_rank(0)
}

#[test]
fn sums_have_the_same_bits_in_any_number_of_processes() {
    for count in [1, 2, 3, 4, 8] {
        run(Some(count), "sums", Path::new(""));
    }
}

#[test]
fn training_has_the_same_bits_in_any_number_of_processes() {
    for parts in [4, 3, 1] {
        let alone = folder("alone");
        run(None, &format!("ordered {parts}"), &alone);
        for (count, task) in [(1, "ordered"), (2, "ordered"), (3, "ordered"), (5, "ordered"), (2, "threads")]
        {
            let path = folder("together");
            run(Some(count), &format!("{task} {parts}"), &path);
            let is_equal = result(&path, count) == result(&alone, 1);
            assert!(is_equal, "{parts} parts in {count} processes, {task}: the result differs");
        }
    }
    // Another order of additions, which is the same in all processes.
    let path = folder("unordered");
    run(Some(3), "unordered 4", &path);
    result(&path, 3);
}

#[test]
fn a_killed_job_resumes_with_the_same_bits_on_other_numbers_of_processes() {
    let whole = folder("whole");
    run(None, "ordered 4", &whole);
    let path = folder("killed");
    let (checkpoint, mut kills) = (path.join("checkpoint"), 0);
    for count in [3, 2, 4, 1].into_iter().cycle() {
        let before = fs::read(&checkpoint).ok();
        let mut job = job(Some(count), "ordered 4", &path);
        let mut child = job.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let is_done = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status.success();
            }
            // Kills one of the processes once the job has written a checkpoint.
            let processes = processes_of(child.id());
            if kills < 8 && !processes.is_empty() && fs::read(&checkpoint).ok() != before {
                kill(processes[kills % processes.len()]);
                kills += 1;
                break child.wait().unwrap().success();
            }
            sleep(Duration::from_millis(1));
        };
        if is_done {
            assert!(result(&path, count) == result(&whole, 1), "the result differs after {kills} kills");
            break;
        }
    }
    assert!(kills >= 4, "the job was killed {kills} times only");
}

/// Returns the ids of the processes that `mpirun` started.
fn processes_of(mpirun: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{mpirun}/task/{mpirun}/children")).unwrap_or_default();
    children.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

#[test]
fn a_killed_process_ends_the_job_with_a_message() {
    let path = folder("one");
    let mut job = job(Some(3), "slow", &path);
    let child = job.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = path.join("1.pid");
    while !id.exists() {
        sleep(Duration::from_millis(10));
    }
    kill(fs::read_to_string(id).unwrap().parse().unwrap());
    let start = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "the job ended after {:?}", start.elapsed());
    assert!(!output.status.success());
    let text = text(&output);
    assert!(text.contains("process rank 1") && text.contains("signal 9"), "{text}");
}

#[test]
fn a_failing_process_ends_the_job_with_a_message() {
    for (task, message) in [
        ("fails 1", "error: process 1 of 3: a disk is missing"),
        ("fails 0", "error: process 0 of 3: a disk is missing"),
        ("panics 2", "error: process 2 of 3: the program panicked"),
        // The sample is in the second part, and the first process reports the error for all.
        ("diverges", "error: process 0 of 3: update 0: the loss is NaN; the input is NaN at step 0"),
    ] {
        let start = Instant::now();
        let output = job(Some(3), task, Path::new("")).output().unwrap();
        let text = text(&output);
        assert!(!output.status.success(), "{task}:\n{text}");
        assert!(text.contains(message), "{task}:\n{text}");
        assert_eq!(text.matches("error: ").count(), 1, "{task}:\n{text}");
        assert!(start.elapsed() < Duration::from_secs(10), "{task} took {:?}", start.elapsed());
    }
}
