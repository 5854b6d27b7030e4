//! Figures with names: one line each for people, one object for programs.

use serde_json::Value;

/// What is printed, in its order.
pub(super) type Fields = Vec<(&'static str, Value)>;

/// One line for each field, a dash for what there is none of.
pub(super) fn lines(fields: &Fields) -> String {
    let shown = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 1;
    fields.iter().map(|(name, value)| format!("{name:<width$} {}\n", shown(value))).collect()
}

/// One object on a line, its fields in their order.
pub(super) fn object(fields: &Fields) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}\n", fields.join(","))
}
