//! Loading and saving by a mapping, and the mistakes that either can find.
//!
//! Each module imports only from the ones above it:
//!
//! 1. `known_layers`: the layers with ready mappings, by their parameters
//! 2. `cells`: the cell in the model for each layer of the mapping
//! 3. `resolve`: the region of a parameter for each part of a tensor
//! 4. `names`: the tensor of the file for each tensor of the mapping
//! 5. `unmapped`, `biases`, `pytorch_layers`, `sizes`: mistakes in whole layers, each reported once
//! 6. `load`, `save`, `pytorch_files`

mod biases;
mod cells;
mod known_layers;
mod load;
mod names;
#[cfg(feature = "safetensors")]
pub(super) mod pytorch_files;
mod pytorch_layers;
mod resolve;
#[cfg(any(feature = "safetensors", feature = "nam"))]
mod save;
mod sizes;
mod unmapped;
