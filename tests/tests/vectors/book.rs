//! Writing vectors: a shim is asked, and its answers are taken down once they are of the right kind.

use std::collections::BTreeMap;

use secagg_tests::conform::shim::{Answer, Limits, Shim};
use secagg_tests::conform::vectors::{Case, File, Level, Operation};
use serde_json::{Value, json};

/// All vectors in the making.
pub(crate) struct Book {
    shim: Shim,
    sections: BTreeMap<String, Vec<Case>>,
}

impl Book {
    /// A book whose answers come from the shim of this command.
    pub(crate) fn new(command: &str) -> Self {
        Self { shim: Shim::new(command, Limits::default()), sections: BTreeMap::new() }
    }

    /// Asks without taking down.
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        match self.shim.ask(request) {
            Ok(Answer::Ok(ok)) => ok,
            other => panic!("{request}: {other:?}"),
        }
    }

    /// A request that is answered.
    pub(crate) fn known(&mut self, id: &str, request: Value) -> Value {
        let level = if request["command"] == "decode" { Level::Decode } else { Level::KnownAnswer };
        let mut script = self.script(id, level);
        let answer = script.ok(request);
        script.end();
        answer
    }

    /// A request that breaks the rule in the id.
    pub(crate) fn breaks(&mut self, id: &str, request: Value) {
        let level = if request["command"] == "decode" { Level::Decode } else { Level::KnownAnswer };
        let mut script = self.script(id, level);
        script.breaks(request);
        script.end();
    }

    /// A case of several operations. It is of a broken rule if the id names one.
    pub(crate) fn script(&mut self, id: &str, level: Level) -> Script<'_> {
        let (place, _) = id.split_once('/').expect("a section or rule in front of the name");
        let must = place.contains('-').then(|| place.to_owned());
        let valid = must.is_none();
        let case = Case { id: id.to_owned(), level, valid, must, operations: Vec::new() };
        Script { book: self, case }
    }

    /// The files by name, in the order of the sections.
    pub(crate) fn finish(self) -> Vec<(String, File)> {
        let file = |(section, cases): (String, Vec<Case>)| {
            (format!("section-{section}.json"), File { section, cases })
        };
        self.sections.into_iter().map(file).collect()
    }
}

/// One case in the making.
pub(crate) struct Script<'a> {
    book: &'a mut Book,
    case: Case,
}

impl Script<'_> {
    /// A step on the way: that it succeeds is all that counts.
    pub(crate) fn step(&mut self, request: Value) -> Value {
        let answer = self.book.ask(&request);
        self.note(request, json!({"ok": {}}));
        answer
    }

    /// A request with its whole answer.
    pub(crate) fn ok(&mut self, request: Value) -> Value {
        let answer = self.book.ask(&request);
        self.note(request, json!({"ok": answer}));
        answer
    }

    /// A request that breaks the case's rule.
    pub(crate) fn breaks(&mut self, request: Value) {
        let must = self.case.must.clone().expect("a rule in the id");
        self.error(request, json!({"must": must}));
    }

    /// A request that is answered with an error.
    pub(crate) fn error(&mut self, request: Value, expected: Value) {
        match self.book.shim.ask(&request) {
            Ok(Answer::Error(error)) if error == expected => {}
            other => panic!("{}: expected {expected}, found {other:?}", self.case.id),
        }
        self.note(request, json!({"error": expected}));
    }

    /// The case is complete.
    pub(crate) fn end(self) {
        let place = self.case.id.split('/').next().expect("split gives one part at least");
        let section = place.split('-').next().expect("split gives one part at least").to_owned();
        let cases = self.book.sections.entry(section).or_default();
        assert!(cases.iter().all(|case| case.id != self.case.id), "{} twice", self.case.id);
        cases.push(self.case);
    }

    fn note(&mut self, request: Value, answer: Value) {
        self.case.operations.push(Operation { request, answer });
    }
}
