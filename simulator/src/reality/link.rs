//! A network of links between clients and one server, packet by packet, in nanoseconds.
//!
//! ```text
//! client --[uplink: queue, rate]--(loss, latency, jitter)--[server's downlink: fair queue, rate]--> server
//! client <--[downlink: queue, rate]--(loss, latency, jitter)--[server's uplink: fair queue, rate]-- server
//! ```
//!
//! There is no clock in here: whoever drives it says when a packet arrives and how far time is. All that is
//! random comes from a seed and from the number of packets that a link has seen, so the same arrivals have the
//! same fates.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::fair::FairQueue;
use crate::draw::{Draws, Purpose};

/// One client's access to the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Access {
    /// Rate to the network, in bits per second; infinite for no limit.
    pub up: f64,
    /// Rate from the network, in bits per second; infinite for no limit.
    pub down: f64,
    /// One way, in nanoseconds.
    pub latency: u64,
    /// Up to so many nanoseconds more, uniformly; packets stay in their order.
    pub jitter: u64,
    /// Probability of each packet to be lost, in each direction.
    pub loss: f64,
}

/// The whole network.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The clients, in the order of their numbers from 0.
    pub clients: Vec<Access>,
    /// The server's rate to the network, shared fairly among clients, in bits per second.
    pub server_up: f64,
    /// The server's rate from the network, shared fairly among clients, in bits per second.
    pub server_down: f64,
    /// Bytes that each client's share of each queue holds; what comes then is dropped.
    pub queue: u64,
    /// Where loss and jitter come from.
    pub seed: u64,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the server.
    Up,
    /// To a client.
    Down,
}

/// A packet that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When, in nanoseconds.
    pub at: u64,
    /// Which way it went.
    pub direction: Direction,
    /// The client that sent it or that it is for.
    pub client: usize,
    /// The packet.
    pub packet: Vec<u8>,
}

/// What has become of packets, all clients together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Packets that were lost at random.
    pub lost: u64,
    /// Packets for which there was no room in a queue.
    pub dropped: u64,
}

/// The network at work.
pub struct Emulator {
    clients: Vec<Client>,
    server_up: FairQueue<Vec<u8>>,
    server_down: FairQueue<Vec<u8>>,
    events: BinaryHeap<Reverse<(u64, u64)>>,
    pending: BTreeMap<u64, Event>,
    sequence: u64,
    now: u64,
    fates: Fates,
}

/// A client's two lines.
struct Client {
    up: Line,
    down: Line,
}

/// A rate with a queue before it, and a way behind it.
struct Line {
    /// Nanoseconds a byte; 0 without a limit.
    byte_time: f64,
    queue: u64,
    /// When the last byte that was taken is out.
    free_at: u64,
    latency: u64,
    jitter: u64,
    loss: f64,
    /// Arrival of the packet before, so that none overtakes another.
    last: u64,
    /// Packets that have come so far: each has its own lots.
    packets: u32,
    losses: Draws,
    delays: Draws,
}

enum Event {
    /// A packet reaches the server's downlink.
    Server(usize, Vec<u8>),
    /// The server's downlink has sent a packet.
    ServedUp,
    /// The server's uplink has sent a packet.
    ServedDown,
    /// A packet reaches a client's downlink.
    Client(usize, Vec<u8>),
    /// A packet is out of a client's downlink.
    Arrived(usize, Vec<u8>),
}

impl Emulator {
    /// A network without a packet on its way.
    pub fn new(network: &Network) -> Self {
        let line = |access: &Access, rate: f64, number: usize| Line {
            byte_time: byte_time(rate),
            queue: network.queue,
            free_at: 0,
            latency: access.latency,
            jitter: access.jitter,
            loss: access.loss,
            last: 0,
            packets: 0,
            losses: Draws::new(network.seed, number as u64, Purpose::Loss, 0),
            delays: Draws::new(network.seed, number as u64, Purpose::Latency, 0),
        };
        let client = |(number, access): (usize, &Access)| Client {
            up: line(access, access.up, 2 * number),
            down: line(access, access.down, 2 * number + 1),
        };
        let fair = |rate| FairQueue::new(network.clients.len(), byte_time(rate), network.queue);
        Self {
            clients: network.clients.iter().enumerate().map(client).collect(),
            server_up: fair(network.server_up),
            server_down: fair(network.server_down),
            events: BinaryHeap::new(),
            pending: BTreeMap::new(),
            sequence: 0,
            now: 0,
            fates: Fates::default(),
        }
    }

    /// Takes a packet that a client or the server has sent. Time must not run backwards; a client that does not
    /// exist has its packets dropped.
    pub fn send(&mut self, at: u64, direction: Direction, client: usize, packet: Vec<u8>) {
        let at = at.max(self.now);
        let bytes = packet.len() as u64;
        let Some(line) = self.clients.get_mut(client) else {
            self.fates.dropped += 1;
            return;
        };
        match direction {
            Direction::Up => match line.up.serialise(at, bytes) {
                None => self.fates.dropped += 1,
                Some(out) => match line.up.travel(out) {
                    None => self.fates.lost += 1,
                    Some(at) => self.schedule(at, Event::Server(client, packet)),
                },
            },
            Direction::Down => match self.server_up.push(at, client, bytes, packet) {
                Err(_) => self.fates.dropped += 1,
                Ok(served) => self.serve(served, Event::ServedDown),
            },
        }
    }

    /// When something happens next, if anything is on its way.
    pub fn next_event(&self) -> Option<u64> {
        self.events.peek().map(|Reverse((at, _))| *at)
    }

    /// Lets time pass up to `now` and gives the packets that have arrived, in the order of their arrival.
    pub fn advance(&mut self, now: u64) -> Vec<Delivery> {
        let mut arrived = Vec::new();
        while let Some(&Reverse((at, sequence))) = self.events.peek()
            && at <= now
        {
            self.events.pop();
            self.now = self.now.max(at);
            if let Some(event) = self.pending.remove(&sequence) {
                self.happen(at, event, &mut arrived);
            }
        }
        self.now = self.now.max(now);
        arrived
    }

    /// What has become of packets so far.
    pub fn fates(&self) -> Fates {
        self.fates
    }

    fn happen(&mut self, at: u64, event: Event, arrived: &mut Vec<Delivery>) {
        match event {
            Event::Server(client, packet) => {
                match self.server_down.push(at, client, packet.len() as u64, packet) {
                    Err(_) => self.fates.dropped += 1,
                    Ok(served) => self.serve(served, Event::ServedUp),
                }
            }
            Event::ServedUp => {
                let (client, packet, next) = self.server_down.pop(at);
                arrived.extend(packet.map(|packet| Delivery {
                    at,
                    direction: Direction::Up,
                    client,
                    packet,
                }));
                self.serve(next, Event::ServedUp);
            }
            Event::ServedDown => {
                let (client, packet, next) = self.server_up.pop(at);
                self.serve(next, Event::ServedDown);
                let Some((line, packet)) = self.clients.get_mut(client).zip(packet) else { return };
                match line.down.travel(at) {
                    None => self.fates.lost += 1,
                    Some(at) => self.schedule(at, Event::Client(client, packet)),
                }
            }
            Event::Client(client, packet) => {
                let line = self.clients.get_mut(client).map(|client| &mut client.down);
                match line.and_then(|line| line.serialise(at, packet.len() as u64)) {
                    None => self.fates.dropped += 1,
                    Some(at) => self.schedule(at, Event::Arrived(client, packet)),
                }
            }
            Event::Arrived(client, packet) => {
                arrived.push(Delivery { at, direction: Direction::Down, client, packet });
            }
        }
    }

    fn serve(&mut self, at: Option<u64>, event: Event) {
        if let Some(at) = at {
            self.schedule(at, event);
        }
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((at, self.sequence)));
        self.pending.insert(self.sequence, event);
    }
}

impl Line {
    /// Takes a packet into the queue; when its last byte is out, or `None` if the queue is full.
    fn serialise(&mut self, at: u64, bytes: u64) -> Option<u64> {
        let waiting = self.free_at.saturating_sub(at) as f64;
        if waiting > self.queue as f64 * self.byte_time {
            return None;
        }
        self.free_at = self.free_at.max(at) + (bytes as f64 * self.byte_time) as u64;
        Some(self.free_at)
    }

    /// Sends a packet on its way; when it arrives, or `None` if it is lost.
    fn travel(&mut self, at: u64) -> Option<u64> {
        let (lost, late) = (self.losses.unit(self.packets) < self.loss, self.delays.bits(self.packets));
        self.packets = self.packets.wrapping_add(1);
        let late = ((u128::from(late) * u128::from(self.jitter + 1)) >> 64) as u64;
        self.last = self.last.max(at + self.latency + late);
        (!lost).then_some(self.last)
    }
}

/// Nanoseconds a byte at a rate in bits per second.
fn byte_time(rate: f64) -> f64 {
    if rate.is_finite() && rate > 0.0 { 8e9 / rate } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u64 = 1_000_000;

    fn network(clients: usize) -> Network {
        let access = Access {
            up: f64::INFINITY,
            down: f64::INFINITY,
            latency: 20 * MILLISECOND,
            jitter: 0,
            loss: 0.0,
        };
        let (server_up, server_down) = (f64::INFINITY, f64::INFINITY);
        Network { clients: vec![access; clients], server_up, server_down, queue: 1 << 20, seed: 1 }
    }

    /// Runs until nothing is on its way.
    fn run(emulator: &mut Emulator) -> Vec<Delivery> {
        let mut all = Vec::new();
        while let Some(at) = emulator.next_event() {
            all.extend(emulator.advance(at));
        }
        all
    }

    fn times(arrived: &[Delivery]) -> Vec<u64> {
        arrived.iter().map(|one| one.at).collect()
    }

    #[test]
    fn a_packet_takes_the_time_of_its_bytes_and_of_the_way() {
        let mut network = network(1);
        network.clients[0].up = 8e6; // a byte a microsecond
        let mut emulator = Emulator::new(&network);
        for number in 0..3 {
            emulator.send(0, Direction::Up, 0, vec![number; 1000]);
        }
        assert!(emulator.advance(20 * MILLISECOND).is_empty());
        let arrived = run(&mut emulator);
        assert_eq!(times(&arrived), [21, 22, 23].map(|ms| ms * MILLISECOND));
        assert!(arrived.iter().zip(0..).all(|(one, number)| one.packet == vec![number; 1000]));
    }

    #[test]
    fn being_late_to_look_changes_nothing() {
        let mut network = network(2);
        (network.server_down, network.clients[0].up) = (4e6, 8e6);
        let send = |emulator: &mut Emulator| {
            for number in 0..20 {
                emulator.send(
                    u64::from(number) * 300,
                    Direction::Up,
                    usize::from(number) % 2,
                    vec![number; 700],
                );
            }
        };
        let (mut prompt, mut late) = (Emulator::new(&network), Emulator::new(&network));
        send(&mut prompt);
        send(&mut late);
        assert_eq!(run(&mut prompt), late.advance(u64::MAX));
    }

    #[test]
    fn the_servers_link_is_shared_fairly_both_ways() {
        for direction in [Direction::Up, Direction::Down] {
            let mut network = network(2);
            (network.server_down, network.server_up) = (8e6, 8e6);
            let mut emulator = Emulator::new(&network);
            // One client sends ten packets at once, the other two a moment later.
            for _ in 0..10 {
                emulator.send(0, direction, 0, vec![0; 1000]);
            }
            for _ in 0..2 {
                emulator.send(1, direction, 1, vec![1; 1000]);
            }
            let arrived = run(&mut emulator);
            let second: Vec<u64> = arrived.iter().filter(|one| one.client == 1).map(|one| one.at).collect();
            assert!(second[1] <= 20 * MILLISECOND + 6 * MILLISECOND, "{second:?}");
            assert_eq!(arrived.last().map(|one| one.at), Some(20 * MILLISECOND + 12 * MILLISECOND));
        }
    }

    #[test]
    fn a_full_queue_drops_what_comes() {
        let mut network = network(1);
        (network.clients[0].up, network.queue) = (8e6, 5000);
        let mut emulator = Emulator::new(&network);
        for _ in 0..20 {
            emulator.send(0, Direction::Up, 0, vec![0; 1000]);
        }
        let arrived = run(&mut emulator);
        assert_eq!(emulator.fates(), Fates { lost: 0, dropped: 20 - arrived.len() as u64 });
        assert_eq!(arrived.len(), 6);
    }

    #[test]
    fn loss_and_jitter_come_from_the_seed_and_keep_the_order() {
        let fates = |seed| {
            let mut network = network(1);
            (network.clients[0].loss, network.clients[0].jitter) = (0.1, 5 * MILLISECOND);
            network.seed = seed;
            let mut emulator = Emulator::new(&network);
            (0..2000u64).for_each(|at| emulator.send(at, Direction::Up, 0, at.to_be_bytes().to_vec()));
            let arrived = run(&mut emulator);
            assert_eq!(emulator.fates().lost + arrived.len() as u64, 2000);
            assert!((100..300).contains(&emulator.fates().lost), "{:?}", emulator.fates());
            assert!(arrived.is_sorted_by_key(|one| one.packet.clone()));
            arrived
        };
        assert_eq!(fates(1), fates(1));
        assert_ne!(fates(1), fates(2));
    }
}
