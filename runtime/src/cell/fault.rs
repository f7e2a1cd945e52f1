//! Faults: values that are NaN or infinite, in a model, a state or a step of a sequence, and the
//! checks that find them in one layer. `inspect::finite` exports the public ones and finds the
//! first fault of a sequence.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::slice;

use super::{Bars, Layer, LayerPass, Model, Parameter};
use crate::Scalar;
use crate::types::varying::Varying;

/// A value of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The input.
    Input,
    /// The output.
    Output,
    /// The state after the step.
    State,
    /// The cotangent of the output.
    OutputBar,
    /// The cotangent of the state before the step.
    StateBar,
}

/// The first scalar that is NaN or infinite.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// A fault in a parameter or a buffer, before any step.
    Parameter(NotFinite),
    /// A fault in the state before the first step.
    InitialState(Place),
    /// A fault in a value of a step.
    Value {
        /// The path of the layer, the prefix of the names of its parameters: `0.reverse`. It is
        /// empty for the checked layer itself. A layer that contains a stack and has no path of its
        /// own has the paths of the stack's first and last layer: `0..=2`.
        layer: String,
        /// The value.
        of: Value,
        /// The step of the sequence, from 0, also in layers that read the sequence from its end.
        step: usize,
        /// The scalar.
        at: Place,
    },
    /// A fault in the gradient of a parameter.
    Gradient {
        /// The step of the backward pass, from 0. It is `None` if the layer does not run by steps,
        /// or reads the samples of a ragged batch from their ends.
        step: Option<usize>,
        /// The parameter and the entry.
        at: NotFinite,
    },
}

/// The position of a scalar that is NaN or infinite, within its value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The sample. It is `None` if there is only one, or the value does not distinguish samples.
    pub sample: Option<usize>,
    /// The number of the scalar within the sample, in the order of [`Varying`]: fields in the order
    /// of their declaration.
    pub scalar: usize,
    /// The scalar itself, NaN or an infinity.
    pub value: f64,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Parameter(at) => write!(f, "the parameter {at}"),
            Fault::InitialState(at) => write!(f, "the initial state is {} {at}", at.value),
            Fault::Gradient { step: Some(step), at } => {
                write!(f, "the gradient of {at}, from step {step} on")
            }
            Fault::Gradient { step: None, at } => write!(f, "the gradient of {at}"),
            Fault::Value { layer, of, step, at } => {
                f.write_str(match of {
                    Value::Input => "the input",
                    Value::Output => "the output",
                    Value::State => "the state",
                    Value::OutputBar => "the cotangent of the output",
                    Value::StateBar => "the cotangent of the old state",
                })?;
                if !layer.is_empty() {
                    write!(f, " of layer `{layer}`")?;
                }
                write!(f, " is {} at step {step} {at}", at.value)
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sample {
            Some(sample) => write!(f, "(sample {sample}, scalar {})", self.scalar),
            None => write!(f, "(scalar {})", self.scalar),
        }
    }
}

impl core::error::Error for Fault {}

impl Fault {
    /// Returns the fault with its path from the containing layer. `rename` maps the layer's own
    /// path to that path.
    pub(crate) fn renamed(mut self, rename: impl FnOnce(&str) -> String) -> Self {
        match &mut self {
            Fault::InitialState(_) => {}
            Fault::Value { layer: name, .. }
            | Fault::Parameter(NotFinite { name, .. })
            | Fault::Gradient { at: NotFinite { name, .. }, .. } => *name = rename(name),
        }
        self
    }

    /// Returns the fault of a layer that read the sequence from its end, with the step counted from
    /// the start.
    pub(crate) fn reversed<const B: usize>(mut self, steps: usize, lengths: Option<[usize; B]>) -> Self {
        let reversed = |step: usize, length: usize| if step < length { length - 1 - step } else { step };
        match &mut self {
            Fault::Value { step, at, .. } => {
                let sample = at.sample.or((B == 1).then_some(0));
                let length =
                    lengths.zip(sample).map_or(steps, |(lengths, sample)| lengths[sample].min(steps));
                *step = reversed(*step, length);
            }
            Fault::Gradient { step, .. } if lengths.is_some() => *step = None,
            Fault::Gradient { step, .. } => *step = step.map(|step| reversed(step, steps)),
            Fault::Parameter(_) | Fault::InitialState(_) => {}
        }
        self
    }
}

/// The position and value of a scalar that is NaN or infinite.
#[derive(Debug, Clone, PartialEq)]
pub struct NotFinite {
    /// The name of the parameter.
    pub name: String,
    /// The row in the whole parameter.
    pub row: usize,
    /// The column in the whole parameter.
    pub column: usize,
    /// The value: NaN or an infinity.
    pub value: f64,
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {} at ({}, {})", self.name, self.value, self.row, self.column)
    }
}

impl core::error::Error for NotFinite {}

/// Finds the first scalar of a model or of its gradients that is NaN or infinite.
/// [`check_sequence`](crate::inspect::finite::check_sequence) finds the step of a sequence at which
/// one occurs.
///
/// # Errors
/// Returns an error if there is such a scalar; the error has its name, position and value.
pub fn check_finite<M: Model>(model: &M) -> Result<(), NotFinite> {
    let mut found = None;
    model.visit(&mut |block| find(block, &mut found));
    found.map_or(Ok(()), Err)
}

/// Finds the first scalar that is NaN or infinite, like [`check_finite`], among the fields that are
/// saved but not learned.
pub(crate) fn check_finite_buffers<M: Model>(model: &M) -> Result<(), NotFinite> {
    let mut found = None;
    model.visit_buffers(&mut |block| find(block, &mut found));
    found.map_or(Ok(()), Err)
}

fn find<T: Scalar>(block: Parameter<'_, '_, T>, found: &mut Option<NotFinite>) {
    if found.is_some() {
        return;
    }
    if let Some(at) = block.values.iter().position(|x| !x.is_finite()) {
        let (rows, (row, column)) = (block.shape.size.0.max(1), block.shape.at_in_stack());
        *found = Some(NotFinite {
            name: block.name.into(),
            row: row + at % rows,
            column: column + at / rows,
            value: block.values[at].as_f64(),
        });
    }
}

/// Checks the outputs of each step. This is the body of [`Layer::inspect_forward`] for a layer that
/// reports nothing else.
pub(crate) fn look_at_outputs<T: Scalar, Y: Varying<T> + Clone, const B: usize>(
    ys: &[Y],
    lengths: Option<[usize; B]>,
) -> Result<(), Fault> {
    ys.iter().enumerate().try_for_each(|(step, y)| look(Value::Output, step, y, lengths))
}

/// Checks the cotangents of the outputs, from the last step to the first.
pub(crate) fn look_back_at_outputs<T: Scalar, Y: Varying<T> + Clone, const B: usize>(
    dys: &[Y],
    lengths: Option<[usize; B]>,
) -> Result<(), Fault> {
    dys.iter().enumerate().rev().try_for_each(|(step, dy)| look(Value::OutputBar, step, dy, lengths))
}

/// Checks the cotangents of the outputs, from the last step to the first, and the gradients. This
/// is the body of [`Layer::inspect_backward`] for a layer that reports nothing else.
pub(crate) fn look_at_cotangents<Y: Varying<M::Scalar> + Clone, M: Model, const B: usize>(
    dys: &[Y],
    lengths: Option<[usize; B]>,
    gradients: &M,
) -> Result<(), Fault> {
    look_back_at_outputs(dys, lengths)?;
    check_finite(gradients).map_err(|at| Fault::Gradient { step: None, at })
}

/// Runs a layer one step at a time and checks the output and the state of each step. This is the
/// body of [`Layer::inspect_forward`] for a layer whose steps depend only on earlier steps.
///
/// # Errors
/// Returns the first scalar that is NaN or infinite.
pub fn inspect_steps<L: Layer<B>, const B: usize>(
    layer: &L,
    pass: LayerPass<'_, L, B>,
    state: &L::State,
) -> Result<(), Fault> {
    let (mut tape, mut now) = (L::Tape::default(), state.clone());
    for step in 0..pass.xs.len() {
        layer.forward_pass(pass.window(step..step + 1), &mut now, &mut tape);
        if let Some(y) = layer.outputs(&tape).first() {
            look(Value::Output, step, y, pass.lengths)?;
        }
        look::<_, _, B>(Value::State, step, &now, None)?;
    }
    Ok(())
}

/// Runs a layer one step at a time, forward and backward. Checks the cotangent of each step's
/// output, the gradients so far and the cotangent of the state before the step. This is the body of
/// [`Layer::inspect_backward`] for a layer that [`inspect_steps`] accepts.
///
/// # Errors
/// Returns the first scalar that is NaN or infinite.
pub fn inspect_steps_back<L: Layer<B>, const B: usize>(
    layer: &L,
    pass: LayerPass<'_, L, B>,
    state: &L::State,
    dys: &[L::Output],
) -> Result<(), Fault> {
    let (mut tape, mut now) = (L::Tape::default(), state.clone());
    let mut states: Vec<L::State> = Vec::with_capacity(pass.xs.len());
    for step in 0..pass.xs.len() {
        states.push(now.clone());
        layer.forward_pass(pass.window(step..step + 1), &mut now, &mut tape);
    }
    let (mut dstate, mut gradients) = (L::State::zero(), layer.zero_gradients());
    for (step, mut before) in states.into_iter().enumerate().rev() {
        let (step_pass, dy) = (pass.window(step..step + 1), dys.get(step));
        if let Some(dy) = dy {
            look(Value::OutputBar, step, dy, pass.lengths)?;
        }
        let dy = dy.map_or(&[][..], slice::from_ref);
        layer.forward_pass(step_pass, &mut before, &mut tape);
        let bars = Bars::of(&mut *gradients).state(&mut dstate).without_context();
        layer.backward_pass(step_pass, &mut tape, dy, bars);
        check_finite(&*gradients).map_err(|at| Fault::Gradient { step: Some(step), at })?;
        look::<_, _, B>(Value::StateBar, step, &dstate, None)?;
    }
    Ok(())
}

/// Checks a value for the samples that are longer than `step`.
pub(crate) fn look<T: Scalar, V: Varying<T> + Clone, const B: usize>(
    of: Value,
    step: usize,
    value: &V,
    lengths: Option<[usize; B]>,
) -> Result<(), Fault> {
    let is_there = |sample: usize| lengths.is_none_or(|lengths| step < lengths[sample]);
    match first::<_, _, B>(value, is_there) {
        Some(at) => Err(Fault::Value { layer: String::new(), of, step, at }),
        None => Ok(()),
    }
}

/// Returns the first scalar of a value of `B` samples that is NaN or infinite, among the samples
/// for which `is_there` holds.
pub(crate) fn first<T: Scalar, V: Varying<T> + Clone, const B: usize>(
    value: &V,
    is_there: impl Fn(usize) -> bool,
) -> Option<Place> {
    if is_finite(value) {
        return None;
    }
    let (mut samples, mut tells_apart) = (value.clone(), false);
    for sample in 0..B {
        let (mut scalar, mut found) = (0, None);
        samples.sample_mut(sample, B, &mut |x| {
            let value = x.as_f64();
            if found.is_none() && !value.is_finite() {
                found = Some(Place { sample: (B > 1).then_some(sample), scalar, value });
            }
            scalar += 1;
        });
        tells_apart |= scalar > 0;
        if found.is_some() && is_there(sample) {
            return found;
        }
    }
    if tells_apart {
        return None;
    }
    let (mut scalar, mut found) = (0, None);
    value.scalars(&mut |x| {
        let value = x.as_f64();
        if found.is_none() && !value.is_finite() {
            found = Some(Place { sample: None, scalar, value });
        }
        scalar += 1;
    });
    found
}

fn is_finite<T: Scalar>(value: &impl Varying<T>) -> bool {
    let mut all = true;
    value.scalars(&mut |x| all &= x.as_f64().is_finite());
    all
}
