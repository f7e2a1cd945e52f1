//! Saving and loading preserve the bits of the library's cells and of networks.

use crate::{bits, randomise, tensors};
use rnn_cell::cell::ModelMut;
use rnn_cell::cells::*;
use rnn_cell::prelude::*;
use rnn_cell::weights::torch;
use rnn_cell::weights::{Mapping, keras, load, matrix, save, scalar, vector};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

fn check<M: ModelMut + Clone>(what: &str, model: M) {
    let (mut one, mut other) = (model.clone(), model);
    randomise(&mut one, 1);
    let saved = save(&one).unwrap();
    load(&mut other, &saved).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(bits(&other), bits(&one), "{what}");
    assert_eq!(save(&other).unwrap(), saved, "{what}");
}

macro_rules! cells {
    ($($cell:ident [$($size:literal),+]),+ $(,)?) => {
        $(check(stringify!($cell), $cell::<$($size),+>::zeros());)+
    };
}

#[test]
fn every_library_cell() {
    cells! {
        Elman[3, 5], Jordan[3, 5, 2], IndRnn[3, 5],
        Lstm[3, 5], InitialStateLstm[3, 5], PeepholeLstm[3, 5], CifgLstm[3, 5], LayerNormLstm[3, 5], MinLstm[3, 5],
        GreffNig[3, 5], GreffNfg[3, 5], GreffNog[3, 5], GreffNiaf[3, 5], GreffNoaf[3, 5],
        GreffCifg[3, 5], GreffNp[3, 5], GreffFgr[3, 5],
        Gru[3, 5], ReluGru[3, 5], GruResetAfter[3, 5], Mgu[3, 5], UgRnn[3, 5], LiGru[3, 5], MinGru[3, 5],
        AdditiveAttention[5, 4, 3, 6], DotAttention[4, 6], GeneralAttention[5, 4, 6], ConcatAttention[5, 4, 3, 6],
        ChoDecoder[7, 3, 5, 4, 6], BahdanauDecoder[7, 3, 5, 4, 2, 6, 8],
        LuongDotDecoder[7, 3, 5, 6], LuongGeneralDecoder[7, 3, 5, 4, 6], LuongConcatDecoder[7, 3, 5, 4, 2, 6],
        Lru[3, 5], RgLru[5], S4[3, 4], S5[3, 5], Ssd[3, 5, 4, 2, 1], Mamba2[3, 5, 4, 4, 2], Lmu[3, 5, 4], Cfc[3, 5, 4], EchoState[3, 5, 2],
        TcnBlock[3, 5, 3, 2], WaveNetLayer[3, 5, 2, 2], NamStart[1, 4], NamLayer[1, 4, 2], NamGatedLayer[1, 4, 2], NamNext[1, 4, 2],
        NamHead[1, 4], NamLeakyLayer6[1, 4, 2], NamLeakyLayer15[1, 4, 2], NamHead16[1, 4],
        GatedLinearAttention[3, 4, 5, 2, 2], GatedDeltaNet[3, 4, 5, 4, 2], Rwkv5TimeMixing[4, 2, 2],
        Rwkv6TimeMixing[4, 2, 2, 3], Rwkv7TimeMixing[4, 2, 2, 3], Rwkv7ChannelMixing[4, 6],
        Rwkv7FirstLayer[4, 2, 2, 3, 6], Rwkv7Layer[4, 2, 2, 3, 6], Rwkv7Readout[4, 2, 2, 5],
        SLstm[3, 5], MLstm[3, 5], SLstmHeads[3, 4, 2], MLstmHeads[3, 4, 2], MLstmBlock[3, 4, 2, 2], SLstmBlock[4, 2, 3],
        Conformer[3, 5, 4, 2, 2, 3], SlidingTransformer[3, 5, 4, 2, 2],
        Dense[3, 5],
        // With one unit and one input, every matrix has a single entry.
        Lstm[1, 1], Gru[1, 1],
    }
}

#[test]
fn networks() {
    let both = Bidirectional::new(Lstm::<3, 5>::zeros(), Lstm::<3, 5>::zeros()).joined(Concat::<10>);
    let above = Residual { layer: Dropout::new(Gru::<10, 10>::zeros(), 0.3) };
    let boxed = Box::new(Mgu::<10, 4>::zeros());
    check("a network", Stack(Stack(both, above), Stack(boxed, Dense::<4, 2>::zeros())));
}

fn check_mapping<M: ModelMut + Clone>(mapping: &Mapping, model: M) {
    let (mut one, mut other) = (model.clone(), model);
    randomise(&mut one, 2);
    let saved = mapping.save(&one).unwrap();
    mapping.load(&mut other, &saved).unwrap();
    assert_eq!(bits(&other), bits(&one));
}

#[test]
fn library_mappings() {
    check_mapping(&torch::lstm(), Lstm::<3, 5>::zeros());
    check_mapping(&torch::gru(), GruResetAfter::<3, 5>::zeros());
    check_mapping(&torch::rnn(), Elman::<3, 5>::zeros());
    check_mapping(&torch::linear(), Dense::<3, 5>::zeros());
    check_mapping(&keras::lstm(), Lstm::<3, 5>::zeros());
    check_mapping(&keras::gru(), GruResetAfter::<3, 5>::zeros());
    check_mapping(&keras::gru_reset_before(), Gru::<3, 5>::zeros());
    check_mapping(&keras::simple_rnn(), Elman::<3, 5>::zeros());
    check_mapping(&keras::dense(), Dense::<3, 5>::zeros());

    // With one unit and one input, the shapes still have the dimensions of PyTorch's and Keras's.
    check_mapping(&torch::lstm(), Lstm::<1, 1>::zeros());
    check_mapping(&keras::gru(), GruResetAfter::<1, 1>::zeros());

    let both = |lstm: Lstm<5, 5>| Bidirectional::new(lstm.clone(), lstm);
    let lstms = torch::bidirectional(torch::lstm(), 2).prefix("encoder.");
    let mapping = lstms.and(torch::linear().prefix("head.").under(2));
    check_mapping(&mapping, Stack(Stack(both(Lstm::zeros()), both(Lstm::zeros())), Dense::<5, 2>::zeros()));
}

/// Checks that a file of layers without biases lacks only the biases, and that they are loaded as
/// zeros.
fn without_bias<M: ModelMut<Scalar = f32> + Clone>(with: &Mapping, without: &Mapping, model: M) {
    let (mut one, mut other) = (model.clone(), model);
    randomise(&mut one, 3);
    randomise(&mut other, 4);
    one.visit_mut(&mut |parameter| {
        if parameter.name.rsplit('.').next().unwrap().starts_with('b') {
            parameter.values.fill(0.0);
        }
    });
    let saved = without.save(&one).unwrap();
    without.load(&mut other, &saved).unwrap();
    assert_eq!(bits(&other), bits(&one));
    let weights =
        tensors(&with.save(&one).unwrap()).into_iter().filter(|tensor| !tensor.name.contains("bias"));
    assert_eq!(tensors(&saved), weights.collect::<Vec<_>>());
}

#[test]
fn layers_without_biases() {
    let check = |mapping: Mapping, model| without_bias(&mapping, &mapping.clone().without_bias(), model);
    check(torch::gru(), GruResetAfter::<3, 5>::zeros());
    check(keras::gru(), GruResetAfter::zeros());
    without_bias(&torch::linear(), &torch::linear().without_bias(), Dense::<3, 5>::zeros());
    without_bias(&keras::lstm(), &keras::lstm().without_bias(), Lstm::<3, 5>::zeros());

    // One mapping describes an LSTM without biases and a head with biases.
    let mapping = |lstm: Mapping| lstm.prefix("lstm.").and(torch::linear().prefix("head.").under(2));
    let lstms = || torch::bidirectional(torch::lstm(), 2);
    let both = |lstm: Lstm<5, 5>| Bidirectional::new(lstm.clone(), lstm);
    let mut net = Stack(Stack(both(Lstm::zeros()), both(Lstm::zeros())), Dense::<5, 2>::zeros());
    net.1.b[1] = 3.0;
    let saved = mapping(lstms().without_bias()).save(&net).unwrap();
    let mut other = net.clone();
    randomise(&mut other, 5);
    mapping(lstms().without_bias()).load(&mut other, &saved).unwrap();
    assert_eq!(bits(&other), bits(&net));
    assert_eq!(tensors(&saved).len(), 8 + 2);
}

#[test]
fn files() {
    let folder = std::env::temp_dir().join(format!("rnn-cell-weights-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("gru.safetensors");
    let (mut one, mut other) = (Gru::<3, 5>::zeros(), Gru::<3, 5>::zeros());
    for seed in [3, 4] {
        randomise(&mut one, seed);
        rnn_cell::weights::save_file(&one, &path).unwrap();
        rnn_cell::weights::load_file(&mut other, &path).unwrap();
        assert_eq!(bits(&other), bits(&one));
    }
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["gru.safetensors"], "no temporary file may remain");

    let nowhere = folder.join("no/such.safetensors");
    let error = rnn_cell::weights::load_file(&mut other, &nowhere).unwrap_err().to_string();
    assert!(
        error.starts_with("weights not loaded from `") && error.contains("no/such.safetensors`: "),
        "{error}"
    );
    let error = rnn_cell::weights::save_file(&one, &nowhere).unwrap_err().to_string();
    assert!(
        error.starts_with("weights not saved to `") && error.contains("no/such.safetensors`: "),
        "{error}"
    );
    assert_eq!(bits(&other), bits(&one));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The crate `safetensors` reads our files and we read its files, for any names of tensors.
#[test]
fn agrees_with_the_crate_safetensors() {
    let names = ["W \"é\" \\ \u{1}\n", "b/\u{1f3b8}"];
    let mapping = Mapping::new().with(matrix(names[0]).stack(["W"])).with(vector(names[1]).stack(["b"]));
    let mut dense = Dense::<2, 3>::zeros();
    randomise(&mut dense, 3);
    let ours = mapping.save(&dense).unwrap();
    let file = SafeTensors::deserialize(&ours).unwrap();
    assert_eq!(file.len(), 2);
    let own = tensors(&ours);
    for tensor in &own {
        let theirs = file.tensor(&tensor.name).unwrap();
        assert!(names.contains(&tensor.name.as_str()));
        assert_eq!(
            (theirs.dtype(), theirs.shape(), theirs.data()),
            (Dtype::F32, &*tensor.shape, &*tensor.bytes)
        );
    }
    // The data is aligned for `f64`.
    assert_eq!((ours.len() - 9 * 4) % 8, 0);
    let views = own.iter().map(|tensor| {
        (&tensor.name, TensorView::new(Dtype::F32, tensor.shape.clone(), &tensor.bytes).unwrap())
    });
    let metadata = [("format".to_string(), "pt".to_string())].into();
    let theirs = serialize(views, Some(metadata)).unwrap();
    let mut other = Dense::<2, 3>::zeros();
    mapping.load(&mut other, &theirs).unwrap();
    assert_eq!(bits(&other), bits(&dense));

    let mapping = Mapping::new().with(scalar("W").stack(["W"])).with(vector("b").stack(["b"]));
    let mut one = Dense::<1, 1, f64>::zeros();
    randomise(&mut one, 4);
    let saved = mapping.save(&one).unwrap();
    let tensor = SafeTensors::deserialize(&saved).unwrap();
    let tensor = tensor.tensor("W").unwrap();
    assert_eq!(
        (tensor.dtype(), tensor.shape(), tensor.data()),
        (Dtype::F64, &[][..], &one.W[0].to_le_bytes()[..])
    );
}
