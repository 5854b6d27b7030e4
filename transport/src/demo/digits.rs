//! The handwritten digits: parsed, split into training and test images, dealt to clients.

use rand::RngExt;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use thiserror::Error;

use super::seed::generator;

/// Pixels of an image: 8 rows of 8.
pub const PIXELS: usize = 64;

/// Digits that an image may show: 0 to 9.
pub const CLASSES: usize = 10;

/// One handwritten digit.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Ink by pixel, row by row, from 0.0 (paper) to 1.0 (ink) in steps of 1/16.
    pub pixels: [f64; PIXELS],
    /// The digit that it shows, 0 to 9.
    pub label: u8,
}

/// The data set, split into images to learn from and images to be judged by.
#[derive(Clone, Debug)]
pub struct Digits {
    /// Four fifths of the images, in seeded order: 1,437.
    pub train: Vec<Image>,
    /// The rest, which no client ever sees: 360.
    pub test: Vec<Image>,
}

/// The training images cannot be dealt so that every client has one.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{images} training images cannot be dealt to {clients} clients: choose from 1 to {images} clients")]
pub struct BadShardCount {
    /// Training images there are.
    pub images: usize,
    /// Clients that were asked for.
    pub clients: u32,
}

impl Digits {
    /// Reads the embedded table, shuffles it by `seed` and keeps every fifth image for the test.
    pub fn load(seed: u64) -> Self {
        let mut train: Vec<Image> = TABLE.lines().map(parse).collect();
        train.shuffle(&mut generator(seed, "split", &[]));
        let test = train.split_off(train.len() * 4 / 5);
        Self { train, test }
    }

    /// Deals the training images to `clients` shards, each with at least one image.
    ///
    /// As in a real population, clients write more or less, each with up to three favourite digits:
    /// over 40 clients, shards have from about 10 to about 70 images.
    ///
    /// # Errors
    ///
    /// [`BadShardCount`] if `clients` is 0 or more than there are training images.
    pub fn shards(&self, clients: u32, seed: u64) -> Result<Vec<Vec<Image>>, BadShardCount> {
        let count = clients as usize;
        if count == 0 || count > self.train.len() {
            return Err(BadShardCount { images: self.train.len(), clients });
        }
        let mut rng = generator(seed, "shards", &[]);
        let owners = owners_by_digit(count, &mut rng);
        let (first, rest) = self.train.split_at(count);
        let mut shards: Vec<Vec<Image>> = first.iter().map(|image| vec![image.clone()]).collect();
        for image in rest {
            let owner = owners[usize::from(image.label)].sample(&mut rng);
            shards[owner].push(image.clone());
        }
        Ok(shards)
    }
}

/// Draws the clients' habits; returns, for each digit, how likely each client is to have written it.
fn owners_by_digit(clients: usize, rng: &mut ChaCha8Rng) -> Vec<WeightedIndex<f64>> {
    let habits: Vec<_> = (0..clients).map(|_| habit(rng)).collect();
    let owners = |digit: usize| WeightedIndex::new(habits.iter().map(|habit| habit[digit]));
    (0..CLASSES).map(|digit| owners(digit).expect("habits are positive")).collect()
}

/// Draws how much one client writes of each digit: its size times its taste.
fn habit(rng: &mut ChaCha8Rng) -> [f64; CLASSES] {
    let size = rng.random_range(0.5..1.5);
    let mut habit = [size; CLASSES];
    for _ in 0..FAVOURITES {
        habit[rng.random_range(0..CLASSES)] = size * FAVOUR;
    }
    habit
}

/// Reads one line of the table: 64 pixels and a label.
fn parse(line: &str) -> Image {
    let numbers: Vec<u8> =
        line.split(',').map(|n| n.parse().expect("the embedded table is checked")).collect();
    let (label, ink) = numbers.split_last().expect("a line is never empty");
    let mut pixels = [0.0; PIXELS];
    for (pixel, ink) in pixels.iter_mut().zip(ink) {
        *pixel = f64::from(*ink) / 16.0;
    }
    Image { pixels, label: *label }
}

/// Digits that one client writes more often than the others (fewer if the same is drawn twice).
const FAVOURITES: usize = 3;

/// How many times more often it writes them.
const FAVOUR: f64 = 3.0;

const TABLE: &str = include_str!("../../data/digits.csv");

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_table_is_the_one_that_the_readme_names() {
        let readme = include_str!("../../data/README.md");
        let sum = hex::encode(Sha256::digest(TABLE));
        assert!(readme.contains(&format!("`{sum}`")), "data/README.md does not name {sum}");
    }

    #[test]
    fn every_line_is_an_image() {
        let images: Vec<Image> = TABLE.lines().map(parse).collect();
        assert_eq!(images.len(), 1797);
        assert!(TABLE.lines().all(|line| line.split(',').count() == PIXELS + 1));
        assert!(images.iter().all(|image| usize::from(image.label) < CLASSES));
        assert!(images.iter().flat_map(|image| image.pixels).all(|ink| (0.0..=1.0).contains(&ink)));
    }

    #[test]
    fn the_split_is_seeded_and_loses_nothing() {
        let digits = Digits::load(1);
        assert_eq!((digits.train.len(), digits.test.len()), (1437, 360));
        assert_eq!(digits.train, Digits::load(1).train);
        assert_ne!(digits.train, Digits::load(2).train);
        let all = || digits.train.iter().chain(&digits.test);
        for label in 0..10 {
            let expected = TABLE.lines().filter(|line| line.ends_with(&format!(",{label}"))).count();
            assert_eq!(all().filter(|image| image.label == label).count(), expected);
        }
    }

    #[test]
    fn shards_are_seeded_and_share_out_every_image() {
        let digits = Digits::load(1);
        for clients in [1, 2, 40, 500, 1437] {
            let shards = digits.shards(clients, 1).unwrap();
            assert_eq!(shards.len(), clients as usize);
            assert_eq!(shards, digits.shards(clients, 1).unwrap());
            assert_eq!(shards.iter().map(Vec::len).sum::<usize>(), digits.train.len());
            assert!(shards.iter().all(|shard| !shard.is_empty()));
        }
        assert_ne!(digits.shards(40, 1).unwrap(), digits.shards(40, 2).unwrap());
    }

    #[test]
    fn shards_differ_in_size() {
        let shards = Digits::load(1).shards(40, 1).unwrap();
        let smallest = shards.iter().map(Vec::len).min().unwrap();
        let largest = shards.iter().map(Vec::len).max().unwrap();
        assert!(smallest >= 8 && largest > smallest * 3 / 2 && largest <= 120, "{smallest} to {largest}");
    }

    #[test]
    fn impossible_shard_counts_are_refused() {
        let digits = Digits::load(1);
        assert!(digits.shards(0, 1).is_err());
        let error = digits.shards(1438, 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "1437 training images cannot be dealt to 1438 clients: choose from 1 to 1437 clients"
        );
    }
}
