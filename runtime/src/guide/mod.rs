//! A guide, from a first cell to its machine code.
//!
//! | chapter | contents |
//! | --- | --- |
//! | [`a_first_cell`] | from an equation in a paper to a running cell |
//! | [`mistakes`] | the compiler's error messages and their meaning |
//! | [`batches`] | several samples at once, samples of different lengths |
//! | [`training`] | an update, epochs, resuming, long sequences, large batches |
//! | [`networks`] | layers, their combinations, a classifier of sequences |
//! | [`streaming`] | one step at a time, within a budget |
//! | [`looking_back`] | convolutions over time, attention over the last steps or another sequence, a Conformer block |
//! | [`heads`] | repeated parts of a cell: multi-head attention, xLSTM |
//! | [`decoding`] | from scores to symbols: greedy search, beam search, sampling, CTC |
//! | [`saving`] | weights and states in files, sizes that are known only at run time |
//! | [`weights_of_others`] | weights from PyTorch, Keras or your own program; `.nam`, RTNeural and ONNX files |
//! | [`fewer_bits`] | copies of cells with matrices in 8 or 16 bits, and training for them |
//! | [`bare_metal`] | cells without `std` and without an allocator |
//! | [`many_machines`] | training on several cores and several machines |
//! | [`seeing_gradients`] | gradient checks, vanishing and exploding gradients, the first NaN |
//! | [`reading`] | a cell's documentation page, its equations as text, its generated code |
//! | [`the_compiler`] | one small cell, followed from its equations to machine code |
//! | [`adding_to_it`] | a function, a loss and an optimiser of your own; changes of the library |
//! | [`from_pytorch`] | PyTorch's names beside ours |
//! | [`limits`] | limits of the library, compile times, maturity, alternatives |
//!
//! The reference of the language is at [`rnn_cell!`](crate::rnn_cell!), the list of the crate's
//! features at [its root](crate#features). `cargo test --doc` compiles and runs all code of the
//! guide. Tests compare the quoted messages and the stages of the compiler with its actual output.
//! The examples of the repository draw the pictures.

#[doc = include_str!("a_first_cell.md")]
pub mod a_first_cell {}
#[doc = include_str!("mistakes.md")]
pub mod mistakes {}
#[doc = include_str!("batches.md")]
pub mod batches {}
#[doc = include_str!("pictures/japanese_vowels.uri")]
#[doc = include_str!("training.md")]
pub mod training {}
#[doc = include_str!("networks.md")]
pub mod networks {}
#[doc = include_str!("pictures/voice_activity.uri")]
#[doc = include_str!("streaming.md")]
pub mod streaming {}
#[doc = include_str!("pictures/conformer.uri")]
#[doc = include_str!("looking_back.md")]
pub mod looking_back {}
#[doc = include_str!("heads.md")]
pub mod heads {}
#[doc = include_str!("pictures/dates.uri")]
#[doc = include_str!("pictures/ctc_digits.uri")]
#[doc = include_str!("decoding.md")]
pub mod decoding {}
#[doc = include_str!("saving.md")]
pub mod saving {}
#[doc = include_str!("pictures/amplifier.uri")]
#[doc = include_str!("weights_of_others.md")]
pub mod weights_of_others {}
#[doc = include_str!("fewer_bits.md")]
pub mod fewer_bits {}
#[doc = include_str!("bare_metal.md")]
pub mod bare_metal {}
#[doc = include_str!("many_machines.md")]
pub mod many_machines {}
#[doc = include_str!("pictures/gradients.uri")]
#[doc = include_str!("seeing_gradients.md")]
pub mod seeing_gradients {}
#[doc = include_str!("reading.md")]
pub mod reading {}
#[doc = include_str!("the_compiler.md")]
pub mod the_compiler {}
#[doc = include_str!("adding_to_it.md")]
pub mod adding_to_it {}
#[doc = include_str!("from_pytorch.md")]
pub mod from_pytorch {}
#[doc = include_str!("limits.md")]
pub mod limits {}
