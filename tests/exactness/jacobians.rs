//! Jacobians of steps, compared with central differences: the library's cells, states of every
//! shape, networks.

use nalgebra::{DMatrix, DVector};
use rnn_cell::cell::{Cell, Layer, Model};
use rnn_cell::cells::*;
use rnn_cell::inspect::flow::jacobian;
use rnn_cell::network::{Residual, Stack};
use rnn_cell::prelude::rnn_cell;
use rnn_cell::rng::uniform;
use rnn_cell::types::varying::Varying;
use tests::exactness::rng;
use tests::golden::scalars;

fn random<V: Varying<f64>>(seed: u64) -> V {
    let (mut value, mut rng) = (V::zero(), rng(seed));
    value.scalars_mut(&mut |x| *x = uniform(&mut rng, -1.0, 1.0));
    value
}

/// Returns central differences of fourth order, one column per scalar of the old state.
fn differences<L>(layer: &L, x: &L::Input, state: &L::State) -> DMatrix<f64>
where
    L: Cell<1, Scalar = f64, Context = ()>,
{
    let after = |column: usize, step: f64| {
        let (mut state, mut index) = (state.clone(), 0);
        state.scalars_mut(&mut |x: &mut f64| {
            if index == column {
                *x += step;
            }
            index += 1;
        });
        layer.step(x, &mut state);
        DVector::from_vec(scalars(&state))
    };
    let h = 1e-3;
    let slope = |column, step| (after(column, step) - after(column, -step)) / (2.0 * step);
    let columns: Vec<_> = (0..after(0, 0.0).len())
        .map(|column| (slope(column, h) * 4.0 - slope(column, 2.0 * h)) / 3.0)
        .collect();
    DMatrix::from_columns(&columns)
}

#[track_caller]
fn assert_exact<L>(name: &str, layer: &L, x: &L::Input)
where
    L: Cell<1, Scalar = f64, Context = ()>,
{
    let state: L::State = random(11);
    let (found, expected) = (jacobian(layer, x, &state), differences(layer, x, &state));
    assert_eq!(found.shape(), expected.shape(), "{name}");
    let error = (&found - &expected).amax();
    assert!(error < 1e-8, "{name}: {error}\n{found}{expected}");
    assert!(found.amax() > 1e-3, "{name}: the Jacobian is zero{found}");
}

#[test]
fn library_cells_agree_with_differences() {
    macro_rules! check {
        ($($cell:ident<$($size:literal),*>)*) => { $(
            let cell = $cell::<$($size,)* f64>::init(&mut rng(3));
            assert_exact(stringify!($cell), &cell, &random(5));
        )* };
    }
    check! {
        Elman<3, 5> Jordan<3, 5, 2> IndRnn<3, 5> Lstm<3, 5> PeepholeLstm<3, 5> CifgLstm<3, 5> LayerNormLstm<3, 5> MinLstm<3, 5>
        GreffNig<3, 5> GreffNfg<3, 5> GreffNog<3, 5> GreffNiaf<3, 5> GreffNoaf<3, 5> GreffCifg<3, 5> GreffNp<3, 5> GreffFgr<3, 5>
        Gru<3, 5> ReluGru<3, 5> GruResetAfter<3, 5> Mgu<3, 5> UgRnn<3, 5> LiGru<3, 5> MinGru<3, 5>
    }
    macro_rules! check_decoders {
        ($($cell:ident<$($size:literal),*>)*) => { $(
            let cell = $cell::<$($size,)* f64>::init(&mut rng(3));
            let mut context: <$cell<$($size,)* f64> as Layer<1>>::Context = random(7);
            // The mask keeps every position.
            check_decoders!(@mask $cell context);
            assert_exact(stringify!($cell), &cell.with(&context), &[1]);
        )* };
        (@mask ChoDecoder $context:ident) => { let _ = &mut $context; };
        (@mask $cell:ident $context:ident) => { $context.mask.fill(1.0); };
    }
    check_decoders! {
        ChoDecoder<4, 3, 5, 2, 3> BahdanauDecoder<4, 3, 5, 2, 3, 3, 4> LuongDotDecoder<4, 3, 5, 4>
        LuongGeneralDecoder<4, 3, 5, 2, 4> LuongConcatDecoder<4, 3, 5, 2, 3, 4>
    }
}

rnn_cell! {
    /// A cell with a matrix, a vector and a scalar as states.
    cell Memory<H, E> {
        input x: [H];
        state M: [H, E], h: [H], n: [];
        param v: [H] = normal(0.5), u: [E] = normal(0.5);

        g = sigmoid(v * n[t-1] + x);
        M = g * M[t-1] + h[t-1] @ u.T;
        n = 0.5 * n[t-1] + mean(M[t-1]);
        h = tanh(M @ u + n);

        output h;
    }
}

#[test]
fn other_states_and_networks_agree_with_differences() {
    assert_exact("Memory", &Memory::<3, 2, f64>::init(&mut rng(1)), &random(2));
    let lower = || Gru::<3, 3, f64>::init(&mut rng(1));
    let stack =
        Stack(Stack(lower(), Lstm::<3, 4, f64>::init(&mut rng(2))), Dense::<4, 2, f64>::init(&mut rng(3)));
    assert_exact("Stack", &stack, &random(4));
    assert_exact("Residual", &Residual::new(lower()), &random(4));
}
