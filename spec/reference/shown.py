"""Messages as the runner of the conformance tests knows them: `tests/conform/README.md`."""

import vector
import wire
from config import ACTIVE, CURIOUS, PINNED, Config
from noise import LAWS
from replay import SUITES, graph_name
from wire import Advertisement, Member


def decode(message: bytes, config: Config | None) -> dict:
    """The fields of a message of any type, and the message encoded anew. The configuration is that of the session."""
    session, body = wire.open_message(message, message[0] if message else 0)
    if message[0] == wire.MASKED_INPUT_RESPONSE:
        response = wire.MaskedInputResponse.decode(body, config.suite)
        coordinates = vector.unpack(response.packed, config)
        signature = hexed({"signature": response.signature})
        vectors = {spec.name: list(map(str, xs)) for spec, xs in zip(config.vectors, coordinates)}
        fields = signature | {"vectors": vectors}
        again = wire.MaskedInputResponse(vector.pack(coordinates, config), response.signature).encode()
    else:
        structure = _structure(message[0], body, config.suite if config else CURIOUS)
        fields, again = _fields(structure), structure.encode()
    return {**fields, "type": message[0], "session": session.hex(), "message": (message[:33] + again).hex()}


def _structure(message_type: int, body: bytes, suite: int):
    match message_type:
        case 2:
            return Advertisement.decode(body, suite)
        case 3:
            return wire.ShareKeysRequest.decode(body, suite)
        case 4:
            return wire.ShareKeysResponse.decode(body, suite)
        case 5 if suite == PINNED:
            return wire.PinnedMaskedInputRequest.decode(body)
        case 9 if suite == ACTIVE:
            return wire.CertifiedUnmaskingRequest.decode(body)
        case 9 if suite == PINNED:
            return wire.PinnedUnmaskingRequest.decode(body)
    return STRUCTURES[message_type].decode(body)


STRUCTURES = {1: wire.AdvertiseKeysRequest, 5: wire.MaskedInputRequest, 7: wire.ConsistencyCheckRequest,
              8: wire.ConsistencyCheckResponse, 9: wire.UnmaskingRequest, 10: wire.UnmaskingResponse}


def hexed(value):
    """Bytes in hexadecimal digits, and objects as their fields."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return [hexed(one) for one in value]
    if isinstance(value, dict):
        return {name: hexed(one) for name, one in value.items() if one is not None}
    if isinstance(value, Member):
        return {"id": value.id, **hexed(value.advertisement())}
    if isinstance(value, Advertisement):
        proof = vars(value.proof) if value.proof else {}
        return hexed(vars(value.keys) | proof | {"draw_commitment": value.draw_commitment})
    return hexed(vars(value)) if hasattr(value, "__dict__") else value


def _fields(structure):
    """The fields of a message as the runner knows them: lists of what the reference keeps as one string."""
    fields = hexed(structure)
    match structure:
        case wire.AdvertiseKeysRequest(id, config):
            config.check()
            graph = {"graph": graph_name(config)} | ({} if config.complete else {"degree": config.degree})
            return {"client": id, "config": _config(fields["config"], config) | graph | _vectors(config)}
        case wire.ShareKeysRequest():
            return {"members": fields["neighbourhood"]}
        case wire.ShareKeysResponse():
            return fields | {"bundles": _pieces(structure.bundles, 80)}
        case wire.CertifiedUnmaskingRequest() | wire.PinnedUnmaskingRequest():
            return fields | {"signatures": [hexed({"id": s.signer, "signature": s.signature}) for s in structure.signatures]}
        case wire.UnmaskingResponse():
            return fields | {"shares": _pieces(structure.shares, 32), "seeds": _pieces(structure.seeds, 32)}
    return fields


def _config(fields, config):
    """The fields but for graph and vectors."""
    suite = {"suite": next(name for name, number in SUITES.items() if number == config.suite)}
    absent = {"version", "k_out"} if config.signed else {"version", "k_out", "corrupt", "authority"}
    return {name: value for name, value in fields.items() if name not in absent} | suite


def _vectors(config):
    bound = lambda spec: None if spec.bound is None else str(spec.bound)
    return {"vectors": [hexed(vars(spec) | {"bound": bound(spec), "noise": _noise(spec)}) for spec in config.vectors]}


def _noise(spec):
    if spec.noise is None:
        return None
    noise = spec.noise
    reals = {"clip": f"{noise.clip:016x}", "scale": f"{noise.scale:016x}"}
    numbers = {"norm_squared": str(noise.norm_squared), "variance": str(noise.variance)}
    levels = [{"survivors": level.survivors, "variance": str(level.variance)} for level in noise.levels]
    return {"law": LAWS[noise.law], "dimension": noise.dimension} | reals | numbers | ({"levels": levels} if levels else {})


def _pieces(data, size):
    return [data[start : start + size].hex() for start in range(0, len(data), size)]
