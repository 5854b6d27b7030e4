//! How fast the machines are.

use serde::{Deserialize, Serialize};

use super::not_negative;
use crate::distribution::Distribution;

/// The machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Compute {
    /// The server's profile in the calibration.
    pub server: String,
    /// Cores that close a round; answers are taken in on one.
    pub server_cores: u32,
    /// Seconds that a client needs for its input, from the arrival of the MaskedInputCollection request.
    pub training: Distribution,
    /// The kinds of clients.
    pub classes: Vec<DeviceClass>,
}

/// A kind of clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceClass {
    /// What results call it.
    pub name: String,
    /// Its profile in the calibration.
    pub profile: String,
    /// How many there are, in any unit.
    #[serde(default = "one")]
    pub weight: f64,
    /// By what the profile's times are multiplied.
    #[serde(default = "same")]
    pub factor: Distribution,
}

impl Default for Compute {
    fn default() -> Self {
        let class = DeviceClass {
            name: "phone".to_owned(),
            profile: "phone".to_owned(),
            weight: 1.0,
            factor: same(),
        };
        Self {
            server: "server".to_owned(),
            server_cores: 1,
            training: Distribution::Constant(0.0),
            classes: vec![class],
        }
    }
}

impl Compute {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.server_cores == 0 {
            return Err("compute.server_cores = 0: a server has at least 1".to_owned());
        }
        self.training.check("compute.training", 0.0)?;
        if !(1..=255).contains(&self.classes.len()) {
            return Err(format!("{} kinds of clients in compute.classes: give 1 to 255", self.classes.len()));
        }
        for class in &self.classes {
            class.factor.check(&format!("factor of compute class {:?}", class.name), 0.0)?;
            not_negative(&format!("weight of compute class {:?}", class.name), class.weight)?;
        }
        let total: f64 = self.classes.iter().map(|class| class.weight).sum();
        if total <= 0.0 {
            return Err("the weights of compute.classes are all 0".to_owned());
        }
        if !total.is_finite() {
            return Err("the weights of compute.classes add up to more than there are numbers for".to_owned());
        }
        Ok(())
    }
}

fn one() -> f64 {
    1.0
}

fn same() -> Distribution {
    Distribution::Constant(1.0)
}
