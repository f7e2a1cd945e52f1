//! Matrix products alone: every kernel that is chosen by size or transposition, and matrices at
//! unaligned addresses.

use core::array::from_fn;

use rnn_cell::Scalar;
use rnn_cell::kernels::isa::{Isa, Job, dispatch};
use rnn_cell::kernels::plain::Size;
use rnn_cell::kernels::product::{matmul, outer, products as sums_of_products, pull_back};
use rnn_cell::rng::{Xoshiro256PlusPlus, normal};

use crate::digest::{Digests, Fnv, rng};

/// The numbers of columns, from a single vector to a batch of a chunk.
const COLUMNS: [usize; 7] = [1, 2, 5, 8, 16, 33, 70];

/// Products of `G` matrices of size `M x K` with `n` columns.
struct Products<'d, T, const M: usize, const K: usize, const G: usize> {
    n: usize,
    /// The offset in scalars of each matrix from the start of its allocation.
    offset: usize,
    /// The function that receives every entry of the results.
    digest: &'d mut dyn FnMut(T),
}

/// Adds digests of all products of `G` matrices of size `M x K`.
pub fn products<T: Scalar, const M: usize, const K: usize, const G: usize>(digests: &mut Digests) {
    for n in COLUMNS {
        let [here, there] = [0, 3].map(|offset| {
            let mut digest = Fnv::new();
            dispatch(Products::<T, M, K, G> { n, offset, digest: &mut |x| digest.scalar(x) });
            digest
        });
        assert!(here == there, "the address of a {M} x {K} matrix changes its product with {n} columns");
        let scalar = core::any::type_name::<T>();
        digests.add(format!("products of {G} {M} x {K} matrices and {n} columns, {scalar}"), here);
    }
}

impl<T: Scalar, const M: usize, const K: usize, const G: usize> Job for Products<'_, T, M, K, G> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let Products { n, offset, digest } = self;
        let mut rng = rng();
        let mut scalars = |count: usize| draw::<T>(&mut rng, count);
        let mut matrices =
            || -> [Vec<T>; G] { from_fn(|_| [vec![T::of(0.0); offset], scalars(M * K)].concat()) };
        let (left, right) = (matrices(), matrices());
        let a: [&[T]; G] = from_fn(|g| &left[g][offset..]);
        let b: [&[T]; G] = from_fn(|g| &right[g][offset..]);
        let (x, u) = (scalars(K * n), scalars(K * n));
        let cotangents: [Vec<T>; G] = from_fn(|_| scalars(M * n));
        let dy: [&[T]; G] = from_fn(|g| &cotangents[g][..]);
        for accumulate in [false, true] {
            let mut ys: [Vec<T>; G] = from_fn(|_| scalars(M * n));
            let outs = ys.each_mut().map(|y| &mut y[..]);
            sums_of_products(isa, Size::<M>, [a, b], [&x, &u], outs, accumulate);
            let mut dx = scalars(K * n);
            pull_back(isa, Size::<M>, Size::<K>, a, dy, &mut dx, accumulate);
            // The same memory, read as a `K x M` matrix.
            let mut c = scalars(M * n);
            matmul::<S, T, true, false>(isa, M, K, n, a[0], &x, &mut c, accumulate);
            ys.iter().chain([&dx, &c]).flatten().for_each(|&x| digest(x));
        }
        let mut da = scalars(M * K);
        outer(isa, Size::<M>, Size::<K>, dy[0], &x, &mut da);
        da.iter().for_each(|&x| digest(x));
    }
}

/// Returns numbers with different exponents, so that the order of additions changes the last bits
/// of a sum.
fn draw<T: Scalar>(rng: &mut Xoshiro256PlusPlus, count: usize) -> Vec<T> {
    let mut cube = || {
        let x = normal(rng);
        x * x * x
    };
    (0..count).map(|_| T::of(cube())).collect()
}
