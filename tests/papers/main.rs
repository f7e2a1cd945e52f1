//! Cells from papers, which show that the language can express them. Each cell passes the gradient
//! check and the properties that every cell must have.

#![allow(missing_docs)]

mod cells;

use cells::*;
use nalgebra::{SMatrix, SVector};
use rnn_cell::cell::{Cell, Layer, Pass};
use rnn_cell::cells::*;
use rnn_cell::inspect::gradcheck::{Checked, gradcheck};
use rnn_cell::rng::{Xoshiro256PlusPlus, below};
use tests::exactness::{check, random, random_sequence, rng};

/// The number of locations of the Turing machine's memory.
const LOCATIONS: usize = 5;

/// Checks the gradients and the general properties on six random steps, with a random state and a
/// random context. `adapt` changes random values that are not valid for the cell.
#[track_caller]
fn verify<const B: usize, L>(
    cell: &mut L,
    adapt: impl Fn(&mut L::Input, &mut L::State, &mut Xoshiro256PlusPlus),
) where
    L: Cell<B> + Checked<B>,
{
    let mut rng = rng(2024);
    let mut state: L::State = random(&mut rng);
    let mut xs: Vec<L::Input> = random_sequence(&mut rng, 6);
    xs.iter_mut().for_each(|x| adapt(x, &mut state, &mut rng));
    let context: L::Context = random(&mut rng);
    let pass = Pass::of(&xs).context(&context);
    gradcheck(cell, pass, &state).assert_ok();
    check(cell, pass, &state, 7);
}

/// Calls [`verify`] at batch 1 and 3, as in `verify!(Name[sizes], adapt)`.
macro_rules! verify {
    ($cell:ident [$($size:literal),+]) => { verify!($cell [$($size),+], |_, _, _| {}) };
    ($cell:ident [$($size:literal),+], $adapt:expr) => {
        let mut cell = $cell::<$($size,)+ f64>::init(&mut rng(1));
        verify::<1, _>(&mut cell, $adapt);
        verify::<3, _>(&mut cell, $adapt);
    };
}

#[test]
fn turing_machine_head() {
    // The weighting over locations is a distribution.
    verify!(TuringHead [2, 4, 5, 3], |_, state, _| {
        state.w.iter_mut().for_each(|w| *w = w.abs() + 0.1);
        state.w.column_iter_mut().for_each(|mut w| {
            let sum = w.sum();
            w /= sum;
        });
    });
}

#[test]
fn turing_machine_starts_from_learned_memory() {
    let cell = TuringHead::<2, 4, 5, 3, f64>::init(&mut rng(1));
    let state = cell.initial_state::<2>();
    assert_eq!(state.M, [cell.M_0; 2]);
    for w in state.w.column_iter() {
        assert!((w.sum() - 1.0).abs() < 1e-15);
    }
}

#[test]
fn layer_normalised_lstm() {
    verify!(NormalisedLstm [3, 4]);
}

#[test]
fn lstm_with_projection() {
    verify!(ProjectedLstm [3, 5, 2, 3, 2]);
}

#[test]
fn simple_recurrent_unit() {
    verify!(Sru[4]);
}

#[test]
fn zoneout() {
    fn masks<const B: usize>(
        x: &mut ZoneoutInput<3, 4, B, f64>,
        _: &mut ZoneoutState<4, B, f64>,
        rng: &mut Xoshiro256PlusPlus,
    ) {
        x.d_c.iter_mut().chain(x.d_h.iter_mut()).for_each(|keep| *keep = below(rng, 2) as f64);
    }
    let mut cell = Zoneout::<3, 4, f64>::init(&mut rng(1));
    verify::<1, _>(&mut cell, masks);
    verify::<3, _>(&mut cell, masks);
}

#[test]
fn zoneout_of_all_units_keeps_the_state() {
    let cell = Zoneout::<3, 4, f64>::init(&mut rng(1));
    let mut state: ZoneoutState<4, 1, f64> = random(&mut rng(2));
    let before = state.clone();
    let ones = SVector::from_element(1.0);
    cell.step(&ZoneoutInput { x: SVector::from([1.0, 2.0, 3.0]), d_c: ones, d_h: ones }, &mut state);
    assert_eq!((state.h, state.c), (before.h, before.c));
}

#[test]
fn character_network_with_tied_embedding() {
    fn characters<const B: usize>(
        w: &mut [u32; B],
        _: &mut TiedCharactersState<4, B, f64>,
        rng: &mut Xoshiro256PlusPlus,
    ) {
        // There are 7 characters. The last is twice as frequent, so samples often share its column.
        w.iter_mut().for_each(|w| *w = below(rng, 8).min(6) as u32);
    }
    let mut cell = TiedCharacters::<7, 4, f64>::init(&mut rng(1));
    verify::<1, _>(&mut cell, characters);
    verify::<3, _>(&mut cell, characters);
}

/// Checks a decoder of the library on the symbols 0 to 6, of which 6 is out of range. Masks that
/// hide positions are tested by golden cases.
fn verify_decoder<const B: usize, L>(mut decoder: L)
where
    L: Cell<B> + Checked<B> + Layer<B, Input = [u32; B]>,
{
    verify(&mut decoder, |words, _, rng| words.fill_with(|| below(rng, 7) as u32));
}

#[test]
fn decoder_without_attention() {
    verify_decoder::<3, _>(ChoDecoder::<6, 3, 4, 2, 3, f64>::init(&mut rng(1)));
}

#[test]
fn bahdanau_decoder() {
    verify_decoder::<1, _>(BahdanauDecoder::<6, 3, 4, 2, 3, 2, 5, f64>::init(&mut rng(1)));
    verify_decoder::<3, _>(BahdanauDecoder::<6, 3, 4, 2, 3, 2, 5, f64>::init(&mut rng(1)));
}

#[test]
fn luong_decoders() {
    verify_decoder::<3, _>(LuongDotDecoder::<6, 3, 4, 5, f64>::init(&mut rng(1)));
    verify_decoder::<3, _>(LuongGeneralDecoder::<6, 3, 4, 2, 5, f64>::init(&mut rng(1)));
    verify_decoder::<3, _>(LuongConcatDecoder::<6, 3, 4, 2, 3, 5, f64>::init(&mut rng(1)));
}

#[test]
fn decoders_start_from_their_context() {
    let bahdanau = BahdanauDecoder::<6, 3, 4, 2, 3, 2, 5, f64>::init(&mut rng(1));
    let context: BahdanauDecoderContext<4, 2, 5, 2, f64> = random(&mut rng(2));
    let want: SMatrix<f64, 4, 2> = (bahdanau.W_s * context.first).map(f64::tanh);
    assert!((bahdanau.initial_state_with(&context).s - want).amax() < 1e-14);

    let cho = ChoDecoder::<6, 3, 4, 2, 3, f64>::init(&mut rng(1));
    let context: ChoDecoderContext<2, 1, f64> = random(&mut rng(2));
    let want = (cho.V_0 * (cho.V * context.summary).map(f64::tanh)).map(f64::tanh);
    assert!((cho.initial_state_with(&context).h - want).amax() < 1e-14);
}
