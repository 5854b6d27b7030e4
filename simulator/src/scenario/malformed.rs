//! What is wrong with a file, in words for people who write TOML.

use super::ScenarioError;

/// What is wrong with a TOML text that errors call `name`, and where, in words for people who write TOML.
pub(crate) fn malformed(text: &str, name: &str, error: &toml::de::Error) -> ScenarioError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|char| *char != '\n').count() + 1;
    ScenarioError::Malformed {
        place: format!("{name}:{line}:{column}"),
        message: in_words_of_toml(error.message()),
    }
}

/// What a message expects, as TOML has it and not as the library does.
fn in_words_of_toml(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let known = EXPECTED.iter().find(|(rust, _)| *rust == expected).map(|(_, words)| *words);
    let words = known.or(expected.starts_with("struct ").then_some("a table"));
    format!("{found}, expected {}", words.unwrap_or(expected))
}

/// What is expected, as the library has it and as TOML has it.
const EXPECTED: [(&str, &str); 8] = [
    ("u8", "a whole number from 0 to 255"),
    ("u32", "a whole number from 0 to 4294967295"),
    ("u64", "a whole number from 0 up"),
    ("i64", "a whole number"),
    ("f64", "a number"),
    ("a string", "a text in quotes"),
    ("a sequence", "a list"),
    ("a map", "a table"),
];
