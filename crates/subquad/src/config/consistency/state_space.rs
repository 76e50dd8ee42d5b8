//! Do the keys of `[mixer.s4d]`, `[mixer.s4]` or `[mixer.h3]` go together?

use subquad_s4::{S4Init, S4dInit};

use super::super::draft::Draft;
use super::super::{MixerName, Origin, Problem, Value};

/// The run's section of a state space.
struct Section<'a> {
    draft: &'a Draft<'a>,
    name: &'static str,
}

/// A complaint, and the last parts of the keys to blame: the first of them that was set.
type Complaint = (Problem, &'static [&'static str]);

/// Everything wrong, and where it was written; nothing for other mixers.
pub(super) fn complaints(draft: &Draft<'_>) -> Vec<(Problem, Option<Origin>)> {
    let name = match draft.mixer {
        MixerName::S4d => "mixer.s4d",
        MixerName::S4 => "mixer.s4",
        MixerName::H3 => "mixer.h3",
        MixerName::Attention
        | MixerName::Hyena
        | MixerName::M2
        | MixerName::Monarch
        | MixerName::CausalMonarch => return vec![],
    };
    let section = Section { draft, name };
    let checks = [
        only_causal,
        odd_state,
        uneven_heads,
        uneven_ssm,
        uneven_mixture,
        crossed_steps,
        unreached_decay,
        decay_at_floor,
        narrow_output,
        idle_tie,
        low_rank,
        short_kernel,
    ];
    let found = checks.iter().filter_map(|check| check(&section));
    found.map(|(problem, blamed)| (problem, section.origin(blamed))).collect()
}

impl Section<'_> {
    /// The dotted name of a key of the section, or of the two of `[model]` that concern it; `None` where it is in doubt.
    fn key(&self, leaf: &str) -> Option<&'static str> {
        let section = if ["d_model", "causal"].contains(&leaf) { "model" } else { self.name };
        let name = format!("{section}.{leaf}");
        self.draft.settings.get_key_value(name.as_str()).map(|(name, _)| *name)
    }

    fn value(&self, leaf: &str) -> Option<&Value> {
        self.draft.value(self.key(leaf)?)
    }

    fn integer(&self, leaf: &str) -> Option<i64> {
        self.value(leaf)?.as_integer()
    }

    fn real(&self, leaf: &str) -> Option<f64> {
        self.value(leaf)?.as_real()
    }

    fn word(&self, leaf: &str) -> Option<String> {
        Some(self.value(leaf)?.to_string())
    }

    /// Channels of the state space: those of the model, or the heads of H3 if they are whole.
    fn rows(&self) -> Option<i64> {
        let d_model = self.integer("d_model")?;
        match self.has_heads() {
            false => Some(d_model),
            true => {
                self.integer("head_dim").filter(|width| d_model % width == 0).map(|width| d_model / width)
            }
        }
    }

    fn has_heads(&self) -> bool {
        self.draft.mixer == MixerName::H3
    }

    /// Distinct sets of A and B.
    fn systems(&self) -> Option<i64> {
        match self.integer("n_ssm")? {
            0 => self.rows(),
            n_ssm => Some(n_ssm),
        }
    }

    fn origin(&self, leaves: &[&str]) -> Option<Origin> {
        let keys: Vec<&str> = leaves.iter().filter_map(|leaf| self.key(leaf)).collect();
        self.draft.origin(&keys)
    }
}

fn only_causal(section: &Section<'_>) -> Option<Complaint> {
    let mixer = section.draft.mixer;
    let both_ways = section.value("causal")? == &Value::Bool(false);
    (mixer == MixerName::H3 && both_ways).then_some((Problem::OnlyCausal { mixer }, &["causal"]))
}

fn uneven_heads(section: &Section<'_>) -> Option<Complaint> {
    let (head_dim, d_model) = (section.integer("head_dim")?, section.integer("d_model")?);
    let uneven = d_model % head_dim != 0;
    uneven.then_some((Problem::UnevenHeadDim { head_dim, d_model }, &["head_dim", "d_model"]))
}

fn odd_state(section: &Section<'_>) -> Option<Complaint> {
    let (key, d_state) = (section.key("d_state")?, section.integer("d_state")?);
    (d_state % 2 != 0).then_some((Problem::OddState { key, d_state }, &["d_state"]))
}

fn uneven_ssm(section: &Section<'_>) -> Option<Complaint> {
    let (n_ssm, rows) = (section.systems()?, section.rows()?);
    let problem = match section.has_heads() {
        false => Problem::UnevenSsm { n_ssm, d_model: rows },
        true => Problem::UnevenHeadSsm { n_ssm, n_heads: rows },
    };
    (rows % n_ssm != 0).then_some((problem, &["n_ssm", "head_dim", "d_model"]))
}

fn uneven_mixture(section: &Section<'_>) -> Option<Complaint> {
    let (init, n_ssm) = (section.word("init")?, section.systems()?);
    let parts = parts(section, &init)?;
    let uneven = n_ssm % parts as i64 != 0;
    uneven
        .then_some((Problem::UnevenMixture { init, parts, n_ssm }, &["init", "n_ssm", "head_dim", "d_model"]))
}

fn crossed_steps(section: &Section<'_>) -> Option<Complaint> {
    let (dt_min, dt_max) = (section.real("dt_min")?, section.real("dt_max")?);
    (dt_min > dt_max).then_some((Problem::StepsCrossed { dt_min, dt_max }, &["dt_min", "dt_max"]))
}

/// The decays of `real` are 1 and more, those of every other init below.
fn unreached_decay(section: &Section<'_>) -> Option<Complaint> {
    let unreached = section.word("real_transform")? == "sigmoid" && section.word("init")? == "real";
    unreached.then_some((Problem::UnreachedDecay, &["real_transform", "init"]))
}

/// States without decay of their own start at the floor of `relu`, where nothing trains.
fn decay_at_floor(section: &Section<'_>) -> Option<Complaint> {
    let init = section.word("init")?;
    let at_floor =
        section.word("real_transform")? == "relu" && ["fout", "legt", "hippo"].contains(&init.as_ref());
    at_floor.then_some((Problem::DecayAtFloor { init }, &["real_transform", "init"]))
}

fn narrow_output(section: &Section<'_>) -> Option<Complaint> {
    let channels = section.integer("channels")?;
    let narrow = channels > 1 && section.word("output")? == "none";
    narrow.then_some((Problem::NarrowOutput { channels }, &["channels", "output"]))
}

fn idle_tie(section: &Section<'_>) -> Option<Complaint> {
    let (key, needed) = (section.key("tie_dropout")?, section.key("activation_dropout")?);
    let idle =
        section.value("tie_dropout")? == &Value::Bool(false) && section.real("activation_dropout")? == 0.0;
    idle.then_some((Problem::IdleTie { key, needed }, &["tie_dropout", "activation_dropout"]))
}

fn low_rank(section: &Section<'_>) -> Option<Complaint> {
    let (rank, init) = (section.integer("rank")?, section.word("init")?);
    let needed = low_rank_init(&init)?.rank();
    let low = rank > 0 && rank < needed as i64;
    low.then_some((Problem::LowRank { init, needed, rank }, &["rank", "init"]))
}

fn short_kernel(section: &Section<'_>) -> Option<Complaint> {
    let l_max = section.integer("l_max")?;
    let seq_len = section.draft.seq_len.value.as_integer()?;
    (l_max < seq_len).then_some((Problem::ShortKernel { l_max, seq_len }, &["l_max"]))
}

/// How many kinds of system an init mixes.
fn parts(section: &Section<'_>, init: &str) -> Option<usize> {
    match section.draft.mixer {
        MixerName::S4d | MixerName::H3 => Some(diagonal_init(init)?.parts().len()),
        MixerName::S4 => Some(low_rank_init(init)?.parts().len()),
        MixerName::Attention
        | MixerName::Hyena
        | MixerName::M2
        | MixerName::Monarch
        | MixerName::CausalMonarch => None,
    }
}

fn diagonal_init(word: &str) -> Option<S4dInit> {
    toml::Value::from(word).try_into().ok()
}

fn low_rank_init(word: &str) -> Option<S4Init> {
    toml::Value::from(word).try_into().ok()
}
