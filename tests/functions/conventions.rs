//! The conventions for points without a derivative, and functions whose derivative is zero by
//! definition.

use nalgebra::SVector;
use rnn_cell::prelude::*;

/// Defines tests that the cotangents of `x` and `y` are `$dx` and `$dy`. `$value` is an expression
/// of `x` and `y` (one entry each), evaluated at `$x` and `$y`. Its cotangent is 1.
macro_rules! cotangents {
    ($($test:ident: { $($value:tt)* }, at $x:literal, $y:literal: $dx:literal, $dy:literal;)*) => { $(
        #[test]
        fn $test() {
            rnn_cell! {
                pub cell Kink {
                    input x: [1], y: [1];
                    z = $($value)* + 0 * x + 0 * y;
                    output z;
                }
            }
            let cell = Kink::<f64>::zeros();
            let xs = [KinkInput { x: SVector::from([$x]), y: SVector::from([$y]) }];
            let mut tape = cell.tape();
            cell.forward(&xs, &mut cell.zero_state(), &mut tape);
            let mut gradients = Kink::zeros();
            let mut dxs = [KinkInput { x: SVector::from([9.0]), y: SVector::from([9.0]) }];
            let dys = [SVector::from([1.0])];
            cell.backward(&xs, &mut tape, &dys, Bars::of(&mut gradients).inputs(&mut dxs));
            assert_eq!((dxs[0].x[0], dxs[0].y[0]), ($dx, $dy));
        }
    )* };
}

cotangents! {
    relu_at_zero: { relu(x) }, at 0.0, 0.0: 0.0, 0.0;
    relu_above_zero: { relu(x) }, at 0.5, 0.0: 1.0, 0.0;
    abs_at_zero: { abs(x) }, at 0.0, 0.0: 0.0, 0.0;
    leaky_relu_below_zero: { leaky_relu(x) }, at -1.0, 0.0: 0.01, 0.0;
    ties_of_max_are_halved: { max(x, y) }, at 0.5, 0.5: 0.5, 0.5;
    ties_of_min_are_halved: { min(x, y) }, at 0.5, 0.5: 0.5, 0.5;
    max_goes_to_the_larger: { max(x, y) }, at 0.5, 0.6: 0.0, 1.0;
    min_goes_to_the_smaller: { min(x, y) }, at 0.5, 0.6: 1.0, 0.0;
    clamp_at_its_lower_bound: { clamp(x, -1, 1) }, at -1.0, 0.0: 1.0, 0.0;
    clamp_at_its_upper_bound: { clamp(x, -1, 1) }, at 1.0, 0.0: 1.0, 0.0;
    clamp_outside: { clamp(x, -1, 1) }, at 1.5, 0.0: 0.0, 0.0;
    floor_has_no_derivative: { floor(x) * y }, at 2.5, 1.0: 0.0, 2.0;
    sign_has_no_derivative: { sign(x) * y }, at -2.5, 1.0: 0.0, -1.0;
    sign_of_zero_is_zero: { sign(x) * y }, at 0.0, 1.0: 0.0, 0.0;
    stop_gradient_has_no_derivative: { stop_gradient(x) * y }, at 3.0, 5.0: 0.0, 3.0;
    where_follows_one_branch: { where(x > y, 3 * x, 2 * y) }, at 1.0, 1.0: 0.0, 2.0;
    sqrt_away_from_zero: { sqrt(x) }, at 4.0, 0.0: 0.25, 0.0;
}

#[test]
fn masks_have_no_derivative() {
    rnn_cell! {
        pub cell Masked {
            input e: [3], mask: [3];
            y = softmax(e, mask);
            output y;
        }
    }
    let cell = Masked::<f64>::zeros();
    let mask = SVector::from([1.0, 0.0, 1.0]);
    let xs = [MaskedInput { e: SVector::from([0.1, 0.2, 0.3]), mask }];
    let mut tape = cell.tape();
    cell.forward(&xs, &mut cell.zero_state(), &mut tape);
    let nan = SVector::from_element(f64::NAN);
    let mut dxs = [MaskedInput { e: nan, mask: nan }];
    let dys = [SVector::from([1.0, 2.0, 4.0])];
    cell.backward(&xs, &mut tape, &dys, Bars::of(&mut Masked::zeros()).inputs(&mut dxs));
    assert_eq!(dxs[0].mask.as_slice(), [0.0; 3]);
    assert_eq!(dxs[0].e[1], 0.0, "masked entries have no cotangent either");
    let e = dxs[0].e;
    assert!(e[2] > 0.0 && (e[0] + e[2]).abs() < 1e-15, "{e}");
}
