//! Round trips through JSON, the form of the text, and mistakes in it.

use std::fmt::Debug;

use nalgebra::{Const, Matrix, RawStorage, SMatrix, U1};
use rnn_cell::cells::{Dense, Gru, Lstm};
use rnn_cell::network::{Bidirectional, Concat, Dropout, Residual, Stack, Zoneout};
use rnn_cell::prelude::*;
use rnn_cell::rng::normal;
use rnn_cell::train::optim::Schedule;
use rnn_cell::types::varying::Varying;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, from_str, json, to_string, to_value};

rnn_cell! {
    /// Every form of a value.
    pub cell Forms<I, H> {
        param W: [2*H, H + I];
        param a: [];
        param b: [H];
        buffer m: [H];
        context c: [H];
        input x: [I];
        state h: [H];
        state M: [H, H];

        [p, q] = W @ [h[t-1], x];
        M = 0.9 * M[t-1] + a * p @ c.T;
        h = tanh(b + m + M @ q);

        output h;
    }
}

/// Names that could collide with those of the implementations.
mod collisions {
    #![allow(non_upper_case_globals, dead_code)]

    const value: u8 = 0;
    const serializer: u8 = 0;
    const deserializer: u8 = 0;

    struct Serialize;
    struct Deserialize;

    rnn_cell::rnn_cell! {
        pub cell Colliding<S, D> {
            param serializer: [D, S];
            input x: [S];
            state value: [D];
            value = 0.5 * value[t-1] + serializer @ x;
            output value;
        }
    }
}

type Cell<T> = Forms<3, 2, T>;

fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(5)
}

/// Returns a value of random scalars with all their bits.
fn random<T: Scalar, V: Varying<T>>() -> V {
    let (mut value, mut rng) = (V::zero(), rng());
    value.scalars_mut(&mut |x| *x = T::of(normal(&mut rng)));
    value
}

fn cell<T: Scalar>() -> Cell<T> {
    let (mut cell, mut rng) = (Cell::<T>::zeros(), rng());
    cell.visit_mut(&mut |block| block.values.fill_with(|| T::of(normal(&mut rng))));
    cell.visit_buffers_mut(&mut |block| block.values.fill_with(|| T::of(normal(&mut rng))));
    cell
}

#[track_caller]
fn assert_round_trip<V: Serialize + DeserializeOwned + PartialEq + Debug>(value: &V) {
    let text = to_string(value).unwrap();
    assert_eq!(from_str::<V>(&text).unwrap(), *value, "{text}");
    assert_eq!(serde_json::from_value::<V>(to_value(value).unwrap()).unwrap(), *value);
}

#[test]
fn cells_are_maps_of_matrices_as_rows() {
    let mut cell = Cell::<f32>::zeros();
    cell.W.fill_with(|row, column| (10 * row + column) as f32);
    (cell.a, cell.b[1], cell.m[0]) = (0.1, -2.5, 1.0);
    let want = json!({
        "W": [
            [0.0, 1.0, 2.0, 3.0, 4.0],
            [10.0, 11.0, 12.0, 13.0, 14.0],
            [20.0, 21.0, 22.0, 23.0, 24.0],
            [30.0, 31.0, 32.0, 33.0, 34.0],
        ],
        "a": 0.1_f32,
        "b": [0.0, -2.5],
        "m": [1.0, 0.0],
    });
    assert_eq!(to_value(&cell).unwrap(), want);
    assert!(to_string(&cell).unwrap().contains("\"a\":0.1,"), "an f32 is not written as an f64");
    // Integers are numbers too.
    let whole = to_string(&cell).unwrap().replace(".0", "");
    assert_eq!(from_str::<Cell<f32>>(&whole).unwrap(), cell);
}

#[test]
fn every_bit_survives() {
    assert_round_trip(&cell::<f32>());
    assert_round_trip(&cell::<f64>());
    assert_round_trip(&cell::<f64>().W);
    assert_round_trip(&random::<f32, FormsState<2, 3, f32>>());
    assert_round_trip(&random::<f64, FormsState<2, 1, f64>>());
    assert_round_trip(&random::<f64, FormsContext<2, 3, f64>>());
    assert_round_trip(&collisions::Colliding::<2, 3>::init(&mut rng()));
    // Formats without names list the fields.
    let (one, text) = (cell::<f64>(), to_value(cell::<f64>()).unwrap());
    let list = json!([text["W"], text["a"], text["b"], text["m"]]);
    assert_eq!(serde_json::from_value::<Cell<f64>>(list).unwrap(), one);
    let mut extremes = cell::<f64>();
    (extremes.a, extremes.b[0], extremes.b[1]) = (f64::MIN_POSITIVE / 3.0, f64::MAX, -0.0);
    assert_round_trip(&extremes);
    let negative = from_str::<Cell<f64>>(&to_string(&extremes).unwrap()).unwrap().b[1];
    assert!(negative.is_sign_negative());
}

#[test]
fn states_of_samples_are_lists() {
    let state = random::<f64, FormsState<2, 3, f64>>();
    let value = to_value(&state).unwrap();
    assert_eq!(value["h"], json!([state.h.row(0).as_array(), state.h.row(1).as_array()]));
    assert_eq!(value["M"].as_array().unwrap().len(), 3);
    assert_eq!(value["M"][2][1][0], state.M[2][(1, 0)]);
}

/// A row as an array, for comparison.
trait AsArray {
    fn as_array(&self) -> Vec<f64>;
}

impl<S: RawStorage<f64, U1, Const<3>>> AsArray for Matrix<f64, U1, Const<3>, S> {
    fn as_array(&self) -> Vec<f64> {
        self.iter().copied().collect()
    }
}

#[test]
fn networks_and_their_states_survive() {
    let mut rng = rng();
    let both = Bidirectional::new(Lstm::<3, 4>::init(&mut rng), Gru::<3, 4>::init(&mut rng));
    let zoneout = Zoneout::new(Lstm::<8, 5>::init(&mut rng)).field("c", 0.5);
    let top = Stack::new(zoneout, Dense::<5, 2>::init(&mut rng));
    let net = Stack::new(Dropout::new(both.joined(Concat::<8>), 0.3), top);
    assert_round_trip(&net);
    assert_round_trip(&Residual::new(Box::new(Gru::<4, 4>::init(&mut rng))));
    let mut state = Layer::<2>::initial_state_with(&net, &());
    assert_round_trip(&state);
    net.seed_noise(&mut state, &mut rng);
    assert_round_trip(&state);

    let error = serde_json::from_value::<Dropout<Dense<3, 2>>>(json!({
        "layer": Dense::<3, 2>::zeros(), "rate": 1.0, "is_variational": false,
    }));
    assert!(error.unwrap_err().to_string().contains("up to, but not including, 1"));
}

#[test]
fn a_deserialised_optimiser_continues() {
    fn check<O: Optimiser<f32> + Clone + Serialize + DeserializeOwned>(mut optimiser: O) {
        let (mut net, mut gradients) = (cell::<f32>(), cell::<f32>());
        optimiser.step(&mut net, &gradients);
        let mut copy: O = from_str(&to_string(&optimiser).unwrap()).unwrap();
        let mut same: Cell<f32> = from_str(&to_string(&net).unwrap()).unwrap();
        gradients.a = 3.0;
        optimiser.step(&mut net, &gradients);
        copy.step(&mut same, &gradients);
        assert_eq!(same, net);
    }
    check(Sgd::new(0.1).momentum(0.9));
    check(Adam::new(1e-2).betas(0.8, 0.9));
    check(AdamW::new(1e-2));
    for schedule in [Schedule::cosine(0.1, 9).to(1e-3).warm_up(2), Schedule::step(0.1, 3, 0.5)] {
        assert_round_trip(&schedule);
    }
}

/// Returns the message about a cell's text after a change.
fn mistake(change: impl FnOnce(&mut Value)) -> String {
    let mut value = to_value(cell::<f32>()).unwrap();
    change(&mut value);
    serde_json::from_value::<Cell<f32>>(value).unwrap_err().to_string()
}

#[test]
fn mistakes_name_the_parameter() {
    let removed = |name: &str| {
        mistake(|value| {
            value.as_object_mut().unwrap().remove(name);
        })
    };
    assert_eq!(removed("b"), "missing field `b`");
    assert_eq!(mistake(|v| v["U"] = json!(1)), "unknown field `U`, expected one of `W`, `a`, `b`, `m`");
    assert_eq!(mistake(|v| _ = v["W"].as_array_mut().unwrap().pop()), "`W` has 3 rows, but must have 4");
    assert_eq!(
        mistake(|v| v["W"].as_array_mut().unwrap().extend([json!([]), json!([])])),
        "`W` has 6 rows, but must have 4"
    );
    assert_eq!(mistake(|v| v["W"][1] = json!([1.0])), "row 1 of `W` has 1 column, but must have 5");
    assert_eq!(mistake(|v| v["b"] = json!([1.0])), "`b` has 1 entry, but must have 2");
    assert_eq!(
        mistake(|v| v["W"][2][0] = json!("x")),
        "invalid type: string \"x\", expected a number in `W`"
    );
    assert_eq!(mistake(|v| v["a"] = json!(null)), "invalid type: null, expected a number in `a`");
    assert_eq!(mistake(|v| v["a"] = json!([1.0])), "invalid type: sequence, expected a number in `a`");
    assert_eq!(
        mistake(|v| v["W"][3] = json!(7.0)),
        "invalid type: floating point `7.0`, expected the 5 columns of row 3 of `W`"
    );
    assert_eq!(
        mistake(|v| *v = json!(7)),
        "invalid type: integer `7`, expected a map with the fields of `Forms`"
    );
    let twice = from_str::<Cell<f32>>("{\"a\": 1, \"a\": 2}").unwrap_err();
    assert_eq!(twice.to_string(), "duplicate field `a` at line 1 column 12");

    let mut state = to_value(random::<f32, FormsState<2, 3, f32>>()).unwrap();
    state["M"][1][0] = json!([]);
    let error = serde_json::from_value::<FormsState<2, 3, f32>>(state).unwrap_err();
    assert_eq!(error.to_string(), "row 0 of matrix 1 of `M` has 0 columns, but must have 2");
    let error = from_str::<Cols<SMatrix<f32, 1, 1>, SMatrix<f32, 1, 2>>>("[[1, 2]]").unwrap_err();
    let place = " at line 1 column 7";
    assert_eq!(error.to_string(), format!("row 0 of `Cols` has 2 columns, but must have 3{place}"));
}
