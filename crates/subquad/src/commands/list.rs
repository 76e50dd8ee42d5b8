//! `subquad list`: what there is to choose from.

use std::io::Write;
use std::path::{Path, PathBuf};

use subquad_model::Preset;

use super::check::config_folders;
use crate::Failure;
use crate::config::number::grouped;
use crate::config::{MixerName, find_configs};

/// List mixers, tasks, presets and configs
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of configs
    #[arg(default_value = "configs")]
    pub configs: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// If the folder cannot be read.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "Mixers")?;
    for mixer in MixerName::ALL {
        writeln!(out, "  {:15} {}", mixer.as_str(), summary(*mixer))?;
    }
    writeln!(out, "\nChannel mixers")?;
    for (name, summary) in CHANNEL_MIXERS {
        writeln!(out, "  {name:15} {summary}")?;
    }
    writeln!(out, "\nTasks")?;
    for task in subquad_data::tasks() {
        writeln!(out, "  {:12} {}", task.name, task.summary)?;
        writeln!(out, "  {:12} seq_len: {}\n  {:12} data: {}", "", task.lengths, "", task.data)?;
    }
    writeln!(out, "\nPresets, in the crate subquad-model")?;
    for preset in subquad_model::presets() {
        writeln!(out, "  {:14} {}", preset.name, preset.summary)?;
        writeln!(out, "  {:14} {}", "", shape(&preset))?;
    }
    writeln!(out, "\nConfigs")?;
    for file in configs(&args.configs)? {
        writeln!(out, "  {}", file.display())?;
    }
    Ok(())
}

/// The words of `model.channel_mixer`.
const CHANNEL_MIXERS: [(&str, &str); 4] = [
    ("dense", "two dense layers: time grows with the square of the width"),
    ("block_diagonal", "two block-diagonal layers: that, divided by the number of blocks"),
    ("monarch", "two layers of Monarch matrices: width^1.5 with model.n_blocks = 0"),
    ("none", "no channel mixer: a block is only its sequence mixer"),
];

fn summary(mixer: MixerName) -> &'static str {
    match mixer {
        MixerName::Attention => {
            "softmax attention: time grows with the square of the length, the cache in decoding with the length"
        }
        MixerName::S4d => {
            "diagonal state space (S4D): seq log seq in training, a state of fixed size in decoding"
        }
        MixerName::S4 => {
            "state space, diagonal plus low rank (S4): seq log seq in training, a state of fixed size in decoding"
        }
        MixerName::H3 => {
            "two state spaces and two products (H3): seq log seq in training, a state of fixed size in decoding; causal only"
        }
        MixerName::Hyena => {
            "gated implicit long convolutions (Hyena): seq log seq in training, the state grows; causal only"
        }
        MixerName::M2 => {
            "Monarch Mixer's gated implicit long convolution: seq log seq in training, the state grows"
        }
        MixerName::Monarch => {
            "two learned Monarch matrices along the sequence: seq^1.5 in training; bidirectional only"
        }
        MixerName::CausalMonarch => {
            "a learned Monarch matrix that does not look ahead: seq^1.5 in training, the state grows; causal only"
        }
    }
}

fn shape(preset: &Preset) -> String {
    let (config, l_max) = (&preset.config, preset.l_max);
    format!(
        "{} parameters: {} blocks of width {}, {} tokens to choose from, up to {l_max} of them",
        grouped(config.n_parameters() as u128),
        config.n_layers,
        config.d_model,
        grouped(config.head.outputs() as u128)
    )
}

fn configs(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![];
    for folder in config_folders(folder)? {
        files.extend(find_configs(&folder)?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::CHANNEL_MIXERS;
    use crate::config::{KEYS, Kind};

    #[test]
    fn every_channel_mixer_is_listed() {
        let key = KEYS.iter().find(|key| key.name == "model.channel_mixer").expect("it is there");
        let Kind::OneOf(words) = key.kind else { panic!("{:?}", key.kind) };
        assert_eq!(words, CHANNEL_MIXERS.map(|(name, _)| name));
    }
}
