//! Numbers in JSON, which has no NaN and no infinity: a number that is not finite is written as `null`.
//!
//! For `#[serde(with = "crate::number")]`: `null` reads back as NaN.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    number.is_finite().then_some(*number).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// For `#[serde(flatten, with = "crate::number::score")]`: a score is a number under the name of its metric, next to
/// the other fields; `null`, which older programs wrote, reads back as no score.
pub(crate) mod score {
    use std::collections::BTreeMap;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;
    use subquad_data::{Metric, Score};

    pub(crate) fn serialize<S: Serializer>(score: &Option<Score>, serializer: S) -> Result<S::Ok, S::Error> {
        let finite = |score: Score| score.value.is_finite().then_some(score.value);
        let entry: BTreeMap<_, _> = score.iter().map(|&score| (score.metric.name(), finite(score))).collect();
        entry.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Score>, D::Error> {
        let mut entries = BTreeMap::<String, Value>::deserialize(deserializer)?;
        for &metric in Metric::ALL {
            let entry = entries.remove(metric.name()).unwrap_or_default();
            let value = Option::<f64>::deserialize(entry).map_err(D::Error::custom)?;
            if let Some(value) = value {
                return Ok(Some(Score { metric, value }));
            }
        }
        Ok(None)
    }
}
