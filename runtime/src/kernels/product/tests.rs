use super::*;
use crate::kernels::testing::{Random, assert_near, both, product, transposed};

#[inline(always)]
fn check<S: Isa, T: Scalar, const M: usize, const K: usize, const G: usize>(isa: S) {
    for n in [1, 2, 4, 5, 16, 33] {
        for accumulate in [false, true] {
            let mut random = Random::new((M * 10_000 + K * 100 + n) as u64);
            let a: [Vec<T>; G] = core::array::from_fn(|_| random.scalars(M * K));
            let x: Vec<T> = random.scalars(K * n);
            let old: [Vec<T>; G] = core::array::from_fn(|_| random.scalars(M * n));
            let mut y = old.clone();
            {
                let mut y = y.iter_mut();
                let y = core::array::from_fn(|_| y.next().unwrap().as_mut_slice());
                let a = core::array::from_fn(|g| a[g].as_slice());
                products::<S, T, M, K, G>(isa, a, &x, y, accumulate);
            }
            for g in 0..G {
                let start = if accumulate { old[g].clone() } else { vec![T::ZERO; M * n] };
                assert_near(&y[g], &product(M, K, n, &a[g], &x, &start), K);
            }

            let dy = old;
            let old: Vec<T> = random.scalars(K * n);
            let mut dx = old.clone();
            let gates = core::array::from_fn(|g| a[g].as_slice());
            pull_back::<S, T, M, K, G>(isa, gates, core::array::from_fn(|g| dy[g].as_slice()), &mut dx, accumulate);
            let start = if accumulate { old } else { vec![T::ZERO; K * n] };
            let mut expected: Vec<f64> = start.iter().map(|entry| entry.as_f64()).collect();
            for g in 0..G {
                let part = product(K, M, n, &transposed(M, K, &a[g]), &dy[g], &vec![T::ZERO; K * n]);
                expected.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
            }
            assert_near(&dx, &expected, M * G);

            let old: Vec<T> = random.scalars(M * K);
            let mut da = old.clone();
            outer::<S, T, M, K>(isa, &dy[0], &x, &mut da);
            assert_near(&da, &product(M, n, K, &dy[0], &transposed(K, n, &x), &old), n);
        }
    }
}

#[inline(always)]
fn check_rows<S: Isa, T: Scalar, const M: usize>(isa: S) {
    check::<S, T, M, 1, 1>(isa);
    check::<S, T, M, 2, 5>(isa);
    check::<S, T, M, 5, 2>(isa);
    check::<S, T, M, 8, 3>(isa);
    check::<S, T, M, 20, 4>(isa);
    check::<S, T, M, 33, 1>(isa);
}

macro_rules! rows {
    ($($name:ident: $m:literal),*) => {$(
        #[test]
        fn $name() {
            both!(isa => {
                check_rows::<_, f32, $m>(isa);
                check_rows::<_, f64, $m>(isa);
            });
        }
    )*};
}

rows!(rows_1: 1, rows_2: 2, rows_5: 5, rows_8: 8, rows_16: 16, rows_20: 20, rows_33: 33, rows_64: 64, rows_100: 100);

#[test]
fn large_and_odd_numbers_of_gates() {
    both!(isa => {
        check::<_, f32, 64, 100, 4>(isa);
        check::<_, f64, 100, 64, 4>(isa);
        check::<_, f32, 20, 16, 7>(isa);
        check::<_, f32, 8, 16, 8>(isa);
    });
}

#[test]
fn nothing_to_multiply() {
    let isa = crate::kernels::isa::Portable::token();
    let mut y = [1.0f32; 3];
    products::<_, _, 3, 0, 1>(isa, [&[]], &[], [&mut y], true);
    assert_eq!(y, [1.0; 3]);
    products::<_, _, 3, 0, 1>(isa, [&[]], &[], [&mut y], false);
    assert_eq!(y, [0.0; 3]);
    let mut dx = [1.0f32; 3];
    pull_back::<_, _, 0, 3, 1>(isa, [&[]], [&[]], &mut dx, false);
    assert_eq!(dx, [0.0; 3]);
    outer::<_, f32, 0, 3>(isa, &[], &[1.0; 3], &mut []);
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
fn matmul_of_every_transposition() {
    both!(isa => {
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
