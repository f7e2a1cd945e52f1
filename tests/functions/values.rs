//! The value of every function at 200 points, compared with the same formula in Rust, or with a
//! series if Rust has no such function.

use nalgebra::SVector;
use rnn_cell::prelude::*;
use std::f64::consts::PI;
use tests::exactness::rng;

/// Defines a cell with one output per function, and a test per function. A cell of its own for each
/// takes a minute to compile.
macro_rules! values {
    ($($test:ident from $low:literal to $high:literal: { $($value:tt)* }, $reference:expr;)*) => {
        rnn_cell! {
            pub cell Values {
                input x: [20];
                $($test = $($value)*;)*
                output $($test),*;
            }
        }

        $(
            #[test]
            fn $test() {
                let cell = Values::<f64>::zeros();
                let reference: fn(f64) -> f64 = $reference;
                let mut rng = rng(5);
                for _ in 0..10 {
                    let x = SVector::<f64, 20>::from_fn(|_, _| rnn_cell::rng::uniform(&mut rng, $low, $high));
                    let y = cell.step(&x, &mut cell.zero_state()).$test;
                    for (x, y) in x.iter().zip(&y) {
                        let want = reference(*x);
                        let error = (y - want).abs() / want.abs().max(1e-3);
                        assert!(error < 1e-13, "at {x}: {y}, not {want} (error {error:.1e})");
                    }
                }
            }
        )*
    };
}

values! {
    sigmoid_ from -8.0 to 8.0: { sigmoid(x) }, |x| 1.0 / (1.0 + (-x).exp());
    greek_sigmoid from -8.0 to 8.0: { σ(x) }, |x| 1.0 / (1.0 + (-x).exp());
    tanh_ from -8.0 to 8.0: { tanh(x) }, f64::tanh;
    relu_ from -2.0 to 2.0: { relu(x) }, |x| x.max(0.0);
    leaky_relu_ from -2.0 to 2.0: { leaky_relu(x) }, |x| if x > 0.0 { x } else { 0.01 * x };
    elu_ from -2.0 to 2.0: { elu(x) }, |x| if x > 0.0 { x } else { x.exp_m1() };
    softplus_ from -30.0 to 30.0: { softplus(x) }, |x| x.max(0.0) + (-x.abs()).exp().ln_1p();
    silu_ from -8.0 to 8.0: { silu(x) }, |x| x / (1.0 + (-x).exp());
    gelu_ from -3.0 to 3.0: { gelu(x) }, gelu;
    hard_sigmoid_ from -5.0 to 5.0: { hard_sigmoid(x) }, |x| (x / 6.0 + 0.5).clamp(0.0, 1.0);
    hard_tanh_ from -3.0 to 3.0: { hard_tanh(x) }, |x| x.clamp(-1.0, 1.0);
    exp_ from -20.0 to 20.0: { exp(x) }, f64::exp;
    ln_ from 0.001 to 100.0: { ln(x) }, f64::ln;
    sqrt_ from 0.0 to 100.0: { sqrt(x) }, f64::sqrt;
    abs_ from -2.0 to 2.0: { abs(x) }, f64::abs;
    square_ from -2.0 to 2.0: { square(x) }, |x| x * x;
    recip_ from 0.1 to 2.0: { recip(x) }, f64::recip;
    pow_ from 0.1 to 3.0: { pow(x, 2.7) }, |x| x.powf(2.7);
    pow_of_negative from -3.0 to -0.1: { pow(x, 3) }, |x| x.powi(3);
    sin_ from -30.0 to 30.0: { sin(x) }, f64::sin;
    cos_ from -30.0 to 30.0: { cos(x) }, f64::cos;
    floor_ from -5.0 to 5.0: { floor(x) }, f64::floor;
    sign_ from -1.0 to 1.0: { sign(x) }, f64::signum;
    min_ from -1.0 to 1.0: { min(x, 0.3) }, |x| x.min(0.3);
    max_ from -1.0 to 1.0: { max(x, 0.3) }, |x| x.max(0.3);
    clamp_ from -1.0 to 1.0: { clamp(x, -0.2, 0.3) }, |x| x.clamp(-0.2, 0.3);
    where_greater_equal from -1.0 to 1.0: { where(x >= 0.2, x, 5 * x) }, |x| if x >= 0.2 { x } else { 5.0 * x };
    where_less from -1.0 to 1.0: { where(x < 0.2, x, 5 * x) }, |x| if x < 0.2 { x } else { 5.0 * x };
    where_less_equal from -1.0 to 1.0: { where(x <= 0.2, x, 5 * x) }, |x| if x <= 0.2 { x } else { 5.0 * x };
    where_greater from -1.0 to 1.0: { where(x > 0.2, x, 5 * x) }, |x| if x > 0.2 { x } else { 5.0 * x };
    where_equal from -1.0 to 1.0: { where(floor(x) == 0, x, 5 * x) }, |x| if x >= 0.0 { x } else { 5.0 * x };
    where_not_equal from -1.0 to 1.0: { where(floor(x) != 0, x, 5 * x) }, |x| if x < 0.0 { x } else { 5.0 * x };
    where_and from -1.0 to 1.0: { where(x > -0.5 and x <= 0.2, x, 5 * x) }, |x| if x > -0.5 && x <= 0.2 { x } else { 5.0 * x };
    where_or from -1.0 to 1.0: { where(x < -0.5 or x > 0.2 and x < 0.6, x, 5 * x) }, |x| if x < -0.5 || x > 0.2 && x < 0.6 { x } else { 5.0 * x };
    where_not from -1.0 to 1.0: { where(not (x < -0.5 or x > 0.2), x, 5 * x) }, |x| if (-0.5..=0.2).contains(&x) { x } else { 5.0 * x };
    stop_gradient_ from -1.0 to 1.0: { stop_gradient(3 * x) }, |x| 3.0 * x;
    real_division from -1.0 to 1.0: { 1/2 * x + 7/2 }, |x| 0.5 * x + 3.5;
    minus_before_product from -1.0 to 1.0: { -x * 2 - -x }, |x| -x * 2.0 + x;
    left_to_right from 0.5 to 2.0: { 8 / x / 2 * x - 1 - x }, |x| 8.0 / x / 2.0 * x - 1.0 - x;
}

/// Computes `x Φ(x)` with the series `Φ(x) = 1/2 + φ(x) Σ x^(2k+1) / (1·3·..·(2k+1))`, whose terms
/// all have the same sign.
fn gelu(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (x.abs(), 0.0, 0.0);
    while term > 1e-18 * sum {
        sum += term;
        k += 1.0;
        term *= x * x / (2.0 * k + 1.0);
    }
    let tail = (-0.5 * x * x).exp() / (2.0 * PI).sqrt() * sum;
    x * (0.5 + if x > 0.0 { tail } else { -tail })
}

mod reductions {
    use super::*;

    rnn_cell! {
        pub cell Reductions {
            input x: [3], mask: [3];
            param gain, shift: [3];

            M = x @ [1, 2].T;
            total = sum(M);
            average = mean(M);
            rows = row_sum(M);
            soft = softmax(x);
            masked = softmax(x, mask);
            normalised = layer_norm(x, gain, shift);
            rms = rms_norm(x, gain);

            output total, average, rows, soft, masked, normalised, rms;
        }
    }

    fn reduce(x: [f64; 3], mask: [f64; 3]) -> ReductionsOutput<1, f64> {
        let mut cell = Reductions::<f64>::zeros();
        cell.gain = SVector::from([1.0, 2.0, 3.0]);
        cell.shift = SVector::from([0.1, 0.2, 0.3]);
        let x = ReductionsInput { x: SVector::from(x), mask: SVector::from(mask) };
        cell.step(&x, &mut cell.zero_state())
    }

    fn assert_near(got: &[f64], want: &[f64]) {
        tests::exactness::assert_close("reduction", got, want, 1e-14);
    }

    #[test]
    fn values_agree() {
        let x = [0.5, -1.0, 2.0];
        let y = reduce(x, [1.0, 0.0, 1.0]);
        assert_near(y.total.as_slice(), &[4.5]);
        assert_near(y.average.as_slice(), &[0.75]);
        assert_near(y.rows.as_slice(), &[1.5, -3.0, 6.0]);
        let powers = x.map(f64::exp);
        let sum: f64 = powers.iter().sum();
        assert_near(y.soft.as_slice(), &powers.map(|power| power / sum));
        let kept = powers[0] + powers[2];
        assert_near(y.masked.as_slice(), &[powers[0] / kept, 0.0, powers[2] / kept]);
        assert_eq!(y.masked[1], 0.0, "masked entries must be exactly zero");
        let variance = x.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() / 3.0;
        let deviation = (variance + 1e-5).sqrt();
        let normalised = [0, 1, 2].map(|k| (x[k] - 0.5) / deviation * (k + 1) as f64 + 0.1 * (k + 1) as f64);
        assert_near(y.normalised.as_slice(), &normalised);
        let root = (x.iter().map(|x| x * x).sum::<f64>() / 3.0 + 1e-5).sqrt();
        assert_near(y.rms.as_slice(), &[0, 1, 2].map(|k| x[k] / root * (k + 1) as f64));
    }

    #[test]
    fn softmax_is_stable_and_full_masks_give_zeros() {
        let y = reduce([1e4, -1e4, 1e4], [0.0; 3]);
        assert_near(y.soft.as_slice(), &[0.5, 0.0, 0.5]);
        assert_eq!(y.masked.as_slice(), [0.0; 3]);
    }
}
