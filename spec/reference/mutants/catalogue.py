"""The catalogue of mutants, and what several of them do."""

import bits
import bundle
import client
import config
import draws
import error
import identity
import keys
import noise
import presentation
import server
import session
import vector
import wire

HOLDS_MUST = (bits, client, config, draws, identity, keys, noise, presentation, server, vector, wire)

# The rules that one call of `must_hold` checks, or several that stand together.
CHECKED = (
    *("3.2-1", "3.2-2", "4.1-2", "4.1-3", "4.1-4", "4.1-5", "4.2-1", "4.2-2", "4.2-3", "4.3-1", "4.3-2", "4.3-3"),
    *("4.4-1", "4.4-2", "4.4-4", "4.4-5", "4.6-1", "4.6-2", "4.6-3", "4.6-4", "4.6-5", "4.6-9", "4.6-10", "9.1-1"),
    *("3.7-1", "3.7-2", "4.2-4", "4.2-5", "4.5-1", "4.5-2", "4.5-3", "4.5-4", "4.5-5", "4.6-11", "4.6-12"),
    *("4.3-4", "4.4-6", "4.4-7", "4.4-8", "4.4-9", "4.5-6", "4.6-13", "4.6-14", "4.6-15"),
)
# The labels by the sections whose derivations use them.
LABELS = {
    "3.3": ("share key", "share bundle"),
    "3.4": ("pairwise mask", "self mask", "mask keystream", "self mask commitment"),
    "3.5": ("coefficients",),
    "3.6": ("encryption key", "mask key", "self mask seed", "draw"),
    "3.7": ("certificate", "advertisement", "sharers", "survivors"),
    "6.1": ("config", "session"),
    "6.2": ("graph", "draw commitment", "holders"),
    "9": ("noise",),
    "9.6": ("removal chain", "removal noise"),
}
CATALOGUE = {}


def mutant(breaks):
    """Enters a function into the catalogue under its name."""

    def enter(function):
        CATALOGUE[function.__name__.replace("_", "-")] = (breaks, function)
        return function

    return enter


def offered():
    """The mutants as `hello` names them."""
    return [{"name": name, "breaks": breaks} for name, (breaks, _) in CATALOGUE.items()]


def become(name):
    """Breaks the reference in this way, if there is a name."""
    if name:
        CATALOGUE[name][1]()


def without_check(must):
    """No code holds anybody to this rule."""
    for module in HOLDS_MUST:
        if hasattr(module, "must_hold"):
            module.must_hold = lambda condition, rule: error.must_hold(condition or rule == must, rule)


def with_label(label):
    """This label is another one."""
    prefix = session.prefix
    session.prefix = lambda suite, other: prefix(suite, other + "s" if other == label else other)
    bundle.prefix = session.prefix


def with_threshold_minus_one(step):
    right = getattr(client.Client, step)

    def less(self, session_id, body):
        whole = self._config
        self._config = config.Config(**(vars(whole) | {"threshold": whole.threshold - 1}))
        return right(self, session_id, body)

    setattr(client.Client, step, less)


def with_config(step, change):
    """In this step of the client the configuration is another one, in the pinned suite."""
    right = getattr(client.Client, step)

    def other(self, *arguments):
        whole = self._config
        self._config = change(whole) if whole.pinned else whole
        try:
            return right(self, *arguments)
        finally:
            self._config = whole

    setattr(client.Client, step, other)


def without(module, check):
    """The module without one of its checks."""
    return type("Without", (), {name: staticmethod(value) for name, value in vars(module).items() if callable(value)} | {
        check: staticmethod(lambda *arguments: None)
    })


def with_quorum(party, step, quorum):
    """In this step of the client or the server the quorum is another one."""
    right = getattr(party, step)

    def other(self, *arguments):
        whole, config.Config.quorum = config.Config.quorum, lambda config, members: quorum(self, config, members)
        try:
            return right(self, *arguments)
        finally:
            config.Config.quorum = whole

    setattr(party, step, other)


def majority(members, corrupt):
    return (members + corrupt) // 2 + 1


def one_less(party, config, members):
    return majority(members, config.corrupt) - 1


for _must in CHECKED:
    CATALOGUE[f"unchecked-{_must}"] = (_must, lambda must=_must: without_check(must))
for _section, _labels in LABELS.items():
    for _label in _labels:
        CATALOGUE["label-" + _label.replace(" ", "-")] = (_section, lambda label=_label: with_label(label))
