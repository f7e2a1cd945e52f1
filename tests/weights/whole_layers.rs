//! The messages for mistakes that concern a whole layer or network. Such a mistake is reported
//! once, and it does not hide other mistakes.

use crate::{Tensor, bits, file, randomise, tensors};
use rnn_cell::cell::ModelMut;
use rnn_cell::cells::{Dense, Elman, Gru, GruResetAfter, IndRnn, Lstm, PeepholeLstm};
use rnn_cell::prelude::*;
use rnn_cell::weights::{Mapping, keras, load, matrix, save, torch, vector};

type Net<const H: usize> = Stack<Stack<Lstm<3, H>, Lstm<H, H>>, Dense<H, 2>>;

fn net<const H: usize>() -> Net<H> {
    let mut net = Stack(Stack(Lstm::zeros(), Lstm::zeros()), Dense::zeros());
    randomise(&mut net, 1);
    net
}

fn mapping(lstm: &str, head: &str) -> Mapping {
    torch::layers(torch::lstm(), 2).prefix(lstm).and(torch::linear().prefix(head).under(2))
}

/// Loads a wrong file, checks that the model is unchanged, and returns the error message.
fn refused<M: ModelMut>(mapping: &Mapping, model: &mut M, bytes: &[u8]) -> String {
    let before = bits(model);
    let error = mapping.load(model, bytes).unwrap_err();
    assert_eq!(bits(model), before, "the model has changed");
    error.to_string()
}

/// Returns the error message for a file with PyTorch's names and these prefixes, after `change`.
fn message_for(mapping: &Mapping, prefixes: [&str; 2], change: impl FnOnce(&mut Vec<Tensor>)) -> String {
    let mut saved = tensors(&self::mapping(prefixes[0], prefixes[1]).save(&net::<4>()).unwrap());
    change(&mut saved);
    refused(mapping, &mut net::<4>(), &file(&saved))
}

/// Leaves the file as it is.
fn unchanged(_: &mut Vec<Tensor>) {}

#[test]
fn prefixes() {
    let file_of = |mapping: Mapping, prefixes| message_for(&mapping, prefixes, unchanged);
    let usual = ["lstm.", "head."];
    assert_eq!(
        file_of(mapping("rnn.", "head."), usual),
        "weights not loaded: all 8 tensors of the LSTM are under `lstm.` in the file, under `rnn.` in the mapping
  help: write `.prefix(\"lstm.\")` in place of `.prefix(\"rnn.\")`"
    );
    assert_eq!(
        file_of(mapping("lstm", "head"), usual),
        "weights not loaded, 2 problems
- all 8 tensors of the LSTM are under `lstm.` in the file, under `lstm` in the mapping
  help: write `.prefix(\"lstm.\")` in place of `.prefix(\"lstm\")`
- both tensors of the Linear are under `head.` in the file, under `head` in the mapping
  help: write `.prefix(\"head.\")` in place of `.prefix(\"head\")`"
    );
    assert_eq!(
        file_of(mapping("", ""), usual),
        "weights not loaded, 2 problems
- all 8 tensors of the LSTM are under `lstm.` in the file, without a prefix in the mapping
  help: add `.prefix(\"lstm.\")` to the mapping of the LSTM
- both tensors of the Linear are under `head.` in the file, without a prefix in the mapping
  help: add `.prefix(\"head.\")` to the mapping of the Linear"
    );
    assert_eq!(
        file_of(mapping("lstm.", "head."), ["", "head."]),
        "weights not loaded: all 8 tensors of the LSTM are without a prefix in the file, under `lstm.` in the mapping
  help: leave out `.prefix(\"lstm.\")`"
    );
    assert_eq!(
        file_of(mapping("lstm.", "head."), ["net.lstm.", "net.head."]),
        "weights not loaded: all 10 tensors of the LSTM and the Linear are under `net.` in the file, without a prefix in the mapping
  help: add `.prefix(\"net.\")` to the mapping"
    );
    assert_eq!(
        file_of(mapping("lstm.", "head.").prefix("net."), ["model.lstm.", "model.head."]),
        "weights not loaded: all 10 tensors of the LSTM and the Linear are under `model.` in the file, under `net.` in the mapping
  help: write `.prefix(\"model.\")` in place of `.prefix(\"net.\")`"
    );
    // The layers of a user-defined mapping are unknown.
    let own = || Mapping::new().with(matrix("w").stack(["W"])).with(vector("v").stack(["b"]));
    let bytes = own().prefix("a.").save(&net::<4>().1).unwrap();
    assert_eq!(
        refused(&own(), &mut net::<4>().1, &bytes),
        "weights not loaded: both tensors are under `a.` in the file, without a prefix in the mapping
  help: add `.prefix(\"a.\")` to the mapping"
    );
}

#[test]
fn several_prefixes() {
    let message = message_for(&mapping("lstm.", "fc."), ["lstm.", "head."], |tensors| {
        let named = |tensor: &Tensor, name: &str| Tensor { name: name.into(), ..tensor.clone() };
        // Another head with the same shapes, and a layer with different shapes.
        let [bias, weight] = [0, 1].map(|place| tensors[place].clone());
        tensors.extend([named(&bias, "other.bias"), named(&weight, "other.weight")]);
        tensors.push(Tensor::f32("third.bias", &[3], &[0.0; 3]));
        tensors.push(Tensor::f32("third.weight", &[3, 4], &[0.0; 12]));
    });
    assert_eq!(
        message,
        "weights not loaded, 3 problems
- both tensors of the Linear are under `head.` and under `other.` in the file, under `fc.` in the mapping
  help: write `.prefix(\"head.\")` or `.prefix(\"other.\")` in place of `.prefix(\"fc.\")`
- the file has `third.bias` [3], which matches no parameter
  help: to leave it out, add `.ignoring(\"third.bias\")` to the mapping
- the file has `third.weight` [3, 4], which matches no parameter
  help: to leave it out, add `.ignoring(\"third.weight\")` to the mapping"
    );
}

/// A wrong prefix, together with a missing tensor, a wrong shape, a value that is not finite, and
/// an unexpected tensor.
#[test]
fn a_prefix_hides_no_other_mistake() {
    let message = message_for(&mapping("rnn.", "head."), ["lstm.", "head."], |tensors| {
        tensors.retain(|tensor| tensor.name != "lstm.bias_hh_l1");
        for tensor in tensors.iter_mut() {
            match tensor.name.as_str() {
                "lstm.weight_hh_l0" => tensor.shape = vec![8, 8],
                "lstm.bias_ih_l0" => tensor.bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes()),
                _ => {}
            }
        }
        tensors.push(Tensor::f32("lstm.steps", &[], &[1.0]));
    });
    assert_eq!(
        message,
        "weights not loaded, 5 problems
- 7 of the 8 tensors of the LSTM are under `lstm.` in the file, under `rnn.` in the mapping
  help: write `.prefix(\"lstm.\")` in place of `.prefix(\"rnn.\")`
- `lstm.weight_hh_l0` is [8, 8] in the file, [16, 4] in the cell
  note: in the cell it is made of `0.U_i` [4, 4], `0.U_f` [4, 4], `0.U_g` [4, 4], `0.U_o` [4, 4]
- `lstm.bias_ih_l0` is NaN at [0]
- `lstm.bias_hh_l1` [16] is missing from the file
  note: it would hold `1.b_i`, `1.b_f`, `1.b_g`, `1.b_o`
- the file has `lstm.steps` [], which matches no parameter
  help: to leave it out, add `.ignoring(\"lstm.steps\")` to the mapping"
    );
}

#[test]
fn mappings_for_other_cells() {
    let head = || torch::linear().prefix("head.").under(2);
    let grus = |prefix| torch::layers(torch::gru(), 2).prefix(prefix).and(head());
    let trained =
        Stack(Stack(GruResetAfter::<3, 4>::zeros(), GruResetAfter::<4, 4>::zeros()), Dense::<4, 2>::zeros());
    let mut net = Stack(Stack(Gru::<3, 4>::zeros(), Gru::<4, 4>::zeros()), Dense::<4, 2>::zeros());
    let bytes = grus("gru.").save(&trained).unwrap();
    let cells =
        "`torch::gru` is for `GruResetAfter`, and the cells at `0` and `1` have the parameters of `Gru`
  note: PyTorch's GRU resets after the recurrent product, `Gru` before it (Cho et al. 2014)
  help: make them `GruResetAfter`";
    assert_eq!(refused(&grus("gru."), &mut net, &bytes), format!("weights not loaded: {cells}"));
    assert_eq!(
        refused(&grus("rnn."), &mut net, &bytes),
        format!(
            "weights not loaded, 2 problems
- {cells}
- all 8 tensors of the GRU are under `gru.` in the file, under `rnn.` in the mapping
  help: write `.prefix(\"gru.\")` in place of `.prefix(\"rnn.\")`"
        )
    );
    assert_eq!(
        torch::rnn().save(&Lstm::<3, 4>::zeros()).unwrap_err().to_string(),
        "weights not saved: `torch::rnn` is for `Elman`, and the cell has the parameters of `Lstm`
  help: make it `Elman`, or use `torch::lstm`, which is for `Lstm`"
    );
    assert_eq!(
        torch::lstm().save(&Gru::<3, 4>::zeros()).unwrap_err().to_string(),
        "weights not saved: `torch::lstm` is for `Lstm`, and the cell has the parameters of `Gru`
  help: make it `Lstm`"
    );
    assert_eq!(
        keras::gru().without_bias().save(&Gru::<3, 4>::zeros()).unwrap_err().to_string(),
        "weights not saved: `keras::gru` is for `GruResetAfter`, and the cell has the parameters of `Gru`
  note: PyTorch's GRU resets after the recurrent product, `Gru` before it (Cho et al. 2014)
  help: make it `GruResetAfter`, or use `keras::gru_reset_before`, which is for `Gru`"
    );
    // An `Elman` has all parameters of a `Dense`.
    assert_eq!(
        torch::linear().save(&Elman::<3, 4>::zeros()).unwrap_err().to_string(),
        "weights not saved: `torch::linear` is for `Dense`, and the cell has the parameters of `Elman`
  help: make it `Dense`, or use `torch::rnn`, which is for `Elman`"
    );
    // A `PeepholeLstm` has all parameters of an `Lstm`, and three more.
    assert_eq!(
        torch::lstm().save(&PeepholeLstm::<3, 4>::zeros()).unwrap_err().to_string(),
        "weights not saved: the mapping leaves out the parameters `p_i`, `p_f`, `p_o`
  help: add them to the stack of a tensor"
    );
    assert_eq!(
        torch::rnn().save(&IndRnn::<3, 4>::zeros()).unwrap_err().to_string(),
        "weights not saved: `torch::rnn` is for `Elman`, and the cell lacks its `U`
  note: it has `u`
  help: make it `Elman`, or describe its tensors in a mapping of your own"
    );
}

#[test]
fn paths() {
    let message = |mapping: Mapping, net: &dyn Fn(&Mapping) -> String| net(&mapping);
    let one = Stack(GruResetAfter::<3, 4>::zeros(), Dense::<4, 2>::zeros());
    let one = |mapping: &Mapping| mapping.save(&one).unwrap_err().to_string();
    let two =
        Stack(Stack(GruResetAfter::<3, 4>::zeros(), GruResetAfter::<4, 4>::zeros()), Dense::<4, 2>::zeros());
    let two = |mapping: &Mapping| mapping.save(&two).unwrap_err().to_string();
    let gru = || torch::layers(torch::gru(), 1).prefix("gru.");
    let head = |path: usize| torch::linear().prefix("head.").under(path);
    assert_eq!(
        message(gru().and(head(1)), &one),
        "weights not saved: `torch::gru` is under no path, and the network has the parameters of `GruResetAfter` at `0`
  help: add `.under(0)` to its mapping"
    );
    assert_eq!(
        message(gru().under(0).and(head(2)), &one),
        "weights not saved: `torch::linear` is under `2`, and the network has the parameters of `Dense` at `1`
  help: write `.under(1)` in place of `.under(2)`"
    );
    assert_eq!(
        message(gru(), &two),
        "weights not saved, 2 problems
- `torch::gru` is under no path, and the network has the parameters of `GruResetAfter` at `0` and `1`
  help: add `.under(0)` or `.under(1)` to its mapping
- the mapping leaves out the parameters `2.W`, `2.b`
  help: add `.and(torch::linear().prefix(\"..\").under(2))` to the mapping"
    );
    assert_eq!(
        gru().under(5).save(&Lstm::<3, 4>::zeros()).unwrap_err().to_string(),
        "weights not saved: `torch::gru` is under `5`, where the network has no parameters
  note: it has `Lstm` at no path
  help: the mapping is for `GruResetAfter`: give its path by `.under(..)`"
    );
    let both = Bidirectional::new(Lstm::<3, 4>::zeros(), Lstm::<3, 4>::zeros()).joined(Concat::<8>);
    let mapping = torch::bidirectional(torch::lstm(), 1).and(torch::linear().under(1));
    assert_eq!(
        mapping.save(&Stack(both, Dense::<8, 2>::zeros())).unwrap_err().to_string(),
        "weights not saved: `torch::lstm` is under `forward` and `reverse`, and the network has the parameters of `Lstm` at `0.forward` and `0.reverse`
  help: add `.under(0)` to the mapping of these layers"
    );
}

#[test]
fn missing_heads() {
    let lstms = |prefix| torch::layers(torch::lstm(), 2).prefix(prefix);
    assert_eq!(
        lstms("lstm.").save(&net::<4>()).unwrap_err().to_string(),
        "weights not saved: the mapping leaves out the parameters `2.W`, `2.b`
  help: add `.and(torch::linear().prefix(\"..\").under(2))` to the mapping"
    );
    assert_eq!(
        message_for(&lstms("rnn."), ["lstm.", "head."], unchanged),
        "weights not loaded, 2 problems
- the mapping leaves out the parameters `2.W`, `2.b`
  note: the file holds `head.weight` [2, 4], `head.bias` [2]
  help: add `.and(torch::linear().prefix(\"head.\").under(2))` to the mapping
- all 8 tensors of the LSTM are under `lstm.` in the file, under `rnn.` in the mapping
  help: write `.prefix(\"lstm.\")` in place of `.prefix(\"rnn.\")`"
    );
}

#[test]
fn sizes() {
    let usual = || mapping("lstm.", "head.");
    let bytes = usual().save(&net::<4>()).unwrap();
    assert_eq!(
        refused(&usual(), &mut net::<8>(), &bytes),
        "weights not loaded: the file's hidden size is 4, the cell's is 8
  note: shapes in the file, and in the cell:
    `lstm.weight_ih_l0` [16, 3], [32, 3]
    `lstm.weight_hh_l0` [16, 4], [32, 8]
    `lstm.bias_ih_l0` [16], [32]
    `lstm.bias_hh_l0` [16], [32]
    `lstm.weight_ih_l1` [16, 4], [32, 8]
    `lstm.weight_hh_l1` [16, 4], [32, 8]
    `lstm.bias_ih_l1` [16], [32]
    `lstm.bias_hh_l1` [16], [32]
    `head.weight` [2, 4], [2, 8]
  help: cells of its sizes are `Lstm<3, 4>`, `Lstm<4, 4>`, `Dense<4, 2>`"
    );
    let mut other = Stack(Stack(Lstm::<5, 8>::zeros(), Lstm::<8, 8>::zeros()), Dense::<8, 3>::zeros());
    let wanted = "weights not loaded: the file's hidden size is 4, the cell's is 8; the file's output size is 2, the cell's is 3; \
        the file's input size is 3, the cell's is 5\n";
    let message = refused(&usual(), &mut other, &bytes);
    assert!(message.starts_with(wanted), "{message}");

    let mapping = keras::gru().prefix("gru/").under(0).and(keras::dense().prefix("dense/").under(1));
    let bytes = mapping.save(&Stack(GruResetAfter::<3, 4>::zeros(), Dense::<4, 2>::zeros())).unwrap();
    assert_eq!(
        refused(&mapping, &mut Stack(GruResetAfter::<3, 5>::zeros(), Dense::<5, 2>::zeros()), &bytes),
        "weights not loaded: the file's hidden size is 4, the cell's is 5
  note: shapes in the file, and in the cell:
    `gru/kernel` [3, 12], [3, 15]
    `gru/recurrent_kernel` [4, 12], [5, 15]
    `gru/bias` [2, 12], [2, 15]
    `dense/kernel` [4, 2], [5, 2]
  help: cells of its sizes are `GruResetAfter<3, 4>`, `Dense<4, 2>`"
    );
}

/// A tensor that contradicts the sizes of the other tensors of its layer is reported alone.
#[test]
fn inconsistent_sizes() {
    let message = message_for(&mapping("lstm.", "head."), ["lstm.", "head."], |tensors| {
        tensors
            .iter_mut()
            .filter(|tensor| tensor.name == "head.weight")
            .for_each(|tensor| tensor.shape = vec![4, 2]);
    });
    assert_eq!(
        message,
        "weights not loaded: `head.weight` is [4, 2] in the file, [2, 4] in the cell
  note: in the cell it is made of `2.W` [2, 4]
  help: the file holds it transposed; save it as `tensor.T.contiguous()`, or describe it in a mapping of your own, `matrix(\"head.weight\").transposed()`"
    );
}

#[test]
fn biases() {
    let usual = || mapping("lstm.", "head.");
    let without = |tensors: &mut Vec<Tensor>| tensors.retain(|tensor| !tensor.name.contains("lstm.bias"));
    assert_eq!(
        message_for(&mapping("rnn.", "head."), ["lstm.", "head."], without),
        "weights not loaded, 2 problems
- 4 of the 8 tensors of the LSTM are under `lstm.` in the file, under `rnn.` in the mapping
  help: write `.prefix(\"lstm.\")` in place of `.prefix(\"rnn.\")`
- the file lacks biases: `lstm.bias_ih_l0`, `lstm.bias_hh_l0`, `lstm.bias_ih_l1`, `lstm.bias_hh_l1`
  help: if its layers have none (`bias=False`), add `.without_bias()` to their mapping"
    );
    assert_eq!(
        message_for(&usual().without_bias(), ["lstm.", "head."], without),
        "weights not loaded: the file has biases, but the mapping has none: `head.bias`
  help: leave out `.without_bias()`"
    );
    // A single missing bias does not mean that the layer has none.
    let message = message_for(&usual(), ["lstm.", "head."], |tensors| {
        tensors.retain(|tensor| tensor.name != "lstm.bias_ih_l0")
    });
    assert!(
        message.starts_with("weights not loaded: `lstm.bias_ih_l0` [16] is missing from the file\n"),
        "{message}"
    );
    let mut net = Dense::<3, 2>::zeros();
    net.b[1] = 1.0;
    assert_eq!(
        torch::linear().without_bias().save(&net).unwrap_err().to_string(),
        "weights not saved: the mapping has no biases, but these are not zero: `b`
  help: leave out `.without_bias()`, or set them to zero"
    );
}

/// The help does not suggest ignoring the tensors, since that would change the network.
#[test]
fn layers_that_the_mapping_does_not_read() {
    let one = Stack(Lstm::<3, 4>::zeros(), Dense::<4, 2>::zeros());
    let first = torch::lstm().prefix("rnn.").under(0);
    let first = first.and(torch::linear().prefix("head.").under(1));
    let bytes = mapping("lstm.", "head.").save(&net::<4>()).unwrap();
    assert_eq!(
        refused(&first, &mut one.clone(), &bytes),
        "weights not loaded, 2 problems
- all 4 tensors of the LSTM are under `lstm.` in the file, under `rnn.` in the mapping
  help: write `.prefix(\"lstm.\")` in place of `.prefix(\"rnn.\")`
- the file has more of the LSTM than the mapping reads: `lstm.bias_hh_l1`, `lstm.bias_ih_l1`, `lstm.weight_hh_l1`, `lstm.weight_ih_l1`
  help: `torch::layers(torch::lstm(), 2)` reads all of it"
    );
    let both = Bidirectional::new(Lstm::<3, 4>::zeros(), Lstm::<3, 4>::zeros());
    let bytes = torch::bidirectional(torch::lstm(), 1).save(&both).unwrap();
    assert_eq!(
        refused(&torch::layers(torch::lstm(), 1), &mut one.0.clone(), &bytes),
        "weights not loaded: the file has more of the LSTM than the mapping reads: `bias_hh_l0_reverse`, `bias_ih_l0_reverse`, `weight_hh_l0_reverse`, `weight_ih_l0_reverse`
  help: `torch::bidirectional(torch::lstm(), 1)` reads all of it"
    );
    let message = message_for(&mapping("lstm.", "head."), ["lstm.", "head."], |tensors| {
        tensors.push(Tensor::f32("lstm.weight_hr_l0", &[2, 4], &[0.0; 8]));
    });
    assert_eq!(
        message,
        "weights not loaded: the file has more of the LSTM than the mapping reads: `lstm.weight_hr_l0`
  note: it has a projection (`proj_size`), which no ready-made cell has"
    );
}

/// Files of PyTorch that are loaded by the names of this library: one sentence, with the mappings.
#[test]
fn a_file_of_pytorch_without_a_mapping() {
    let saved = |mapping: &Mapping, net: &GruResetAfter<3, 4>| mapping.save(net).unwrap();
    let mut gru = GruResetAfter::<3, 4>::zeros();
    let error = |gru: &mut GruResetAfter<3, 4>, bytes: &[u8]| load(gru, bytes).unwrap_err().to_string();
    let bytes = saved(&torch::gru(), &gru);
    assert_eq!(
        error(&mut gru, &bytes),
        "weights not loaded: the file has the tensors of PyTorch's GRU
  help: load it by the mapping `torch::gru()`"
    );
    torch::gru().load(&mut gru, &bytes).unwrap();
    let bytes = saved(&torch::gru().without_bias().prefix("net.gru."), &gru);
    assert_eq!(
        error(&mut gru, &bytes),
        "weights not loaded: the file has the tensors of PyTorch's GRU
  help: load it by the mapping `torch::gru().without_bias().prefix(\"net.gru.\")`"
    );

    let lstms = Bidirectional::new(Lstm::<3, 4>::zeros(), Lstm::<3, 4>::zeros()).joined(Concat::<8>);
    let second = Bidirectional::new(Lstm::<8, 4>::zeros(), Lstm::<8, 4>::zeros()).joined(Concat::<8>);
    let net = Stack(Stack(lstms, second), Dense::<8, 2>::zeros());
    let mapping = torch::bidirectional(torch::lstm(), 2).prefix("rnn.");
    let mapping = mapping.and(torch::linear().prefix("head.").under(2));
    let bytes = mapping.save(&net).unwrap();
    assert_eq!(
        load(&mut net.clone(), &bytes).unwrap_err().to_string(),
        "weights not loaded: the file has the tensors of PyTorch's Linear and LSTM
  help: load it by the mappings `torch::linear().prefix(\"head.\")`, `torch::bidirectional(torch::lstm(), 2).prefix(\"rnn.\")`, joined by `.and(..)`, each with `.under(..)` its place in the network"
    );
    // A file with names of the cell is not PyTorch's, whatever else it has.
    let mut both = tensors(&save(&gru).unwrap());
    both.extend(tensors(&torch::gru().save(&gru).unwrap()));
    assert!(error(&mut gru, &file(&both)).contains("matches no parameter"));
}
