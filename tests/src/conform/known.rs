//! Tests that are known to fail: they run all the same, and it is an error if one of them passes.

use std::collections::BTreeSet;

/// A list of tests: one id a line, maybe with a space and the implementation behind it. `#` begins a comment.
#[derive(Clone, Debug, Default)]
pub struct Known {
    lines: Vec<String>,
    used: BTreeSet<usize>,
}

impl Known {
    /// Reads a list.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
        let lines = text.lines().map(line).filter(|line| !line.is_empty()).collect();
        Self { lines, used: BTreeSet::new() }
    }

    /// Whether the test is in the list.
    pub fn contains(&mut self, id: &str, subject: &str) -> bool {
        let with_subject = format!("{id} {subject}");
        let at = self.lines.iter().position(|line| *line == id || *line == with_subject);
        self.used.extend(at);
        at.is_some()
    }

    /// The lines that no test was found in.
    pub fn unused(&self) -> Vec<&str> {
        let unused = self.lines.iter().enumerate().filter(|(at, _)| !self.used.contains(at));
        unused.map(|(_, line)| line.as_str()).collect()
    }
}
