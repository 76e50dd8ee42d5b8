//! Options of a published layer for which ours supports only one value.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Case, CaseError};

impl Case {
    /// [`parse_config`](Self::parse_config), except that the keys of `fixed` may also be there, each with its one value.
    ///
    /// # Errors
    /// As for [`parse_config`](Self::parse_config), and if such a key has another value: our layer lacks what it asks for.
    pub fn parse_config_beside<T: DeserializeOwned>(&self, fixed: &[(&str, Value)]) -> Result<T, CaseError> {
        let (layer, config) = (self.layer.clone(), self.config.clone());
        let mut rest = Self { layer, config, parameters: Default::default(), tensors: Default::default() };
        for (key, only) in fixed {
            let Some(value) = rest.config.as_object_mut().and_then(|keys| keys.remove(*key)) else {
                continue;
            };
            if !is_same(&value, only) {
                let what = format!("`{key}` = {value} (only {only})");
                return Err(CaseError::Unsupported { layer: self.layer.clone(), what });
            }
        }
        rest.parse_config()
    }
}

/// Here 0 equals 0.0.
fn is_same(value: &Value, only: &Value) -> bool {
    value == only || value.as_f64().is_some_and(|number| Some(number) == only.as_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(config: Value) -> Result<std::collections::BTreeMap<String, u32>, CaseError> {
        let case = Case {
            layer: "hyena".into(),
            config,
            parameters: Default::default(),
            tensors: Default::default(),
        };
        case.parse_config_beside(&[("dropout", 0.0.into()), ("activation", "id".into())])
    }

    #[test]
    fn an_option_of_one_value_is_read_and_another_value_is_refused_by_name() {
        assert_eq!(
            read(json!({ "a": 1, "dropout": 0, "activation": "id" })).expect("its one value"),
            [("a".into(), 1)].into()
        );
        assert_eq!(read(json!({ "a": 1 })).expect("no such key"), [("a".into(), 1)].into());
        let error = read(json!({ "a": 1, "activation": "gelu" })).expect_err("another value").to_string();
        assert_eq!(error, "layer `hyena`: not implemented here: `activation` = \"gelu\" (only \"id\")");
        assert!(matches!(read(json!([1])).expect_err("no object"), CaseError::Config { .. }));
    }
}
