//! Structs with `#[derive(Model)]`: names, gradients, optimisers and files of models made of
//! models.

mod summaries;

use nalgebra::SVector;
use rnn_cell::cell::Model;
use rnn_cell::cells::{Dense, Elman, Gru, LayerNormLstm, Lstm};
use rnn_cell::inspect::finite::check_finite;
use rnn_cell::prelude::*;
use rnn_cell::quantised::{Int8, round};
use rnn_cell::rng::normal;
use rnn_cell::train::optim::{add, clip_global_norm, global_norm};
use rnn_cell::weights::{load, save};

/// A network with every kind of field, read by [`losses`](Net::pass).
#[derive(Model)]
struct Net<T: Scalar, const H: usize> {
    encoder: Bidirectional<Lstm<3, H, T>, Elman<3, H, T>, rnn_cell::network::Sum>,
    layers: [Gru<H, H, T>; 2],
    r#box: Box<Dense<H, H, T>>,
    heads: Vec<Dense<H, 2, T>>,
    #[model(skip)]
    names: Vec<String>,
    inner: Inner<T, H>,
}

/// A nested model whose fields have numbers.
#[derive(Model)]
struct Inner<T: Scalar, const H: usize>(Elman<H, 4, T>, #[model(skip)] &'static str, Dense<4, 1, T>);

/// The tapes of a pass, one per layer.
type Tape<L> = <L as Layer<1>>::Tape;

impl<const H: usize> Net<f64, H> {
    fn init(rng: &mut impl Rng) -> Self {
        let mut net = Net {
            encoder: Bidirectional::new(Lstm::init(rng), Elman::init(rng)).joined(rnn_cell::network::Sum),
            layers: [Gru::init(rng), Gru::init(rng)],
            r#box: Dense::init_boxed(rng),
            heads: vec![Dense::init(rng), Dense::init(rng)],
            names: vec!["left".to_owned(), "right".to_owned()],
            inner: Inner(Elman::init(rng), "not a model", Dense::init(rng)),
        };
        net.visit_mut(&mut |parameter| {
            parameter.values.iter_mut().for_each(|value| *value += 0.1 * normal(rng))
        });
        net
    }

    /// Returns the loss: half the sum of the squares of all outputs. Adds to the gradients.
    fn pass(&self, xs: &[SVector<f64, 3>], gradients: &mut NetGradients<f64, H>) -> f64 {
        let [first, second] = &self.layers;
        let (mut tape_0, mut tape_1, mut tape_2) =
            (self.encoder.tape::<1>(), first.tape::<1>(), second.tape::<1>());
        let (mut tape_3, mut tape_4, mut tape_5): (Tape<Dense<H, H, f64>>, _, _) =
            (Default::default(), self.inner.0.tape::<1>(), self.inner.2.tape::<1>());
        let h_0 = self.encoder.forward(xs, &mut self.encoder.initial_state(), &mut tape_0).to_vec();
        let h_1 = first.forward(&h_0, &mut first.initial_state(), &mut tape_1).to_vec();
        let h_2 = second.forward(&h_1, &mut second.initial_state(), &mut tape_2).to_vec();
        let h_3 = self.r#box.forward(&h_2, &mut self.r#box.initial_state(), &mut tape_3).to_vec();
        let h_4 = self.inner.0.forward(&h_3, &mut self.inner.0.initial_state(), &mut tape_4).to_vec();
        let y = self.inner.2.forward(&h_4, &mut self.inner.2.initial_state(), &mut tape_5).to_vec();
        let mut loss: f64 = y.iter().map(|y| 0.5 * y.norm_squared()).sum();

        let mut dh_4 = vec![SVector::zeros(); xs.len()];
        self.inner.2.backward(&h_4, &mut tape_5, &y, Bars::of(&mut gradients.inner.2).inputs(&mut dh_4));
        let mut dh_3 = vec![SVector::zeros(); xs.len()];
        self.inner.0.backward(&h_3, &mut tape_4, &dh_4, Bars::of(&mut gradients.inner.0).inputs(&mut dh_3));
        for (head, gradients) in self.heads.iter().zip(gradients.heads.iter_mut()) {
            let mut tape = head.tape();
            let y = head.forward(&h_3, &mut head.initial_state(), &mut tape).to_vec();
            loss += y.iter().map(|y| 0.5 * y.norm_squared()).sum::<f64>();
            let mut dh = vec![SVector::zeros(); xs.len()];
            head.backward(&h_3, &mut tape, &y, Bars::of(gradients).inputs(&mut dh));
            dh_3.iter_mut().zip(dh).for_each(|(sum, dh)| *sum += dh);
        }
        let mut dh_2 = vec![SVector::zeros(); xs.len()];
        self.r#box.backward(&h_2, &mut tape_3, &dh_3, Bars::of(&mut gradients.r#box).inputs(&mut dh_2));
        let [first_gradients, second_gradients] = &mut *gradients.layers;
        let mut dh_1 = vec![SVector::zeros(); xs.len()];
        second.backward(&h_1, &mut tape_2, &dh_2, Bars::of(second_gradients).inputs(&mut dh_1));
        let mut dh_0 = vec![SVector::zeros(); xs.len()];
        first.backward(&h_0, &mut tape_1, &dh_1, Bars::of(first_gradients).inputs(&mut dh_0));
        self.encoder.backward(xs, &mut tape_0, &dh_0, &mut gradients.encoder);
        loss
    }
}

fn generator() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(5)
}

fn sequence(rng: &mut impl Rng) -> Vec<SVector<f64, 3>> {
    (0..4).map(|_| SVector::from_fn(|_, _| normal(rng))).collect()
}

fn names<M: Model>(model: &M) -> Vec<String> {
    let mut names = vec![];
    model.visit(&mut |parameter| names.push(parameter.name.to_owned()));
    names
}

fn values<M: Model<Scalar = f64>>(model: &M) -> Vec<f64> {
    let mut values = vec![];
    model.visit(&mut |parameter| values.extend_from_slice(parameter.values));
    values
}

/// Returns the derivative of the loss with respect to every parameter, by central differences.
fn differences(net: &mut Net<f64, 4>, xs: &[SVector<f64, 3>]) -> Vec<f64> {
    let mut gradients = net.zero_gradients();
    let mut at = |net: &mut Net<f64, 4>, index: usize, by: f64| {
        let mut before = 0;
        net.visit_mut(&mut |parameter| {
            if let Some(value) = index.checked_sub(before).and_then(|i| parameter.values.get_mut(i)) {
                *value += by;
            }
            before += parameter.values.len();
        });
        net.pass(xs, &mut gradients)
    };
    const STEP: f64 = 1e-5;
    (0..net.parameter_count())
        .map(|index| {
            let (above, below) = (at(net, index, STEP), at(net, index, -2.0 * STEP));
            at(net, index, STEP);
            (above - below) / (2.0 * STEP)
        })
        .collect()
}

#[test]
fn the_gradients_of_all_fields_agree_with_finite_differences() {
    let mut rng = generator();
    let mut net = Net::<f64, 4>::init(&mut rng);
    let xs = sequence(&mut rng);
    let mut gradients = net.zero_gradients();
    net.pass(&xs, &mut gradients);
    let (found, expected) = (values(&*gradients), differences(&mut net, &xs));
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    for (name, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() < 1e-7 * largest, "{name}: {found} is not {expected}");
    }
    assert!(expected.iter().filter(|value| value.abs() > 1e-6).count() > expected.len() * 9 / 10);
}

#[test]
fn names_are_paths_of_fields_and_the_same_for_gradients() {
    let net = Net::<f64, 4>::init(&mut generator());
    let found = names(&net);
    assert_eq!(names(&*net.zero_gradients()), found);
    let gates = |path: &str, names: &[&str]| -> Vec<String> {
        ["W", "U", "b"]
            .iter()
            .flat_map(|kind| names.iter().map(move |gate| format!("{path}.{kind}_{gate}")))
            .collect()
    };
    let mut expected = gates("encoder.forward", &["i", "f", "o", "g"]);
    let mut sorted: Vec<String> = found[..expected.len()].to_vec();
    expected.sort();
    sorted.sort();
    assert_eq!(sorted, expected);
    let rest: Vec<&str> = found[expected.len()..].iter().map(String::as_str).collect();
    assert_eq!(rest[..3], ["encoder.reverse.W", "encoder.reverse.U", "encoder.reverse.b"]);
    assert!(rest[3..].contains(&"layers.0.W_r") && rest.contains(&"layers.1.U_z"));
    let end = [
        "box.W",
        "box.b",
        "heads.0.W",
        "heads.0.b",
        "heads.1.W",
        "heads.1.b",
        "inner.0.W",
        "inner.0.U",
        "inner.0.b",
        "inner.2.W",
        "inner.2.b",
    ];
    assert_eq!(rest[rest.len() - end.len()..], end);
    // LSTM, Elman, two GRUs, Dense, two heads, Elman, Dense.
    let count =
        4 * (4 * 3 + 4 * 4 + 4) + (4 * 3 + 4 * 4 + 4) + 2 * 3 * (4 * 4 + 4 * 4 + 4) + 20 + 2 * 10 + 36 + 5;
    assert_eq!(net.parameter_count(), count);
    assert_eq!((net.names.len(), net.inner.1), (2, "not a model"));
}

/// Two cells, updated as one model and each by itself.
#[derive(Model)]
struct Pair {
    first: Lstm<3, 4, f64>,
    second: Dense<4, 2, f64>,
}

impl Pair {
    fn init() -> Self {
        let mut rng = generator();
        Pair { first: Lstm::init(&mut rng), second: Dense::init(&mut rng) }
    }

    fn random_gradients(&self) -> Box<PairGradients> {
        let mut rng = generator();
        let mut gradients = self.zero_gradients();
        gradients.visit_mut(&mut |parameter| {
            parameter.values.iter_mut().for_each(|value| *value = normal(&mut rng))
        });
        gradients
    }
}

#[test]
fn one_optimiser_does_what_one_for_each_field_does() {
    let (mut whole, mut parts) = (Pair::init(), Pair::init());
    let (mut adam, mut first, mut second) = (AdamW::new(0.1), AdamW::new(0.1), AdamW::new(0.1));
    for _ in 0..3 {
        let gradients = whole.random_gradients();
        adam.step(&mut whole, &gradients);
        first.step(&mut parts.first, &gradients.first);
        second.step(&mut parts.second, &gradients.second);
    }
    assert_eq!(values(&whole), values(&parts));
    assert!(values(&whole) != values(&Pair::init()));
}

#[test]
fn norms_clipping_and_sums_are_over_all_fields() {
    let pair = Pair::init();
    let mut gradients = pair.random_gradients();
    let sum: f64 = values(&*gradients).iter().map(|value| value * value).sum();
    assert!((global_norm(&*gradients) - sum.sqrt()).abs() < 1e-12);
    clip_global_norm(&mut *gradients, 2.0);
    assert!((global_norm(&*gradients) - 2.0).abs() < 1e-12);
    let before = values(&*gradients);
    add(&mut *gradients, &*pair.random_gradients());
    assert!(values(&*gradients).iter().zip(&before).all(|(sum, before)| sum != before));
    gradients.set_zero();
    assert!(values(&*gradients).iter().all(|value| *value == 0.0));
}

#[test]
fn a_value_that_is_not_finite_is_found_by_its_path() {
    let mut net = Net::<f64, 4>::init(&mut generator());
    assert!(check_finite(&net).is_ok());
    net.inner.2.b[0] = f64::NAN;
    assert_eq!(check_finite(&net).unwrap_err().name, "inner.2.b");
}

#[test]
fn files_hold_every_parameter_and_buffer_under_its_path() {
    let trained = Net::<f64, 4>::init(&mut generator());
    let file = save(&trained).expect("the model is finite");
    let tensors = safetensors::SafeTensors::deserialize(&file).expect("a safetensors file");
    let mut found = tensors.names();
    found.sort();
    let mut expected = names(&trained);
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(tensors.tensor("encoder.forward.W_i").expect("it is there").shape(), [4, 3]);

    let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
    let mut net = Net::<f64, 4>::init(&mut rng);
    load(&mut net, &file).expect("the file fits");
    assert_eq!(values(&net), values(&trained));

    // A file without a layer: the message names the field.
    let part = save(&trained.inner).expect("the model is finite");
    let message = load(&mut net, &part).unwrap_err().to_string();
    assert!(message.contains("`encoder.forward.") && message.contains("`heads.1"), "{message}");
}

#[test]
fn rounding_reaches_every_field() {
    let mut pair = Pair::init();
    let mut parts = Pair::init();
    round::<Int8>(&mut pair).expect("finite weights");
    round::<Int8>(&mut parts.first).expect("finite weights");
    round::<Int8>(&mut parts.second).expect("finite weights");
    assert_eq!(values(&pair), values(&parts));
    assert!(values(&pair) != values(&Pair::init()));
}

/// A model whose type parameter is a layer.
#[derive(Model)]
#[allow(dead_code)]
struct Generic<'a, D, E = f32>
where
    D: Clone,
{
    decoder: Box<D>,
    readout: Dense<2, 2>,
    #[model(skip)]
    note: &'a [E],
}

fn train<D: ModelMut<Scalar = f32> + Clone>(model: &mut Generic<'_, D>) -> usize {
    let gradients = model.zero_gradients();
    Sgd::new(0.1).step(model, &gradients);
    gradients.decoder.parameter_count() + gradients.readout.parameter_count()
}

#[test]
fn a_type_parameter_may_be_a_layer() {
    let mut rng = generator();
    let (decoder, readout) = (Box::new(LayerNormLstm::<2, 2>::init(&mut rng)), Dense::init(&mut rng));
    let mut model = Generic { decoder, readout, note: &[1.0] };
    assert_eq!(train(&mut model), LayerNormLstm::<2, 2>::PARAMETER_COUNT + 6);
}

mod private {
    use super::{Dense, Model};

    rnn_cell::rnn_cell! {
        cell Hidden<H> {
            input x: [H];
            state h: [H];
            param a: [H];
            buffer leak: [] = 0.5;
            h = leak * h[t-1] + a * x;
            output h;
        }
    }

    /// A public model may have fields of private types.
    #[derive(Model)]
    pub struct Public {
        hidden: Hidden<2>,
        dense: Dense<2, 2>,
    }

    impl Public {
        pub fn zeros() -> Self {
            Self { hidden: Hidden::zeros(), dense: Dense::zeros() }
        }
    }
}

#[test]
fn buffers_are_visited_and_private_types_stay_private() {
    let mut model = private::Public::zeros();
    let mut found = vec![];
    model.visit_buffers(&mut |buffer| found.push(buffer.name.to_owned()));
    model.visit_buffers_mut(&mut |buffer| buffer.values.fill(0.25));
    model.visit_buffers(&mut |buffer| found.push(buffer.values[0].to_string()));
    assert_eq!(found, ["hidden.leak", "0.25"]);
    assert_eq!(model.parameter_count(), 2 + 6);
}

#[test]
fn text_of_gradients_is_short() {
    let pair = Pair::init();
    let mut gradients = pair.zero_gradients();
    gradients.second.W[(1, 2)] = -0.5;
    gradients.second.b[1] = f64::NAN;
    let text = format!("{gradients:?}");
    assert!(text.starts_with("PairGradients { first.W_") && text.len() < 400, "{text}");
    assert!(text.ends_with("second.W: [2, 4] max 0.5, second.b: [2] max NaN }"), "{text}");
}
