//! A search for the first NaN or infinity in a sequence: its layer, its step, and the value or the
//! parameter's gradient that contains it.
//!
//! [`check_finite`] checks a model or its gradients, which is cheap enough for every training step.
//! If it finds a fault, [`check_sequence`] runs the sequence again, checks the values of every
//! layer, and reports the first fault. It takes any layer: a cell, a stack, both directions.
//!
//! ```
//! use rnn_cell::cells::{Dense, Elman};
//! use rnn_cell::inspect::finite::check_sequence;
//! use rnn_cell::prelude::*;
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let both = Bidirectional::new(Elman::<1, 4>::init(&mut rng), Elman::<1, 4>::init(&mut rng));
//! let mut net = Stack::new(both.joined(Concat::<8>), Dense::<8, 1>::init(&mut rng));
//! let mut xs = [SVector::<f32, 1>::new(1.0); 20];
//! assert!(check_sequence(&net, &xs, &net.initial_state(), &[]).is_ok());
//!
//! xs[17][0] = f32::NAN;
//! let fault = check_sequence(&net, &xs, &net.initial_state(), &[]).unwrap_err();
//! assert_eq!(fault.to_string(), "the input is NaN at step 17 (scalar 0)");
//!
//! // Eight outputs of tanh that are 1, times the largest number.
//! net.0.forward.b.fill(20.0);
//! net.0.reverse.b.fill(20.0);
//! net.1.W.fill(f32::MAX);
//! let fault = check_sequence(&net, &xs[..17], &net.initial_state(), &[]).unwrap_err();
//! assert_eq!(fault.to_string(), "the output of layer `1` is inf at step 0 (scalar 0)");
//! ```

pub use crate::cell::fault::{
    Fault, NotFinite, Place, Value, check_finite, inspect_steps, inspect_steps_back,
};
use crate::cell::fault::{check_finite_buffers, first, look, look_back_at_outputs};
use crate::cell::{Bars, IntoPass, Layer, check_lengths};
use crate::types::varying::Varying;

/// Runs `layer` over `xs` forward and backward and checks all values in the order in which they are
/// computed. The order is: parameters, buffers, the initial state, the inputs; the outputs and the
/// states of each step, layer by layer; then, from the last layer to the first and from the last
/// step to the first, the cotangents of the outputs, the gradients and the cotangents of the
/// states. `dys` are the cotangents of the outputs; without them there is no backward pass.
///
/// The passes are those of training, over the whole sequence. A layer that streams then runs once
/// more, one step at a time, as [`inspect_forward`](Layer::inspect_forward) decides. The first
/// fault of a sequence is not always at its earliest step: a layer that reads from the end starts
/// at the last step.
///
/// The padding of a ragged batch is not checked.
///
/// # Errors
/// Returns the first scalar that is NaN or infinite.
///
/// # Panics
/// Panics if `dys` is neither empty nor as long as the sequence.
#[track_caller]
pub fn check_sequence<'a, L, const B: usize>(
    layer: &L,
    pass: impl IntoPass<'a, L::Input, L::Context, B>,
    state: &L::State,
    dys: &[L::Output],
) -> Result<(), Fault>
where
    L: Layer<B, Input: Varying<L::Scalar> + Clone + 'a, Context: 'a>,
{
    let pass = pass.into_pass();
    let lengths = pass.lengths;
    check_lengths(pass.xs.len(), pass.xs.len(), dys.len(), None);
    check_finite(layer).map_err(Fault::Parameter)?;
    check_finite_buffers(layer).map_err(Fault::Parameter)?;
    if let Some(at) = first::<_, _, B>(state, |_| true) {
        return Err(Fault::InitialState(at));
    }
    for (step, x) in pass.xs.iter().enumerate() {
        look(Value::Input, step, x, lengths)?;
    }
    let (mut tape, mut last) = (L::Tape::default(), state.clone());
    layer.forward_pass(pass, &mut last, &mut tape);
    layer.inspect_forward(pass, state, &tape)?;
    // Some layers do not report their states step by step.
    look::<_, _, B>(Value::State, pass.xs.len().saturating_sub(1), &last, None)?;
    if dys.is_empty() {
        return Ok(());
    }
    look_back_at_outputs(dys, lengths)?;
    // A backward pass consumes its tape, and layers read the outputs of the layers before them.
    let mut back = L::Tape::default();
    layer.forward_pass(pass, &mut state.clone(), &mut back);
    let (mut dstate, mut gradients) = (L::State::zero(), layer.zero_gradients());
    layer.backward_pass(pass, &mut back, dys, Bars::of(&mut *gradients).state(&mut dstate).without_context());
    layer.inspect_backward(pass, state, [&tape, &back], dys, &gradients)?;
    check_finite(&*gradients).map_err(|at| Fault::Gradient { step: None, at })?;
    look::<_, _, B>(Value::StateBar, 0, &dstate, None)
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec;

    use nalgebra::{SMatrix, SVector};

    use super::*;
    use crate::by_hand::{Conditioned, Elman};
    use crate::cell::{Model, Pass};
    use crate::cells::{Dense, Lstm};
    use crate::network::{Bidirectional, Residual, Stack};
    use crate::rng::{SeedableRng, Xoshiro256PlusPlus};
    use crate::rnn_cell;

    rnn_cell! {
        /// A cell whose `s` doubles at each step and overflows, and whose square root has an
        /// infinite slope at zero.
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
        assert_eq!(check_sequence(&lstm, &xs, &lstm.zero_state(), &dys), Ok(()));
    }

    #[test]
    fn planted_faults_are_named() {
        let healthy = lstm();
        let (xs, dys) = ([SVector::<f32, 2>::repeat(0.5); 6], [SVector::<f32, 3>::repeat(1.0); 6]);
        let said = |lstm: &Lstm<2, 3>, xs: &[SVector<f32, 2>], dys: &[SVector<f32, 3>]| {
            check_sequence(lstm, xs, &lstm.zero_state(), dys).unwrap_err().to_string()
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
        let found = check_sequence(&healthy, &xs, &state, &dys);
        assert_eq!(found.unwrap_err().to_string(), "the initial state is -inf (scalar 5)");
    }

    #[test]
    fn a_fault_is_found_in_its_step() {
        let cell = Fragile::<2>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
        let state = FragileState { s: SVector::from([1.0, 2e38]) };
        let xs = [SVector::<f32, 2>::zeros(); 3];
        // 2e38, then 4e38, above the largest f32. The output is computed from `s` and is checked
        // first.
        let found = check_sequence(&cell, &xs, &state, &[]).unwrap_err();
        assert_eq!(found.to_string(), "the output is inf at step 0 (scalar 1)");

        // sqrt'(0) is infinite, so only the backward pass has a fault.
        let state = FragileState { s: SVector::from([1.0, 0.0]) };
        assert_eq!(check_sequence(&cell, &xs, &state, &[]), Ok(()));
        let dys = [SVector::<f32, 2>::repeat(1.0); 3];
        let Err(Fault::Gradient { step: Some(step), at }) = check_sequence(&cell, &xs, &state, &dys) else {
            panic!("an infinite slope times zero is NaN")
        };
        assert_eq!((step, at.name.as_str(), at.row), (2, "w", 1));
        let fault = Fault::Gradient { step: Some(step), at };
        assert_eq!(fault.to_string(), "the gradient of `w` is NaN at (1, 0), from step 2 on");

        let mut sick = cell.clone();
        sick.k = f32::NAN;
        let found = check_sequence(&sick, &xs, &state, &dys).unwrap_err();
        assert_eq!(found.to_string(), "the parameter `k` is NaN at (0, 0)");
    }

    #[test]
    fn overflowing_cotangents_are_found() {
        // The cotangent grows by 1e10 per step back.
        let mut cell = Fragile::<1>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
        cell.k = 1e10;
        let xs = vec![SVector::<f32, 1>::zeros(); 6];
        let mut dys = vec![SVector::<f32, 1>::zeros(); 6];
        dys[5][0] = 1.0;
        let state = FragileState { s: SVector::from([1e-30]) };
        let found = check_sequence(&cell, &xs, &state, &dys).unwrap_err();
        assert!(
            matches!(found, Fault::Value { of: Value::State | Value::Output | Value::StateBar, .. }),
            "{found}"
        );
    }

    #[test]
    fn padding_is_not_checked() {
        let lstm = lstm();
        let mut xs = [SMatrix::<f32, 2, 2>::repeat(0.5); 5];
        xs[4].column_mut(1).fill(f32::NAN);
        let dys = [SMatrix::<f32, 3, 2>::repeat(1.0); 5];
        let check = |lengths| check_sequence(&lstm, Pass::of(&xs).lengths(lengths), &lstm.zero_state(), &dys);
        assert_eq!(check([5, 4]), Ok(()));
        assert_eq!(check([5, 5]).unwrap_err().to_string(), "the input is NaN at step 4 (sample 1, scalar 0)");
    }

    #[test]
    fn networks_name_the_layer() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut net = Stack::new(lstm(), Dense::<3, 1>::init(&mut rng));
        net.1.W[(0, 2)] = f32::NAN;
        let xs = [SVector::<f32, 2>::repeat(0.5)];
        let state = net.initial_state::<1>();
        let found = check_sequence::<_, 1>(&net, &xs, &state, &[]).unwrap_err();
        assert_eq!(found.to_string(), "the parameter `1.W` is NaN at (0, 2)");
    }

    rnn_cell! {
        /// A cell that multiplies its input by 3e38 and has a root with an infinite slope at zero.
        cell Planted<N> {
            input x: [N];
            state _s: [N];
            param w: [N] = 1;
            param v: [N] = 1;

            _s = w * x * 3e38;
            y = x + sqrt(abs(v));

            output y;
        }
    }

    /// An LSTM, both directions of `Planted`, and a readout.
    type Both = Bidirectional<Planted<3>, Planted<3>, crate::network::Sum>;
    type Net = Stack<Lstm<2, 3>, Stack<Residual<Both>, Dense<3, 1>>>;

    fn net() -> Net {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut planted = || Planted::init(&mut rng);
        let both = Bidirectional::new(planted(), planted()).joined(crate::network::Sum);
        Stack::new(lstm(), Stack::new(Residual::new(both), Dense::init(&mut rng)))
    }

    const RAGGED: [usize; 2] = [6, 4];

    fn found<const N: usize>(
        net: &impl Layer<2, Scalar = f32, Input = SMatrix<f32, 2, 2>, Output = SMatrix<f32, N, 2>, Context = ()>,
        dys: &[SMatrix<f32, N, 2>],
    ) -> Result<(), String> {
        let xs = [SMatrix::<f32, 2, 2>::repeat(0.5); 6];
        let found = check_sequence::<_, 2>(net, Pass::of(&xs).lengths(RAGGED), &net.initial_state(), dys);
        found.map_err(|fault| fault.to_string())
    }

    #[test]
    fn networks_that_do_not_stream_are_checked() {
        let (net, dys) = (net(), [SMatrix::<f32, 1, 2>::repeat(1.0); 6]);
        assert_eq!(found(&net, &[]), Ok(()));
        assert_eq!(found(&net, &dys), Ok(()));
        let both = Bidirectional::new(lstm(), lstm()).joined(crate::network::Sum);
        assert_eq!(found(&both, &[SMatrix::<f32, 3, 2>::repeat(1.0); 6]), Ok(()));
    }

    #[test]
    fn faults_name_the_layer_the_direction_and_the_step_of_the_sequence() {
        // The LSTM's outputs are smaller than 1, but 100 * 3e38 times them overflows.
        let mut sick = net();
        sick.1.0.layer.reverse.w.fill(100.0);
        let said = found(&sick, &[]).unwrap_err();
        assert!(said.starts_with("the state of layer `1.reverse` is "), "{said}");
        // The last step of the longer sample.
        assert!(said.ends_with("inf at step 5 (sample 0, scalar 0)"), "{said}");
        sick.1.0.layer.forward.w.fill(1000.0);
        let said = found(&sick, &[]).unwrap_err();
        assert!(said.starts_with("the state of layer `1.forward` is "), "{said}");
        assert!(said.ends_with("inf at step 0 (sample 0, scalar 0)"), "{said}");
        let mut sick = net();
        sick.1.1.W.fill(f32::MAX);
        sick.1.1.b[0] = f32::MAX;
        sick.1.0.layer.forward.w.fill(0.0);
        let said = found(&sick, &[]).unwrap_err();
        assert!(said.starts_with("the output of layer `2` is "), "{said}");
    }

    #[test]
    fn the_layer_of_a_gradient_is_named() {
        let mut sick = net();
        sick.1.0.layer.reverse.v[1] = 0.0;
        let dys = [SMatrix::<f32, 1, 2>::repeat(1.0); 6];
        assert_eq!(found(&sick, &[]), Ok(()));
        // The samples of a ragged batch have no common step when they are read from their ends.
        assert_eq!(found(&sick, &dys).unwrap_err(), "the gradient of `1.reverse.v` is NaN at (1, 0)");
        let mut sick = net();
        sick.1.0.layer.forward.v[1] = 0.0;
        let said = found(&sick, &dys).unwrap_err();
        assert_eq!(said, "the gradient of `1.forward.v` is NaN at (1, 0), from step 5 on");

        // Sequences of one length have a common step.
        let mut both = net().1.0.layer;
        both.reverse.v[2] = 0.0;
        let xs = [SVector::<f32, 3>::repeat(0.5); 4];
        let state = both.initial_state::<1>();
        let fault = check_sequence::<_, 1>(&both, &xs, &state, &xs).unwrap_err();
        assert_eq!(fault.to_string(), "the gradient of `reverse.v` is NaN at (2, 0), from step 0 on");
    }

    #[test]
    fn a_layer_around_a_stack_is_named_after_the_whole_stack() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let inner = Residual::new(Stack::new(Dense::<2, 3>::init(&mut rng), Dense::<3, 2>::init(&mut rng)));
        let mut net =
            Stack::new(Dense::<2, 2>::init(&mut rng), Stack::new(inner, Dense::<2, 2>::init(&mut rng)));
        net.1.0.layer.1.b.fill(3e38);
        net.0.b.fill(2e38);
        net.0.W.fill(0.0);
        net.1.0.layer.0.W.fill(0.0);
        let (xs, state) = ([SVector::<f32, 2>::zeros()], net.initial_state::<1>());
        let fault = check_sequence::<_, 1>(&net, &xs, &state, &[]).unwrap_err();
        assert_eq!(fault.to_string(), "the output of layer `1..=2` is inf at step 0 (scalar 0)");
    }

    #[test]
    fn outputs_of_hand_written_layers_are_checked() {
        let mut elman = Elman(Conditioned::<2, 3>::zeros());
        let mut xs = [SMatrix::<f64, 2, 2>::repeat(0.5); 3];
        let state = elman.initial_state::<2>();
        assert_eq!(check_sequence(&elman, &xs, &state, &xs.map(|_| SMatrix::repeat(1.0))), Ok(()));
        elman.0.weights.right.fill(f64::MAX);
        xs.iter_mut().for_each(|x| x.fill(4.0));
        elman.0.weights.left.fill(-f64::MAX);
        elman.0.relu = true;
        let net = Stack::new(elman, Elman(Conditioned::<3, 1>::zeros()));
        let state = net.initial_state::<2>();
        let fault = check_sequence(&net, &xs, &state, &[]).unwrap_err();
        assert_eq!(fault.to_string(), "the output of layer `0` is inf at step 0 (sample 0, scalar 0)");
    }
}
