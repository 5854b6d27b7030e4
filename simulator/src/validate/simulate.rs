//! A set-up in virtual time: the protocol core's own bytes and operations, and the network by the rules of
//! [`crate::quic`].

use std::collections::BTreeMap;

use secagg::{Client, Closed, Counts, Input, Policy, Requests, Round, Server};

use super::case::Case;
use crate::quic;
use crate::reality::Access;
use crate::{Operations, Profile};

/// Bytes of a frame's header in `secagg-transport`.
const FRAME: u64 = 9;

/// Bytes of the length before the task, in the first frame from the server.
const TASK_LENGTH: u64 = 8;

/// Bytes of the message by which a client joins: version, length of the name, and the name itself, as
/// [`crate::reality`] gives them.
const JOIN: u64 = 2 + 1 + 12;

/// What a set-up comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Simulated {
    /// By client, by round: bytes of frames up and down, and seconds from the requests to the whole answer.
    pub clients: Vec<BTreeMap<Round, (u64, u64, Option<f64>)>>,
    /// What each client did.
    pub operations: Vec<Operations>,
    /// What the server did.
    pub server: Option<Operations>,
    /// Bytes on the wire to the server, all clients together.
    pub wire_up: u64,
    /// Bytes on the wire from the server, all clients together.
    pub wire_down: u64,
}

/// One client's part in a round.
#[derive(Clone, Copy)]
struct Turn {
    client: usize,
    /// Bytes of the frames.
    request: u64,
    answer: Option<u64>,
    /// Seconds of CPU.
    work: f64,
    /// Seconds of the server's CPU to take the answer in.
    taken_in: f64,
}

/// Runs a set-up in virtual time, on a machine with so many cores for all parties, each operation as the profile
/// has it.
///
/// # Errors
/// The configuration breaks a rule or the session is aborted.
pub fn simulate(case: &Case, profile: &Profile, cores: usize) -> Result<Simulated, secagg::Abort> {
    let config = case.config();
    let (mut server, mut requests) = Server::open(config.clone())?;
    let mut clients: Vec<Client> =
        (1..=case.clients).map(|number| Client::new(entropy(number), Policy::default())).collect();
    let mut result = Simulated { clients: vec![BTreeMap::new(); clients.len()], ..Simulated::default() };
    let mut linked = vec![true; clients.len()];
    let seconds = |counts: &Counts, messages, bytes| {
        1e-9 * (profile.nanoseconds(counts, &config) + profile.messages(messages, bytes))
    };
    let mut last = Round::AdvertiseKeys;
    loop {
        let round = server.progress().map_or(last, |progress| progress.round);
        last = round;
        let mut turns = Vec::new();
        for (id, request) in std::mem::take(&mut requests) {
            let client = id.get() as usize - 1;
            let length = request.len() as u64 + FRAME + first_only(round, TASK_LENGTH);
            let mut turn = Turn { client, request: length, answer: None, work: 0.0, taken_in: 0.0 };
            if case.vanishes(client) == Some(round) {
                linked[client] = false;
            } else {
                let (mine, servers) = (clients[client].counts(), server.counts());
                let answer = answer(case, &mut clients[client], round, &request)?;
                let bytes = answer.len() as u64;
                turn.answer = Some(bytes + FRAME);
                let did = difference(clients[client].counts(), mine);
                turn.work = seconds(&did, 2, request.len() as u64 + bytes);
                server.receive(id, &answer).map_err(|_| secagg::Abort::Over)?;
                turn.taken_in = seconds(&difference(server.counts(), servers), 1, bytes);
            }
            turns.push(turn);
        }
        result.play(case, round, &turns, cores);
        match server.close_round()? {
            Closed::Next(next) => requests = next,
            Closed::Done(_) => break,
        }
        dismiss(&mut result, &mut linked, &requests, round);
    }
    for (client, _) in linked.iter().enumerate().filter(|(_, linked)| **linked) {
        note_down(&mut result, client, last);
    }
    result.operations = clients.iter().map(|client| client.counts().into()).collect();
    result.server = Some(server.counts().into());
    Ok(result)
}

impl Simulated {
    /// Notes the bytes of a round, and the times that it takes in virtual time.
    fn play(&mut self, case: &Case, round: Round, turns: &[Turn], cores: usize) {
        let times = times(case, turns, cores);
        for (turn, time) in turns.iter().zip(times) {
            let (up, down, after) = self.clients[turn.client].entry(round).or_default();
            *down += turn.request;
            *up += first_only(round, FRAME + JOIN) + turn.answer.unwrap_or_default();
            *after = turn.answer.map(|_| time);
        }
        let share = 1.0 / (1.0 - case.loss);
        let lost = |bytes: u64| (bytes as f64 * share).round() as u64;
        for turn in turns {
            self.wire_up += lost(quic::acknowledgements_before_answer(turn.request))
                + turn.answer.map_or(0, |answer| lost(quic::message(answer)))
                + first_only(round, quic::CONNECTION_UP);
            self.wire_down += lost(quic::message(turn.request))
                + turn.answer.map_or(0, |answer| lost(quic::acknowledgements(answer)))
                + first_only(round, quic::CONNECTION_DOWN);
        }
    }
}

/// Seconds from the requests to each whole answer; of no meaning for a turn without one.
fn times(case: &Case, turns: &[Turn], cores: usize) -> Vec<f64> {
    let latency = case.latency as f64 * 1e-3;
    let bytes = |bits: f64| bits / 8.0;
    let down = |turn: &Turn| {
        let access: Access = case.access(turn.client);
        Flow { start: 0.0, bytes: quic::message(turn.request) as f64, cap: bytes(access.down) }
    };
    let downs: Vec<Flow> = turns.iter().map(down).collect();
    let arrived = share(bytes(case.server * 1e6), &downs).into_iter().map(|end| end + latency).collect();
    let worked = queue(arrived, turns.iter().map(|turn| turn.work), cores);
    let everyone = turns.iter().filter(|turn| turn.answer.is_some()).count().max(1) as f64;
    let up = |(turn, start): (&Turn, f64)| {
        let (rate, wire) =
            (bytes(case.access(turn.client).up), quic::message(turn.answer.unwrap_or_default()));
        let fair = rate.min(bytes(case.server * 1e6) / everyone);
        let start = start + quic::slow_start(wire, fair, 2.0 * latency);
        let wire = if turn.answer.is_some() { wire as f64 / (1.0 - case.loss) } else { 0.0 };
        Flow { start, bytes: wire, cap: rate }
    };
    let ups: Vec<Flow> = turns.iter().zip(worked).map(up).collect();
    let sent = share(bytes(case.server * 1e6), &ups).into_iter().map(|end| end + latency).collect();
    queue(sent, turns.iter().map(|turn| turn.taken_in), 1)
}

/// A transfer.
#[derive(Clone, Copy)]
struct Flow {
    /// Seconds.
    start: f64,
    /// Bytes on the wire.
    bytes: f64,
    /// Greatest rate in bytes per second.
    cap: f64,
}

/// When transfers end that share a link max-min fairly.
fn share(capacity: f64, flows: &[Flow]) -> Vec<f64> {
    let mut left: Vec<f64> = flows.iter().map(|flow| flow.bytes).collect();
    let mut ends: Vec<f64> = flows.iter().map(|flow| flow.start).collect();
    let mut now = 0.0;
    loop {
        let mut open: Vec<usize> =
            (0..flows.len()).filter(|at| left[*at] > 0.0 && flows[*at].start <= now).collect();
        open.sort_by(|one, other| flows[*one].cap.total_cmp(&flows[*other].cap));
        let starts = flows.iter().filter(|flow| flow.start > now && flow.bytes > 0.0);
        let mut next = starts.map(|flow| flow.start).fold(f64::INFINITY, f64::min);
        let (mut spare, mut rates) = (capacity, vec![0.0; flows.len()]);
        for (before, at) in open.iter().enumerate() {
            rates[*at] = flows[*at].cap.min(spare / (open.len() - before) as f64);
            spare -= rates[*at];
            next = next.min(now + left[*at] / rates[*at]);
        }
        if !next.is_finite() {
            return ends;
        }
        for at in open {
            left[at] -= rates[at] * (next - now);
            // Less than a byte is rounding.
            if left[at] < 1e-3 {
                (left[at], ends[at]) = (0.0, next);
            }
        }
        now = next;
    }
}

/// When jobs are done that are served by so many cores, first come first served.
fn queue(arrivals: Vec<f64>, work: impl Iterator<Item = f64>, cores: usize) -> Vec<f64> {
    let mut jobs: Vec<(usize, f64, f64)> =
        arrivals.iter().zip(work).enumerate().map(|(at, (arrival, work))| (at, *arrival, work)).collect();
    jobs.sort_by(|one, other| one.1.total_cmp(&other.1));
    let (mut free, mut done) = (vec![0.0f64; cores.max(1)], arrivals);
    for (at, arrival, work) in jobs {
        free.sort_by(f64::total_cmp);
        let end = free[0].max(arrival) + work;
        (free[0], done[at]) = (end, end);
    }
    done
}

/// Bytes that only the first round has.
fn first_only(round: Round, bytes: u64) -> u64 {
    if round == Round::AdvertiseKeys { bytes } else { 0 }
}

/// A last word to those who are not asked any more.
fn dismiss(result: &mut Simulated, linked: &mut [bool], requests: &Requests, round: Round) {
    for client in 0..linked.len() {
        let asked = requests.iter().any(|(id, _)| id.get() as usize == client + 1);
        if linked[client] && !asked {
            linked[client] = false;
            note_down(result, client, round);
        }
    }
}

fn note_down(result: &mut Simulated, client: usize, round: Round) {
    result.clients[client].entry(round).or_default().1 += FRAME;
}

fn answer(case: &Case, client: &mut Client, round: Round, request: &[u8]) -> Result<Vec<u8>, secagg::Abort> {
    if round == Round::MaskedInputCollection {
        // Which numbers are summed changes neither bytes nor operations.
        client.set_input(Input::new().with("v", vec![1u16; case.length as usize]))?;
    }
    client.handle(request)
}

fn difference(after: Counts, before: Counts) -> Counts {
    Counts {
        encryption_agreements: after.encryption_agreements - before.encryption_agreements,
        mask_agreements: after.mask_agreements - before.mask_agreements,
        public_keys: after.public_keys - before.public_keys,
        aead_bytes: after.aead_bytes - before.aead_bytes,
        keystream_bytes: after.keystream_bytes - before.keystream_bytes,
        share_evaluations: after.share_evaluations - before.share_evaluations,
        reconstructions: after.reconstructions - before.reconstructions,
        additions: after.additions - before.additions,
    }
}

fn entropy(number: u32) -> [u8; 32] {
    let mut entropy = [3; 32];
    entropy[..4].copy_from_slice(&number.to_be_bytes());
    entropy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfers_share_what_the_slow_ones_leave() {
        let flow = |start, bytes, cap| Flow { start, bytes, cap };
        let ends = share(100.0, &[flow(0.0, 20.0, 20.0), flow(0.0, 160.0, 1000.0), flow(5.0, 10.0, 10.0)]);
        for (end, expected) in ends.iter().zip([1.0, 1.8, 6.0]) {
            assert!((end - expected).abs() < 1e-9, "{ends:?}");
        }
    }

    #[test]
    fn jobs_wait_for_a_core() {
        assert_eq!(
            queue(vec![0.0, 0.0, 0.0, 9.0], [2.0, 2.0, 2.0, 1.0].into_iter(), 2),
            [2.0, 2.0, 4.0, 10.0]
        );
    }

    #[test]
    fn a_slow_link_decides_the_stage_time() {
        let case = super::super::cases()[0];
        let simulated = simulate(&case, &Profile::default(), 2).unwrap();
        let seconds = simulated.clients[3][&Round::MaskedInputCollection].2.unwrap();
        let wire = quic::message(FRAME + secagg::sizes::masked_input_response(&case.config())) as f64;
        let least = wire * 8.0 / 2e6 + 0.1;
        assert!((least..least + 0.12).contains(&seconds), "{seconds} {least}");
    }

    #[test]
    fn who_vanishes_sends_no_answer_and_gets_no_last_word() {
        let case = super::super::cases().into_iter().find(|case| case.name == "dropouts").unwrap();
        let simulated = simulate(&case, &Profile::default(), 2).unwrap();
        let (up, down, after) = simulated.clients[0][&Round::ShareKeys];
        assert_eq!((up, after), (0, None));
        assert_eq!(down, FRAME + secagg::sizes::share_keys_request(11));
        assert!(!simulated.clients[0].contains_key(&Round::MaskedInputCollection));
        let stays = &simulated.clients[11][&Round::Unmasking];
        assert_eq!(stays.1, 2 * FRAME + secagg::sizes::unmasking_request(10));
    }
}
