//! Carries packets between the two devices through the emulated network, in real time.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tun_rs::SyncDevice;

use super::link::{Delivery, Direction, Emulator, Fates, Network};
use super::namespaces::{Devices, client_at};

/// Largest packet, in bytes.
const LARGEST: usize = 2048;

/// Packets read from one device before the clock is looked at again.
const BATCH: usize = 64;

/// Nanoseconds before a packet is due at which the loop no longer sleeps.
const SPIN: u64 = 30_000;

/// Longest sleep in nanoseconds, so that the end is noticed.
const LONGEST: u64 = 20_000_000;

/// How much sooner than other threads the loop is to run, as for `nice`.
const PRIORITY: i32 = -10;

/// A packet that a client or the server has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Nanoseconds since the network began.
    pub at: u64,
    /// Which way it went.
    pub direction: Direction,
    /// The client, from 0.
    pub client: usize,
    /// Bytes, IP and UDP headers included.
    pub bytes: u32,
}

/// What went over the wire.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    /// The packets in the order in which they were sent, those that were then lost included.
    pub packets: Vec<Sent>,
    /// What became of those that did not arrive.
    pub fates: Fates,
    /// By how many nanoseconds each arrival was later than it should have been: how busy this machine was.
    pub late: Vec<u64>,
}

/// The running loop.
pub(super) struct Pump {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Wire>>,
}

impl Pump {
    pub(super) fn start(devices: Devices, network: &Network) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, emulator) = (stop.clone(), Emulator::new(network));
        let thread = thread::spawn(move || {
            be_prompt();
            let began = Instant::now();
            Carrier { devices, emulator, began, wire: Wire::default() }.run(&stopped)
        });
        Self { stop, thread }
    }

    /// Ends the loop and tells what went over the wire.
    pub(super) fn stop(self) -> io::Result<Wire> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the link emulator has failed")))
    }
}

/// Has the kernel wake this thread when it asks, not 50 microseconds later, and before others if it may.
fn be_prompt() {
    // Both only make the timing better: without them the lateness that is reported is greater.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    let _ = rustix::process::setpriority_process(None, PRIORITY);
}

struct Carrier {
    devices: Devices,
    emulator: Emulator,
    began: Instant,
    wire: Wire,
}

impl Carrier {
    fn run(mut self, stop: &AtomicBool) -> io::Result<Wire> {
        let mut buffer = vec![0; LARGEST];
        while !stop.load(Ordering::Relaxed) {
            let now = self.now();
            let read =
                self.read(now, Direction::Up, &mut buffer)? + self.read(now, Direction::Down, &mut buffer)?;
            let now = self.now();
            for delivery in self.emulator.advance(now) {
                self.deliver(&delivery)?;
            }
            if read == 0 {
                self.wait()?;
            }
        }
        self.wire.fates = self.emulator.fates();
        Ok(self.wire)
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    fn device(&self, from: Direction) -> &SyncDevice {
        match from {
            Direction::Up => &self.devices.clients,
            Direction::Down => &self.devices.server,
        }
    }

    /// Takes what has been sent one way; returns the number of packets.
    fn read(&mut self, now: u64, direction: Direction, buffer: &mut [u8]) -> io::Result<usize> {
        for count in 0..BATCH {
            let bytes = match self.device(direction).recv(buffer) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // The device is not up yet, or not any more.
                Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                    return Ok(count);
                }
                Err(error) => return Err(error),
            };
            let Some(packet) = buffer.get(..bytes) else { continue };
            let Some(client) = client_of(packet, direction) else { continue };
            self.wire.packets.push(Sent { at: now, direction, client, bytes: bytes as u32 });
            self.emulator.send(now, direction, client, packet.to_vec());
        }
        Ok(BATCH)
    }

    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()> {
        let to = match delivery.direction {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        };
        match self.device(to).send(&delivery.packet) {
            Ok(_) => self.wire.late.push(self.now().saturating_sub(delivery.at)),
            // As a network card that cannot take any more.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Sleeps until a packet is there or one is nearly due.
    fn wait(&self) -> io::Result<()> {
        let due = self.emulator.next_event().map_or(LONGEST, |at| at.saturating_sub(self.now()));
        if due <= SPIN {
            std::hint::spin_loop();
            return Ok(());
        }
        let sleep = (due - SPIN).min(LONGEST);
        let timeout = Timespec { tv_sec: 0, tv_nsec: sleep as i64 };
        let mut devices = [
            PollFd::from_borrowed_fd(self.devices.clients.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.devices.server.as_fd(), PollFlags::IN),
        ];
        match poll(&mut devices, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The client that a packet is from or for; `None` if it is no UDP between a client and the server.
fn client_of(packet: &[u8], direction: Direction) -> Option<usize> {
    const UDP: u8 = 17;
    let header: &[u8; 20] = packet.first_chunk()?;
    if header[0] >> 4 != 4 || header[9] != UDP {
        return None;
    }
    let at = if direction == Direction::Up { 12 } else { 16 };
    client_at(*header.get(at..)?.first_chunk()?)
}
