//! `mnist`: which digit is this? A picture of 28 x 28, read pixel by pixel.
//!
//! LeCun, Cortes, Burges: 60,000 training and 10,000 test images, read from the four files of the original distribution.

mod permutation;

use std::ops::Range;
use std::path::{Path, PathBuf};

use subquad_options::{Options, Refusal};

use crate::epochs::Epochs;
use crate::files::{DATA, bad, data_folder, digest, places};
use crate::options::{share, wrong_length};
use crate::{
    Batch, InputKind, Inputs, Metric, Stream, TargetKind, Targets, Task, TaskError, TaskInfo, TaskOptions,
    TaskSpec, idx,
};

pub use permutation::Permutation;

const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;
const CLASSES: usize = 10;
const WHITE: f32 = 255.0;
/// File names without extension; each may end in `.gz`.
const FILES: [[&str; 2]; 2] = [
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
    ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
];
/// The folder below `$SUBQUAD_DATA`.
const FOLDER: &str = "mnist";

/// Handwritten digits as 784 grey values in 0..=1, one pixel per token; the answer is one of 10 classes.
///
/// - Pixels are divided by 255 and nothing else.
/// - Split: the published one; the last tenth of its training images validates.
/// - Order: each epoch visits every training image once, in an order drawn from (seed, epoch).
///
/// One example by hand, from a made-up set: a picture in which only the third pixel is white, labelled three.
/// ```text
/// image:    0 0 255 0 .. 0
/// inputs:   0 0   1 0 .. 0
/// target:   3
/// ```
/// ```
/// use subquad_data::{Inputs, MnistConfig, Targets, TaskOptions};
/// # let folder = std::env::temp_dir().join(format!("subquad-mnist-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let mut picture = [0; 784];
/// picture[2] = 255;
/// // The headers: type and axes, then the lengths of these.
/// let images = [&[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28][..], &picture].concat();
/// let labels = [0, 0, 8, 1, 0, 0, 0, 1, 3];
/// for split in ["train", "t10k"] {
///     std::fs::write(folder.join(format!("{split}-images-idx3-ubyte")), &images)?;
///     std::fs::write(folder.join(format!("{split}-labels-idx1-ubyte")), labels)?;
/// }
/// let task = MnistConfig { path: folder.clone(), ..MnistConfig::default() }.open(784, 0)?;
/// # std::fs::remove_dir_all(folder)?;
/// let example = task.test_batch(0, 0..1);
/// let Inputs::Reals { features: 1, values } = example.inputs else { unreachable!() };
/// assert_eq!(values[..4], [0.0, 0.0, 1.0, 0.0]);
/// assert_eq!(example.targets, Targets::Sequence(vec![3]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct MnistConfig {
    /// The folder of the four files, gzipped or not. A relative path is looked for below the current folder, then below
    /// $SUBQUAD_DATA. Empty: $SUBQUAD_DATA/mnist.
    #[config(default = "PathBuf::new()")]
    #[option(given)]
    pub path: PathBuf,
    /// The order of pixels: row by row, by bit reversal, or one random order, the same in every run.
    #[config(default = "Permutation::None")]
    pub permutation: Permutation,
    /// Number of training and validation images, the first of the 60,000; 0: all.
    #[config(default = 0)]
    pub train_examples: usize,
    /// Number of test images, the first of the 10,000; 0: all.
    #[config(default = 0)]
    pub test_examples: usize,
    /// Share of the training images, the last of them, held out of training for validation, by whose score settings may be chosen; 0: all train.
    #[config(default = 0.1)]
    #[option(range = 0.0..=0.5, before = 0.0)]
    pub validation: f64,
}

impl TaskOptions for MnistConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "mnist",
            summary: "classify handwritten digits of 28 x 28, one pixel per token",
            lengths: "784",
            data: "task.path, the folder of the four IDX files (.gz too); empty: $SUBQUAD_DATA/mnist",
            caption: "MNIST, one pixel per token, in the order that the config names.",
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
        self.refused_by(|| {
            let rule = "an image is 28 x 28 pixels, one pixel per token";
            (seq_len != PIXELS).then(|| wrong_length(rule, PIXELS)).into_iter().collect()
        })
    }

    fn source(&self) -> Option<(PathBuf, [usize; 2])> {
        Some((self.path.clone(), [self.train_examples, self.test_examples]))
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let [train, test] = find(&self.path, data_folder().as_deref())?;
        let train = Images::read(&train, self.train_examples, "train_examples")?;
        let test = Images::read(&test, self.test_examples, "test_examples")?;
        let (all, tests) = (train.labels.len(), test.labels.len());
        let validation_len = share(self.validation, all);
        let train_len = all - validation_len;
        let epochs = Epochs::new(Stream::new(seed, "mnist/shuffle"), train_len);
        let spec = TaskSpec { train_len: Some(train_len), validation_len, ..self.spec(seq_len, tests) };
        Ok(Box::new(Mnist { spec, order: self.permutation.order(), train, test, epochs }))
    }
}

struct Mnist {
    spec: TaskSpec,
    order: Vec<usize>,
    train: Images,
    test: Images,
    epochs: Epochs,
}

impl Mnist {
    fn batch(&self, images: &Images, indices: impl ExactSizeIterator<Item = usize> + Clone) -> Batch {
        let pixels = |i: usize| {
            let image = &images.pixels[i * PIXELS..][..PIXELS];
            self.order.iter().map(|&pixel| f32::from(image[pixel]) / WHITE)
        };
        Batch {
            batch: indices.len(),
            seq_len: PIXELS,
            inputs: Inputs::Reals { features: 1, values: indices.clone().flat_map(pixels).collect() },
            targets: Targets::Sequence(indices.map(|i| u32::from(images.labels[i])).collect()),
        }
    }
}

impl Task for Mnist {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.batch(&self.train, self.epochs.batch(step, batch).into_iter())
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        self.batch(&self.train, range.map(|image| self.epochs.len() + image))
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        self.batch(&self.test, range)
    }

    /// The digest of the images that are used, and of their labels.
    fn digest(&self) -> Option<String> {
        let parts = [&self.train, &self.test].map(|images| [&images.pixels[..], &images.labels[..]]);
        Some(digest(parts.into_iter().flatten()))
    }
}

/// Images and their labels, in the file's order.
struct Images {
    /// `[image, 28, 28]`
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Images {
    /// The first `count` of these files; 0: all. `option` is what set the number.
    fn read([images, labels]: &[PathBuf; 2], count: usize, option: &str) -> Result<Self, TaskError> {
        let ([there, ..], pixels) = idx::values(images, check_sizes)?;
        let ([labelled], classes) = idx::values(labels, |_| Ok(()))?;
        if labelled != there {
            return Err(bad(
                labels,
                format!("{labelled} labels for {there} images; the two files must belong together"),
            ));
        }
        if let Some(label) = classes.iter().find(|&&label| usize::from(label) >= CLASSES) {
            return Err(bad(labels, format!("a label is {label}, not a digit of 0 to 9")));
        }
        if there < count {
            return Err(bad(images, format!("holds {there} images, fewer than {option} = {count}")));
        }
        Ok(Self { pixels, labels: classes }.first(if count == 0 { there } else { count }))
    }

    fn first(mut self, count: usize) -> Self {
        self.pixels.truncate(count * PIXELS);
        self.labels.truncate(count);
        self
    }
}

/// Whether these are the lengths of a file of images.
fn check_sizes([there, height, width]: [usize; 3]) -> Result<(), String> {
    if (height, width) != (SIDE, SIDE) {
        return Err(format!("its images are {height} x {width}, not {SIDE} x {SIDE}"));
    }
    match there {
        0 => Err("the file holds no images; fetch it again".into()),
        _ => Ok(()),
    }
}

/// The four files, from the first folder that has them all.
fn find(path: &Path, folder: Option<&Path>) -> Result<[[PathBuf; 2]; 2], TaskError> {
    let folders = match path.as_os_str().is_empty() {
        true => folder.map(|folder| folder.join(FOLDER)).into_iter().collect(),
        false => places(path, folder),
    };
    let found = folders.iter().find_map(|folder| files(folder));
    found.ok_or_else(|| no_images(&folders))
}

fn files(folder: &Path) -> Option<[[PathBuf; 2]; 2]> {
    let pair = |[images, labels]: [&str; 2]| Some([idx::find(folder, images)?, idx::find(folder, labels)?]);
    Some([pair(FILES[0])?, pair(FILES[1])?])
}

fn no_images(folders: &[PathBuf]) -> TaskError {
    let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let looked_for = match folders.is_empty() {
        true => format!("neither task.path nor {DATA} is set"),
        false => format!("looked in {}", folders.join(", ")),
    };
    let names = FILES.concat().join(", ");
    let advice = format!(
        "set task.path to the folder of {names} (each with or without .gz), or {DATA} to the folder that contains `{FOLDER}`"
    );
    TaskError::NoData { task: MnistConfig::info().name, looked_for, advice }
}
