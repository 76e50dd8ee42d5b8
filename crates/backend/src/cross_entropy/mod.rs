//! The cross-entropy of logits, with its softmax, in one parallel pass each way.
//!
//! ```text
//! loss = mean over rows of  log(sum over j of e^x_j) - x_class
//! d loss / d x_j = (e^x_j / sum over i of e^x_i - [j = class]) / rows
//! ```

mod linear;

use std::f32::consts::LOG2_E;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::simd::{self, Lockstep, Simd, WithSimd, exp2, load, save};

pub use linear::{Classified, classify, linear_cross_entropy};

/// Floats that one thread takes at a time.
const CHUNK: usize = 1 << 14;

/// The mean over rows of the negative log-likelihood of each row's class, `[1]`.
///
/// # Shapes
/// - `logits`: `[rows, classes]`
/// - `classes`: `[rows]`
///
/// # Panics
/// If there are not as many classes as rows, none, or one of them has no logit.
pub fn cross_entropy(logits: Tensor<2>, classes: &[i32], form: Form) -> Tensor<1> {
    check(classes, logits.dims());
    match form {
        Form::Portable => portable(logits, classes),
        Form::Fused => apply(CrossEntropy { classes: classes.into() }, [logits.into()]),
    }
}

fn check(classes: &[i32], [rows, count]: [usize; 2]) {
    assert!(rows > 0 && rows == classes.len(), "{rows} rows of logits, {} classes", classes.len());
    let known = |class: &i32| usize::try_from(*class).is_ok_and(|class| class < count);
    assert!(classes.iter().all(known), "a class without a logit: there are {count}");
}

fn portable(logits: Tensor<2>, classes: &[i32]) -> Tensor<1> {
    let classes = Tensor::<1, Int>::from_data(classes, &logits.device());
    let picked = log_softmax(logits, 1).gather(1, classes.unsqueeze_dim(1));
    // burn's own mean adds 4 million numbers or more in parallel, in an arbitrary order.
    picked.squeeze_dim::<1>(1).mean_dim(0).neg()
}

#[derive(Debug)]
struct CrossEntropy {
    classes: Box<[i32]>,
}

/// Rows that one thread takes at a time.
fn rows_at_once(width: usize) -> usize {
    (CHUNK / width).max(1)
}

impl CpuKernel for CrossEntropy {
    /// Notes the logarithm of each row's sum of powers.
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        let [rows, width] = inputs[0].dims();
        let at_once = rows_at_once(width);
        let mut logs = vec![0.0; rows];
        let chunks = logs.par_chunks_mut(at_once).zip(inputs[0].data.par_chunks(at_once * width));
        chunks.for_each(|(logs, logits)| simd::dispatch(LogSums { logs, logits, width }));
        let picked =
            inputs[0].data.chunks_exact(width).zip(&self.classes).map(|(row, class)| row[*class as usize]);
        let sum: f64 = logs.iter().zip(picked).map(|(log, picked)| f64::from(log - picked)).sum();
        (Array::new(vec![(sum / rows as f64) as f32], [1]), Some(Array::new(logs, [rows])))
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let [rows, width] = saved.inputs[0].dims();
        let at_once = rows_at_once(width);
        let logs = saved.notes.expect("the forward pass notes them").data;
        let scale = saved.grad.data[0] / rows as f32;
        let mut grads = Unwritten::new(rows * width);
        let rows = saved.inputs[0].data.par_chunks(at_once * width).zip(logs.par_chunks(at_once));
        let rows = rows.zip(self.classes.par_chunks(at_once));
        grads.parts(at_once * width).into_par_iter().zip(rows).for_each(
            |(grads, ((logits, logs), classes))| {
                simd::dispatch(Gradients { grads: grads.copied(logits), logs, classes, width, scale });
            },
        );
        vec![Some(Array::new(grads.into_vec(), saved.inputs[0].shape))]
    }
}

/// `log(sum e^x)` of every row, from its largest logit on, so that no power overflows.
struct LogSums<'a> {
    logs: &'a mut [f32],
    logits: &'a [f32],
    width: usize,
}

impl WithSimd for LogSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (log, row) in self.logs.iter_mut().lockstep(self.logits.chunks_exact(self.width)) {
            let largest = row.iter().fold(f32::NEG_INFINITY, |largest, x| largest.max(*x));
            let powers = sum_of_powers(simd, row, largest);
            *log = largest + powers.ln();
        }
    }
}

/// `sum e^(x - largest)`
#[inline(always)]
fn sum_of_powers<S: Simd>(simd: S, row: &[f32], largest: f32) -> f32 {
    let (whole, rest) = row.split_at(row.len() / S::F32_LANES * S::F32_LANES);
    let mut sums = simd.splat_f32s(0.0);
    for x in whole.chunks_exact(S::F32_LANES) {
        sums = simd.add_f32s(sums, power(simd, load(simd, x), largest));
    }
    let rest = simd::total(rest.iter().map(|x| (x - largest).exp()));
    simd.reduce_sum_f32s(sums) + rest
}

/// `e^(x - from)`
#[inline(always)]
fn power<S: Simd>(simd: S, x: S::f32s, from: f32) -> S::f32s {
    let distance = simd.sub_f32s(x, simd.splat_f32s(from));
    exp2(simd, simd.mul_f32s(distance, simd.splat_f32s(LOG2_E)))
}

/// From logits to their gradients, in place.
struct Gradients<'a> {
    grads: &'a mut [f32],
    logs: &'a [f32],
    classes: &'a [i32],
    width: usize,
    scale: f32,
}

impl WithSimd for Gradients<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let scale = simd.splat_f32s(self.scale);
        let rows = self.grads.chunks_exact_mut(self.width).lockstep(self.logs).lockstep(self.classes);
        for ((row, log), class) in rows {
            for x in row.chunks_mut(S::F32_LANES) {
                save(simd, x, simd.mul_f32s(power(simd, load(simd, x), *log), scale));
            }
            row[*class as usize] -= self.scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param};
    use burn::nn::LinearConfig;
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::seeded_tensor;

    /// Roundings of f32, 6e-8 of the largest logit each, and 2e-7 of every power.
    const TOL: f64 = 1e-6;
    /// Sums over rows in another order, relative to the largest gradient.
    const GRAD_TOL: f64 = 3e-6;

    fn logits(rows: usize, width: usize, size: f32) -> Vec<f32> {
        (0..rows * width).map(|i| (((i * 7919 + 31) % 1009) as f32 / 504.5 - 1.0) * size).collect()
    }

    /// Loss and gradients by definition, in f64.
    fn by_loops(logits: &[f32], classes: &[i32], width: usize) -> (f64, Vec<f64>) {
        let rows = classes.len() as f64;
        let mut loss = 0.0;
        let mut grads = vec![];
        for (row, class) in logits.chunks(width).zip(classes) {
            let largest = f64::from(row.iter().copied().fold(f32::MIN, f32::max));
            let sum: f64 = row.iter().map(|x| (f64::from(*x) - largest).exp()).sum();
            loss += (largest + sum.ln() - f64::from(row[*class as usize])) / rows;
            let grad = |(j, x): (usize, &f32)| {
                let hit = if j == *class as usize { 1.0 } else { 0.0 };
                ((f64::from(*x) - largest).exp() / sum - hit) / rows
            };
            grads.extend(row.iter().enumerate().map(grad));
        }
        (loss, grads)
    }

    fn run(logits: &[f32], classes: &[i32], width: usize, form: Form) -> (f64, Vec<f64>) {
        let device = Device::flex().autodiff();
        let data = TensorData::new(logits.to_vec(), [classes.len(), width]);
        let x = Tensor::<2>::from_data(data, &device).require_grad();
        let loss = cross_entropy(x.clone(), classes, form);
        let grads = (loss.clone() * 3.0).backward();
        let grads = x.grad(&grads).expect("tracked").into_data().iter::<f64>().map(|g| g / 3.0).collect();
        (loss.into_scalar::<f32>().into(), grads)
    }

    #[test]
    fn both_forms_are_the_definition_at_awkward_widths_and_sizes() {
        for (rows, width) in [(1, 1), (1, 2), (3, 10), (5, 17), (300, 65), (2, 20_000)] {
            let classes: Vec<i32> = (0..rows).map(|row| (row * 7 % width) as i32).collect();
            for size in [0.1, 5.0, 80.0, 1e4] {
                let logits = logits(rows, width, size);
                let (loss, grads) = by_loops(&logits, &classes, width);
                for form in [Form::Fused, Form::Portable] {
                    let (got, got_grads) = run(&logits, &classes, width, form);
                    let what = format!("{form:?}: {rows} rows of {width}, up to {size}");
                    let size = f64::from(size).max(1.0);
                    assert!((got - loss).abs() <= TOL * size, "{what}: {got} for {loss}");
                    for (got, grad) in got_grads.iter().zip(&grads) {
                        let error = (got - grad).abs() * rows as f64;
                        assert!(error <= TOL * size, "{what}: {got} for {grad}");
                    }
                }
            }
        }
    }

    /// Loss, rows classified correctly, and the gradients of input, weight and bias.
    fn run_linear(
        [rows, d_input, width]: [usize; 3],
        bias: bool,
        classes: &[i32],
        form: Form,
        one: bool,
    ) -> (f64, usize, Vec<Vec<f64>>) {
        let device = Device::flex();
        let mut layer = LinearConfig::new(d_input, width).with_bias(bias).init(&device);
        layer.weight = Param::from_tensor(seeded_tensor::<2>([d_input, width], 1, &device));
        layer.bias = bias.then(|| Param::from_tensor(seeded_tensor([width], 2, &device)));
        let (layer, x) =
            (layer.train(), seeded_tensor::<2>([rows, d_input], 3, &device.autodiff()).require_grad());
        let Classified { loss, correct } = match one {
            true => linear_cross_entropy(&layer, x.clone(), classes, form),
            false => classify(crate::linear::linear(&layer, x.clone(), form), classes, form),
        };
        let grads = (loss.clone() * 3.0).backward();
        let values = |data: TensorData| data.iter::<f64>().map(|g| g / 3.0).collect::<Vec<f64>>();
        let mut found = vec![
            values(x.grad(&grads).expect("tracked").into_data()),
            values(layer.weight.val().grad(&grads).expect("tracked").into_data()),
        ];
        found.extend(
            layer.bias.iter().map(|bias| values(bias.val().grad(&grads).expect("tracked").into_data())),
        );
        (loss.into_scalar::<f32>().into(), correct, found)
    }

    #[test]
    fn a_linear_layer_and_its_loss_in_one_are_the_two_in_a_row() {
        // No whole vectors, one class, more rows than a chunk of 2 MiB, more classes than rows.
        for sizes @ [rows, _, width] in
            [[1, 1, 1], [7, 5, 3], [600, 33, 1000], [2100, 17, 257], [3, 9, 20_000]]
        {
            let classes: Vec<i32> = (0..rows).map(|row| (row * 7 % width) as i32).collect();
            for bias in [true, false] {
                let (loss, correct, grads) = run_linear(sizes, bias, &classes, Form::Portable, false);
                for (form, one) in [(Form::Fused, true), (Form::Portable, true), (Form::Fused, false)] {
                    let (got, got_correct, got_grads) = run_linear(sizes, bias, &classes, form, one);
                    let what = format!("{form:?} {sizes:?} {bias} {one}");
                    assert!((got - loss).abs() <= TOL * loss.abs().max(1.0), "{what}: {got} for {loss}");
                    assert_eq!((got_correct, got_grads.len()), (correct, grads.len()), "{what}");
                    for (got, expected) in got_grads.iter().zip(&grads) {
                        let largest = expected.iter().fold(0.0_f64, |largest, g| largest.max(g.abs()));
                        assert!(
                            got.iter().zip(expected).all(|(a, b)| (a - b).abs() <= GRAD_TOL * largest),
                            "{what}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn without_gradients_the_loss_is_the_same() {
        let layer = LinearConfig::new(5, 300).init(&Device::flex());
        let classes: Vec<i32> = (0..3000).map(|row| row % 300).collect();
        let x = |device: &Device| seeded_tensor::<2>([3000, 5], 3, device);
        let [plain, tracked] = [Device::flex(), Device::flex().autodiff()].map(|device| {
            let layer = if device.is_autodiff() { layer.clone().train() } else { layer.clone() };
            let found = linear_cross_entropy(&layer, x(&device), &classes, Form::Fused);
            (found.loss.into_scalar::<f32>(), found.correct)
        });
        assert_eq!(plain, tracked);
    }

    #[test]
    fn of_equal_logits_the_first_counts() {
        for form in [Form::Fused, Form::Portable] {
            let mut layer = LinearConfig::new(2, 4).init(&Device::flex());
            layer.weight = Param::from_tensor(Tensor::zeros([2, 4], &Device::flex()));
            layer.bias = Some(Param::from_tensor(Tensor::from_data([0.0, 1.0, 1.0, 0.5], &Device::flex())));
            let x = Tensor::ones([4, 2], &Device::flex());
            assert_eq!(linear_cross_entropy(&layer, x, &[0, 1, 2, 3], form).correct, 1, "{form:?}");
        }
    }

    #[test]
    fn a_logit_that_is_not_finite_shows_in_the_loss() {
        for wrong in [f32::NAN, f32::INFINITY] {
            let mut logits = logits(3, 20, 1.0);
            logits[25] = wrong;
            let (loss, _) = run(&logits, &[0, 1, 2], 20, Form::Fused);
            assert!(!loss.is_finite(), "{wrong}: {loss}");
        }
    }

    #[test]
    #[should_panic(expected = "a class without a logit: there are 4")]
    fn a_class_beyond_the_logits_is_refused() {
        run(&[0.0; 8], &[3, 4], 4, Form::Fused);
    }
}
