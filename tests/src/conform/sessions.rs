//! The sessions that every pair of implementations is put through.

use serde_json::Value;

use super::scenario::{ALL_LANES, Vector, config, signed};

/// A session, who is lost in it, and how it ends.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// The test's id.
    pub(super) id: &'static str,
    /// Corrupt clients, in the active suite and with a degree in the pinned one; none stands for the curious one.
    corrupt: Option<u32>,
    degree: Option<u32>,
    pub(super) clients: u32,
    threshold: u32,
    minimum_survivors: u32,
    pub(super) vectors: &'static [Vector],
    /// The clients that do not answer, by round of the suite.
    pub(super) lost: &'static [&'static [u32]],
    pub(super) change: Change,
    pub(super) ends: End,
}

/// What happens to the messages on their way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Nothing,
    /// The bundle that client 1 gets first, of owner 2, is spoilt.
    Bundle,
    /// The first share that client 2 gives is another one.
    Share,
    /// Each response comes twice.
    Twice,
    /// In front of each response comes one of another session.
    Stray,
}

#[derive(Clone, Debug)]
pub(super) enum End {
    /// With the sum over the survivors; the faults as culprit, rule and other client.
    Sum(&'static [(u32, &'static str, Option<u32>)]),
    /// With code 128 when the round of this number, from 0, is closed.
    TooFew(usize),
}

const SHORT: &[Vector] = &[Vector { name: "short", length: 3, bits: 20 }];

/// The sessions that every pair of implementations is put through.
pub(super) fn sessions() -> Vec<Session> {
    let base = Session {
        id: "",
        corrupt: None,
        degree: None,
        clients: 4,
        threshold: 2,
        minimum_survivors: 1,
        vectors: SHORT,
        lost: &[],
        change: Change::Nothing,
        ends: End::Sum(&[]),
    };
    let regular = Session { degree: Some(6), clients: 8, ..base.clone() };
    let signed = active_sessions(&base).into_iter().chain(pinned_sessions(&base));
    let unsigned = vec![
        Session { id: "4/complete-graph-all-lanes", vectors: &ALL_LANES, clients: 3, ..base.clone() },
        Session { id: "4/regular-graph-all-lanes", vectors: &ALL_LANES, degree: Some(4), ..regular.clone() },
        Session { id: "4.2/complete-graph-one-lost", lost: &[&[3], &[], &[], &[]], ..base.clone() },
        Session { id: "4.3/complete-graph-one-lost", lost: &[&[], &[1], &[], &[]], ..base.clone() },
        Session { id: "4.4/complete-graph-one-lost", lost: &[&[], &[], &[2], &[]], ..base.clone() },
        Session { id: "4.4/complete-graph-two-lost", lost: &[&[], &[], &[1, 4], &[]], ..base.clone() },
        Session { id: "4.6/complete-graph-one-lost", lost: &[&[], &[], &[], &[1]], ..base.clone() },
        Session {
            id: "4.6/complete-graph-one-lost-a-round",
            clients: 6,
            lost: &[&[5], &[2], &[6], &[1]],
            ..base.clone()
        },
        Session { id: "4.2/regular-graph-one-lost", lost: &[&[3], &[], &[], &[]], ..regular.clone() },
        Session { id: "4.3/regular-graph-one-lost", lost: &[&[], &[1], &[], &[]], ..regular.clone() },
        Session { id: "4.4/regular-graph-one-lost", lost: &[&[], &[], &[2], &[]], ..regular.clone() },
        Session { id: "4.6/regular-graph-one-lost", lost: &[&[], &[], &[], &[1]], ..regular.clone() },
        Session {
            id: "4.6/regular-graph-one-lost-a-round",
            lost: &[&[5], &[2], &[7], &[1]],
            vectors: &ALL_LANES,
            ..regular.clone()
        },
        Session {
            id: "4.2/too-few-on-the-complete-graph",
            lost: &[&[1, 2, 3], &[], &[], &[]],
            ends: End::TooFew(0),
            ..base.clone()
        },
        Session {
            id: "4.2/too-few-on-a-regular-graph",
            lost: &[&[1, 2], &[], &[], &[]],
            ends: End::TooFew(0),
            ..regular.clone()
        },
        Session {
            id: "4.3/too-few",
            lost: &[&[], &[1, 2, 4], &[], &[]],
            ends: End::TooFew(1),
            ..base.clone()
        },
        Session {
            id: "4.4/too-few",
            lost: &[&[], &[], &[1, 3, 4], &[]],
            ends: End::TooFew(2),
            ..base.clone()
        },
        Session {
            id: "4.6/too-few",
            lost: &[&[], &[], &[], &[2, 3, 4]],
            ends: End::TooFew(3),
            ..base.clone()
        },
        Session {
            id: "4.2/too-few-for-the-minimum",
            minimum_survivors: 4,
            lost: &[&[2], &[], &[], &[]],
            ends: End::TooFew(0),
            ..base.clone()
        },
        Session {
            id: "4.3/too-few-for-the-minimum",
            minimum_survivors: 4,
            lost: &[&[], &[2], &[], &[]],
            ends: End::TooFew(1),
            ..base.clone()
        },
        Session {
            id: "4.4/too-few-for-the-minimum",
            minimum_survivors: 8,
            lost: &[&[], &[], &[5], &[]],
            ends: End::TooFew(2),
            ..regular.clone()
        },
        // Who falls silent when the sum is made is in it all the same.
        Session {
            id: "4.6/minimum-of-all-one-lost",
            minimum_survivors: 8,
            lost: &[&[], &[], &[], &[5]],
            ..regular.clone()
        },
        Session {
            id: "4.4-3/bundle-spoilt-on-the-way",
            change: Change::Bundle,
            ends: End::Sum(&[(2, "4.4-3", Some(1))]),
            ..base.clone()
        },
        Session {
            id: "4.6-7/wrong-share-left-out",
            change: Change::Share,
            ends: End::Sum(&[(2, "4.6-7", Some(1))]),
            ..base.clone()
        },
        Session {
            id: "4.1-4/every-response-twice",
            change: Change::Twice,
            clients: 2,
            ends: End::Sum(&[(1, "4.1-4", None), (2, "4.1-4", None)]),
            ..base.clone()
        },
        Session {
            id: "4.1-3/stray-messages",
            change: Change::Stray,
            clients: 2,
            ends: End::Sum(&[(1, "4.1-3", None), (2, "4.1-3", None)]),
            ..base
        },
    ];
    unsigned.into_iter().chain(signed).collect()
}

impl Session {
    pub(super) fn config(&self) -> Value {
        let mut config = config(self.degree, self.clients, self.threshold, self.vectors, 0x77);
        config["minimum_survivors"] = self.minimum_survivors.into();
        signed(config, self.corrupt)
    }

    /// Where the first bundle is in the request that brings it.
    pub(super) fn first_bundle(&self) -> usize {
        let lists = if self.is_pinned() { 4 + self.clients.div_ceil(8) as usize + 4 } else { 4 };
        33 + lists + 4 + if self.is_pinned() { 32 } else { 0 }
    }

    fn is_pinned(&self) -> bool {
        self.corrupt.is_some() && self.degree.is_some()
    }

    pub(super) fn rounds(&self) -> usize {
        if self.corrupt.is_some() { 5 } else { 4 }
    }
}

/// The sessions of the active suite.
fn active_sessions(base: &Session) -> Vec<Session> {
    let base = Session { corrupt: Some(0), clients: 5, threshold: 3, ..base.clone() };
    vec![
        Session { id: "4/active-all-lanes", vectors: &ALL_LANES, ..base.clone() },
        Session {
            id: "4/active-one-lost-a-round",
            clients: 9,
            threshold: 5,
            lost: &[&[9], &[2], &[4], &[7], &[]],
            ..base.clone()
        },
        Session { id: "4.2/active-one-lost", lost: &[&[3], &[], &[], &[], &[]], ..base.clone() },
        Session { id: "4.3/active-one-lost", lost: &[&[], &[1], &[], &[], &[]], ..base.clone() },
        Session { id: "4.4/active-one-lost", lost: &[&[], &[], &[2], &[], &[]], ..base.clone() },
        Session { id: "4.5/active-two-lost", lost: &[&[], &[], &[], &[1, 4], &[]], ..base.clone() },
        Session { id: "4.6/active-two-lost", lost: &[&[], &[], &[], &[], &[1, 5]], ..base.clone() },
        Session {
            id: "4.5/active-too-few",
            lost: &[&[], &[], &[], &[1, 2, 5], &[]],
            ends: End::TooFew(3),
            ..base.clone()
        },
        Session {
            id: "4.6/active-too-few",
            lost: &[&[], &[], &[], &[1], &[2, 5]],
            ends: End::TooFew(4),
            ..base.clone()
        },
        Session {
            id: "4.6-7/active-wrong-share",
            change: Change::Share,
            ends: End::Sum(&[(2, "4.6-7", Some(1))]),
            ..base.clone()
        },
        Session {
            id: "4.4-3/active-bundle-spoilt-on-the-way",
            change: Change::Bundle,
            ends: End::Sum(&[(2, "4.4-3", Some(1))]),
            ..base.clone()
        },
        Session {
            id: "4.1-4/active-every-response-twice",
            change: Change::Twice,
            clients: 2,
            threshold: 2,
            ends: End::Sum(&[(1, "4.1-4", None), (2, "4.1-4", None)]),
            ..base
        },
    ]
}

/// The sessions of the pinned suite.
fn pinned_sessions(base: &Session) -> Vec<Session> {
    let all = Session { corrupt: Some(1), degree: Some(4), clients: 5, ..base.clone() };
    let base = Session { corrupt: Some(1), degree: Some(5), clients: 7, ..base.clone() };
    vec![
        Session {
            id: "4/pinned-all-lanes",
            vectors: &ALL_LANES,
            clients: 4,
            degree: Some(3),
            ..base.clone()
        },
        Session {
            id: "4/pinned-one-lost-a-round",
            clients: 10,
            degree: Some(7),
            lost: &[&[9], &[2], &[4], &[7], &[1]],
            ..base.clone()
        },
        Session { id: "4.2/pinned-one-lost", lost: &[&[3], &[], &[], &[], &[]], ..base.clone() },
        Session { id: "4.3/pinned-one-lost", lost: &[&[], &[1], &[], &[], &[]], ..base.clone() },
        Session { id: "4.4/pinned-one-lost", lost: &[&[], &[], &[2], &[], &[]], ..base.clone() },
        Session { id: "4.5/pinned-one-lost", lost: &[&[], &[], &[], &[4], &[]], ..base.clone() },
        Session { id: "4.6/pinned-two-lost", lost: &[&[], &[], &[], &[], &[1, 5]], ..base.clone() },
        Session {
            id: "4.2/pinned-too-few-for-the-degree",
            lost: &[&[1, 2], &[], &[], &[], &[]],
            ends: End::TooFew(0),
            ..base.clone()
        },
        Session {
            id: "4.2/pinned-too-few-for-a-quorum",
            corrupt: Some(3),
            degree: Some(3),
            clients: 21,
            lost: &[&[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21], &[], &[], &[], &[]],
            ends: End::TooFew(0),
            ..all.clone()
        },
        // A quorum is four of five; two holders would be enough.
        Session {
            id: "4.3/pinned-too-few-for-a-quorum",
            lost: &[&[], &[1, 2], &[], &[], &[]],
            ends: End::TooFew(1),
            ..all.clone()
        },
        Session {
            id: "4.4/pinned-too-few-for-a-quorum",
            lost: &[&[], &[], &[1, 2], &[], &[]],
            ends: End::TooFew(2),
            ..all.clone()
        },
        Session {
            id: "4.5/pinned-too-few-for-a-quorum",
            lost: &[&[], &[], &[], &[1, 2], &[]],
            ends: End::TooFew(3),
            ..all.clone()
        },
        // Five of seven are a quorum, but each has four holders among them.
        Session {
            id: "4.3/pinned-too-few-holders",
            degree: Some(6),
            clients: 7,
            threshold: 5,
            lost: &[&[], &[1, 2], &[], &[], &[]],
            ends: End::TooFew(1),
            ..all.clone()
        },
        Session {
            id: "4.4/pinned-too-few-holders",
            degree: Some(6),
            clients: 7,
            threshold: 5,
            lost: &[&[], &[], &[1, 2], &[], &[]],
            ends: End::TooFew(2),
            ..all.clone()
        },
        Session {
            id: "4.5/pinned-too-few-holders",
            degree: Some(6),
            clients: 7,
            threshold: 5,
            lost: &[&[], &[], &[], &[1, 2], &[]],
            ends: End::TooFew(3),
            ..all.clone()
        },
        Session {
            id: "4.6/pinned-too-few",
            lost: &[&[], &[], &[], &[], &[1, 2, 3, 4]],
            ends: End::TooFew(4),
            ..all.clone()
        },
        Session {
            id: "4.6-7/pinned-wrong-share",
            change: Change::Share,
            ends: End::Sum(&[(2, "4.6-7", Some(1))]),
            ..all.clone()
        },
        Session {
            id: "4.4-3/pinned-bundle-spoilt-on-the-way",
            change: Change::Bundle,
            ends: End::Sum(&[(2, "4.4-3", Some(1))]),
            ..all
        },
    ]
}
