//! A shim: asks it, and restarts it when it has misbehaved.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::process::Process;

/// What a shim may cost the runner.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long an answer may take.
    pub step: Duration,
    /// Bytes of a line. A few lines of this length, and what they say as JSON, are in memory at a time.
    pub line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { step: Duration::from_secs(20), line: 4 << 20 }
    }
}

/// How a shim misbehaved, as opposed to the implementation behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the text of each is in `Display`")]
pub enum Trouble {
    NoCommand,
    CannotStart(String),
    NotReading,
    Silent(Duration),
    LineTooLong(usize),
    Ended { status: String, said: String },
    Closed,
    Unasked,
    NotJson(String),
    NotAnAnswer(String),
    OutOfOrder { asked: u64, found: String },
    GivenUp,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => f.write_str("the command of the shim is empty or its quotes do not match"),
            Self::CannotStart(why) => write!(f, "the shim does not start: {why}"),
            Self::NotReading => f.write_str("the shim does not read its input"),
            Self::Silent(limit) => write!(f, "no answer from the shim within {limit:?}"),
            Self::LineTooLong(limit) => write!(f, "a line of the shim is longer than {limit} bytes"),
            Self::Ended { status, said } if said.is_empty() => write!(f, "the shim ended: {status}"),
            Self::Ended { status, said } => write!(f, "the shim ended: {status}; it said: {said}"),
            Self::Closed => f.write_str("the shim closed its output"),
            Self::Unasked => f.write_str("the shim wrote a line that nothing had asked for"),
            Self::NotJson(line) => write!(f, "the answer is not a JSON object: {line}"),
            Self::NotAnAnswer(line) => write!(f, "the answer has no ok, error or unsupported: {line}"),
            Self::OutOfOrder { asked, found } => write!(f, "the answer to {asked} has the id {found}"),
            Self::GivenUp => f.write_str("not run: the shim was silent too often"),
        }
    }
}

/// What a shim answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The command worked.
    Ok(Value),
    /// A rule was broken or the session ended.
    Error(Value),
    /// The shim has no such command.
    Unsupported,
}

impl Answer {
    /// The answer as in a vector: an object of `ok` or `error`.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Ok(value) => serde_json::json!({ "ok": value }),
            Self::Error(value) => serde_json::json!({ "error": value }),
            Self::Unsupported => serde_json::json!({ "unsupported": true }),
        }
    }
}

/// How often in a row a shim may be silent before it is given up: each time costs the whole limit.
const PATIENCE: u32 = 8;

/// An implementation under test.
pub struct Shim {
    command: String,
    environment: Vec<(String, String)>,
    limits: Limits,
    process: Option<Process>,
    asked: u64,
    silences: u32,
}

impl Shim {
    /// The shim that this command starts; it is started when it is first asked.
    pub fn new(command: &str, limits: Limits) -> Self {
        let command = command.to_owned();
        Self { command, environment: Vec::new(), limits, process: None, asked: 0, silences: 0 }
    }

    /// The same command with one more environment variable.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The command.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// What the implementation calls itself; the command if it does not say.
    pub fn name(&mut self) -> String {
        match self.ask(&serde_json::json!({"command": "hello"})) {
            Ok(Answer::Ok(hello)) => {
                let name = hello.get("name").and_then(Value::as_str).unwrap_or(&self.command);
                name.chars().filter(|c| !c.is_control()).take(60).collect()
            }
            _ => self.command.clone(),
        }
    }

    /// Sends a request and takes its answer.
    ///
    /// # Errors
    /// The shim misbehaved. It has been ended, and the next request finds a new one.
    pub fn ask(&mut self, request: &Value) -> Result<Answer, Trouble> {
        if self.silences >= PATIENCE {
            return Err(Trouble::GivenUp);
        }
        let result = self.exchange(request);
        match &result {
            Err(Trouble::Silent(_)) => self.silences += 1,
            _ => self.silences = 0,
        }
        self.end_if(result)
    }

    /// Checks that the shim has written nothing but what it was asked for.
    ///
    /// # Errors
    /// It has, or it is gone; see [`Shim::ask`].
    pub fn quiet(&mut self) -> Result<(), Trouble> {
        let result = self.process.as_mut().map_or(Ok(()), Process::quiet);
        self.end_if(result)
    }

    fn end_if<T>(&mut self, result: Result<T, Trouble>) -> Result<T, Trouble> {
        if result.is_err() {
            self.process = None;
        }
        result
    }

    fn exchange(&mut self, request: &Value) -> Result<Answer, Trouble> {
        self.asked += 1;
        let asked = self.asked;
        // The id comes first, for shims that have no JSON reader at hand. A request has at least a command.
        let rest = request.to_string();
        let line = format!("{{\"id\":{asked},{}\n", rest.trim_start_matches('{')).into_bytes();
        let process = match &mut self.process {
            Some(process) => process,
            none => {
                let words = shlex::split(&self.command).ok_or(Trouble::NoCommand)?;
                none.insert(Process::start(&words, &self.environment, self.limits)?)
            }
        };
        read_answer(asked, &process.exchange(line)?)
    }
}

fn read_answer(asked: u64, line: &[u8]) -> Result<Answer, Trouble> {
    let shown = || String::from_utf8_lossy(&line[..line.len().min(200)]).trim().to_owned();
    let answer: Value = serde_json::from_slice(line).map_err(|_| Trouble::NotJson(shown()))?;
    let Value::Object(mut fields) = answer else { return Err(Trouble::NotJson(shown())) };
    match fields.get("id") {
        Some(id) if id.as_u64() == Some(asked) => {}
        id => {
            let found = id.map_or_else(|| "none".to_owned(), |id| id.to_string().chars().take(40).collect());
            return Err(Trouble::OutOfOrder { asked, found });
        }
    }
    match (fields.remove("ok"), fields.remove("error"), fields.remove("unsupported")) {
        (Some(ok), None, None) => Ok(Answer::Ok(ok)),
        (None, Some(error), None) => Ok(Answer::Error(error)),
        (None, None, Some(Value::Bool(true))) => Ok(Answer::Unsupported),
        _ => Err(Trouble::NotAnAnswer(shown())),
    }
}
