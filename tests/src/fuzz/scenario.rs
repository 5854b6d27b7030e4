//! Whole sessions in which the input decides who vanishes and who lies, when and how: the sum is right, or the abort
//! is named and not blamed on the honest.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use secagg::{Abort, Aggregate, Client, ClientId, Closed, Config, Graph, Requests, Round, Server};

use super::packing::unpacked;
use super::session::{changed, config, graph, ids, member, values};

pub(super) fn scenario(data: &[u8]) {
    let _ = play(&mut Unstructured::new(data));
}

struct Play {
    config: Config,
    clients: BTreeMap<ClientId, Client>,
    /// What each client contributes: its input, and what it put on top of its masked input.
    effective: BTreeMap<ClientId, Vec<Vec<u64>>>,
    liars: BTreeSet<ClientId>,
}

fn play(from: &mut Unstructured<'_>) -> Result<()> {
    let graph = graph(from.arbitrary()?);
    let clients = from.int_in_range(if graph == Graph::Complete { 2..=6 } else { 5..=7 })?;
    let threshold = from.int_in_range(2..=if graph == Graph::Complete { clients } else { 4 })?;
    let config = config(graph, clients, threshold);
    let mut play = Play {
        clients: ids(clients).map(|id| (id, member(&config, id, true))).collect(),
        effective: ids(clients).map(|id| (id, values(id, &config))).collect(),
        liars: BTreeSet::new(),
        config: config.clone(),
    };
    let (mut server, mut requests) = Server::open(config).expect("a good configuration");
    loop {
        play.round(from, &mut server, requests)?;
        let answered = server.progress().map_or(0, |progress| progress.answered);
        match server.close_round() {
            Ok(Closed::Next(next)) => requests = next,
            Ok(Closed::Done(aggregate)) => {
                play.check_sum(&aggregate);
                return Ok(());
            }
            Err(abort) => {
                play.check_abort(&abort, answered);
                return Ok(());
            }
        }
    }
}

impl Play {
    /// Lets the clients answer, vanish or lie.
    fn round(&mut self, from: &mut Unstructured<'_>, server: &mut Server, requests: Requests) -> Result<()> {
        let round = server.progress().map(|progress| progress.round);
        for (id, request) in requests {
            let client = self.clients.get_mut(&id).expect("a client");
            if from.ratio(1, 8)? {
                continue;
            }
            let honest = match client.handle(&request) {
                Ok(honest) => honest,
                Err(abort) => {
                    assert!(self.liars.contains(&id), "{id} was honest and is put out: {abort}");
                    continue;
                }
            };
            let sent = if from.ratio(1, 6)? { changed(from, &honest)? } else { honest.clone() };
            if sent != honest {
                self.liars.insert(id);
            }
            match server.receive(id, &sent) {
                Ok(()) if round == Some(Round::MaskedInputCollection) => self.note(id, &honest, &sent),
                Ok(()) => {}
                Err(fault) => assert!(sent != honest || self.liars.contains(&id), "{id} was honest: {fault}"),
            }
        }
        Ok(())
    }

    /// Adds the difference that a lie about the masked input makes.
    fn note(&mut self, id: ClientId, honest: &[u8], sent: &[u8]) {
        let mut at = 33;
        for (spec, values) in self.config.vectors.iter().zip(self.effective.get_mut(&id).expect("a client")) {
            let end = at + spec.packed_len() as usize;
            let [honest, sent] =
                [honest, sent].map(|message| unpacked(spec.bits, spec.length, &message[at..end]));
            for (value, (sent, honest)) in values.iter_mut().zip(sent.into_iter().zip(honest)) {
                *value = value.wrapping_add(sent).wrapping_sub(honest);
            }
            at = end;
        }
    }

    fn check_sum(&self, aggregate: &Aggregate) {
        assert!(aggregate.survivors.len() >= self.config.threshold as usize);
        for (place, (spec, sum)) in aggregate.vectors.iter().enumerate() {
            for at in 0..spec.length as usize {
                let added = aggregate.survivors.iter().map(|id| self.effective[id][place][at]);
                let expected = added.fold(0, u64::wrapping_add) & ((1 << spec.bits) - 1);
                assert_eq!(sum.get(at), Some(expected), "coordinate {at} of {}", spec.name);
            }
        }
        for fault in &aggregate.faults {
            let named = [Some(fault.culprit), fault.about];
            assert!(named.iter().flatten().any(|id| self.liars.contains(id)), "nobody here lied: {fault:?}");
        }
    }

    fn check_abort(&self, abort: &Abort, answered: u32) {
        match abort {
            Abort::TooFew { .. } => {
                let enough = self.config.graph == Graph::Complete && answered >= self.config.threshold;
                assert!(!(enough && self.liars.is_empty()), "enough had answered: {abort}");
            }
            Abort::Unrecoverable { suspects, owner, .. } => {
                assert!(self.liars.contains(owner) || suspects.iter().any(|id| self.liars.contains(id)));
            }
            other => panic!("a server has no such end: {other}"),
        }
    }
}
