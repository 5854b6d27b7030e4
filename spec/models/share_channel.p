% The channel of share bundles (spec 3.3) as Horn clauses, the translation that ProVerif makes (Blanchet 2001): what the
% server can come to know, which relays everything, has identities of its own, and may give anybody anything. There are
% any number of people, of runs of each, of ids, configurations and sessions. If the clauses are saturated without the
% goal, nobody finds an attack; if the goal is derived, there is one, or the clauses say too much.
%
% knows(M)                            the server knows M
% takes(C, V, K, Y)                   under configuration C a client takes the public key of the secret Y for that of
%                                     the client with id V, whose identity has the secret K
% opened(N, T, C, U, S, V, K, X)      person N in run T, with id U, has opened X in session S as from V and K
% share(N, T, C, U, S, V, K, Y)       the share that N in run T, with id U, deals for V, K and Y in session S
% encryption_secret(N, T, C, U)       the encryption key's secret of N in run T
% identity(N), corrupt(N)             the secrets of N's identity: of an honest one, and of one that the server has
%
% An agreement of x and y is known under two names, agreement(x, y) and agreement(y, x); that saves an equation.
% Formulas with the role axiom belong to all variants; a hypothesis to those that name it; of the conjectures one is asked
% at a time. `run` puts them together, by the empty lines between them.

% The server computes.
fof(public_key, axiom, ![X]: (knows(X) => (knows(verifying(X)) & knows(public(X))))).

fof(agree, axiom, ![X, Y]: ((knows(X) & knows(public(Y))) => (knows(agreement(X, Y)) & knows(agreement(Y, X))))).

fof(derive, axiom, ![S, A, U, V, P, Q]: (knows(A) => knows(key(S, A, U, V, P, Q)))).

fof(seal, axiom, ![K, A, M]: ((knows(K) & knows(M)) => knows(sealed(K, A, M)))).

fof(unseal, axiom, ![K, A, M]: ((knows(K) & knows(sealed(K, A, M))) => knows(M))).

fof(state, axiom, ![C, U, X]: (knows(X) => (knows(certificate(X)) & knows(advertisement(C, U, X))))).

fof(sign, axiom, ![X, M]: ((knows(X) & knows(M)) => knows(signed(X, M)))).

fof(read, axiom, ![X, M]: (knows(signed(X, M)) => knows(M))).

% The authority certifies honest identities, and such as the server has.
fof(corrupt, axiom, ![N]: knows(corrupt(N))).

fof(certify, axiom, ![N]: (knows(signed(authority, certificate(verifying(identity(N))))) &
    knows(signed(authority, certificate(verifying(corrupt(N))))) & knows(verifying(identity(N))))).

% AdvertiseKeys: the server names any configuration and any id.
fof(advertise, axiom, ![N, T, C, U]: (knows(public(encryption_secret(N, T, C, U))) &
    knows(signed(identity(N), advertisement(C, U, public(encryption_secret(N, T, C, U))))))).

% ShareKeys: a client deals a share for each neighbour, under any session id.
fof(deal, axiom, ![N, T, C, U, S, V, K, Y]: (takes(C, V, K, Y) =>
    knows(sealed(key(S, agreement(encryption_secret(N, T, C, U), Y), U, V, public(encryption_secret(N, T, C, U)), public(Y)),
        associated(S, U, V), share(N, T, C, U, S, V, K, Y))))).

% MaskedInputCollection: a client opens what the server brings as a neighbour's.
fof(open, axiom, ![N, T, C, U, S, V, K, Y, A, X]: ((takes(C, V, K, Y) &
        (A = agreement(encryption_secret(N, T, C, U), Y) | A = agreement(Y, encryption_secret(N, T, C, U))) &
        knows(sealed(key(S, A, V, U, public(Y), public(encryption_secret(N, T, C, U))), associated(S, V, U), X))) =>
    opened(N, T, C, U, S, V, K, X))).

% Variants: whose a key is, by certificate and signature or by the server's word; and what is left out of the bundle.
fof(certified, hypothesis, ![C, V, K, Y]: ((knows(signed(authority, certificate(verifying(K)))) &
    knows(signed(K, advertisement(C, V, public(Y))))) => takes(C, V, K, Y))).

fof(uncertified, hypothesis, ![C, V, K, Y]: (knows(public(Y)) => takes(C, V, K, Y))).

fof(bare_key, hypothesis, ![S, A, U, V, P, Q]: key(S, A, U, V, P, Q) = bare_key(A)).

fof(bare_bundle, hypothesis, ![S, U, V]: associated(S, U, V) = nothing).

% What has to be derived in every variant, or the model says nothing.
fof(delivered, conjecture, ?[T, R, C, U, S, V, Y]:
    opened(bob, T, C, V, S, U, identity(alice), share(alice, R, C, U, S, V, identity(bob), Y))).

fof(given_to_the_corrupt, conjecture, ?[T, C, U, S, V, N, Y]: knows(share(alice, T, C, U, S, V, corrupt(N), Y))).

% Attacks. Different people, ids, configurations and sessions are constants: no clause names any, so what holds for two
% holds for all.
fof(leaked, conjecture, ?[N, T, C, U, S, V, M, Y]: knows(share(N, T, C, U, S, V, identity(M), Y))).

fof(forged, conjecture, ?[N, T, C, U, S, V, M, X]: (opened(N, T, C, U, S, V, identity(M), X) & knows(X))).

fof(reflected, conjecture, ?[T, C, S, Y]:
    opened(alice, T, C, one, S, two, identity(bob), share(alice, T, C, one, S, two, identity(bob), Y))).

fof(of_another_owner, conjecture, ?[N, T, C, U, S, V, R, D, W, Z, H, K, Y]:
    opened(N, T, C, U, S, V, identity(alice), share(bob, R, D, W, Z, H, K, Y))).

fof(of_another_owner_id, conjecture, ?[N, T, C, U, S, M, O, R, D, Z, H, K, Y]:
    opened(N, T, C, U, S, one, identity(M), share(O, R, D, two, Z, H, K, Y))).

fof(for_another_holder, conjecture, ?[T, C, U, S, V, M, O, R, D, W, Z, H, Y]:
    opened(alice, T, C, U, S, V, identity(M), share(O, R, D, W, Z, H, identity(bob), Y))).

fof(for_another_holder_id, conjecture, ?[N, T, C, S, V, M, O, R, D, W, Z, K, Y]:
    opened(N, T, C, one, S, V, identity(M), share(O, R, D, W, Z, two, K, Y))).

fof(of_another_session, conjecture, ?[N, T, C, U, V, M, O, R, D, W, H, K, Y]:
    opened(N, T, C, U, monday, V, identity(M), share(O, R, D, W, tuesday, H, K, Y))).

fof(of_another_configuration, conjecture, ?[N, T, U, S, V, M, O, R, W, Z, H, K, Y]:
    opened(N, T, small, U, S, V, identity(M), share(O, R, large, W, Z, H, K, Y))).
