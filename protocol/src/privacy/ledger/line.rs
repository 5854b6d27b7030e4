//! One line of a ledger: its fields and its checksum.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{Against, Budget, LedgerError, Release};

/// The first field of the first line.
const MAGIC: &str = "secagg-ledger-1";

/// Characters of a checksum.
const CHECKSUM: usize = 16;

/// What a line but the first says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    Reserve(String, Release),
    Settle(String, Release),
    Cancel(String),
}

impl Record {
    pub(super) fn round(&self) -> &str {
        match self {
            Self::Reserve(round, _) | Self::Settle(round, _) | Self::Cancel(round) => round,
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserve(round, release) => write!(formatter, "reserve\t{round}\t{release}"),
            Self::Settle(round, release) => write!(formatter, "settle\t{round}\t{release}"),
            Self::Cancel(round) => write!(formatter, "cancel\t{round}"),
        }
    }
}

pub(super) fn header(population: &str, budget: Budget) -> String {
    let against = match budget.against {
        Against::Server => "server",
        Against::Public => "public",
    };
    format!("{MAGIC}\t{population}\t{against}\t{:?}\t{:?}", budget.epsilon, budget.delta)
}

pub(super) fn read_header(body: &str) -> Result<(String, Budget), LedgerError> {
    let fault = |fault: String| LedgerError::Malformed { line: 1, fault };
    let fields: Vec<&str> = body.split('\t').collect();
    let &[MAGIC, population, against, epsilon, delta] = fields.as_slice() else {
        return Err(fault(format!("this is not the first line of a ledger, which begins with {MAGIC:?}")));
    };
    let against = match against {
        "server" => Against::Server,
        "public" => Against::Public,
        other => return Err(fault(format!("{other:?} is neither server nor public"))),
    };
    let number = |text: &str| text.parse::<f64>().map_err(|_| fault(format!("{text:?} is no number")));
    let budget = Budget { against, epsilon: number(epsilon)?, delta: number(delta)? };
    Ok((checked_name("the population", population)?.to_owned(), budget))
}

pub(super) fn read_record(body: &str, line: usize) -> Result<Record, LedgerError> {
    let fault = |fault: String| LedgerError::Malformed { line, fault };
    let (kind, rest) = body.split_once('\t').unwrap_or((body, ""));
    let (round, rest) = rest.split_once('\t').map_or((rest, None), |(round, rest)| (round, Some(rest)));
    let round = checked_name("the round", round).map_err(|error| fault(error.to_string()))?.to_owned();
    let release = |rest: Option<&str>| rest.unwrap_or_default().parse::<Release>().map_err(fault);
    match (kind, rest) {
        ("reserve", rest) => Ok(Record::Reserve(round, release(rest)?)),
        ("settle", rest) => Ok(Record::Settle(round, release(rest)?)),
        ("cancel", None) => Ok(Record::Cancel(round)),
        _ => Err(fault(format!("{kind:?} with these fields is no record"))),
    }
}

pub(super) fn checked_name<'a>(what: &'static str, name: &'a str) -> Result<&'a str, LedgerError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match (1..=64).contains(&name.len()) && name.bytes().all(known) {
        true => Ok(name),
        false => Err(LedgerError::Name { what, found: name.chars().take(80).collect() }),
    }
}

/// The line with checksum and line feed, and the checksum.
pub(super) fn seal(before: &str, body: &str) -> (String, String) {
    let checksum = checksum(before, body);
    (format!("{body}\t{checksum}\n"), checksum)
}

/// What a line says, if its checksum is right, and the checksum.
pub(super) fn open<'a>(
    before: &str,
    line: &'a [u8],
    number: usize,
) -> Result<(&'a str, String), LedgerError> {
    let wrong = LedgerError::Checksum { line: number };
    let Some((body, found)) =
        std::str::from_utf8(line).ok().and_then(|line| line.strip_suffix('\n')?.rsplit_once('\t'))
    else {
        return Err(wrong);
    };
    let checksum = checksum(before, body);
    if found == checksum { Ok((body, checksum)) } else { Err(wrong) }
}

fn checksum(before: &str, body: &str) -> String {
    let digest = Sha256::new().chain_update(before).chain_update(body).chain_update("\t").finalize();
    let mut text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(CHECKSUM);
    text
}
