//! Federated averaging through a real server and real clients, with the plain average beside it.
//!
//! Everything runs in one process, but each client has its own UDP socket and knows nothing but
//! the server's address, its pin and its own images: what it learns of the model comes over QUIC.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::Rng;
use secagg::parameters::Fraction;
use secagg::privacy::PrivacyError;
use secagg::{
    Aggregate, ClientId, Config, Graph, Input, Lanes, Misuse, Policy, Round, SafetyPolicy, Suite, sizes,
};
use tokio::task::{JoinSet, spawn_blocking};
use zeroize::Zeroizing;

use super::codec::{Codec, Learned};
use super::digits::{BadShardCount, Digits, Image};
use super::learner::{Model, PARAMETERS, accuracy, average, train};
use super::population::{Member, Population};
use super::private::{self, Private};
use super::report::{RoundReport, RunReport};
use super::seed::generator;
use super::spent::PrivacyReport;
use super::vanish::{self, Point};
use crate::privacy::loss::Loss;
use crate::{
    Announcement, Error, Identity, Limits, Outcome, Pin, Randomness, SecaggClient, SecaggServer, SessionPlan,
    SessionPolicy, Status, Threshold,
};

/// Longest wait for the clients to join and for each round. On loopback it is never reached.
const DEADLINE: Duration = Duration::from_secs(60);

/// What to demonstrate.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Clients, each with its own shard of the images.
    pub clients: u32,
    /// Share of the clients that vanish from each round, 0 to 1.
    pub dropout: f64,
    /// Neighbours of each client; `None` for the complete graph.
    pub degree: Option<u32>,
    /// Shares that rebuild a secret; `None` for the default.
    pub threshold: Option<u32>,
    /// The suite.
    pub suite: Protection,
    /// Seed of the data's split, the training and the vanishing. Keys never depend on it.
    pub seed: u64,
    /// What the run shall keep private; `None` for exact sums without noise.
    pub privacy: Option<private::Settings>,
}

/// A suite, and how many corrupt clients it shall withstand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// None that works with a server that lies.
    Curious,
    /// So many, on the complete graph.
    Active(u32),
    /// So many, on a k-out graph; experimental.
    Pinned(u32),
}

/// Why a demonstration cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There are not enough images.
    #[error(transparent)]
    Shards(#[from] BadShardCount),
    /// The protocol allows no such session.
    #[error(transparent)]
    Misuse(#[from] secagg::Misuse),
    /// The privacy that was asked for cannot be had.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
    /// The operating system gave no randomness for the identities.
    #[error("the operating system gave no randomness: {0}")]
    Entropy(#[from] getrandom::Error),
    /// The server cannot be started.
    #[error(transparent)]
    Server(#[from] Error),
}

/// A server, its clients and two models: one trained through secure aggregation, one without.
pub struct Federation {
    settings: Settings,
    population: Option<Population>,
    digits: Digits,
    shards: Vec<Arc<Vec<Image>>>,
    codec: Codec,
    server: SecaggServer,
    secure: Model,
    plain: Model,
    rounds: Vec<RoundReport>,
    /// What the released sums gave away.
    spent: Loss,
}

/// What each client has handed in, by the client's index.
type Submitted = Arc<Mutex<BTreeMap<usize, Contribution>>>;

/// All that a client's part of the sum follows from.
struct Contribution {
    learned: Learned,
    entropy: Arc<Zeroizing<[u8; 32]>>,
    id: ClientId,
    config: Config,
}

impl Contribution {
    /// The ring elements of each vector, as the client made them.
    fn elements(&self, session: &[u8; 32]) -> Result<Vec<Lanes>, Misuse> {
        self.learned.input().encoded(&self.config, session, self.id, &self.entropy)
    }
}

impl Federation {
    /// Splits the images, starts the server on a free port of the loopback.
    ///
    /// # Errors
    ///
    /// [`SetupError`] says which setting cannot be used.
    pub fn start(settings: Settings) -> Result<Federation, SetupError> {
        let digits = Digits::load(settings.seed);
        let shards = digits.shards(settings.clients, settings.seed)?;
        let shards: Vec<_> = shards.into_iter().map(Arc::new).collect();
        let codec = match settings.privacy {
            None => Codec::exact(&shards),
            Some(privacy) => {
                let vanishing = vanish::count(settings.clients, settings.dropout);
                Codec::private(privacy, settings.clients, vanishing)?
            }
        };
        let population = match settings.suite {
            Protection::Curious => None,
            Protection::Active(_) | Protection::Pinned(_) => Some(Population::new(settings.clients)?),
        };
        let identity = Identity::ephemeral().map_err(Error::from)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = SecaggServer::bind(address, &identity, Limits::default())?;
        let federation = Federation {
            population,
            digits,
            shards,
            codec,
            server,
            secure: Model::zeros(),
            plain: Model::zeros(),
            rounds: Vec::new(),
            spent: Loss::nothing(),
            settings,
        };
        federation.plan().check()?;
        Ok(federation)
    }

    /// Runs one round of training: one session over QUIC, and the plain average on its survivors.
    ///
    /// After an aborted session both models stay as they are.
    ///
    /// # Errors
    ///
    /// [`Error`] if the session could not be run at all.
    pub async fn round(&mut self) -> Result<(), Error> {
        let round = self.rounds.len() as u64;
        let plan = self.plan();
        let submitted = Submitted::default();
        let mut clients = self.spawn_clients(round, &submitted);
        let outcome = self.server.run_session(&plan).await?;
        while clients.join_next().await.is_some() {}
        let report = self.judge(round, &outcome, &submitted)?;
        self.rounds.push(report);
        Ok(())
    }

    /// The report on the last round, if there was one.
    pub fn last(&self) -> Option<&RoundReport> {
        self.rounds.last()
    }

    /// How the rounds' privacy is kept, if it is.
    pub fn private(&self) -> Option<&Private> {
        match &self.codec {
            Codec::Exact { .. } => None,
            Codec::Private(private) => Some(private),
        }
    }

    /// Reports on the rounds so far.
    pub fn report(&self) -> RunReport {
        let config = self.plan().config(self.settings.clients, [0; 32]);
        RunReport {
            clients: self.settings.clients,
            dropout: self.settings.dropout,
            degree: match config.graph {
                Graph::Complete => None,
                Graph::Regular { degree } | Graph::KOut { degree } => Some(degree),
            },
            threshold: config.threshold,
            suite: self.suite().to_string(),
            experimental: matches!(self.settings.suite, Protection::Pinned(_)),
            seed: self.settings.seed,
            rounds: self.rounds.clone(),
            final_accuracy: accuracy(&self.secure, &self.digits.test),
            plain_final_accuracy: accuracy(&self.plain, &self.digits.test),
            privacy: self.privacy_report(),
        }
    }

    fn privacy_report(&self) -> Option<PrivacyReport> {
        let private = self.private()?;
        let mut config = self.plan().config(self.settings.clients, [0; 32]);
        let with_noise = sizes::per_client(&config);
        config.vectors = Codec::exact(&self.shards).vectors(self.settings.clients);
        Some(private.report(&self.spent, with_noise, sizes::per_client(&config)))
    }

    /// Shuts the server down.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }

    fn suite(&self) -> Suite {
        let Some(population) = &self.population else { return Suite::Curious };
        let authority = population.authority();
        match self.settings.suite {
            Protection::Curious => Suite::Curious,
            Protection::Active(corrupt) => Suite::Active { corrupt, authority },
            Protection::Pinned(corrupt) => Suite::Pinned { corrupt, authority },
        }
    }

    fn plan(&self) -> SessionPlan {
        let clients = self.settings.clients;
        SessionPlan {
            suite: self.suite(),
            graph: match (self.settings.suite, self.settings.degree) {
                (_, None) => Graph::Complete,
                (Protection::Pinned(_), Some(degree)) => Graph::KOut { degree },
                (_, Some(degree)) => Graph::Regular { degree },
            },
            clients,
            threshold: self.settings.threshold.map_or(Threshold::Default, Threshold::Fixed),
            minimum_survivors: self.codec.minimum_survivors(),
            vectors: self.codec.vectors(clients),
            task: encode_model(&self.secure).into(),
            nonce: None,
            policy: SessionPolicy::uniform(DEADLINE, clients.min(2), DEADLINE),
        }
    }

    fn spawn_clients(&self, round: u64, submitted: &Submitted) -> JoinSet<()> {
        let Settings { clients, dropout, seed, .. } = self.settings;
        let points = vanish::draw(clients, dropout, self.suite(), &mut generator(seed, "vanish", &[round]));
        let mut tasks = JoinSet::new();
        for (index, point) in points.into_iter().enumerate() {
            let client = Participant {
                index,
                member: self.population.as_ref().map(|population| population.member(index)),
                server: self.server.local_address(),
                pin: self.server.pin(),
                shard: self.shards[index].clone(),
                codec: self.codec.clone(),
                training_seed: self.training_seed(round, index),
                point,
                submitted: submitted.clone(),
                policy: policy(self.settings.suite),
            };
            tasks.spawn(client.take_part());
        }
        tasks
    }

    fn training_seed(&self, round: u64, client: usize) -> u64 {
        generator(self.settings.seed, "train", &[round, client as u64]).next_u64()
    }

    /// Checks the sum, moves both models, and reports on the round.
    fn judge(&mut self, round: u64, outcome: &Outcome, submitted: &Submitted) -> Result<RoundReport, Error> {
        let submitted = submitted.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut survivors, mut sum_exact) = (Vec::new(), None);
        if let Ok(aggregate) = &outcome.result {
            survivors = aggregate.survivors.iter().map(|id| index_of(outcome, *id)).collect();
            sum_exact = Some(is_exact(aggregate, &survivors, &submitted));
            self.learn(round, aggregate, &survivors)?;
        }
        let clients = f64::from(self.settings.clients.max(1));
        let total = outcome.stages.iter().map(|stage| outcome.traffic_in(stage.round));
        let (up, down) = total.fold((0, 0), |(up, down), one| (up + one.up, down + one.down));
        Ok(RoundReport {
            survivors: survivors.len() as u32,
            dropped: outcome.stages.iter().map(|stage| dropped_in(outcome, stage.round)).collect(),
            accuracy: accuracy(&self.secure, &self.digits.test),
            plain_accuracy: accuracy(&self.plain, &self.digits.test),
            sum_exact,
            aborted: outcome.result.as_ref().err().map(ToString::to_string),
            bytes_up_per_client: up as f64 / clients,
            bytes_down_per_client: down as f64 / clients,
            seconds: outcome.stages.iter().map(|stage| (stage.round.to_string(), stage.seconds)).collect(),
            bytes_by_message: bytes_by_message(outcome),
            epsilon: self.private().map(|private| private.epsilon(&self.spent)),
        })
    }

    /// Moves the secure model by the released sum, the plain one by what the same clients would
    /// have learned from it.
    fn learn(&mut self, round: u64, aggregate: &Aggregate, survivors: &[usize]) -> Result<(), Error> {
        if let Some(private) = self.private() {
            let loss = private.loss(survivors.len() as u32).map_err(|error| Error::Input(Box::new(error)))?;
            self.spent = self.spent.and(&loss);
        }
        self.secure.apply(&self.codec.decode(aggregate));
        let locals: Vec<(Model, u32)> = survivors
            .iter()
            .map(|&index| {
                let shard = &self.shards[index];
                (train(&self.plain, shard, self.training_seed(round, index)), shard.len() as u32)
            })
            .collect();
        self.plain.apply(&average(&self.plain, &locals));
        Ok(())
    }
}

/// One client in one round.
struct Participant {
    index: usize,
    /// In a suite with identities.
    member: Option<Member>,
    server: SocketAddr,
    pin: Pin,
    shard: Arc<Vec<Image>>,
    codec: Codec,
    training_seed: u64,
    point: Option<Point>,
    submitted: Submitted,
    policy: Policy,
}

impl Participant {
    async fn take_part(self) {
        let index = self.index;
        match self.session().await {
            Ok(()) | Err(Error::Left | Error::Refused(Status::Protocol(_))) => {}
            // On loopback nothing else can happen to a client, so this is worth to be seen.
            Err(error) => tracing::error!(client = index, %error, "a client failed"),
        }
    }

    async fn session(self) -> Result<(), Error> {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let client = SecaggClient::join(self.server, self.pin, &name_of(self.index), local, DEADLINE).await?;
        let client = match self.point {
            Some(point) => client.observe(move |step| point.at(step)),
            None => client,
        };
        let client = match &self.member {
            Some(member) => client.identify(member.credentials().map_err(Error::Misuse)?),
            None => client,
        };
        // What the client adds to its input follows from its entropy, and the demonstration checks it.
        let entropy = Arc::new(Randomness::default().secret()?);
        let drawn = entropy.clone();
        let chosen = move |bytes: &mut [u8]| {
            bytes.copy_from_slice(drawn.as_slice());
            Ok(())
        };
        let client = client.draw_from(Randomness::of(chosen));
        client.run_session(self.policy.clone(), |announcement| self.input(announcement, entropy)).await?;
        Ok(())
    }

    /// Trains on the announced model and returns what the client has learned.
    async fn input(
        self,
        announcement: Announcement,
        entropy: Arc<Zeroizing<[u8; 32]>>,
    ) -> Result<Input, Error> {
        let learned = spawn_blocking(move || {
            let global = decode_model(&announcement.task).ok_or(Error::WrongTask)?;
            let local = train(&global, &self.shard, self.training_seed);
            let images = self.shard.len() as u32;
            let learned = self.codec.encode(&local, &global, images);
            let input = learned.input();
            let Announcement { id, config, .. } = announcement;
            let contribution = Contribution { learned, entropy, id, config };
            self.submitted.lock().unwrap_or_else(PoisonError::into_inner).insert(self.index, contribution);
            Ok(input)
        });
        learned.await.map_err(|error| Error::Worker(error.to_string()))?
    }
}

/// What a client insists on. What is experimental has to be allowed; who runs the demonstration has chosen it, and
/// been told so.
fn policy(suite: Protection) -> Policy {
    let usual = SafetyPolicy::new(Fraction::ZERO, Fraction::ZERO);
    let trusting =
        SafetyPolicy { security_bits: 0, correctness_bits: 0, minimum_honest: 1, roots: Some(1), ..usual };
    let safety = matches!(suite, Protection::Pinned(_)).then_some(trusting);
    Policy { safety, experimental_noise: true, ..Policy::default() }
}

/// Names sort like the clients' indices, so that a client has the same id in every round.
fn name_of(index: usize) -> String {
    format!("client-{index:06}")
}

fn index_of(outcome: &Outcome, id: ClientId) -> usize {
    outcome.name_of(id).trim_start_matches("client-").parse().unwrap_or(usize::MAX)
}

/// Compares the released sum with the sum of what the survivors handed in, noise and all, modulo the ring.
fn is_exact(aggregate: &Aggregate, survivors: &[usize], submitted: &BTreeMap<usize, Contribution>) -> bool {
    let elements = |index| submitted.get(index).and_then(|one| one.elements(&aggregate.session).ok());
    let Some(parts) = survivors.iter().map(elements).collect::<Option<Vec<_>>>() else { return false };
    aggregate.vectors.iter().enumerate().all(|(place, (spec, sum))| {
        let mask = (1u64 << spec.bits) - 1;
        let mut expected = vec![0u64; spec.length as usize];
        for values in parts.iter().filter_map(|part| part.get(place)) {
            for (total, value) in expected.iter_mut().zip(values.iter()) {
                *total = total.wrapping_add(value) & mask;
            }
        }
        sum.iter().eq(expected)
    })
}

/// A round's name, and how many it lost.
fn dropped_in(outcome: &Outcome, round: Round) -> (String, u32) {
    (round.to_string(), outcome.dropped.get(&round).map_or(0, Vec::len) as u32)
}

fn bytes_by_message(outcome: &Outcome) -> BTreeMap<String, u64> {
    let rounds = outcome.stages.iter().map(|stage| stage.round);
    let messages = rounds.flat_map(|round| {
        let bytes = outcome.traffic_in(round);
        [(format!("{round} request"), bytes.down), (format!("{round} response"), bytes.up)]
    });
    messages.collect()
}

/// Writes a model as the session's task: its parameters as little-endian doubles.
fn encode_model(model: &Model) -> Vec<u8> {
    model.parameters.iter().flat_map(|parameter| parameter.to_le_bytes()).collect()
}

fn decode_model(task: &[u8]) -> Option<Model> {
    let (parameters, rest) = task.as_chunks::<8>();
    if parameters.len() != PARAMETERS || !rest.is_empty() {
        return None;
    }
    Some(Model { parameters: parameters.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_survives_its_way_to_the_clients() {
        let parameters = (0..PARAMETERS).map(|i| i as f64 * -0.125).collect();
        let model = Model { parameters };
        let task = encode_model(&model);
        assert_eq!(decode_model(&task).unwrap().parameters, model.parameters);
        assert!(decode_model(&task[1..]).is_none());
        assert!(decode_model(&[]).is_none());
    }
}
