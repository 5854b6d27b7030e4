//! The inner steps of the protocol one by one, for the shim of the conformance tests and for nothing else: no part
//! of the crate's promises. Each function calls the code that the rounds call.

use curve25519_dalek::scalar::Scalar;

use crate::crypto::Extracted;
use crate::crypto::agree::{EncryptionKeyOf, MaskPublicKey, mask_public_key};
use crate::crypto::decode::{ATTEMPTS, decode as decode_shares};
use crate::crypto::prg::{Bytes, Keystream};
use crate::crypto::seal::{Direction, Shares};
use crate::crypto::sharing::{Basis, Polynomial, decode_share};
use crate::crypto::sign::{SecretKey, Signed, VerifyingKey, is_valid};
#[cfg(feature = "aws-lc")]
use crate::crypto::x25519::aws_lc::AwsLc;
use crate::crypto::x25519::{Built, Dalek, PrivateKey};
use crate::graph::{Circle, Neighbourhoods, drawn_holders};
use crate::mask::{MaskSeed, Sign, apply_all};
use crate::privacy::{self, CentredNoise, Noise, NoiseLaw, Prepared, Rotation, Variance};
use crate::removal::Chain;
use crate::rounds::advertise_keys::{self, Response, Secrets};
use crate::rounds::advertisement::{self, Advertisement, Proof, PublicKeys};
use crate::rounds::{certificate, consistency_check, drawn, masked_input_collection, share_keys, unmasking};
use crate::vector::{Lane, add_packed, each_lane, pack, padding_is_zero};
use crate::wire::{Body, HEADER_LEN, MessageType, Reader, Writer};
use crate::{ClientId, Config, Graph, Lanes, Misbehaviour, Misuse, Suite, VectorSpec, credentials};

/// 32 bytes: a key, an id or a scalar.
pub type Bytes32 = [u8; 32];

/// 64 bytes: a signature.
pub type Bytes64 = [u8; 64];

/// A client's id and its keys: encryption and mask; in the pinned suite also its draw commitment; in a signed suite also
/// its identity, certificate and signature.
pub type Member = (ClientId, [Bytes32; 2], Option<Bytes32>, Option<(Bytes32, Bytes64, Bytes64)>);

const SUITE: Suite = Suite::Curious;
const SIGNED: Suite = Suite::Active { corrupt: 0, authority: [0; 32] };
const PINNED: Suite = Suite::Pinned { corrupt: 0, authority: [0; 32] };

/// The suite of this number as hashes have it: none for 0, whose hashes outlive a session.
fn suite(number: u32) -> Option<Suite> {
    [SUITE, SIGNED, PINNED].into_iter().find(|suite| u32::from(suite.number()) == number)
}

/// What a message says: a tree, for whoever writes it down in a notation of its own.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Item {
    Number(u32),
    Bytes(Vec<u8>),
    Coordinates(Vec<u64>),
    Config(Config),
    List(Vec<Item>),
    Fields(Vec<(String, Item)>),
}

/// The session of a message, its fields, and its encoding made anew.
pub type Decoded = Result<(Bytes32, Vec<(String, Item)>, Vec<u8>), Misbehaviour>;

/// Decodes a message of any type (spec §4); a masked input, and messages of a signed suite, need the configuration.
pub fn decode(message: &[u8], config: Option<&Config>) -> Decoded {
    match (config.map(|config| config.suite), message.first()) {
        (Some(Suite::Active { .. }), Some(2 | 3 | 9)) => decode_signed(message),
        (Some(Suite::Pinned { .. }), Some(2 | 3 | 4 | 5 | 9)) => decode_pinned(message),
        _ => decode_unsigned(message, config),
    }
}

/// The messages that are others in the active suite.
fn decode_signed(message: &[u8]) -> Decoded {
    match message.first() {
        Some(2) => any(message, |body: &Response<2>| advertisement(&body.0)),
        Some(3) => any(message, |body: &share_keys::Request<2>| members(&body.neighbourhood)),
        _ => any(message, |body: &certificate::CertifiedRequest| {
            fields([("signatures", list(&body.signatures, signed))])
        }),
    }
}

/// The messages that are others in the pinned suite.
fn decode_pinned(message: &[u8]) -> Decoded {
    match message.first() {
        Some(2) => any(message, |body: &Response<3>| advertisement(&body.0)),
        Some(3) => any(message, |body: &share_keys::Request<3>| members(&body.neighbourhood)),
        Some(4) => any(message, |body: &share_keys::Response<true>| dealt(&body.0)),
        Some(5) => any(message, |body: &drawn::Request| {
            let owned = |drawn: &drawn::DrawnBundle| {
                Item::Fields(fields([
                    ("owner", id(&drawn.owner)),
                    ("draw", bytes(&drawn.draw)),
                    ("bundle", bytes(&drawn.bundle)),
                ]))
            };
            fields([("sharers", bytes(&body.sharers)), ("bundles", list(&body.bundles, owned))])
        }),
        _ => any(message, |body: &certificate::PinnedRequest| {
            fields([("signatures", list(&body.signatures, signed)), ("inputs", list(&body.inputs, bytes))])
        }),
    }
}

fn signed((of, signature): &certificate::SignedBy) -> Item {
    Item::Fields(fields([("id", id(of)), ("signature", bytes(signature))]))
}

fn dealt(dealt: &share_keys::Dealt) -> Vec<(String, Item)> {
    let mut says = fields([("commitment", bytes(&dealt.commitment))]);
    says.extend(dealt.draw.iter().map(|draw| ("draw".to_owned(), bytes(draw))));
    says.extend(fields([("bundles", list(&dealt.bundles, bytes))]));
    says
}

fn decode_unsigned(message: &[u8], config: Option<&Config>) -> Decoded {
    match message.first() {
        Some(1) => {
            let (_, body) = advertise_keys::Request::decode_any_session(message)?;
            body.config.check().map_err(|misuse| advertise_keys::broken(&misuse))?;
            any(message, |body: &advertise_keys::Request| {
                fields([("client", id(&body.id)), ("config", Item::Config(body.config.clone()))])
            })
        }
        Some(3) => any(message, |body: &share_keys::Request<1>| members(&body.neighbourhood)),
        Some(4) => any(message, |body: &share_keys::Response<false>| dealt(&body.0)),
        Some(5) => any(message, |body: &masked_input_collection::Request| {
            let owned = |(of, bundle): &(ClientId, [u8; 80])| {
                Item::Fields(fields([("owner", id(of)), ("bundle", bytes(bundle))]))
            };
            fields([("bundles", list(&body.bundles, owned))])
        }),
        Some(6) => masked_input(message, config.ok_or(Misbehaviour::Malformed)?),
        Some(7) => {
            any(message, |body: &consistency_check::Request| fields([("survivors", bytes(&body.survivors))]))
        }
        Some(8) => {
            any(message, |body: &consistency_check::Response| fields([("signature", bytes(&body.signature))]))
        }
        Some(9) => any(message, |body: &unmasking::Request| {
            let count = Item::Number(body.survivor_count);
            fields([("survivor_count", count), ("survivors", bytes(&body.survivors))])
        }),
        Some(10) => any(message, |body: &unmasking::Response| {
            fields([
                ("unopened", list(&body.unopened, id)),
                ("shares", list(&body.shares, bytes)),
                ("seeds", list(&body.seeds, bytes)),
            ])
        }),
        // An unknown type is refused there as well.
        _ => any(message, |body: &Response<1>| advertisement(&body.0)),
    }
}

fn any<B: Body>(message: &[u8], says: impl FnOnce(&B) -> Vec<(String, Item)>) -> Decoded {
    let (session, body) = B::decode_any_session(message)?;
    Ok((session, says(&body), body.encode(&session)))
}

fn masked_input(message: &[u8], config: &Config) -> Decoded {
    let session = *message.get(1..).and_then(<[u8]>::first_chunk).ok_or(Misbehaviour::Malformed)?;
    let mut packed = Reader(message.get(HEADER_LEN..).unwrap_or_default());
    let signature: Option<Bytes64> = config.suite.is_pinned().then(|| packed.array()).transpose()?;
    if packed.0.len() as u64 != config.packed_len() {
        return Err(Misbehaviour::WrongVectorLength);
    }
    let mut again = Writer(Vec::new());
    again.header(MessageType::MaskedInputResponse, &session);
    again.bytes(signature.as_ref().map_or(&[], |signature| signature));
    let mut vectors = Vec::new();
    for spec in &config.vectors {
        let packed = packed.take(spec.packed_len() as usize)?;
        if !padding_is_zero(spec, packed) {
            return Err(Misbehaviour::NonZeroPadding);
        }
        let mut lanes = Lanes::zeros(spec);
        each_lane!(&mut lanes, values => add_packed(values, spec.bits, packed));
        let coordinates: Vec<u64> = lanes.iter().collect();
        again.bytes(&packing(spec.bits, &coordinates));
        vectors.push((spec.name.clone(), Item::Coordinates(coordinates)));
    }
    let mut says: Vec<(String, Item)> =
        signature.iter().map(|signature| ("signature".to_owned(), bytes(signature))).collect();
    says.extend(fields([("vectors", Item::Fields(vectors))]));
    Ok((session, says, again.0))
}

fn members(members: &[(ClientId, Advertisement)]) -> Vec<(String, Item)> {
    let member = |(of, what): &(ClientId, Advertisement)| {
        Item::Fields([("id".to_owned(), id(of))].into_iter().chain(advertisement(what)).collect())
    };
    fields([("members", list(members, member))])
}

fn advertisement(advertisement: &Advertisement) -> Vec<(String, Item)> {
    let PublicKeys { encryption, mask } = &advertisement.keys;
    let mut says = fields([("encryption_key", bytes(encryption)), ("mask_key", bytes(mask))]);
    says.extend(advertisement.draw_commitment.iter().map(|one| ("draw_commitment".to_owned(), bytes(one))));
    says.extend(advertisement.proof.iter().flat_map(|proof| {
        fields([
            ("identity", bytes(&proof.identity)),
            ("certificate", bytes(&proof.certificate)),
            ("signature", bytes(&proof.signature)),
        ])
    }));
    says
}

fn fields<const N: usize>(fields: [(&str, Item); N]) -> Vec<(String, Item)> {
    fields.into_iter().map(|(name, item)| (name.to_owned(), item)).collect()
}

fn list<T>(items: &[T], item: impl Fn(&T) -> Item) -> Item {
    Item::List(items.iter().map(item).collect())
}

fn id(id: &ClientId) -> Item {
    Item::Number(id.get())
}

fn bytes<B: AsRef<[u8]>>(bytes: &B) -> Item {
    Item::Bytes(bytes.as_ref().to_vec())
}

/// `Hash` in the suite of this number (spec §3.1).
pub fn hash(number: u32, label: &str, parts: &[u8]) -> Bytes32 {
    crate::crypto::hash(suite(number), label, &[parts])
}

/// `Derive` of 32 bytes in the suite of this number (spec §3.1).
pub fn key(number: u32, label: &str, salt: &Bytes32, ikm: &[u8], parts: &[u8]) -> Bytes32 {
    *crate::crypto::derive(suite(number).unwrap_or(SUITE), label, salt, ikm, &[parts])
}

/// The public key of an identity (spec §3.7).
pub fn identity(secret: &Bytes32) -> Bytes32 {
    SecretKey::new(secret).public()
}

/// The signature of a statement (spec §3.7).
pub fn signature(secret: &Bytes32, statement: &Bytes32) -> Bytes64 {
    SecretKey::new(secret).sign(statement)
}

/// Whether a signature is one by the identity over the statement; an error if the identity breaks `[3.7-1]`.
pub fn checked_signature(
    identity: &Bytes32,
    statement: &Bytes32,
    signature: &Bytes64,
) -> Result<bool, Misbehaviour> {
    let by = &VerifyingKey::decode(identity).ok_or(Misbehaviour::BadIdentity)?;
    Ok(is_valid(Signed { by, statement: *statement, signature }))
}

/// What an authority signs (spec §3.7).
pub fn certificate_statement(identity: &Bytes32) -> Bytes32 {
    credentials::statement(identity)
}

/// What a client signs with its keys, encryption and mask, and in the pinned suite with its draw commitment (spec §3.7).
pub fn advertisement_statement(
    config: &Config,
    id: ClientId,
    [encryption, mask]: [Bytes32; 2],
    draw_commitment: Option<&Bytes32>,
) -> Bytes32 {
    advertisement::statement(
        config.suite,
        &config.id(),
        id,
        &PublicKeys { encryption, mask },
        draw_commitment,
    )
}

/// What a client signs in ConsistencyCheck, in the suite of this number (spec §3.7).
pub fn survivors_statement(number: u32, session: &Bytes32, sharers: &[u8], survivors: &[u8]) -> Bytes32 {
    consistency_check::statement(suite(number).unwrap_or(SIGNED), session, sharers, survivors)
}

/// What a client of the pinned suite signs with its masked input (spec §3.7).
pub fn sharers_statement(session: &Bytes32, sharers: &[u8]) -> Bytes32 {
    drawn::statement(PINNED, session, sharers)
}

/// A client's draw in the pinned suite (spec §3.6), and its commitment (spec §6.2).
pub fn draw(config: &Config, id: ClientId, entropy: &Bytes32) -> [Bytes32; 2] {
    let draw = advertise_keys::draw(config.suite, entropy, &config.id(), id);
    [*draw, advertisement::commit_to_draw(config.suite, &config.id(), id, &draw)]
}

/// The holders that follow from a draw (spec §6.2).
pub fn holders(
    session: &Bytes32,
    owner: ClientId,
    draw: &Bytes32,
    roster: &[ClientId],
    degree: u32,
) -> Vec<u32> {
    let holders = drawn_holders((PINNED, session), owner, draw, roster, degree as usize);
    holders.into_iter().map(ClientId::get).collect()
}

/// HKDF-SHA-256 without label and prefix; `None` if it cannot give so many bytes.
pub fn hkdf(salt: &[u8], ikm: &[u8], info: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; length];
    Extracted::new(salt, ikm).expand(&[info], &mut out).map(|()| out)
}

/// AES-256-GCM with a nonce and associated data of the caller's: the ciphertext and the tag.
pub fn encrypt(
    key: &Bytes32,
    nonce: &[u8; 12],
    associated: &[u8],
    text: &[u8],
) -> Option<(Vec<u8>, [u8; 16])> {
    let mut text = text.to_vec();
    let tag = crate::crypto::seal::encrypt(key, nonce, associated, &mut text)?;
    Some((text, tag))
}

/// The text of that ciphertext, if the tag fits; the buffer as decryption left it, if not.
pub fn decrypt(
    key: &Bytes32,
    nonce: &[u8; 12],
    associated: &[u8],
    text: &[u8],
    tag: &[u8; 16],
) -> Result<Vec<u8>, Vec<u8>> {
    let mut text = text.to_vec();
    match crate::crypto::seal::decrypt(key, nonce, associated, &mut text, tag) {
        Some(()) => Ok(text),
        None => Err(text),
    }
}

/// The agreement of encryption keys; an error if the public one breaks `[3.2-1]`.
pub fn encryption_agreement(secret: &Bytes32, public: &Bytes32) -> Result<Bytes32, Misbehaviour> {
    agreement::<Built>(secret, public)
}

fn agreement<K: PrivateKey>(secret: &Bytes32, public: &Bytes32) -> Result<Bytes32, Misbehaviour> {
    EncryptionKeyOf::<K>::new(secret).agree(public).map(|agreed| *agreed)
}

/// [`encryption_agreement`] by one library.
pub type Agreement = fn(&Bytes32, &Bytes32) -> Result<Bytes32, Misbehaviour>;

/// The agreement of encryption keys by each library of this build, with the library's name.
pub fn encryption_agreements() -> Vec<(&'static str, Agreement)> {
    Vec::from([
        ("x25519-dalek", agreement::<Dalek> as Agreement),
        #[cfg(feature = "aws-lc")]
        ("AWS-LC", agreement::<AwsLc> as Agreement),
    ])
}

/// The agreement of mask keys; an error if the public one breaks `[3.2-2]`.
pub fn mask_agreement(secret: &Bytes32, public: &Bytes32) -> Result<Bytes32, Misbehaviour> {
    Ok(*MaskPublicKey::decode(public)?.agree(&scalar(secret)))
}

/// One direction of share encryption: the session, and the owner and the holder with their encryption keys.
pub type Way = (Bytes32, (ClientId, Bytes32), (ClientId, Bytes32));

/// The key of a bundle and the bundle of these shares, for the owner's secret (spec §3.3).
pub fn bundle(
    way: &Way,
    secret: &Bytes32,
    mask_key: &Bytes32,
    seed: &Bytes32,
) -> Result<[Vec<u8>; 2], Misbehaviour> {
    let agreed = direction(way).extract(&encryption_agreement(secret, &way.2.1)?);
    let key = direction(way).key(&agreed, [&way.1.1, &way.2.1]);
    let shares = Shares { mask_key: scalar(mask_key), self_mask: scalar(seed) };
    Ok([key.to_vec(), direction(way).seal(&key, &shares).to_vec()])
}

/// The shares of a bundle, of the mask key and of the self mask seed, for the holder's secret (`[4.4-3]`).
pub fn opened_bundle(way: &Way, secret: &Bytes32, bundle: &[u8]) -> Result<[Bytes32; 2], Misbehaviour> {
    let agreed = direction(way).extract(&encryption_agreement(secret, &way.1.1)?);
    let key = direction(way).key(&agreed, [&way.1.1, &way.2.1]);
    let bundle = bundle.try_into().map_err(|_| Misbehaviour::BadBundle)?;
    let shares = direction(way).open(&key, bundle).ok_or(Misbehaviour::BadBundle)?;
    Ok([shares.mask_key.to_bytes(), shares.self_mask.to_bytes()])
}

fn direction((session, owner, holder): &Way) -> Direction<'_> {
    Direction { suite: SUITE, session, owner: owner.0, holder: holder.0 }
}

/// The first bytes of a keystream (spec §3.4).
pub fn keystream(seed: &Bytes32, length: usize) -> Vec<u8> {
    let keystream = Keystream::new(seed);
    let mut bytes = Bytes::new(&keystream);
    (0..length).flat_map(|_| bytes.array::<1>()).collect()
}

/// Uniform numbers, drawn in turn below each bound (spec §3.4).
pub fn uniform(seed: &Bytes32, below: &[u32]) -> Vec<u32> {
    let keystream = Keystream::new(seed);
    let mut bytes = Bytes::new(&keystream);
    below.iter().map(|&bound| bytes.below(bound)).collect()
}

/// The mask of a client for the vector of that place, bit width and length (spec §3.4, §7.3).
pub fn own_mask(session: &Bytes32, id: ClientId, seed: &Bytes32, vector: (u8, u8, u32)) -> Vec<u64> {
    mask(session, MaskSeed::own(SUITE, session, seed, id), vector)
}

/// The mask of two neighbours, of whom the first has the secret (spec §3.4, §7.3).
pub fn pairwise_mask(
    session: &Bytes32,
    secret: &Bytes32,
    mine: &(ClientId, Bytes32),
    theirs: &(ClientId, Bytes32),
    vector: (u8, u8, u32),
) -> Result<Vec<u64>, Misbehaviour> {
    let agreed = mask_agreement(secret, &theirs.1)?;
    Ok(mask(
        session,
        MaskSeed::pairwise(SUITE, session, &agreed, (mine.0, &mine.1), (theirs.0, &theirs.1)),
        vector,
    ))
}

fn mask(session: &Bytes32, seed: MaskSeed, (place, bits, length): (u8, u8, u32)) -> Vec<u64> {
    let mut lanes = Lanes::zeros(&VectorSpec::new("", length, bits));
    apply_all(SUITE, session, place, &[(seed, Sign::Add)], &mut lanes);
    lanes.iter().collect()
}

/// The commitment to a self mask seed (spec §3.4).
pub fn commitment(session: &Bytes32, id: ClientId, self_mask_seed: &Bytes32) -> Bytes32 {
    share_keys::commit(SUITE, session, id, &scalar(self_mask_seed))
}

/// A client's secrets (spec §3.6): mask key, self mask seed; and its public keys: encryption, mask.
pub fn client(config: &Config, id: ClientId, entropy: &Bytes32) -> Option<[Bytes32; 4]> {
    let secrets = secrets(config, id, entropy)?;
    let (mask_key, seed) = (secrets.mask_key.to_bytes(), secrets.self_mask.to_bytes());
    Some([mask_key, seed, secrets.encryption_key.public, mask_public_key(&secrets.mask_key)])
}

/// The shares that a client deals (spec §3.5): of its mask key, of its self mask seed.
pub fn shares(
    config: &Config,
    id: ClientId,
    entropy: &Bytes32,
    holders: &[ClientId],
) -> Option<[Vec<Bytes32>; 2]> {
    let secrets = secrets(config, id, entropy)?;
    let [first, second] = secrets.coefficients(config.threshold);
    let deal = |secret, coefficients: &[Scalar]| {
        let polynomial = Polynomial::new(secret, coefficients.iter().copied());
        holders.iter().map(|&holder| polynomial.share(holder).to_bytes()).collect()
    };
    Some([deal(**secrets.mask_key, &first), deal(**secrets.self_mask, &second)])
}

/// None if the configuration breaks a rule, or has no client of this id.
fn secrets(config: &Config, id: ClientId, entropy: &Bytes32) -> Option<Secrets> {
    let exists = config.check().is_ok() && id.get() <= config.clients;
    exists.then(|| Secrets::new(entropy, config, &config.id(), id))
}

/// The secret behind as many shares as the threshold (spec §3.5).
pub fn secret(shares: &[(ClientId, Bytes32)]) -> Bytes32 {
    let ids: Vec<ClientId> = shares.iter().map(|(id, _)| *id).collect();
    let values: Vec<Scalar> = shares.iter().map(|(_, share)| scalar(share)).collect();
    Basis::new(&ids, ids.len(), &[]).combine(&values).to_bytes()
}

/// The secret that is committed to, from shares of which some may be wrong, and the places of those (spec §4.6).
pub fn decoded(
    shares: &[(ClientId, Bytes32)],
    threshold: usize,
    committed: impl Fn(&Bytes32) -> bool,
) -> Option<(Bytes32, Vec<usize>)> {
    let ids: Vec<ClientId> = shares.iter().map(|(id, _)| *id).collect();
    let values: Vec<Scalar> = shares.iter().map(|(_, share)| scalar(share)).collect();
    let (basis, mut attempts) = (Basis::new(&ids, threshold, &[]), ATTEMPTS);
    let found =
        decode_shares(&basis, threshold, &values, &mut attempts, |secret| committed(&secret.to_bytes()))?;
    Some((found.secret.to_bytes(), found.wrong))
}

/// The encoding of a configuration (spec §4.2).
pub fn encoded(config: &Config) -> Vec<u8> {
    let mut out = Writer(Vec::new());
    config.encode(&mut out);
    out.0
}

/// The session id of a roster (spec §6.1).
pub fn session_id(config: &Config, members: &[Member]) -> Bytes32 {
    let advertisement = |&(id, [encryption, mask], draw_commitment, proof): &Member| {
        let proof = proof
            .map(|(identity, certificate, signature)| Box::new(Proof { identity, certificate, signature }));
        (id, Advertisement { keys: PublicKeys { encryption, mask }, draw_commitment, proof })
    };
    let roster: Vec<(ClientId, Advertisement)> = members.iter().map(advertisement).collect();
    advertise_keys::session_id(config, &config.id(), roster.iter().map(|(id, one)| (*id, one)))
}

/// The neighbours of each client of the roster (spec §6.2); an error if it has no more clients than the degree.
pub fn graph(config: &Config, session: &Bytes32, roster: &[ClientId]) -> Result<Vec<Vec<u32>>, Misuse> {
    if let Graph::Regular { degree } = config.graph
        && roster.len() <= degree as usize
    {
        return Err(Misuse::Degree { degree, clients: roster.len() as u32 });
    }
    let graph = Neighbourhoods::new(config, session, roster.to_vec(), Circle::Drawn);
    Ok(roster.iter().map(|&id| graph.of(id).map(ClientId::get).collect()).collect())
}

/// The packed coordinates (spec §7.2).
pub fn packing(bits: u8, coordinates: &[u64]) -> Vec<u8> {
    fn packed<L: Lane>(bits: u8, coordinates: &[u64]) -> Vec<u8> {
        let values: Vec<L> = coordinates.iter().map(|&value| L::of(value)).collect();
        let mut out = vec![0; (coordinates.len() * usize::from(bits)).div_ceil(8)];
        pack(&values, bits, &mut out);
        out
    }
    match bits {
        ..=16 => packed::<u16>(bits, coordinates),
        17..=32 => packed::<u32>(bits, coordinates),
        _ => packed::<u64>(bits, coordinates),
    }
}

/// `count` draws of noise around zero (spec §9.3); none of a law that has no such noise.
pub fn noise(law: NoiseLaw, variance: u64, seed: &Bytes32, count: usize) -> Option<Vec<i64>> {
    let noise = Noise { law, dimension: 1, clip: 0, scale: 0, norm_squared: 1, variance, levels: Vec::new() };
    match noise.prepare(seed, count).ok()? {
        Prepared::Drawn(drawn) => Some(drawn.to_vec()),
        Prepared::Around(_) => None,
    }
}

/// A draw of centred noise around each centre, in units of 2^−`fraction_bits` (spec §9.3).
pub fn centred_noise(variance: u64, fraction_bits: u32, centres: &[i64], seed: &Bytes32) -> Option<Vec<i64>> {
    let noise = CentredNoise::new(Variance::new(variance).ok()?, fraction_bits).ok()?;
    Some(noise.draw(centres, seed))
}

/// The bits of fraction of a vector with centred noise, of this many coordinates after padding (spec §9.1).
pub fn fraction_bits(norm_squared: u64, length: u32) -> u32 {
    let law = NoiseLaw::Centred;
    Noise { law, dimension: length, clip: 0, scale: 0, norm_squared, variance: 0, levels: Vec::new() }
        .fraction_bits()
}

/// The seeds of a chain of removable components, each with the seed of its noise (spec §9.6).
pub fn removal(
    (number, session, client, place): (u32, &Bytes32, ClientId, u8),
    seed: &Bytes32,
    components: u8,
) -> Vec<[Bytes32; 2]> {
    let chain = Chain { suite: suite(number).unwrap_or(SUITE), session, client, place };
    let mut seed = *seed;
    (1..=components)
        .map(|component| {
            seed = *chain.next(&seed, component);
            [seed, *chain.noise_seed(&seed, component)]
        })
        .collect()
}

/// The signs of a rotation, true where a coordinate is negated (spec §9.2).
pub fn signs(seed: &Bytes32, count: usize) -> Vec<bool> {
    Rotation::new(*seed).signs(count)
}

/// The rounding of a vector on the input grid (spec §9.2); none if no attempt is within the bound.
pub fn rounding(grid: &[i64], norm_squared: u64, seed: &Bytes32) -> Option<Vec<i64>> {
    privacy::rounded(grid, norm_squared, seed).ok()
}

/// The sum of a rounded vector and noise in the ring (spec §9.2).
pub fn wrapping(bits: u8, rounded: &[i64], noise: &[i64]) -> Vec<u64> {
    privacy::wrapped(rounded, noise, bits)
}

/// The integers that elements of the ring stand for (spec §9.2).
pub fn centring(bits: u8, elements: &[u64]) -> Vec<i64> {
    elements.iter().map(|&element| privacy::centred(element, bits)).collect()
}

fn scalar(bytes: &Bytes32) -> Scalar {
    decode_share(bytes).unwrap_or_default()
}
