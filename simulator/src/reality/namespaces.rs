//! Two network namespaces with a TUN device each: one for the server, one for all clients.

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tun_rs::{DeviceBuilder, SyncDevice};

use super::RealityError;

/// The server's address.
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The first 16 bits of every client's address; the others are its number from 1.
const CLIENTS: [u8; 2] = [10, 78];

/// Most clients that have an address.
pub(super) const MOST_CLIENTS: usize = 65_534;

/// Bytes of the largest IP packet, as on Ethernet.
const MTU: u16 = 1500;

/// Packets that a device holds for the emulator to read.
const DEVICE_QUEUE: u32 = 10_000;

/// Where `ip netns` keeps its names.
const NAMES: &str = "/run/netns";

/// The two namespaces. They go when this goes, and what a killed process left is removed by the next.
pub(super) struct Namespaces {
    server: String,
    clients: String,
}

/// The devices' other ends: what the server and the clients send is read from them.
pub(super) struct Devices {
    pub(super) server: SyncDevice,
    pub(super) clients: SyncDevice,
}

impl Namespaces {
    /// Makes both.
    pub(super) fn make() -> Result<(Self, Devices), RealityError> {
        remove_orphans();
        let process = std::process::id();
        let name = |side| format!("secagg-{process}-{side}");
        let namespaces = Self { server: name("server"), clients: name("clients") };
        let clients = format!("{}.{}.0.0/16", CLIENTS[0], CLIENTS[1]);
        let server = format!("{SERVER}/32");
        let (to_server, to_clients) = (format!("sa{process}s"), format!("sa{process}c"));
        let devices = Devices {
            server: connect(&namespaces.server, &to_server)?,
            clients: connect(&namespaces.clients, &to_clients)?,
        };
        let (one, other) = (namespaces.server.as_str(), namespaces.clients.as_str());
        ip(&["-n", one, "addr", "add", &server, "dev", &to_server])?;
        ip(&["-n", one, "route", "add", &clients, "dev", &to_server])?;
        // Every address of the network is the clients' own: there may be thousands.
        ip(&["-n", other, "route", "add", "local", &clients, "dev", "lo"])?;
        ip(&["-n", other, "route", "add", &server, "dev", &to_clients])?;
        Ok((namespaces, devices))
    }

    /// A command that runs where the server is.
    pub(super) fn at_server(&self, program: &Path) -> Command {
        within(&self.server, program)
    }

    /// A command that runs where the clients are.
    pub(super) fn at_clients(&self, program: &Path) -> Command {
        within(&self.clients, program)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in [&self.server, &self.clients] {
            // Nothing can be done about one that stays, and the next run tries again.
            let _ = ip(&["netns", "del", name]);
        }
    }
}

/// The address of a client, by its number from 0.
pub(super) fn address(client: usize) -> Ipv4Addr {
    let [high, low] = ((client + 1) as u16).to_be_bytes();
    Ipv4Addr::new(CLIENTS[0], CLIENTS[1], high, low)
}

/// The client that has an address.
pub(super) fn client_at(address: [u8; 4]) -> Option<usize> {
    let [one, two, high, low] = address;
    let number = usize::from(u16::from_be_bytes([high, low]));
    if [one, two] == CLIENTS { number.checked_sub(1) } else { None }
}

/// Makes a namespace with a device in it.
fn connect(namespace: &str, device: &str) -> Result<SyncDevice, RealityError> {
    ip(&["netns", "add", namespace])?;
    let open = || {
        let opened = DeviceBuilder::new()
            .name(device)
            .mtu(MTU)
            .with(|linux| {
                linux.tx_queue_len(DEVICE_QUEUE);
            })
            .enable(false)
            .build_sync()?;
        opened.set_nonblocking(true)?;
        Ok(opened)
    };
    let opened = open().map_err(|error: io::Error| RealityError::Device { error })?;
    ip(&["link", "set", "dev", device, "netns", namespace])?;
    // Without an address of its own the device says nothing by itself.
    ip(&["-n", namespace, "link", "set", "dev", device, "addrgenmode", "none"])?;
    ip(&["-n", namespace, "link", "set", "dev", "lo", "up"])?;
    ip(&["-n", namespace, "link", "set", "dev", device, "up"])?;
    Ok(opened)
}

fn within(namespace: &str, program: &Path) -> Command {
    // Other work on this machine is not to be mistaken for the network: sooner than others, if that is permitted.
    let mut command = Command::new("nice");
    command.args(["-n", "-10", "ip", "netns", "exec", namespace]).arg(program).stdin(Stdio::null());
    command
}

fn ip(arguments: &[&str]) -> Result<(), RealityError> {
    let ran = Command::new("ip").args(arguments).stdin(Stdio::null()).output();
    let Output { status, stderr, .. } = ran.map_err(|error| RealityError::NoIp { error })?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&stderr).trim().to_owned();
    Err(RealityError::Namespaces { command: format!("ip {}", arguments.join(" ")), said })
}

/// Removes the namespaces of processes that are no more.
fn remove_orphans() {
    let Ok(names) = std::fs::read_dir(NAMES) else { return };
    for name in names.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
        let owner = name.strip_prefix("secagg-").and_then(|rest| rest.split('-').next());
        let process = owner.and_then(|owner| owner.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            let _ = ip(&["netns", "del", &name]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_known_by_their_addresses() {
        for client in [0, 1, 254, 255, MOST_CLIENTS - 1] {
            assert_eq!(client_at(address(client).octets()), Some(client));
        }
        assert_eq!(client_at(SERVER.octets()), None);
        assert_eq!(client_at([CLIENTS[0], CLIENTS[1], 0, 0]), None);
    }
}
