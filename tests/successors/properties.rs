//! State spaces, linear attention, sliding windows, xLSTM, closed-form networks and reservoirs:
//! gradients, the defining property of each, and the initial values of its paper. Golden cases
//! compare their outputs and gradients with other implementations.

use super::*;
use rnn_cell::init::{scale_to_spectral_radius, spectral_radius};
use tests::golden::Case;

#[test]
fn gradients_of_linear_recurrences() {
    verify!(Lru[2, 3]);
    verify!(RgLru[3]);
    verify!(S4[2, 3]);
    verify!(S5[2, 3]);
    verify!(Ssd[3, 2, 4, 2, 1]);
    verify!(Mamba2[3, 2, 4, 4, 2]);
}

#[test]
fn gradients_of_linear_attention() {
    verify!(GatedLinearAttention[2, 3, 4, 2, 2]);
    verify!(GatedDeltaNet[2, 3, 4, 4, 2]);
    verify!(MLstm[3, 4]);
    verify!(MLstmHeads[3, 4, 2]);
    verify!(MLstmBlock[3, 4, 2, 2]);
}

#[test]
fn gradients_of_rwkv_5() {
    verify!(Rwkv5TimeMixing[5, 3, 2]);
}

#[test]
fn gradients_of_rwkv_6() {
    verify!(Rwkv6TimeMixing[5, 3, 2, 2]);
}

#[test]
fn gradients_of_rwkv_7() {
    verify!(Rwkv7TimeMixing[5, 3, 2, 2]);
    verify!(Rwkv7ChannelMixing[5, 4]);
    verify!(Rwkv7FirstLayer[4, 3, 2, 2, 5]);
    verify!(Rwkv7Layer[4, 3, 2, 2, 5]);
    verify!(Rwkv7Readout[4, 3, 2, 5]);
}

#[test]
fn gradients_of_nonlinear_cells() {
    // The normaliser is a sum of exponentials, so it is positive.
    verify!(SLstm[3, 4], |state| state.n.iter_mut().for_each(|n| *n = n.abs() + 0.5));
    verify!(SLstmHeads[3, 2, 2], |state| state.n.as_mut_slice().iter_mut().for_each(|n| *n = n.abs() + 0.5));
    verify!(SLstmBlock[3, 2, 5], |state| state.n.as_mut_slice().iter_mut().for_each(|n| *n = n.abs() + 0.5));
    verify!(Cfc[2, 3, 4]);
    verify!(EchoState[2, 5, 3]);
}

#[test]
fn gradients_of_sliding_windows() {
    verify!(Conformer[3, 4, 2, 2, 3, 3]);
    verify!(SlidingTransformer[3, 4, 2, 2, 3]);
}

#[test]
fn gradients_of_the_legendre_memory_unit() {
    let mut cell = Lmu::<2, 3, 5, f64>::init(&mut rng(1));
    cell.set_window(6.5);
    // The encoder of the memory starts at zero.
    cell.e_m.fill(0.1);
    verify::<1, _>(&mut cell, |_| {});
    verify::<3, _>(&mut cell, |_| {});
    ragged_batches_are_their_samples(&cell, [5, 2, 0], 3);
}

/// Lemma 3.2 of Orvieto et al.: the eigenvalues are uniform on the ring, so the squares of their
/// magnitudes are uniform, and so are their phases.
#[test]
fn linear_recurrent_units_start_on_a_ring() {
    let mut cell = Lru::<1, 1000, f64>::init(&mut rng(1));
    for (radii, largest) in [(0.0..1.0, std::f64::consts::TAU), (0.9..0.999, 0.314)] {
        cell.place_on_ring(radii.clone(), largest);
        let squares: Vec<f64> = cell.nu_log.iter().map(|nu| (-2.0 * nu.exp()).exp()).collect();
        let phases: Vec<f64> = cell.theta_log.iter().map(|theta| theta.exp()).collect();
        let quartiles = |values: &[f64], low: f64, high: f64| {
            for quarter in 0..4 {
                let from = low + (high - low) * f64::from(quarter) / 4.0;
                let inside = values.iter().filter(|x| (from..from + (high - low) / 4.0).contains(*x)).count();
                assert!((240..=260).contains(&inside), "{inside} of 1000 in quarter {quarter}");
            }
        };
        quartiles(&squares, radii.start.powi(2), radii.end.powi(2));
        quartiles(&phases, 0.0, largest);
        for (square, gamma) in squares.iter().zip(cell.gamma_log.iter()) {
            assert!((gamma.exp().powi(2) - (1.0 - square)).abs() < 1e-12);
        }
    }
    // Magnitudes and phases are independent: a quarter of the units is in each quadrant.
    let start = Lru::<1, 1000, f64>::init(&mut rng(1));
    let both = start.nu_log.iter().zip(start.theta_log.iter());
    let inside =
        both.filter(|(nu, theta)| (-2.0 * nu.exp()).exp() < 0.5 && theta.exp() < std::f64::consts::PI);
    assert!((240..=260).contains(&inside.count()));
}

/// The units are stable for all parameters: without input, the state never grows.
#[test]
fn linear_recurrent_units_are_stable() {
    let mut cell = Lru::<2, 6, f64>::init(&mut rng(1));
    let mut rng = rng(2);
    for scale in [0.1, 1.0, 10.0] {
        cell.nu_log = random::<SVector<f64, 6>>(&mut rng) * scale;
        cell.theta_log = random::<SVector<f64, 6>>(&mut rng) * scale;
        let mut state: LruState<6, 1, f64> = random(&mut rng);
        for _ in 0..100 {
            let before = state.clone();
            cell.step(&SVector::zeros(), &mut state);
            for n in 0..6 {
                let size = |state: &LruState<6, 1, f64>| state.x_re[n].hypot(state.x_im[n]);
                assert!(size(&state) <= size(&before) * (1.0 + 1e-15));
            }
        }
    }
}

#[test]
#[should_panic(expected = "the radii 0.5..1.5 are not increasing numbers from 0 to 1")]
fn rings_lie_in_the_unit_disk() {
    Lru::<1, 2>::zeros().place_on_ring(0.5..1.5, 1.0);
}

/// De et al., section 2.4: `a^8` is uniform between 0.9 and 0.999.
#[test]
fn real_gated_units_start_in_their_range() {
    let cell = RgLru::<200, f64>::init_boxed(&mut rng(1));
    let decays: Vec<f64> = cell.decay.iter().map(|raw| (-8.0 * softplus(*raw)).exp()).collect();
    assert!(decays.iter().all(|a| (0.9..=0.999).contains(a)), "{decays:?}");
    let mean = decays.iter().sum::<f64>() / 200.0;
    assert!((mean - 0.9495).abs() < 0.001, "{mean}");
}

/// A recurrence gate of almost zero keeps the state, and its gradients stay finite.
#[test]
fn real_gated_units_survive_closed_gates() {
    let mut cell = RgLru::<2>::init(&mut rng(1));
    cell.b_a.fill(-40.0);
    let xs = [SVector::from([0.5, -0.5]); 3];
    let (mut state, mut tape) = (cell.zero_state(), cell.tape());
    let ys = cell.forward(&xs, &mut state, &mut tape).to_vec();
    let mut gradients = RgLru::zeros();
    cell.backward(&xs, &mut tape, &ys, &mut gradients);
    gradients.visit(&mut |parameter| {
        assert!(parameter.values.iter().all(|g| g.is_finite()), "{}", parameter.name)
    });
}

/// S4 starts as HiPPO-LegS. numpy computes the same normal plus low-rank form as eigenvalues and
/// eigenvectors.
#[test]
fn s4_and_s5_start_as_hippo() {
    fn of<const N: usize>() {
        let (s4, s5) = (S4::<1, N, f64>::init(&mut rng(1)), S5::<1, N, f64>::init(&mut rng(1)));
        let case = Case::open("hippo_legs");
        let read = |name: &str| -> Vec<f64> {
            let values = case.at(&format!("pairs.{N}.{name}")).as_array().unwrap();
            values.iter().map(|value| value.as_f64().unwrap()).collect()
        };
        let rates: Vec<f64> = s4.log_rate.iter().map(|rate| -rate.exp()).collect();
        assert_close("rates", &rates, &read("real"), 1e-12);
        assert_close("frequencies", s4.frequency.as_slice(), &read("frequency"), 1e-12);
        assert_close("frequencies of S5", s5.frequency.as_slice(), &read("frequency"), 1e-12);
        assert_close("input", s4.B_re.as_slice(), &read("input"), 1e-10);
        assert_close("low-rank part", s4.P_re.as_slice(), &read("low_rank"), 1e-10);
    }
    of::<1>();
    of::<4>();
    of::<32>();
}

/// HiPPO-LegS memorises the past, weighted by an exponential (Gu et al. 2023, "How to Train Your
/// HiPPO"): in the basis of Legendre polynomials, the first coefficient is that of a constant, so
/// the state of a constant input is the first unit vector, and its squared length is 1.
#[test]
fn s4_remembers_a_constant() {
    let mut cell = S4::<1, 8, f64>::init(&mut rng(1));
    cell.log_dt.fill((0.05_f64).ln());
    let mut state = cell.zero_state::<1>();
    for _ in 0..2000 {
        cell.step(&SVector::from([1.0]), &mut state);
    }
    let square = 2.0 * (state.s_re[0].norm_squared() + state.s_im[0].norm_squared());
    assert!((square - 1.0).abs() < 1e-9, "{square}");
}

/// scipy computes the same matrices by its matrix exponential.
#[test]
fn legendre_memory_is_discretised_by_zero_order_hold() {
    fn of<const N: usize>(index: usize) {
        let case = Case::open("legendre");
        let window = &case.at("windows")[index];
        let list = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
        };
        let mut cell = Lmu::<1, 1, N, f64>::zeros();
        cell.set_window(window["theta"].as_f64().unwrap());
        assert_eq!(window["order"], N);
        assert_close("input matrix", cell.B.as_slice(), &list(&window["B"]), 1e-12);
        let rows: Vec<Vec<f64>> = window["A"].as_array().unwrap().iter().map(list).collect();
        if N <= 6 {
            assert_close("transition", &matrix(&cell.A).concat(), &rows.concat(), 1e-12);
        } else {
            assert_close("sums of columns", cell.A.row_sum().transpose().as_slice(), &rows[0], 1e-11);
            assert_close("sums of rows", cell.A.column_sum().as_slice(), &rows[1], 1e-11);
            assert_close("diagonal", cell.A.diagonal().as_slice(), &rows[2], 1e-11);
        }
    }
    of::<1>(0);
    of::<6>(1);
    of::<32>(2);
    of::<64>(3);
}

#[test]
fn legendre_memory_holds_a_sliding_window() {
    // Equation 3 at the far end of the window, where every shifted Legendre polynomial is 1: the
    // sum of the memory's entries is the input of one window ago.
    let window = 8.0;
    let mut cell = Lmu::<1, 2, 6, f64>::zeros();
    cell.set_window(window);
    cell.e_x.fill(1.0);
    let signal = |t: f64| (0.15 * t).sin();
    let mut state = cell.zero_state::<1>();
    for t in 0..200 {
        cell.step(&SVector::from([signal(f64::from(t))]), &mut state);
        // Zero-order hold delays the input by half a step.
        let ago = signal(f64::from(t) + 0.5 - window);
        let error = (state.m.sum() - ago).abs();
        assert!(t < 60 || error < 0.02, "at step {t}: {} is not {ago}", state.m.sum());
    }
}

#[test]
fn legendre_memory_has_no_default_window() {
    let cell = Lmu::<1, 2, 3, f64>::init(&mut rng(1));
    assert!(cell.step(&SVector::from([1.0]), &mut cell.zero_state()).iter().all(|h| h.is_nan()));
}

/// The echo state property (Jaeger 2001, definition 1): the state forgets where it started.
#[test]
fn echo_states_forget_their_start() {
    let mut cell = EchoState::<2, 50, 1, f64>::init(&mut rng(1));
    let radius = spectral_radius(&cell.W);
    assert!((0.75..1.05).contains(&radius), "{radius}");
    scale_to_spectral_radius(&mut cell.W, 0.8);
    assert!((spectral_radius(&cell.W) - 0.8).abs() < 1e-6);
    let (mut one, mut other): (EchoStateState<50, 1, f64>, EchoStateState<50, 1, f64>) =
        (random(&mut rng(2)), random(&mut rng(3)));
    for u in random_sequence::<SVector<f64, 2>>(&mut rng(4), 400) {
        cell.step(&u, &mut one);
        cell.step(&u, &mut other);
    }
    assert!((one.x - other.x).amax() < 1e-9, "{}", (one.x - other.x).amax());
    assert!(one.x.amax() > 0.1);
}

#[test]
fn echo_state_network_learns_only_its_readout() {
    let cell = EchoState::<2, 8, 3, f64>::init(&mut rng(1));
    assert_eq!(cell.parameter_count(), 3 * (2 + 8) + 3);
    let mut saved = Vec::new();
    cell.visit_buffers(&mut |buffer| saved.push(buffer.name.to_string()));
    assert_eq!(saved, ["W_in", "W", "bias", "leak"]);
    assert_eq!(cell.leak, 0.3);
}

#[test]
fn delta_rule_replaces_the_value_of_a_key() {
    // With a gate of one and no decay, the memory holds the new value for the key, whatever it held
    // before.
    let mut cell = GatedDeltaNet::<2, 3, 2, 1, 1, f64>::init(&mut rng(1));
    cell.log_rate = [-60.0];
    cell.w_b = [SVector::from([100.0, 0.0])];
    let x = SVector::from([0.7, -0.4]);
    let mut state = cell.zero_state();
    state.S = [[random(&mut rng(3))]];
    cell.step(&x, &mut state);
    // At the first step, the convolution reads only the last column of its filters.
    let k = cell.c_k[0].column(3).component_mul(&(cell.W_k[0] * x)).map(silu);
    let v = cell.c_v[0].column(3).component_mul(&(cell.W_v[0] * x)).map(silu);
    // The key has length 1 up to the 1e-6 under the root.
    let found = state.S[0][0] * k.normalize();
    assert!((found - v).amax() < 1e-4, "{found} {v}");
}

/// Steps of no length keep the first candidate's share of the gate at its offset; long times
/// saturate the gate (Hasani et al. 2022).
#[test]
fn closed_form_networks_read_the_time() {
    let mut cell = Cfc::<1, 2, 3, f64>::init(&mut rng(1));
    cell.W_rate.fill(0.0);
    cell.b_rate.fill(1.0);
    let at = |elapsed: f64| {
        let input = CfcInput { x: SVector::from([0.3]), elapsed: SVector::from([elapsed]) };
        cell.step(&input, &mut cell.zero_state())
    };
    let z = (cell.W_x * SVector::from([0.3])).map(|u| 1.7159 * (0.666 * u).tanh());
    let (short, long) = ((cell.W_short * z).map(f64::tanh), (cell.W_long * z).map(f64::tanh));
    assert!((at(1e3) - long).amax() < 1e-12);
    assert!((at(-1e3) - short).amax() < 1e-12);
}

#[test]
fn slstm_survives_gates_that_overflow() {
    let mut cell = SLstm::<2, 3, f64>::init(&mut rng(1));
    cell.b_i.fill(900.0);
    let mut state = cell.zero_state::<1>();
    for _ in 0..5 {
        let h = cell.step(&SVector::from([0.3, -0.2]), &mut state);
        assert!(h.iter().all(|h| h.abs() <= 1.0), "{h}");
    }
}
