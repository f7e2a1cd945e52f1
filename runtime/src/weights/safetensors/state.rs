//! States: saving a stream and resuming it, with the same bits.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

#[cfg(feature = "std")]
use super::super::disk;
use super::super::error::{Error, Problem};
use super::format::Kind;
use super::reader::Reader;
use super::writer::Writer;
use crate::cell::{Layer, StatePart};
use crate::rng::{SeedableRng, Xoshiro256PlusPlus};

/// Returns the state of a stream as a safetensors file. A stream that goes on from the
/// [loaded](load_state) state has the same outputs, bit for bit.
///
/// Each field of a state is a tensor `[n]` of its path (`h`, or `0.h` in a network), with all
/// samples of a batch one after the other. So are the earlier values that a cell reads, from the
/// latest to the oldest (`past_x`). Indices and numbers of steps are stored as bytes, four for
/// each. The random generators of [dropout](crate::network::Dropout) and
/// [zoneout](crate::network::Zoneout) are part of the state. Values may be infinite, as some
/// initial values are.
///
/// ```
/// use rnn_cell::cells::{Dense, Lstm};
/// use rnn_cell::prelude::*;
/// use rnn_cell::weights;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let net = Stack::new(Lstm::<1, 8>::init(&mut rng), Dense::<8, 1>::init(&mut rng));
/// let mut state = net.initial_state();
/// net.step(&SVector::<f32, 1>::new(0.5), &mut state);
/// let saved: Vec<u8> = weights::save_state(&net, &state);
///
/// let mut resumed = net.initial_state();
/// weights::load_state(&net, &mut resumed, &saved)?;
/// let x = SVector::<f32, 1>::new(-0.5);
/// assert_eq!(net.step(&x, &mut resumed), net.step(&x, &mut state));
/// # Ok::<(), weights::Error>(())
/// ```
pub fn save_state<const B: usize, L: Layer<B>>(layer: &L, state: &L::State) -> Vec<u8> {
    let mut file = Writer::of(Kind::State);
    file.state("", layer, state);
    file.into_bytes()
}

/// Sets `state` to one saved by [`save_state`]. A file without a random generator gives a state
/// without noise.
///
/// # Errors
/// Lists all mistakes: another file than a state's, missing and unexpected tensors, wrong shapes
/// and types. The state is then unchanged.
pub fn load_state<const B: usize, L: Layer<B>>(
    layer: &L,
    state: &mut L::State,
    bytes: &[u8],
) -> Result<(), Error> {
    let error = |problems: Vec<Problem>| Error::loading(problems).of("state");
    let mut file = Reader::of(Kind::State, bytes).map_err(|problem| error(Vec::from([problem])))?;
    let (loaded, mut problems) = file.read_state("", layer, state);
    problems.extend(file.unread_problem());
    if !problems.is_empty() {
        return Err(error(problems));
    }
    *state = loaded;
    Ok(())
}

/// Saves to the file at `path`: see [`save_state`]. Other programs, and this one after a crash, see
/// either the old file or the complete new one.
///
/// # Errors
/// Returns an error if the file cannot be written.
#[cfg(feature = "std")]
pub fn save_state_file<const B: usize, L: Layer<B>>(
    layer: &L,
    state: &L::State,
    path: impl AsRef<std::path::Path>,
) -> Result<(), Error> {
    disk::write(path.as_ref(), || Ok(save_state(layer, state))).map_err(|error| error.of("state"))
}

/// Loads the file at `path`: see [`load_state`].
///
/// # Errors
/// Returns an error if [`load_state`] fails, or the file cannot be read.
#[cfg(feature = "std")]
pub fn load_state_file<const B: usize, L: Layer<B>>(
    layer: &L,
    state: &mut L::State,
    path: impl AsRef<std::path::Path>,
) -> Result<(), Error> {
    disk::read(path.as_ref(), |bytes| load_state(layer, state, bytes)).map_err(|error| error.of("state"))
}

impl Writer {
    /// Adds the state of a stream, each part under `prefix` and its path: see [`save_state`].
    ///
    /// # Panics
    /// Panics if the file has a tensor of the same name.
    pub fn state<const B: usize, L: Layer<B>>(&mut self, prefix: &str, layer: &L, state: &L::State) {
        let mut names = Names::new(prefix);
        layer.visit_state(&mut state.clone(), &mut |path, part| {
            let name = names.next(path);
            match part {
                StatePart::Scalars(scalars) => self.tensor(&name, &[scalars.len()], scalars),
                StatePart::Integers(integers) => self.bytes(
                    &name,
                    &integers.iter().flat_map(|integer| integer.to_le_bytes()).collect::<Vec<u8>>(),
                ),
                StatePart::Generator(Some(generator)) => self.bytes(&name, &generator.state()),
                StatePart::Generator(None) => {}
            }
        });
    }
}

impl Reader<'_> {
    /// Sets the state of a stream from the tensors under `prefix`: see [`load_state`].
    ///
    /// # Errors
    /// Lists all mistakes in these tensors. The state is then unchanged.
    pub fn state<const B: usize, L: Layer<B>>(
        &mut self,
        prefix: &str,
        layer: &L,
        state: &mut L::State,
    ) -> Result<(), Error> {
        let (loaded, problems) = self.read_state(prefix, layer, state);
        if !problems.is_empty() {
            return Err(Error::loading(problems).of("state"));
        }
        *state = loaded;
        Ok(())
    }

    /// Returns the state in the file, and the mistakes in it.
    fn read_state<const B: usize, L: Layer<B>>(
        &mut self,
        prefix: &str,
        layer: &L,
        state: &L::State,
    ) -> (L::State, Vec<Problem>) {
        let (mut loaded, mut problems, mut names) = (state.clone(), Vec::new(), Names::new(prefix));
        layer.visit_state(&mut loaded, &mut |path, part| {
            let name = names.next(path);
            match part {
                StatePart::Scalars(scalars) => match self.values(&name, &[scalars.len()]) {
                    Ok(values) => scalars.copy_from_slice(&values),
                    Err(problem) => problems.push(problem),
                },
                StatePart::Integers(integers) => match self.bytes(&name, 4 * integers.len()) {
                    Ok(bytes) => {
                        for (integer, bytes) in integers.iter_mut().zip(bytes.as_chunks().0) {
                            *integer = u32::from_le_bytes(*bytes);
                        }
                    }
                    Err(problem) => problems.push(problem),
                },
                StatePart::Generator(generator) => match self.bytes(&name, 32) {
                    Ok(bytes) => *generator = bytes.try_into().ok().map(Xoshiro256PlusPlus::from_seed),
                    Err(Problem::Missing { .. }) => *generator = None,
                    Err(problem) => problems.push(problem),
                },
            }
        });
        (loaded, problems)
    }
}

/// The names of the parts of a state. Parts of the same path, such as the generators of one dropout
/// within another, are numbered.
struct Names<'a> {
    prefix: &'a str,
    counts: BTreeMap<String, usize>,
}

impl<'a> Names<'a> {
    fn new(prefix: &'a str) -> Self {
        Names { prefix, counts: BTreeMap::new() }
    }

    /// Returns the name of the next part of this path. A part without a path is called `state`.
    fn next(&mut self, path: &str) -> String {
        let path = if path.is_empty() { "state" } else { path };
        let count = self.counts.entry(path.to_string()).or_default();
        *count += 1;
        match *count {
            1 => format!("{}{path}", self.prefix),
            count => format!("{}{path}.{count}", self.prefix),
        }
    }
}
