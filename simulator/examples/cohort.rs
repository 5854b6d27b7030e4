//! Runs one session with thousands of real clients in this process and prints what it took.
//!
//! `cargo run --release -p secagg-simulator --example cohort -- --clients 10000 --degree 20 --dimension 100`

use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use secagg::{Graph, VectorSpec};
use secagg_simulator::{Cohort, Operations, Progress, Report, Scenario};

/// Runs one session with thousands of real clients in this process.
#[derive(Parser)]
struct Options {
    /// Number of clients
    #[arg(long, default_value_t = 1000)]
    clients: u32,
    /// Neighbours of each client, even; without it everybody is everybody's neighbour
    #[arg(long)]
    degree: Option<u32>,
    /// Shares that reconstruct a secret [default: more than half of the degree, or two thirds of the clients]
    #[arg(long)]
    threshold: Option<u32>,
    /// Coordinates of the vector
    #[arg(long, default_value_t = 1000)]
    dimension: u32,
    /// Bits of a coordinate, 1 to 62
    #[arg(long, default_value_t = 32)]
    bits: u8,
    /// Probability of each client to vanish, 0 to 1
    #[arg(long, default_value_t = 0.05, value_parser = probability)]
    dropout: f64,
    /// Seed of keys, inputs and dropouts: the same seed gives the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Options {
    fn scenario(&self) -> Scenario {
        let (graph, usual) = match self.degree {
            Some(degree) => (Graph::Regular { degree }, degree / 2 + 1),
            None => (Graph::Complete, (u64::from(self.clients) * 2 / 3) as u32 + 1),
        };
        Scenario {
            graph,
            clients: self.clients,
            threshold: self.threshold.unwrap_or(usual),
            vectors: vec![VectorSpec::new("vector", self.dimension, self.bits)],
            dropout: self.dropout,
            seed: self.seed,
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let scenario = options.scenario();
    let cohort = match Cohort::new(&scenario) {
        Ok(cohort) => cohort,
        Err(misuse) => {
            eprintln!("error: {misuse}");
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    let bar = ProgressBar::new(0).with_style(style());
    let report = cohort.run(|progress| show(&bar, progress));
    bar.finish_and_clear();
    match options.format {
        Format::Json => match serde_json::to_string_pretty(&report) {
            Ok(text) => println!("{text}"),
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        },
        Format::Text => print(&report, started.elapsed().as_secs_f64()),
    }
    match &report.abort {
        Some(abort) => eprintln!("error: the session was aborted: {abort}"),
        None if !report.exact => eprintln!("error: the sum is not the plain sum; please report this seed"),
        None => return ExitCode::SUCCESS,
    }
    ExitCode::FAILURE
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg:21} {wide_bar} {pos}/{len}").unwrap_or(ProgressStyle::default_bar())
}

fn show(bar: &ProgressBar, progress: Progress) {
    if progress.done == 0 {
        bar.set_message(progress.round.name());
        bar.set_length(progress.total.into());
    }
    bar.set_position(progress.done.into());
}

fn print(report: &Report, seconds: f64) {
    let per_client = |number: u64| number as f64 / f64::from(report.clients.max(1));
    println!(
        "{} clients, {} survivors, {seconds:.1} s, seed {}",
        report.clients, report.survivors, report.seed
    );
    for lost in &report.dropped {
        println!("  no answer to {}: {}", lost.round, lost.clients);
    }
    println!("\n{:<24}{:>12}{:>16}{:>16}", "message", "count", "bytes", "per client");
    for message in &report.messages {
        let each = per_client(message.bytes);
        println!("{:<24}{:>12}{:>16}{each:>16.1}", message.name, message.count, message.bytes);
    }
    println!("\n{:<24}{:>12}{:>16}{:>16}", "operation", "server", "clients", "per client");
    for ((name, server), (_, clients)) in
        operations(&report.server_operations).into_iter().zip(operations(&report.client_operations))
    {
        println!("{name:<24}{server:>12}{clients:>16}{:>16.1}", per_client(clients));
    }
    println!("\ntranscript {}", report.transcript);
    if report.exact {
        println!("the sum is exactly the plain sum of the survivors");
    }
}

fn operations(counts: &Operations) -> [(&'static str, u64); 8] {
    [
        ("encryption agreements", counts.encryption_agreements),
        ("mask agreements", counts.mask_agreements),
        ("public keys", counts.public_keys),
        ("AEAD bytes", counts.aead_bytes),
        ("keystream bytes", counts.keystream_bytes),
        ("share evaluations", counts.share_evaluations),
        ("reconstructions", counts.reconstructions),
        ("additions", counts.additions),
    ]
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("give a number from 0 to 1".to_owned()),
    }
}
