//! Weight files read without `std`: loads a file of each format from flash, runs the cell and
//! prints its outputs. Unlike the other programs it needs an allocator, and panics are reachable,
//! because it formats errors as text.

#![no_std]
#![no_main]

use bare_metal::{Text, any, print, restart};
use rnn_cell::cells::{Dense, InitialStateLstm, Lstm};
use rnn_cell::network::Stack;
use rnn_cell::weights::{keras, nam, onnx, rtneural};

/// The number of steps of each cell.
const STEPS: usize = 9;

/// Loads a model with one recurrent and one dense layer, and runs it.
macro_rules! plays {
    ($name:literal, $net:expr, |$to:ident, $bytes:ident| $load:expr) => {{
        Text::new().str("# ").str($name).end();
        restart();
        let mut net = $net;
        let ($to, $bytes) = (&mut net, include_bytes!(concat!("../../../weights/fixtures/", $name)));
        let mut correct = $load.is_ok();
        let mut state = net.0.initial_state::<1>();
        for _ in 0..STEPS {
            let h = net.0.step(&any(), &mut state);
            correct &= print(&net.1.step(&h, &mut net.1.initial_state()));
        }
        correct
    }};
}

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let results = [
        plays!(
            "keras_lstm.safetensors",
            Stack(Lstm::<3, 4>::zeros(), Dense::<4, 2>::zeros()),
            |net, bytes| {
                let lstm = keras::lstm().prefix("lstm/lstm_cell/").under(0);
                let dense = keras::dense().prefix("dense/").under(1);
                lstm.and(dense).prefix("sequential/").load(net, bytes)
            }
        ),
        plays!("onnx_lstm.onnx", Stack(Lstm::<3, 4>::zeros(), Dense::<4, 4>::zeros()), |net, bytes| {
            onnx::load(&mut net.0, bytes)
        }),
        plays!("rtneural_lstm.json", Stack(Lstm::<1, 8>::zeros(), Dense::<8, 1>::zeros()), |net, bytes| {
            rtneural::load(net, bytes)
        }),
        plays!(
            "nam_1x8.nam",
            Stack(InitialStateLstm::<1, 8>::zeros(), Dense::<8, 1>::zeros()),
            |net, bytes| { nam::load(net, bytes) }
        ),
    ];
    match results.iter().position(|correct| !correct) {
        Some(place) => place as i32 + 1,
        None => 0,
    }
}
