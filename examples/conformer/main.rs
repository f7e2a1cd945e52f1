//! Recognises strings of spoken digits in a stream: two Conformer blocks and an LSTM, trained by
//! connectionist temporal classification.

mod blocks;
mod model;

use examples::options::{Options, QUICK};
use examples::report::run;
use examples::spoken::{Spoken, load, record};
use model::{
    BATCH, BothDirections, Hybrid, NoAttention, NoConvolution, NoLstm, Pair, Reads, Recogniser, Sample,
    Upper, pairs,
};
use rnn_cell::prelude::*;
use rnn_cell::train::ctc::label_error_rate;
use rnn_cell::train::{Part, Samples, Schedule, Trainer};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "x",
            &[("seed", "1", ""), ("epochs", "40", ""), ("rate", "3e-3", ""), ("which", "hybrid", ""), QUICK],
        )?;
        let data = options.path("data");
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
        let start = Instant::now();
        let training: Vec<Sample<Vec<f32>>> =
            load(&data, "training", usize::MAX)?.into_iter().map(sample).collect();
        println!("decode {:?}", start.elapsed());
        let recorded =
            |part: &str, rng: &mut Xoshiro256PlusPlus| -> Result<Vec<Sample<Vec<Pair>>>, Box<dyn Error>> {
                Ok(load(&data, part, usize::MAX)?
                    .into_iter()
                    .map(|s| {
                        let s = sample(s);
                        Sample { sound: pairs(&record(&s.sound, rng).samples), labels: s.labels }
                    })
                    .collect())
            };
        let validation = recorded("validation", &mut rng)?;
        let test = recorded("test", &mut rng)?;
        println!("load {:?}", start.elapsed());
        match options.get::<String>("which")?.as_str() {
            "hybrid" => learn::<Hybrid>(&options, &training, &validation, &test),
            "noatt" => learn::<NoAttention>(&options, &training, &validation, &test),
            "noconv" => learn::<NoConvolution>(&options, &training, &validation, &test),
            "nolstm" => learn::<NoLstm>(&options, &training, &validation, &test),
            _ => learn::<BothDirections>(&options, &training, &validation, &test),
        }
    })
}

fn sample(spoken: Spoken) -> Sample<Vec<f32>> {
    Sample { sound: spoken.samples, labels: spoken.digits.iter().map(|d| d + 1).collect() }
}

fn learn<U: Upper + Reads<BATCH> + Reads<1> + Sync>(
    options: &Options,
    training: &[Sample<Vec<f32>>],
    validation: &[Sample<Vec<Pair>>],
    test: &[Sample<Vec<Pair>>],
) -> Result<(), Box<dyn Error>>
where
    U: Model<Scalar = f32>,
    <U as Model>::Gradients: Send,
{
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.get("seed")?);
    let first: Vec<Vec<Pair>> =
        training.iter().take(100).map(|s| pairs(&record(&s.sound, &mut rng).samples)).collect();
    let model = Recogniser::<U>::new(first.iter().flatten(), &mut rng);
    println!("{}: {} parameters", U::NAME, model.parameter_count());
    let epochs: usize = options.get("epochs")?;
    let rate: f64 = options.get("rate")?;
    let updates = epochs * training.len().div_ceil(BATCH);
    let mut trainer = Trainer::with_buffers(model, AdamW::new(rate).weight_decay(1e-2), Samples::<BATCH>)
        .schedule(Schedule::cosine(rate, updates).warm_up(updates / 20))
        .clip_norm(1.0)
        .seed(options.get("seed")?);
    let start = Instant::now();
    let error = |model: &Recogniser<U>, samples: &[Sample<Vec<Pair>>]| {
        100.0 * label_error_rate(samples.iter().map(|s| (model.read(&s.sound), &s.labels)))
    };
    for epoch in 0..epochs {
        let outcome = trainer
            .fit(training, |part: &mut Part<'_, Recogniser<U>, Sample<Vec<f32>>, Samples<BATCH>>| {
                Recogniser::loss(part, |sound, rng| pairs(&record(sound, rng).samples))
            })
            .epochs(1)
            .bucket_by(|s| s.sound.len())
            .run()?;
        println!(
            "{epoch}: {:.3} validation {:.2} % test {:.2} %  {:.1} s",
            outcome.last().unwrap().loss(),
            error(&trainer.model, validation),
            error(&trainer.model, test),
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
