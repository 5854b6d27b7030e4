//! The schemas that implementers read are those that the files keep.

use jsonschema::Validator;
use secagg_spec::{
    RECORDING_SCHEMA, SESSION_ACTIVE, SESSION_COMPLETE, SESSION_PINNED, SESSION_REGULAR, VECTOR_SCHEMA,
    VECTORS,
};
use serde_json::{Value, json};

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// A file that keeps the schema: each bad one below differs from it in one place.
fn good() -> Value {
    json!({"section": "4.3", "cases": [
        {"id": "4.3/a-name", "level": "session", "valid": true, "operations": [
            {"request": {"command": "client.handle", "client": 1}, "answer": {"ok": {}}},
        ]},
        {"id": "4.3-2/another-name", "level": "misbehaviour", "valid": false, "must": "4.3-2", "operations": [
            {"request": {"command": "client.handle", "client": 1}, "answer": {"error": {"must": "4.3-2"}}},
            {"request": {"command": "client.handle", "client": 1}, "answer": {"error": {"abort": 132}}},
        ]},
    ]})
}

fn assert_keeps(validator: &Validator, name: &str, text: &str) {
    let file: Value = serde_json::from_str(text).unwrap();
    let error = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    let errors: Vec<String> = validator.iter_errors(&file).map(error).take(5).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

#[test]
fn every_file_keeps_its_schema() {
    let (cases, recordings) = (validator(VECTOR_SCHEMA), validator(RECORDING_SCHEMA));
    VECTORS.iter().for_each(|(name, text)| assert_keeps(&cases, name, text));
    assert_keeps(&recordings, "session-active.json", SESSION_ACTIVE);
    assert_keeps(&recordings, "session-complete.json", SESSION_COMPLETE);
    assert_keeps(&recordings, "session-pinned.json", SESSION_PINNED);
    assert_keeps(&recordings, "session-regular.json", SESSION_REGULAR);
}

#[test]
fn a_bad_recording_does_not_keep_the_schema() {
    let validator = validator(RECORDING_SCHEMA);
    let good: Value = serde_json::from_str(SESSION_REGULAR).unwrap();
    for (place, bad) in [
        ("/about", json!(7)),
        ("/config/graph", json!("complete")),
        ("/config/vectors/0/bits", json!(63)),
        ("/clients/0/entropy", json!("00")),
        ("/clients/1/input/mean/0", json!(5)),
        ("/operations/0/operation", json!("server.close")),
        ("/operations/1", json!({"operation": "client.handle", "client": 1, "input": ""})),
        ("/operations/1/input", json!("0")),
    ] {
        let mut file = good.clone();
        *file.pointer_mut(place).unwrap() = bad;
        assert!(!validator.is_valid(&file), "{place}");
    }
}

#[test]
fn a_bad_file_does_not_keep_the_schema() {
    let validator = validator(VECTOR_SCHEMA);
    assert!(validator.is_valid(&good()));
    for (place, bad) in [
        ("", json!([])),
        ("/section", json!("four")),
        ("/cases", json!([])),
        ("/cases/0/id", json!("A name")),
        ("/cases/0/level", json!("pairing")),
        ("/cases/0/valid", json!(false)),
        ("/cases/0/operations", json!([])),
        ("/cases/0/operations/0/request", json!({"client": 1})),
        ("/cases/0/operations/0/request/command", json!("no.such.command")),
        ("/cases/0/operations/0/answer", json!({})),
        ("/cases/0/operations/0/answer", json!({"ok": {}, "error": {"abort": 128}})),
        ("/cases/0/operations/0/answer/ok", json!("yes")),
        ("/cases/1/valid", json!(true)),
        ("/cases/1/must", json!("4.3")),
        ("/cases/1/operations/0/answer/error", json!({"must": "4.3-2", "abort": 128})),
        ("/cases/1/operations/1/answer/error/abort", json!(5)),
    ] {
        let mut file = good();
        *file.pointer_mut(place).unwrap() = bad;
        assert!(!validator.is_valid(&file), "{place}: {file}");
    }
    let mut file = good();
    file["cases"][0]["surplus"] = json!(1);
    assert!(!validator.is_valid(&file), "a field that the schema does not have");
}
