//! Tests of spectra against known values, and of reports on networks with known gradients.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use nalgebra::{DMatrix, SMatrix, SVector};

use super::*;
use crate::cell::{Bars, Layer, Model};
use crate::cells::{Elman, Gru, Lstm, LstmState};
use crate::init;
use crate::network::Stack;
use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};
use crate::rnn_cell;
use crate::types::varying::Varying;

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

fn random<V: Varying<f64>>(seed: u64) -> V {
    let (mut value, mut rng) = (V::zero(), rng(seed));
    value.scalars_mut(&mut |x| *x = rng::uniform(&mut rng, -1.0, 1.0));
    value
}

rnn_cell! {
    /// The map of Hénon 1976, whose exponents are known.
    cell Henon {
        state x: [] = 0.1;
        state y: [];
        param a: [] = 1.4, b: [] = 0.3;

        x = 1 - a * square(x[t-1]) + y[t-1];
        y = b * x[t-1];

        output x;
    }

    /// A linear map.
    cell Linear<H> {
        state h: [H];
        param W: [H, H];

        h = W @ h[t-1];

        output h;
    }
}

#[test]
fn a_stack_is_block_triangular() {
    let stack = Stack(Gru::<2, 3>::init(&mut rng(1)), Gru::<3, 4>::init(&mut rng(2)));
    let (x, state) = (SVector::from([1.0, -1.0]), stack.initial_state::<1>());
    let whole = jacobian(&stack, &x, &state);
    assert_eq!(whole.shape(), (7, 7));
    assert_eq!(whole.view((0, 3), (3, 4)).amax(), 0.0, "the lower layer doesn't read the upper one");
    assert_eq!(whole.view((0, 0), (3, 3)), jacobian(&stack.0, &x, &state.0));
}

fn random_matrix(seed: u64, size: usize) -> DMatrix<f64> {
    let mut rng = rng(seed);
    DMatrix::from_fn(size, size, |_, _| rng::normal(&mut rng))
}

fn orthogonal(seed: u64, size: usize) -> DMatrix<f64> {
    random_matrix(seed, size).qr().q()
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    let close = |(a, b): (&f64, &f64)| a == b || (a - b).abs() <= tolerance * b.abs().max(1.0);
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(close),
        "{found:?} is not {expected:?}"
    );
}

/// The singular values of U_n D U_(n-1)ᵀ .. U_1 D U_0ᵀ are powers of those of D, far outside the
/// range of `f64`.
#[test]
fn planted_singular_values_are_found() {
    let values = [2.0, 1.5, 1.0, 0.5, 1e-3];
    for steps in [1, 2, 10, 100, 2000] {
        let diagonal = DMatrix::from_diagonal(&nalgebra::DVector::from_row_slice(&values));
        let turns: Vec<_> = (0..=steps as u64).map(|seed| orthogonal(seed, 5)).collect();
        let factors: Vec<_> =
            turns.windows(2).map(|pair| &pair[1] * &diagonal * pair[0].transpose()).collect();
        let found = Jacobians::from(factors).singular_values(0..steps);
        let expected = values.map(|value: f64| steps as f64 * value.ln());
        assert_close(&found.ln, &expected, 1e-9);
        assert!((found.growth() - 2.0).abs() < 1e-9, "{found}");
    }
}

#[test]
fn both_algorithms_for_singular_values_agree() {
    let factors: Vec<_> = (0..4).map(|seed| random_matrix(seed, 6)).collect();
    let direct = (&factors[3] * &factors[2] * &factors[1] * &factors[0]).singular_values();
    let direct: Vec<f64> = direct.iter().map(|value| value.ln()).collect();
    assert_close(&super::spectrum::singular_values(&factors, 6).ln, &direct, 1e-9);
    assert_close(&super::spectrum::swept(&factors, 6), &direct, 1e-9);
}

/// nalgebra's product rounds a multiply-add once on processors with FMA and twice on others.
#[test]
fn products_have_the_same_bits_on_every_processor() {
    let size = 9;
    let mut compared = 0;
    for seed in 0..20 {
        let mut factors: Vec<_> = (0..3).map(|factor| orthogonal(3 * seed + factor, size)).collect();
        factors[0] *= 1.5;
        let mut products = vec![factors[0].clone()];
        for factor in &factors[1..] {
            let before = &products[products.len() - 1];
            let entry = |row, column| {
                let terms = (0..size).map(|k| factor[(row, k)] * before[(k, column)]);
                terms.fold(0.0, |sum, term| sum + term)
            };
            products.push(DMatrix::from_fn(size, size, entry));
        }
        // Without factors that are scaled by powers of two, both computations see the same numbers.
        if products.iter().all(|product| (0.71..1.41).contains(&product.amax())) {
            let bits = |found: SingularValues| found.ln.into_iter().map(f64::to_bits).collect::<Vec<u64>>();
            let whole = Jacobians::from(vec![products.swap_remove(2)]).singular_values(0..1);
            assert_eq!(bits(Jacobians::from(factors).singular_values(0..3)), bits(whole), "seed {seed}");
            compared += 1;
        }
    }
    assert!(compared > 5, "{compared} products compared");
}

#[test]
fn magnitudes_outside_the_range_of_f64() {
    for exponent in [-1000, -500, 500, 1020] {
        let factors = vec![random_matrix(1, 3), 2f64.powi(exponent) * orthogonal(2, 3)];
        let found = Jacobians::from(factors).singular_values(0..2);
        let direct = Jacobians::from(vec![random_matrix(1, 3)]).singular_values(0..1);
        let expected = direct.ln.iter().map(|ln| ln + f64::from(exponent) * core::f64::consts::LN_2);
        for (found, expected) in found.ln.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9 * expected.abs(), "{exponent}: {found}, {expected}");
        }
    }
}

#[test]
#[should_panic(expected = "the Jacobian of step 1 is 2 x 3, not 2 x 2")]
fn jacobians_must_have_one_size() {
    let _ = Jacobians::from(vec![DMatrix::zeros(2, 2), DMatrix::zeros(2, 3)]);
}

#[test]
fn equal_singular_values_and_no_singular_values() {
    let turns: Vec<_> = (0..500).map(|seed| 1.01 * orthogonal(seed, 4)).collect();
    let found = Jacobians::from(turns).singular_values(0..500);
    assert_close(&found.ln, &[500.0 * 1.01_f64.ln(); 4], 1e-9);

    // A direction that is lost in the third of five steps stays lost.
    let mut factors: Vec<_> = (0..5).map(|seed| random_matrix(seed, 3)).collect();
    let lost = factors[2].column(0) + factors[2].column(1);
    factors[2].set_column(2, &lost);
    let found = Jacobians::from(factors).singular_values(0..5);
    assert!(found.ln[1].is_finite() && found.smallest() == f64::NEG_INFINITY, "{found:?}");
    assert!(found.to_string().contains(".. 0, median"), "{found}");

    let still = Jacobians::from(vec![random_matrix(1, 2)]).singular_values(1..1);
    assert_eq!((still.steps, still.ln), (0, vec![0.0; 2]));
    let empty = Jacobians::from(vec![]).singular_values(0..0);
    assert_eq!((empty.steps, empty.ln.len(), empty.growth()), (0, 0, 1.0));
}

#[test]
fn jacobians_that_are_not_finite_give_nan() {
    let mut broken = random_matrix(1, 3);
    broken[(1, 2)] = f64::INFINITY;
    let found = Jacobians::from(vec![random_matrix(2, 3), broken]).singular_values(0..2);
    assert!(found.ln.iter().all(|ln| ln.is_nan()), "{found:?}");
}

#[test]
fn exponents_of_a_linear_map_are_its_eigenvalues() {
    let mut linear = Linear::<3, f64>::zeros();
    // The matrix is triangular, so its eigenvalues are on the diagonal.
    linear.W = SMatrix::<f64, 3, 3>::new(0.9, 5.0, 0.0, 0.0, -0.5, 5.0, 0.0, 0.0, 1.1);
    let found = exponents(&linear, &[(); 600], &mut random(1), 200);
    assert_close(&found.values, &[1.1, 0.9, 0.5].map(f64::ln), 1e-3);
    assert_eq!(found.steps, 400);
}

#[test]
fn exponents_of_the_henon_map() {
    let henon = Henon::<f64>::init(&mut rng(1));
    let mut state = henon.initial_state::<1>();
    let found = exponents(&henon, &[(); 20_000], &mut state, 100);
    // 0.4192 ± 0.0003 (Sprott 2003, appendix A). The sum is ln 0.3, because every step shrinks
    // areas by 0.3.
    assert!((found.largest() - 0.4192).abs() < 0.01, "{found}");
    assert!((found.values.iter().sum::<f64>() - 0.3_f64.ln()).abs() < 1e-9, "{found:?}");
}

fn elman(norm: Option<f64>, radius: Option<f64>, bias: f64) -> Elman<2, 16, f64> {
    let mut elman = Elman::<2, 16, f64>::init(&mut rng(9));
    init::normal(&mut elman.U, 1.0, &mut rng(10));
    norm.into_iter().for_each(|norm| init::scale_to_spectral_norm(&mut elman.U, norm));
    radius.into_iter().for_each(|radius| init::scale_to_spectral_radius(&mut elman.U, radius));
    elman.b.fill(bias);
    elman
}

fn inputs(steps: u64) -> Vec<SVector<f64, 2>> {
    (0..steps).map(|t| 0.1 * random::<SVector<f64, 2>>(t)).collect()
}

#[test]
fn a_norm_below_one_makes_gradients_vanish() {
    let elman = elman(Some(0.95), None, 0.0);
    let report = Report::new(&elman, &inputs(100), &elman.zero_state());
    for values in &report.distances {
        assert!(values.growth() < 0.95, "{report}");
    }
    assert_eq!(report.fate(), Fate::Vanishes);
}

#[test]
fn a_radius_above_one_can_explode_or_vanish() {
    let free = elman(None, Some(1.5), 0.0);
    let mut jacobian_at_rest = Report::new(&free, &vec![SVector::zeros(); 60], &free.zero_state());
    assert_eq!(jacobian_at_rest.fate(), Fate::Explodes, "{jacobian_at_rest}");
    assert!((jacobian_at_rest.whole().growth() - 1.5).abs() < 0.1, "{jacobian_at_rest}");

    // The same weights, with units saturated by a bias.
    let saturated = elman(None, Some(1.5), 8.0);
    jacobian_at_rest = Report::new(&saturated, &inputs(60), &saturated.zero_state());
    assert_eq!(jacobian_at_rest.fate(), Fate::Vanishes, "{jacobian_at_rest}");
}

#[test]
fn a_radius_below_one_does_not_guarantee_decay_from_the_first_step() {
    let mut linear = Linear::<2, f64>::zeros();
    linear.W = SMatrix::<f64, 2, 2>::new(0.5, 30.0, 0.0, 0.5);
    let state = random(1);
    assert_eq!(Report::new(&linear, &[(); 3], &state).fate(), Fate::Explodes);
    assert_eq!(Report::new(&linear, &[(); 40], &state).fate(), Fate::Vanishes);
}

#[test]
fn an_open_forget_gate_preserves_gradients() {
    let mut lstm = Lstm::<2, 8>::init(&mut rng(1));
    lstm.b_f.fill(12.0);
    let xs: Vec<SVector<f32, 2>> = inputs(200).iter().map(|x| x.map(|x| x as f32)).collect();
    let mut dstate = lstm.zero_state();
    dstate.c.fill(1.0);
    let norms = norms::<_, 1>(&lstm, &xs, &lstm.zero_state(), dstate);
    assert!(norms.growth() > 0.99, "{norms}");
    assert_ne!(Report::new(&lstm, &xs, &lstm.zero_state()).fate(), Fate::Vanishes);

    let mut turn = Linear::<2, f64>::zeros();
    turn.W = SMatrix::<f64, 2, 2>::new(0.6, -0.8, 0.8, 0.6);
    assert_eq!(Report::new(&turn, &[(); 300], &random(1)).fate(), Fate::Holds);
}

#[test]
fn norms_neither_overflow_nor_vanish() {
    let mut linear = Linear::<2>::zeros();
    for factor in [1e-3_f32, 1e3] {
        linear.W.fill_diagonal(factor);
        let found = norms::<_, 1>(
            &linear,
            &[(); 1000],
            &linear.zero_state(),
            LinearState { h: SVector::from([3.0, 4.0]) },
        );
        let expected = 5.0_f64.ln() + 1000.0 * f64::from(factor).ln();
        assert!((found.ln[1000] - expected).abs() < 1e-4 * expected.abs(), "{found}");
        assert!((found.growth() / f64::from(factor) - 1.0).abs() < 1e-6, "{found}");
    }
    assert!(
        norms::<_, 1>(
            &linear,
            &[(); 1000],
            &linear.zero_state(),
            LinearState { h: SVector::from([3.0, 4.0]) }
        )
        .to_string()
        .starts_with("|dstate| 5.0e0 -> 5.0e3000 over 1000 steps back: 1000")
    );
    let zero = norms::<_, 1>(&linear, &[(); 3], &linear.zero_state(), linear.zero_state());
    assert_eq!(zero.ln, [f64::NEG_INFINITY; 4]);
}

#[test]
fn cotangents_equal_those_of_one_backward_pass() {
    let lstm = Lstm::<2, 4, f64>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 2, 3>> = (0..30).map(random).collect();
    let dys: Vec<SMatrix<f64, 4, 3>> = (30..60).map(random).collect();
    let (state, last): (LstmState<4, 3, f64>, LstmState<4, 3, f64>) = (random(70), random(71));

    let mut tape = lstm.tape();
    lstm.forward(&xs, &mut state.clone(), &mut tape);
    let mut expected = last.clone();
    lstm.backward(&xs, &mut tape, &dys, Bars::of(&mut Lstm::zeros()).state(&mut expected));

    let (mut dstate, mut seen) = (last.clone(), Vec::new());
    cotangents::<_, 3>(&lstm, &xs, &state, &dys, &mut dstate, |t, bar| seen.push((t, bar.clone())));
    assert_eq!(seen.len(), 31);
    assert_eq!((seen[0].0, &seen[0].1), (30, &last));
    assert_eq!(seen[30].0, 0);
    let close = |a: &LstmState<4, 3, f64>, b: &LstmState<4, 3, f64>| {
        (a.c - b.c).amax().max((a.h - b.h).amax()) < 1e-12
    };
    assert!(close(&seen[30].1, &expected) && close(&dstate, &expected));
}

#[test]
fn reports_contain_every_distance() {
    let elman = elman(Some(0.5), None, 0.0);
    let report = Report::new(&elman, &inputs(100), &elman.zero_state());
    let steps: Vec<usize> = report.distances.iter().map(|values| values.steps).collect();
    assert_eq!(steps, [1, 2, 4, 8, 16, 32, 64, 100]);
    let text = report.to_string();
    assert!(
        text.contains("growth per step") && text.contains("gradients vanish: no cotangent keeps more than "),
        "{text}"
    );
    assert_eq!(text.lines().count(), 11, "{text}");
    let nothing = Report::new(&elman, &[], &elman.zero_state());
    assert_eq!((nothing.distances.len(), nothing.fate()), (1, Fate::Holds));
}
