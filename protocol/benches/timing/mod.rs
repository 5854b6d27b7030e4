//! Measures contenders in turn, so that a busy machine slows them alike, and compares round by round.
#![allow(dead_code, unreachable_pub, reason = "shared by the benchmarks, each of which uses its part")]

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

/// CPU seconds of the whole process: every thread, user and system.
pub fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// CPU seconds that `work` takes.
pub fn time<T>(work: impl FnOnce() -> T) -> f64 {
    let begin = cpu();
    black_box(work());
    cpu() - begin
}

/// The times of contenders that ran in turn.
pub struct Race {
    names: Vec<String>,
    /// One row a round, in the order of the names.
    rounds: Vec<Vec<f64>>,
}

impl Race {
    /// Runs each contender once unmeasured and then `rounds` times in turn. A contender says how long its part
    /// of a call took, so that it can prepare first.
    pub fn run(rounds: usize, contenders: &mut [(&str, &mut dyn FnMut() -> f64)]) -> Self {
        for (_, work) in contenders.iter_mut() {
            work();
        }
        let names = contenders.iter().map(|(name, _)| (*name).to_owned()).collect();
        let round = |_| contenders.iter_mut().map(|(_, work)| work()).collect();
        Self { names, rounds: (0..rounds).map(round).collect() }
    }

    /// The contenders in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    fn place(&self, name: &str) -> usize {
        self.names.iter().position(|one| one == name).expect("a contender of this race")
    }

    /// The median time of a contender.
    pub fn seconds(&self, name: &str) -> f64 {
        let at = self.place(name);
        median(self.rounds.iter().map(|times| times[at]))
    }

    /// The median over the rounds of the time of `one` divided by the time of `other` in the same round.
    pub fn ratio(&self, one: &str, other: &str) -> f64 {
        let (one, other) = (self.place(one), self.place(other));
        median(self.rounds.iter().map(|times| times[one] / times[other]))
    }

    /// The name of the contender with the least median time among those given.
    pub fn fastest<'a>(&self, names: &[&'a str]) -> &'a str {
        let faster = |a: &&&str, b: &&&str| self.seconds(a).total_cmp(&self.seconds(b));
        names.iter().min_by(faster).expect("a contender")
    }
}

/// Keeps rayon to one thread: on two hyper-threads of one core each would count, and take, nearly double.
pub fn one_thread() {
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("called once, first");
}

/// The middle value.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
