//! Between the input grid and the ring there is no floating point: neither arithmetic, which a lint denies, nor
//! a conversion, which no lint sees.

use std::path::Path;

/// The files of the path, below `protocol/src/privacy`.
const FILES: [&str; 8] = [
    "bits.rs",
    "centred_noise.rs",
    "discrete_gaussian.rs",
    "fixed.rs",
    "law.rs",
    "round.rs",
    "skellam.rs",
    "table.rs",
];

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

/// Mistakes that implementations of distributed differential privacy have made, and the tests that they would
/// fail here: each as a file below `protocol/src/privacy` or `tests/tests`, and a function in it.
const PITFALLS: [(&str, &[(&str, &str)]); 25] = [
    (
        "a sampler that is biased, for instance by wrong big numbers",
        &[
            ("privacy_samplers.rs", "draws_have_the_moments_probabilities_and_tails_of_the_law"),
            ("fixed.rs", "the_exponential_has_its_known_digits"),
        ],
    ),
    (
        "noise by floating point, or σ rounded to an integer",
        &[
            ("integer_path.rs", "the_integer_path_has_no_floating_point"),
            ("privacy_samplers.rs", "wrong_samplers_are_found"),
        ],
    ),
    (
        "seeds of few bits, a seed of zero taken for none, roundings that the public can repeat",
        &[
            ("discrete_gaussian.rs", "draws_follow_from_the_seed"),
            ("privacy_pipeline.rs", "roundings_do_not_add_up_across_clients"),
        ],
    ),
    (
        "chunks that keep a bound each, and the vector that does not",
        &[
            ("round.rs", "the_bound_is_kept_by_the_whole_vector"),
            ("privacy_pipeline.rs", "no_vector_is_sent_beyond_the_accounted_norm"),
        ],
    ),
    (
        "floating-point noise before quantisation; division by a norm of zero",
        &[
            ("integer_path.rs", "the_integer_path_has_no_floating_point"),
            ("privacy_pipeline.rs", "the_order_of_the_steps_matters_and_is_kept"),
        ],
    ),
    ("signs that may be zero", &[("rotate.rs", "spikes_are_flattened_and_signs_are_never_zero")]),
    (
        "fractions lost in single precision, clips exceeded by an ulp, retries without end",
        &[
            ("privacy_pipeline.rs", "no_vector_is_sent_beyond_the_accounted_norm"),
            ("round.rs", "the_bound_is_kept_by_the_whole_vector"),
        ],
    ),
    (
        "centring by floating point, or half open on the wrong side",
        &[("round.rs", "wrapping_and_centring_undo_each_other")],
    ),
    (
        "integers that overflow",
        &[
            ("round.rs", "wrapping_and_centring_undo_each_other"),
            ("centred_noise.rs", "whole_parts_only_move_the_draw"),
        ],
    ),
    ("a negative zero that is not refused", &[("privacy_samplers.rs", "wrong_samplers_are_found")]),
    (
        "the sum taken for one discrete Gaussian; σ in real units inside τ",
        &[("exact.rs", "leaving_out_tau_would_be_wrong")],
    ),
    (
        "the clip accounted instead of the rounded norm; steps in another order",
        &[("privacy_pipeline.rs", "the_order_of_the_steps_matters_and_is_kept")],
    ),
    (
        "planned clients counted instead of survivors",
        &[
            ("accountant.rs", "dropouts_cost_what_they_took"),
            ("privacy_pipeline.rs", "too_few_survivors_are_seen_in_epsilon"),
        ],
    ),
    (
        "the adversary's own noise counted",
        &[
            ("privacy_pipeline.rs", "too_few_survivors_are_seen_in_epsilon"),
            ("removal.rs", "the_planned_noise_remains_for_every_number_of_dropouts"),
        ],
    ),
    (
        "centred noise below the floor of its theorem, or a client's own small share left out",
        &[
            ("noise.rs", "centred_noise_below_the_theorems_floor_is_broken_and_gives_no_guarantee"),
            ("centred.rs", "unequal_noise_counts_as_it_is"),
        ],
    ),
    (
        "amplification claimed against the server, or Poisson's for cohorts of a fixed size",
        &[
            ("accountant.rs", "the_server_is_not_the_public"),
            ("fixed_size.rs", "the_figure_for_zeroing_is_not_taken_for_that_of_replacement"),
        ],
    ),
    ("no accounting", &[("privacy_oracle.rs", "every_row_passes")]),
    (
        "a clip that changes between rounds while noise, scale or norm do not",
        &[("privacy_pipeline.rs", "a_clip_that_changes_takes_scale_noise_and_norm_with_it")],
    ),
    (
        "something released without noise",
        &[("privacy_pipeline.rs", "a_client_gives_away_nothing_but_ring_elements")],
    ),
    ("wraps that nobody expects", &[("encoding.rs", "the_ring_holds_the_deviations_asked_for")]),
    ("a guarantee that depends on the rotation", &[("privacy_pipeline.rs", "no_rotation_weakens_the_norm")]),
    (
        "minimisers that stop where the target is not met",
        &[("encoding.rs", "calibration_meets_the_target_and_hardly_less")],
    ),
    (
        "ε printed below what it is, or added over rounds",
        &[
            ("accountant.rs", "printed_figures_are_never_below"),
            ("accountant.rs", "rounds_compose_on_curves_not_on_epsilon"),
        ],
    ),
    (
        "noise and masks from one stream",
        &[
            ("bits.rs", "purposes_and_seeds_do_not_meet"),
            ("noise_removal.rs", "seeds_of_components_do_not_meet"),
        ],
    ),
    (
        "noise removed for survivors whom the clients have not agreed on",
        &[
            ("removal.rs", "survivor_sets_that_differ_would_break_the_plan"),
            ("noise_removal.rs", "what_remains_is_exactly_what_the_number_of_survivors_needs"),
        ],
    ),
];

#[test]
fn every_known_pitfall_has_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (pitfall, tests) in PITFALLS {
        assert!(!tests.is_empty());
        for (file, test) in tests {
            let folders = ["../protocol/src/privacy", "../protocol/tests", "tests"];
            let places = folders.map(|folder| root.join(folder).join(file));
            let text = places.iter().find_map(|path| std::fs::read_to_string(path).ok());
            let text = text.unwrap_or_else(|| panic!("{pitfall}: there is no {file}"));
            assert!(
                text.contains(&format!("#[test]\n    fn {test}()"))
                    || text.contains(&format!("#[test]\nfn {test}()")),
                "{pitfall}: {file} has no test {test}"
            );
        }
    }
}
