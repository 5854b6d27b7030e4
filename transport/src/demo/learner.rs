//! Federated averaging of a softmax model, in floats and in the integers that secure aggregation adds.

use rand::seq::SliceRandom;

use super::digits::{CLASSES, Image, PIXELS};
use super::seed::generator;

/// Parameters of the model: for each digit one weight a pixel and one bias.
pub const PARAMETERS: usize = CLASSES * ROW;

/// A softmax regression from 64 pixels to 10 digits.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The [`PARAMETERS`], digit by digit: 64 weights, then the bias.
    pub parameters: Vec<f64>,
}

impl Model {
    /// The model that knows nothing: all zeros.
    pub fn zeros() -> Self {
        Self { parameters: vec![0.0; PARAMETERS] }
    }

    /// Moves each parameter by its coordinate of `update`.
    ///
    /// # Panics
    ///
    /// If `update` has not [`PARAMETERS`] coordinates.
    pub fn apply(&mut self, update: &[f64]) {
        assert_eq!(update.len(), PARAMETERS, "an update has one coordinate a parameter");
        for (parameter, step) in self.parameters.iter_mut().zip(update) {
            *parameter += step;
        }
    }

    /// The digit that the model sees in `image`.
    pub fn classify(&self, image: &Image) -> u8 {
        let scores = self.scores(image);
        let best = (0..CLASSES).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        best.expect("there are ten classes") as u8
    }

    fn scores(&self, image: &Image) -> [f64; CLASSES] {
        let mut scores = [0.0; CLASSES];
        for (score, row) in scores.iter_mut().zip(self.parameters.chunks_exact(ROW)) {
            *score = row[PIXELS];
            for (weight, ink) in row[..PIXELS].iter().zip(&image.pixels) {
                *score += weight * ink;
            }
        }
        scores
    }

    /// One gradient step of the cross-entropy on `batch`.
    fn descend(&mut self, batch: &[&Image]) {
        let mut step = vec![0.0; PARAMETERS];
        let rate = LEARNING_RATE / batch.len() as f64;
        for image in batch {
            let mut wrong = softmax(self.scores(image));
            wrong[usize::from(image.label)] -= 1.0;
            for (row, wrong) in step.chunks_exact_mut(ROW).zip(wrong) {
                for (weight, ink) in row.iter_mut().zip(&image.pixels) {
                    *weight -= rate * wrong * ink;
                }
                row[PIXELS] -= rate * wrong;
            }
        }
        self.apply(&step);
    }
}

/// Trains a copy of `model` on one client's images: a few epochs of minibatch gradient descent.
///
/// Deterministic: `seed` fixes the order of the images. An empty shard returns the model unchanged.
pub fn train(model: &Model, shard: &[Image], seed: u64) -> Model {
    let mut local = model.clone();
    let mut order: Vec<&Image> = shard.iter().collect();
    let mut rng = generator(seed, "train", &[]);
    for _ in 0..EPOCHS {
        order.shuffle(&mut rng);
        for batch in order.chunks(BATCH) {
            local.descend(batch);
        }
    }
    local
}

/// The share of `images` that the model classifies correctly, from 0.0 to 1.0; NaN for no images.
pub fn accuracy(model: &Model, images: &[Image]) -> f64 {
    let right = images.iter().filter(|image| model.classify(image) == image.label).count();
    right as f64 / images.len() as f64
}

/// Averages what the clients learned, weighted by their number of images, without any privacy.
///
/// Takes each surviving client's trained model and weight, returns the average *update* of `global`,
/// ready for [`Model::apply`]. Without images there is nothing to learn: the update is zero.
pub fn average(global: &Model, locals: &[(Model, u32)]) -> Vec<f64> {
    let mut update = vec![0.0; PARAMETERS];
    let total: f64 = locals.iter().map(|(_, weight)| f64::from(*weight)).sum();
    for (local, weight) in locals {
        let share = f64::from(*weight) / total.max(1.0);
        for ((sum, new), old) in update.iter_mut().zip(&local.parameters).zip(&global.parameters) {
            *sum += share * (new - old);
        }
    }
    update
}

/// Turns model updates into the unsigned integers that secure aggregation adds, and sums back.
///
/// A coordinate is the change of one parameter times the client's number of images, in steps of
/// 1/`scale`, cut off at ±`bound`/2 and shifted up by `bound`/2. The sum over all clients stays below
/// 2^`bits`, so it never wraps.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiser {
    /// The largest change of one parameter that a client with the largest shard can report in full.
    pub clip: f64,
    /// Steps in a change of 1.0 by one image.
    pub scale: f64,
    /// Bit width of a coordinate of the sum, 1 to 62.
    pub bits: u8,
    /// The largest coordinate that a client may submit; even.
    pub bound: u64,
}

impl Quantiser {
    /// Chooses steps of 1/4096 (coarser only if the sum would not fit in 62 bits) and the fewest bits.
    ///
    /// `max_shard` is the largest number of images of a client: a public figure, the same for all.
    pub fn for_clients(clients: u32, max_shard: u32) -> Self {
        let mut scale = FINEST;
        loop {
            let half = (CLIP * scale * f64::from(max_shard)).ceil() as u64;
            let bound = 2 * half;
            match bits_for(clients, bound) {
                Some(bits) => return Self { clip: CLIP, scale, bits, bound },
                None => scale /= 2.0,
            }
        }
    }

    /// Quantises the way from `global` to `local`, weighted by the client's number of images.
    ///
    /// Returns [`PARAMETERS`] coordinates from 0 to `bound`.
    pub fn encode(&self, local: &Model, global: &Model, weight: u32) -> Vec<u64> {
        let half = self.bound as i64 / 2;
        let steps = f64::from(weight) * self.scale;
        let changes = local.parameters.iter().zip(&global.parameters).map(|(new, old)| new - old);
        changes.map(|change| (((change * steps).round() as i64).clamp(-half, half) + half) as u64).collect()
    }

    /// Turns the sum of `survivors` encodings into their average update, weighted by images.
    ///
    /// `total_examples` is the sum of the survivors' weights; without images the update is zero.
    pub fn decode(&self, sum: &[u64], survivors: u32, total_examples: u64) -> Vec<f64> {
        let offset = i128::from(self.bound / 2) * i128::from(survivors);
        let steps = self.scale * total_examples.max(1) as f64;
        sum.iter().map(|&coordinate| (i128::from(coordinate) - offset) as f64 / steps).collect()
    }
}

/// The fewest bits in which the sum of `clients` numbers up to `bound` fits: clients × bound < 2^bits.
///
/// `None` if that takes more than 62, the most that a session adds.
pub fn bits_for(clients: u32, bound: u64) -> Option<u8> {
    let largest = u128::from(clients) * u128::from(bound);
    let bits = (u128::BITS - largest.leading_zeros()).max(1) as u8;
    (bits <= 62).then_some(bits)
}

/// Probabilities proportional to the exponentials of `scores`.
fn softmax(scores: [f64; CLASSES]) -> [f64; CLASSES] {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers = scores.map(|score| (score - highest).exp());
    let total: f64 = powers.iter().sum();
    powers.map(|power| power / total)
}

const ROW: usize = PIXELS + 1;

// Over 60 seeds, 40 clients, 30 rounds and 15 % dropout, the held-out accuracy with these is 0.961 in
// the median and 0.933 at worst, and no parameter moves by more than 3.1 in one round.
const EPOCHS: usize = 3;
const BATCH: usize = 4;
const LEARNING_RATE: f64 = 1.0;

const CLIP: f64 = 4.0;
const FINEST: f64 = 4096.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::digits::Digits;
    use rand::RngExt;

    #[test]
    fn training_is_deterministic_and_learns_its_shard() {
        let shards = Digits::load(1).shards(40, 1).unwrap();
        let model = Model::zeros();
        let local = train(&model, &shards[0], 7);
        assert_eq!(local, train(&model, &shards[0], 7));
        assert_ne!(local, train(&model, &shards[0], 8));
        assert!(accuracy(&local, &shards[0]) > 0.6);
        assert_eq!(train(&model, &[], 7), model);
    }

    #[test]
    fn the_fewest_bits_that_hold_the_sum() {
        assert_eq!(bits_for(1, 0), Some(1));
        assert_eq!(bits_for(1, 1), Some(1));
        assert_eq!(bits_for(2, 1), Some(2));
        assert_eq!(bits_for(3, 1), Some(2));
        assert_eq!(bits_for(4, 1), Some(3));
        assert_eq!(bits_for(1, (1 << 62) - 1), Some(62));
        assert_eq!(bits_for(1, 1 << 62), None);
        assert_eq!(bits_for(u32::MAX, u64::MAX), None);
    }

    #[test]
    fn a_quantiser_never_wraps_and_wastes_no_bit() {
        for (clients, max_shard) in [(1, 0), (1, 1), (40, 60), (500, 1437), (1437, 1), (u32::MAX, u32::MAX)] {
            let quantiser = Quantiser::for_clients(clients, max_shard);
            let largest = u128::from(clients) * u128::from(quantiser.bound);
            assert!(largest < 1 << quantiser.bits, "{quantiser:?}");
            assert!(quantiser.bits == 1 || largest >= 1 << (quantiser.bits - 1), "{quantiser:?}");
            assert!(quantiser.scale > 0.0 && quantiser.bound.is_multiple_of(2));
        }
        assert_eq!(Quantiser::for_clients(40, 60).bits, 27);
    }

    #[test]
    fn encoding_and_decoding_one_update_is_exact_to_half_a_step() {
        let quantiser = Quantiser::for_clients(40, 60);
        let (global, local) = (random_model(1, 1.0), random_model(2, 1.0));
        let encoded = quantiser.encode(&local, &global, 33);
        let update = quantiser.decode(&encoded, 1, 33);
        let half_a_step = 0.5 / (33.0 * quantiser.scale);
        for ((step, new), old) in update.iter().zip(&local.parameters).zip(&global.parameters) {
            assert!((step - (new - old)).abs() <= half_a_step * 1.001);
        }
    }

    #[test]
    fn wild_updates_are_cut_off_at_the_bound() {
        let quantiser = Quantiser::for_clients(40, 60);
        let global = Model::zeros();
        for (wild, expected) in [
            (f64::INFINITY, quantiser.bound),
            (-1e300, 0),
            (1e300, quantiser.bound),
            (f64::NAN, quantiser.bound / 2),
        ] {
            let local = Model { parameters: vec![wild; PARAMETERS] };
            assert_eq!(quantiser.encode(&local, &global, 60), vec![expected; PARAMETERS]);
        }
    }

    #[test]
    fn a_sum_of_encodings_decodes_to_the_weighted_average() {
        let quantiser = Quantiser::for_clients(40, 60);
        let global = random_model(0, 1.0);
        let locals: Vec<_> = (1..=40).map(|i| (random_model(i, 1.0), i as u32)).collect();
        let update = secure_average(&quantiser, &global, &locals);
        for (secure, plain) in update.iter().zip(average(&global, &locals)) {
            assert!((secure - plain).abs() < 1e-5, "{secure} {plain}");
        }
    }

    #[test]
    fn nobody_left_means_no_update() {
        let quantiser = Quantiser::for_clients(40, 60);
        assert_eq!(quantiser.decode(&[0; PARAMETERS], 0, 0), vec![0.0; PARAMETERS]);
        assert_eq!(average(&Model::zeros(), &[]), vec![0.0; PARAMETERS]);
    }

    #[test]
    fn federated_averaging_with_dropout_learns_in_floats_and_in_integers_alike() {
        let seed = 7;
        let digits = Digits::load(seed);
        let shards = digits.shards(40, seed).unwrap();
        let max_shard = shards.iter().map(Vec::len).max().unwrap() as u32;
        let quantiser = Quantiser::for_clients(40, max_shard);
        let secure = federate(&shards, seed, |global, locals| secure_average(&quantiser, global, locals));
        let plain = federate(&shards, seed, average);
        let (secure, plain) = (accuracy(&secure, &digits.test), accuracy(&plain, &digits.test));
        assert!(secure >= 0.93 && plain >= 0.93, "secure {secure}, plain {plain}");
        assert!((secure - plain).abs() <= 0.005, "secure {secure}, plain {plain}");
    }

    /// Thirty rounds in which 15 % of the clients drop out.
    fn federate(
        shards: &[Vec<Image>],
        seed: u64,
        average: impl Fn(&Model, &[(Model, u32)]) -> Vec<f64>,
    ) -> Model {
        let mut global = Model::zeros();
        for round in 0..30 {
            let mut rng = generator(seed, "dropout", &[round]);
            let present = shards.iter().filter(|_| !rng.random_bool(0.15));
            let locals: Vec<_> =
                present.map(|shard| (train(&global, shard, seed + round), shard.len() as u32)).collect();
            let update = average(&global, &locals);
            global.apply(&update);
        }
        global
    }

    /// What secure aggregation computes: the sum of encodings, decoded.
    fn secure_average(quantiser: &Quantiser, global: &Model, locals: &[(Model, u32)]) -> Vec<f64> {
        let mut sum = vec![0; PARAMETERS];
        for (local, weight) in locals {
            for (sum, coordinate) in sum.iter_mut().zip(quantiser.encode(local, global, *weight)) {
                *sum += coordinate;
            }
        }
        assert!(sum.iter().all(|sum| *sum < 1 << quantiser.bits));
        let examples = locals.iter().map(|(_, weight)| u64::from(*weight)).sum();
        quantiser.decode(&sum, locals.len() as u32, examples)
    }

    fn random_model(seed: u64, spread: f64) -> Model {
        let mut rng = generator(seed, "model", &[]);
        Model { parameters: (0..PARAMETERS).map(|_| rng.random_range(-spread..spread)).collect() }
    }
}
