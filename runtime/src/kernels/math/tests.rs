use super::*;
use crate::kernels::isa::{Accuracy, FiveDecimals, FourDecimals, Isa, Within};
use crate::kernels::testing::{Random, for_each_isa};

#[path = "reference.rs"]
mod reference;

/// Returns the error in units in the last place of `expected`, in the precision of `T`.
fn ulps<T: Scalar>(found: T, expected: f64) -> f64 {
    let rounded = T::of(expected).as_f64();
    if found.as_f64() == rounded || (found.as_f64().is_nan() && expected.is_nan()) {
        return 0.0;
    }
    let (digits, lowest) = if size_of::<T>() == 4 { (23, -126) } else { (52, -1022) };
    let exponent = ((expected.abs().to_bits() >> 52) as i32 - 1023).max(lowest);
    // Computed in two steps, because the unit itself may be below the smallest normal number.
    ((found.as_f64() - expected) / 2f64.powi(exponent)).abs() * 2f64.powi(digits)
}

fn exact_sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn exact_softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Returns the double-precision result, which is checked against the table.
fn exact_cdf(x: f64) -> f64 {
    normal_cdf(crate::kernels::isa::Portable::token(), x)
}

/// Checks each function of `f32` against double precision, densely over its range.
#[inline(always)]
fn sweep<S: Isa>(isa: S) {
    let mut random = Random::new(7);
    let mut check = |name: &str,
                     found: &dyn Fn(f32) -> f32,
                     exact: fn(f64) -> f64,
                     (low, high): (f64, f64),
                     bound: f64| {
        let mut worst = (0.0, 0.0f32);
        for i in 0..200_000 {
            let place = (f64::from(i) + random.unit()) / 200_000.0;
            let x = (low + (high - low) * place) as f32;
            let error = ulps(found(x), exact(f64::from(x)));
            if error > worst.0 {
                worst = (error, x);
            }
        }
        println!("{name} on {low}..{high}: {:.3} ulp at {:e}", worst.0, worst.1);
        assert!(worst.0 <= bound, "{name}({:e}) is {:.2} ulp off, bound {bound}", worst.1, worst.0);
    };
    let exp_ = |x| exp(isa, x);
    check("exp", &exp_, f64::exp, (-104.0, 89.0), 1.5);
    check("exp", &exp_, f64::exp, (-1.0, 1.0), 1.5);
    let exp_m1_ = |x| exp_m1(isa, x);
    check("exp_m1", &exp_m1_, f64::exp_m1, (-18.0, 89.0), 2.5);
    check("exp_m1", &exp_m1_, f64::exp_m1, (-1.0, 1.0), 2.5);
    check("exp_m1", &exp_m1_, f64::exp_m1, (-1e-6, 1e-6), 2.5);
    let ln_ = |x| ln(isa, x);
    check("ln", &ln_, f64::ln, (1e-3, 4.0), 2.5);
    check("ln", &ln_, f64::ln, (0.9, 1.1), 2.5);
    check("ln", &ln_, f64::ln, (0.0, 3e38), 2.5);
    check("ln", &ln_, f64::ln, (0.0, 1e-37), 2.5);
    let sigmoid_ = |x| sigmoid(isa, x);
    check("sigmoid", &sigmoid_, exact_sigmoid, (-87.0, 87.0), 2.5);
    check("sigmoid", &sigmoid_, exact_sigmoid, (-8.0, 8.0), 2.5);
    let tanh_ = |x| tanh(isa, x);
    check("tanh", &tanh_, f64::tanh, (-11.0, 11.0), 2.5);
    check("tanh", &tanh_, f64::tanh, (-1.0, 1.0), 2.5);
    check("tanh", &tanh_, f64::tanh, (-1e-5, 1e-5), 2.5);
    let softplus_ = |x| softplus(isa, x);
    check("softplus", &softplus_, exact_softplus, (-87.0, 87.0), 3.0);
    check("softplus", &softplus_, exact_softplus, (-3.0, 3.0), 3.0);
    let cdf = |x| normal_cdf(isa, x);
    check("normal_cdf", &cdf, exact_cdf, (-13.0, 13.0), 8.0);
    check("normal_cdf", &cdf, exact_cdf, (-2.0, 2.0), 8.0);
}

#[test]
fn single_precision_over_dense_samples() {
    for_each_isa!(isa => { sweep(isa); });
}

#[track_caller]
fn check_table(name: &str, found: &dyn Fn(f64) -> f64, table: reference::Table, bound: f64) {
    let mut worst = (0.0, 0.0);
    for &(x, exact) in table {
        let error = ulps(found(x), exact);
        if error > worst.0 {
            worst = (error, x);
        }
    }
    println!("{name}: {:.3} ulp at {:e}", worst.0, worst.1);
    assert!(worst.0 <= bound, "{name}({:e}) is {:.2} ulp off, bound {bound}", worst.1, worst.0);
}

#[test]
fn double_precision_against_exact_values() {
    for_each_isa!(isa => {
        check_table("exp", &|x| exp(isa, x), reference::EXP, 1.5);
        check_table("exp_m1", &|x| exp_m1(isa, x), reference::EXP_M1, 3.0);
        check_table("ln", &|x| ln(isa, x), reference::LN, 2.0);
        check_table("sigmoid", &|x| sigmoid(isa, x), reference::SIGMOID, 3.0);
        check_table("tanh", &|x| tanh(isa, x), reference::TANH, 4.0);
        check_table("softplus", &|x| softplus(isa, x), reference::SOFTPLUS, 3.0);
        check_table("normal_cdf", &|x| normal_cdf(isa, x), reference::NORMAL_CDF, 6.0);
    });
}

/// The standard library's functions are within an ulp or two, so a dense sweep against them finds
/// errors that the tables miss.
#[test]
fn double_precision_over_dense_samples() {
    for_each_isa!(isa => {
        let mut random = Random::new(11);
        for _ in 0..100_000 {
            let wide = 1400.0 * random.unit() - 700.0;
            let narrow = 4.0 * random.unit() - 2.0;
            for x in [wide, narrow, narrow * 1e-3, narrow * 10.0] {
                assert!(ulps(exp(isa, x), x.exp()) <= 2.5, "exp({x:e})");
                assert!(ulps(exp_m1(isa, x), x.exp_m1()) <= 4.0, "exp_m1({x:e})");
                assert!(ulps(tanh(isa, x), x.tanh()) <= 5.0, "tanh({x:e})");
                assert!(ulps(ln(isa, x.abs()), x.abs().ln()) <= 3.0, "ln({:e})", x.abs());
                assert!(ulps(sigmoid(isa, x), exact_sigmoid(x)) <= 5.0, "sigmoid({x:e})");
            }
        }
    });
}

#[inline(always)]
fn limits<S: Isa, T: Scalar>(isa: S) {
    let (infinity, nan) = (T::INFINITE, T::NOT_A_NUMBER);
    let same = |found: T, expected: T| {
        let (found, expected) = (found.as_f64(), expected.as_f64());
        assert!(
            found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan()),
            "{found} {expected}"
        );
    };
    let zero = T::ZERO;
    type Unary<S, T> = fn(S, T) -> T;
    let unary: [Unary<S, T>; 14] =
        [exp, exp_m1, ln, sigmoid, tanh, sqrt, abs, recip, sin, cos, floor, sign, softplus, normal_cdf];
    for f in unary {
        same(f(isa, nan), nan);
        same(f(isa, -nan), nan);
    }
    same(exp(isa, infinity), infinity);
    same(exp(isa, -infinity), zero);
    same(exp(isa, zero), T::ONE);
    same(exp_m1(isa, infinity), infinity);
    same(exp_m1(isa, -infinity), -T::ONE);
    same(exp_m1(isa, -zero), -zero);
    same(ln(isa, infinity), infinity);
    same(ln(isa, zero), -infinity);
    same(ln(isa, -zero), -infinity);
    same(ln(isa, -T::ONE), nan);
    same(ln(isa, -infinity), nan);
    same(ln(isa, T::ONE), zero);
    same(sigmoid(isa, infinity), T::ONE);
    same(sigmoid(isa, -infinity), zero);
    same(sigmoid(isa, zero), T::HALF);
    same(tanh(isa, infinity), T::ONE);
    same(tanh(isa, -infinity), -T::ONE);
    same(tanh(isa, zero), zero);
    same(tanh(isa, -zero), -zero);
    same(sqrt(isa, -T::ONE), nan);
    same(sqrt(isa, infinity), infinity);
    same(abs(isa, -infinity), infinity);
    same(recip(isa, zero), infinity);
    same(sin(isa, infinity), nan);
    same(cos(isa, infinity), nan);
    same(floor(isa, T::of(-0.5)), -T::ONE);
    same(floor(isa, T::of(2.5)), T::TWO);
    same(sign(isa, zero), zero);
    same(sign(isa, -infinity), -T::ONE);
    same(sign(isa, T::SMALLEST_NORMAL), T::ONE);
    same(softplus(isa, infinity), infinity);
    same(softplus(isa, -infinity), zero);
    same(normal_cdf(isa, infinity), T::ONE);
    same(normal_cdf(isa, -infinity), zero);
    same(normal_cdf(isa, zero), T::HALF);
    for f in [min::<S, T>, max] {
        same(f(isa, nan, T::ONE), nan);
        same(f(isa, T::ONE, nan), nan);
        same(f(isa, T::TWO, T::TWO), T::TWO);
    }
    same(min(isa, T::ONE, T::TWO), T::ONE);
    same(max(isa, T::ONE, T::TWO), T::TWO);
    same(pow(isa, T::TWO, T::of(-2.0)), T::of(0.25));
    same(pow(isa, -T::TWO, T::of(3.0)), T::of(-8.0));
    same(pow(isa, zero, zero), T::ONE);

    // Denormals are returned unchanged where the function is close to the identity, and are not
    // flushed elsewhere.
    let mut tiny = T::SMALLEST_NORMAL;
    while tiny > zero {
        same(tanh(isa, tiny), tiny);
        same(exp_m1(isa, -tiny), -tiny);
        same(exp(isa, tiny), T::ONE);
        let exact = tiny.as_f64().ln();
        // The standard library's logarithm of a denormal double is exact enough for a comparison.
        assert!(ulps(ln(isa, tiny), exact) <= 2.5, "ln({tiny})");
        tiny = T::HALF * tiny;
    }
    let smallest = T::of(if size_of::<T>() == 4 { -103.0 } else { -744.8 });
    assert!(ulps(exp(isa, smallest), smallest.as_f64().exp()) <= 1.0);
    assert!(exp(isa, smallest) > zero);
}

#[test]
fn limits_and_special_values() {
    for_each_isa!(isa => {
        limits::<_, f32>(isa);
        limits::<_, f64>(isa);
    });
}

#[test]
fn functions_are_monotonic_where_they_saturate() {
    for_each_isa!(isa => {
        let mut last = (0.0f32, 0.0f32);
        for i in 0..40_000 {
            let x = i as f32 * 1e-3;
            let now = (tanh(isa, x), sigmoid(isa, x));
            assert!(now.0 <= 1.0 && now.1 <= 1.0);
            assert!(now.0 >= last.0 - 4.0 * f32::EPSILON && now.1 >= last.1 - 4.0 * f32::EPSILON, "at {x}");
            last = now;
        }
    });
}

/// The amount by which rounding exceeds the bounds of `tanh` and `sigmoid` at a few arguments.
const BEYOND: f64 = f32::EPSILON as f64;

/// The largest errors of the approximations, and the largest magnitude of `tanh`.
#[derive(Debug, Default)]
struct Worst {
    tanh: f64,
    sigmoid: f64,
    magnitude: f64,
}

/// Returns the largest errors over every `stride`th positive normal number and its negative. The
/// errors of `tanh` are relative.
#[inline(always)]
fn worst<S: Isa, A: Accuracy, T: Scalar>(isa: S, stride: usize) -> Worst {
    const BLOCK: usize = 1024;
    let near = Within::<S, A>::accuracy(isa);
    let mut worst = Worst::default();
    let numbers = f32::MIN_POSITIVE.to_bits()..f32::INFINITY.to_bits();
    for start in numbers.step_by(stride * BLOCK) {
        let mut errors = [[0.0f64; 3]; BLOCK];
        for (i, [tanh_error, sigmoid_error, magnitude]) in errors.iter_mut().enumerate() {
            let x = f32::from_bits((start + (i * stride) as u32).min(f32::MAX.to_bits()));
            let (x, exact) = (T::of(f64::from(x)), f64::from(x));
            let exact_tanh = tanh(isa, exact);
            let [above, below] = [x, -x].map(|x| tanh(near, x).as_f64());
            *magnitude = if above == -below { above } else { f64::INFINITY };
            *tanh_error = (above / exact_tanh - 1.0).abs();
            let [above, below] = [x, -x].map(|x| sigmoid(near, x).as_f64());
            let error = |found: f64, exact: f64| {
                let is_inside = (-BEYOND..=1.0 + BEYOND).contains(&found);
                if is_inside { (found - sigmoid(isa, exact)).abs() } else { f64::INFINITY }
            };
            let (above, below) = (error(above, exact), error(below, -exact));
            *sigmoid_error = if above > below { above } else { below };
        }
        for [tanh, sigmoid, magnitude] in errors {
            worst.tanh = worst.tanh.max(tanh);
            worst.sigmoid = worst.sigmoid.max(sigmoid);
            worst.magnitude = worst.magnitude.max(magnitude);
        }
    }
    worst
}

/// `STRIDE=1 cargo test --release -p rnn-cell --lib approximations` checks every number and takes
/// minutes.
#[test]
fn approximations_are_within_their_bounds() {
    #[inline(always)]
    fn check<S: Isa, A: Accuracy, T: Scalar>(isa: S, stride: usize, [tanh, sigmoid]: [f64; 2]) {
        let found = worst::<S, A, T>(isa, stride);
        println!("{:?}, {}: {found:?}", S::LEVEL, core::any::type_name::<(A, T)>());
        assert!(
            found.tanh <= tanh && found.sigmoid <= sigmoid && found.magnitude <= 1.0 + BEYOND,
            "{found:?}"
        );
    }
    for_each_isa!(isa => {
        let stride = std::env::var("STRIDE").map_or(4099, |stride| stride.parse().expect("a number"));
        check::<_, FourDecimals, f32>(isa, stride, [6.6e-5, 3.3e-5]);
        check::<_, FiveDecimals, f32>(isa, stride, [4.5e-6, 2.3e-6]);
        check::<_, FourDecimals, f64>(isa, stride.max(1009), [6.6e-5, 3.3e-5]);
        check::<_, FiveDecimals, f64>(isa, stride.max(1009), [4.5e-6, 2.3e-6]);
    });
}

#[test]
fn approximations_keep_signs_saturate_and_pass_nan_on() {
    #[inline(always)]
    fn check<S: Isa, A: Accuracy, T: Scalar>(isa: S) {
        let near = Within::<S, A>::accuracy(isa);
        assert!(tanh(near, T::NOT_A_NUMBER).as_f64().is_nan());
        assert!(sigmoid(near, T::NOT_A_NUMBER).as_f64().is_nan());
        assert_eq!(tanh(near, -T::ZERO).as_f64().to_bits(), (-0.0f64).to_bits());
        assert_eq!(sigmoid(near, T::ZERO).as_f64(), 0.5);
        for x in [T::INFINITE, T::of(7.0)] {
            assert!((tanh(near, x).as_f64() - 1.0).abs() < 2e-7);
            assert_eq!(tanh(near, -x).as_f64(), -tanh(near, x).as_f64());
            assert!((sigmoid(near, T::TWO * x).as_f64() - 1.0).abs() < 1e-7);
            assert!(sigmoid(near, -T::TWO * x).as_f64().abs() < 1e-7);
        }
        // Everything else is exact.
        for x in [-1.5, 0.3, 20.0].map(T::of) {
            assert_eq!(exp(near, x), exp(isa, x));
            assert_eq!(softplus(near, x), softplus(isa, x));
        }
    }
    for_each_isa!(isa => {
        check::<_, FourDecimals, f32>(isa);
        check::<_, FiveDecimals, f32>(isa);
        check::<_, FourDecimals, f64>(isa);
        check::<_, FiveDecimals, f64>(isa);
    });
}
