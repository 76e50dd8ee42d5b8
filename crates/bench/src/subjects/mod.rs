//! The layers that can be measured.

mod channel;
mod fft_conv;
mod subject;

use subquad_config::suggest;
use subquad_mixer::{MeasuredMixer, Mixers, VisitMixers};
use subquad_options::Refusal;

use crate::ModelSubject;
use crate::layer::sequence;
use subject::tokens;

pub use subject::{Definition, Subject};

/// A mixer of a registry as a subject.
fn mixer<C: MeasuredMixer>() -> Subject {
    Subject {
        name: C::NAME,
        summary: C::MEASURED,
        has_hidden: false,
        has_blocks: false,
        check: |sizes| Refusal::first(C::measured(sizes).refusals()).map_err(|refusal| refusal.reason),
        build: |sizes, device| sequence::<C>(C::measured(sizes).init(device)),
        input: tokens,
        definition: C::definition,
        alive: C::alive,
        flops: |sizes| {
            C::measured(sizes).training_flops(sizes.seq_len).map(|flops| flops.of_step(sizes.batch))
        },
    }
}

/// All layers that can be measured.
#[derive(Debug)]
pub struct Subjects {
    /// Layers along the sequence: mixers, then operations.
    pub sequence: Vec<Subject>,
    /// Layers along the width.
    pub channel: Vec<Subject>,
    /// Whole models of each mixer.
    pub models: Vec<ModelSubject>,
}

impl Subjects {
    /// The mixers of a registry and all other layers.
    pub fn of<C: Mixers>() -> Self {
        let mut all = Lists::default();
        C::visit(&mut all);
        let Lists { mut sequence, models } = all;
        sequence.extend(fft_conv::SUBJECTS);
        Self { sequence, channel: channel::SUBJECTS.to_vec(), models }
    }

    /// Layers along the sequence, then along the width.
    pub fn all(&self) -> impl Iterator<Item = &Subject> + Clone {
        self.sequence.iter().chain(&self.channel)
    }

    /// The model of the mixer of this name; `None` if there is no such mixer.
    pub fn model(&self, name: &str) -> Option<&ModelSubject> {
        self.models.iter().find(|model| model.name == name)
    }

    /// The layer of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(&self, name: &str) -> Result<&Subject, UnknownSubject> {
        self.all().find(|subject| subject.name == name).ok_or_else(|| UnknownSubject {
            name: name.into(),
            meant: suggest::nearest(name, self.all().map(|subject| subject.name)).map(str::to_owned),
            known: self.all().map(|subject| subject.name).collect::<Vec<_>>().join(", "),
        })
    }
}

#[derive(Default)]
struct Lists {
    sequence: Vec<Subject>,
    models: Vec<ModelSubject>,
}

impl VisitMixers for Lists {
    fn visit<C: MeasuredMixer>(&mut self) {
        self.sequence.push(mixer::<C>());
        self.models.push(ModelSubject::of::<C>());
    }
}

/// A name that no layer has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown layer `{name}`{} (known: {known})", suggest::hint(meant.as_deref()))]
pub struct UnknownSubject {
    /// The name as it was written.
    pub name: String,
    meant: Option<String>,
    known: String,
}

#[cfg(test)]
mod tests {
    use subquad_model::MixerConfig;

    use super::*;

    #[test]
    fn a_name_is_found_and_a_slip_is_hinted_at() {
        let subjects = Subjects::of::<MixerConfig>();
        assert_eq!(subjects.find("fft_conv").map(|subject| subject.name), Ok("fft_conv"));
        let slip = subjects.find("atention").expect_err("a slip").to_string();
        assert!(
            slip.starts_with("unknown layer `atention`; did you mean `attention`? (known: attention, s4d, "),
            "{slip}"
        );
        let unknown = subjects.find("mamba").expect_err("not there").to_string();
        assert!(unknown.starts_with("unknown layer `mamba` (known: attention, s4d, "), "{unknown}");
    }

    #[test]
    fn names_are_unique() {
        let subjects = Subjects::of::<MixerConfig>();
        let mut names: Vec<_> = subjects.all().map(|subject| subject.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
