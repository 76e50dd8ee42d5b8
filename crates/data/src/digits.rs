//! `digits`: which digit is this? A small picture, read pixel by pixel.
//!
//! Real data, embedded in the program: 1,797 images of 8 x 8 pixels with values 0..16, UCI "Optical Recognition of
//! Handwritten Digits", E. Alpaydin and C. Kaynak 1998, CC BY 4.0 (see `assets/README.md`).

use std::io::Read;
use std::ops::Range;

use subquad_options::{Options, Refusal};

use crate::epochs::Epochs;
use crate::options::{share, wrong_length};
use crate::resize::bilinear;
use crate::{
    Batch, InputKind, Inputs, Metric, Stream, TargetKind, Targets, Task, TaskError, TaskInfo, TaskOptions,
    TaskSpec,
};

const ASSET: &[u8] = include_bytes!("../assets/digits.csv.gz");
const SIDE: usize = 8;
const CLASSES: usize = 10;
const WHITE: f32 = 16.0;
/// The split is part of the task: it is the same for every seed of a run.
const SPLIT_SEED: u64 = 0;

/// Handwritten digits as sequences of grey values in 0..=1; the answer is one of 10 classes.
///
/// - Length: `side * side`, one pixel per token, row by row. 64 (8 x 8) is the original. Larger squares are bilinear
///   upsamplings (half-pixel centres, edges clamped; PyTorch's `interpolate(align_corners=False)`): they make the
///   sequence longer and **add no information**.
/// - Split: 1,438 training and 359 test images, a fifth of each class for testing, the same for every seed. Writers
///   are not named in the data, so one may appear on both sides.
/// - Order: each epoch visits every training image once, in an order drawn from (seed, epoch).
///
/// One example by hand: the first test image, a zero, in 16ths and with `.` for 0.
/// ```text
///  .  .  5 13  9  1  .  .
///  .  . 13 15 10 15  5  .
///  .  3 15  2  . 11  8  .
///  .  4 12  .  .  8  8  .     inputs:  0  0  5/16  13/16  9/16  1/16  0  0 | 0  0  13/16 ..
///  .  5  8  .  .  9  8  .     target:  0
///  .  4 11  .  1 12  7  .
///  .  2 14  5 10 12  .  .
///  .  .  6 13 10  .  .  .
/// ```
/// ```
/// use subquad_data::{DigitsConfig, Inputs, Targets, TaskOptions};
/// let example = DigitsConfig::default().open(64, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.targets, Targets::Sequence(vec![0]));
/// let Inputs::Reals { features: 1, values } = example.inputs else { unreachable!() };
/// assert_eq!(values.len(), 64);
/// let sixteenths: Vec<f32> = values[..8].iter().map(|x| x * 16.0).collect();
/// assert_eq!(sixteenths, [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]);
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct DigitsConfig {
    /// Share of the training images of each class held out of training for validation, by whose score settings may be chosen; 0: all train.
    #[config(default = 0.1)]
    #[option(range = 0.0..=0.5, before = 0.0)]
    pub validation: f64,
}

impl TaskOptions for DigitsConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "digits",
            summary: "classify handwritten digits (1,797 embedded images), one pixel per token",
            lengths: "squares from 64 (8 x 8); above 64 the images are upsampled, which adds no information",
            data: "embedded",
            caption: "Digits of 8 x 8 pixels, one pixel per token; longer sequences are the same images upsampled bilinearly, \
                      which adds no information.",
            metric: Metric::Accuracy,
        }
    }

    fn input(&self) -> InputKind {
        InputKind::Reals { features: 1 }
    }

    fn validates(&self) -> bool {
        self.validation > 0.0
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::Sequence { classes: CLASSES }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        let side = seq_len.isqrt();
        if side >= SIDE && side * side == seq_len {
            return vec![];
        }
        let nearest = match side < SIDE {
            true => format!("{}", SIDE * SIDE),
            false => format!("{} or {}", side * side, (side + 1).saturating_pow(2)),
        };
        vec![wrong_length("an image is a square of at least 8 x 8 pixels, one pixel per token", nearest)]
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let images = Images::decode();
        let split = Split::new(&images.labels, self.validation);
        let validation_len = split.validation.len();
        let (train_len, tests) = (split.train.len(), split.test.len());
        let epochs = Epochs::new(Stream::new(seed, "digits/shuffle"), train_len);
        let spec = TaskSpec { train_len: Some(train_len), validation_len, ..self.spec(seq_len, tests) };
        Ok(Box::new(Digits { spec, images, split, epochs }))
    }
}

struct Digits {
    spec: TaskSpec,
    images: Images,
    split: Split,
    epochs: Epochs,
}

impl Digits {
    fn batch(&self, indices: &[usize]) -> Batch {
        let (seq_len, images) = (self.spec.seq_len, &self.images);
        let values =
            indices.iter().flat_map(|&i| bilinear(images.pixels(i), SIDE, seq_len.isqrt())).collect();
        let labels = indices.iter().map(|&i| images.labels[i]).collect();
        Batch {
            batch: indices.len(),
            seq_len,
            inputs: Inputs::Reals { features: 1, values },
            targets: Targets::Sequence(labels),
        }
    }
}

impl Task for Digits {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        let picks: Vec<usize> = self.epochs.batch(step, batch).iter().map(|&i| self.split.train[i]).collect();
        self.batch(&picks)
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        self.batch(&self.split.validation[range])
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        self.batch(&self.split.test[range])
    }
}

/// All images and their labels, in the file's order.
struct Images {
    /// `[image, 8, 8]`, values 0..=1.
    pixels: Vec<f32>,
    labels: Vec<u32>,
}

impl Images {
    fn decode() -> Self {
        let mut text = String::new();
        flate2::read::GzDecoder::new(ASSET)
            .read_to_string(&mut text)
            .expect("the embedded digits are gzipped text");
        let mut images = Self { pixels: Vec::new(), labels: Vec::new() };
        text.lines().for_each(|line| images.push(line));
        images
    }

    /// Adds a line of 64 pixels and a label.
    fn push(&mut self, line: &str) {
        let numbers: Vec<u32> =
            line.split(',').map(|n| n.parse().expect("the embedded digits are whole numbers")).collect();
        let (pixels, label) = numbers.split_at(SIDE * SIDE);
        self.pixels.extend(pixels.iter().map(|&p| p as f32 / WHITE));
        self.labels.extend(label);
    }

    fn pixels(&self, image: usize) -> &[f32] {
        &self.pixels[image * SIDE * SIDE..][..SIDE * SIDE]
    }
}

/// Which images train, validate and test, each in the file's order.
struct Split {
    train: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
}

impl Split {
    /// A fifth of each class, rounded, becomes the test set, and this share of the rest, rounded, the validation set.
    fn new(labels: &[u32], validation: f64) -> Self {
        let stream = Stream::new(SPLIT_SEED, "digits/split");
        let mut split = Self { train: vec![], validation: vec![], test: vec![] };
        for class in 0..CLASSES as u32 {
            let mut members: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == class).collect();
            stream.at(class.into(), 0).shuffle(&mut members);
            let (test, others) = members.split_at((members.len() + 2) / 5);
            let (validating, train) = others.split_at(share(validation, others.len()));
            split.test.extend(test);
            split.validation.extend(validating);
            split.train.extend(train);
        }
        split.train.sort_unstable();
        split.validation.sort_unstable();
        split.test.sort_unstable();
        split
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of each digit 0..=9, as published.
    const COUNTS: [usize; CLASSES] = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180];

    fn counts(labels: impl Iterator<Item = u32>) -> [usize; CLASSES] {
        let mut counts = [0; CLASSES];
        labels.for_each(|label| counts[label as usize] += 1);
        counts
    }

    #[test]
    fn the_embedded_data_are_the_published_ones() {
        let images = Images::decode();
        assert_eq!(images.labels.len(), 1797);
        assert_eq!(images.pixels.len(), 1797 * 64);
        assert_eq!(images.labels[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(counts(images.labels.iter().copied()), COUNTS);
        assert!(images.pixels.iter().all(|p| (0.0..=1.0).contains(p)));
        // The sum of the original 0..=16 values.
        let sum: f64 = images.pixels.iter().map(|&p| f64::from(p * WHITE)).sum();
        assert_eq!(sum, 561718.0);
        assert_eq!(
            images.pixels(0)[..8].iter().map(|p| p * WHITE).collect::<Vec<_>>(),
            [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0]
        );
    }

    #[test]
    fn the_splits_are_disjoint_and_cover_all_images() {
        for (validation, sizes) in [(0.0, [1438, 0, 359]), (0.1, [1293, 145, 359]), (0.5, [717, 721, 359])] {
            let split = Split::new(&Images::decode().labels, validation);
            let all = [split.train, split.validation, split.test];
            assert_eq!(all.each_ref().map(Vec::len), sizes);
            let mut all = all.concat();
            all.sort_unstable();
            assert_eq!(all, (0..1797).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_fifth_of_every_class_is_for_testing() {
        let labels = Images::decode().labels;
        let split = Split::new(&labels, 0.0);
        let test = counts(split.test.iter().map(|&i| labels[i]));
        assert_eq!(test, COUNTS.map(|n| (n as f64 / 5.0).round() as usize));
    }
}
