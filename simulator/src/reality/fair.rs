//! A rate that flows share fairly, byte for byte (deficit round robin, Shreedhar and Varghese 1995).

use std::collections::VecDeque;

/// Bytes that a flow may send at its turn: at least the largest packet, so that each turn sends one.
const QUANTUM: u64 = 1500;

/// One queue for each flow before one rate.
pub(super) struct FairQueue<T> {
    flows: Vec<Flow<T>>,
    /// Flows that wait, in the order of their turns.
    turns: VecDeque<usize>,
    serving: Option<(usize, T)>,
    /// Nanoseconds a byte; 0 without a limit.
    byte_time: f64,
    /// Bytes that each flow's queue holds.
    limit: u64,
}

struct Flow<T> {
    waiting: VecDeque<(u64, T)>,
    bytes: u64,
    deficit: u64,
}

impl<T> FairQueue<T> {
    pub(super) fn new(flows: usize, byte_time: f64, limit: u64) -> Self {
        let flow = |_| Flow { waiting: VecDeque::new(), bytes: 0, deficit: 0 };
        let flows = (0..flows).map(flow).collect();
        Self { flows, turns: VecDeque::new(), serving: None, byte_time, limit }
    }

    /// Takes a packet. If the rate was idle: when the packet will be out.
    ///
    /// # Errors
    /// Gives the packet back if its flow's queue is full.
    pub(super) fn push(&mut self, at: u64, flow: usize, bytes: u64, packet: T) -> Result<Option<u64>, T> {
        if self.serving.is_none() {
            self.serving = Some((flow, packet));
            return Ok(Some(self.out(at, bytes)));
        }
        match self.flows.get_mut(flow) {
            Some(queue) if queue.bytes + bytes <= self.limit => {
                if queue.waiting.is_empty() {
                    self.turns.push_back(flow);
                }
                queue.bytes += bytes;
                queue.waiting.push_back((bytes, packet));
                Ok(None)
            }
            _ => Err(packet),
        }
    }

    /// Gives the packet that is out now, and when the next one will be.
    pub(super) fn pop(&mut self, at: u64) -> (usize, Option<T>, Option<u64>) {
        let (flow, packet) = self.serving.take().map_or((0, None), |(flow, packet)| (flow, Some(packet)));
        let next = self.next().map(|(flow, bytes, packet)| {
            self.serving = Some((flow, packet));
            self.out(at, bytes)
        });
        (flow, packet, next)
    }

    fn out(&self, at: u64, bytes: u64) -> u64 {
        at + (bytes as f64 * self.byte_time) as u64
    }

    fn next(&mut self) -> Option<(usize, u64, T)> {
        loop {
            let flow = *self.turns.front()?;
            let queue = self.flows.get_mut(flow)?;
            match queue.waiting.front() {
                Some((bytes, _)) if *bytes <= queue.deficit => {
                    let (bytes, packet) = queue.waiting.pop_front()?;
                    queue.deficit -= bytes;
                    queue.bytes -= bytes;
                    if queue.waiting.is_empty() {
                        queue.deficit = 0;
                        self.turns.pop_front();
                    }
                    return Some((flow, bytes, packet));
                }
                _ => {
                    queue.deficit += QUANTUM;
                    self.turns.rotate_left(1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of each flow among the first so many bytes served.
    fn shares(packets: &[(usize, u64)], first: u64) -> Vec<u64> {
        let mut queue = FairQueue::new(3, 1.0, 1 << 30);
        let mut at = 0;
        for (flow, bytes) in packets {
            if let Ok(Some(out)) = queue.push(0, *flow, *bytes, *bytes) {
                at = out;
            }
        }
        let mut shares = vec![0; 3];
        while shares.iter().sum::<u64>() < first {
            let (flow, bytes, next) = queue.pop(at);
            shares[flow] += bytes.expect("a packet is being served");
            at = next.expect("more packets wait");
        }
        shares
    }

    #[test]
    fn flows_get_equal_bytes_whatever_the_size_of_their_packets() {
        let mut packets = vec![(0, 1500); 200];
        packets.extend(vec![(1, 150); 2000]);
        packets.extend(vec![(2, 700); 430]);
        for share in shares(&packets, 600_000) {
            assert!((190_000..210_000).contains(&share), "{share}");
        }
    }

    #[test]
    fn a_flow_that_waits_for_nobody_gets_everything() {
        assert_eq!(shares(&[(1, 1000); 12], 10_000), [0, 10_000, 0]);
    }
}
