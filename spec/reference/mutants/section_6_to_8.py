"""Mutants of sections 6 to 8: sessions, graphs, vectors and parameters."""

import client
import config
import draws
import graph
import keystream
import mask
import session
import vector

from mutants.catalogue import majority, mutant, with_quorum


@mutant("8.1")
def drawn_degree_is_even():
    config.Config._degree_keeps_the_rules = lambda self: (
        self.complete or (self.degree % 2 == 0 and 2 <= self.degree <= self.clients - 1)
    )


@mutant("6.3")
def quorum_of_the_sharers():
    quorum = lambda self, config, members: majority(len(self._sharers), config.corrupt)
    for step in ("_check_consistency", "_unmask_certified"):
        with_quorum(client.Client, step, quorum)


@mutant("6.3")
def quorum_of_all_clients():
    config.Config.quorum = lambda self, members: majority(self.clients, self.corrupt)


@mutant("6.3")
def quorum_of_the_honest():
    config.Config.quorum = lambda self, members: members // 2 + 1


@mutant("6.2")
def client_draws_itself():
    right = draws.holders
    draws.holders = lambda known, degree, client, draw, roster: right(known, degree, 0, draw, roster)


@mutant("6.2")
def holders_drawn_from_one_on():
    right = keystream.Keystream.uniform_below
    draws.Keystream = type("Late", (keystream.Keystream,), {"uniform_below": lambda self, m: (right(self, m) + 1) % m})


@mutant("6.2")
def draw_commitment_without_id():
    right = draws.commitment
    draws.commitment = lambda config, client, draw: right(config, 0, draw)


@mutant("6.1")
def roster_not_counted():
    session.uint32 = lambda number: b""


@mutant("6.2")
def graph_shuffled_upwards():
    graph.range = lambda *bounds: range(1, bounds[0] + 1) if len(bounds) == 3 else range(*bounds)


@mutant("6.2")
def graph_one_step_far():
    right = graph._regular
    graph._regular = lambda degree, session, roster: right(degree + 2, session, roster)


@mutant("7.2")
def packed_from_the_top():
    right = vector._pack_one
    vector._pack_one = lambda coordinates, spec: right(coordinates[::-1], spec)


@mutant("7.3")
def mask_sign_swapped():
    mask.pairwise_sign = lambda client, neighbour: mask.ADD if client < neighbour else mask.SUBTRACT


@mutant("7.3")
def own_mask_subtracted():
    mask.ADD, mask.SUBTRACT = mask.SUBTRACT, mask.ADD
