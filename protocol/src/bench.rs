//! Entry points for benchmarks and for the simulator's calibration; not part of the API.

use std::hint::black_box;

use aes::cipher::consts::U16;
use aes::cipher::{BlockSizeUser, ParBlocks, StreamCipherBackend, StreamCipherClosure};
use curve25519_dalek::scalar::Scalar;

use crate::crypto::agree::{EncryptionKey, EncryptionKeyOf, MaskPublicKey, mask_public_key};
use crate::crypto::hash;
use crate::crypto::prg::{Bytes, Keystream};
use crate::crypto::seal::{Direction, Shares};
use crate::crypto::sharing::{Basis, Polynomial};
use crate::crypto::sign::{SIGNATURE_LEN, SecretKey, Signed, VerifyingKey, all_valid, is_valid};
#[cfg(feature = "aws-lc")]
use crate::crypto::x25519::aws_lc::AwsLc;
use crate::crypto::x25519::{Dalek, PrivateKey};
use crate::mask::{MaskSeed, Sign, apply_all};
use crate::privacy::bench as privacy;
use crate::rounds::reconstruction::{Collected, Secret, reconstruct};
use crate::rounds::share_keys::commit;
use crate::vector::{add_packed, pack};
use crate::{ClientId, Lanes, Suite};

/// A share, to be held and given back.
pub use curve25519_dalek::scalar::Scalar as Share;

const SESSION: [u8; 32] = [1; 32];

/// Makes `bytes` of keystream and leaves it on the stack.
pub fn keystream(bytes: usize) {
    Keystream::new(&SESSION).process(0, Blocks(bytes / 16));
}

/// Writes the words that noise is drawn from.
pub fn words(seed: &[u8; 32], words: &mut [u64]) {
    privacy::words(seed, words);
}

/// A vector to be rotated.
pub struct Rotated(Vec<f64>);

impl Rotated {
    /// Of some values.
    pub fn new(coordinates: usize) -> Self {
        Self((0..coordinates).map(|at| (at % 101) as f64 - 50.0).collect())
    }

    /// Rotates it once more.
    pub fn rotate(&mut self) {
        privacy::rotate(&mut self.0);
    }
}

/// Seeds of masks, every other one subtracted.
pub struct Seeds(Vec<(MaskSeed, Sign)>);

impl Seeds {
    /// `count` seeds.
    pub fn new(count: u32) -> Self {
        let sign = |id: ClientId| if id.get().is_multiple_of(2) { Sign::Add } else { Sign::Subtract };
        let seed = |id| MaskSeed::own(Suite::Curious, &SESSION, &[2; 32], id);
        Self(ClientId::first(count).map(|id| (seed(id), sign(id))).collect())
    }

    /// Applies the masks of all seeds.
    pub fn apply(&self, lanes: &mut Lanes) {
        apply_all(Suite::Curious, &SESSION, 0, &self.0, lanes);
    }
}

/// Two clients and their keys, one to act and one to agree with.
pub struct Pair {
    ids: (ClientId, ClientId),
    encryption: EncryptionKey,
    other_encryption: [u8; 32],
    mask: Scalar,
    other_mask: [u8; 32],
}

impl Pair {
    /// Clients 1 and 2; none only if there were no such ids.
    pub fn new() -> Option<Self> {
        Some(Self {
            ids: (ClientId::new(1)?, ClientId::new(2)?),
            encryption: EncryptionKey::new(&[5; 32]),
            other_encryption: EncryptionKey::new(&[6; 32]).public,
            mask: Scalar::from_bytes_mod_order([7; 32]),
            other_mask: mask_public_key(&Scalar::from_bytes_mod_order([8; 32])),
        })
    }

    /// One X25519 agreement.
    pub fn agree_on_encryption(&self) -> bool {
        self.encryption.agree(&black_box(self.other_encryption)).is_ok()
    }

    /// One agreement on ristretto255, from the other's encoded key to the seed of the mask.
    pub fn agree_on_mask(&self) -> bool {
        let Ok(key) = MaskPublicKey::decode(&black_box(self.other_mask)) else { return false };
        let agreed = key.agree(&self.mask);
        let (one, other) = ((self.ids.0, &self.encryption.public), (self.ids.1, &self.other_mask));
        black_box(MaskSeed::pairwise(Suite::Curious, &SESSION, &agreed, one, other));
        true
    }

    /// One fixed-base multiplication.
    pub fn publish(&self) -> [u8; 32] {
        mask_public_key(&black_box(self.mask))
    }

    /// Derives the key of a bundle, seals it and opens it: twice the work that is counted as a bundle's bytes.
    pub fn seal_and_open(&self) -> bool {
        let way =
            Direction { suite: Suite::Curious, session: &SESSION, owner: self.ids.0, holder: self.ids.1 };
        let shares = Shares { mask_key: self.mask, self_mask: self.mask };
        let agreed = || way.extract(&black_box([9; 32]));
        let key = || way.key(&agreed(), [&self.encryption.public, &self.other_encryption]);
        let sealed = way.seal(&key(), &shares);
        way.open(&key(), &sealed).is_some()
    }
}

/// Agrees once; whether it worked.
pub type Agree = Box<dyn Fn() -> bool>;

/// An X25519 agreement with a client by each library of the build, with the library's name.
pub fn encryption_pairs() -> Vec<(&'static str, Agree)> {
    fn pair<K: PrivateKey + 'static>() -> Agree {
        let (one, other) = (EncryptionKeyOf::<K>::new(&[5; 32]), EncryptionKeyOf::<K>::new(&[6; 32]).public);
        Box::new(move || one.agree(&black_box(other)).is_ok())
    }
    Vec::from([
        ("x25519-dalek", pair::<Dalek>()),
        #[cfg(feature = "aws-lc")]
        ("AWS-LC", pair::<AwsLc>()),
    ])
}

/// Adds a packed vector of ones into sums of the lane for so many bits.
pub struct Sums {
    sums: Vec<u32>,
    packed: Vec<u8>,
    bits: u8,
}

impl Sums {
    /// Zeros, in 32-bit lanes: for 17 to 32 bits a coordinate.
    pub fn new(length: usize, bits: u8) -> Self {
        let mut packed = vec![0; (length * usize::from(bits)).div_ceil(8)];
        pack(&vec![1u32; length], bits, &mut packed);
        Self { sums: vec![0; length], packed, bits }
    }

    /// Unpacks and adds once.
    pub fn add(&mut self) {
        add_packed(&mut self.sums, self.bits, black_box(&self.packed));
    }
}

/// Shares a secret among clients 1 to `count`, with coefficients drawn as a client draws them.
pub fn split(secret: u32, threshold: u32, count: u32) -> Vec<Scalar> {
    let keystream = Keystream::new(&[secret as u8; 32]);
    let mut random = Bytes::new(&keystream);
    let polynomial = Polynomial::new(Scalar::from(secret), (1..threshold).map(|_| random.scalar()));
    ClientId::first(count).map(|id| polynomial.share(id)).collect()
}

/// Combines the shares of clients 1, 2, and so on.
pub fn combine(shares: &[Scalar]) -> Scalar {
    let ids: Vec<ClientId> = ClientId::first(shares.len() as u32).collect();
    Basis::new(&ids, shares.len(), &[]).combine(shares)
}

/// Statements signed by an identity each.
pub struct Signatures(Vec<(VerifyingKey, [u8; 32], [u8; SIGNATURE_LEN])>, SecretKey);

impl Signatures {
    /// So many of them.
    pub fn new(count: u32) -> Self {
        let one = |id: ClientId| {
            let statement = hash(None, "bench", &[&id.get().to_be_bytes()]);
            let key = SecretKey::new(&statement);
            Some((VerifyingKey::decode(&key.public())?, statement, key.sign(&statement)))
        };
        Self(ClientId::first(count).filter_map(one).collect(), SecretKey::new(&[9; 32]))
    }

    /// Signs one more statement.
    pub fn sign(&self) -> [u8; SIGNATURE_LEN] {
        self.1.sign(&[7; 32])
    }

    /// Checks them in batches, as parties do.
    pub fn batch(&self) -> bool {
        all_valid(self.signed().map(Some))
    }

    /// Checks each by itself.
    pub fn one_by_one(&self) -> bool {
        self.signed().all(is_valid)
    }

    /// Checks each by itself with ed25519-dalek, which also decodes the key each time.
    pub fn by_the_library(&self) -> bool {
        self.0.iter().all(|(key, statement, signature)| key.verify_strict(statement, signature))
    }

    fn signed(&self) -> impl ExactSizeIterator<Item = Signed<'_>> {
        self.0.iter().map(|(by, statement, signature)| Signed { by, statement: *statement, signature })
    }
}

/// What the server holds when it reconstructs, of owners 1 to the number of lists of shares: secret i is
/// i, and every tenth is a mask key.
pub struct Answers(Vec<Collected>);

impl Answers {
    /// One list of shares for each owner, of clients 1, 2, and so on.
    pub fn new(shares: &[Vec<Scalar>]) -> Self {
        let owner = |(owner, shares): (ClientId, &Vec<Scalar>)| {
            let value = Scalar::from(owner.get());
            let secret = match owner.get() % 10 {
                0 => Secret::MaskKey(mask_public_key(&value)),
                _ => Secret::SelfMask(commit(Suite::Curious, &SESSION, owner, &value)),
            };
            let shares = ClientId::first(shares.len() as u32).zip(shares.iter().copied()).collect();
            Collected { owner, shares, secret }
        };
        Self(ClientId::first(shares.len() as u32).zip(shares).map(owner).collect())
    }

    /// Reconstructs and checks every secret; how many there are.
    pub fn reconstruct(self, threshold: u32) -> Option<usize> {
        let mut faults = Vec::new();
        let found = reconstruct(Suite::Curious, &SESSION, threshold, self.0, &[3; 32], &mut faults).ok()?;
        Some(found.len())
    }
}

struct Blocks(usize);

impl BlockSizeUser for Blocks {
    type BlockSize = U16;
}

impl StreamCipherClosure for Blocks {
    #[inline(always)]
    fn call<B: StreamCipherBackend<BlockSize = U16>>(self, backend: &mut B) {
        let mut blocks = ParBlocks::<B>::default();
        for _ in 0..self.0 / blocks.len() {
            backend.gen_par_ks_blocks(&mut blocks);
            black_box(&mut blocks);
        }
    }
}
