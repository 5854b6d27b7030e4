//! The planner against the definitions, written out for everything small.

use num_bigint::BigUint;

use super::exact::{self, Ratio};
use super::hypergeometric::Urn;
use super::*;

fn ratio(numerator: impl Into<BigUint>, denominator: impl Into<BigUint>) -> Ratio {
    Ratio { numerator: numerator.into(), denominator: denominator.into() }
}

fn sum(one: Ratio, other: Ratio) -> Ratio {
    ratio(
        one.numerator * &other.denominator + other.numerator * &one.denominator,
        one.denominator * other.denominator,
    )
}

fn settings() -> impl Iterator<Item = Setting> {
    let sizes = (2..=11u64).flat_map(|n| (0..=n / 2).flat_map(move |c| (0..=n / 2).map(move |d| (n, c, d))));
    sizes.flat_map(|(clients, corrupt, dropped)| {
        [(0, 0), (1, 2), (4, 1), (7, 3)].map(|(security_bits, correctness_bits)| Setting {
            clients,
            corrupt,
            dropped,
            security_bits,
            correctness_bits,
            roots: 1,
            floor: 1,
        })
    })
}

/// n · Pr[`least` or more of `drawn` from n − 1 with `marked` marked], by counting.
fn expected_clients(setting: &Setting, marked: u64, drawn: u64, least: u64) -> Ratio {
    let others = setting.clients - 1;
    let marked = marked.min(others);
    let ways = |at| exact::binomial(marked, at) * exact::binomial(others - marked, drawn - at);
    let numerator: BigUint = (least..=drawn).map(ways).sum();
    ratio(numerator * setting.clients, exact::binomial(others, drawn))
}

/// p_disc as the product of the paper: n(n − k − 1)/2 · m!(n − k)! / (n!(m − k)!).
fn falling_apart(setting: &Setting, degree: u64) -> Ratio {
    let (n, m) = (setting.clients, setting.corrupt + setting.dropped);
    let (mut numerator, mut denominator) = (BigUint::from(n * (n - degree - 1)), BigUint::from(2u8));
    for at in 0..degree {
        numerator *= m.saturating_sub(at);
        denominator *= n - at;
    }
    ratio(numerator, denominator)
}

/// Compares a model with a definition of what is secure, over all degrees and thresholds.
fn agrees(graph: &impl Sparse, equivocation: bool, secure: impl Fn(u64, u64) -> bool) {
    let setting = *graph.setting();
    let correct = |degree, threshold| {
        let too_few = expected_clients(&setting, setting.dropped, degree, degree + 1 - threshold);
        too_few.at_most(setting.correctness_bits)
    };
    let mut smallest = None;
    for degree in (graph.step()..setting.clients).step_by(graph.step() as usize) {
        let min = (1..=degree).find(|&threshold| secure(degree, threshold));
        let max = (1..=degree).rev().find(|&threshold| correct(degree, threshold));
        assert_eq!(graph.range(degree), Range { min, max }, "{setting:?} {degree} {equivocation}");
        for threshold in 1..=degree {
            let reasons = graph.figures(degree, threshold).reasons;
            assert_eq!(reasons.contains(&Reason::Insecure), !secure(degree, threshold), "{setting:?}");
            assert_eq!(reasons.contains(&Reason::Incorrect), !correct(degree, threshold), "{setting:?}");
        }
        smallest = smallest.or(graph.range(degree).least().map(|_| degree));
    }
    assert_eq!(graph.search(), smallest, "{setting:?} {equivocation}");
}

#[test]
fn harary_graphs_are_judged_as_defined() {
    for setting in settings() {
        for equivocation in [false, true] {
            let secure = |degree: u64, threshold: u64| {
                let least = if equivocation { (2 * threshold).saturating_sub(degree) } else { threshold };
                let share = expected_clients(&setting, setting.corrupt, degree, least);
                sum(share, falling_apart(&setting, degree)).at_most(setting.security_bits)
            };
            agrees(&Harary { setting, equivocation }, equivocation, secure);
        }
    }
}

/// A and the sum below it, by the definition.
fn group(setting: &Setting, degree: u64, threshold: u64) -> (u64, Ratio) {
    let honest = setting.honest();
    let mut total = ratio(0u8, 1u8);
    for size in 1..=honest {
        let marked = size - 1 + setting.corrupt;
        let inward = exact::tail(Urn { population: setting.clients - 1, marked, drawn: degree }, threshold);
        let isolation = ratio(
            inward.numerator.pow(size as u32) * exact::binomial(honest, size),
            inward.denominator.pow(size as u32),
        );
        let more = sum(ratio(total.numerator.clone(), total.denominator.clone()), isolation);
        if !more.at_most(setting.security_bits + 1) {
            return (size, total);
        }
        total = more;
    }
    (honest, total)
}

#[test]
fn the_pinned_set_is_judged_as_defined() {
    for setting in settings().filter(|setting| setting.quorum() <= setting.survivors()) {
        let pinned = Pinned { setting };
        let secure = |degree, threshold| {
            let share = expected_clients(&setting, setting.corrupt, degree, threshold);
            let (least, below) = group(&setting, degree, threshold);
            assert_eq!(
                pinned.figures(degree, threshold).min_honest,
                least,
                "{setting:?} {degree} {threshold}"
            );
            sum(share, below).at_most(setting.security_bits)
        };
        agrees(&pinned, false, secure);
    }
}

/// All sets of `size` of the numbers below `count`, as bits.
fn subsets(count: u64, size: u64) -> impl Iterator<Item = u32> {
    (0u32..1 << count).filter(move |set| u64::from(set.count_ones()) == size)
}

fn around(count: u64, degree: u64, place: u64) -> impl Iterator<Item = u64> {
    (1..=degree / 2).flat_map(move |step| [(place + step) % count, (place + count - step) % count])
}

fn falls_apart(count: u64, degree: u64, gone: u32) -> bool {
    let Some(first) = (0..count).find(|place| gone >> place & 1 == 0) else { return false };
    let (mut reached, mut next) = (1u32 << first, vec![first]);
    while let Some(place) = next.pop() {
        for other in around(count, degree, place) {
            if (gone | reached) >> other & 1 == 0 {
                reached |= 1 << other;
                next.push(other);
            }
        }
    }
    reached | gone != (1 << count) - 1
}

/// Every way to lose m places of a small circle: random labels make them equally likely.
#[test]
fn the_bounds_on_harary_graphs_hold_for_every_small_graph() {
    for n in 3..=12u64 {
        for degree in (2..n).step_by(2) {
            for lost in 0..=n {
                let setting = Setting {
                    clients: n,
                    corrupt: lost,
                    dropped: 0,
                    security_bits: 0,
                    correctness_bits: 0,
                    roots: 1,
                    floor: 1,
                };
                let sets = exact::binomial(n, lost);
                let apart = subsets(n, lost).filter(|&gone| falls_apart(n, degree, gone)).count();
                let bound = falling_apart(&setting, degree);
                assert!(BigUint::from(apart) * &bound.denominator <= bound.numerator * &sets);
                for least in 1..=degree {
                    let hit = |set: u32, place| {
                        around(n, degree, place).filter(|other| set >> other & 1 == 1).count() as u64 >= least
                    };
                    let bad = subsets(n, lost)
                        .filter(|&set| (0..n).any(|place| set >> place & 1 == 0 && hit(set, place)));
                    let bound = expected_clients(&setting, lost, degree, least);
                    assert!(BigUint::from(bad.count()) * bound.denominator <= bound.numerator * &sets);
                }
            }
        }
    }
}

/// A generator for sampling (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn holders(&mut self, count: u64, degree: u64, of: u64) -> u32 {
        let mut set = 0u32;
        while u64::from(set.count_ones()) < degree {
            let one = self.below(count);
            if one != of {
                set |= 1 << one;
            }
        }
        set
    }
}

/// Graphs of the pinned set at n = 12: how often some group of a size stands alone, against the bound.
#[test]
fn the_bound_on_groups_holds_for_sampled_graphs() {
    const TRIALS: u64 = 4000;
    let (n, corrupt, degree, threshold) = (12, 2, 6, 4);
    let setting = Setting {
        clients: n,
        corrupt,
        dropped: 0,
        security_bits: 0,
        correctness_bits: 0,
        roots: 1,
        floor: 1,
    };
    let corrupt_set = ((1u32 << corrupt) - 1) << (n - corrupt);
    let mut random = Random(1);
    let mut alone = [0u64; 5];
    for _ in 0..TRIALS {
        let holders: Vec<u32> = (0..n).map(|of| random.holders(n, degree, of)).collect();
        for (size, count) in (0u64..).zip(&mut alone).skip(1) {
            let inward = |set: u32, member: u64| {
                let held = holders[member as usize] & (set | corrupt_set);
                u64::from(held.count_ones()) >= threshold
            };
            let isolated =
                |set: u32| (0..n).filter(|member| set >> member & 1 == 1).all(|one| inward(set, one));
            *count += u64::from(subsets(n - corrupt, size).any(isolated));
        }
    }
    for (size, count) in (0u64..).zip(alone).skip(1) {
        let bound = Pinned { setting }.isolation(degree, threshold, size).log2().exp2();
        let found = count as f64 / TRIALS as f64;
        assert!(found <= bound + 4.0 * (bound / TRIALS as f64).sqrt() + 1e-3, "{size}: {found} {bound}");
    }
    assert!(alone[3] > 0 && alone[4] > 0, "the sample says something: {alone:?}");
}

fn question(model: Model, clients: u32, corrupt: &str, dropout: &str) -> Question {
    Question::new(model, clients, corrupt.parse().unwrap(), dropout.parse().unwrap())
}

#[test]
fn a_policy_counts_at_least_one_corrupt_client_and_the_silent_ones() {
    let counts = |model| question(model, 1000, "0.0001", "0.1").counts();
    assert_eq!(counts(Model::BellCurious), (1, 100));
    assert_eq!(counts(Model::PinnedSet), (1, 101));
    let paper =
        Question { convention: Convention::Paper, ..question(Model::PinnedSet, 1000, "0.0001", "0.1") };
    assert_eq!(paper.counts(), (0, 100));
}

#[test]
fn the_pinned_set_guarantees_a_useful_sum() {
    let plan = question(Model::PinnedSet, 1000, "0.05", "0.1").answer().unwrap();
    // A quorum of 526 with 50 corrupt: half of 476.
    assert_eq!(plan.verdict, Verdict::Accept);
    assert!(plan.min_honest >= 238);
    let roots = Question { roots: 1 << 20, ..question(Model::PinnedSet, 1000, "0.05", "0.1") };
    assert!(roots.answer().unwrap().degree > plan.degree);
    // Accepted by the bounds on the shares and the graph alone, with three inputs in a sum.
    let small = Question {
        convention: Convention::Paper,
        degree: Some(112),
        threshold: Some(22),
        ..question(Model::PinnedSet, 200, "0.1", "0")
    };
    assert_eq!(small.answer().unwrap().reason, Reason::MinHonest);
    let careless = Question { min_honest: Some(1), ..small }.answer().unwrap();
    assert_eq!((careless.verdict, careless.min_honest), (Verdict::Accept, 3));
}

#[test]
fn a_refusal_says_why() {
    let reason = |question: Question| question.answer().unwrap().reason;
    let bell = question(Model::BellCurious, 1000, "0.2", "0.2");
    assert_eq!(reason(question(Model::BonawitzActive, 10, "0.3", "0.5")), Reason::ThresholdRange);
    assert_eq!(reason(question(Model::BellCurious, 10, "0.3", "0.5")), Reason::Degree);
    assert_eq!(reason(question(Model::PinnedSet, 1000, "0.3", "0.4")), Reason::Quorum);
    assert_eq!(reason(Question { degree: Some(101), threshold: Some(50), ..bell }), Reason::Degree);
    assert_eq!(reason(Question { degree: Some(1000), threshold: Some(50), ..bell }), Reason::Degree);
    assert_eq!(reason(Question { degree: Some(100), threshold: Some(101), ..bell }), Reason::ThresholdRange);
    assert_eq!(reason(Question { degree: Some(100), threshold: Some(40), ..bell }), Reason::Insecure);
    assert_eq!(reason(Question { degree: Some(100), threshold: Some(60), ..bell }), Reason::Incorrect);
    assert_eq!(reason(Question { degree: Some(60), ..bell }), Reason::ThresholdRange);
    assert_eq!(reason(Question { min_honest: Some(700), ..bell }), Reason::MinHonest);
}

#[test]
fn what_cannot_be_asked_is_an_error() {
    let bell = question(Model::BellCurious, 1000, "0.1", "0.1");
    assert_eq!(Question { clients: 1, ..bell }.answer(), Err(QuestionError::Clients(1)));
    assert_eq!(Question { security_bits: 5000, ..bell }.answer(), Err(QuestionError::Bits));
    assert_eq!(Question { roots: 0, ..bell }.answer(), Err(QuestionError::Roots));
    assert_eq!(Question { threshold: Some(3), ..bell }.answer(), Err(QuestionError::ThresholdWithoutDegree));
}

#[test]
fn a_thousand_million_clients_are_planned() {
    for (model, degree, threshold) in
        [(Model::BellCurious, 60, 29), (Model::BellEquivocation, 142, 93), (Model::PinnedSet, 72, 32)]
    {
        let plan = question(model, 1_000_000_000, "0.05", "0.1").answer().unwrap();
        assert_eq!((plan.degree, plan.threshold), (Some(degree), Some(threshold)));
    }
}
