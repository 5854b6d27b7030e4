use super::*;
use crate::privacy::Variance;

fn release(shares: u32, sampling: Sampling) -> Release {
    let variance = Variance::new(100 << 16).unwrap();
    Release { kind: Kind::Gaussian, shares: vec![(shares, variance)], norm: 20.125, dimension: 64, sampling }
}

fn budget(against: Against) -> Budget {
    Budget { against, epsilon: 8.0, delta: 1e-6 }
}

/// A ledger in memory that does what a file would.
struct Book(Ledger, String);

impl Book {
    fn new(against: Against) -> Self {
        let (ledger, line) = Ledger::new("phones.eu-1", budget(against)).unwrap();
        Self(ledger, line)
    }

    fn enter(&mut self, entry: Result<Entry, LedgerError>) -> Result<(), LedgerError> {
        let entry = entry?;
        self.1.push_str(entry.line());
        self.0.commit(entry)
    }

    fn reserve(&mut self, round: &str, release: Release) -> Result<(), LedgerError> {
        self.enter(self.0.reserve(round, release))
    }
}

fn three_rounds() -> Book {
    let mut book = Book::new(Against::Server);
    for round in ["one", "two", "three"] {
        book.reserve(round, release(70, Sampling::Fixed { cohort: 100, population: 10_000 })).unwrap();
    }
    book.enter(book.0.settle("one", release(93, Sampling::Poisson(0.01)))).unwrap();
    book.enter(book.0.cancel("two")).unwrap();
    book
}

#[test]
fn what_was_written_is_read_back() {
    let book = three_rounds();
    let (read, torn) = Ledger::read(book.1.as_bytes()).unwrap();
    assert_eq!((torn, read.population(), read.budget()), (None, "phones.eu-1", budget(Against::Server)));
    assert!(read.rounds().eq(book.0.rounds()) && read.rounds().len() == 3);
    assert_eq!((read.spent(), read.last_checksum()), (book.0.spent(), book.0.last_checksum()));
}

#[test]
fn rounds_compose_on_curves_at_what_they_were_settled_for() {
    let book = three_rounds();
    let curve = |shares| release(shares, Sampling::All).curves().unwrap().0;
    let expected = curve(93).and(&curve(70)).epsilon(1e-6).unwrap().epsilon;
    let spent = book.0.spent().unwrap();
    assert!((spent.server / expected - 1.0).abs() < 1e-12 && spent.public < spent.server / 3.0);
}

#[test]
fn the_round_that_would_overspend_is_refused_with_what_is_left() {
    let mut book = Book::new(Against::Server);
    let one = release(70, Sampling::All);
    let fits = book.0.rounds_left(&one).unwrap();
    assert!((2..2000).contains(&fits));
    for round in 0..fits {
        book.reserve(&format!("round-{round}"), one.clone()).unwrap();
    }
    let refused = book.reserve("last", one.clone()).unwrap_err();
    let LedgerError::Overspent { would, budget, left: 0, .. } = refused else { panic!("{refused}") };
    assert!(would > 8.0 && budget == 8.0 && refused.to_string().contains("0 more rounds"));
    assert!(book.0.spent().unwrap().server <= 8.0 && book.0.rounds_left(&one) == Ok(0));
    // More noise fits, until that is spent too.
    let quiet = Release { shares: vec![(1 << 20, Variance::new(100 << 16).unwrap())], ..one.clone() };
    book.reserve("quiet", quiet).unwrap();
    // What is given back can be spent again.
    book.enter(book.0.cancel("round-0")).unwrap();
    assert!(book.0.rounds_left(&release(200, Sampling::All)).unwrap() >= 1);
    // What has happened is taken, whatever it costs.
    book.enter(book.0.settle("round-1", release(1, Sampling::All))).unwrap();
    assert!(book.0.spent().unwrap().server > 8.0);
    assert!(matches!(book.reserve("more", one), Err(LedgerError::Overspent { .. })));
}

#[test]
fn the_budget_is_against_whom_it_says() {
    let rare = release(70, Sampling::Poisson(0.001));
    let left = |against| Book::new(against).0.rounds_left(&rare).unwrap();
    assert!(left(Against::Public) > 50 * left(Against::Server));
}

/// Cut at every byte: whole lines are kept, and what is torn is said.
#[test]
fn a_torn_last_line_is_told_and_cut() {
    let text = three_rounds().1;
    let first = text.find('\n').unwrap() + 1;
    for cut in 0..text.len() {
        let found = Ledger::read(&text.as_bytes()[..cut]);
        if cut < first {
            assert_eq!(found.unwrap_err(), LedgerError::Empty, "{cut}");
            continue;
        }
        let (ledger, torn) = found.unwrap();
        let keep = text[..cut].rfind('\n').unwrap() + 1;
        let line = text[..cut].matches('\n').count() + 1;
        let expected = (keep < cut).then_some(Torn { line, bytes: cut - keep, keep });
        assert_eq!(torn, expected, "{cut}");
        assert!(text[..keep].ends_with(&format!("{}\n", ledger.last_checksum())));
    }
}

#[test]
fn every_changed_byte_is_found_with_its_line() {
    let text = three_rounds().1;
    for at in 0..text.len() - 1 {
        let mut changed = text.clone().into_bytes();
        changed[at] ^= 1;
        let line = text[..at].matches('\n').count() + 1;
        match Ledger::read(&changed) {
            Err(LedgerError::Checksum { line: found }) => assert_eq!(found, line, "byte {at}"),
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn lines_moved_doubled_or_missing_are_found() {
    let text = three_rounds().1;
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let read = |order: &[usize]| {
        Ledger::read(order.iter().map(|&at| lines[at]).collect::<String>().as_bytes()).map(|_| ())
    };
    assert_eq!(read(&[0, 1, 2, 3, 4, 5]), Ok(()));
    assert_eq!(read(&[0, 2, 1, 3]), Err(LedgerError::Checksum { line: 2 }));
    assert_eq!(read(&[0, 1, 3, 4]), Err(LedgerError::Checksum { line: 3 }));
    assert_eq!(read(&[0, 1, 1]), Err(LedgerError::Checksum { line: 3 }));
    assert_eq!(read(&[1, 2]), Err(LedgerError::Checksum { line: 1 }));
}

/// Lines with a right checksum that say what cannot be.
#[test]
fn lines_that_cannot_be_are_named() {
    let (ledger, first) = Ledger::new("p", budget(Against::Public)).unwrap();
    let good = release(70, Sampling::All).to_string();
    for (body, words) in [
        ("cancel\tone", "not reserved"),
        ("settle\tone\tgaussian\t1x65536\t1.0\t4\tall", "not reserved"),
        ("reserve\tone", "5 fields"),
        ("reserve\t\tgaussian\t1x65536\t1.0\t4\tall", "names are 1 to 64"),
        ("reserve\tone\tlaplace\t1x65536\t1.0\t4\tall", "no mechanism"),
        ("reserve\tone\tgaussian\t65536\t1.0\t4\tall", "count x"),
        ("reserve\tone\tgaussian\t1x1\t1.0\t4\tall", "1/4 to 2^44"),
        ("reserve\tone\tgaussian\t-1x65536\t1.0\t4\tall", "no number"),
        ("reserve\tone\tgaussian\t1x65536\tx\t4\tall", "no number"),
        ("reserve\tone\tgaussian\t1x65536\t1.0\t4\tsome", "no sampling"),
        ("reserve\tone\tgaussian\t1x65536\t1.0\t4\tfixed:3", "no sampling"),
        ("refund\tone", "no record"),
        (&format!("cancel\tone\t{good}"), "no record"),
    ] {
        let (line, _) = line::seal(ledger.last_checksum(), body);
        let found = Ledger::read(format!("{first}{line}").as_bytes()).unwrap_err().to_string();
        assert!(found.starts_with("line 2 of the ledger") && found.contains(words), "{body:?}: {found}");
    }
    for (body, words) in [
        ("secagg-ledger-2\tp\tserver\t8.0\t1e-6", "secagg-ledger-1"),
        ("secagg-ledger-1\tp\tnobody\t8.0\t1e-6", "neither server nor public"),
        ("secagg-ledger-1\tp\tserver\tmuch\t1e-6", "no number"),
        ("secagg-ledger-1\tp q\tserver\t8.0\t1e-6", "names are"),
        ("secagg-ledger-1\tp\tserver\t-8.0\t1e-6", "above 0"),
        ("secagg-ledger-1\tp\tserver\t8.0\t1.0", "between 0 and 1"),
    ] {
        let found = Ledger::read(line::seal("", body).0.as_bytes()).unwrap_err().to_string();
        assert!(found.contains(words), "{body:?}: {found}");
    }
}

#[test]
fn what_has_no_guarantee_is_not_entered() {
    let book = three_rounds();
    let good = release(70, Sampling::All);
    for wrong in [
        Release { shares: vec![], ..good.clone() },
        Release { shares: vec![(0, Variance::LEAST)], ..good.clone() },
        Release { shares: vec![(u32::MAX, Variance::LEAST)], ..good.clone() },
        Release { norm: f64::NAN, ..good.clone() },
        Release { dimension: 0, ..good.clone() },
        Release { kind: Kind::Centred, shares: vec![(9, Variance::new(1 << 16).unwrap())], ..good.clone() },
        Release { sampling: Sampling::Poisson(1.5), ..good.clone() },
        Release { sampling: Sampling::Fixed { cohort: 5, population: 4 }, ..good.clone() },
    ] {
        assert!(matches!(book.0.reserve("four", wrong.clone()), Err(LedgerError::Privacy(_))), "{wrong}");
        assert!(matches!(book.0.settle("three", wrong.clone()), Err(LedgerError::Privacy(_))), "{wrong}");
    }
    assert!(matches!(book.0.reserve("a b", good.clone()), Err(LedgerError::Name { .. })));
    assert_eq!(book.0.reserve("one", good.clone()).unwrap_err(), "the round is in the ledger already".into());
    assert_eq!(book.0.settle("two", good).unwrap_err(), "the round is settled or cancelled already".into());
    assert!(book.0.cancel("nine").is_err());
    for (epsilon, delta) in [(0.0, 0.1), (f64::NAN, 0.1), (1.0, 0.0), (1.0, 1.0)] {
        assert!(Ledger::new("p", Budget { against: Against::Server, epsilon, delta }).is_err());
    }
}

#[test]
fn an_entry_counts_once_and_in_its_place() {
    let mut book = Book::new(Against::Server);
    let (one, other) =
        (book.0.reserve("a", release(70, Sampling::All)), book.0.reserve("b", release(70, Sampling::All)));
    book.enter(one).unwrap();
    assert_eq!(book.0.commit(other.unwrap()), Err(LedgerError::Stale));
}

#[test]
fn every_kind_of_release_is_written_and_read() {
    let variance = |units| Variance::new(units).unwrap();
    for kind in [Kind::Gaussian, Kind::Centred, Kind::Skellam] {
        for sampling in
            [Sampling::All, Sampling::Poisson(0.1 + 0.2), Sampling::Fixed { cohort: 7, population: 70 }]
        {
            let shares = vec![(70, variance(80_001)), (140, variance(90_000))];
            let release = Release { kind, shares, norm: 1.0 / 3.0, dimension: 1 << 20, sampling };
            assert_eq!(release.to_string().parse(), Ok(release.clone()));
            let (server, public) = release.curves().unwrap();
            assert!(public.epsilon(1e-6).unwrap().epsilon <= server.epsilon(1e-6).unwrap().epsilon);
        }
    }
}

#[test]
fn a_name_is_found_that_nobody_has_used() {
    let mut book = Book::new(Against::Server);
    assert_eq!(book.0.unused_name("serve"), "serve-1");
    for round in ["serve-2", "serve-3"] {
        book.reserve(round, release(70, Sampling::All)).unwrap();
    }
    assert_eq!(
        (book.0.unused_name("serve"), book.0.unused_name("demo")),
        ("serve-4".into(), "demo-3".into())
    );
    book.enter(book.0.cancel("serve-3")).unwrap();
    assert_eq!(book.0.unused_name("serve"), "serve-4");
}

/// Wherever a text ends or has a byte of zero in its last line, that line is torn, and only then.
#[test]
fn a_torn_line_is_the_last_one_without_its_end_or_with_a_hole() {
    let torn = |line, bytes, keep| Some(Torn { line, bytes, keep });
    for (text, expected) in [
        ("", None),
        ("one\n", None),
        ("one\ntwo\n", None),
        ("o", torn(1, 1, 0)),
        ("one\nt", torn(2, 1, 4)),
        ("one\n\0\0\0\n", torn(2, 4, 4)),
        ("one\ntw\0\n", torn(2, 4, 4)),
        ("one\n\0\0", torn(2, 2, 4)),
        ("\0ne\n", torn(1, 4, 0)),
        ("\0ne\ntwo\n", None),
    ] {
        assert_eq!(Torn::of(text.as_bytes()), expected, "{text:?}");
    }
}
