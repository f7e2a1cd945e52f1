//! Tests of the check on correct and faulty layers that are written by hand.

use alloc::string::ToString;
use alloc::vec::Vec;

use nalgebra::SMatrix;

use super::*;
use crate::by_hand::{Conditioned, Elman, Fault};
use crate::cell::Pass;
use crate::cells::Lstm;
use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};
use crate::rnn_cell;

const I: usize = 3;
const H: usize = 4;
const B: usize = 2;

struct Case {
    layer: Conditioned<I, H>,
    xs: Vec<SMatrix<f64, I, B>>,
    context: SMatrix<f64, H, B>,
    state: SMatrix<f64, H, B>,
}

fn case(steps: usize, fault: Fault) -> Case {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let layer = Conditioned { fault, ..Conditioned::init(&mut rng) };
    let xs = (0..steps).map(|_| SMatrix::from_fn(|_, _| rng::normal(&mut rng))).collect();
    let context = SMatrix::from_fn(|_, _| rng::normal(&mut rng));
    let state = SMatrix::from_fn(|_, _| rng::normal(&mut rng));
    Case { layer, xs, context, state }
}

impl Case {
    fn check(&mut self) -> Report {
        gradcheck::<_, B>(&mut self.layer, (&self.xs, &self.context), &self.state)
    }
}

fn names(report: &Report) -> Vec<&str> {
    let wrong =
        |check: &&Check| check.error.is_nan() || check.error > report.tolerance || check.compared == 0;
    report.checks.iter().filter(wrong).map(|check| check.name.as_str()).collect()
}

#[test]
fn a_correct_layer_passes() {
    let mut case = case(7, Fault::None);
    let before = case.layer.clone();
    let report = case.check();
    report.assert_ok();
    assert!(report.error() < 1e-9, "{report}");
    let checked: Vec<_> = report.checks.iter().map(|check| (check.name.as_str(), check.scalars)).collect();
    let expected = [("W", 28), ("b", 4), ("input", 42), ("initial state", 8), ("context", 8)];
    assert_eq!(checked, expected);
    assert_eq!(
        (case.layer.weights, case.layer.bias),
        (before.weights, before.bias),
        "parameters were changed"
    );

    let mut layer = Elman(case.layer);
    let report = gradcheck::<_, B>(&mut layer, &case.xs, &case.state);
    report.assert_ok();
    assert_eq!(report.of("context"), None);
}

#[test]
fn ragged_empty_and_single_sequences_pass() {
    for steps in [0, 1, 5] {
        let mut case = case(steps, Fault::None);
        case.check().assert_ok();
        let lengths = [steps / 2, steps];
        let settings = Gradcheck { seed: 9, ..Gradcheck::default() };
        let report = settings.check(
            &mut case.layer,
            (Pass::of(&case.xs).lengths(lengths), &case.context),
            &case.state,
        );
        report.assert_ok();
    }
}

#[test]
fn one_wrong_entry_is_caught_and_named() {
    let report = case(7, Fault::OneEntry).check();
    assert!(!report.is_ok());
    assert_eq!(names(&report), ["W"], "{report}");
    assert!(report.error() > 1e-4, "{report}");
    assert!(report.to_string().contains("W (28 scalars): WRONG"), "{report}");
}

#[test]
#[should_panic(expected = "the gradient check failed")]
fn assert_ok_panics_on_a_wrong_gradient() {
    case(7, Fault::OneEntry).check().assert_ok();
}

#[test]
fn a_missing_recurrence_is_caught() {
    let report = case(3, Fault::NoRecurrence).check();
    assert_eq!(names(&report), ["W", "b", "input", "initial state", "context"], "{report}");
}

#[test]
fn an_untouched_state_or_context_is_caught() {
    assert_eq!(names(&case(3, Fault::StateUntouched).check()), ["initial state"]);
    assert_eq!(names(&case(3, Fault::NoCotangentOfContext).check()), ["context"]);
}

#[test]
fn violations_of_the_contract_are_caught() {
    for (fault, violation) in [
        (Fault::OverwritesGradients, "`backward` does not add to the gradients it is given"),
        (Fault::AddsToInputs, "`backward` does not overwrite the cotangents of the inputs"),
        (Fault::EmptyIsNotZero, "empty `dys` are not treated as zeros"),
    ] {
        let report = case(3, fault).check();
        assert_eq!(report.violations, [violation], "{report}");
        assert!(!report.is_ok() && names(&report).is_empty(), "{report}");
    }
}

#[test]
fn cotangents_from_padding_are_caught() {
    let mut case = case(5, Fault::PaddingCounts);
    case.check().assert_ok();
    let settings = Gradcheck::default();
    let report =
        settings.check(&mut case.layer, (Pass::of(&case.xs).lengths([2, 4]), &case.context), &case.state);
    assert_eq!(report.violations, ["`dys` past a sample's end are not ignored"], "{report}");
}

#[test]
fn kinks_nearby_are_avoided_and_kinks_at_the_point_reported() {
    let mut case = case(6, Fault::None);
    case.layer.relu = true;
    case.check().assert_ok();

    // With all weights zero, every relu is at its kink, and the loss has no derivative in any
    // direction of a value that feeds it.
    case.layer = Conditioned { relu: true, ..Conditioned::zeros() };
    case.context.fill(0.0);
    let report = case.check();
    assert!(!report.is_ok());
    let bias = report.of("b").unwrap();
    assert_eq!((bias.compared, bias.kinks.len()), (0, 4), "{report}");
    assert!(report.to_string().contains("b (4 scalars): NOT CHECKED"), "{report}");
}

#[test]
fn a_loss_that_is_not_finite_does_not_pass() {
    let mut case = case(3, Fault::None);
    case.layer.bias[1] = f64::NAN;
    let report = case.check();
    assert!(!report.is_ok());
    assert_eq!(report.violations, ["the outputs or the final state are not finite"]);
}

#[test]
fn zero_gradients_pass_only_where_they_are_correct() {
    let lstm = &mut Lstm::<2, 3, f64>::zeros();
    let (state, xs) = (lstm.zero_state::<B>(), [SMatrix::<f64, 2, B>::zeros(); 3]);
    let none = Some([0; B]);
    for (xs, lengths) in [(&xs[..], None), (&[], None), (&xs, none), (&[], none)] {
        let report = Gradcheck::default().check::<_, B>(lstm, Pass::of(xs).lengths(lengths), &state);
        assert!(report.is_ok() && report.error().is_finite(), "{report}");
    }
    // A wrong gradient is still wrong where the loss is zero.
    let mut case = case(3, Fault::OneEntry);
    case.layer = Conditioned { fault: Fault::OneEntry, ..Conditioned::zeros() };
    case.context.fill(0.0);
    case.state.fill(0.0);
    assert_eq!(names(&case.check()), ["W"]);
}

rnn_cell! {
    /// A cell whose value and slope are zero at the origin. The loss has no rounding error there,
    /// but its finite differences have.
    cell Cube {
        input x: [];
        param w: [] = 0;

        y = w * w * w + 3 * x * x * x * w;

        output y;
    }
}

#[test]
fn a_zero_slope_with_a_zero_loss_passes() {
    let mut cube = Cube::<f64>::zeros();
    let xs: [_; 4] = core::array::from_fn(|t| SMatrix::<f64, 1, 1>::new(0.1 * t as f64));
    let state = cube.zero_state();
    gradcheck::<_, 1>(&mut cube, &xs, &state).assert_ok();
}
