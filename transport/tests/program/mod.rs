//! The program `secagg` as a process, and a server that ends with its test.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub(crate) fn secagg(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_secagg"));
    command.args(arguments).env_remove("SECAGG_LOG").stdin(Stdio::null());
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    secagg(arguments).output().unwrap()
}

/// Checks that a command fails with this code and one line that has this in it.
#[track_caller]
pub(crate) fn assert_fails(arguments: &[&str], code: i32, said: &str) {
    let output = run(arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    if code == 1 {
        assert_eq!(stderr.lines().filter(|line| line.starts_with("secagg: ")).count(), 1, "{stderr}");
        assert!(!stderr.contains("os error 0"), "{stderr}");
    }
}

pub(crate) const PIN: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// A server process; killed when it goes out of scope.
pub(crate) struct Serving {
    pub(crate) process: Child,
    pub(crate) address: String,
    pub(crate) stderr: BufReader<std::process::ChildStderr>,
}

impl Serving {
    pub(crate) fn start(state: &Path, arguments: &[&str]) -> Serving {
        let state = state.to_str().unwrap();
        let mut command = secagg(&["serve", "--listen", "127.0.0.1:0", "--state", state]);
        let command = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut lines = [String::new(), String::new()];
        for line in &mut lines {
            stderr.read_line(line).unwrap();
        }
        let address = lines[0].trim().strip_prefix("listening on ").expect(&lines[0]).to_owned();
        let pin = lines[1].trim().strip_prefix("pin ").expect(&lines[1]);
        assert_eq!(fs::read_to_string(Path::new(state).join("pin")).unwrap().trim(), pin);
        Serving { process, address, stderr }
    }

    /// Waits for the end; returns exit code, stdout and what else was on stderr.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.process.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut stderr).unwrap();
        (self.process.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
