//! The nearest Monarch matrix.

use burn::module::Module;
use burn::nn::LinearConfig;
use subquad_backend::svd::{Complex, Scalar, norm_sqr};
use subquad_monarch::projection::{
    MonarchFactors, ProjectionError, low_rank, project, rank_of_parameters, relative_distance,
};
use subquad_monarch::{MonarchLinear, MonarchLinearConfig};
use subquad_testkit::{assert_rel_close, cpu, seeded, seeded_tensor, to_f64, values};

use crate::seeded_module;

/// f64 rotations of a few dozen columns.
const EXACT: f64 = 1e-10;
/// The same map in f32.
const SINGLE: f64 = 1e-5;

fn shaped(input: [usize; 2], output: [usize; 2]) -> MonarchLinearConfig {
    MonarchLinearConfig::new(input[0] * input[1], output[0] * output[1])
        .with_input_shape(Some(input.to_vec()))
        .with_output_shape(Some(output.to_vec()))
}

fn configs() -> Vec<MonarchLinearConfig> {
    let blocks = |d_input, d_output, n| MonarchLinearConfig::new(d_input, d_output).with_n_blocks(Some(n));
    vec![
        MonarchLinearConfig::new(16, 16),
        shaped([3, 4], [6, 5]),
        shaped([4, 6], [5, 2]).with_rank(3),
        shaped([4, 6], [5, 4]).with_rank(2).with_pre_permute(true),
        blocks(12, 20, 4).with_rank(2),
        blocks(10, 14, 4),
        blocks(11, 7, 3).with_rank(2).with_pre_permute(true),
        MonarchLinearConfig::new(1, 5),
    ]
}

fn random(config: &MonarchLinearConfig, seed: u64) -> Vec<f64> {
    seeded(config.d_input * config.d_output, seed)
}

fn random_complex(n: usize, seed: u64) -> Vec<Complex<f64>> {
    seeded(n, seed).into_iter().zip(seeded(n, seed + 1)).map(|(re, im)| Complex::new(re, im)).collect()
}

fn projected<T: Scalar>(config: &MonarchLinearConfig, dense: &[T]) -> MonarchFactors<T> {
    project(config, dense).unwrap()
}

fn difference<T: Scalar>(a: &[T], b: &[T]) -> Vec<T> {
    a.iter().zip(b).map(|(a, b)| *a - *b).collect()
}

#[test]
fn a_monarch_matrix_is_its_own_projection() {
    for config in configs() {
        let layer = seeded_module(|device| config.init(device));
        let dense = to_f64(layer.dense_weight());
        // The layer's matrix was multiplied out in f32.
        let factors = projected(&config, &dense);
        assert!(relative_distance(&dense, &factors.dense()) < SINGLE, "{config}");
        let again = factors.dense();
        let twice = projected(&config, &again).dense();
        assert!(relative_distance(&again, &twice) < EXACT, "{config}");
    }
}

#[test]
fn projecting_twice_changes_nothing_and_the_rest_is_orthogonal_to_it() {
    for config in configs() {
        let n = config.d_input * config.d_output;
        assert_is_orthogonal_projection(&config, random(&config, 3));
        assert_is_orthogonal_projection(&config, random_complex(n, 5));
    }
}

fn assert_is_orthogonal_projection<T: Scalar>(config: &MonarchLinearConfig, dense: Vec<T>) {
    let once = projected(config, &dense).dense();
    assert!(relative_distance(&once, &projected(config, &once).dense()) < EXACT, "{config}: twice");
    let rest = norm_sqr(&difference(&dense, &once));
    let pythagoras = (norm_sqr(&once) + rest) / norm_sqr(&dense) - 1.0;
    assert!(pythagoras.abs() < EXACT, "{config}: {pythagoras}");
}

/// The squared error by definition: for each slice, what the largest singular value leaves. It is found by power
/// iteration, so that this is not the code under test.
#[test]
fn the_error_of_rank_one_is_what_the_largest_singular_value_of_each_slice_leaves() {
    let config = shaped([3, 4], [6, 5]);
    let dense = random(&config, 3);
    let slice = |l: usize, i: usize| -> Vec<Vec<f64>> {
        (0..6).map(|t| (0..4).map(|q| dense[(t * 5 + l) * 12 + i * 4 + q]).collect()).collect()
    };
    let kept: f64 = (0..15).map(|at| largest_squared(&slice(at / 3, at % 3))).sum();
    let error = relative_distance(&dense, &projected(&config, &dense).dense()).powi(2);
    assert_rel_close(vec![error], vec![1.0 - kept / norm_sqr(&dense)], EXACT, "what is left");
}

fn largest_squared(rows: &[Vec<f64>]) -> f64 {
    let mut v = vec![1.0; rows[0].len()];
    let mut value = 0.0;
    for _ in 0..10_000 {
        let image: Vec<f64> = rows.iter().map(|row| row.iter().zip(&v).map(|(a, b)| a * b).sum()).collect();
        v = (0..v.len()).map(|j| rows.iter().zip(&image).map(|(row, y)| row[j] * y).sum()).collect();
        value = norm_sqr(&v).sqrt();
        v.iter_mut().for_each(|x| *x /= value);
    }
    value
}

#[test]
fn more_rank_is_never_worse_and_the_whole_rank_is_exact() {
    let mut before = f64::INFINITY;
    for rank in 1..=5 {
        let config = shaped([4, 5], [6, 4]).with_rank(rank);
        let dense = random(&config, 3);
        let error = relative_distance(&dense, &projected(&config, &dense).dense());
        assert!(error < before, "rank {rank}: {error} after {before}");
        before = error;
    }
    assert!(before < EXACT, "{before}");
}

#[test]
fn at_a_fixed_rank_finer_blocks_hold_coarser_ones_and_at_whole_rank_coarser_ones_finer_ones() {
    let n = 64;
    let error = |blocks: usize, rank: usize| {
        let config = MonarchLinearConfig::new(n, n).with_n_blocks(Some(blocks)).with_rank(rank);
        let dense = random(&config, 3);
        relative_distance(&dense, &projected(&config, &dense).dense())
    };
    // A slice of rank 1 is split into four of rank 1.
    let fixed = [1, 2, 4, 8, 16, 32, 64].map(|blocks| error(blocks, 1));
    assert!(fixed.windows(2).all(|two| two[1] < two[0]), "{fixed:?}");
    assert!(fixed[6] < EXACT, "{fixed:?}");
    // As published, the layer is as wide between the factors as outside, with 2 n^2 / blocks parameters. Four slices of
    // rank r make one of rank 4 r.
    let published = [1, 2, 4, 8].map(|blocks| error(blocks, n / (blocks * blocks)));
    assert!(published.windows(2).all(|two| two[1] > two[0]), "{published:?}");
    assert!(published[0] < EXACT, "{published:?}");
}

#[test]
fn a_dft_is_a_monarch_matrix_with_its_columns_permuted_and_not_without() {
    for (n_1, n_2) in [(3, 4), (4, 4), (6, 5)] {
        let n = n_1 * n_2;
        let angle = |at: usize| std::f64::consts::TAU * (at / n * (at % n) % n) as f64 / n as f64;
        let dft: Vec<Complex<f64>> =
            (0..n * n).map(|at| Complex::new(angle(at).cos(), -angle(at).sin())).collect();
        let config = shaped([n_2, n_1], [n_2, n_1]);
        let plain = relative_distance(&dft, &projected(&config, &dft).dense());
        let permuted = relative_distance(&dft, &projected(&config.with_pre_permute(true), &dft).dense());
        assert!(permuted < EXACT && plain > 0.1, "{n_1} x {n_2}: {permuted}, {plain}");
    }
}

#[test]
fn the_projection_of_a_layer_is_that_of_its_matrix_with_the_same_bias() {
    let dense = seeded_module(|device| LinearConfig::new(10, 14).init(device));
    let config = MonarchLinearConfig::new(10, 14).with_n_blocks(Some(4)).with_rank(2);
    let layer = MonarchLinear::project(&dense, &config).unwrap();
    assert_eq!(layer.num_params(), config.n_parameters());
    let matrix = to_f64(dense.weight.val().transpose());
    assert_rel_close(layer.dense_weight(), projected(&config, &matrix).dense(), SINGLE, "matrix");
    assert_eq!(values(&layer)[layer.num_params() - 14..], to_f64(dense.bias.as_ref().unwrap().val()));
    // At full rank, nothing is lost.
    let whole = MonarchLinear::project(&dense, &config.with_rank(3)).unwrap();
    let x = seeded_tensor::<2>([5, 10], 1, &cpu());
    assert_rel_close(whole.forward(x.clone()), dense.forward(x), SINGLE, "whole rank");
}

#[test]
fn a_matrix_of_low_rank_is_its_own_and_the_rest_is_the_smaller_singular_values() {
    let (rows, columns) = (8, 12);
    let dense = seeded(rows * columns, 3);
    let mut before = f64::INFINITY;
    for rank in 1..=8 {
        let near = low_rank(&dense, [rows, columns], rank);
        assert_eq!((near.rank, near.n_weights()), (rank, rank * (rows + columns)));
        let (error, again) = (
            relative_distance(&dense, &near.dense()),
            low_rank(&near.dense(), [rows, columns], rank).dense(),
        );
        assert!(error < before, "rank {rank}");
        assert!(relative_distance(&near.dense(), &again) < EXACT, "rank {rank}");
        before = error;
    }
    assert!(before < EXACT, "{before}");
}

#[test]
fn ranks_of_equal_parameters_count_both_factors() {
    assert_eq!(rank_of_parameters(1024, [64, 64]), 8);
    assert_eq!(rank_of_parameters(1023, [64, 64]), 7);
    assert_eq!((rank_of_parameters(3, [64, 64]), rank_of_parameters(1 << 20, [64, 32])), (1, 32));
}

#[test]
fn what_cannot_be_projected_is_refused() {
    let words = |result: Result<MonarchFactors<f64>, ProjectionError>| result.unwrap_err().to_string();
    let config = MonarchLinearConfig::new(4, 6);
    assert_eq!(words(project(&config, &[0.0; 23])), "a matrix of 6 x 4 has 24 entries, got 23");
    assert_eq!(
        words(project(&config.clone().with_order(3), &[0.0; 24])),
        "order = 3, but only matrices of 2 factors have a nearest one in closed form; use order = 2"
    );
    assert!(words(project(&config.clone().with_rank(9), &[0.0; 24])).starts_with("rank = 9, but slices"));
    let dense = LinearConfig::new(4, 5).init(&cpu());
    let error = MonarchLinear::project(&dense, &config).unwrap_err();
    assert_eq!(error.to_string(), "the layer maps [4, 5] features, the config [4, 6]");
}
