//! What a run has given away: the library's ledger, kept in memory.

use secagg::Round;
use secagg::privacy::ledger::{self, Budget, Ledger, LedgerError};

use super::Design;
use crate::report::{PrivacyReport, RoundReport, SessionReport};
use crate::scenario::{Against, Privacy, Scenario, ScenarioError};

/// The ledger of a run. Its rounds are the session numbers: a client is in one cohort of each at most, and loses there
/// at most what the cohort with the fewest honest shares of noise gives away.
pub(crate) struct Account {
    ledger: Ledger,
    design: Design,
    privacy: Privacy,
    /// Sessions that have released a sum.
    released: u32,
}

impl Account {
    /// The account of a run that has released nothing yet, if the scenario has a private vector.
    ///
    /// # Errors
    /// A budget that is none.
    pub(crate) fn open(scenario: &Scenario, design: Option<&Design>) -> Result<Option<Self>, ScenarioError> {
        let (Some(privacy), Some(design)) = (&scenario.privacy, design) else { return Ok(None) };
        let against = match privacy.against {
            Against::Server => ledger::Against::Server,
            Against::Release => ledger::Against::Public,
        };
        let epsilon = privacy.budget.unwrap_or(f64::MAX);
        let (ledger, _) =
            Ledger::new("run", Budget { against, epsilon, delta: privacy.delta }).map_err(failed)?;
        Ok(Some(Self { ledger, design: design.clone(), privacy: privacy.clone(), released: 0 }))
    }

    /// Sets aside what a session may release at most: with the fewest honest shares. False if the budget has not that
    /// much left.
    ///
    /// # Errors
    /// Noise for which there is no guarantee.
    pub(crate) fn reserve(&mut self, session: u32) -> Result<bool, ScenarioError> {
        match self.ledger.reserve(&session.to_string(), self.release(self.design.fewest)?) {
            Ok(entry) => self.ledger.commit(entry).map(|()| true).map_err(failed),
            Err(LedgerError::Overspent { .. }) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    /// Accounts what the session's cohorts have released, and notes it in their reports.
    ///
    /// # Errors
    /// Noise for which there is no guarantee.
    pub(crate) fn settle(
        &mut self,
        session: u32,
        scenario: &Scenario,
        reports: &mut [SessionReport],
    ) -> Result<(), ScenarioError> {
        let mut fewest = None;
        for report in reports.iter_mut() {
            let mut privacy = report.privacy.take().unwrap_or_default();
            if report.abort.is_none() {
                let shares = report.survivors.saturating_sub(scenario.corrupt_of(report.clients)?);
                (privacy.server, privacy.release) = self.epsilon(shares)?;
                privacy.shares = shares;
                privacy.error_expected = self.design.error(report.survivors);
                fewest = Some(fewest.map_or(shares, |fewest: u32| fewest.min(shares)));
            }
            report.privacy = Some(privacy);
        }
        self.released += u32::from(fewest.is_some());
        let name = session.to_string();
        let unmasking = |round: &RoundReport| round.round == Round::Unmasking.name();
        let lost = |report: &SessionReport| report.abort.is_some() && report.rounds.iter().any(unmasking);
        let entry = match fewest {
            // Shares may have been given: the reservation stays.
            _ if reports.iter().any(lost) => None,
            Some(shares) => Some(self.ledger.settle(&name, self.release(shares)?)),
            None => Some(self.ledger.cancel(&name)),
        };
        if let Some(entry) = entry {
            self.ledger.commit(entry.map_err(failed)?).map_err(failed)?;
        }
        let spent = self.ledger.spent().map_err(failed)?;
        for privacy in reports.iter_mut().filter_map(|report| report.privacy.as_mut()) {
            (privacy.composed_server, privacy.composed_release) = (spent.server, spent.public);
        }
        Ok(())
    }

    /// The account at the end of a run, which the budget has ended or not.
    ///
    /// # Errors
    /// Noise for which there is no guarantee.
    pub(crate) fn report(&self, ended: bool, clients: u32) -> Result<PrivacyReport, ScenarioError> {
        let (design, spent) = (&self.design, self.ledger.spent().map_err(failed)?);
        let left = || self.ledger.rounds_left(&self.release(design.fewest)?).map_err(failed);
        Ok(PrivacyReport {
            mechanism: self.privacy.mechanism.name().to_owned(),
            bits: design.spec.bits,
            dimension: design.spec.length,
            sigma: (design.noise.variance as f64 / secagg::privacy::Variance::ONE as f64).sqrt(),
            scale: design.noise.scale(),
            fewest_shares: design.fewest,
            error: design.error(clients),
            error_central: design.central,
            sessions: self.released,
            server: spent.server,
            release: spent.public,
            ended,
            left: self.privacy.budget.map(|_| left()).transpose()?,
        })
    }

    /// ε against the server and for the released sum, of one session.
    fn epsilon(&self, shares: u32) -> Result<(f64, f64), ScenarioError> {
        let of = || {
            let (server, public) = self.design.release(shares)?.curves()?;
            let delta = self.privacy.delta;
            Ok((server.epsilon(delta)?.epsilon, public.epsilon(delta)?.epsilon))
        };
        of().map_err(LedgerError::Privacy).map_err(failed)
    }

    fn release(&self, shares: u32) -> Result<ledger::Release, ScenarioError> {
        self.design.release(shares).map_err(LedgerError::Privacy).map_err(failed)
    }
}

fn failed(error: LedgerError) -> ScenarioError {
    ScenarioError::Impossible(format!("privacy: {error}"))
}
