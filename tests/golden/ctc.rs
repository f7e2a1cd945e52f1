//! The loss of connectionist temporal classification and its gradient, compared with PyTorch's in
//! float64.

use nalgebra::SMatrix;
use rnn_cell::train::ctc::Ctc;
use tests::golden::{Case, Comparison, TOLERANCE, from_scalars, scalars};

const CLASSES: usize = 6;
const BATCH: usize = 4;

#[test]
fn ctc_case() {
    let case = Case::open("ctc");
    let list = |path| case.at(path).as_array().expect("a list").iter();
    let numbers = |path| list(path).map(|x| x.as_f64().expect("a number")).collect::<Vec<f64>>();
    let logits = case.array("logits");
    let steps: Vec<SMatrix<f64, CLASSES, BATCH>> =
        (0..logits.shape[0]).map(|t| from_scalars(logits.step(t))).collect();
    let lengths: Vec<usize> = numbers("input_lengths").iter().map(|&length| length as usize).collect();
    let targets: Vec<Vec<u32>> = list("targets")
        .map(|target| {
            let labels = target.as_array().expect("a list of labels").iter();
            labels.map(|label| label.as_u64().expect("a label") as u32).collect()
        })
        .collect();
    let weights: [f64; BATCH] = numbers("weights").try_into().expect("one weight per sample");
    let lengths: [usize; BATCH] = lengths.try_into().expect("one length per sample");

    let mut dlogits = Vec::new();
    let loss = Ctc::new(0).loss_weighted(&steps, Some(lengths), &targets, &weights, &mut dlogits);
    let mut comparison = Comparison::default();
    comparison.compare("losses", &loss.samples, &numbers("losses"));
    let gradient: Vec<f64> = dlogits.iter().flat_map(scalars).collect();
    comparison.compare("gradient of the logits", &gradient, &case.array("grad_logits").data);
    println!("ctc: {:.1e}, {}", comparison.worst.0, comparison.worst.1);
    assert!(comparison.failures.is_empty(), "errors above {TOLERANCE:e}: {:?}", comparison.failures);
    assert_eq!(comparison.arrays, 2);
}
