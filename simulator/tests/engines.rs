//! The Kubernetes manifest: an Indexed Job, whose pods are played here one after the other.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use saphyr::{LoadableYamlNode, Yaml};

const MANIFEST: &str = include_str!("../engines/kubernetes.yaml");

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn the_pods_of_the_manifest_do_the_whole_sweep() {
    let documents = Yaml::load_from_str(MANIFEST).unwrap();
    let [job] = &documents[..] else { panic!("{} documents", documents.len()) };
    let text = |value: &Yaml<'_>| value.as_str().unwrap().to_owned();
    assert_eq!((text(&job["apiVersion"]), text(&job["kind"])), ("batch/v1".to_owned(), "Job".to_owned()));
    let spec = &job["spec"];
    assert_eq!(text(&spec["completionMode"]), "Indexed");
    let completions = spec["completions"].as_integer().unwrap();
    assert!((1..=completions).contains(&spec["parallelism"].as_integer().unwrap()));
    assert!(spec["backoffLimit"].as_integer().unwrap() > 0);
    let pod = &spec["template"]["spec"];
    assert_eq!(text(&pod["restartPolicy"]), "Never");
    let [container] = &pod["containers"].as_sequence().unwrap()[..] else { panic!("one container") };
    assert_eq!(text(&container["command"][0]), "secagg-simulator");
    let arguments: Vec<String> = container["args"].as_sequence().unwrap().iter().map(text).collect();
    let of = arguments.iter().position(|argument| argument == "--of").unwrap();
    assert_eq!(arguments[of + 1], completions.to_string());

    // Each path of the arguments lies in a mounted volume, which a folder stands for.
    let folder = tempfile::tempdir().unwrap();
    let volumes: Vec<String> =
        pod["volumes"].as_sequence().unwrap().iter().map(|volume| text(&volume["name"])).collect();
    let mut here = arguments.clone();
    for mount in container["volumeMounts"].as_sequence().unwrap() {
        let (name, path) = (text(&mount["name"]), text(&mount["mountPath"]));
        assert!(volumes.contains(&name), "{name}");
        let own = folder.path().join(&name).to_str().unwrap().to_owned();
        here.iter_mut().for_each(|argument| *argument = argument.replacen(&path, &own, 1));
    }
    assert!(
        here.iter().all(|argument| !argument.starts_with('/') || Path::new(argument).starts_with(&folder))
    );
    let design = folder.path().join("design");
    fs::create_dir(&design).unwrap();
    let scenario = "clients = 100\nvectors = [{ name = \"v\", length = 10, bits = 16 }]\n\
                    faults.dropouts = [{ probability = 0.1 }]\n";
    fs::write(design.join("scenario.toml"), scenario).unwrap();
    fs::write(design.join("design.toml"), "scenario = \"scenario.toml\"\nseeds = 30\n").unwrap();

    let simulator = || Command::new(env!("CARGO_BIN_EXE_secagg-simulator"));
    for index in 0..completions {
        run(simulator().args(&here).env("JOB_COMPLETION_INDEX", index.to_string()));
    }
    let mut tables = Vec::new();
    let local = folder.path().join("local");
    run(simulator().arg("sweep").arg(design.join("design.toml")).args(["--of", "1", "--out"]).arg(&local));
    for parts in [folder.path().join("parts"), local] {
        let table = parts.with_extension("parquet");
        run(simulator().arg("merge").arg(&parts).arg("-o").arg(&table));
        tables.push(fs::read(table).unwrap());
    }
    assert!(tables[0] == tables[1], "the tables differ");
}
