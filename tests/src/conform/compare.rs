//! Whether an answer is what a vector says.

use serde_json::Value;

/// The first difference between what is expected and what was found, if there is one.
///
/// What is found may have more fields. Lists are equal element by element.
pub(super) fn difference(expected: &Value, found: &Value) -> Option<String> {
    at("", expected, found)
}

fn at(place: &str, expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(fields)) => expected.iter().find_map(|(name, value)| {
            let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            match fields.get(name) {
                None => Some(format!("{place} is missing: found {}", short(found))),
                Some(found) => at(&place, value, found),
            }
        }),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.find_map(|(index, (expected, found))| at(&format!("{place}[{index}]"), expected, found))
        }
        _ if expected == found => None,
        _ => Some(format!("{place}: expected {}, found {}", short(expected), short(found))),
    }
}

/// A value, cut off where it would fill the screen.
pub(super) fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
