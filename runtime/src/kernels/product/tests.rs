use super::*;
use crate::kernels::isa::{Job, available, run_at};
use crate::kernels::testing::{Random, assert_near, for_each_isa, product, transposed};

/// The three products of one matrix shape as a job, so that only the kernels are compiled per
/// instruction set.
struct Kernels<'a, T, const M: usize, const K: usize, const G: usize> {
    a: &'a [Vec<T>; G],
    x: &'a [T],
    dy: &'a [Vec<T>; G],
    y: [&'a mut [T]; G],
    dx: &'a mut [T],
    da: &'a mut [T],
    accumulate: bool,
}

impl<T: Scalar, const M: usize, const K: usize, const G: usize> Job for Kernels<'_, T, M, K, G> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let a: [&[T]; G] = core::array::from_fn(|g| self.a[g].as_slice());
        let dy: [&[T]; G] = core::array::from_fn(|g| self.dy[g].as_slice());
        products(isa, Size::<M>, [a], [self.x], self.y, self.accumulate);
        pull_back(isa, Size::<M>, Size::<K>, a, dy, self.dx, self.accumulate);
        outer(isa, Size::<M>, Size::<K>, dy[0], self.x, self.da);
    }
}

fn check<T: Scalar, const M: usize, const K: usize, const G: usize>() {
    for (n, accumulate, level) in [1, 2, 4, 5, 16, 33]
        .into_iter()
        .flat_map(|n| [(n, false), (n, true)])
        .flat_map(|(n, accumulate)| available().map(move |level| (n, accumulate, level)))
    {
        let mut random = Random::new((M * 10_000 + K * 100 + n) as u64);
        let a: [Vec<T>; G] = core::array::from_fn(|_| random.scalars(M * K));
        let x: Vec<T> = random.scalars(K * n);
        let dy: [Vec<T>; G] = core::array::from_fn(|_| random.scalars(M * n));
        let old_y: [Vec<T>; G] = core::array::from_fn(|_| random.scalars(M * n));
        let old_dx: Vec<T> = random.scalars(K * n);
        let old_da: Vec<T> = random.scalars(M * K);
        let (mut y, mut dx, mut da) = (old_y.clone(), old_dx.clone(), old_da.clone());
        let mut each = y.iter_mut();
        let kernels = Kernels::<T, M, K, G> {
            a: &a,
            x: &x,
            dy: &dy,
            y: core::array::from_fn(|_| each.next().unwrap().as_mut_slice()),
            dx: &mut dx,
            da: &mut da,
            accumulate,
        };
        run_at(level, kernels);

        let start = |old: &[T]| if accumulate { old.to_vec() } else { vec![T::ZERO; old.len()] };
        for g in 0..G {
            assert_near(&y[g], &product(M, K, n, &a[g], &x, &start(&old_y[g])), K);
        }
        let mut expected: Vec<f64> = start(&old_dx).iter().map(|entry| entry.as_f64()).collect();
        for g in 0..G {
            let part = product(K, M, n, &transposed(M, K, &a[g]), &dy[g], &vec![T::ZERO; K * n]);
            expected.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        assert_near(&dx, &expected, M * G);
        assert_near(&da, &product(M, n, K, &dy[0], &transposed(K, n, &x), &old_da), n);
    }
}

// Constant sizes multiply the code to compile. Each number of rows is tested here with one number
// of columns and gates. The tests of `compiled`, which shares the bodies, cover the other
// combinations.
macro_rules! sizes {
    ($($name:ident: $m:literal, $k:literal, $g:literal;)*) => {$(
        #[test]
        fn $name() {
            check::<f32, $m, $k, $g>();
            check::<f64, $m, $k, $g>();
        }
    )*};
}

sizes! {
    one_row: 1, 33, 2;
    two_rows: 2, 5, 4;
    five_rows: 5, 8, 3;
    eight_rows: 8, 1, 4;
    twelve_rows: 12, 7, 2;
    sixteen_rows: 16, 16, 1;
    twenty_rows: 20, 20, 4;
    twenty_rows_of_one_column: 20, 1, 2;
    thirty_three_rows: 33, 2, 7;
    thirty_six_rows: 36, 9, 4;
    sixty_four_rows: 64, 64, 1;
    hundred_rows: 100, 20, 4;
}

#[test]
fn empty_products() {
    let isa = crate::kernels::isa::Portable::token();
    let mut y = [1.0f32; 3];
    products(isa, Size::<3>, [[&[]]], [&[]], [&mut y], true);
    assert_eq!(y, [1.0; 3]);
    products(isa, Size::<3>, [[&[]]], [&[]], [&mut y], false);
    assert_eq!(y, [0.0; 3]);
    let mut dx = [1.0f32; 3];
    pull_back(isa, Size::<0>, Size::<3>, [&[]], [&[]], &mut dx, false);
    assert_eq!(dx, [0.0; 3]);
    pull_back(isa, Size::<3>, Size::<0>, [&[]], [&[1.0; 3]], &mut [], false);
    outer(isa, Size::<0>, Size::<3>, &[], &[1.0; 3], &mut []);
    outer(isa, Size::<3>, Size::<0>, &[1.0; 3], &[], &mut []);
}

/// The kernels use pointers into the slices, which must be as long as the matrices.
#[test]
fn slices_that_are_too_short_are_refused() {
    fn refuses(what: &str, run: impl FnOnce() + std::panic::UnwindSafe) {
        assert!(std::panic::catch_unwind(run).is_err(), "{what}");
    }
    let isa = crate::kernels::isa::Portable::token();
    let short = || vec![1.0f32; 100 * 100 - 1];
    refuses("a matrix of a product", || {
        products(isa, Size::<3>, [[&[1.0f32; 5]]], [&[1.0; 2]], [&mut [0.0; 3]], false)
    });
    refuses("a large matrix", || {
        products(isa, Size::<100>, [[&short()]], [&[1.0; 100]], [&mut [0.0; 100]], false);
    });
    refuses("the second result", || {
        let (first, second) = (&mut [0.0f32; 6][..], &mut [0.0; 5][..]);
        products(isa, Size::<3>, [[&[1.0; 6], &[1.0; 6]]], [&[1.0; 4]], [first, second], false);
    });
    for n in [2, 10] {
        refuses("a matrix of the backward product", || {
            pull_back(
                isa,
                Size::<3>,
                Size::<4>,
                [&[1.0f32; 11]],
                [&vec![1.0; 3 * n]],
                &mut vec![0.0; 4 * n],
                false,
            );
        });
        refuses("a cotangent", || {
            pull_back(
                isa,
                Size::<3>,
                Size::<4>,
                [&[1.0f32; 12]],
                [&vec![1.0; 3 * n - 1]],
                &mut vec![0.0; 4 * n],
                false,
            );
        });
    }
    refuses("the left factor", || {
        matmul::<_, _, false, false>(isa, 3, 4, 5, &[1.0f32; 11], &[1.0; 20], &mut [0.0; 15], false)
    });
    refuses("the right factor", || {
        matmul::<_, _, false, false>(isa, 3, 4, 5, &[1.0f32; 12], &[1.0; 19], &mut [0.0; 15], false)
    });
    refuses("the product", || {
        matmul::<_, _, false, false>(isa, 3, 4, 5, &[1.0f32; 12], &[1.0; 20], &mut [0.0; 14], false)
    });
}

#[inline(always)]
fn check_matmul<S: Isa, T: Scalar>(isa: S, m: usize, k: usize, n: usize) {
    let mut random = Random::new((m * 10_000 + k * 100 + n) as u64);
    let (a, b): (Vec<T>, Vec<T>) = (random.scalars(m * k), random.scalars(k * n));
    let (a_t, b_t) = (transposed(m, k, &a), transposed(k, n, &b));
    let old: Vec<T> = random.scalars(m * n);
    for accumulate in [false, true] {
        let start = if accumulate { old.clone() } else { vec![T::ZERO; m * n] };
        let expected = product(m, k, n, &a, &b, &start);
        let fresh = if accumulate { old.clone() } else { vec![T::NOT_A_NUMBER; m * n] };
        let mut c = fresh.clone();
        matmul::<S, T, false, false>(isa, m, k, n, &a, &b, &mut c, accumulate);
        assert_near(&c, &expected, k);
        let mut c = fresh.clone();
        matmul::<S, T, true, false>(isa, m, k, n, &a_t, &b, &mut c, accumulate);
        assert_near(&c, &expected, k);
        let mut c = fresh.clone();
        matmul::<S, T, false, true>(isa, m, k, n, &a, &b_t, &mut c, accumulate);
        assert_near(&c, &expected, k);
        let mut c = fresh.clone();
        matmul::<S, T, true, true>(isa, m, k, n, &a_t, &b_t, &mut c, accumulate);
        assert_near(&c, &expected, k);
    }
}

#[test]
fn matmul_with_every_transposition() {
    for_each_isa!(isa => {
        for m in [0, 1, 2, 5, 8, 16, 20, 33] {
            for k in [0, 1, 2, 5, 8, 16, 20, 33] {
                for n in [0, 1, 2, 5, 8, 16, 20, 33] {
                    check_matmul::<_, f32>(isa, m, k, n);
                    check_matmul::<_, f64>(isa, m, k, n);
                }
            }
        }
        check_matmul::<_, f32>(isa, 64, 100, 33);
        check_matmul::<_, f32>(isa, 100, 64, 64);
    });
}

/// Checks sums of two products whose right-hand sides have different lengths, as in a gate.
#[test]
fn sums_of_two_products() {
    struct Gates<'a, T, const M: usize, const G: usize> {
        a: [[&'a [T]; G]; 2],
        x: [&'a [T]; 2],
        y: [&'a mut [T]; G],
    }
    impl<T: Scalar, const M: usize, const G: usize> Job for Gates<'_, T, M, G> {
        type Out = ();
        #[inline(always)]
        fn run<S: Isa>(self, isa: S) {
            products(isa, Size::<M>, self.a, self.x, self.y, false);
        }
    }
    fn check<T: Scalar, const M: usize, const G: usize>(k: [usize; 2]) {
        for (n, level) in [1, 3, 12].into_iter().flat_map(|n| available().map(move |level| (n, level))) {
            let mut random = Random::new((M * 100 + n) as u64);
            let a: [[Vec<T>; G]; 2] = k.map(|k| core::array::from_fn(|_| random.scalars(M * k)));
            let x: [Vec<T>; 2] = k.map(|k| random.scalars(k * n));
            let mut y: [Vec<T>; G] = core::array::from_fn(|_| vec![T::NOT_A_NUMBER; M * n]);
            let gates = Gates::<T, M, G> {
                a: core::array::from_fn(|p| core::array::from_fn(|g| a[p][g].as_slice())),
                x: core::array::from_fn(|p| x[p].as_slice()),
                y: y.each_mut().map(|y| y.as_mut_slice()),
            };
            run_at(level, gates);
            for g in 0..G {
                let first: Vec<T> = product(M, k[0], n, &a[0][g], &x[0], &vec![T::ZERO; M * n])
                    .into_iter()
                    .map(T::of)
                    .collect();
                assert_near(&y[g], &product(M, k[1], n, &a[1][g], &x[1], &first), k[0] + k[1]);
            }
        }
    }
    check::<f32, 3, 2>([1, 3]);
    check::<f32, 8, 4>([1, 8]);
    check::<f32, 20, 4>([7, 20]);
    check::<f64, 33, 5>([0, 33]);
    check::<f64, 16, 1>([3, 5]);
    check::<f32, 128, 4>([1, 128]);
}

/// The products of matrices of few rows with different right factors.
struct Few<'a, const M: usize>([&'a [f32]; 3], [&'a [f32]; 3], &'a mut [f32], bool);

impl<const M: usize> Job for Few<'_, M> {
    type Out = ();

    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let Few(a, x, y, accumulate) = self;
        products(isa, Size::<M>, a.map(|a| [a]), x, [y], accumulate);
    }
}

fn check_few<const M: usize>() {
    for (n, accumulate, level) in [9, 15, 16, 31, 64, 67]
        .into_iter()
        .flat_map(|n| [(n, false), (n, true)])
        .flat_map(|(n, accumulate)| available().map(move |level| (n, accumulate, level)))
    {
        let mut random = Random::new((M * 100 + n) as u64);
        let k = [M, 1, M.div_ceil(2)];
        let a = k.map(|k| random.scalars::<f32>(M * k));
        let x = k.map(|k| random.scalars::<f32>(k * n));
        let old: Vec<f32> = random.scalars(M * n);
        let mut y = old.clone();
        let few = Few::<M>(
            core::array::from_fn(|p| a[p].as_slice()),
            core::array::from_fn(|p| x[p].as_slice()),
            &mut y,
            accumulate,
        );
        run_at(level, few);
        let mut expected: Vec<f64> =
            old.iter().map(|y| if accumulate { f64::from(*y) } else { 0.0 }).collect();
        for p in 0..3 {
            let term = product(M, k[p], n, &a[p], &x[p], &vec![0.0; M * n]);
            expected.iter_mut().zip(term).for_each(|(sum, term)| *sum += term);
        }
        assert_near(&y, &expected, 2 * M + 1);
    }
}

#[test]
fn sums_of_products_of_few_rows() {
    check_few::<2>();
    check_few::<3>();
    check_few::<4>();
    check_few::<5>();
    check_few::<6>();
    check_few::<7>();
    check_few::<8>();
    check_few::<12>();
}
