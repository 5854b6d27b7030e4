//! Components of noise that are superfluous for some numbers of survivors, and the chains of their seeds (spec §9.6).

use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::crypto::{Kept, derive};
use crate::privacy::{Noise, PrivacyError, Sampler};
use crate::{ClientId, Config, Suite};

/// The one vector of one client that a chain of seeds belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Chain<'a> {
    pub(crate) suite: Suite,
    pub(crate) session: &'a [u8; 32],
    pub(crate) client: ClientId,
    /// The vector's place in the configuration.
    pub(crate) place: u8,
}

impl Chain<'_> {
    /// The seed behind `seed`: of `component`, counted from 1.
    pub(crate) fn next(&self, seed: &[u8; 32], component: u8) -> Zeroizing<[u8; 32]> {
        self.derive("removal chain", seed, component)
    }

    /// What a component is drawn from.
    pub(crate) fn noise_seed(&self, seed: &[u8; 32], component: u8) -> Zeroizing<[u8; 32]> {
        self.derive("removal noise", seed, component)
    }

    fn derive(&self, label: &str, seed: &[u8; 32], component: u8) -> Zeroizing<[u8; 32]> {
        derive(
            self.suite,
            label,
            self.session,
            seed,
            &[&self.client.get().to_be_bytes(), &[self.place, component]],
        )
    }
}

/// The samplers of the components of a vector's noise that can be removed.
pub(crate) struct Components(Vec<Sampler>);

impl Components {
    pub(crate) fn of(noise: &Noise) -> Result<Self, PrivacyError> {
        noise.components().iter().skip(1).map(Noise::sampler).collect::<Result<_, _>>().map(Self)
    }

    /// Adds the components from number `first` ≥ 1 on, whose chain seed is `seed`.
    pub(crate) fn add(&self, chain: Chain<'_>, first: u8, seed: &[u8; 32], to: &mut [i64]) {
        let mut seed = Zeroizing::new(*seed);
        for (component, sampler) in (1u8..=u8::MAX).zip(&self.0).skip(usize::from(first.saturating_sub(1))) {
            if component > first {
                seed = chain.next(&seed, component);
            }
            let drawn = Zeroizing::new(sampler.draw(&chain.noise_seed(&seed, component), to.len()));
            to.iter_mut().zip(drawn.iter()).for_each(|(sum, drawn)| *sum = sum.wrapping_add(*drawn));
        }
    }
}

/// What a client keeps until Unmasking: for each vector whose noise has levels, the first seed of the chain.
pub(crate) struct Removal {
    suite: Suite,
    session: [u8; 32],
    client: ClientId,
    firsts: Vec<(u8, Noise, Kept<[u8; 32]>)>,
}

impl Removal {
    /// From the seeds of the client's noise.
    pub(crate) fn new(
        config: &Config,
        session: &[u8; 32],
        client: ClientId,
        seeds: &[Option<Zeroizing<[u8; 32]>>],
    ) -> Self {
        let mut removal =
            Self { suite: config.suite, session: *session, client, firsts: Vec::with_capacity(seeds.len()) };
        for ((place, spec), seed) in (0..=u8::MAX).zip(&config.vectors).zip(seeds) {
            if let (Some(noise), Some(seed)) = (&spec.noise, seed)
                && !noise.levels.is_empty()
            {
                let first = Box::new(removal.chain(place).next(seed, 1));
                removal.firsts.push((place, noise.clone(), first));
            }
        }
        removal
    }

    /// Adds what can be removed to the share of noise of the vector at `place`.
    pub(crate) fn add_to(&self, place: u8, share: &mut [i64]) -> Result<(), PrivacyError> {
        for (_, noise, first) in self.firsts.iter().filter(|(at, ..)| *at == place) {
            Components::of(noise)?.add(self.chain(place), 1, first, share);
        }
        Ok(())
    }

    /// The seeds of what is superfluous in a sum of so many inputs, in the order of the vectors.
    ///
    /// # Security
    /// They open all components behind them, so a client gives them once, for the survivors for which it gives shares.
    pub(crate) fn disclose(self, survivors: u32) -> Zeroizing<Vec<[u8; 32]>> {
        let mut disclosed = Zeroizing::new(Vec::with_capacity(self.firsts.len()));
        for (place, noise, first) in &self.firsts {
            if !noise.has_superfluous(survivors) {
                continue;
            }
            let kept = noise.kept(survivors);
            // The first superfluous component has the number of components that are kept.
            let mut seed = Zeroizing::new(***first);
            for component in (2..=u8::MAX).take_while(|component| usize::from(*component) <= kept) {
                seed = self.chain(*place).next(&seed, component);
            }
            disclosed.push(*seed);
        }
        disclosed
    }

    fn chain(&self, place: u8) -> Chain<'_> {
        Chain { suite: self.suite, session: &self.session, client: self.client, place }
    }
}

/// The sum of what clients have disclosed of the noise of one vector: to be subtracted.
pub(crate) fn superfluous(
    noise: &Noise,
    length: usize,
    survivors: u32,
    disclosed: &[(Chain<'_>, &[u8; 32])],
) -> Result<Vec<i64>, PrivacyError> {
    let components = Components::of(noise)?;
    let first = noise.kept(survivors) as u8;
    let none = || vec![0; length];
    let of_some = |mut sum: Vec<i64>, (chain, seed): &(Chain<'_>, &[u8; 32])| {
        components.add(*chain, first, seed, &mut sum);
        sum
    };
    let both = |mut one: Vec<i64>, other: Vec<i64>| {
        one.iter_mut().zip(other).for_each(|(one, other)| *one = one.wrapping_add(other));
        one
    };
    Ok(disclosed.par_iter().fold(none, of_some).reduce(none, both))
}
