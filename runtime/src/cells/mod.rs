//! Ready-made cells. Each is an [`rnn_cell!`](crate::rnn_cell!) definition that names its paper.
//!
//! They are definitions like any user's: copy one and change an equation.
//!
//! | cell | source |
//! | --- | --- |
//! | `Elman`, `Jordan` | Elman 1990; Jordan 1986 |
//! | `Lstm`, `InitialStateLstm` (its initial state is learned), `PeepholeLstm`, `CifgLstm` | Hochreiter & Schmidhuber 1997, Gers et al. 2000; Greff et al. 2017 |
//! | `GreffNig`, `GreffNfg`, `GreffNog`, `GreffNiaf`, `GreffNoaf`, `GreffCifg`, `GreffNp`, `GreffFgr` | the variants of Greff et al. 2017 |
//! | `LayerNormLstm`, `MinLstm` | Ba et al. 2016; Feng et al. 2024 |
//! | `Gru` (reset before the product), `GruResetAfter` (PyTorch, cuDNN) | Cho et al. 2014 |
//! | `Mgu`, `UgRnn`, `LiGru`, `MinGru`, `IndRnn` | Zhou 2016; Collins 2017; Ravanelli 2018; Feng 2024; Li 2018 |
//! | `Sru`, `Qrnn` (filter of width two) | Lei et al. 2018; Bradbury et al. 2017 |
//! | `DiagonalSsm`, `S4dReal`, `S4d` (S4D-Lin, zero-order hold), `S4dBilinear` | Gupta et al. 2022; Gu et al. 2022 |
//! | `SelectiveSsm`, `Mamba` (the block) | Gu & Dao 2023 |
//! | `RwkvTimeMixing`, `RwkvChannelMixing` (RWKV-4) | Peng et al. 2023 |
//! | `AdditiveAttention`, `DotAttention`, `GeneralAttention`, `ConcatAttention` | Bahdanau et al. 2015; Luong et al. 2015 |
//! | `ChoDecoder`, `BahdanauDecoder`, `LuongDotDecoder`, `LuongGeneralDecoder`, `LuongConcatDecoder` | Cho et al. 2014; Bahdanau et al. 2015; Luong et al. 2015, with input feeding |
//! | `MeanPool`, `MaxPool`, `AttentionPool` | pooling over time; Welford 1962; Yang et al. 2016 |
//! | `Dense`, `Embedding` | the readout; vectors of indices (Bengio et al. 2003) |
//! | `LayerNorm`, `RmsNorm` | normalisation of each step; Ba et al. 2016; Zhang & Sennrich 2019 |

mod attention;
mod decoder;
mod dense;
mod elman;
mod embedding;
mod greff;
mod gru;
mod lstm;
mod norm;
mod pool;
mod quasi;
mod rwkv;
mod selective;
mod state_space;

pub use attention::*;
pub use decoder::*;
pub use dense::*;
pub use elman::*;
pub use embedding::*;
pub use greff::*;
pub use gru::*;
pub use lstm::*;
pub use norm::*;
pub use pool::*;
pub use quasi::*;
pub use rwkv::*;
pub use selective::*;
pub use state_space::*;
