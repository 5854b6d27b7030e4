//! The bodies of the fuzz targets: each takes any bytes and panics if a promise of the project does not hold.
//!
//! They run under libFuzzer (`tests/fuzz`), under plain mutation where that cannot be built, and over the committed
//! corpus as a test (`tests/tests/fuzz.rs`).

mod frame;
mod messages;
mod packing;
mod scenario;
mod session;
mod sharing;
mod tables;

/// The body of a target.
pub type Target = fn(&[u8]);

/// The targets by name; `tests/fuzz/Cargo.toml` has a binary for each.
pub const TARGETS: [(&str, Target); 17] = [
    ("advertise_keys_request", messages::advertise_keys_request),
    ("advertise_keys_response", messages::advertise_keys_response),
    ("share_keys_request", messages::share_keys_request),
    ("share_keys_response", messages::share_keys_response),
    ("masked_input_request", messages::masked_input_request),
    ("masked_input_response", messages::masked_input_response),
    ("unmasking_request", messages::unmasking_request),
    ("unmasking_response", messages::unmasking_response),
    ("signed", messages::signed),
    ("config", messages::config),
    ("frame", frame::frame),
    ("sharing", sharing::sharing),
    ("packing", packing::packing),
    ("client", session::client),
    ("server", session::server),
    ("scenario", scenario::scenario),
    ("tables", tables::tables),
];

/// Runs the target of that name.
///
/// # Panics
/// If there is none, and if the target finds a fault.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(of, _)| *of == name).expect("a target of that name");
    target(data);
}
