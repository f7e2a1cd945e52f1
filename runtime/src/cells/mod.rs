//! Ready-made cells. Each is an [`rnn_cell!`](crate::rnn_cell!) definition that names its paper.
//!
//! They are definitions like any user's: copy one and change an equation.
//!
//! # Simple recurrent networks and reservoirs
//!
//! | cell | source |
//! | --- | --- |
//! | `Elman`, `Jordan`, `IndRnn` | Elman 1990; Jordan 1986; Li et al. 2018 |
//! | `EchoState` (a leaky reservoir) | Jaeger 2001; Lukoševičius 2012 |
//!
//! # Gated cells
//!
//! | cell | source |
//! | --- | --- |
//! | `Lstm`, `InitialStateLstm` (its initial state is learned), `PeepholeLstm`, `CifgLstm` | Hochreiter & Schmidhuber 1997, Gers et al. 2000; Greff et al. 2017 |
//! | `GreffNig`, `GreffNfg`, `GreffNog`, `GreffNiaf`, `GreffNoaf`, `GreffCifg`, `GreffNp`, `GreffFgr` | the variants of Greff et al. 2017 |
//! | `LayerNormLstm`, `MinLstm` | Ba et al. 2016; Feng et al. 2024 |
//! | `Gru` (reset before the product), `GruResetAfter` (PyTorch, cuDNN), `ReluGru` (RNNoise) | Cho et al. 2014; Valin 2018 |
//! | `Mgu`, `UgRnn`, `LiGru`, `MinGru` | Zhou 2016; Collins 2017; Ravanelli 2018; Feng 2024 |
//! | `Sru`, `Qrnn` (filters of any width) | Lei et al. 2018; Bradbury et al. 2017 |
//!
//! # State spaces
//!
//! | cell | source |
//! | --- | --- |
//! | `DiagonalSsm`, `S4dReal`, `S4d` (S4D-Lin, zero-order hold), `S4dBilinear` | Gupta et al. 2022; Gu et al. 2022 |
//! | `SelectiveSsm`, `Mamba` (the block) | Gu & Dao 2023 |
//! | `Mamba2` (the block, any numbers of heads and of groups), `Ssd` (the same without its convolution) | Dao & Gu 2024 |
//! | `S4` (HiPPO-LegS), `S5` | Gu, Goel & Ré 2022; Smith et al. 2023 |
//! | `Lru`, `RgLru` (the unit of Griffin) | Orvieto et al. 2023; De et al. 2024 |
//! | `Lmu` (the Legendre memory unit) | Voelker et al. 2019 |
//!
//! # Causal convolutions
//!
//! | cell | source |
//! | --- | --- |
//! | `TcnBlock`, `WaveNetLayer` (filters of any width) | Bai et al. 2018; van den Oord et al. 2016 |
//! | `NamStart`, `NamLayer`, `NamGatedLayer`, `NamLeakyLayer6`, `NamLeakyLayer15`, `NamNext`, `NamHead`, `NamHead16` | the WaveNets of Neural Amp Modeler |
//!
//! # Linear attention
//!
//! | cell | source |
//! | --- | --- |
//! | `RwkvTimeMixing`, `RwkvChannelMixing` (RWKV-4) | Peng et al. 2023 |
//! | `Rwkv5TimeMixing`, `Rwkv6TimeMixing` (any number of heads) | Peng et al. 2024 |
//! | `Rwkv7FirstLayer`, `Rwkv7Layer`, `Rwkv7Readout` (the layers of a network), `Rwkv7TimeMixing`, `Rwkv7ChannelMixing` | Peng et al. 2025 |
//! | `GatedLinearAttention` (any number of heads) | Yang et al. 2024 |
//! | `GatedDeltaNet` (any numbers of heads and of groups) | Yang et al. 2025 |
//! | `SLstm`, `MLstm` (xLSTM, one head), `SLstmHeads`, `MLstmHeads` (any number of heads), `SLstmBlock`, `MLstmBlock` (the blocks) | Beck et al. 2024 |
//!
//! # Attention over a sliding window
//!
//! | cell | source |
//! | --- | --- |
//! | `Conformer` (the block) | Gulati et al. 2020; Barrault et al. 2023 |
//! | `SlidingTransformer` (the layer) | Vaswani et al. 2017; Beltagy et al. 2020 |
//!
//! # Continuous time
//!
//! | cell | source |
//! | --- | --- |
//! | `Cfc` (reads the time since the previous step) | Hasani et al. 2022 |
//!
//! # Attention and decoders
//!
//! | cell | source |
//! | --- | --- |
//! | `AdditiveAttention`, `DotAttention`, `GeneralAttention`, `ConcatAttention` | Bahdanau et al. 2015; Luong et al. 2015 |
//! | `ChoDecoder`, `BahdanauDecoder`, `LuongDotDecoder`, `LuongGeneralDecoder`, `LuongConcatDecoder` | Cho et al. 2014; Bahdanau et al. 2015; Luong et al. 2015, with input feeding |
//!
//! # Layers of one step, and pools
//!
//! | cell | source |
//! | --- | --- |
//! | `Dense`, `Embedding` | the readout; vectors of indices (Bengio et al. 2003) |
//! | `LayerNorm`, `RmsNorm` | normalisation of each step; Ba et al. 2016; Zhang & Sennrich 2019 |
//! | `MeanPool`, `MaxPool`, `AttentionPool` | pooling over time; Welford 1962; Yang et al. 2016 |

mod attention;
mod continuous_time;
mod convolution;
mod decoder;
mod gated;
mod layers;
mod linear_attention;
mod simple;
mod sliding;
mod state_space;

pub use attention::*;
pub use continuous_time::*;
pub use convolution::*;
pub use decoder::*;
pub use gated::*;
pub use layers::*;
pub use linear_attention::*;
pub use simple::*;
pub use sliding::*;
pub use state_space::*;
