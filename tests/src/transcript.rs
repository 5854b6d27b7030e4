//! Sessions as files (spec, `vectors/README.md`): recorded, written, read and replayed.
//!
//! Recording and replaying go through the same few steps of [`Recorder`], so a file is exactly what the core
//! answers: all randomness is in the file, and every step is bytes in and bytes out.

use std::collections::BTreeMap;

use secagg::privacy::{Level, Noise, NoiseLaw};
use secagg::{
    Abort, Aggregate, Client, ClientId, Closed, Config, Credentials, Fault, Graph, Input, Misuse, Policy,
    Requests, Server, Suite, VectorSpec,
};
use serde::{Deserialize, Serialize};

use crate::json::trusting;

/// A whole session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// What the session shows.
    pub about: String,
    /// The configuration.
    pub config: ConfigRecord,
    /// The clients' secrets.
    pub clients: Vec<ClientRecord>,
    /// What was done, in order.
    pub operations: Vec<Operation>,
}

/// A configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `secagg::Config`")]
pub struct ConfigRecord {
    pub suite: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrupt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    pub graph: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degree: Option<u32>,
    pub clients: u32,
    pub threshold: u32,
    pub minimum_survivors: u32,
    pub vectors: Vec<VectorRecord>,
    pub task: String,
    pub nonce: String,
}

/// One vector of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `secagg::VectorSpec`")]
pub struct VectorRecord {
    pub name: String,
    pub length: u32,
    pub bits: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseRecord>,
}

/// The noise of a vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `secagg::privacy::Noise`")]
pub struct NoiseRecord {
    pub law: String,
    pub dimension: u32,
    pub clip: String,
    pub scale: String,
    pub norm_squared: String,
    pub variance: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LevelRecord>,
}

/// A level of the noise of a vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `secagg::privacy::Level`")]
pub struct LevelRecord {
    pub survivors: u32,
    pub variance: String,
}

/// What a client brings to the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRecord {
    /// Its id.
    pub id: u32,
    /// Its 32 bytes of entropy.
    pub entropy: String,
    /// Its identity, in the active suite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsRecord>,
    /// The coordinates of each vector.
    pub input: BTreeMap<String, Vec<String>>,
}

/// The identity of a client (spec §3.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialsRecord {
    /// Its secret.
    pub secret: String,
    /// Its certificate.
    pub certificate: String,
    /// The public key of the authority that the client trusts.
    pub authority: String,
}

/// One step of the session, with what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are described in `vectors/README.md`")]
pub enum Operation {
    /// The server opens the session.
    #[serde(rename = "server.open")]
    Open { output: Vec<Message> },
    /// A client handles a request.
    #[serde(rename = "client.handle")]
    Handle {
        client: u32,
        input: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        abort: Option<AbortRecord>,
    },
    /// The server takes a response.
    #[serde(rename = "server.receive")]
    Receive {
        from: u32,
        input: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        fault: Option<String>,
    },
    /// The server closes the round.
    #[serde(rename = "server.close_round")]
    Close {
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<Vec<Message>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        aggregate: Option<AggregateRecord>,
        #[serde(skip_serializing_if = "Option::is_none")]
        abort: Option<AbortRecord>,
    },
}

/// A request of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The client it is for.
    pub to: u32,
    /// Its bytes.
    pub message: String,
}

/// The end of a session without a sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbortRecord {
    /// What the peer is told.
    pub code: u8,
    /// The rule that was broken, if one was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// The end of a session with a sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are described in `vectors/README.md`")]
pub struct AggregateRecord {
    pub session: String,
    pub survivors: Vec<u32>,
    pub vectors: BTreeMap<String, Vec<String>>,
    pub faults: Vec<FaultRecord>,
}

/// What a client did wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `secagg::Fault`")]
pub struct FaultRecord {
    pub culprit: u32,
    pub rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<u32>,
}

impl Transcript {
    /// Reads a file.
    ///
    /// # Panics
    /// If it is not in the format.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).expect("the file is in the format of vectors/README.md")
    }

    /// The file, one field a line.
    ///
    /// # Panics
    /// Never.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("every field can be written") + "\n"
    }

    /// Carries out the operations again, with the inputs that the transcript gives, and records what comes of
    /// them.
    ///
    /// # Panics
    /// If the transcript is not of a session that can be: unknown clients, a bad configuration, no opening.
    pub fn replay(&self) -> Self {
        let mut recorder = Recorder::new(&self.about, self.config.clone(), self.clients.clone());
        for operation in &self.operations {
            match operation {
                Operation::Open { .. } => drop(recorder.open()),
                Operation::Handle { client, input, .. } => drop(recorder.handle(*client, &bytes(input))),
                Operation::Receive { from, input, .. } => drop(recorder.receive(*from, &bytes(input))),
                Operation::Close { .. } => drop(recorder.close_round()),
            }
        }
        recorder.finish()
    }
}

/// Carries operations out and writes them down.
pub struct Recorder {
    transcript: Transcript,
    server: Option<Server>,
    clients: BTreeMap<u32, Client>,
}

impl Recorder {
    /// A session that has not begun.
    ///
    /// # Panics
    /// If an input cannot be one of the configuration.
    pub fn new(about: &str, config: ConfigRecord, clients: Vec<ClientRecord>) -> Self {
        let pinned = config.suite == "pinned";
        let parties = clients.iter().map(|record| (record.id, record.client(pinned))).collect();
        let transcript = Transcript { about: about.to_owned(), config, clients, operations: Vec::new() };
        Self { transcript, server: None, clients: parties }
    }

    /// Opens the session.
    ///
    /// # Panics
    /// If the configuration breaks a rule.
    pub fn open(&mut self) -> Requests {
        let config = self.transcript.config.config().expect("fields of their format");
        let (server, requests) = Server::open(config).expect("a good configuration");
        self.server = Some(server);
        self.note(Operation::Open { output: messages(&requests) });
        requests
    }

    /// Has a client handle a request.
    ///
    /// # Errors
    /// What the client says.
    ///
    /// # Panics
    /// If there is no such client.
    pub fn handle(&mut self, client: u32, request: &[u8]) -> Result<Vec<u8>, Abort> {
        let result = self.clients.get_mut(&client).expect("a client of the transcript").handle(request);
        self.note(Operation::Handle {
            client,
            input: hex::encode(request),
            output: result.as_ref().ok().map(hex::encode),
            abort: result.as_ref().err().map(AbortRecord::of),
        });
        result
    }

    /// Has the server take a response.
    ///
    /// # Errors
    /// What the server says.
    ///
    /// # Panics
    /// If the session is not open, or the id is zero.
    pub fn receive(&mut self, from: u32, response: &[u8]) -> Result<(), Fault> {
        let id = ClientId::new(from).expect("an id is not zero");
        let result = self.server().receive(id, response);
        let fault = result.as_ref().err().map(|fault| fault.what.id().to_owned());
        self.note(Operation::Receive { from, input: hex::encode(response), fault });
        result
    }

    /// Has the server close the round.
    ///
    /// # Errors
    /// What the server says.
    ///
    /// # Panics
    /// If the session is not open.
    pub fn close_round(&mut self) -> Result<Closed, Abort> {
        let result = self.server().close_round();
        let (mut output, mut aggregate, mut abort) = (None, None, None);
        match &result {
            Ok(Closed::Next(requests)) => output = Some(messages(requests)),
            Ok(Closed::Done(done)) => aggregate = Some(AggregateRecord::of(done)),
            Err(why) => abort = Some(AbortRecord::of(why)),
        }
        self.note(Operation::Close { output, aggregate, abort });
        result
    }

    /// What was recorded.
    pub fn finish(self) -> Transcript {
        self.transcript
    }

    fn server(&mut self) -> &mut Server {
        self.server.as_mut().expect("the session is open")
    }

    fn note(&mut self, operation: Operation) {
        self.transcript.operations.push(operation);
    }
}

impl ConfigRecord {
    /// The record of a configuration.
    pub fn of(config: &Config) -> Self {
        let (graph, degree) = match config.graph {
            Graph::Complete => ("complete", None),
            Graph::Regular { degree } => ("regular", Some(degree)),
            Graph::KOut { degree } => ("k-out", Some(degree)),
        };
        let (corrupt, authority) = (config.suite.corrupt(), config.suite.authority().map(hex::encode));
        Self {
            suite: config.suite.to_string(),
            corrupt,
            authority,
            graph: graph.to_owned(),
            degree,
            clients: config.clients,
            threshold: config.threshold,
            minimum_survivors: config.minimum_survivors,
            vectors: config.vectors.iter().map(VectorRecord::of).collect(),
            task: hex::encode(config.task),
            nonce: hex::encode(config.nonce),
        }
    }

    /// The configuration, which may break rules.
    ///
    /// # Errors
    /// A field that is not of its format.
    pub fn config(&self) -> Result<Config, String> {
        Ok(Config {
            suite: match (self.suite.as_str(), self.corrupt, &self.authority) {
                ("curious", None, None) => Suite::Curious,
                ("active", Some(corrupt), Some(key)) => Suite::Active { corrupt, authority: key_of(key)? },
                ("pinned", Some(corrupt), Some(key)) => Suite::Pinned { corrupt, authority: key_of(key)? },
                other => return Err(format!("no suite: {other:?}")),
            },
            graph: match (self.graph.as_str(), self.degree) {
                ("complete", None) => Graph::Complete,
                ("regular", Some(degree)) => Graph::Regular { degree },
                ("k-out", Some(degree)) => Graph::KOut { degree },
                other => return Err(format!("no graph: {other:?}")),
            },
            clients: self.clients,
            threshold: self.threshold,
            minimum_survivors: self.minimum_survivors,
            vectors: self.vectors.iter().map(VectorRecord::spec).collect::<Result<_, _>>()?,
            task: key_of(&self.task)?,
            nonce: key_of(&self.nonce)?,
        })
    }
}

impl VectorRecord {
    fn of(spec: &VectorSpec) -> Self {
        let bound = spec.bound.map(|bound| bound.to_string());
        let noise = spec.noise.as_ref().map(NoiseRecord::of);
        Self { name: spec.name.clone(), length: spec.length, bits: spec.bits, bound, noise }
    }

    fn spec(&self) -> Result<VectorSpec, String> {
        let bound = self.bound.as_ref().map(|bound| decimal(bound)).transpose()?;
        let noise = self.noise.as_ref().map(NoiseRecord::noise).transpose()?;
        Ok(VectorSpec { bound, noise, ..VectorSpec::new(&self.name, self.length, self.bits) })
    }
}

impl NoiseRecord {
    fn of(noise: &Noise) -> Self {
        Self {
            law: noise.law.to_string(),
            dimension: noise.dimension,
            clip: hex::encode(noise.clip.to_be_bytes()),
            scale: hex::encode(noise.scale.to_be_bytes()),
            norm_squared: noise.norm_squared.to_string(),
            variance: noise.variance.to_string(),
            levels: noise
                .levels
                .iter()
                .map(|&Level { survivors, variance }| LevelRecord {
                    survivors,
                    variance: variance.to_string(),
                })
                .collect(),
        }
    }

    fn noise(&self) -> Result<Noise, String> {
        let real = |digits: &str| {
            u64::from_str_radix(digits, 16).map_err(|_| format!("no hexadecimal number: {digits}"))
        };
        let level = |level: &LevelRecord| {
            Ok::<_, String>(Level { survivors: level.survivors, variance: decimal(&level.variance)? })
        };
        Ok(Noise {
            law: law_of(&self.law)?,
            dimension: self.dimension,
            clip: real(&self.clip)?,
            scale: real(&self.scale)?,
            norm_squared: decimal(&self.norm_squared)?,
            variance: decimal(&self.variance)?,
            levels: self.levels.iter().map(level).collect::<Result<_, _>>()?,
        })
    }
}

/// A law of noise by its name.
///
/// # Panics
/// If there is none of that name.
pub fn law(name: &str) -> NoiseLaw {
    law_of(name).expect("a law of noise")
}

fn law_of(name: &str) -> Result<NoiseLaw, String> {
    NoiseLaw::ALL.into_iter().find(|law| law.to_string() == name).ok_or_else(|| format!("no law: {name}"))
}

impl ClientRecord {
    /// The client for a session, which may be of the pinned suite: that one has to be allowed.
    fn client(&self, pinned: bool) -> Client {
        let values = |values: &Vec<String>| values.iter().map(|value| number(value)).collect::<Vec<u64>>();
        let input =
            self.input.iter().fold(Input::new(), |input, (name, list)| input.with(name, values(list)));
        let safety = pinned.then(trusting);
        let (entropy, policy) = (array(&self.entropy), Policy { safety, ..Policy::default() });
        let mut client = match &self.credentials {
            None => Client::new(entropy, policy),
            Some(record) => {
                let credentials = record.credentials().expect("credentials of the authority");
                Client::with_credentials(entropy, policy, credentials)
            }
        };
        client.set_input(input).expect("nothing is known yet that the input could contradict");
        client
    }
}

impl CredentialsRecord {
    /// The credentials.
    ///
    /// # Errors
    /// The certificate is not one of this identity by this authority.
    ///
    /// # Panics
    /// If a field is not of its format.
    pub fn credentials(&self) -> Result<Credentials, Misuse> {
        let certificate = bytes(&self.certificate).try_into().expect("64 bytes");
        Credentials::new(array(&self.secret), certificate, array(&self.authority))
    }
}

impl AbortRecord {
    fn of(abort: &Abort) -> Self {
        let rule = match abort {
            Abort::Server(what) => Some(what.id().to_owned()),
            _ => None,
        };
        Self { code: abort.code(), rule }
    }
}

impl AggregateRecord {
    pub(crate) fn of(aggregate: &Aggregate) -> Self {
        let fault = |fault: &Fault| FaultRecord {
            culprit: fault.culprit.get(),
            rule: fault.what.id().to_owned(),
            about: fault.about.map(ClientId::get),
        };
        let sums = aggregate.vectors.iter();
        Self {
            session: hex::encode(aggregate.session),
            survivors: aggregate.survivors.iter().map(|id| id.get()).collect(),
            vectors: sums
                .map(|(spec, sum)| (spec.name.clone(), sum.iter().map(|value| value.to_string()).collect()))
                .collect(),
            faults: aggregate.faults.iter().map(fault).collect(),
        }
    }
}

fn messages(requests: &Requests) -> Vec<Message> {
    requests.iter().map(|(to, message)| Message { to: to.get(), message: hex::encode(message) }).collect()
}

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits).expect("hexadecimal digits")
}

fn array(digits: &str) -> [u8; 32] {
    key_of(digits).expect("32 bytes")
}

fn number(digits: &str) -> u64 {
    decimal(digits).expect("decimal digits")
}

/// 32 bytes.
fn key_of(digits: &str) -> Result<[u8; 32], String> {
    let bytes = hex::decode(digits).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| format!("not 32 bytes in hexadecimal digits: {digits}"))
}

fn decimal(digits: &str) -> Result<u64, String> {
    digits.parse().map_err(|_| format!("no number: {digits}"))
}
