//! Do the keys of the channel mixer go together?

use super::super::Problem;
use super::super::draft::Draft;
use super::Complaint;

const MIXER: &str = "model.channel_mixer";
const GATE: &[&str] = &["model.channel_gate", MIXER];
const BLOCKS: &[&str] = &["model.n_blocks", MIXER];
const WIDTHS: [&[&str]; 2] =
    [&["model.n_blocks", "model.d_model", MIXER], &["model.n_blocks", "model.d_hidden", MIXER]];

/// Everything wrong.
pub(super) fn complaints(draft: &Draft<'_>) -> Vec<Complaint> {
    let crowded = WIDTHS.iter().filter_map(|keys| too_many_blocks(draft, keys));
    crowded.chain(no_blocks(draft)).chain(idle_gate(draft)).collect()
}

fn too_many_blocks(draft: &Draft<'_>, keys: &'static [&'static str]) -> Option<Complaint> {
    let (n_blocks, width, mixer) =
        (draft.integer(keys[0])?, draft.integer(keys[1])?, draft.value(MIXER)?.to_string());
    let crowded = ["block_diagonal", "monarch"].contains(&mixer.as_str()) && n_blocks > width;
    crowded.then_some((Problem::TooManyBlocks { n_blocks, key: keys[1], width }, keys))
}

fn no_blocks(draft: &Draft<'_>) -> Option<Complaint> {
    let none = draft.integer(BLOCKS[0])? == 0 && draft.value(MIXER)?.to_string() == "block_diagonal";
    none.then_some((Problem::NoBlocks, BLOCKS))
}

fn idle_gate(draft: &Draft<'_>) -> Option<Complaint> {
    let (gate, mixer) = (draft.value(GATE[0])?.to_string(), draft.value(MIXER)?.to_string());
    (gate != "auto" && mixer == "none").then_some((Problem::IdleGate { gate }, GATE))
}
