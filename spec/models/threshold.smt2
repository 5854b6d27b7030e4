; The same rule for every number of clients: are there n, c, q and two sets of signers, each of at least q, such that
; only corrupt clients have signed both, though 2q > n + c? h1 and h2 honest clients signed the one set and the other.
(set-logic QF_LIA)
(declare-const n Int)
(declare-const c Int)
(declare-const q Int)
(declare-const h1 Int)
(declare-const h2 Int)
(assert (and (>= c 0) (>= n 2) (<= c n)))
(assert (and (>= h1 0) (>= h2 0) (<= (+ h1 h2) (- n c))))
(assert (and (>= (+ h1 c) q) (>= (+ h2 c) q)))
(push)
(assert (> (* 2 q) (+ n c)))
(check-sat) ; unsat: the rule holds for all
(pop)
(push)
(assert (= (* 2 q) (+ n c)))
(assert (= n 7))
(check-sat) ; sat: at the bound the attack is there
(pop)
(push)
; The protocol's quorum, floor((n + c) / 2) + 1, keeps the rule.
(declare-const half Int)
(assert (and (<= (* 2 half) (+ n c)) (> (* 2 (+ half 1)) (+ n c))))
(assert (= q (+ half 1)))
(check-sat) ; unsat
(pop)
