"""Broken rules, faults and aborts: spec sections 5 and 12.3."""

# Spec section 12.3: the rules in the order of their codes, which count from 1.
RULES = (
    "3.2-1",
    "3.2-2",
    "4.1-1",
    "4.1-2",
    "4.1-3",
    "4.1-4",
    "4.1-5",
    "4.2-1",
    "4.2-2",
    "4.2-3",
    "4.3-1",
    "4.3-2",
    "4.3-3",
    "4.4-1",
    "4.4-2",
    "4.4-3",
    "4.4-4",
    "4.4-5",
    "4.6-1",
    "4.6-2",
    "4.6-3",
    "4.6-4",
    "4.6-5",
    "4.6-6",
    "4.6-7",
    "4.6-8",
    "4.6-9",
    "4.6-10",
    "9.1-1",
    "3.7-1",
    "3.7-2",
    "4.2-4",
    "4.2-5",
    "4.5-1",
    "4.5-2",
    "4.5-3",
    "4.5-4",
    "4.5-5",
    "4.6-11",
    "4.6-12",
    "4.3-4",
    "4.4-6",
    "4.4-7",
    "4.4-8",
    "4.4-9",
    "4.5-6",
    "4.6-13",
    "4.6-14",
)
CODES = {must: code for code, must in enumerate(RULES, start=1)}

TOO_FEW_CLIENTS = 128
SECRET_LOST = 129
POLICY = 130
MISUSE = 131
OVER = 132


class Broken(Exception):
    """A message breaks the rule with the id `must`. Whoever reads the message turns this into a fault or an
    abort."""

    def __init__(self, must: str):
        assert must in CODES
        super().__init__(f"[{must}]")
        self.must = must


class Fault(Exception):
    """A client broke a rule. The session goes on. `about` is the other client concerned: for [4.4-3] the holder,
    for [4.6-7] the owner."""

    def __init__(self, culprit: int, must: str, about: int | None = None):
        assert must in CODES
        super().__init__(f"client {culprit} broke [{must}]")
        self.culprit = culprit
        self.must = must
        self.about = about

    @property
    def code(self) -> int:
        return CODES[self.must]


class Abort(Exception):
    """The session is over for whoever raises this. `must` is the broken rule, if a rule was broken;
    `suspects` are the clients of whom one at least lied, if a secret cannot be reconstructed."""

    def __init__(self, code: int, suspects: tuple[int, ...] = (), why: str = ""):
        super().__init__(why or f"code {code}")
        self.code = code
        self.suspects = suspects

    @property
    def must(self) -> str | None:
        return RULES[self.code - 1] if self.code <= len(RULES) else None


def must_hold(condition: bool, must: str) -> None:
    """Raise `Broken` unless the condition holds."""
    if not condition:
        raise Broken(must)
