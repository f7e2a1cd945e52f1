//! Where a NaN or an infinity came up first: in which step of a sequence, in which value, in which parameter's gradient.
//!
//! [`check_finite`] looks at a model or its gradients, which is cheap enough for every training step. Once it
//! has found something, [`check_sequence`] runs the sequence again, a step at a time, and says where it began.
//!
//! ```
//! use rnn_cell::cells::Elman;
//! use rnn_cell::finite::check_sequence;
//! use rnn_cell::prelude::*;
//!
//! let elman = Elman::<1, 4>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
//! let mut xs = [SVector::<f32, 1>::new(1.0); 20];
//! assert!(check_sequence(&elman, &xs, None, &elman.zero_state(), &[]).is_ok());
//!
//! xs[17][0] = f32::NAN;
//! let fault = check_sequence(&elman, &xs, None, &elman.zero_state(), &[]).unwrap_err();
//! assert_eq!(fault.to_string(), "the input is NaN at step 17 (scalar 0)");
//! ```

use alloc::vec::Vec;
use core::fmt;
use core::slice;

use crate::generated::check_lengths;
use crate::Scalar;
use crate::cell::Cell;
use crate::optim::{NotFinite, check_finite, check_finite_buffers};
use crate::sequence::window;
use crate::varying::Varying;

/// What a sequence has at each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// What the step reads.
    Input,
    /// What it returns.
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
    /// In a parameter or a buffer, before any step.
    Parameter(NotFinite),
    /// In the state before the first step: the place of the scalar in the order of [`Varying`], and the scalar.
    InitialState {
        /// The place.
        scalar: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// In a value of a step.
    Value {
        /// Which one.
        of: Value,
        /// The step, from 0.
        step: usize,
        /// The scalar's place in the order of [`Varying`]: fields in the order of their declaration, columns (samples) one after
        /// the other.
        scalar: usize,
        /// NaN or an infinity.
        value: f64,
    },
    /// In the gradient of a parameter, when the backward pass came to a step.
    Gradient {
        /// The step, from 0; the backward pass begins at the last.
        step: usize,
        /// The parameter, and the entry.
        at: NotFinite,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (of, step, scalar, value) = match self {
            Fault::Parameter(at) => return write!(f, "the parameter {at}"),
            Fault::InitialState { scalar, value } => {
                return write!(f, "the initial state is {value} (scalar {scalar})");
            }
            Fault::Gradient { step, at } => return write!(f, "the gradient of {at}, from step {step} on"),
            Fault::Value { of, step, scalar, value } => (of, step, scalar, value),
        };
        let of = match of {
            Value::Input => "the input",
            Value::Output => "the output",
            Value::State => "the state",
            Value::OutputBar => "the cotangent of the output",
            Value::StateBar => "the cotangent of the state before",
        };
        write!(f, "{of} is {value} at step {step} (scalar {scalar})")
    }
}

impl core::error::Error for Fault {}

/// Runs `layer` over `xs` and back, a step at a time, and looks at everything in the order in which it is computed: parameters,
/// buffers, the initial state; of each step the input, the output and the state; on the way back, of each step the cotangent of the
/// output, the gradients so far, and the cotangent of the state before. `dys` are the cotangents of the outputs; with none, nothing runs
/// back.
///
/// Of a ragged batch, what stands past a sample's end is not looked at.
///
/// # Errors
/// With the first scalar that is NaN or infinite.
///
/// # Panics
/// If `dys` are neither none nor one a step.
#[track_caller]
pub fn check_sequence<L, const B: usize>(
    layer: &L,
    xs: &[L::Input],
    lengths: Option<&[usize; B]>,
    state: &L::State,
    dys: &[L::Output],
) -> Result<(), Fault>
where
    L: Cell<B>,
    L::Input: Varying<L::Scalar> + Clone,
    L::Output: Varying<L::Scalar> + Clone,
    L::State: Varying<L::Scalar> + Clone,
{
    check_lengths(xs.len(), xs.len(), dys.len(), None);
    check_finite(layer).map_err(Fault::Parameter)?;
    check_finite_buffers(layer).map_err(Fault::Parameter)?;
    if let Some((scalar, value)) = first(state) {
        return Err(Fault::InitialState { scalar, value });
    }
    let look = |of: Value, step: usize, found: Option<(usize, f64)>| match found {
        Some((scalar, value)) => Err(Fault::Value { of, step, scalar, value }),
        None => Ok(()),
    };
    let at = |step: usize| lengths.map(|lengths| window(lengths, step, 1));

    let mut tape = layer.tape();
    let mut states: Vec<L::State> = Vec::with_capacity(xs.len());
    let mut now = state.clone();
    for (step, x) in xs.iter().enumerate() {
        let there = at(step);
        look(Value::Input, step, first_of(x, there.as_ref()))?;
        states.push(now.clone());
        layer.forward(slice::from_ref(x), there.as_ref(), &mut now, &mut tape);
        let y = layer.outputs(&tape).first().and_then(|y| first_of(y, there.as_ref()));
        look(Value::Output, step, y)?;
        look(Value::State, step, first(&now))?;
    }
    if dys.is_empty() {
        return Ok(());
    }

    let mut dstate = layer.zero_state();
    let mut gradients = layer.zero_gradients();
    for (step, mut before) in states.into_iter().enumerate().rev() {
        let (x, dy, there) = (slice::from_ref(&xs[step]), slice::from_ref(&dys[step]), at(step));
        look(Value::OutputBar, step, first_of(&dys[step], there.as_ref()))?;
        layer.forward(x, there.as_ref(), &mut before, &mut tape);
        layer.backward(x, there.as_ref(), &mut tape, dy, &mut dstate, &mut gradients, None);
        check_finite(&*gradients).map_err(|at| Fault::Gradient { step, at })?;
        look(Value::StateBar, step, first(&dstate))?;
    }
    Ok(())
}

/// The place of the first scalar that is not finite, and the scalar.
fn first<T: Scalar>(value: &impl Varying<T>) -> Option<(usize, f64)> {
    let (mut index, mut found) = (0, None);
    value.scalars(&mut |x| {
        if found.is_none() && !x.is_finite() {
            found = Some((index, x.as_f64()));
        }
        index += 1;
    });
    found
}

/// [`first`] of the samples that are still there: those whose length at this step is not 0.
fn first_of<T: Scalar, V: Varying<T> + Clone, const B: usize>(
    value: &V,
    there: Option<&[usize; B]>,
) -> Option<(usize, f64)> {
    let Some(there) = there.filter(|there| there.contains(&0)) else { return first(value) };
    let mut value = value.clone();
    for sample in (0..B).filter(|sample| there[*sample] == 0) {
        value.sample_mut(sample, B, &mut |x| *x = T::zero());
    }
    first(&value)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use nalgebra::{SMatrix, SVector};

    use super::*;
    use crate::cells::{Dense, Lstm};
    use crate::network::Stack;
    use crate::rng::{SeedableRng, Xoshiro256PlusPlus};
    use crate::rnn_cell;

    rnn_cell! {
        /// `s` doubles at each step and overflows; the square root has an infinite slope at zero.
        cell Fragile<N> {
            input x: [N];
            state s: [N];
            param w: [N] = 1;
            buffer k: [] = 2;

            s = k * s[t-1] + x;
            y = sqrt(w * s);

            output y;
        }
    }

    fn lstm() -> Lstm<2, 3> {
        Lstm::init(&mut Xoshiro256PlusPlus::seed_from_u64(4))
    }

    #[test]
    fn healthy_sequences_pass() {
        let (lstm, xs) = (lstm(), [SMatrix::<f32, 2, 2>::repeat(0.5); 6]);
        let dys = [SMatrix::<f32, 3, 2>::repeat(1.0); 6];
        assert_eq!(check_sequence(&lstm, &xs, None, &lstm.zero_state(), &dys), Ok(()));
    }

    #[test]
    fn planted_faults_are_named() {
        let healthy = lstm();
        let (xs, dys) = ([SVector::<f32, 2>::repeat(0.5); 6], [SVector::<f32, 3>::repeat(1.0); 6]);
        let said = |lstm: &Lstm<2, 3>, xs: &[SVector<f32, 2>], dys: &[SVector<f32, 3>]| {
            check_sequence(lstm, xs, None, &lstm.zero_state(), dys).unwrap_err().to_string()
        };

        let mut sick = healthy.clone();
        sick.U_f[(1, 2)] = f32::NAN;
        assert_eq!(said(&sick, &xs, &dys), "the parameter `U_f` is NaN at (1, 2)");
        let mut sick_xs = xs;
        sick_xs[4][1] = f32::INFINITY;
        assert_eq!(said(&healthy, &sick_xs, &dys), "the input is inf at step 4 (scalar 1)");
        let mut sick_dys = dys;
        sick_dys[2][0] = f32::NAN;
        assert_eq!(said(&healthy, &xs, &sick_dys), "the cotangent of the output is NaN at step 2 (scalar 0)");
        let mut state = healthy.zero_state::<1>();
        state.c[2] = f32::NEG_INFINITY;
        let found = check_sequence(&healthy, &xs, None, &state, &dys);
        assert_eq!(found.unwrap_err().to_string(), "the initial state is -inf (scalar 5)");
    }

    #[test]
    fn what_a_step_breaks_is_found_in_that_step() {
        let cell = Fragile::<2>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
        let state = FragileState { s: SVector::from([1.0, 2e38]) };
        let xs = [SVector::<f32, 2>::zeros(); 3];
        // 2e38, 4e38: past the largest f32. The output is computed from it, and is looked at first.
        let found = check_sequence(&cell, &xs, None, &state, &[]).unwrap_err();
        assert_eq!(found.to_string(), "the output is inf at step 0 (scalar 1)");

        // sqrt'(0) is infinite: forward all is well.
        let state = FragileState { s: SVector::from([1.0, 0.0]) };
        assert_eq!(check_sequence(&cell, &xs, None, &state, &[]), Ok(()));
        let dys = [SVector::<f32, 2>::repeat(1.0); 3];
        let Err(Fault::Gradient { step, at }) = check_sequence(&cell, &xs, None, &state, &dys) else {
            panic!("an infinite slope times zero is NaN")
        };
        assert_eq!((step, at.name.as_str(), at.row), (2, "w", 1));
        let fault = Fault::Gradient { step, at };
        assert_eq!(fault.to_string(), "the gradient of `w` is NaN at (1, 0), from step 2 on");

        let mut sick = cell.clone();
        sick.k = f32::NAN;
        let found = check_sequence(&sick, &xs, None, &state, &dys).unwrap_err();
        assert_eq!(found.to_string(), "the parameter `k` is NaN at (0, 0)");
    }

    #[test]
    fn cotangents_that_overflow() {
        // It grows by 1e10 in each step back.
        let mut cell = Fragile::<1>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
        cell.k = 1e10;
        let xs = vec![SVector::<f32, 1>::zeros(); 6];
        let mut dys = vec![SVector::<f32, 1>::zeros(); 6];
        dys[5][0] = 1.0;
        let state = FragileState { s: SVector::from([1e-30]) };
        let found = check_sequence(&cell, &xs, None, &state, &dys).unwrap_err();
        assert!(
            matches!(found, Fault::Value { of: Value::State | Value::Output | Value::StateBar, .. }),
            "{found}"
        );
    }

    #[test]
    fn padding_may_hold_anything() {
        let lstm = lstm();
        let mut xs = [SMatrix::<f32, 2, 2>::repeat(0.5); 5];
        xs[4].column_mut(1).fill(f32::NAN);
        let dys = [SMatrix::<f32, 3, 2>::repeat(1.0); 5];
        let check = |lengths| check_sequence(&lstm, &xs, Some(&lengths), &lstm.zero_state(), &dys);
        assert_eq!(check([5, 4]), Ok(()));
        assert_eq!(check([5, 5]).unwrap_err().to_string(), "the input is NaN at step 4 (scalar 2)");
    }

    #[test]
    fn networks_name_the_layer() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut net = Stack(lstm(), Dense::<3, 1>::init(&mut rng));
        net.1.W[(0, 2)] = f32::NAN;
        let xs = [SVector::<f32, 2>::repeat(0.5)];
        let state = crate::cell::Layer::<1>::initial_state(&net);
        let found = check_sequence::<_, 1>(&net, &xs, None, &state, &[]).unwrap_err();
        assert_eq!(found.to_string(), "the parameter `1.W` is NaN at (0, 2)");
    }
}
