//! Saving: the conversion of a model's parameters to the tensors of a file.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::error::{Error, Problem};
use super::super::mapping::Mapping;
use super::super::parameters::{Parameter, parameters, values};
use super::super::tensor::{ModelTensor, check_finite};
use super::resolve::{ResolvedTensor, resolve};
use super::unmapped;
use crate::Scalar;
use crate::cell::Model;

impl Mapping {
    /// Calls `write` with the tensors of `model`, in the order of the mapping.
    pub(in super::super) fn write<M: Model, W>(
        &self,
        model: &M,
        write: impl FnOnce(&[ModelTensor<'_, M::Scalar>]) -> Result<W, Vec<Problem>>,
    ) -> Result<W, Error> {
        let mut problems = Vec::new();
        let parameters = parameters(model);
        let resolved = resolve(self, &parameters, &mut problems);
        unmapped::report(self, &parameters, &resolved.unmapped, None, &mut problems);
        if problems.is_empty() {
            let values = values(model, &parameters);
            problems.extend(check_values(&parameters, &values));
            problems.extend(check_zero(&resolved.zero, &parameters, &values));
            let tensors: Vec<_> =
                resolved.tensors.iter().map(|tensor| assemble(tensor, &parameters, &values)).collect();
            if problems.is_empty() {
                match write(&tensors) {
                    Ok(file) => return Ok(file),
                    Err(wrong) => problems = wrong,
                }
            }
        }
        Err(Error::saving(problems))
    }
}

/// Returns a problem for each parameter with values that are not finite.
fn check_values<T: Scalar>(parameters: &[Parameter], values: &[Vec<T>]) -> impl Iterator<Item = Problem> {
    parameters.iter().zip(values).filter_map(|(parameter, values)| {
        let (rows, columns) = parameter.size;
        let by_row = (0..rows * columns).map(|k| values[k / columns + k % columns * rows].as_f64());
        check_finite(&parameter.path, &[rows, columns], by_row).err()
    })
}

/// Returns the problem that parameters which the mapping omits are not zero.
fn check_zero<T: Scalar>(zero: &[usize], parameters: &[Parameter], values: &[Vec<T>]) -> Option<Problem> {
    let wrong = zero.iter().filter(|&&index| values[index].iter().any(|value| value.as_f64() != 0.0));
    let parameters: Vec<String> = wrong.map(|&index| parameters[index].path.clone()).collect();
    (!parameters.is_empty()).then_some(Problem::BiasesNotZero { parameters })
}

/// Assembles a tensor from the values of the parameters.
fn assemble<'m, T: Scalar>(
    resolved: &ResolvedTensor<'m>,
    parameters: &[Parameter],
    values: &[Vec<T>],
) -> ModelTensor<'m, T> {
    let mut tensor = vec![T::of(0.0); resolved.len()];
    for region in resolved.regions.iter().filter(|region| !region.plus) {
        let sign = T::of(if region.negated { -1.0 } else { 1.0 });
        let parameter = &values[region.parameter];
        resolved.each_entry(region, parameters, |index, entry| tensor[index] = sign * parameter[entry]);
    }
    ModelTensor { name: &resolved.tensor.name, shape: resolved.shape(), values: tensor }
}
