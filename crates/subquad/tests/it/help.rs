//! Help texts, as they are printed.

use crate::lab::{Lab, crates};

fn help(arguments: &str) -> String {
    let answer = Lab::new().subquad(arguments).expect(0);
    assert_eq!(answer.err, "");
    let widest = answer.out.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 100, "a line of {widest} characters in:\n{}", answer.out);
    answer.out
}

#[test]
fn the_program_explains_itself() {
    insta::assert_snapshot!(help("--help"), @"
    Train and compare attention, S4D and Monarch Mixer across sequence lengths from config files

    Usage: subquad <COMMAND>

    Commands:
      run       Run the experiments that configs describe, and compare them
      bench     Measure time and memory of whole layers, each checked against its definition first
      check     Validate configs without running them
      verify    Check our layers against recorded runs of published ones, tensor by tensor
      generate  Continue a text with a model trained on bytes
      plot      Redraw the figures of studies from their committed CSV files
      list      List mixers, tasks, presets and configs, or the keys of configs
      help      Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Results go to standard output, progress and messages to standard error.
    Exit codes: 0 success, 1 something ran and failed, 2 wrong usage or input, 130 interrupted,
    128 + n stopped by signal n.
    ");
}

#[test]
fn run_explains_itself() {
    insta::assert_snapshot!(help("run --help"), @"
    Run the experiments that configs describe, and compare them

    Usage: subquad run [OPTIONS] <CONFIG>...

    Arguments:
      <CONFIG>...  Config files, or folders of them

    Options:
          --set <KEY=VALUE>  Set a key in every config, such as train.steps=100; may be repeated
          --results <DIR>    Folder for the results [default: results]
          --device <DEVICE>  Device: cpu, wgpu, or auto (a GPU if there is one) [default: cpu]
          --jobs <N>         Number of runs at once; above 1, no timings are shown [default: 1]
          --threads <N>      Number of threads [default: one per core, or RAYON_NUM_THREADS]
          --force            Repeat runs that are already done
          --dry-run          Only list the runs and whether each is done
      -q, --quiet            Show no progress, only results, warnings and errors
      -h, --help             Print help

    Runs that are already in the results are not repeated. After an interruption or a kill, give the
    same command again: it continues where it stopped. docs/running.md explains how runs are named, what
    --jobs changes, and what happens on Ctrl-C, on a batch system's signals and when memory runs out.
    Keys of a config: configs/KEYS.md, or subquad list --keys.
    ");
}

#[test]
fn bench_explains_itself() {
    insta::assert_snapshot!(help("bench --help"), @"
    Measure time and memory of whole layers, each checked against its definition first

    Usage: subquad bench [OPTIONS]

    Options:
          --mixers <NAME,..>     Layers to measure [default: attention,s4d,m2]
          --lengths <TOKENS,..>  Sequence lengths [default: 256,1024,4096]
          --batch <N>            Sequences per batch [default: 4]
          --d-model <N>          Width of input and output [default: 128]
          --decode               Time single tokens after contexts of these lengths instead
          --blocks <N>           With --decode: whole models of N blocks around the layers, on bytes
          --device <DEVICE>      Device: cpu, wgpu, or auto (a GPU if there is one) [default: cpu]
          --simd <SET>           Instruction set: avx512, avx2, neon, baseline [default: the best]
          --threads <N>          Number of threads [default: one per core, or RAYON_NUM_THREADS]
          --seconds <S>          Seconds per layer and length, for at least three repeats [default: 3]
          --json                 Print a JSON array instead of a table
      -q, --quiet                Show no progress, only results, warnings and errors
      -h, --help                 Print help

    Layers:
      attention              softmax attention: causal, 4 heads, no positions
      s4d                    diagonal state space: causal, d_state 64, GELU, gated linear output
      s4                     state space, diagonal plus low rank: as s4d, init legs, l_max = seq
      h3                     two state spaces and two products: causal, head_dim 1, d_state 64
      ema                    exponential moving average: causal, reach 16
      hyena                  Hyena: causal, order 2, filter order 64, l_max = seq + decoded tokens
      m2                     Monarch Mixer: bidirectional, residual filter, filter order 64, l_max = seq
      monarch                two learned Monarch matrices: bidirectional, gated, l_max = seq
      causal_monarch         learned Monarch matrix of triangular blocks: causal, gated, l_max = seq
      fft_conv               causal long convolution and its kernel; input [batch, d_model, seq]
      monarch_conv           the same convolution as fft_conv, by products with Monarch matrices
      dense                  dense MLP with a GELU
      dense_glu              dense MLP with a GELU gate
      swiglu                 dense MLP with a SiLU gate, without biases
      block_diagonal         block-diagonal (Monarch) MLP with a GELU gate
      block_diagonal_mlp     block-diagonal MLP with a GELU
      monarch_mlp            MLP of Monarch matrices, cut near the root, with a GELU
      monarch_glu            MLP of Monarch matrices, cut near the root, with a GELU gate
      dense_linear           only a dense linear layer, d_model to d_model
      block_diagonal_linear  the same, block-diagonal
      monarch_linear         the same, a Monarch matrix cut near the root

    forward runs without autodiff; forward+backward is forward, mean of squares, and backward to
    every parameter and to the input. Times are medians over repeats. The layers of one length take
    turns, so that whatever slows the machine for a while slows all of them. MLPs have a hidden
    width of 2 d_model, after the gate if they have one; block-diagonal layers have 4 blocks.

    GFLOP/s counts products and convolutions of forward+backward, with 2 operations per multiply-add,
    and nothing twice that is computed again to save memory: 3 multiply-adds per weight and token in a
    linear layer; in causal attention also 6 per feature for each query and each key that it sees.
    docs/performance.md has the other counts. MFU is their share of the FMA peak: the speed of
    multiply-adds in registers on all threads, the better of a run before and one after each length.

    --decode reads a context of each length, then times single tokens with the layer's step, and with
    its stepper over plain slices if it has one. Only causal layers have steps. With --blocks it times
    whole models: an embedding of bytes, blocks of layer norms, the mixer with every option at its
    default, causal, and a dense MLP of 4 d_model, a last norm and a head.
    ");
}

#[test]
fn check_explains_itself() {
    insta::assert_snapshot!(help("check --help"), @"
    Validate configs without running them

    Usage: subquad check [OPTIONS] [PATH]

    Arguments:
      [PATH]  A config file, a folder of them, or a folder of such folders [default: configs]

    Options:
          --smoke            Also train every run whose data are present for two steps, and keep nothing
          --resolved         Print each run as a complete config, with every key
          --set <KEY=VALUE>  Set a key in every config, such as train.steps=100; may be repeated
      -h, --help             Print help
    ");
}

#[test]
fn verify_explains_itself() {
    insta::assert_snapshot!(help("verify --help"), @"
    Check our layers against recorded runs of published ones, tensor by tensor

    Usage: subquad verify [OPTIONS] <FILE>...

    Arguments:
      <FILE>...  Recorded cases (.safetensors)

    Options:
          --device <DEVICE>  Device: cpu, wgpu, or auto (a GPU if there is one) [default: cpu]
          --form <FORM>      Form to use, if not the device's own [possible values: portable, fused]
      -h, --help             Print help

    A case is a .safetensors file with metadata `layer` and `config`, parameters as `param.<name>`, and
    `input`, `output`, `grad_output` and `grad.<name>`. Outputs must agree within 1e-4 of the largest
    value, gradients within 1e-3, and every parameter must be used.
    The run of a whole model, NAME_run.safetensors, takes its weights from NAME.safetensors in the same
    folder.

    Layers:
      s4_block, s4d, h3
      m2_sequence_mixer, hyena, block_diagonal_linear, monarch_linear
      s4_model, s4_sequence_model, m2_bert
    ");
}

#[test]
fn the_page_of_verify_has_a_row_for_every_layer() {
    let (text, page) = (help("verify --help"), crates().join("../docs/verify.md"));
    let page = fs_err::read_to_string(page).unwrap();
    let layers = text.split("Layers:").nth(1).unwrap().split([',', '\n']).map(str::trim);
    let layers: Vec<&str> = layers.filter(|layer| !layer.is_empty()).collect();
    assert!(layers.contains(&"s4_block"), "{text}");
    for layer in layers {
        assert!(page.contains(&format!("\n| `{layer}` |")), "{layer} is not in docs/verify.md");
    }
}

#[test]
fn generate_explains_itself() {
    insta::assert_snapshot!(help("generate --help"), @r#"
    Continue a text with a model trained on bytes

    Usage: subquad generate [OPTIONS] <RUN>

    Arguments:
      <RUN>  Folder of a run; the start of its name is enough, as in results/STUDY/s4d

    Options:
          --prompt <TEXT>    Text to continue; without one, the model starts after a newline
          --bytes <N>        Number of bytes to write [default: 256]
          --temperature <T>  Below 1 prefers likely bytes; 0 always takes the likeliest [default: 1]
          --top-k <K>        Draw only from the K likeliest bytes
          --top-p <P>        Draw only from the fewest bytes whose probabilities sum to P [default: 1]
          --seed <S>         Seed; a different one gives a different text [default: 0]
          --device <DEVICE>  Device: cpu, wgpu, or auto (a GPU if there is one) [default: cpu]
      -h, --help             Print help

    Only the text goes to standard output, byte for byte; the prompt is not repeated. A terminal shows
    � for bytes that are not text. The same seed gives the same text.

    Example:
      subquad generate results/STUDY/s4d-L256-s0 --prompt "A sequence" --bytes 400 --temperature 0.8
    "#);
}

#[test]
fn plot_explains_itself() {
    insta::assert_snapshot!(help("plot --help"), @"
    Redraw the figures of studies from their committed CSV files

    Usage: subquad plot <STUDY>...

    Arguments:
      <STUDY>...  Folders of studies, such as results/00-quickstart

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn list_explains_itself() {
    insta::assert_snapshot!(help("list --help"), @"
    List mixers, tasks, presets and configs, or the keys of configs

    Usage: subquad list [OPTIONS] [CONFIGS]

    Arguments:
      [CONFIGS]  Folder of configs [default: configs]

    Options:
          --keys [<START>]  List keys of configs instead: all, or those that start with START
      -h, --help            Print help
    ");
}

#[test]
fn the_version_is_that_of_the_crate() {
    assert_eq!(help("--version"), format!("subquad {}\n", env!("CARGO_PKG_VERSION")));
}
