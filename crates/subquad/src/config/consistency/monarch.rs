//! Do the keys of `[mixer.monarch]` or `[mixer.causal_monarch]` go together?

use subquad_monarch::{LearnedMonarchConfig, MonarchSequenceConfigError};

use super::super::draft::Draft;
use super::super::{MixerName, Problem, Value, schema};
use super::{Complaint, Context};

const HEADS: [&[&str]; 2] =
    [&["mixer.monarch.n_heads", "model.d_model"], &["mixer.causal_monarch.n_heads", "model.d_model"]];
const BLOCK: [&[&str]; 2] = [
    &["mixer.monarch.block", "mixer.monarch.l_max"],
    &["mixer.causal_monarch.block", "mixer.causal_monarch.l_max"],
];
const SIZES: [&[&str]; 2] = [
    &["mixer.monarch.block", "mixer.monarch.l_max", "mixer.monarch.n_heads"],
    &["mixer.causal_monarch.block", "mixer.causal_monarch.l_max", "mixer.causal_monarch.n_heads"],
];
const CAUSAL: &[&str] = &["model.causal"];
const EMB_DIM: &[&str] = &["mixer.causal_monarch.emb_dim"];
const FORM: &str = "mixer.causal_monarch.form";
/// Keys of the filter, which a matrix of blocks has not.
const FILTER: [&[&str]; 6] = [
    &["mixer.causal_monarch.filter_order", FORM],
    &["mixer.causal_monarch.emb_dim", FORM],
    &["mixer.causal_monarch.sine_frequency", FORM],
    &["mixer.causal_monarch.filter_lr", FORM],
    &["mixer.causal_monarch.filter_weight_decay", FORM],
    &["mixer.causal_monarch.position_lr", FORM],
];

/// Everything wrong; nothing for other mixers.
pub(super) fn complaints(draft: &Draft<'_>, context: &Context<'_>) -> Vec<Complaint> {
    let heads = HEADS.iter().filter_map(|keys| uneven_heads(draft, keys));
    let blocks = BLOCK.iter().filter_map(|keys| long_block(draft, keys));
    let short = BLOCK.iter().filter_map(|keys| short_matrix(draft, &keys[1..], context));
    let large = SIZES.iter().filter_map(|keys| too_large(draft, keys));
    let idle = FILTER.iter().filter_map(|keys| idle_filter(draft, keys));
    heads
        .chain(blocks)
        .chain(short)
        .chain(large)
        .chain(idle)
        .chain(even_embedding(draft))
        .chain(one_way(draft))
        .collect()
}

fn uneven_heads(draft: &Draft<'_>, keys: &'static [&'static str]) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(keys[0])?, draft.integer(keys[1])?);
    (d_model % n_heads != 0).then_some((Problem::UnevenHeads { n_heads, d_model }, keys))
}

fn long_block(draft: &Draft<'_>, keys: &'static [&'static str]) -> Option<Complaint> {
    let (block, l_max) = (draft.integer(keys[0])?, draft.integer(keys[1])?);
    (block > l_max).then_some((Problem::LongBlock { block, l_max }, keys))
}

/// In the words of the layers, which share this rule.
fn too_large(draft: &Draft<'_>, keys: &'static [&'static str]) -> Option<Complaint> {
    let size = |key: &str| usize::try_from(draft.integer(key)?).ok();
    let (block, l_max, n_heads) = (size(keys[0])?, size(keys[1])?, size(keys[2])?);
    let config = LearnedMonarchConfig::new(n_heads, l_max).with_n_heads(n_heads);
    let refused = config.with_block((block > 0).then_some(block)).check().err()?;
    let large = matches!(refused, MonarchSequenceConfigError::TooLarge { .. });
    large.then(|| (Problem::Layer { reason: refused.to_string() }, keys))
}

fn short_matrix(draft: &Draft<'_>, key: &'static [&'static str], context: &Context<'_>) -> Option<Complaint> {
    let (l_max, longest) = (draft.integer(key[0])?, context.longest);
    (l_max < longest).then_some((Problem::ShortFilter { l_max, longest }, key))
}

fn idle_filter(draft: &Draft<'_>, keys: &'static [&'static str]) -> Option<Complaint> {
    let (key, value) = (keys[0], draft.value(keys[0])?);
    let default = schema::find(key)?.default.value()?;
    let idle = draft.value(FORM)? == &Value::Text("blocks".to_owned()) && value != &default;
    idle.then_some((Problem::IdleFilter { key, default: default.to_string() }, keys))
}

fn even_embedding(draft: &Draft<'_>) -> Option<Complaint> {
    let (key, emb_dim) = (EMB_DIM[0], draft.integer(EMB_DIM[0])?);
    (emb_dim % 2 == 0).then_some((Problem::EvenEmbedding { key, emb_dim }, EMB_DIM))
}

/// One of the two looks ahead, and the other does not.
fn one_way(draft: &Draft<'_>) -> Option<Complaint> {
    let (mixer, causal) = (draft.mixer, draft.value(CAUSAL[0])? == &Value::Bool(true));
    match mixer {
        MixerName::Monarch if causal => Some((Problem::OnlyBidirectional { mixer }, CAUSAL)),
        MixerName::CausalMonarch if !causal => Some((Problem::OnlyCausal { mixer }, CAUSAL)),
        MixerName::Attention
        | MixerName::S4d
        | MixerName::S4
        | MixerName::H3
        | MixerName::Hyena
        | MixerName::M2
        | MixerName::Monarch
        | MixerName::CausalMonarch => None,
    }
}
