//! The specification of the protocol as data: for tests that hold code against it, and for implementations that
//! embed it.
//!
//! This crate needs nothing of the implementation, and the documents in its folder need no Rust.

/// The specification: `spec/secagg.md`.
pub const SPECIFICATION: &str = include_str!("../secagg.md");

/// What differs from the papers, and why: `spec/differences.md`.
pub const DIFFERENCES: &str = include_str!("../differences.md");

/// A recorded session on the complete graph: `spec/vectors/session-complete.json`.
pub const SESSION_COMPLETE: &str = include_str!("../vectors/session-complete.json");

/// A recorded session on a regular graph: `spec/vectors/session-regular.json`.
pub const SESSION_REGULAR: &str = include_str!("../vectors/session-regular.json");

/// A recorded session of the active suite: `spec/vectors/session-active.json`.
pub const SESSION_ACTIVE: &str = include_str!("../vectors/session-active.json");

/// A recorded session of the pinned suite: `spec/vectors/session-pinned.json`.
pub const SESSION_PINNED: &str = include_str!("../vectors/session-pinned.json");

/// The conformance vectors, a file a section: `spec/vectors/section-*.json` by name, in the order of the sections.
pub const VECTORS: &[(&str, &str)] = &[
    ("section-3.1.json", include_str!("../vectors/section-3.1.json")),
    ("section-3.2.json", include_str!("../vectors/section-3.2.json")),
    ("section-3.3.json", include_str!("../vectors/section-3.3.json")),
    ("section-3.4.json", include_str!("../vectors/section-3.4.json")),
    ("section-3.5.json", include_str!("../vectors/section-3.5.json")),
    ("section-3.6.json", include_str!("../vectors/section-3.6.json")),
    ("section-3.7.json", include_str!("../vectors/section-3.7.json")),
    ("section-4.json", include_str!("../vectors/section-4.json")),
    ("section-4.1.json", include_str!("../vectors/section-4.1.json")),
    ("section-4.2.json", include_str!("../vectors/section-4.2.json")),
    ("section-4.3.json", include_str!("../vectors/section-4.3.json")),
    ("section-4.4.json", include_str!("../vectors/section-4.4.json")),
    ("section-4.5.json", include_str!("../vectors/section-4.5.json")),
    ("section-4.6.json", include_str!("../vectors/section-4.6.json")),
    ("section-6.1.json", include_str!("../vectors/section-6.1.json")),
    ("section-6.2.json", include_str!("../vectors/section-6.2.json")),
    ("section-6.3.json", include_str!("../vectors/section-6.3.json")),
    ("section-7.2.json", include_str!("../vectors/section-7.2.json")),
    ("section-7.3.json", include_str!("../vectors/section-7.3.json")),
    ("section-8.1.json", include_str!("../vectors/section-8.1.json")),
    ("section-9.json", include_str!("../vectors/section-9.json")),
    ("section-9.1.json", include_str!("../vectors/section-9.1.json")),
    ("section-9.2.json", include_str!("../vectors/section-9.2.json")),
    ("section-9.3.json", include_str!("../vectors/section-9.3.json")),
    ("section-9.6.json", include_str!("../vectors/section-9.6.json")),
];

/// The schema of these files: `spec/vectors/schema.json`.
pub const VECTOR_SCHEMA: &str = include_str!("../vectors/schema.json");

/// The schema of the recorded sessions: `spec/vectors/recording-schema.json`.
pub const RECORDING_SCHEMA: &str = include_str!("../vectors/recording-schema.json");

/// A rule of the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Must {
    /// Its id, such as `4.3-2`.
    pub id: &'static str,
    /// The sentences, in one line.
    pub text: String,
    /// The number of the section it stands in, such as `4.3`.
    pub section: &'static str,
}

/// The rules of the specification, in its order.
///
/// A rule is a list item of the document that begins with its id, as in `- **[4.3-2]** On the complete graph …`;
/// the indented lines below belong to it.
pub fn musts() -> Vec<Must> {
    let mut found: Vec<Must> = Vec::new();
    let mut section = "";
    let mut inside = false;
    for line in SPECIFICATION.lines() {
        section = heading(line).unwrap_or(section);
        if let Some((id, text)) = rule(line) {
            found.push(Must { id, text: text.to_owned(), section });
            inside = true;
        } else if let (true, Some(more), Some(must)) = (inside, line.strip_prefix("  "), found.last_mut()) {
            must.text.push(' ');
            must.text.push_str(more.trim());
        } else {
            inside = false;
        }
    }
    found
}

/// The id and the first words of a rule, if the line begins one. Ids begin with a digit; references do not.
fn rule(line: &str) -> Option<(&str, &str)> {
    let (id, text) = line.strip_prefix("- **[")?.split_once("]** ")?;
    id.starts_with(|first: char| first.is_ascii_digit()).then_some((id, text))
}

/// The numbers of the document's sections, in its order.
pub fn sections() -> Vec<&'static str> {
    SPECIFICATION.lines().filter_map(heading).collect()
}

/// The number of a section, if the line is its heading.
fn heading(line: &str) -> Option<&str> {
    let title = line.strip_prefix("##")?.trim_start_matches('#').strip_prefix(' ')?;
    let number = title.split(' ').next()?;
    number.starts_with(|first: char| first.is_ascii_digit()).then_some(number)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    #[test]
    fn ids_are_unique_and_stand_in_their_section() {
        let musts = musts();
        assert!(musts.len() > 20);
        let ids: BTreeSet<&str> = musts.iter().map(|must| must.id).collect();
        assert_eq!(ids.len(), musts.len());
        for Must { id, text, section } in musts {
            assert_eq!(id.split('-').next(), Some(section), "[{id}] stands in section {section}");
            assert!(text.contains("MUST"), "[{id}] is no rule: {text}");
            assert!(text.ends_with(['.', ')']), "[{id}] is cut off: {text}");
        }
    }

    #[test]
    fn ids_count_from_one_in_each_section() {
        let mut numbers: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for Must { id, section, .. } in musts() {
            let number = id.split('-').nth(1).unwrap().parse().unwrap();
            numbers.entry(section).or_default().insert(number);
        }
        // A rule that came later stands where it is checked, with the next free number.
        for (section, numbers) in numbers {
            assert!(numbers.iter().copied().eq(1..=numbers.len()), "{section}: {numbers:?}");
        }
    }

    #[test]
    fn there_is_no_rule_without_an_id() {
        let rules: usize = musts().iter().map(|must| must.text.matches("MUST").count()).sum();
        // One more explains the word.
        assert_eq!(SPECIFICATION.matches("MUST").count(), rules + 1);
    }

    #[test]
    fn every_id_that_is_named_is_defined() {
        let ids: BTreeSet<&str> = musts().iter().map(|must| must.id).collect();
        for document in [SPECIFICATION, DIFFERENCES] {
            for named in between(document, "`[", "]`") {
                assert!(ids.contains(named), "[{named}]");
            }
        }
    }

    #[test]
    fn the_sections_are_numbered_in_order() {
        let mut last: Vec<u32> = vec![0];
        for section in sections() {
            let number: Vec<u32> = section.split('.').map(|part| part.parse().unwrap()).collect();
            let next_of_parent = last.get(..number.len()).map(|start| {
                let mut next = start.to_vec();
                *next.last_mut().unwrap() += 1;
                next
            });
            let first_child = [last.clone(), vec![1]].concat();
            assert!(
                Some(&number) == next_of_parent.as_ref() || number == first_child,
                "{section} after {last:?}"
            );
            last = number;
        }
        assert_eq!(last, [12, 4]);
    }

    #[test]
    fn sections_that_are_named_exist() {
        let sections = sections();
        for document in [SPECIFICATION, DIFFERENCES] {
            for rest in document.split('§').skip(1) {
                let number = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap();
                let number = number.trim_end_matches('.');
                assert!(number.is_empty() || sections.contains(&number), "§{number}");
            }
        }
    }

    #[test]
    fn internal_links_resolve() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let anchors: BTreeSet<String> =
            SPECIFICATION.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
        let mut links = 0;
        for document in [SPECIFICATION, DIFFERENCES] {
            for target in between(document, "](", ")") {
                links += 1;
                match target.strip_prefix('#') {
                    Some(target) => assert!(anchors.contains(target), "#{target}"),
                    None => assert!(folder.join(target).is_file(), "{target}"),
                }
            }
        }
        assert!(links > 30);
    }

    /// What stands between each `open` and the next `close`.
    fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
        text.split(open).skip(1).filter_map(|rest| rest.split_once(close)).map(|(inner, _)| inner).collect()
    }

    /// The anchor that forges give a heading: small letters, digits, hyphens for spaces, nothing else.
    fn anchor(heading: &str) -> String {
        let title = heading.trim_start_matches('#').trim();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
        kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
    }
}
