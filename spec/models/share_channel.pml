/* The channel of share bundles (spec 3.3) between honest clients 0 and 1, with the server as the adversary: it relays
   keys and bundles, has key pair 2 of its own, and may give anybody anything. Keys are numbers, cryptography is
   perfect: an agreement is the pair of keys it is of, and a bundle opens under the key that sealed it and no other.

   BOUND   the key of a bundle takes owner, holder and both public keys; without it, the agreement alone
   SIGNED  clients know whose a key is (a roster of identities); without it, the server names any key

   With both the claims hold. Without BOUND a client takes its own bundle back for its neighbour's. Without SIGNED
   the server reads shares. Suite 1 is BOUND and not SIGNED, and promises nothing against a server that lies. */

#define SERVER 2

/* A bundle: the agreement, and what else its key takes; the share in it is named by its owner and holder. */
typedef Bundle {
    byte low, high;
    byte owner, holder, owner_key, holder_key;
    byte dealt_by, dealt_for
}

Bundle sent[2];
byte shown[2];          /* the key that each client is told to be its neighbour's */

inline keyed(bundle, mine, theirs, from, to, from_key, to_key) {
    bundle.low = (mine < theirs -> mine : theirs);
    bundle.high = (mine < theirs -> theirs : mine);
#ifdef BOUND
    bundle.owner = from; bundle.holder = to; bundle.owner_key = from_key; bundle.holder_key = to_key
#endif
}

Bundle expected;
byte me, picked;

active proctype session() {
    for (me : 0 .. 1) {
#ifdef SIGNED
        shown[me] = 1 - me
#else
        if :: shown[me] = 0 :: shown[me] = 1 :: shown[me] = SERVER fi
#endif
    }
    /* A client refuses its own key at another's place, [4.2-3]. */
    if :: shown[0] == 0 || shown[1] == 1 -> goto over :: else fi;
    for (me : 0 .. 1) {
        keyed(sent[me], me, shown[me], me, 1 - me, me, shown[me]);
        sent[me].dealt_by = me;
        sent[me].dealt_for = 1 - me;
        /* Whoever knows one of the two secrets behind an agreement can derive the key. */
        assert(sent[me].low != SERVER && sent[me].high != SERVER)
    }
    for (me : 0 .. 1) {
        /* The server delivers either bundle to either client. */
        if :: picked = 0 :: picked = 1 fi;
        keyed(expected, me, shown[me], 1 - me, me, shown[me], me);
        if
        :: expected.low == sent[picked].low && expected.high == sent[picked].high &&
           expected.owner == sent[picked].owner && expected.holder == sent[picked].holder &&
           expected.owner_key == sent[picked].owner_key && expected.holder_key == sent[picked].holder_key ->
            /* It opens: the share is the one that the neighbour dealt to this client. */
            assert(sent[picked].dealt_by == 1 - me && sent[picked].dealt_for == me)
        :: else
        fi
    }
over:
    skip
}
