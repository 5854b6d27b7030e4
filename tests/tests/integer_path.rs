//! Between the input grid and the ring there is no floating point: neither arithmetic, which a lint denies, nor
//! a conversion, which no lint sees.

use std::path::Path;

/// The files of the path, below `protocol/src/privacy`.
const FILES: [&str; 7] =
    ["bits.rs", "discrete_gaussian.rs", "fixed.rs", "law.rs", "round.rs", "skellam.rs", "table.rs"];

#[test]
fn the_integer_path_has_no_floating_point() {
    for file in FILES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/src/privacy").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("deny(clippy::float_arithmetic)"), "{file} does not deny it");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in (1..).zip(code.lines().filter(|line| !line.trim_start().starts_with("//"))) {
            for float in ["f32", "f64", ".sqrt()", ".exp()", ".ln()"] {
                assert!(!line.contains(float), "{file}, code line {number}: {line}");
            }
        }
    }
}
