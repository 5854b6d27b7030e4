//! The event queue beside the standard library's heap, both with a total order: `cargo bench -p secagg-simulator`.
//!
//! The hold model: with so many events pending, take the next one and insert one at a random time after it.

#[path = "../../protocol/benches/timing/mod.rs"]
mod timing;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use secagg_simulator::{EventQueue, When};
use timing::{Race, time};

/// Steps of one measurement.
const HOLDS: u64 = 2_000_000;

/// Greatest time between an event and the one that it causes, in nanoseconds.
const FURTHEST: u64 = 1_000_000_000;

fn main() {
    println!("{:>10}{:>20}{:>20}{:>10}", "pending", "queue, events/s", "BinaryHeap", "ratio");
    for pending in [1_000, 100_000, 1_000_000, 10_000_000] {
        let mut numbers = Numbers(pending);
        let mut queue = EventQueue::new();
        let mut heap = BinaryHeap::new();
        let mut inserted = 0u64;
        for event in 0..pending {
            let time = numbers.next() % FURTHEST;
            queue.push(When { time, class: 0 }, event);
            heap.push(Reverse((time, 0u8, inserted, event)));
            inserted += 1;
        }
        let mut ours = || time(|| hold_queue(&mut queue, &mut numbers));
        let mut other = Numbers(pending);
        let mut theirs = || time(|| hold_heap(&mut heap, &mut other, &mut inserted));
        let race = Race::run(5, &mut [("queue", &mut ours), ("heap", &mut theirs)]);
        let rate = |name| HOLDS as f64 / race.seconds(name);
        let ratio = race.ratio("heap", "queue");
        println!("{pending:>10}{:>20.2e}{:>20.2e}{ratio:>10.1}", rate("queue"), rate("heap"));
    }
}

fn hold_queue(queue: &mut EventQueue<u64>, numbers: &mut Numbers) {
    for _ in 0..HOLDS {
        if let Some((when, event)) = queue.pop() {
            queue.push(When { time: when.time + numbers.next() % FURTHEST, class: 0 }, event);
        }
    }
}

type Entry = Reverse<(u64, u8, u64, u64)>;

fn hold_heap(heap: &mut BinaryHeap<Entry>, numbers: &mut Numbers, inserted: &mut u64) {
    for _ in 0..HOLDS {
        if let Some(Reverse((time, class, _, event))) = heap.pop() {
            heap.push(Reverse((time + numbers.next() % FURTHEST, class, *inserted, event)));
            *inserted += 1;
        }
    }
}

/// splitmix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
