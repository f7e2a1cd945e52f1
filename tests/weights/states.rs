//! States of streams, and files of several parts.

use crate::{Tensor, bits, file, randomise, tensors};
use rnn_cell::cell::{Layer, StatePart};
use rnn_cell::cells::{Dense, Gru, Lstm};
use rnn_cell::network::Dropout;
use rnn_cell::prelude::*;
use rnn_cell::types::varying::Varying;
use rnn_cell::weights::{
    Reader, Writer, load, load_state, load_state_file, save, save_state, save_state_file,
};

fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Returns the bits of all scalars.
fn value_bits<T: Scalar>(value: &impl Varying<T>) -> Vec<u64> {
    let mut bits = Vec::new();
    value.scalars(&mut |x| bits.push(x.as_f64().to_bits()));
    bits
}

type Noisy<T> = Stack<Stack<Dropout<Zoneout<Lstm<2, 4, T>>>, Dropout<Dropout<Gru<4, 3, T>>>>, Dense<3, 2, T>>;

fn noisy<T: Scalar>() -> Noisy<T> {
    let zoneout = Zoneout::new(Lstm::init(&mut rng(1))).field("c", 0.5);
    let gru = Dropout::variational(Dropout::new(Gru::init(&mut rng(2)), 0.3), 0.4);
    Stack(Stack(Dropout::new(zoneout, 0.2), gru), Dense::init(&mut rng(3)))
}

/// Runs a stream, saves it after seven steps, and compares its further outputs with those of a
/// stream that resumes in a fresh state.
fn resumes<T: Scalar>(is_noisy: bool) {
    const B: usize = 3;
    let net = noisy::<T>();
    let mut state = net.initial_state::<B>();
    if is_noisy {
        net.seed_noise(&mut state, &mut rng(4));
    }
    let mut inputs = rng(5);
    let mut x = || SMatrix::<T, 2, B>::from_fn(|_, _| T::of(crate::uniform(&mut inputs)));
    for _ in 0..7 {
        net.step(&x(), &mut state);
    }
    let saved = save_state(&net, &state);
    let mut resumed = net.initial_state();
    net.seed_noise(&mut resumed, &mut rng(6));
    load_state(&net, &mut resumed, &saved).unwrap();
    assert_eq!(save_state(&net, &resumed), saved);
    let mut silent = net.initial_state();
    let mut differs = false;
    for _ in 0..20 {
        let x = x();
        let wanted = value_bits(&net.step(&x, &mut state));
        assert_eq!(value_bits(&net.step(&x, &mut resumed)), wanted);
        differs |= value_bits(&net.step(&x, &mut silent)) != wanted;
    }
    assert_eq!(value_bits(&resumed), value_bits(&state));
    assert!(differs, "a fresh state would do as well");
}

#[test]
fn a_stream_resumes_with_the_same_bits() {
    resumes::<f32>(true);
    resumes::<f64>(true);
    resumes::<f32>(false);
}

#[test]
fn the_parts_of_a_state_have_the_paths_of_the_layers() {
    let net = noisy::<f64>();
    let mut state = net.initial_state::<2>();
    net.seed_noise(&mut state, &mut rng(4));
    net.step(&SMatrix::repeat(0.5), &mut state);
    let saved = tensors(&save_state(&net, &state));
    let parts: Vec<_> = saved.iter().map(|t| (t.name.as_str(), t.dtype.as_str(), t.shape[0])).collect();
    let wanted = [
        ("0.c", "F64", 8),
        ("0.dropout.generator", "U8", 32),
        ("0.h", "F64", 8),
        ("0.zoneout.generator", "U8", 32),
        ("1.dropout.generator", "U8", 32),
        ("1.dropout.generator.2", "U8", 32),
        ("1.h", "F64", 6),
    ];
    assert_eq!(parts, wanted);
    let lstm = &state.0.0.state.state;
    assert_eq!(saved[0].values(), lstm.c.as_slice());
    assert_eq!(saved[2].values(), lstm.h.as_slice());
}

/// A running maximum starts at minus infinity.
#[test]
fn infinities_and_nan_are_kept() {
    let lstm = Lstm::<1, 3>::zeros();
    let mut state = lstm.initial_state::<1>();
    state.c = SVector::<f32, 3>::new(f32::NEG_INFINITY, f32::NAN, -0.0);
    let mut resumed = lstm.initial_state::<1>();
    load_state(&lstm, &mut resumed, &save_state(&lstm, &state)).unwrap();
    assert_eq!(value_bits(&resumed), value_bits(&state));
}

#[test]
fn a_state_of_another_network_is_an_error() {
    let (small, large) = (Lstm::<1, 3>::zeros(), Lstm::<1, 5>::zeros());
    let file = save_state(&small, &small.initial_state::<1>());
    let mut state = large.initial_state::<1>();
    state.h[0] = 7.0;
    let before = state.clone();
    let error = load_state(&large, &mut state, &file).unwrap_err().to_string();
    let wanted = "state not loaded, 2 problems\n\
        - `h` is [3] in the file, [5] in the cell\n\
        - `c` is [3] in the file, [5] in the cell";
    assert_eq!((error.as_str(), &state), (wanted, &before));

    let gru = Gru::<1, 3>::zeros();
    let error = load_state(&gru, &mut gru.initial_state::<1>(), &file).unwrap_err().to_string();
    let wanted = "state not loaded: the file has more than what is read from it: `c`\n  \
        help: load it into the network that it was saved from";
    assert_eq!(error, wanted);

    let net = Stack(gru, Dense::<3, 2>::zeros());
    let error = load_state(&net, &mut net.initial_state::<1>(), &file).unwrap_err().to_string();
    let wanted = "state not loaded, 2 problems\n\
        - `0.h` [3] is missing from the file\n\
        - the file has more than what is read from it: `c`, `h`\n  \
        help: load it into the network that it was saved from";
    assert_eq!(error, wanted);
}

#[test]
fn a_file_of_weights_is_no_state_and_the_other_way_round() {
    let mut lstm = Lstm::<1, 3>::zeros();
    let weights = save(&lstm).unwrap();
    let state = save_state(&lstm, &lstm.initial_state::<1>());
    let error = load_state(&lstm, &mut lstm.initial_state::<1>(), &weights).unwrap_err().to_string();
    let wanted = "state not loaded: this is a safetensors file, but not of a state\n  \
        help: `rnn_cell::weights::load` and `Mapping::load` read files of weights";
    assert_eq!(error, wanted);
    let error = load(&mut lstm, &state).unwrap_err().to_string();
    let wanted = "weights not loaded: this is a file of a stream's state, not of weights\n  \
        help: `rnn_cell::weights::load_state` reads such files";
    assert_eq!(error, wanted);
    let error = load_state(&lstm, &mut lstm.initial_state::<1>(), &state[..state.len() - 1]).unwrap_err();
    assert!(error.to_string().contains("its length isn't what its header says"), "{error}");
}

#[test]
fn a_generator_of_the_wrong_length_is_an_error() {
    let net = Dropout::new(Gru::<1, 2>::zeros(), 0.5);
    let mut state = net.initial_state::<1>();
    net.seed_noise(&mut state, &mut rng(1));
    let mut parts = tensors(&save_state(&net, &state));
    parts[0].shape[0] = 16;
    parts[0].bytes.truncate(16);
    let mut header = Writer::new();
    header.metadata("rnn-cell", "state");
    let empty = header.into_bytes();
    assert!(tensors(&empty).is_empty());
    let metadata = r#"{"__metadata__":{"rnn-cell":"state"},"#;
    let bytes = file(&parts);
    let text = String::from_utf8_lossy(&bytes[8..]).replacen('{', metadata, 1);
    let end = text.rfind('}').unwrap() + 1;
    let mut damaged = (end as u64).to_le_bytes().to_vec();
    damaged.extend(&text.as_bytes()[..end]);
    damaged.extend(parts.iter().flat_map(|part| &part.bytes));
    let error = load_state(&net, &mut state, &damaged).unwrap_err().to_string();
    assert_eq!(error, "state not loaded: `dropout.generator` is [16] in the file, [32] in the cell");
}

/// A hand-written layer whose state is a tuple, one of whose entries is an index.
#[derive(Debug, Clone)]
struct Counter(Dense<1, 1>);

impl Model for Counter {
    type Scalar = f32;
    type Gradients = Dense<1, 1>;

    fn zero_gradients(&self) -> Box<Dense<1, 1>> {
        self.0.zero_gradients()
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(rnn_cell::cell::Parameter<'n, 'v, f32>)) {
        self.0.visit(visitor);
    }
}

impl Layer<1> for Counter {
    type Input = SVector<f32, 1>;
    type Output = SVector<f32, 1>;
    type InputBar = SVector<f32, 1>;
    type Context = ();
    type State = (SVector<f32, 1>, u32);
    type Tape = <Dense<1, 1> as Layer<1>>::Tape;

    fn visit_state(&self, state: &mut Self::State, visitor: &mut rnn_cell::cell::StateVisitor<'_, f32>) {
        rnn_cell::cell::visit_scalars("sum", &mut state.0, visitor);
        let mut count = [state.1 as f32];
        visitor("count", StatePart::Scalars(&mut count));
        state.1 = count[0] as u32;
    }

    fn forward_pass(
        &self,
        pass: rnn_cell::cell::LayerPass<'_, Self, 1>,
        state: &mut Self::State,
        tape: &mut Self::Tape,
    ) {
        state.1 += pass.xs.len() as u32;
        self.0.forward_pass(pass, &mut self.0.zero_state(), tape);
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
        Layer::<1>::outputs(&self.0, tape)
    }

    fn backward_pass(
        &self,
        _: rnn_cell::cell::LayerPass<'_, Self, 1>,
        _: &mut Self::Tape,
        _: &[Self::Output],
        _: rnn_cell::cell::LayerBars<'_, Self, 1>,
    ) {
        unreachable!("this test runs no backward pass");
    }
}

#[test]
fn a_hand_written_layer_saves_its_state() {
    let layer = Counter(Dense::zeros());
    let state = (SVector::<f32, 1>::new(2.5), 9);
    let saved = save_state(&layer, &state);
    let names: Vec<_> =
        tensors(&saved).into_iter().map(|tensor| (tensor.name.clone(), tensor.values())).collect();
    assert_eq!(names, [("count".into(), vec![9.0]), ("sum".into(), vec![2.5])]);
    let mut resumed = (SVector::<f32, 1>::zeros(), 0);
    load_state(&layer, &mut resumed, &saved).unwrap();
    assert_eq!(resumed, state);
}

#[test]
fn several_parts_in_one_file() {
    let (mut net, mut head) = (noisy::<f32>(), Dense::<2, 1, f64>::zeros());
    randomise(&mut net, 1);
    randomise(&mut head, 2);
    let mut state = net.initial_state::<1>();
    net.step(&SVector::repeat(0.5), &mut state);
    let moments = [1.0, f64::MIN_POSITIVE, -3.0, 0.1, f64::INFINITY, 2.0];
    let mut writer = Writer::new();
    writer.model("net.", &net).unwrap();
    writer.model("head.", &head).unwrap();
    writer.state("stream.", &net, &state);
    writer.tensor("moments", &[2, 3], &moments);
    writer.metadata("note", "said \"3\"\n");
    writer.metadata("epoch", 12);
    let bytes = writer.into_bytes();
    let types: Vec<_> = tensors(&bytes).into_iter().map(|tensor| (tensor.name, tensor.dtype)).collect();
    assert!(
        types.contains(&("head.W".into(), "F64".into()))
            && types.contains(&("net.0.W_i".into(), "F32".into()))
    );

    let (mut copy, mut copied) = (noisy::<f32>(), Dense::<2, 1, f64>::zeros());
    let mut resumed = copy.initial_state::<1>();
    let mut reader = Reader::new(&bytes).unwrap();
    reader.model("net.", &mut copy).unwrap();
    reader.model("head.", &mut copied).unwrap();
    let error = reader.tensor::<f32>("moments", &[3, 2]).unwrap_err().to_string();
    assert_eq!(
        error,
        "tensor not loaded: `moments` is [2, 3] in the file, [3, 2] in the cell\n  help: the file holds \
         it transposed; save it as `tensor.T.contiguous()`, or describe it in a mapping of your own, \
         `matrix(\"moments\").transposed()`"
    );
    assert_eq!(reader.tensor::<f64>("moments", &[2, 3]).unwrap(), moments);
    assert_eq!((reader.metadata("note"), reader.metadata("epoch")), (Some("said \"3\"\n"), Some("12")));
    assert_eq!((bits(&copy), bits(&copied)), (bits(&net), bits(&head)));
    let error = reader.tensor::<f32>("moment", &[6]).unwrap_err().to_string();
    assert!(error.contains("`moment` [6] is missing from the file"), "{error}");

    let mut partly = Reader::new(&bytes).unwrap();
    partly.model("net.", &mut copy).unwrap();
    let error = partly.finish().unwrap_err().to_string();
    assert!(error.starts_with("file not loaded: the file has more than what is read from it: "), "{error}");
    let error = Reader::new(&bytes).unwrap().model("net.", &mut copied).unwrap_err();
    assert!(error.to_string().contains("the file has more than what is read from it"), "{error}");

    reader.state("stream.", &copy, &mut resumed).unwrap();
    reader.finish().unwrap();
    assert_eq!(value_bits(&resumed), value_bits(&state));
}

#[test]
#[should_panic(expected = "the file has two tensors of the name `a.W`")]
fn two_tensors_of_one_name() {
    let mut writer = Writer::new();
    writer.tensor("a.W", &[1], &[0.0]);
    let _ = writer.model("a.", &Dense::<2, 1>::zeros());
}

#[test]
fn a_value_too_large_for_single_precision() {
    let bytes = file(&[Tensor::f64("a", &[2, 2], &[0.0, 1.0, f64::INFINITY, 1e300])]);
    let error = Reader::new(&bytes).unwrap().tensor::<f32>("a", &[2, 2]).unwrap_err().to_string();
    assert!(error.contains("`a` would be 1e300 at [1, 1], too large for f32"), "{error}");
}

/// Several threads save to one path while another reads: the reader always sees a complete file.
#[test]
fn a_file_is_replaced_at_once() {
    let folder = std::env::temp_dir().join(format!("rnn-cell-states-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("stream.safetensors");
    let lstm = Lstm::<1, 64>::zeros();
    let state = |value: f32| {
        let mut state = lstm.initial_state::<1>();
        Varying::scalars_mut(&mut state, &mut |x: &mut f32| *x = value);
        state
    };
    save_state_file(&lstm, &state(0.0), &path).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (path, state, lstm) = (&path, &state, &lstm);
            scope.spawn(move || {
                for round in 0..20 {
                    save_state_file(lstm, &state((2 * round + thread) as f32), path).unwrap();
                }
            });
        }
        for _ in 0..100 {
            let mut read = lstm.initial_state::<1>();
            load_state_file(&lstm, &mut read, &path).unwrap();
            assert_eq!(read, state(read.h[0]));
        }
    });
    // A failed write leaves neither a changed file nor a temporary one.
    let error = save_state_file(&lstm, &state(0.0), folder.join("missing/stream")).unwrap_err().to_string();
    assert!(error.starts_with("state not saved to `"), "{error}");
    let error = save_state_file(&lstm, &state(0.0), &folder).unwrap_err().to_string();
    assert!(error.starts_with("state not saved to `"), "{error}");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["stream.safetensors"]);
    let beside = std::fs::read_dir(std::env::temp_dir()).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(&format!("rnn-cell-states-{}.", std::process::id()))
    });
    assert_eq!(beside.count(), 0);
    std::fs::remove_dir_all(&folder).unwrap();
}
