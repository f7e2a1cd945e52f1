//! Loading and saving.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::error::{Error, Problem};
use super::found::{Found, find};
use super::further;
use super::left_out;
use super::mapping::Mapping;
use super::plan::{Held, Laid, Plan, held, plan};
#[cfg(feature = "safetensors")]
use super::safetensors::{read, write};
use super::sizes;
#[cfg(any(feature = "safetensors", feature = "nam"))]
use super::tensor::Written;
use super::tensor::{Read, Values};
use crate::Scalar;
#[cfg(any(feature = "safetensors", feature = "nam"))]
use crate::cell::Model;
use crate::cell::{BlockShape, ModelMut};

impl Mapping {
    /// Sets every parameter and buffer of `model` from a safetensors file.
    ///
    /// # Errors
    /// Lists everything that does not fit: tensors that are missing or unexpected, wrong shapes, types and values, and mistakes
    /// of the mapping itself. The model is then as it was.
    #[cfg(feature = "safetensors")]
    pub fn load<M: ModelMut>(&self, model: &mut M, bytes: &[u8]) -> Result<(), Error> {
        match read(bytes) {
            Ok(file) => self.set_named(model, &file, Vec::new()),
            Err(problem) => self.set_named(model, &[], vec![problem]),
        }
    }

    /// Sets every parameter and buffer of `model` from the tensors of a file whose reader named them.
    #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
    pub(super) fn set<M: ModelMut>(
        &self,
        model: &mut M,
        file: &[Read],
        unread: Vec<Problem>,
    ) -> Result<(), Error> {
        self.plain().set_named(model, file, unread)
    }

    /// Sets every parameter and buffer of `model` from the tensors of a file, which are in the order of their names, each
    /// name once. `unread` is what is wrong with the file already: of its tensors nothing is then said.
    fn set_named<M: ModelMut>(
        &self,
        model: &mut M,
        file: &[Read],
        unread: Vec<Problem>,
    ) -> Result<(), Error> {
        let mut problems = Vec::new();
        let held = held(model);
        let plan = plan(self, &held, &mut problems);
        let values = if unread.is_empty() {
            self.values(file, &plan, &held, &mut problems)
        } else {
            left_out::tell(self, &held, &plan.left, None, &mut problems);
            Vec::new()
        };
        problems.extend(unread);
        let values = if problems.is_empty() { round(&values, &held, &mut problems) } else { Vec::new() };
        if !problems.is_empty() {
            return Err(Error::loading(problems));
        }

        let places = places(&held);
        let set = |name: &str, shape: BlockShape, block: &mut [M::Scalar]| {
            if let Some(&place) = places.get(name) {
                each_entry(shape, |entry, whole| block[entry] = values[place][whole]);
            }
        };
        model.visit_mut(&mut |parameter| set(parameter.name, parameter.shape, parameter.values));
        model.visit_buffers_mut(&mut |buffer| set(buffer.name, buffer.shape, buffer.values));
        Ok(())
    }

    /// The parameters and buffers of `model` as a safetensors file of the model's own precision.
    ///
    /// # Errors
    /// Mistakes of the mapping, and values that are not finite: no load would take them.
    #[cfg(feature = "safetensors")]
    pub fn save<M: Model>(&self, model: &M) -> Result<Vec<u8>, Error> {
        self.write(model, |tensors| Ok(write(tensors)))
    }

    /// What `write` makes of the tensors of `model`, which are in the mapping's order.
    #[cfg(any(feature = "safetensors", feature = "nam"))]
    pub(super) fn write<M: Model, W>(
        &self,
        model: &M,
        write: impl FnOnce(&[Written<'_, M::Scalar>]) -> Result<W, Vec<Problem>>,
    ) -> Result<W, Error> {
        let mut problems = Vec::new();
        let held = held(model);
        let plan = plan(self, &held, &mut problems);
        left_out::tell(self, &held, &plan.left, None, &mut problems);
        if problems.is_empty() {
            let whole = gather(model, &held, &mut problems);
            problems.extend(not_zero(&plan.zero, &held, &whole));
            let tensors: Vec<_> = plan.laid.iter().map(|laid| written(laid, &held, &whole)).collect();
            if problems.is_empty() {
                match write(&tensors) {
                    Ok(file) => return Ok(file),
                    Err(wrong) => problems = wrong,
                }
            }
        }
        Err(Error { loading: false, path: None, problems })
    }

    /// [`load`](Self::load) from the file at `path`.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), and a file that cannot be read.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    pub fn load_file<M: ModelMut>(
        &self,
        model: &mut M,
        path: impl AsRef<std::path::Path>,
    ) -> Result<(), Error> {
        super::path::read(path.as_ref(), |bytes| self.load(model, bytes))
    }

    /// [`save`](Self::save) to the file at `path`, which is replaced once the new one is complete: whoever reads it sees the
    /// one or the other.
    ///
    /// # Errors
    /// Those of [`save`](Self::save), and a file that cannot be written.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    pub fn save_file<M: Model>(&self, model: &M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        super::path::write(path.as_ref(), || self.save(model))
    }

    /// The value of every entry of every parameter, column by column, or what is wrong with the file.
    fn values(
        &self,
        file: &[Read],
        plan: &Plan,
        held: &[Held],
        problems: &mut Vec<Problem>,
    ) -> Vec<Vec<f64>> {
        let mut prefixes = Vec::new();
        let mut found = find(self, &plan.laid, file, &mut prefixes);
        left_out::tell(self, held, &plan.left, Some(&mut found), problems);
        let before = problems.len();
        problems.extend(prefixes);
        let biases = self.biases(&plan.laid, &mut found, problems);
        further::tell(self, &mut found, problems);
        let shapes = sizes::tell(self, &plan.laid, &found, problems);
        let mut numbers = Vec::new();
        for laid in &plan.laid {
            match found.places[laid.place].map(|place| &file[place]) {
                Some(read) => {
                    let told = shapes.contains(&laid.place);
                    numbers.extend(checked(read, laid, told, held, problems).map(|values| (laid, values)));
                }
                None if biases.contains(&laid.place) || found.told.contains(&laid.place) => {}
                None => {
                    let parameters = parameters(laid, held).into_iter().map(|(parameter, _)| parameter);
                    problems.push(found.missing(self, laid, parameters.collect()));
                }
            }
        }
        problems.extend(found.unexpected());
        // Now that the file is known to hold them all, as much memory as it has.
        if problems.len() > before {
            return Vec::new();
        }
        let mut values: Vec<_> = held.iter().map(|held| vec![0.0; held.whole.0 * held.whole.1]).collect();
        for (laid, numbers) in numbers {
            for piece in &laid.pieces {
                let sign = if piece.negated { -1.0 } else { 1.0 };
                let parameter = &mut values[piece.parameter];
                laid.each(piece, held, &mut |tensor, entry| parameter[entry] += sign * numbers.at(tensor));
            }
        }
        values
    }

    /// Tells of biases that the file lacks in whole layers, whose places are returned, and of those that it has and the
    /// mapping leaves out.
    fn biases(&self, laid: &[Laid], found: &mut Found, problems: &mut Vec<Problem>) -> BTreeSet<usize> {
        let mut lacking = BTreeSet::new();
        for layer in &self.layers {
            let (biases, others): (Vec<usize>, Vec<usize>) =
                layer.tensors.clone().partition(|&place| self.tensors[place].is_bias());
            let similar = |&place: &usize| found.is_similar(&found.name(self, place));
            if biases.iter().all(|&place| found.places[place].is_none())
                && others.iter().all(|&place| found.places[place].is_some())
                && !biases.iter().any(similar)
            {
                lacking.extend(biases);
            }
        }
        lacking.retain(|&place| laid.iter().any(|laid| laid.place == place));
        if !lacking.is_empty() {
            let tensors = lacking.iter().map(|&place| found.name(self, place));
            problems.push(Problem::NoBias { tensors: tensors.collect() });
        }
        let omitted = self.omitted.iter().filter_map(|tensor| found.place(&tensor.name));
        let mut there: Vec<usize> = omitted.collect();
        there.retain(|place| found.free.remove(place));
        if !there.is_empty() {
            let tensors = there.into_iter().map(|place| found.file[place].name.clone()).collect();
            problems.push(Problem::Bias { tensors });
        }
        lacking
    }
}

fn places(held: &[Held]) -> BTreeMap<&str, usize> {
    held.iter().enumerate().map(|(place, held)| (held.path.as_str(), place)).collect()
}

/// Calls `f` with the place of every entry in its block and in the whole parameter, column by column in both.
fn each_entry(shape: BlockShape, mut f: impl FnMut(usize, usize)) {
    let BlockShape { size: (rows, columns), at, whole, .. } = shape;
    for column in 0..columns {
        for row in 0..rows {
            f(row + column * rows, at.0 + row + (at.1 + column) * whole.0);
        }
    }
}

fn parameters(laid: &Laid, held: &[Held]) -> Vec<(String, (usize, usize))> {
    laid.pieces.iter().map(|piece| (held[piece.parameter].path.clone(), piece.size)).collect()
}

/// The numbers of a tensor if they are of the right shape (unless `told`, a problem says if not), of a known type, and
/// finite.
fn checked<'a>(
    read: &Read<'a>,
    laid: &Laid,
    told: bool,
    held: &[Held],
    problems: &mut Vec<Problem>,
) -> Option<Values<'a>> {
    let tensor = &read.name;
    let cell = laid.shape();
    let fits = read.shape == cell;
    if !fits && !told {
        let (tensor, file, parts) = (tensor.clone(), read.shape.clone(), parameters(laid, held));
        problems.push(Problem::Shape { tensor, file, cell, parts });
    }
    let values = match &read.values {
        Ok(values) => *values,
        Err(dtype) => {
            other_type(tensor, dtype, problems);
            return None;
        }
    };
    let finite = not_finite(tensor, &read.shape, (0..values.len()).map(|place| values.at(place)));
    let sound = finite.is_none();
    problems.extend(finite);
    (fits && sound).then_some(values)
}

/// Adds a tensor of a type that isn't read to the others of that type.
fn other_type(tensor: &str, found: &str, problems: &mut Vec<Problem>) {
    for problem in &mut *problems {
        if let Problem::Type { tensors, dtype } = problem
            && dtype == found
        {
            tensors.push(tensor.to_string());
            return;
        }
    }
    problems.push(Problem::Type { tensors: vec![tensor.to_string()], dtype: found.to_string() });
}

/// The first of `values`, row by row, that isn't finite.
fn not_finite(name: &str, shape: &[usize], values: impl Iterator<Item = f64>) -> Option<Problem> {
    let mut wrong = values.enumerate().filter(|(_, value)| !value.is_finite());
    let (mut place, value) = wrong.next()?;
    let mut at = vec![0; shape.len()];
    for (at, &size) in at.iter_mut().zip(shape).rev() {
        *at = place % size.max(1);
        place /= size.max(1);
    }
    Some(Problem::NotFinite { name: name.to_string(), at, value, count: 1 + wrong.count() })
}

/// The nearest scalars.
fn round<T: Scalar>(values: &[Vec<f64>], held: &[Held], problems: &mut Vec<Problem>) -> Vec<Vec<T>> {
    let rounded: Vec<Vec<T>> =
        values.iter().map(|values| values.iter().map(|&value| T::of(value)).collect()).collect();
    for (held, (rounded, values)) in held.iter().zip(rounded.iter().zip(values)) {
        if let Some(place) = rounded.iter().position(|value| !value.is_finite()) {
            let at = (place % held.whole.0, place / held.whole.0);
            problems.push(Problem::TooLarge { parameter: held.path.clone(), at, value: values[place] });
        }
    }
    rounded
}

/// Tells of parameters that no tensor holds and that aren't zero.
#[cfg(any(feature = "safetensors", feature = "nam"))]
fn not_zero<T: Scalar>(zero: &[usize], held: &[Held], whole: &[Vec<T>]) -> Option<Problem> {
    let wrong = zero.iter().filter(|&&place| whole[place].iter().any(|value| value.as_f64() != 0.0));
    let parameters: Vec<String> = wrong.map(|&place| held[place].path.clone()).collect();
    (!parameters.is_empty()).then_some(Problem::NotZero { parameters })
}

/// Every parameter whole, column by column.
#[cfg(any(feature = "safetensors", feature = "nam"))]
fn gather<M: Model>(model: &M, held: &[Held], problems: &mut Vec<Problem>) -> Vec<Vec<M::Scalar>> {
    let places = places(held);
    let mut values: Vec<_> =
        held.iter().map(|held| vec![<M::Scalar>::of(0.0); held.whole.0 * held.whole.1]).collect();
    let mut get = |name: &str, shape: BlockShape, block: &[M::Scalar]| {
        if let Some(&place) = places.get(name) {
            each_entry(shape, |entry, whole| values[place][whole] = block[entry]);
        }
    };
    model.visit(&mut |parameter| get(parameter.name, parameter.shape, parameter.values));
    model.visit_buffers(&mut |buffer| get(buffer.name, buffer.shape, buffer.values));
    for (held, values) in held.iter().zip(&values) {
        let (rows, columns) = held.whole;
        let by_row = (0..rows * columns).map(|k| values[k / columns + k % columns * rows].as_f64());
        problems.extend(not_finite(&held.path, &[rows, columns], by_row));
    }
    values
}

#[cfg(any(feature = "safetensors", feature = "nam"))]
fn written<'m, T: Scalar>(laid: &Laid<'m>, held: &[Held], whole: &[Vec<T>]) -> Written<'m, T> {
    let mut values = vec![T::of(0.0); laid.len()];
    for piece in laid.pieces.iter().filter(|piece| !piece.plus) {
        let sign = T::of(if piece.negated { -1.0 } else { 1.0 });
        let parameter = &whole[piece.parameter];
        laid.each(piece, held, &mut |tensor, entry| values[tensor] = sign * parameter[entry]);
    }
    Written { name: &laid.tensor.name, shape: laid.shape(), values }
}
