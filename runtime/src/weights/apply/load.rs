//! Loading: the conversion of a file's tensors to the parameters of a model.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::super::error::{Error, Problem};
use super::super::mapping::Mapping;
use super::super::parameters::{Parameter, parameters, set_values, zeros};
use super::super::tensor::{FileTensor, Values, check_finite};
use super::names::match_names;
use super::resolve::{Resolved, ResolvedTensor, resolve};
use super::{biases, pytorch_layers, sizes, unmapped};
use crate::Scalar;
#[cfg(feature = "safetensors")]
use crate::cell::Model;
use crate::cell::ModelMut;

impl Mapping {
    /// Sets every parameter and buffer of `model` from the tensors of a file that the user didn't
    /// name: see [`set_named`](Self::set_named).
    #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
    pub(in super::super) fn set<M: ModelMut>(
        &self,
        model: &mut M,
        file: Result<&[FileTensor], Problem>,
    ) -> Result<(), Error> {
        self.plain().set_named(model, file)
    }

    /// Sets every parameter and buffer of `model` from the tensors of a file, which are sorted by
    /// name, without duplicates. If the file could not be read, reports that with the mistakes of
    /// the mapping.
    pub(in super::super) fn set_named<M: ModelMut>(
        &self,
        model: &mut M,
        file: Result<&[FileTensor], Problem>,
    ) -> Result<(), Error> {
        let mut problems = Vec::new();
        let parameters = parameters(model);
        let resolved = resolve(self, &parameters, &mut problems);
        let values = match file {
            Ok(file) => collect(self, file, &resolved, &parameters, &mut problems),
            Err(problem) => {
                unmapped::report(self, &parameters, &resolved.unmapped, None, &mut problems);
                problems.push(problem);
                Vec::new()
            }
        };
        let values =
            if problems.is_empty() { round(&values, &parameters, &mut problems) } else { Vec::new() };
        if !problems.is_empty() {
            return Err(Error::loading(problems));
        }
        set_values(model, &parameters, &values);
        Ok(())
    }
}

impl Mapping {
    /// Returns the name and the shape of each tensor that a file of `model` has.
    #[cfg(feature = "safetensors")]
    pub(in super::super) fn shapes<M: Model>(&self, model: &M) -> Vec<(String, Vec<usize>)> {
        let resolved = resolve(self, &parameters(model), &mut Vec::new());
        resolved.tensors.iter().map(|resolved| (resolved.tensor.name.clone(), resolved.shape())).collect()
    }
}

/// Returns the value of every entry of every parameter, column by column. Reports all mistakes in
/// the file.
fn collect(
    mapping: &Mapping,
    file: &[FileTensor],
    resolved: &Resolved,
    parameters: &[Parameter],
    problems: &mut Vec<Problem>,
) -> Vec<Vec<f64>> {
    let mut prefixes = Vec::new();
    let mut matches = match_names(mapping, &resolved.tensors, file, &mut prefixes);
    unmapped::report(mapping, parameters, &resolved.unmapped, Some(&mut matches), problems);
    let before = problems.len();
    problems.extend(prefixes);
    let biases = biases::report(mapping, &resolved.tensors, &mut matches, problems);
    pytorch_layers::report(mapping, &mut matches, problems);
    let shapes = sizes::report(mapping, &resolved.tensors, &matches, problems);
    let mut numbers = Vec::new();
    for resolved in &resolved.tensors {
        let index = resolved.index;
        match matches.tensor(index) {
            Some(tensor) => {
                let is_reported = shapes.contains(&index);
                let values = check(tensor, resolved, is_reported, parameters, problems);
                numbers.extend(values.map(|values| (resolved, values)));
            }
            None if biases.contains(&index) || matches.ambiguous.contains(&index) => {}
            None => {
                let names = parts(resolved, parameters).into_iter().map(|(parameter, _)| parameter);
                problems.push(matches.missing(mapping, resolved, names.collect()));
            }
        }
    }
    problems.extend(matches.unexpected());
    // Allocates only if the file holds all values, so that the size of the file bounds the memory.
    if problems.len() > before {
        return Vec::new();
    }
    let mut values: Vec<Vec<f64>> = parameters.iter().map(zeros).collect();
    for (resolved, numbers) in numbers {
        for region in &resolved.regions {
            let sign = if region.negated { -1.0 } else { 1.0 };
            let parameter = &mut values[region.parameter];
            resolved.each_entry(region, parameters, |tensor, entry| {
                parameter[entry] += sign * numbers.at(tensor);
            });
        }
    }
    values
}

/// Returns the parameters in a tensor, each with the number of its rows and columns that the tensor
/// holds.
fn parts(resolved: &ResolvedTensor, parameters: &[Parameter]) -> Vec<(String, (usize, usize))> {
    let regions = resolved.regions.iter();
    regions.map(|region| (parameters[region.parameter].path.clone(), region.size)).collect()
}

/// Returns the numbers of a tensor if they have the right shape and a known type and are finite.
/// Reports mistakes, but not the shape if `is_reported`.
fn check<'a>(
    tensor: &FileTensor<'a>,
    resolved: &ResolvedTensor,
    is_reported: bool,
    parameters: &[Parameter],
    problems: &mut Vec<Problem>,
) -> Option<Values<'a>> {
    let name = &tensor.name;
    let cell = resolved.shape();
    let lacks_ones = || {
        let ones = cell.strip_prefix(tensor.shape.as_slice());
        resolved.tensor.may_lack_ones && ones.is_some_and(|ones| ones.iter().all(|&size| size == 1))
    };
    let fits = tensor.shape == cell || lacks_ones();
    if !fits && !is_reported {
        let parts = parts(resolved, parameters);
        problems.push(Problem::Shape { tensor: name.clone(), file: tensor.shape.clone(), cell, parts });
    }
    let values = match &tensor.values {
        Ok(values) => *values,
        Err(dtype) => {
            report_type(name, dtype, problems);
            return None;
        }
    };
    let numbers = (0..values.len()).map(|index| values.at(index));
    match check_finite(name, &tensor.shape, numbers) {
        Ok(()) => fits.then_some(values),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

/// Reports that a tensor has an unsupported type. Tensors of the same type share a problem.
fn report_type(tensor: &str, found: &str, problems: &mut Vec<Problem>) {
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

/// Rounds each value to the nearest scalar. Reports values that are too large.
fn round<T: Scalar>(
    values: &[Vec<f64>],
    parameters: &[Parameter],
    problems: &mut Vec<Problem>,
) -> Vec<Vec<T>> {
    let rounded: Vec<Vec<T>> =
        values.iter().map(|values| values.iter().map(|&value| T::of(value)).collect()).collect();
    for (parameter, (rounded, values)) in parameters.iter().zip(rounded.iter().zip(values)) {
        if let Some(entry) = rounded.iter().position(|value| !value.is_finite()) {
            let at = (entry % parameter.size.0, entry / parameter.size.0);
            problems.push(Problem::TooLarge { parameter: parameter.path.clone(), at, value: values[entry] });
        }
    }
    rounded
}
