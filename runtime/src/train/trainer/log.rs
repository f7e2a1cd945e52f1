//! The table of the epochs of a training run, as CSV.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use std::path::Path;

use super::{Epoch, Scores};
use crate::weights::{Error, disk};

/// Writes the table of these epochs. Other programs see either the old file or the complete new
/// file.
pub(super) fn write(path: &Path, epochs: &[Epoch]) -> Result<(), Error> {
    disk::write(path, || Ok(table(epochs).into_bytes())).map_err(|error| error.of("log"))
}

/// Returns one line per epoch, after a line of names.
fn table(epochs: &[Epoch]) -> String {
    let first = epochs.first().map(|epoch| &epoch.training);
    let metrics: Vec<&str> = first.into_iter().flat_map(Scores::metrics).map(|(name, _)| name).collect();
    let columns = || ["loss"].into_iter().chain(metrics.iter().copied());
    let mut text = String::from("epoch,updates,rate");
    // Writing to memory cannot fail.
    for set in ["training", "validation"] {
        columns().for_each(|name| _ = write!(text, ",{}", quoted(&alloc::format!("{set} {name}"))));
    }
    for epoch in epochs {
        let Epoch { number, updates, rate, training, validation, .. } = epoch;
        let _ = write!(text, "\n{number},{updates},{rate}");
        for scores in [Some(training), validation.as_ref()] {
            for name in columns() {
                text.push(',');
                if let Some(value) = scores.and_then(|scores| scores.get(name)) {
                    let _ = write!(text, "{value}");
                }
            }
        }
    }
    text.push('\n');
    text
}

/// Returns a name as a field of CSV (RFC 4180).
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) {
        alloc::format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::trainer::scores::{Metrics, set_metric};

    #[test]
    fn every_epoch_is_a_line() {
        let scores = |loss| {
            let mut metrics = Metrics::default();
            set_metric(&mut metrics, "share, \"right\"", 0.75);
            Scores::new(4, loss, metrics)
        };
        let epoch = |number, validation| Epoch {
            number,
            updates: 3 * number,
            rate: 0.01,
            training: scores(1.5),
            validation,
            is_best: false,
        };
        let want = "epoch,updates,rate,training loss,\"training share, \"\"right\"\"\",validation loss,\"validation share, \"\"right\"\"\"\n\
            1,3,0.01,1.5,0.75,,\n\
            2,6,0.01,1.5,0.75,2.5,0.75\n";
        assert_eq!(table(&[epoch(1, None), epoch(2, Some(scores(2.5)))]), want);
        assert_eq!(table(&[]), "epoch,updates,rate,training loss,validation loss\n");
    }
}
