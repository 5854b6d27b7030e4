//! What operations cost, in nanoseconds, on kinds of machines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secagg::{Config, Counts, Graph};
use serde::{Deserialize, Serialize};

use crate::scenario::malformed;

/// The profiles that are there without a file.
const BUILT_IN: &str = include_str!("profiles.toml");

/// Nanoseconds that one operation takes at the most: no machine needs a second. Sums of many may still be greater than what
/// 64 bits hold.
const GREATEST: f64 = 1e9;

/// Kinds of machines by name, as a calibration file holds them.
///
/// The file is TOML, or JSON if its name ends in `.json`:
///
/// ```toml
/// [profiles.server]
/// source = "measured on this machine"
/// mask_agreement = 35000.0
/// # ... the other fields of `Profile`
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The profiles by name.
    pub profiles: BTreeMap<String, Profile>,
}

/// What one machine, on one core, takes for each operation of [`Counts`], in nanoseconds.
///
/// Two operations cost more with a higher threshold; their costs are for each coefficient or share. Every cost is
/// 0 to 10⁹.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Where the figures come from.
    pub source: String,
    /// One X25519 agreement.
    pub encryption_agreement: f64,
    /// One variable-base multiplication on ristretto255.
    pub mask_agreement: f64,
    /// One fixed-base multiplication.
    pub public_key: f64,
    /// One byte sealed or opened, key derivation included.
    pub aead_byte: f64,
    /// One byte of mask keystream made and added.
    pub keystream_byte: f64,
    /// One coefficient in the evaluation of a sharing polynomial: an evaluation has `threshold` of them.
    pub share_term: f64,
    /// One share in the reconstruction of a secret: taken `threshold` times for each secret.
    pub reconstruction_term: f64,
    /// One pair of holders in the making of Lagrange coefficients: `threshold`² for each set of holders, of which a
    /// complete graph has one and a regular graph one for each secret.
    pub basis_term: f64,
    /// One coordinate unpacked and added into the accumulator.
    pub addition: f64,
    /// One Ed25519 signature made.
    pub signature: f64,
    /// One Ed25519 signature checked, among many that are checked together.
    pub verification: f64,
    /// One message made or taken in, whatever its size.
    pub message: f64,
    /// One byte of a message made or taken in.
    pub message_byte: f64,
}

/// What is wrong with a calibration file.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no calibration: which, where and why.
    #[error("{0}")]
    Malformed(String),
    /// A cost is negative, not a number, or more than a second.
    #[error("profile {profile:?}: {field} is {cost:?}, but a cost is a number of nanoseconds from 0 to 10^9")]
    BadCost {
        /// The profile.
        profile: String,
        /// The field.
        field: &'static str,
        /// Its value.
        cost: f64,
    },
}

impl Calibration {
    /// The built-in profiles: `server`, `laptop` and `phone`; each says where its figures come from.
    pub fn built_in() -> Self {
        toml::from_str(BUILT_IN).unwrap_or_default()
    }

    /// Reads a file and checks every cost. Kinds of machines that it does not name are the built-in ones, so that one that
    /// was measured can stand beside them.
    ///
    /// # Errors
    /// The file cannot be read, is not a calibration, or has an impossible cost.
    pub fn read(path: &Path) -> Result<Self, CalibrationError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CalibrationError::Unreadable { path: path.to_owned(), error })?;
        let json = path.extension().is_some_and(|extension| extension == "json");
        let parsed: Result<Self, String> = if json {
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
        } else {
            toml::from_str(&text)
                .map_err(|error| malformed(&text, &path.display().to_string(), &error).to_string())
        };
        let read = parsed.map_err(CalibrationError::Malformed)?;
        read.check()?;
        let mut calibration = Self::built_in();
        calibration.profiles.extend(read.profiles);
        Ok(calibration)
    }

    /// Checks every cost.
    ///
    /// # Errors
    /// The first cost that is negative, not a number, or more than a second.
    pub fn check(&self) -> Result<(), CalibrationError> {
        for (name, profile) in &self.profiles {
            for (field, cost) in profile.costs() {
                if !(0.0..=GREATEST).contains(&cost) {
                    return Err(CalibrationError::BadCost { profile: name.clone(), field, cost });
                }
            }
        }
        Ok(())
    }
}

impl Profile {
    /// The costs with their names, in the order of the fields.
    pub fn costs(&self) -> [(&'static str, f64); 13] {
        [
            ("encryption_agreement", self.encryption_agreement),
            ("mask_agreement", self.mask_agreement),
            ("public_key", self.public_key),
            ("aead_byte", self.aead_byte),
            ("keystream_byte", self.keystream_byte),
            ("share_term", self.share_term),
            ("reconstruction_term", self.reconstruction_term),
            ("basis_term", self.basis_term),
            ("addition", self.addition),
            ("signature", self.signature),
            ("verification", self.verification),
            ("message", self.message),
            ("message_byte", self.message_byte),
        ]
    }

    /// Nanoseconds for these operations of a session.
    ///
    /// The sum is taken in a fixed order and uses nothing but IEEE 754 products and sums, so every machine gets
    /// the same number.
    pub fn nanoseconds(&self, counts: &Counts, config: &Config) -> f64 {
        // Taken apart, so that a count that is added later cannot be forgotten here.
        let Counts {
            encryption_agreements,
            mask_agreements,
            public_keys,
            aead_bytes,
            keystream_bytes,
            share_evaluations,
            reconstructions,
            additions,
            signatures,
            verifications,
        } = *counts;
        let threshold = f64::from(config.threshold);
        let bases = match config.graph {
            Graph::Complete => reconstructions.min(1),
            Graph::Regular { .. } | Graph::KOut { .. } => reconstructions,
        };
        encryption_agreements as f64 * self.encryption_agreement
            + mask_agreements as f64 * self.mask_agreement
            + public_keys as f64 * self.public_key
            + aead_bytes as f64 * self.aead_byte
            + keystream_bytes as f64 * self.keystream_byte
            + share_evaluations as f64 * threshold * self.share_term
            + reconstructions as f64 * threshold * self.reconstruction_term
            + bases as f64 * threshold * threshold * self.basis_term
            + additions as f64 * self.addition
            + signatures as f64 * self.signature
            + verifications as f64 * self.verification
    }

    /// Nanoseconds to make or take in so many messages with so many bytes altogether.
    pub fn messages(&self, messages: u64, bytes: u64) -> f64 {
        messages as f64 * self.message + bytes as f64 * self.message_byte
    }
}

#[cfg(test)]
mod tests {
    use secagg::{Suite, VectorSpec};

    use super::*;

    #[test]
    fn the_built_in_profiles_are_there_and_ordered() {
        let calibration = Calibration::built_in();
        calibration.check().unwrap();
        let cost = |name: &str| calibration.profiles[name].mask_agreement;
        assert!(0.0 < cost("server") && cost("server") < cost("laptop") && cost("laptop") < cost("phone"));
    }

    #[test]
    fn a_calibration_survives_a_file_in_both_forms() {
        let calibration = Calibration::built_in();
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("c.toml", toml::to_string(&calibration).unwrap()),
            ("c.json", serde_json::to_string(&calibration).unwrap()),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            assert_eq!(Calibration::read(&path).unwrap(), calibration);
        }
    }

    #[test]
    fn a_machine_of_a_file_stands_beside_the_built_in_ones_or_for_one_of_them() {
        let built_in = Calibration::built_in();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        let own = Profile { source: "mine".to_owned(), ..built_in.profiles["laptop"].clone() };
        for (name, kinds) in [("mine", 4), ("laptop", 3)] {
            let profiles = BTreeMap::from([(name.to_owned(), own.clone())]);
            std::fs::write(&path, toml::to_string(&Calibration { profiles }).unwrap()).unwrap();
            let read = Calibration::read(&path).unwrap();
            assert_eq!((read.profiles.len(), &read.profiles[name]), (kinds, &own));
            assert_eq!(read.profiles["server"], built_in.profiles["server"]);
        }
    }

    #[test]
    fn impossible_costs_are_named() {
        let mut calibration = Calibration::built_in();
        calibration.profiles.get_mut("phone").unwrap().addition = -1.0;
        let error = calibration.check().unwrap_err().to_string();
        assert!(error.contains("phone") && error.contains("addition is -1"), "{error}");
        calibration.profiles.get_mut("phone").unwrap().addition = 1e300;
        let error = calibration.check().unwrap_err().to_string();
        assert!(error.contains("addition is 1e300"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_calibration_is_said_by_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, "[profiles.here]\nsource = 5").unwrap();
        let error = Calibration::read(&path).unwrap_err().to_string();
        assert!(
            error.ends_with("c.toml:2:10: invalid type: integer `5`, expected a text in quotes"),
            "{error}"
        );
    }

    #[test]
    fn costs_that_grow_with_the_threshold_do() {
        let profile =
            Profile { share_term: 2.0, reconstruction_term: 3.0, basis_term: 5.0, ..Profile::default() };
        let counts = Counts { share_evaluations: 7, reconstructions: 11, ..Counts::default() };
        let time = |graph| {
            let config = Config {
                suite: Suite::Curious,
                graph,
                clients: 30,
                threshold: 4,
                minimum_survivors: 1,
                vectors: vec![VectorSpec::new("v", 1, 1)],
                task: [0; 32],
                nonce: [0; 32],
            };
            profile.nanoseconds(&counts, &config)
        };
        let shares = 7.0 * 4.0 * 2.0 + 11.0 * 4.0 * 3.0;
        assert_eq!(time(Graph::Complete), shares + 16.0 * 5.0);
        assert_eq!(time(Graph::Regular { degree: 6 }), shares + 11.0 * 16.0 * 5.0);
    }
}
