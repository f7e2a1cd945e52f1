//! Methods that only the feature `safetensors` provides: without it, a call names the feature.

use std::path::PathBuf;

use super::Fit;
use crate::cell::Model;

/// A bound that no model meets.
#[diagnostic::on_unimplemented(
    message = "this method needs the feature `safetensors` of `rnn-cell`",
    label = "the feature is off",
    note = "in `Cargo.toml`: `rnn-cell = {{ .., features = [\"safetensors\"] }}`"
)]
pub trait FeatureSafetensors {}

impl<M: Model, O, W, C, S, F> Fit<'_, M, O, W, C, S, F> {
    #[doc(hidden)]
    pub fn checkpoint(self, _path: impl Into<PathBuf>, _batches: usize) -> Self
    where
        M: FeatureSafetensors,
    {
        self
    }

    #[doc(hidden)]
    pub fn log(self, _path: impl Into<PathBuf>) -> Self
    where
        M: FeatureSafetensors,
    {
        self
    }
}
