//! Classifies nine speakers by their pronunciation of /ae/: an LSTM variant, written here with the
//! macro, and a `Dense` readout, trained on 270 utterances of different lengths and tested on 370
//! others.
//!
//! ```text
//! cargo run --release --example japanese_vowels
//! ```

use examples::data::{COEFFICIENTS, SPEAKERS, Utterance, japanese_vowels};
use examples::{options::Options, plot::loss_and_confusion, report};
use rnn_cell::data::{Standard, pad};
use rnn_cell::quantised::Int8By16;
use rnn_cell::train::loss::{accuracy_weighted, arg_max, softmax_cross_entropy_weighted};
use rnn_cell::train::{LayerPart, Schedule, Trainer};
use rnn_cell::{cells::Dense, prelude::*, rng::normal};

rnn_cell! {
    /// An LSTM with coupled gates (Greff et al. 2017, CIFG) that also averages its outputs over
    /// time. All speakers say the same vowels, so the whole utterance matters, not its end.
    cell Listener<I, H> {
        input  x: [I];
        state  h, c, mean_h: [H], n: [];
        param  W_f, W_g, W_o: [H, H + I], b_g, b_o: [H], b_f: [H] = 1;

        f = sigmoid(W_f @ [h[t-1], x] + b_f);
        g = tanh(W_g @ [h[t-1], x] + b_g);
        o = sigmoid(W_o @ [h[t-1], x] + b_o);
        c = f * c[t-1] + (1 - f) * g;
        h = o * tanh(c);

        n = n[t-1] + 1;
        mean_h = mean_h[t-1] + (h - mean_h[t-1]) / n;
        output mean_h;
    }
}

type Net = Stack<Listener<COEFFICIENTS, 32>, Dense<32, SPEAKERS>>;
const BATCH: usize = 10;
const EPOCHS: usize = 80;

/// Computes the cross-entropy of the speakers of a batch. In training, noise is added to the
/// coefficients: the test utterances were recorded on other occasions, and without noise the
/// network learns the occasion.
fn loss(part: &mut LayerPart<'_, Net, Utterance, BATCH>) -> f64 {
    let deviation = if part.is_training() { 0.8 } else { 0.0 };
    let mut noise = |x: f32| x + (deviation * normal(&mut part.rng)) as f32;
    let noisy = |sample: &&Utterance| sample.frames.iter().map(|frame| frame.map(&mut noise)).collect();
    let frames: Vec<Vec<_>> = part.samples.iter().map(noisy).collect();
    let (speakers, mut accuracy) = (part.labels(|utterance| utterance.speaker), 0.0);
    let loss = part.sequence(&pad(&frames), |out| {
        out.last_step(|logits, weights| {
            accuracy = accuracy_weighted(logits, &speakers, weights);
            softmax_cross_entropy_weighted(logits, &speakers, weights)
        })
    });
    part.metric("accuracy", accuracy);
    loss
}

fn main() -> std::process::ExitCode {
    report::run(|| {
        let picture = ("picture", "target/japanese_vowels.svg", "the file of the picture");
        let options =
            Options::read("Distinguishes nine speakers.", &[("seed", "1", "the random seed"), picture])?;
        let (mut train, mut test) = japanese_vowels(&options.path("data"))?;
        let standard = Standard::of(train.iter().flat_map(|utterance| &utterance.frames));
        let frames = train.iter_mut().chain(&mut test).flat_map(|utterance| &mut utterance.frames);
        frames.for_each(|frame| *frame = standard.apply(frame));

        let seed = options.get("seed")?;
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
        let net: Net = Stack::new(Listener::init(rng), Dense::init(rng));
        println!(
            "{} training and {} test utterances, {} parameters",
            train.len(),
            test.len(),
            net.parameter_count()
        );

        let updates = EPOCHS * train.len().div_ceil(BATCH);
        let mut trainer = Trainer::new::<BATCH>(net, AdamW::new(1e-2).weight_decay(1e-2))
            .schedule(Schedule::cosine(1e-2, updates))
            .clip_norm(1.0)
            .seed(seed);
        let bar = report::progress("training", EPOCHS);
        let fit = trainer.fit(&train, loss).validation(&test).epochs(EPOCHS);
        let outcome = fit.each_epoch(|_| bar.inc(1)).run()?;
        bar.finish_and_clear();

        let mut confusion = [[0; SPEAKERS]; SPEAKERS];
        for utterance in &test {
            let logits = trainer.model.run(&utterance.frames, &mut trainer.model.initial_state::<1>());
            let [guess] = arg_max(&logits[logits.len() - 1]);
            confusion[utterance.speaker as usize][guess as usize] += 1;
        }
        let right = outcome.validation("accuracy").last().map_or(0.0, |share| 100.0 * share);
        let title = format!("Japanese vowels, seed {seed}: {right:.1} % of the test utterances");
        println!("{title}\npicture: {}", options.path("picture").display());
        // The layers as a microcontroller would run them.
        let copies = (trainer.model.0.quantised::<Int8By16>()?, trainer.model.1.quantised::<Int8By16>()?);
        let is_right = |utterance: &&Utterance| {
            let mut state = copies.0.initial_state::<1>();
            let means = utterance.frames.iter().map(|frame| copies.0.step(frame, &mut state));
            let logits = means.last().map(|mean| copies.1.step(&mean, &mut copies.1.zero_state::<1>()));
            logits.is_some_and(|logits| arg_max(&logits) == [utterance.speaker])
        };
        let share = test.iter().filter(is_right).count() as f64 / test.len() as f64;
        println!("with matrices in 8 bits and products in integers: {:.1} %", 100.0 * share);
        let losses = [("training", outcome.training("loss")), ("test", outcome.validation("loss"))];
        loss_and_confusion(&options.path("picture"), &title, &losses, &confusion)
    })
}
