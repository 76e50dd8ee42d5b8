//! Do the keys of `[mixer.hyena]` or `[mixer.m2]` go together?

use super::super::{MixerName, Problem, Value};
use super::{Complaint, Context, Draft};

/// The keys of one of the two that a check reads.
struct Names {
    emb_dim: &'static [&'static str],
    shift: &'static [&'static str],
    l_max: &'static [&'static str],
}

const HYENA: Names = Names {
    emb_dim: &["mixer.hyena.emb_dim"],
    shift: &["mixer.hyena.shift", "mixer.hyena.modulate"],
    l_max: &["mixer.hyena.l_max"],
};
const M2: Names = Names {
    emb_dim: &["mixer.m2.emb_dim"],
    shift: &["mixer.m2.shift", "mixer.m2.modulate"],
    l_max: &["mixer.m2.l_max"],
};
const CAUSAL: &str = "model.causal";
const REV_OFFSET: &[&str] = &["mixer.m2.rev_offset", CAUSAL];

/// Everything wrong; nothing for other mixers.
pub(super) fn complaints(draft: &Draft<'_>, context: &Context<'_>) -> Vec<Complaint> {
    let names = match draft.mixer {
        MixerName::Hyena => HYENA,
        MixerName::M2 => M2,
        MixerName::Attention
        | MixerName::S4d
        | MixerName::S4
        | MixerName::H3
        | MixerName::Monarch
        | MixerName::CausalMonarch => return vec![],
    };
    let found = [
        even_embedding(draft, &names),
        idle_shift(draft, &names),
        short_filter(draft, &names, context),
        idle_offset(draft),
        only_causal(draft),
    ];
    found.into_iter().flatten().collect()
}

fn even_embedding(draft: &Draft<'_>, names: &Names) -> Option<Complaint> {
    let (key, emb_dim) = (names.emb_dim[0], draft.integer(names.emb_dim[0])?);
    (emb_dim % 2 == 0).then_some((Problem::EvenEmbedding { key, emb_dim }, names.emb_dim))
}

fn idle_shift(draft: &Draft<'_>, names: &Names) -> Option<Complaint> {
    let (key, needed) = (names.shift[0], names.shift[1]);
    let shift = draft.real(key)?;
    let idle = shift != 0.0 && draft.value(needed)? == &Value::Bool(false);
    idle.then_some((Problem::IdleShift { key, shift, needed }, names.shift))
}

fn short_filter(draft: &Draft<'_>, names: &Names, context: &Context<'_>) -> Option<Complaint> {
    let (l_max, longest) = (draft.integer(names.l_max[0])?, context.longest);
    (l_max < longest).then_some((Problem::ShortFilter { l_max, longest }, names.l_max))
}

fn idle_offset(draft: &Draft<'_>) -> Option<Complaint> {
    let rev_offset = draft.integer(REV_OFFSET[0])?;
    let idle = rev_offset != 1 && draft.value(CAUSAL)? == &Value::Bool(true);
    idle.then_some((Problem::IdleOffset { rev_offset }, REV_OFFSET))
}

fn only_causal(draft: &Draft<'_>) -> Option<Complaint> {
    let mixer = draft.mixer;
    let both_ways = draft.value(CAUSAL)? == &Value::Bool(false);
    (mixer == MixerName::Hyena && both_ways).then_some((Problem::OnlyCausal { mixer }, &[CAUSAL]))
}
