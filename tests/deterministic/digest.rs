//! Digests of the results of cells.

use std::fmt;

use rnn_cell::Scalar;
use rnn_cell::cell::{Bars, Cell, Model};
use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus, normal};
use rnn_cell::types::varying::Varying;

/// The number of steps of each sequence.
const STEPS: usize = 12;

/// Returns a random generator with a fixed seed.
pub fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(11)
}

/// The names of passes and the digests of their bits, displayed one per line.
#[derive(Default)]
pub struct Digests(Vec<(String, Fnv)>);

impl fmt::Display for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> =
            self.0.iter().map(|(name, digest)| format!("{:016x} {name}", digest.0)).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// The 64-bit FNV-1a hash of Fowler, Noll and Vo.
#[derive(PartialEq, Eq)]
pub struct Fnv(u64);

impl Fnv {
    pub fn new() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }

    /// Hashes the bits of a number.
    ///
    /// # Panics
    /// Panics if the number is not finite.
    pub fn scalar<T: Scalar>(&mut self, x: T) {
        let x = x.as_f64();
        assert!(x.is_finite(), "{x} is not finite");
        for byte in x.to_bits().to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub fn value<T: Scalar>(&mut self, value: &impl Varying<T>) {
        value.scalars(&mut |x| self.scalar(x));
    }

    pub fn parameters<T: Scalar>(&mut self, model: &impl Model<Scalar = T>) {
        model.visit(&mut |parameter| parameter.values.iter().for_each(|&x| self.scalar(x)));
    }
}

/// Returns a value of normally distributed scalars.
pub fn random<T: Scalar, V: Varying<T>>(rng: &mut Xoshiro256PlusPlus) -> V {
    let mut value = V::zero();
    value.scalars_mut(&mut |x| *x = T::of(normal(rng)));
    value
}

impl Digests {
    pub fn add(&mut self, name: String, digest: Fnv) {
        self.0.push((name, digest));
    }

    /// Adds a digest of the steps and of the forward and backward passes of a cell.
    pub fn layer<T: Scalar, const B: usize, L>(&mut self, name: &str, cell: &L)
    where
        L: Cell<B, Scalar = T, Context = (), Input: Varying<T>, InputBar: Varying<T>>,
    {
        let (mut rng, mut digest) = (rng(), Fnv::new());
        let xs: Vec<L::Input> = (0..STEPS).map(|_| random(&mut rng)).collect();
        let dys: Vec<L::Output> = (0..STEPS).map(|_| random(&mut rng)).collect();
        let mut state = cell.initial_state();
        for x in &xs {
            digest.value(&cell.step(x, &mut state));
        }
        digest.value(&state);
        let (mut state, mut tape) = (cell.initial_state(), cell.tape());
        cell.forward(&xs, &mut state, &mut tape).iter().for_each(|y| digest.value(y));
        let mut dxs: Vec<L::InputBar> = xs.iter().map(|_| L::InputBar::zero()).collect();
        let (mut dstate, mut gradients): (L::State, _) = (random(&mut rng), cell.zero_gradients());
        let bars = Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs);
        cell.backward(&xs, &mut tape, &dys, bars);
        digest.value(&dstate);
        digest.parameters(&*gradients);
        dxs.iter().for_each(|dx| digest.value(dx));
        let scalar = core::any::type_name::<T>();
        self.add(format!("{name}, {scalar}, batch {B}"), digest);
    }
}
