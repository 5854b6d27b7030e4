//! The active suite as its users run it: identities, certificates, servers and clients as processes.

mod program;

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use program::{PIN, Serving, assert_fails, run, secagg};
use serde_json::Value;

/// A folder with an authority, identities, and an input.
struct Population(tempfile::TempDir);

impl Population {
    fn new(names: &[&str]) -> Population {
        let population = Population(tempfile::tempdir().unwrap());
        population.write("input.json", r#"{"x": [1, 2]}"#);
        population.identity(&["authority", "--output", &population.path("ca")]);
        for name in names {
            population.identity(&["new", "--output", &population.path(name)]);
            population.enrol(name);
        }
        population
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn identity(&self, arguments: &[&str]) -> String {
        let output = run(&[&["identity"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn enrol(&self, name: &str) -> String {
        let [key, identity, output, roster] =
            ["ca", &format!("{name}.pub"), &format!("{name}.cert"), "roster"].map(|name| self.path(name));
        let arguments = ["enrol", "--authority-key", &key, "--identity", &identity, "--output", &output];
        self.identity(&[&arguments[..], &["--roster", &roster]].concat())
    }

    fn serve(&self, arguments: &[&str]) -> Serving {
        self.serve_suite("active", arguments)
    }

    fn serve_suite(&self, suite: &str, arguments: &[&str]) -> Serving {
        let authority = self.path("ca.pub");
        let signed = ["--suite", suite, "--authority", &authority, "--vector", "x:2:8"];
        Serving::start(self.0.path(), &[&signed[..], arguments].concat())
    }

    fn join(&self, server: &Serving, name: &str, more: &[&str]) -> Child {
        let [pin, input, authority] = ["pin", "input.json", "ca.pub"].map(|name| self.path(name));
        let mut command = secagg(&["join", &server.address, "--pin-file", &pin, "--input", &input]);
        command.args(["--name", name, "--identity", &self.path(name), "--authority", &authority]);
        command.args(["--certificate", &self.path(&format!("{name}.cert"))]).args(more);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Waits for a process; returns its exit code and stderr.
fn ended(process: Child) -> (Option<i32>, String) {
    let output = process.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn certified_clients_find_their_sum_and_a_stranger_does_not_disturb_it() {
    let population = Population::new(&["ada", "bob", "eve", "zoe"]);
    // Zoe has a certificate, but of an authority of her own.
    let other = Population::new(&["zoe"]);
    for file in ["zoe", "zoe.cert"] {
        fs::copy(other.path(file), population.path(file)).unwrap();
    }
    let server = population.serve(&["--clients", "4", "--corrupt", "1", "--threshold", "3"]);
    let authority = other.path("ca.pub");
    let (address, input) = (server.address.clone(), population.path("input.json"));
    let (zoe, certificate) = (population.path("zoe"), population.path("zoe.cert"));
    let pin = population.path("pin");
    let mut stranger = secagg(&["join", &address, "--pin-file", &pin, "--input", &input, "--name", "zoe"]);
    stranger.args(["--identity", &zoe, "--certificate", &certificate, "--authority", &authority]);
    let stranger = stranger.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let clients = ["ada", "bob", "eve"].map(|name| population.join(&server, name, &[]));
    for client in clients {
        let (code, stderr) = ended(client);
        assert_eq!(code, Some(0), "{stderr}");
    }
    let (code, stderr) = ended(stranger);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("authority is not the one that certified this client"), "{stderr}");
    let (code, stdout, stderr) = server.end();
    assert_eq!(code, Some(0), "{stderr}");
    let sum: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(sum["vectors"]["x"], serde_json::json!([3, 6]));
    assert_eq!(sum["survivors"], serde_json::json!(["ada", "bob", "eve"]));
}

/// Who has not said under how many session ids its draws may be asked for takes no part, and the others go on.
#[test]
fn the_pinned_suite_is_only_for_clients_that_allow_it() {
    let population = Population::new(&["ada", "bob", "eve", "ida", "joe", "zoe"]);
    let safety = "version = 1\n[safety]\ncorrupt = 0\ndropout = 0\nsecurity_bits = 0\ncorrectness_bits = 0\n";
    let trusting = population.write("trusting", &format!("{safety}minimum_honest = 1\nroots = 1\n"));
    let wary = population.write("wary", safety);
    let numbers = ["--clients", "6", "--corrupt", "1", "--degree", "4", "--threshold", "3"];
    let server = population.serve_suite("pinned", &numbers);
    let zoe = population.join(&server, "zoe", &["--policy", &wary]);
    let clients = ["ada", "bob", "eve", "ida", "joe"];
    let clients = clients.map(|name| population.join(&server, name, &["--policy", &trusting]));
    for client in clients {
        let (code, stderr) = ended(client);
        assert_eq!(code, Some(0), "{stderr}");
    }
    let (code, stderr) = ended(zoe);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("the suite pinned is experimental"), "{stderr}");
    let (code, stdout, stderr) = server.end();
    assert_eq!(code, Some(0), "{stderr}");
    let sum: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(sum["vectors"]["x"], serde_json::json!([5, 10]));
    let authority = population.path("ca.pub");
    let serve = ["serve", "--clients", "6", "--vector", "x:2:8", "--suite", "pinned"];
    assert_fails(&serve, 2, "--authority");
    let complete = ["--authority", &authority, "--corrupt", "1"];
    assert_fails(&[&serve[..], &complete].concat(), 2, "k-out");
    assert_fails(&["demo", "--suite", "pinned", "--clients", "5"], 2, "no safe degree");
}

/// Everybody has drawn all others, so that all bytes and operations are known.
#[test]
fn both_ends_report_the_rounds_and_operations_of_the_pinned_suite() {
    let names = ["ada", "bob", "eve", "ida", "joe", "zoe"];
    let population = Population::new(&names);
    let safety = "version = 1\n[safety]\ncorrupt = 0\ndropout = 0\nsecurity_bits = 0\ncorrectness_bits = 0\n";
    let policy = population.write("policy", &format!("{safety}minimum_honest = 1\nroots = 1\n"));
    let report = population.path("report");
    let numbers = ["--clients", "6", "--corrupt", "1", "--degree", "5", "--threshold", "4"];
    let server = population.serve_suite("pinned", &[&numbers[..], &["--report", &report]].concat());
    let join = |name| population.join(&server, name, &["--policy", &policy, "--format", "json"]);
    let clients: Vec<Value> = names
        .map(join)
        .into_iter()
        .map(|client| {
            let output = client.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        })
        .collect();
    assert_eq!(server.end().0, Some(0));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    let rounds: Vec<&str> =
        report["rounds"].as_array().unwrap().iter().map(|round| round["round"].as_str().unwrap()).collect();
    let all = ["AdvertiseKeys", "ShareKeys", "MaskedInputCollection", "ConsistencyCheck", "Unmasking"];
    assert_eq!(rounds, all);
    // Headers of frame and message, and what section 4 lists: five bundles, one byte of bits, a quorum of four. Behind the
    // last request comes the frame that says that the sum is released.
    let header = 9 + 33;
    let up = [header + 32 + 32 + 4 + 5 * 80, header + 64 + 2, header + 64, header + 4 + 4 + 5 * 32];
    let unmasking = header + 4 + 4 * 68 + 4 + 5 * 64 + 9;
    let down = [header + 4 + 6 * 260, header + 4 + 1 + 4 + 5 * 116, header + 4 + 1, unmasking];
    for (client, seen) in clients.iter().zip(report["clients"].as_array().unwrap()) {
        assert_eq!(client["name"], seen["name"]);
        let bytes = |key: &str| all.map(|round| seen["rounds"][round][key].as_u64().unwrap());
        let sums = [bytes("up"), bytes("down")].map(|bytes| bytes.iter().sum::<u64>());
        assert_eq!([client["sent"].as_u64(), client["received"].as_u64()], sums.map(Some));
        assert_eq!((&bytes("up")[1..], &bytes("down")[1..]), (&up[..], &down[..]));
        let operations = &client["operations"];
        // The keys; the sharers; the survivors.
        assert_eq!(operations["signatures"], 3);
        // Certificate and advertisement of all, the quorum, and the sharers of the owners.
        assert_eq!(operations["verifications"], 2 * 6 + 4 + 5);
        // One to seal for each holder, and one to open the bundle of each owner.
        assert_eq!(operations["encryption_agreements"], 5 + 5);
        assert_eq!(operations["mask_agreements"], 5);
        assert_eq!(operations["share_evaluations"], 2 * 5);
    }
    let operations = &report["operations"];
    // Certificate and advertisement, sharers, and survivors of each.
    assert_eq!(operations["verifications"], 6 * 4);
    assert_eq!(operations["reconstructions"], 6);
}

#[test]
fn keys_are_made_certified_and_listed() {
    let population = Population::new(&["ada", "bob"]);
    let [ca, roster, ada, certificate] =
        ["ca.pub", "roster", "ada.pub", "ada.cert"].map(|name| population.path(name));
    let shown = population.identity(&["roster", "show", &roster, "--format", "json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["members"].as_array().unwrap().len(), 2);
    let secret = fs::read_to_string(population.path("ca")).unwrap();
    let secret = secret.lines().nth(1).unwrap().strip_prefix("secret ").unwrap();
    assert!(!population.identity(&["roster", "show", &roster]).contains(secret));
    let made = population.identity(&["new", "--output", &population.path("json"), "--format", "json"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let identity = made["identity"].as_str().unwrap();
    assert!(fs::read_to_string(population.path("json.pub")).unwrap().contains(identity));
    population.identity(&["roster", "verify", &roster, "--authority", &ca, "--identity", &ada]);
    let verify = ["identity", "roster", "verify", &roster, "--authority"];
    assert_fails(&[&verify[..], &[&ca, "--identity", identity]].concat(), 1, "is not in");
    assert_fails(&[&verify[..], &[PIN]].concat(), 1, "another authority");
    let second = population.path("second");
    assert!(population.identity(&["roster", "add", &second, &certificate]).contains("1 members"));
    assert_fails(&["identity", "roster", "add", &second, &certificate], 1, "already");
    assert_fails(&["identity", "new", "--output", &population.path("ada")], 1, "not overwritten");
    let key = population.path("ca");
    let enrol = ["identity", "enrol", "--authority-key", &key, "--identity", &ada, "--output"];
    assert_fails(&[&enrol[..], &[&certificate]].concat(), 1, "not overwritten");
    let again = population.path("again.cert");
    assert_fails(&[&enrol[..], &[&again, "--roster", &roster]].concat(), 1, "already");
    assert!(!Path::new(&again).exists());
    for arguments in [&["identity", "--help"][..], &["identity", "enrol", "--help"]] {
        assert!(String::from_utf8(run(arguments).stdout).unwrap().contains("Examples:\n"));
    }
}

#[test]
fn mistakes_with_identities_are_named() {
    let population = Population::new(&["ada", "bob"]);
    let [input, ca, ada, bob, key] =
        ["input.json", "ca.pub", "ada", "bob.cert", "ca"].map(|name| population.path(name));
    let join = ["join", "127.0.0.1:1", "--pin", PIN, "--name", "a", "--input", &input];
    let as_ada = |more: &[&'static str]| [&join[..], more].concat();
    assert_fails(&as_ada(&["--identity", "ada"]), 2, "--certificate");
    let with = |identity: &str, certificate: &str, authority: &str, said: &str| {
        let more = ["--identity", identity, "--certificate", certificate, "--authority", authority];
        assert_fails(&[&join[..], &more].concat(), 1, said);
    };
    with(&ada, &bob, &ca, "the certificate is not one of this identity");
    with(&ada, &ada, &ca, "kind \"identity-key\", not \"certificate\"");
    with(&ada, &bob, &key, "kind \"authority-key\", not \"authority\"");
    with(&ca, &bob, &ca, "can be read by others");
    with("missing", &bob, &ca, "missing");
    let serve = ["serve", "--clients", "4", "--vector", "x:1:8", "--suite"];
    assert_fails(&[&serve[..], &["active", "--corrupt", "1"]].concat(), 2, "--authority");
    assert_fails(&[&serve[..], &["curious", "--corrupt", "1"]].concat(), 2, "--suite active");
    let active = [&serve[..], &["active", "--authority", &ca, "--corrupt"]].concat();
    assert_fails(&[&active[..], &["4"]].concat(), 2, "threshold");
    let sparse = ["serve", "--clients", "6", "--degree", "4", "--vector", "x:1:8", "--suite", "active"];
    let sparse = [&sparse[..], &["--authority", &ca, "--corrupt", "1"]].concat();
    assert_fails(&sparse, 2, "complete graph");
    assert_fails(&["demo", "--corrupt", "1"], 2, "--suite active");
}

#[test]
fn the_demonstration_runs_in_the_active_suite() {
    let output = run(&["demo", "--clients", "8", "--rounds", "2", "--suite", "active", "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["suite"], "active");
    assert!(report["rounds"][0]["seconds"].as_object().unwrap().contains_key("ConsistencyCheck"));
    assert_eq!(report["rounds"][0]["sum_exact"], true);
}

/// As planned, and with numbers that the planner would not take.
#[test]
fn the_demonstration_runs_in_the_pinned_suite_and_says_that_it_is_experimental() {
    let demo = ["demo", "--rounds", "1", "--suite", "pinned", "--format", "json"];
    let low = ["--degree", "8", "--threshold", "4"];
    for (more, verdict) in [(&[][..], "are safe"), (&low, "are NOT safe")] {
        let output = run(&[&demo[..], &["--clients", "20"], more].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{stderr}");
        assert!(stderr.contains("EXPERIMENTAL: the suite pinned") && stderr.contains(verdict), "{stderr}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["suite"], &report["experimental"]), (&"pinned".into(), &true.into()));
        assert!(report["rounds"][0]["seconds"].as_object().unwrap().contains_key("ConsistencyCheck"));
        assert_eq!(report["rounds"][0]["sum_exact"], true);
    }
}

/// A client remembers whom it signed for and how often it tried, from process to process.
#[test]
fn a_policy_and_its_record_hold_from_session_to_session() {
    let population = Population::new(&["ada", "bob", "eve"]);
    let policy = population.write(
        "policy.toml",
        "version = 1\nminimum_clients = 2\n[cohorts]\nminimum_difference = 2\n[budget]\nper_task = 2\n",
    );
    let record = population.path("record");
    let careful = ["--policy", &policy, "--record", &record];
    let session = |names: &[&str]| {
        let clients = names.len().to_string();
        let server = population.serve(&["--clients", &clients, "--corrupt", "0", "--threshold", "2"]);
        let start = |name: &&str| population.join(&server, name, if *name == "ada" { &careful } else { &[] });
        let joined: Vec<Child> = names.iter().map(start).collect();
        let mut ended: Vec<_> = joined.into_iter().map(ended).collect();
        (ended.remove(0), server.end())
    };
    let ((code, stderr), (served, ..)) = session(&["ada", "bob", "eve"]);
    assert_eq!((code, served), (Some(0), Some(0)), "{stderr}");
    let noted = fs::read_to_string(&record).unwrap();
    assert_eq!(noted.lines().filter(|line| line.starts_with("cohort ")).count(), 1, "{noted}");
    // Without eve: the difference of the two sums is what eve gave.
    let ((code, stderr), (served, sum, _)) = session(&["ada", "bob"]);
    assert_eq!((code, served, sum.as_str()), (Some(1), Some(1), ""), "{stderr}");
    assert!(stderr.contains("the survivors differ by 1 "), "{stderr}");
    let ((code, stderr), _) = session(&["ada", "bob", "eve"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("2 sessions of this task were attempted"), "{stderr}");
    let noted = fs::read_to_string(&record).unwrap();
    assert_eq!(noted.lines().count(), 1 + 2 + 1, "{noted}");
}

#[test]
fn policies_that_cannot_be_kept_are_named() {
    let population = Population::new(&[]);
    let input = population.path("input.json");
    let join = |policy: &str, more: &[&str], code: i32, said: &str| {
        let policy = population.write("policy.toml", policy);
        let join = ["join", "127.0.0.1:1", "--pin", PIN, "--name", "a", "--input", &input];
        assert_fails(&[&join[..], &["--policy", &policy], more].concat(), code, said);
    };
    join("version = 1\nminimum_client = 9\n", &[], 1, "line 2: unknown field `minimum_client`");
    join("version = 1\n[cohorts]\nminimum_difference = 9\n", &[], 2, "--record");
    join("version = 1\n", &["--record", &input], 1, "line 1: this is no line");
    let missing = population.path("missing.toml");
    let join = ["join", "127.0.0.1:1", "--pin", PIN, "--name", "a", "--input", &input, "--policy", &missing];
    assert_fails(&join, 1, "missing.toml");
}

/// The planner's verdict reaches the client's user, before anything but its keys could have left.
#[test]
fn a_proposal_that_the_planner_refuses_is_refused_with_what_would_do() {
    let population = Population::new(&["ada", "bob", "eve", "zoe"]);
    let policy = population.write("policy.toml", "version = 1\n[safety]\ncorrupt = 0.4\ndropout = 0\n");
    let server = population.serve(&["--clients", "4", "--corrupt", "0", "--threshold", "3"]);
    let careful = population.join(&server, "ada", &["--policy", &policy]);
    let others = ["bob", "eve", "zoe"].map(|name| population.join(&server, name, &[]));
    let (code, stderr) = ended(careful);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("with 2 corrupt clients"), "{stderr}");
    assert!(stderr.contains("a threshold of 3 is not safe (insecure); propose 4 to 4"), "{stderr}");
    for other in others {
        assert_eq!(ended(other).0, Some(0));
    }
    assert_eq!(server.end().0, Some(0));
}
