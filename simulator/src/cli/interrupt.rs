//! Ctrl-C: a command ends at the next good place.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set by Ctrl-C.
pub(super) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Has Ctrl-C set [`INTERRUPTED`]. Where that is not to be had, Ctrl-C ends the program by itself.
pub(super) fn watch() {
    let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::Relaxed));
}

/// Whether the command is to end.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
