//! The decoders. Every message that decodes encodes to the same bytes, and every message written by a plain encoder
//! of this file decodes to what was written.

use arbitrary::{Result, Unstructured};
use secagg::conformance::{Decoded, Item, decode, encoded};
use secagg::privacy::{Noise, NoiseLaw};
use secagg::{Authority, Config, Graph, Suite, VectorSpec};

use super::packing;

/// A body and what it says.
type Body = (Vec<u8>, Vec<(&'static str, Item)>);

pub(super) fn advertise_keys_request(data: &[u8]) {
    check(1, data, |from| {
        let (id, config) = (id(from)?, any_config(from)?);
        if config.check().is_err() {
            return Err(arbitrary::Error::IncorrectFormat);
        }
        let body = [&id.to_be_bytes()[..], &plain_config(&config)].concat();
        Ok((body, vec![("client", Item::Number(id)), ("config", Item::Config(config))]))
    });
}

pub(super) fn advertise_keys_response(data: &[u8]) {
    check(2, data, |from| {
        let (body, keys) = public_keys(from)?;
        Ok((body, keys))
    });
}

pub(super) fn share_keys_request(data: &[u8]) {
    check(3, data, |from| {
        list("members", from, |from| {
            let id = id(from)?;
            let (keys, says) = public_keys(from)?;
            let says = [("id", Item::Number(id))].into_iter().chain(says);
            Ok(([&id.to_be_bytes()[..], &keys].concat(), fields(says.collect())))
        })
    });
}

pub(super) fn share_keys_response(data: &[u8]) {
    check(4, data, |from| {
        let commitment = from.arbitrary::<[u8; 32]>()?;
        let (bundles, mut says) = list("bundles", from, opaque::<80>)?;
        says.insert(0, ("commitment", Item::Bytes(commitment.to_vec())));
        Ok(([&commitment[..], &bundles].concat(), says))
    });
}

pub(super) fn masked_input_request(data: &[u8]) {
    check(5, data, |from| {
        list("bundles", from, |from| {
            let (owner, (bundle, says)) = (id(from)?, opaque::<80>(from)?);
            let says = vec![("owner", Item::Number(owner)), ("bundle", says)];
            Ok(([&owner.to_be_bytes()[..], &bundle].concat(), fields(says)))
        })
    });
}

/// The message needs a configuration, which comes first in the input.
pub(super) fn masked_input_response(data: &[u8]) {
    let (head, rest) = data.split_at(data.len().min(48));
    let Ok(mut config) = any_config(&mut Unstructured::new(head)) else { return };
    for (at, vector) in config.vectors.iter_mut().enumerate() {
        vector.length = vector.length % 40 + 1;
        vector.name = format!("{at}");
        vector.bits = vector.bits % 62 + 1;
    }
    both_ways(6, rest, Some(&config));
    let mut from = Unstructured::new(rest);
    let (mut body, mut says) = (Vec::new(), Vec::new());
    for VectorSpec { name, length, bits, .. } in &config.vectors {
        let Ok(coordinates) = packing::coordinates(&mut from, *bits, *length as usize) else { return };
        body.extend(packing::bit_by_bit(*bits, &coordinates));
        says.push((name.clone(), Item::Coordinates(coordinates)));
    }
    decodes_to(6, &body, vec![("vectors".to_owned(), Item::Fields(says))], Some(&config));
}

pub(super) fn unmasking_request(data: &[u8]) {
    check(9, data, |from| {
        let (count, survivors): (u32, Vec<u8>) = (from.arbitrary()?, from.arbitrary()?);
        let says =
            vec![("survivor_count", Item::Number(count)), ("survivors", Item::Bytes(survivors.clone()))];
        Ok(([&count.to_be_bytes()[..], &prefixed(&survivors)].concat(), says))
    });
}

/// The messages of ConsistencyCheck, and those that are others in a signed suite.
pub(super) fn signed(data: &[u8]) {
    let suite = Suite::Active { corrupt: 0, authority: Authority::new([1; 32]).public() };
    let config = Config { suite, ..super::session::config(Graph::Complete, 3, 2) };
    for kind in [2, 3, 7, 8, 9] {
        both_ways(kind, data, Some(&config));
    }
    pinned(data);
    let mut from = Unstructured::new(data);
    let Ok((survivors, signature)) = from.arbitrary::<(Vec<u8>, [u8; 64])>() else { return };
    let field = |name: &str, bytes: &[u8]| vec![(name.to_owned(), Item::Bytes(bytes.to_vec()))];
    decodes_to(7, &prefixed(&survivors), field("survivors", &survivors), Some(&config));
    decodes_to(8, &signature, field("signature", &signature), Some(&config));
}

/// The messages that are others in the pinned suite.
fn pinned(data: &[u8]) {
    let suite = Suite::Pinned { corrupt: 0, authority: Authority::new([1; 32]).public() };
    let config = Config { suite, ..super::session::config(Graph::KOut { degree: 3 }, 4, 2) };
    for kind in [2, 3, 4, 5, 6, 9] {
        both_ways(kind, data, Some(&config));
    }
    let mut from = Unstructured::new(data);
    let Ok((sharers, owner, draw)) = from.arbitrary::<(Vec<u8>, u32, [u8; 32])>() else { return };
    let item = [&owner.max(1).to_be_bytes()[..], &draw, &[3; 80]].concat();
    let drawn = Item::Fields(vec![
        ("owner".to_owned(), Item::Number(owner.max(1))),
        ("draw".to_owned(), Item::Bytes(draw.to_vec())),
        ("bundle".to_owned(), Item::Bytes(vec![3; 80])),
    ]);
    let says = vec![
        ("sharers".to_owned(), Item::Bytes(sharers.clone())),
        ("bundles".to_owned(), Item::List(vec![drawn])),
    ];
    decodes_to(5, &[prefixed(&sharers), prefixed(&item)].concat(), says, Some(&config));
}

pub(super) fn unmasking_response(data: &[u8]) {
    check(10, data, |from| {
        let (unopened, mut says) = list("unopened", from, |from| {
            let id = id(from)?;
            Ok((id.to_be_bytes().to_vec(), Item::Number(id)))
        })?;
        let (shares, more) = list("shares", from, opaque::<32>)?;
        says.extend(more);
        Ok(([unopened, shares].concat(), says))
    });
}

/// A configuration that keeps the rules has one encoding, the plain one, and one that breaks them opens no session.
pub(super) fn config(data: &[u8]) {
    let Ok(mut config) = any_config(&mut Unstructured::new(data)) else { return };
    if config.check().is_err() {
        assert!(secagg::Server::open(config).is_err());
        return;
    }
    assert_eq!(encoded(&config), plain_config(&config));
    let id = config.id();
    config.nonce[0] ^= 1;
    assert_ne!(config.id(), id);
    let greatest = config.vectors.iter().filter_map(|vector| Some((vector.bound?, vector.bits)));
    for (bound, bits) in greatest {
        assert!(u128::from(bound) * u128::from(config.clients) < 1 << bits, "the sum could wrap");
    }
}

fn check(kind: u8, data: &[u8], build: impl FnOnce(&mut Unstructured<'_>) -> Result<Body>) {
    both_ways(kind, data, None);
    if let Ok((body, says)) = build(&mut Unstructured::new(data)) {
        let says = says.into_iter().map(|(name, item)| (name.to_owned(), item)).collect();
        decodes_to(kind, &body, says, None);
    }
}

/// encode(decode(b)) = b for the bytes behind a type and a session; they decode to no more than they are.
fn both_ways(kind: u8, rest: &[u8], config: Option<&Config>) {
    let message = message(kind, rest);
    if let Ok((session, says, again)) = decode(&message, config) {
        assert_eq!(again, message);
        assert_eq!(decode(&again, config), Ok((session, says, again)));
    }
}

/// decode(encode(x)) = x.
fn decodes_to(kind: u8, body: &[u8], says: Vec<(String, Item)>, config: Option<&Config>) {
    let message = message(kind, body);
    let expected: Decoded = Ok(([7; 32], says, message.clone()));
    assert_eq!(decode(&message, config), expected);
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &[7; 32][..], body].concat()
}

fn id(from: &mut Unstructured<'_>) -> Result<u32> {
    from.int_in_range(1..=u32::MAX)
}

fn opaque<const N: usize>(from: &mut Unstructured<'_>) -> Result<(Vec<u8>, Item)> {
    let bytes = from.arbitrary::<[u8; N]>()?.to_vec();
    Ok((bytes.clone(), Item::Bytes(bytes)))
}

fn public_keys(from: &mut Unstructured<'_>) -> Result<Body> {
    let ((encryption, one), (mask, other)) = (opaque::<32>(from)?, opaque::<32>(from)?);
    Ok(([encryption, mask].concat(), vec![("encryption_key", one), ("mask_key", other)]))
}

fn fields(fields: Vec<(&'static str, Item)>) -> Item {
    Item::Fields(fields.into_iter().map(|(name, item)| (name.to_owned(), item)).collect())
}

fn list(
    name: &'static str,
    from: &mut Unstructured<'_>,
    element: impl Fn(&mut Unstructured<'_>) -> Result<(Vec<u8>, Item)>,
) -> Result<Body> {
    let elements = (0..from.int_in_range(0..=9u8)?).map(|_| element(from)).collect::<Result<Vec<_>>>()?;
    let (bytes, items): (Vec<_>, Vec<_>) = elements.into_iter().unzip();
    Ok((prefixed(&bytes.concat()), vec![(name, Item::List(items))]))
}

fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat()
}

/// Any configuration, of few clients so that a session of it can be opened.
fn any_config(from: &mut Unstructured<'_>) -> Result<Config> {
    let graph = match from.arbitrary()? {
        false => Graph::Complete,
        true => Graph::Regular { degree: from.int_in_range(0..=40)? },
    };
    let (clients, threshold) = (from.int_in_range(0..=40)?, from.int_in_range(0..=40)?);
    let vector = |from: &mut Unstructured<'_>| {
        let name: String = from.arbitrary()?;
        let (length, bits) = (from.arbitrary()?, from.int_in_range(0..=65)?);
        let (bound, noise) = (from.arbitrary()?, any_noise(from)?);
        Ok(VectorSpec { name, length, bits, bound, noise })
    };
    let vectors = (0..from.int_in_range(0..=4u8)?).map(|_| vector(from)).collect::<Result<_>>()?;
    let (task, nonce) = (from.arbitrary()?, from.arbitrary()?);
    let minimum_survivors = from.int_in_range(0..=40)?;
    Ok(Config { suite: Suite::Curious, graph, clients, threshold, minimum_survivors, vectors, task, nonce })
}

fn any_noise(from: &mut Unstructured<'_>) -> Result<Option<Noise>> {
    let law = match from.int_in_range(0..=5u8)? {
        0 => NoiseLaw::DiscreteGaussian,
        1 => NoiseLaw::Skellam,
        _ => return Ok(None),
    };
    let (dimension, clip, scale) = (from.arbitrary()?, from.arbitrary()?, from.arbitrary()?);
    let (norm_squared, variance) = (from.arbitrary()?, from.arbitrary()?);
    Ok(Some(Noise { law, dimension, clip, scale, norm_squared, variance }))
}

/// The encoding of a configuration as spec §4.2 has it.
fn plain_config(config: &Config) -> Vec<u8> {
    let mut out = vec![0, 1, 1];
    match config.graph {
        Graph::Complete => out.push(1),
        Graph::Regular { degree } => {
            out.push(2);
            out.extend(degree.to_be_bytes());
        }
        Graph::KOut { degree } => {
            out.push(3);
            out.extend(degree.to_be_bytes());
        }
    }
    out.extend(config.clients.to_be_bytes());
    out.extend(config.threshold.to_be_bytes());
    out.extend(config.minimum_survivors.to_be_bytes());
    out.push(config.vectors.len() as u8);
    for VectorSpec { name, length, bits, bound, noise } in &config.vectors {
        out.push(name.len() as u8);
        out.extend(name.bytes());
        out.extend(length.to_be_bytes());
        out.extend([*bits, u8::from(bound.is_some())]);
        out.extend(bound.iter().flat_map(|bound| bound.to_be_bytes()));
        out.push(noise.map_or(0, |noise| noise.law as u8));
        if let Some(Noise { dimension, clip, scale, norm_squared, variance, .. }) = noise {
            out.extend(dimension.to_be_bytes());
            out.extend([clip, scale, norm_squared, variance].iter().flat_map(|number| number.to_be_bytes()));
        }
    }
    [out, config.task.to_vec(), config.nonce.to_vec()].concat()
}
