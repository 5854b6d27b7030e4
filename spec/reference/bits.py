"""Sets of clients as bits over a list of them, ascending: spec sections 4.5 and 4.6."""

from error import must_hold


def pack(subset, members: list[int]) -> bytes:
    number = sum(1 << place for place, member in enumerate(members) if member in subset)
    return number.to_bytes((len(members) + 7) // 8, "little")


def unpack(data: bytes, members: list[int], must: str) -> set[int]:
    """The subset. A wrong length, or a bit behind the last member, breaks the rule `must`."""
    must_hold(len(data) == (len(members) + 7) // 8, must)
    number = int.from_bytes(data, "little")
    must_hold(number >> len(members) == 0, must)
    return {member for place, member in enumerate(members) if number >> place & 1}
