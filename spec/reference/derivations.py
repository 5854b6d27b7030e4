"""The derivations of the document by their names in `tests/conform/README.md`: what the shim is asked for."""

import bundle
import draws
import ed25519
import graph
import identity
import keys
import mask
import noise
import removal
import shamir
import vector
from config import ACTIVE, CURIOUS, PINNED, VectorSpec
from error import must_hold
from field import decode as read_scalar
from field import encode as scalar
from keystream import Keystream
from replay import read_config
from session import Session, advertise_keys_session, labelled_hash, share_keys_session
from wire import Member, Proof, PublicKeys

SUITE = CURIOUS  # if a request does not say
unhex = bytes.fromhex


def derive(r):
    """The fields of the answer, or nothing if there is no such name."""
    function = globals().get("_" + r["name"].replace(" ", "_"))
    return function and function(r)


def _session(r):
    return Session(SUITE, unhex(r["session"]))


def _hash(r):
    return {"hash": labelled_hash(r.get("suite", SUITE), r["label"], unhex(r["parts"]))}


def _key(r):
    session = Session(r.get("suite", SUITE), unhex(r["salt"]))
    return {"key": session.derive(r["label"], unhex(r["ikm"]), unhex(r["parts"]), 32)}


def _encryption_agreement(r):
    keys.check_encryption_key(unhex(r["key"]))
    return {"agreement": keys.agree_on_encryption(unhex(r["secret"]), unhex(r["key"]))}


def _mask_agreement(r):
    keys.check_mask_key(unhex(r["key"]))
    return {"agreement": keys.agree_on_mask(read_scalar(unhex(r["secret"])), unhex(r["key"]))}


def _ends(r):
    """The owner and the holder of a bundle; their mask keys do not matter to it."""
    member = lambda end: Member(end["id"], PublicKeys(unhex(end["key"]), b""))
    return member(r["owner"]), member(r["holder"])


def _bundle(r):
    owner, holder = _ends(r)
    secret, shares = unhex(r["secret"]), [read_scalar(unhex(r[kind])) for kind in ("mask_key", "self_mask_seed")]
    agreement = keys.agree_on_encryption(secret, holder.keys.encryption_key)
    key = bundle._key(_session(r), owner, holder, agreement)
    return {"key": key, "bundle": bundle.seal(_session(r), owner, holder, secret, shares)}


def _opened_bundle(r):
    owner, holder = _ends(r)
    mask_key, seed = bundle.open(_session(r), owner, holder, unhex(r["secret"]), unhex(r["bundle"]))
    return {"mask_key": scalar(mask_key), "self_mask_seed": scalar(seed)}


def _keystream(r):
    return {"bytes": Keystream(unhex(r["seed"])).take(r["length"])}


def _uniform(r):
    keystream = Keystream(unhex(r["seed"]))
    return {"numbers": [str(keystream.uniform_below(int(bound))) for bound in r["below"]]}


def _lanes(r, seed):
    spec = VectorSpec("v", r["length"], r["bits"])
    return {"lanes": list(map(str, mask.mask(_session(r), seed, r["place"], spec)))}


def _own_mask(r):
    return _lanes(r, mask.own_seed(_session(r), r["client"], read_scalar(unhex(r["self_mask_seed"]))))


def _pairwise_mask(r):
    member = lambda end: Member(end["id"], PublicKeys(b"", unhex(end["key"])))
    mine, theirs, secret = member(r["mine"]), member(r["theirs"]), read_scalar(unhex(r["secret"]))
    return _lanes(r, mask.pairwise_seed(_session(r), mine, secret, theirs))


def _commitment(r):
    return {"commitment": mask.commitment(_session(r), r["client"], read_scalar(unhex(r["self_mask_seed"])))}


def _secrets(r):
    return keys.derive_secrets(read_config(r["config"]), r["client"], unhex(r["entropy"]))


def _shares(r):
    secrets = _secrets(r)
    deal = lambda polynomial: [scalar(shamir.evaluate(polynomial, holder)) for holder in r["holders"]]
    return {"mask_key": deal(secrets.mask_key_polynomial), "self_mask_seed": deal(secrets.self_mask_polynomial)}


def _secret(r):
    return {"secret": scalar(shamir.reconstruct({s["holder"]: read_scalar(unhex(s["share"])) for s in r["shares"]}))}


def _client(r):
    secrets = _secrets(r)
    public = secrets.public_keys()
    return {
        "mask_secret": scalar(secrets.mask_key),
        "self_mask_seed": scalar(secrets.self_mask_seed),
        "encryption_key": public.encryption_key,
        "mask_key": public.mask_key,
    }


def _config_id(r):
    config = read_config(r["config"])
    return {"encoded": config.encode(), "config_id": advertise_keys_session(config).id}


def _session_id(r):
    roster = [_member(member) for member in r["members"]]
    return {"session": share_keys_session(read_config(r["config"]), roster).id}


def _member(m):
    proof = Proof(*(unhex(m[field]) for field in ("identity", "certificate", "signature"))) if "identity" in m else None
    return Member(m["id"], _public_keys(m), proof, _committed_draw(m))


def _committed_draw(r):
    return unhex(r["draw_commitment"]) if "draw_commitment" in r else None


def _public_keys(r):
    return PublicKeys(unhex(r["encryption_key"]), unhex(r["mask_key"]))


def _identity(r):
    return {"identity": ed25519.public_key(unhex(r["secret"]))}


def _signature(r):
    return {"signature": ed25519.sign(unhex(r["secret"]), unhex(r["statement"]))}


def _checked_signature(r):
    must_hold(ed25519.is_key(unhex(r["identity"])), "3.7-1")
    return {"valid": ed25519.verify(*(unhex(r[field]) for field in ("identity", "statement", "signature")))}


def _certificate_statement(r):
    return {"statement": identity.certificate_statement(unhex(r["identity"]))}


def _advertisement_statement(r):
    advertised = read_config(r["config"]), r["client"], _public_keys(r), _committed_draw(r)
    return {"statement": identity.advertisement_statement(*advertised)}


def _sharers_statement(r):
    return {"statement": identity.sharers_statement(Session(PINNED, unhex(r["session"])), unhex(r["sharers"]))}


def _survivors_statement(r):
    session = Session(r.get("suite", ACTIVE), unhex(r["session"]))
    return {"statement": identity.survivors_statement(session, unhex(r["sharers"]), unhex(r["survivors"]))}


def _graph(r):
    neighbours = graph.neighbourhoods(read_config(r["config"]), _session(r), r["roster"])
    return {"neighbours": [neighbours[client] for client in r["roster"]]}


def _draw(r):
    draw = _secrets(r).draw
    return {"draw": draw, "draw_commitment": draws.commitment(read_config(r["config"]), r["client"], draw)}


def _holders(r):
    session = Session(PINNED, unhex(r["session"]))
    return {"holders": draws.holders(session, r["degree"], r["owner"], unhex(r["draw"]), r["roster"])}


def _packing(r):
    spec = VectorSpec("v", len(r["coordinates"]), r["bits"])
    return {"packed": vector._pack_one([int(coordinate) for coordinate in r["coordinates"]], spec)}


def _decimals(numbers):
    return list(map(str, numbers))


def _numbers(texts):
    return list(map(int, texts))


def _noise(r):
    law = next(law for law, name in noise.LAWS.items() if name == r["law"])
    return {"noise": _decimals(noise.draw(law, int(r["variance"]), unhex(r["seed"]), r["count"]))}


def _centred_noise(r):
    centres, seed = _numbers(r["centres"]), unhex(r["seed"])
    return {"noise": _decimals(noise.draw_around(centres, int(r["variance"]), r["fraction_bits"], seed))}


def _fraction_bits(r):
    return {"bits": noise.fraction_bits(int(r["norm_squared"]), r["length"])}


def _removal(r):
    chain = removal.Chain(_session(r), r["client"], r["place"])
    seeds = chain.seeds(unhex(r["seed"]), r["components"])
    drawn = [chain.noise_seed(seed, component).hex() for component, seed in enumerate(seeds, start=1)]
    return {"chain": [seed.hex() for seed in seeds], "seeds": drawn}


def _rotation(r):
    return {"negated": noise.negated(unhex(r["seed"]), r["count"])}


def _rounding(r):
    return {"rounded": _decimals(noise.rounded(_numbers(r["grid"]), int(r["norm_squared"]), unhex(r["seed"])))}


def _wrapping(r):
    return {"elements": _decimals(noise.wrapped(_numbers(r["rounded"]), _numbers(r["noise"]), r["bits"]))}


def _centring(r):
    return {"integers": _decimals(noise.centred(_numbers(r["elements"]), r["bits"]))}
