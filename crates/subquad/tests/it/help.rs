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
      run       Train and compare what configs ask for
      bench     Measure time and memory of whole layers, each checked against its definition first
      check     Validate configs without running them
      verify    Replay recorded runs of published layers on ours and compare every tensor
      generate  Let a run trained on bytes go on with a text
      plot      Draw the figures of studies again from their committed CSV files
      list      List mixers, tasks, presets and configs, or the keys of configs
      help      Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Results go to standard output, progress and messages to standard error.
    Exit codes: 0 done, 1 something ran and failed, 2 wrong use or wrong input, 130 interrupted,
    128 + n stopped by signal n.
    ");
}

#[test]
fn run_explains_itself() {
    insta::assert_snapshot!(help("run --help"), @"
    Train and compare what configs ask for

    Usage: subquad run [OPTIONS] <CONFIG>...

    Arguments:
      <CONFIG>...  Config files, or folders of them

    Options:
          --set <KEY=VALUE>  Change a key in every config, such as train.steps=100; may be repeated
          --results <DIR>    Folder that results go to [default: results]
          --device <DEVICE>  Device that computes: cpu, wgpu, or auto (a GPU if any) [default: cpu]
          --jobs <N>         Runs at once, each in its own process; above 1 none is timed [default: 1]
          --threads <N>      Threads that compute [default: one a core, or RAYON_NUM_THREADS]
          --force            Run again what is done
          --dry-run          Only list the runs: which are done, which are to do
      -q, --quiet            No progress, only results, warnings and errors
      -h, --help             Print help

    Runs that are already in the results are not repeated, and a command that was interrupted or killed
    continues where it stopped when it is given again. docs/running.md tells what names a run, what
    happens on Ctrl-C, on signals of a batch system and when memory runs out, and what --jobs changes.
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
          --batch <N>            Sequences at once [default: 4]
          --d-model <N>          Width of input and output [default: 128]
          --decode               Measure one more token after contexts of these lengths instead
          --device <DEVICE>      Device that computes: cpu, wgpu, or auto (a GPU if any) [default: cpu]
          --simd <SET>           Instructions to use: avx512, avx2, neon, baseline [default: the best]
          --threads <N>          Threads that compute [default: one a core, or RAYON_NUM_THREADS]
          --seconds <S>          Seconds per layer and length; at least three repeats run [default: 3]
          --json                 Print a JSON array instead of a table
      -q, --quiet                No progress, only results, warnings and errors
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
      block_diagonal         block-diagonal (Monarch) MLP with a GELU gate
      block_diagonal_mlp     block-diagonal MLP with a GELU
      monarch_mlp            MLP of Monarch matrices, cut near the root, with a GELU
      monarch_glu            MLP of Monarch matrices, cut near the root, with a GELU gate
      dense_linear           only a dense linear layer, d_model to d_model
      block_diagonal_linear  the same, block-diagonal
      monarch_linear         the same, a Monarch matrix cut near the root

    forward runs without autodiff; forward+backward is forward, mean of squares, and backward to
    every parameter and to the input. Times are medians over repeats, which the layers of one length
    take in turns, so that whatever slows the machine for a while slows all of them. MLPs have a hidden
    width of 2 d_model, after the gate if they have one; block-diagonal layers have 4 blocks.

    GFLOP/s counts the matrix products of forward+backward, 2 operations a multiply-add: 3 multiply-adds
    for each weight and token of a linear layer; in causal attention also 7 for each feature of a query
    and each key it sees, of which one makes the scores a second time; in a Monarch matrix 3 for each
    entry of its factors and each feature, those above diagonals left out. The FMA peak is what chains
    of multiply-adds in registers reach on all threads, the better of before and after each length.

    --decode reads a context of each length, then times single tokens: by the layer's step, and by its
    stepper over plain slices where it has one. Only causal layers have steps.
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
          --smoke            Also train every run whose data are here for two steps, keeping nothing
          --resolved         Print each run as a config in which every key is written out
          --set <KEY=VALUE>  Change a key in every config, such as train.steps=100; may be repeated
      -h, --help             Print help
    ");
}

#[test]
fn verify_explains_itself() {
    insta::assert_snapshot!(help("verify --help"), @"
    Replay recorded runs of published layers on ours and compare every tensor

    Usage: subquad verify [OPTIONS] <FILE>...

    Arguments:
      <FILE>...  Recorded cases (.safetensors)

    Options:
          --device <DEVICE>  Device that computes: cpu, wgpu, or auto (a GPU if any) [default: cpu]
          --form <FORM>      Form to use, if not the device's own [possible values: portable, fused]
      -h, --help             Print help

    A case is a .safetensors file with metadata `layer` and `config`, parameters as `param.<name>`, and
    `input`, `output`, `grad_output` and `grad.<name>`. Outputs must agree within 1e-4 of the largest
    value, gradients within 1e-3, and every parameter must be used.
    The run of a whole model, NAME_run.safetensors, takes its weights from NAME.safetensors beside it.

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
    Let a run trained on bytes go on with a text

    Usage: subquad generate [OPTIONS] <RUN>

    Arguments:
      <RUN>  Folder of a run, or the folder of its study and the start of its name

    Options:
          --prompt <TEXT>    Text to go on with; without one, the model starts after a newline
          --bytes <N>        How many bytes to write [default: 256]
          --temperature <T>  Below 1 prefers likely bytes; 0 always takes the likeliest [default: 1]
          --top-k <K>        Draw among the K likeliest bytes only
          --top-p <P>        Draw among the fewest bytes that have probability P together [default: 1]
          --seed <S>         Another seed gives another text [default: 0]
          --device <DEVICE>  Device that computes: cpu, wgpu, or auto (a GPU if any) [default: cpu]
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
    Draw the figures of studies again from their committed CSV files

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
          --keys [<START>]  Keys of configs instead, all or those that start like mixer.s4d
      -h, --help            Print help
    ");
}

#[test]
fn the_version_is_that_of_the_crate() {
    assert_eq!(help("--version"), format!("subquad {}\n", env!("CARGO_PKG_VERSION")));
}
