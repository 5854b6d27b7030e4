//! Looking for byte strings in the memory of another process.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// How often each of the strings is in the writable memory of the process.
pub(crate) fn hits<const N: usize>(process: u32, strings: &[[u8; N]]) -> Vec<usize> {
    let mut begins = vec![false; 1 << 16];
    let first = |bytes: &[u8]| usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    strings.iter().for_each(|string| begins[first(string)] = true);
    let mut hits = vec![0; strings.len()];
    for bytes in regions(process) {
        for window in bytes.windows(N).filter(|window| begins[first(window)]) {
            for (hits, string) in hits.iter_mut().zip(strings) {
                *hits += usize::from(window == string);
            }
        }
    }
    hits
}

fn regions(process: u32) -> impl Iterator<Item = Vec<u8>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).expect("the process lives");
    let memory = File::open(format!("/proc/{process}/mem")).expect("the memory of a child");
    let regions: Vec<(u64, u64)> = maps.lines().filter_map(writable).collect();
    assert!(regions.len() > 3, "heap, stack, data");
    regions.into_iter().filter_map(move |(from, to)| {
        let mut bytes = vec![0; (to - from) as usize];
        memory.read_exact_at(&mut bytes, from).ok().map(|()| bytes)
    })
}

/// The bounds of a region that can be written.
fn writable(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split(' ');
    let (from, to) = fields.next()?.split_once('-')?;
    fields.next()?.starts_with("rw").then_some(())?;
    Some((u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?))
}
