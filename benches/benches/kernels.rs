//! Each kernel by itself. Items are FLOP for products and entries for element-wise functions.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use rnn_cell::kernels::elementwise::map_flat;
use rnn_cell::kernels::isa::{Isa, Job, dispatch};
use rnn_cell::kernels::math;
use rnn_cell::kernels::plain::Size;
use rnn_cell::kernels::product::{outer, products, pull_back};
use std::marker::PhantomData;

fn main() {
    divan::main();
}

fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|k| (k as f32).sin()).collect()
}

fn flops(square: usize, matrices: usize, columns: usize) -> ItemsCount {
    ItemsCount::new(2 * square * square * matrices * columns)
}

const MATRICES: usize = 4;

struct Products<'a, const H: usize> {
    a: &'a [Vec<f32>],
    x: &'a [f32],
    y: &'a mut [Vec<f32>],
}

impl<const H: usize> Job for Products<'_, H> {
    type Out = ();
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let [a, b, c, d] = self.a else { panic!("four matrices") };
        let [y, z, v, w] = self.y else { panic!("four results") };
        products(isa, Size::<H>, [[a, b, c, d]], [self.x], [y, z, v, w], true);
    }
}

fn run_products<const H: usize>(bencher: Bencher, columns: usize) {
    let a = vec![numbers(H * H); MATRICES];
    let (x, mut y) = (numbers(H * columns), vec![numbers(H * columns); MATRICES]);
    bencher
        .counter(flops(H, MATRICES, columns))
        .bench_local(|| dispatch(Products::<H> { a: black_box(&a), x: &x, y: &mut y }));
}

/// Multiplies four square matrices by one vector.
#[divan::bench(consts = [5, 8, 16, 20, 32, 33, 40, 64, 100, 128, 256])]
fn products_column<const H: usize>(bencher: Bencher) {
    run_products::<H>(bencher, 1);
}

/// Multiplies four square matrices by 64 columns.
#[divan::bench(consts = [5, 8, 16, 20, 32, 33, 40, 64, 100, 128, 256])]
fn products_64<const H: usize>(bencher: Bencher) {
    run_products::<H>(bencher, 64);
}

struct PullBack<'a, const H: usize> {
    a: &'a [Vec<f32>],
    dy: &'a [Vec<f32>],
    dx: &'a mut [f32],
}

impl<const H: usize> Job for PullBack<'_, H> {
    type Out = ();
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let [a, b, c, d] = self.a else { panic!("four matrices") };
        let [y, z, v, w] = self.dy else { panic!("four cotangents") };
        pull_back(isa, Size::<H>, Size::<H>, [a, b, c, d], [y, z, v, w], self.dx, false);
    }
}

fn run_pull_back<const H: usize>(bencher: Bencher, columns: usize) {
    let a = vec![numbers(H * H); MATRICES];
    let (dy, mut dx) = (vec![numbers(H * columns); MATRICES], numbers(H * columns));
    bencher
        .counter(flops(H, MATRICES, columns))
        .bench_local(|| dispatch(PullBack::<H> { a: black_box(&a), dy: &dy, dx: &mut dx }));
}

/// Computes the cotangent of one vector from four square matrices.
#[divan::bench(consts = [5, 8, 16, 20, 32, 33, 40, 64, 100, 128, 256])]
fn pull_back_column<const H: usize>(bencher: Bencher) {
    run_pull_back::<H>(bencher, 1);
}

/// Computes the cotangents of 64 columns from four square matrices.
#[divan::bench(consts = [5, 8, 16, 20, 32, 33, 40, 64, 100, 128, 256])]
fn pull_back_64<const H: usize>(bencher: Bencher) {
    run_pull_back::<H>(bencher, 64);
}

struct Outer<'a, const H: usize> {
    dy: &'a [f32],
    x: &'a [f32],
    da: &'a mut [f32],
}

impl<const H: usize> Job for Outer<'_, H> {
    type Out = ();
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        outer(isa, Size::<H>, Size::<H>, self.dy, self.x, self.da);
    }
}

/// Computes the gradient of a square matrix over a chunk of 256 columns.
#[divan::bench(consts = [5, 8, 16, 20, 32, 33, 40, 64, 100, 128, 256])]
fn outer_256<const H: usize>(bencher: Bencher) {
    let (dy, x, mut da) = (numbers(H * 256), numbers(H * 256), numbers(H * H));
    bencher
        .counter(flops(H, 1, 256))
        .bench_local(|| dispatch(Outer::<H> { dy: black_box(&dy), x: &x, da: &mut da }));
}

/// An element-wise function. Besides the function, [`map_flat`] costs only a load and a store.
struct Map<'a, F> {
    x: &'a [f32],
    y: &'a mut [f32],
    function: PhantomData<F>,
}

trait Function {
    fn of<S: Isa>(isa: S, x: f32) -> f32;
}

impl<F: Function> Job for Map<'_, F> {
    type Out = ();
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        map_flat(isa, [self.x], [self.y], |[x], [_]| [F::of(isa, x)]);
    }
}

macro_rules! functions {
    ($($name:ident)*) => {$(
        #[divan::bench(args = [8, 20, 64, 1000])]
        fn $name(bencher: Bencher, length: usize) {
            struct Own;
            impl Function for Own {
                #[inline(always)]
                fn of<S: Isa>(isa: S, x: f32) -> f32 {
                    math::$name(isa, x)
                }
            }
            let (x, mut y) = (numbers(length), numbers(length));
            bencher
                .counter(ItemsCount::new(length))
                .bench_local(|| dispatch(Map { x: black_box(&x), y: &mut y, function: PhantomData::<Own> }));
        }
    )*};
}

functions! { sigmoid tanh exp ln softplus sqrt recip normal_cdf sin }
