//! Devices one after the other around the circle of the population.

use crate::cast::{MANY, Many};

/// Every `step`th device of the population around the circle.
pub(crate) struct Walk {
    first: u64,
    step: u64,
    population: u64,
    clients: u32,
    /// How far each of the next devices is, around the circle.
    ahead: Box<Many<u64>>,
}

impl Walk {
    /// From the `first` device on, for so many clients.
    pub(super) fn new((first, step, population): (u64, u64, u64), clients: u32) -> Self {
        let mut ahead = Box::new([0; MANY]);
        (0..).zip(ahead.iter_mut()).for_each(|(at, ahead)| *ahead = at * step % population);
        Self { first, step, population, clients, ahead }
    }

    pub(super) fn clients(&self) -> u32 {
        self.clients
    }

    /// The device of a client.
    #[inline(always)]
    pub(crate) fn place(&self, client: u32) -> u64 {
        (self.first + u64::from(client) * self.step) % self.population
    }

    /// The devices from one on.
    #[inline(always)]
    pub(crate) fn some(&self, from: u64, devices: &mut Many<u32>) {
        for (device, ahead) in devices.iter_mut().zip(&*self.ahead) {
            let place = from + ahead;
            *device = (place - if place >= self.population { self.population } else { 0 }) as u32;
        }
    }
}
