//! A voice detector: Silero VAD, the network of the example `voice_activity`, with all layers as
//! copies that multiply in integers. The weights and a recording are in flash memory.
//!
//! Prints a line for each chunk of 32 ms: its number, the probability of speech, and the decision.
//! The last line is the budget: the most instructions of a chunk, the stack, the state and the
//! weights in bytes. `tests/targets/run.sh voice` compares them with ONNX Runtime's probabilities
//! and with limits.

#![no_std]
#![no_main]

#[path = "../../../../examples/src/silero/network.rs"]
#[allow(dead_code)]
mod network;

use bare_metal::{Text, platform};
use core::ffi::{c_char, c_int};
use core::hint::black_box;
use network::*;
use rnn_cell::cells::LstmQuantised;
use rnn_cell::quantised::Int8By16;

/// The bytes of a layer's copy, which the tests of the examples write.
macro_rules! bytes {
    ($layer:literal) => {
        include_bytes!(concat!("../../../../examples/data/silero/int8_by_16/", $layer))
    };
}

type Network = Layers<
    SpectrumQuantised<WINDOW, BINS, Int8By16>,
    ConvolutionQuantised<{ TAPS * BINS }, 128, Int8By16>,
    ConvolutionQuantised<{ TAPS * 128 }, 64, Int8By16>,
    ConvolutionQuantised<{ TAPS * 64 }, 64, Int8By16>,
    ConvolutionQuantised<{ TAPS * 64 }, UNITS, Int8By16>,
    LstmQuantised<UNITS, UNITS, Int8By16>,
    OutputQuantised<UNITS, Int8By16>,
>;

static NETWORK: Network = Layers {
    spectrum: SpectrumQuantised::from_bytes(bytes!("spectrum")),
    convolutions: (
        ConvolutionQuantised::from_bytes(bytes!("convolution_1")),
        ConvolutionQuantised::from_bytes(bytes!("convolution_2")),
        ConvolutionQuantised::from_bytes(bytes!("convolution_3")),
        ConvolutionQuantised::from_bytes(bytes!("convolution_4")),
    ),
    lstm: LstmQuantised::from_bytes(bytes!("lstm")),
    output: OutputQuantised::from_bytes(bytes!("output")),
};

/// A WAV file of 16 bits, one channel and 16 kHz.
static RECORDING: &[u8] = include_bytes!("../../../../examples/data/silero/speech.wav");

/// The length of the header of the recording.
const HEADER: usize = 44;

/// The probability at which a chunk is speech.
const THRESHOLD: f32 = 0.5;

/// Computes the probability of a chunk of 16-bit samples.
#[inline(never)]
fn hear(chunk: &[[u8; 2]; CHUNK], stream: &mut Stream) -> f32 {
    let mut samples = [0.0; CHUNK];
    for (sample, bytes) in samples.iter_mut().zip(chunk) {
        *sample = f32::from(i16::from_le_bytes(*bytes)) / 32768.0;
    }
    black_box(&NETWORK).step(&samples, stream)
}

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    let Some((_, samples)) = RECORDING.split_at_checked(HEADER) else { return 1 };
    let (chunks, _) = samples.as_chunks().0.as_chunks();
    let (mut stream, mut most) = (NETWORK.stream(), 0);
    for (number, chunk) in chunks.iter().enumerate() {
        let mut probability = f32::NAN;
        let count = platform::instructions(&mut || probability = hear(chunk, &mut stream));
        most = if count > most { count } else { most };
        let decision = if probability >= THRESHOLD { " speech" } else { " silence" };
        Text::new().str("chunk").integer(number).float(probability).str(decision).end();
    }
    let stack = chunks.first().map_or(0, |chunk| platform::stack(&mut || _ = hear(chunk, &mut stream)));
    Text::new()
        .str("budget")
        .integer(most)
        .integer(stack)
        .integer(size_of::<Stream>())
        .integer(size_of::<Network>())
        .end();
    0
}
