//! Steps of the library's cells in a program that contains no reachable panic. A reachable panic
//! would not link (see the library).
//!
//! It computes initial states, steps of cells, `prepare` and steps of handles, also with
//! approximate activations and in blocks. It also makes quantised copies, writes them to bytes,
//! reads them and runs them. For most cells, one of two sizes is a whole number of vectors and the
//! other is odd. `TcnBlock`, `NamLayer`, `SLstmHeads` and `MLstmHeads` are missing: checks of
//! bounds are left in their steps.
//!
//! It prints every output, which `tests/targets/run.sh` compares between targets.

#![no_std]
#![no_main]

use bare_metal::{approximates, attends, decodes, of_format, quantised, steps};
use core::hint::black_box;
use rnn_cell::cells::*;
use rnn_cell::quantised::{Bf16, Int8, Int8By16};

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let finite = [
        steps!(Elman <4, 16> <3, 7>),
        steps!(Jordan <4, 16, 8> <3, 7, 5>),
        steps!(IndRnn <4, 16> <3, 7>),
        steps!(Lstm <4, 16> <3, 7> <3, 20> <1, 64>),
        steps!(PeepholeLstm <4, 16> <3, 7>),
        steps!(CifgLstm <4, 16> <3, 7>),
        steps!(LayerNormLstm <4, 16> <3, 7>),
        steps!(MinLstm <4, 16> <3, 7>),
        steps!(GreffNig <4, 16> <3, 7>),
        steps!(GreffNfg <4, 16> <3, 7>),
        steps!(GreffNog <4, 16> <3, 7>),
        steps!(GreffNiaf <4, 16> <3, 7>),
        steps!(GreffNoaf <4, 16> <3, 7>),
        steps!(GreffCifg <4, 16> <3, 7>),
        steps!(GreffNp <4, 16> <3, 7>),
        steps!(GreffFgr <4, 16> <3, 7>),
        steps!(Gru <4, 16> <3, 7>),
        steps!(ReluGru <4, 16> <3, 7>),
        steps!(GruResetAfter <4, 16> <3, 7>),
        steps!(Mgu <4, 16> <3, 7>),
        steps!(UgRnn <4, 16> <3, 7>),
        steps!(LiGru <4, 16> <3, 7>),
        steps!(MinGru <4, 16> <3, 7>),
        steps!(Sru <16> <7>),
        steps!(Qrnn <4, 16, 2> <3, 7, 3>),
        steps!(DiagonalSsm <4, 16, 8> <3, 7, 5>),
        steps!(S4dReal <4, 16> <3, 7>),
        steps!(S4d <4, 16> <3, 7>),
        steps!(S4dBilinear <4, 16> <3, 7>),
        steps!(SelectiveSsm <4, 16, 2> <3, 7, 1>),
        steps!(Mamba <4, 8, 16, 2> <3, 5, 7, 1>),
        steps!(RwkvTimeMixing <16> <7>),
        steps!(RwkvChannelMixing <16, 32> <7, 9>),
        steps!(S4 <4, 16> <3, 7>),
        steps!(S5 <4, 16> <3, 7>),
        steps!(Lru <4, 16> <3, 7>),
        steps!(RgLru <16> <7>),
        steps!(Ssd <4, 8, 16, 2, 1> <3, 5, 7, 4, 2>),
        steps!(Mamba2 <4, 8, 16, 2, 1> <3, 5, 7, 6, 2>),
        steps!(Lmu <4, 16, 8> <3, 7, 5>),
        steps!(Cfc <4, 16, 8> <3, 7, 5>),
        steps!(EchoState <4, 16, 8> <3, 7, 5>),
        steps!(WaveNetLayer <16, 4, 2, 2> <7, 3, 3, 1>),
        steps!(GatedLinearAttention <4, 8, 16, 2, 2> <3, 5, 7, 3, 1>),
        steps!(GatedDeltaNet <4, 8, 16, 2, 1> <3, 5, 7, 4, 2>),
        steps!(Rwkv5TimeMixing <16, 8, 2> <7, 5, 3>),
        steps!(Rwkv6TimeMixing <16, 8, 2, 4> <7, 5, 3, 2>),
        steps!(Rwkv7TimeMixing <16, 8, 2, 4> <7, 5, 3, 2>),
        steps!(Rwkv7ChannelMixing <16, 32> <7, 9>),
        steps!(Rwkv7FirstLayer <16, 8, 2, 4, 32> <7, 5, 3, 2, 9>),
        steps!(Rwkv7Layer <16, 8, 2, 4, 32> <7, 5, 3, 2, 9>),
        steps!(Rwkv7Readout <16, 8, 2, 32> <7, 5, 3, 9>),
        steps!(SLstm <4, 16> <3, 7>),
        steps!(MLstm <4, 16> <3, 7>),
        steps!(MLstmBlock <4, 16, 2, 4> <3, 7, 3, 7>),
        steps!(SLstmBlock <8, 2, 16> <5, 3, 7>),
        steps!(Conformer <8, 16, 4, 2, 4, 5> <3, 7, 5, 3, 6, 3>),
        steps!(SlidingTransformer <8, 16, 4, 2, 4> <3, 7, 5, 3, 6>),
        steps!(Dense <16, 8> <7, 5>),
        approximates!(Lstm <4, 16> <3, 7> <1, 40>),
        approximates!(Gru <4, 16> <3, 7>),
        attends!(AdditiveAttention <8, 16, 8, 4> <5, 7, 3, 9>),
        attends!(DotAttention <16, 4> <7, 9>),
        attends!(GeneralAttention <8, 16, 4> <5, 7, 9>),
        attends!(ConcatAttention <8, 16, 8, 4> <5, 7, 3, 9>),
        decodes!(ChoDecoder <8, 4, 16, 16, 8> <5, 3, 7, 9, 3>),
        decodes!(BahdanauDecoder <8, 4, 16, 16, 8, 8, 4> <5, 3, 7, 9, 3, 5, 9>),
        decodes!(LuongDotDecoder <8, 4, 16, 4> <5, 3, 7, 9>),
        decodes!(LuongGeneralDecoder <8, 4, 16, 16, 4> <5, 3, 7, 9, 5>),
        decodes!(LuongConcatDecoder <8, 4, 16, 16, 8, 4> <5, 3, 7, 9, 3, 5>),
        quantised!(Lstm <4, 16> <3, 7> <3, 20>),
        quantised!(Gru <4, 16> <3, 7>),
        quantised!(Mamba <4, 8, 16, 2> <3, 5, 7, 1>),
        of_format!(Int8 LuongGeneralDecoder<8, 4, 16, 16, 4>, black_box([u32::MAX]), context),
        of_format!(Bf16 BahdanauDecoder<5, 3, 7, 9, 3, 5, 9>, black_box([u32::MAX]), context),
    ];
    if finite.iter().all(|finite| *finite) { 0 } else { 1 }
}
