//! The client under test as a process.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::limit::{Failure, within};
use crate::conform::process::{end_group, keep_end, own_group};

/// How often it is looked whether the process has ended.
const LOOK: Duration = Duration::from_millis(10);

/// How long its last words may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A running client. Dropping it ends it, with all that it started.
pub(super) struct Process {
    child: Child,
    errors: Arc<Mutex<Vec<u8>>>,
}

/// Splits a command into words and puts the values in place of their names in braces.
pub(super) fn fill(command: &str, values: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let words = shlex::split(command).filter(|words| !words.is_empty());
    let words = words.ok_or_else(|| "the command is empty or its quotes do not match".to_owned())?;
    let filled = |word: String| {
        values.iter().fold(word, |word, (name, value)| word.replace(&format!("{{{name}}}"), value))
    };
    Ok(words.into_iter().map(filled).collect())
}

impl Process {
    /// Starts a program. What it prints is thrown away; the end of what it says on its standard error is kept.
    pub(super) fn start(words: &[String]) -> Result<Self, String> {
        let (program, arguments) = words.split_first().ok_or_else(|| "the command is empty".to_owned())?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        own_group(&mut command);
        let mut child = command.spawn().map_err(|error| format!("the client does not start: {error}"))?;
        let errors = Arc::new(Mutex::new(Vec::new()));
        let (stderr, kept) = (child.stderr.take(), Arc::clone(&errors));
        thread::spawn(move || keep_end(stderr, &kept));
        Ok(Self { child, errors })
    }

    /// Waits for its end.
    pub(super) async fn ended(&mut self, limit: Duration) -> Result<(), Failure> {
        let ended = async {
            // An error means that there is nothing to wait for.
            while let Ok(None) = self.child.try_wait() {
                tokio::time::sleep(LOOK).await;
            }
        };
        within(limit, "the client has left the session, but its process did not end", ended).await
    }

    /// The end of what it has said on its standard error.
    pub(super) async fn said(&self) -> String {
        tokio::time::sleep(LAST_WORDS).await;
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&errors).trim().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end_group(&self.child);
        // Both fail only if the child is gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
