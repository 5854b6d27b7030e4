//! A child process that is spoken to in lines, and that cannot make its parent wait or swell.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::shim::{Limits, Trouble};

/// How much of what a child says on its standard error is kept: the end.
const KEPT_OF_ERRORS: usize = 2000;

/// How long an ended child's last words on its standard error may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A running child. Dropping it ends it, with all that it started.
pub(super) struct Process {
    child: Child,
    to: SyncSender<Vec<u8>>,
    from: Receiver<Line>,
    errors: Arc<Mutex<Vec<u8>>>,
    limits: Limits,
}

/// What comes from a child. It holds one line at most, and so do the channel and the thread that reads.
enum Line {
    Whole(Vec<u8>),
    TooLong,
}

impl Process {
    /// Starts a program with its arguments and additional environment variables.
    pub(super) fn start(
        words: &[String],
        environment: &[(String, String)],
        limits: Limits,
    ) -> Result<Self, Trouble> {
        let (program, arguments) = words.split_first().ok_or(Trouble::NoCommand)?;
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        own_group(&mut command);
        let mut child = command.spawn().map_err(|error| Trouble::CannotStart(error.to_string()))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (to, lines) = sync_channel(1);
        let (line, from) = sync_channel(1);
        let errors = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&errors);
        thread::spawn(move || write_lines(stdin, &lines));
        thread::spawn(move || read_lines(stdout, &line, limits.line));
        thread::spawn(move || keep_end(stderr, &kept));
        Ok(Self { child, to, from, errors, limits })
    }

    /// Sends a line and takes the next one that comes.
    pub(super) fn exchange(&mut self, line: Vec<u8>) -> Result<Vec<u8>, Trouble> {
        self.quiet()?;
        self.to.try_send(line).map_err(|_| self.gone().unwrap_or(Trouble::NotReading))?;
        match self.from.recv_timeout(self.limits.step) {
            Ok(Line::Whole(line)) => Ok(line),
            Ok(Line::TooLong) => Err(Trouble::LineTooLong(self.limits.line)),
            Err(RecvTimeoutError::Timeout) => Err(Trouble::Silent(self.limits.step)),
            Err(RecvTimeoutError::Disconnected) => Err(self.gone().unwrap_or(Trouble::Closed)),
        }
    }

    /// Checks that nothing has come that was not asked for, and that the child is still there.
    pub(super) fn quiet(&mut self) -> Result<(), Trouble> {
        match self.from.try_recv() {
            Err(TryRecvError::Empty) => Ok(()),
            Err(TryRecvError::Disconnected) => Err(self.gone().unwrap_or(Trouble::Closed)),
            Ok(_) => Err(Trouble::Unasked),
        }
    }

    /// How the child ended, if it did.
    fn gone(&mut self) -> Option<Trouble> {
        let by = Instant::now() + LAST_WORDS;
        while Instant::now() < by {
            if let Ok(Some(status)) = self.child.try_wait() {
                thread::sleep(LAST_WORDS / 10);
                let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
                let said = String::from_utf8_lossy(&errors).trim().to_owned();
                return Some(Trouble::Ended { status: status.to_string(), said });
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
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

/// Writes what it is given until the child is gone. A child that does not read stalls this thread only.
fn write_lines(stdin: Option<ChildStdin>, lines: &Receiver<Vec<u8>>) {
    let Some(mut stdin) = stdin else { return };
    while let Ok(line) = lines.recv() {
        if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// Reads lines and hands them on one by one. A child that floods is stalled by its own pipe.
fn read_lines(stdout: Option<ChildStdout>, lines: &SyncSender<Line>, limit: usize) {
    let Some(stdout) = stdout else { return };
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = Vec::new();
        match (&mut stdout).take(limit as u64 + 1).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(length) if length > limit => {
                lines.send(Line::TooLong).ok();
                return;
            }
            Ok(_) if lines.send(Line::Whole(line)).is_err() => return,
            Ok(_) => {}
        }
    }
}

/// Keeps the end of what the child says on its standard error.
pub(super) fn keep_end(stderr: Option<ChildStderr>, kept: &Mutex<Vec<u8>>) {
    let Some(mut stderr) = stderr else { return };
    let mut some = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut some) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&some[..count]);
        let surplus = kept.len().saturating_sub(KEPT_OF_ERRORS);
        kept.drain(..surplus);
    }
}

/// Lets the child lead a group of its own, so that what it starts can be ended with it.
pub(super) fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

pub(super) fn end_group(child: &Child) {
    #[cfg(unix)]
    if let Some(group) = rustix::process::Pid::from_raw(child.id() as i32) {
        // It fails only if the group is gone already.
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
    }
    #[cfg(not(unix))]
    let _ = child;
}
