//! The JSON Schemas of the plan file and of the decisions, made from the rows of `keys`.
//!
//! Editors with a TOML language server read it for completion and hover. It is a net with wider meshes
//! than the reader: what keys mean together is only said in descriptions.

use serde_json::{Map, Value, json};

use crate::keys::{Key, Shape, Table};

/// The JSON Schema (draft 2020-12) of the plan file, version 1.
#[must_use]
pub fn schema() -> Value {
    whole(Table::Plan, &Table::ALL, "Seawall plan, version 1")
}

/// The JSON Schema of `.seawall/decisions.toml`.
#[must_use]
pub fn decisions_schema() -> Value {
    whole(Table::Decisions, &[Table::Decision], "Seawall decisions")
}

/// The schema of a file: the table at its top, and those that stand in it.
fn whole(top: Table, inner: &[Table], title: &str) -> Value {
    let inner = inner.iter().filter(|t| **t != top);
    let definitions: Map<String, Value> = inner.map(|t| (name(*t), table(*t))).collect();
    let mut root = table(top);
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!(title);
    root["$defs"] = Value::Object(definitions);
    root
}

fn name(table: Table) -> String {
    format!("{table:?}").to_ascii_lowercase()
}

fn table(table: Table) -> Value {
    let properties: Map<String, Value> = table
        .keys()
        .map(|k| (k.name.to_owned(), property(k)))
        .collect();
    let required: Vec<&str> = table
        .keys()
        .filter(|k| k.required)
        .map(|k| k.name)
        .collect();
    json!({
        "type": "object",
        "description": table.about(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(key: &Key) -> Value {
    let mut property = shape(key.shape);
    property["description"] = json!(key.doc);
    if let Some(default) = as_json(key.default) {
        property["default"] = default;
    }
    if let Some(example) = as_json(key.example) {
        property["examples"] = json!([example]);
    }
    property
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Text | Shape::Duration { .. } | Shape::Size { .. } => {
            json!({ "type": "string", "minLength": 1 })
        }
        Shape::Texts { least } => json!({
            "type": "array",
            "items": { "type": "string", "minLength": 1 },
            "minItems": least,
        }),
        Shape::TextsOrOne => json!({
            "type": ["string", "array"],
            "items": { "type": "string", "minLength": 1 },
            "minLength": 1,
        }),
        Shape::Retry { most } => {
            let retries = (1..=most).map(|n| format!("retry:{n}"));
            let words: Vec<String> = std::iter::once("hold".to_owned()).chain(retries).collect();
            json!({ "type": "string", "enum": words })
        }
        Shape::TextMap => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Shape::Count { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::Choice(words) => json!({ "type": "string", "enum": words }),
        Shape::One(table) => reference(table),
        Shape::Many(table) => json!({ "type": "array", "items": reference(table) }),
        Shape::Named(table) => {
            json!({ "type": "object", "additionalProperties": reference(table) })
        }
    }
}

fn reference(table: Table) -> Value {
    json!({ "$ref": format!("#/$defs/{}", name(table)) })
}

/// A TOML value of a row as JSON; none for words.
fn as_json(toml: &str) -> Option<Value> {
    let parsed = toml::de::DeValue::parse(toml)
        .ok()
        .filter(|_| !toml.is_empty())?;
    Some(convert(parsed.get_ref()))
}

fn convert(value: &toml::de::DeValue<'_>) -> Value {
    use toml::de::DeValue;
    match value {
        DeValue::Integer(number) => {
            json!(i64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Boolean(flag) => json!(flag),
        DeValue::Array(array) => array.iter().map(|v| convert(v.get_ref())).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(k, v)| (k.get_ref().to_string(), convert(v.get_ref())))
            .collect(),
        DeValue::String(text) => json!(text),
        DeValue::Float(_) | DeValue::Datetime(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_every_key_with_its_default_and_example() {
        let schema = schema();
        for table in Table::ALL {
            let place = if table == Table::Plan {
                &schema
            } else {
                &schema["$defs"][name(table)]
            };
            for key in table.keys() {
                let property = &place["properties"][key.name];
                assert!(
                    property["description"]
                        .as_str()
                        .is_some_and(|d| d.ends_with('.')),
                    "{table:?} {}",
                    key.name
                );
                let nested = matches!(key.shape, Shape::One(_) | Shape::Many(_) | Shape::Named(_));
                assert!(
                    nested || !property["examples"][0].is_null(),
                    "{table:?} {}",
                    key.name
                );
            }
        }
        assert_eq!(
            schema["$defs"]["task"]["properties"]["attempts"]["default"],
            2
        );
        assert_eq!(
            schema["$defs"]["check"]["properties"]["proof"]["enum"][1],
            "pass-to-pass"
        );
        assert_eq!(schema["additionalProperties"], false);
    }
}
