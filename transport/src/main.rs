//! The program `secagg`.
fn main() {}
