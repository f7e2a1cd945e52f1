//! Checkpoints: a training run on disk, which resumes with the same bits.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::str::FromStr;
use std::path::Path;

use super::fit::{Best, Progress};
use super::weights::{set_values, values};
use super::{Buffers, Counts, Epoch, Scores, Slot, Trainer, Workers};
use crate::Scalar;
use crate::cell::ModelMut;
use crate::train::optim::{Optimiser, OptimiserState, gather, update};
use crate::weights::{Error, Problem, Reader, Writer, disk};

const VERSION: usize = 1;

impl<M, O, W, C> Trainer<M, O, W, C>
where
    M: ModelMut,
    O: Optimiser<M::Scalar>,
    W: Buffers<M>,
    C: Workers,
{
    /// Saves the training to the file at `path`: the parameters and buffers of the model, the
    /// optimiser's moments, the counters, the seed, carried states. A training that is resumed from
    /// it ends with the same bits as one that was never interrupted.
    ///
    /// The file is a safetensors file; the tensors of the model have the prefix `model.`. Other
    /// programs, and this one after a crash, see either the old file or the complete new one. A
    /// program that is killed while it saves may leave a file whose name ends in `.partial`, which
    /// is never read. Settings such as clipping are not saved: the program sets them again.
    ///
    /// If there are several processes, all of them must call this. The first writes the file.
    ///
    /// # Errors
    /// Returns an error if a parameter is not finite, or the file cannot be written. All processes
    /// return an error then.
    pub fn save_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.save(path.as_ref(), |_| ())
    }

    /// Resumes the training that [`save_checkpoint`](Self::save_checkpoint) saved to `path`.
    ///
    /// If there are several processes, all of them must call this. The first reads the file. The
    /// number of processes may differ from that of the saved training.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is damaged, or belongs to another model,
    /// another optimiser or another version. The trainer is then unchanged.
    pub fn load_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let bytes = self.in_first(|_| read_file(path))?;
        Reader::new(&bytes).and_then(|mut file| self.read(&mut file)).map_err(|error| error.at(path))
    }

    /// Saves the training, and the entries that `add` adds to the file.
    fn save(&mut self, path: &Path, add: impl FnOnce(&mut Writer)) -> Result<(), Error> {
        let states = self.gather_states();
        let save = |trainer: &mut Self| {
            let mut file = Writer::new();
            trainer.write(&mut file)?;
            trainer.write_states(&states, &mut file)?;
            add(&mut file);
            file.save(path).map(|()| Vec::new())
        };
        self.in_first(save).map(|_| ())
    }

    /// Calls `work` in the first process, and returns its result in every process.
    fn in_first(&mut self, work: impl FnOnce(&mut Self) -> Result<Vec<u8>, Error>) -> Result<Vec<u8>, Error> {
        let result = self.workers.is_first().then(|| work(self));
        let mut message = match &result {
            Some(Ok(bytes)) => bytes.clone(),
            Some(Err(error)) => error.to_string().into_bytes(),
            None => Vec::new(),
        };
        message.push(u8::from(matches!(result, Some(Ok(_)))));
        let mut first = self.workers.all_gather(message).swap_remove(0);
        let is_ok = first.pop() == Some(1);
        match result {
            Some(result) => result,
            None if is_ok => Ok(first),
            None => {
                let message = format!("process 0 failed: {}", String::from_utf8_lossy(&first));
                Err(Error::loading([Problem::File { message }]).of("training"))
            }
        }
    }

    /// Returns the carried states of all parts, as one file per process.
    fn gather_states(&self) -> Vec<Vec<u8>> {
        let mut states = Writer::new();
        for (part, slot) in self.workers.own(self.settings.parts).zip(&self.slots) {
            slot.buffers.save(&self.model, &prefix(part), &mut states);
        }
        self.workers.all_gather(states.into_bytes())
    }

    /// Copies carried states to a file.
    fn write_states(&self, states: &[Vec<u8>], file: &mut Writer) -> Result<(), Error> {
        for states in states {
            let mut states = Reader::new(states)?;
            for part in 0..self.settings.parts {
                let prefix = prefix(part);
                if let Some(buffers) = self.slots[0].buffers.load(&self.model, &prefix, &mut states)? {
                    buffers.save(&self.model, &prefix, file);
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, file: &mut Writer) -> Result<(), Error> {
        file.metadata("rnn-cell", "training");
        file.metadata("version", VERSION);
        file.metadata("optimiser", self.optimiser.name());
        file.metadata("precision", precision::<M::Scalar>());
        file.metadata("seed", self.settings.seed);
        file.metadata("parts", self.settings.parts);
        file.metadata("updates", self.counts.updates);
        file.metadata("pending", self.counts.pending);
        file.metadata("complete_epochs", self.counts.epochs);
        file.model("model.", &self.model)?;
        self.optimiser.visit_state(&mut |name, state| match state {
            OptimiserState::Number(number) => file.metadata(&format!("optimiser.{name}"), exact(*number)),
            OptimiserState::Values(values) => {
                file.tensor(&format!("optimiser.{name}"), &[values.len()], values);
            }
        });
        if self.counts.pending > 0 {
            gather(&*self.gradients, &mut self.total);
            file.tensor("gradients", &[self.total.len()], &self.total);
        }
        Ok(())
    }

    /// Reads a file. After an error nothing has changed.
    fn read(&mut self, file: &mut Reader<'_>) -> Result<(), Error> {
        let before = values(&self.model);
        let result = self.read_all(file);
        if result.is_err() {
            set_values(&mut self.model, &before);
        }
        result
    }

    /// Reads a file. After an error the model alone may have changed.
    fn read_all(&mut self, file: &mut Reader<'_>) -> Result<(), Error> {
        expect(file, "rnn-cell", "training", "a checkpoint of a training run has `training` here")?;
        expect(file, "version", &VERSION.to_string(), "this version of the library reads only its own")?;
        let optimiser = self.optimiser.name();
        expect(file, "optimiser", optimiser, &format!("the trainer has `{optimiser}`"))?;
        let precision = precision::<M::Scalar>();
        expect(file, "precision", precision, &format!("the model has {precision}"))?;
        let parts = self.settings.parts.to_string();
        expect(file, "parts", &parts, &format!("a batch of the trainer has {parts}"))?;
        file.model("model.", &mut self.model)?;
        let seed = self.settings.seed.to_string();
        expect(file, "seed", &seed, &format!("the seed of the trainer is {seed}"))?;
        let [updates, pending, epochs]: [usize; 3] =
            [number(file, "updates")?, number(file, "pending")?, number(file, "complete_epochs")?];
        let count = self.model.parameter_count();
        let gradients: Vec<M::Scalar> = match pending {
            0 => Vec::new(),
            _ => file.tensor("gradients", &[count])?,
        };
        let (mut numbers, mut values, mut mistake) = (Vec::new(), Vec::new(), None);
        self.optimiser.visit_state(&mut |name, state| {
            let name = format!("optimiser.{name}");
            let result = match state {
                OptimiserState::Number(_) => number(file, &name).map(|number| numbers.push(number)),
                // An optimiser has no moments before its first step.
                OptimiserState::Values(_) => file
                    .tensor(&name, &[count])
                    .or_else(|error| file.tensor(&name, &[0]).map_err(|_| error))
                    .map(|moments: Vec<M::Scalar>| values.push(moments)),
            };
            mistake = mistake.take().or(result.err());
        });
        mistake.map_or(Ok(()), Err)?;
        self.add_slots();
        let own = self.own_parts().zip(&self.slots);
        let load = |(part, slot): (usize, &Slot<M, W>)| slot.buffers.load(&self.model, &prefix(part), file);
        let buffers: Vec<Option<W>> = own.map(load).collect::<Result<_, _>>()?;

        let (mut numbers, mut values) = (numbers.into_iter(), values.into_iter());
        self.optimiser.visit_state(&mut |_, state| match state {
            OptimiserState::Number(number) => *number = numbers.next().unwrap_or(*number),
            OptimiserState::Values(moments) => *moments = values.next().unwrap_or_default(),
        });
        for (slot, buffers) in self.slots.iter_mut().zip(buffers) {
            if let Some(buffers) = buffers {
                slot.buffers = buffers;
            }
        }
        if pending > 0 {
            update(&mut *self.gradients, &gradients, |_, g, saved| g.copy_from_slice(saved));
        }
        self.counts = Counts { pending, updates, epochs };
        Ok(())
    }

    /// Saves a training run over epochs of `samples` samples.
    pub(super) fn save_fit(
        &mut self,
        path: &Path,
        samples: usize,
        progress: &Progress<M::Scalar>,
    ) -> Result<(), Error> {
        let batch = self.batch_size();
        self.save(path, |file| {
            file.metadata("samples", samples);
            file.metadata("batch_size", batch);
            progress.write(file);
        })
    }

    /// Resumes a training run over epochs of `samples` samples, if there is a file at `path`.
    /// `restores_best` requires the parameters of the best epoch in the file.
    pub(super) fn load_fit(
        &mut self,
        path: &Path,
        samples: usize,
        restores_best: bool,
    ) -> Result<Option<Progress<M::Scalar>>, Error> {
        let batch = self.batch_size();
        let bytes = self.in_first(|_| {
            disk::remove_partial(path);
            if path.exists() { read_file(path) } else { Ok(Vec::new()) }
        })?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut read = || {
            let mut file = Reader::new(&bytes)?;
            expect(&file, "samples", &samples.to_string(), &format!("this training has {samples}"))?;
            expect(&file, "batch_size", &batch.to_string(), &format!("that of this training is {batch}"))?;
            let progress = Progress::read(&mut file)?;
            let best = progress.best.values.len();
            if restores_best && progress.best.epoch > 0 && best != values(&self.model).len() {
                let wanted =
                    "this training restores the best epoch, and the run before did not keep its parameters";
                return Err(setting("best.values", &best.to_string(), wanted));
            }
            self.read(&mut file)?;
            Ok(Some(progress))
        };
        read().map_err(|error: Error| error.at(path))
    }
}

impl<T: Scalar> Progress<T> {
    /// The number of columns of the table of epochs.
    const COLUMNS: usize = 5 + 2 * Scores::NUMBERS;

    fn write(&self, file: &mut Writer) {
        file.metadata("epoch", self.epoch);
        file.metadata("batch", self.batch);
        file.metadata("is_stopped", self.is_stopped);
        file.metadata("best.epoch", self.best.epoch);
        file.metadata("best.loss", exact(self.best.loss));
        file.metadata("best.values", self.best.values.len());
        file.metadata("epochs", self.epochs.len());
        let names: Vec<&str> = self.names().collect();
        file.metadata("metrics", names.join("\n"));
        file.tensor("best", &[self.best.values.len()], &self.best.values);
        file.tensor("training", &[Scores::NUMBERS], &self.training.to_numbers());
        let rows: Vec<f64> = self.epochs.iter().flat_map(row).collect();
        file.tensor("epochs", &[self.epochs.len(), Self::COLUMNS], &rows);
    }

    fn read(file: &mut Reader<'_>) -> Result<Self, Error> {
        let kept = number(file, "best.values")?;
        let best = Best {
            epoch: number(file, "best.epoch")?,
            loss: number(file, "best.loss")?,
            values: file.tensor("best", &[kept])?,
        };
        let count = number(file, "epochs")?;
        let rows: Vec<f64> = file.tensor("epochs", &[count, Self::COLUMNS])?;
        let names: Vec<String> =
            file.metadata("metrics").unwrap_or_default().lines().map(String::from).collect();
        let scores = |numbers: &[f64]| Scores::from_numbers(numbers, &names);
        Ok(Progress {
            epoch: number(file, "epoch")?,
            batch: number(file, "batch")?,
            is_stopped: number(file, "is_stopped")?,
            training: scores(&file.tensor("training", &[Scores::NUMBERS])?),
            epochs: rows.chunks(Self::COLUMNS).map(|row| epoch(row, scores)).collect(),
            best,
        })
    }

    /// Returns the names of the metrics.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.epochs.last().map_or(&self.training, |epoch| &epoch.training).metrics().map(|(name, _)| name)
    }
}

/// Returns an epoch as a row of the table of epochs.
fn row(epoch: &Epoch) -> Vec<f64> {
    let flag = |is_set| f64::from(u8::from(is_set));
    let validation = epoch.validation.clone();
    let mut row = Vec::from([
        epoch.number as f64,
        epoch.updates as f64,
        epoch.rate,
        flag(epoch.is_best),
        flag(validation.is_some()),
    ]);
    row.extend(epoch.training.to_numbers());
    row.extend(validation.unwrap_or_default().to_numbers());
    row
}

/// Returns the epoch of a row of the table of epochs.
fn epoch(row: &[f64], scores: impl Fn(&[f64]) -> Scores) -> Epoch {
    let (head, numbers) = row.split_at(5);
    let (training, validation) = numbers.split_at(Scores::NUMBERS);
    Epoch {
        number: head[0] as usize,
        updates: head[1] as usize,
        rate: head[2],
        is_best: head[3] > 0.0,
        training: scores(training),
        validation: (head[4] > 0.0).then(|| scores(validation)),
    }
}

/// Returns the bytes of a file that has the header of a safetensors file.
fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    disk::read(path, |bytes| Reader::new(bytes).map(|_| bytes.to_vec()))
}

/// Returns the prefix of the names of a part's carried state.
fn prefix(part: usize) -> String {
    format!("part.{part}.")
}

fn precision<T: Scalar>() -> &'static str {
    if size_of::<T>() == size_of::<f32>() { "f32" } else { "f64" }
}

/// Formats a number so that parsing the text gives the same bits.
fn exact(number: f64) -> String {
    format!("{number:?}")
}

/// Checks that a text of the metadata is the wanted one; `reason` says what reads the file.
fn expect(file: &Reader<'_>, key: &str, wanted: &str, reason: &str) -> Result<(), Error> {
    match file.metadata(key) {
        Some(text) if text == wanted => Ok(()),
        text => Err(setting(key, text.unwrap_or("missing"), reason)),
    }
}

/// Reads a number of the metadata.
fn number<N: FromStr<Err: Display>>(file: &Reader<'_>, key: &str) -> Result<N, Error> {
    let text = file.metadata(key).ok_or_else(|| setting(key, "missing", "it must be a number"))?;
    text.parse().map_err(|error| setting(key, text, &format!("it cannot be read: {error}")))
}

fn setting(name: &str, file: &str, wanted: &str) -> Error {
    let (name, file, wanted) = (name.into(), file.into(), wanted.into());
    Error::loading([Problem::Setting { name, file, wanted }]).of("training")
}
