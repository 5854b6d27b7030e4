//! `secagg identity`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use secagg::Authority;
use secagg_transport::Randomness;
use secagg_transport::enrolment::{Certificate, KeyKind, Roster, public_file};

use super::fields::{Fields, lines, object};
use super::{Failure, Format, print};

/// Make and certify the identities that take part in the active suite
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  secagg identity authority --output ca               # once, by whoever admits clients
  secagg identity new --output ada                    # by each client
  secagg identity enrol --authority-key ca --identity ada.pub --output ada.cert --roster roster
  secagg identity roster show roster
  secagg identity roster verify roster --authority ca.pub --identity ada.pub

`ca` and `ada` hold secrets: nobody but their owner can read them, and no command prints them. What is to be
given away is in `ca.pub`, `ada.pub` and `ada.cert`. Servers and clients need `ca.pub`, never `ca`.

Certify one identity for each client, and only for a client that is known by other means: a server may put any
certified identities together in one session, and those that were ever certified for liars all count.";

#[derive(Subcommand)]
enum Command {
    /// Make the key of an authority: the secret in FILE, the public half in FILE.pub
    Authority(New),
    /// Make the key of a client: the secret in FILE, the public half in FILE.pub
    New(New),
    /// Certify an identity with an authority's key
    Enrol(Enrol),
    /// List, check or extend a file of certified identities
    Roster(RosterArguments),
}

#[derive(Args)]
struct New {
    /// The file to make; it must not exist
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// What to print: text or json (one object)
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Args)]
#[command(after_help = "\
Examples:
  secagg identity enrol --authority-key ca --identity ada.pub --output ada.cert
  secagg identity enrol --authority-key ca --identity ada.pub --output ada.cert --roster roster

With --roster the identity is added to that file, which is made if there is none; one that is in it already
is refused.")]
struct Enrol {
    /// The authority's secret key, as `secagg identity authority` makes it
    #[arg(long, value_name = "FILE")]
    authority_key: PathBuf,
    /// The identity: 64 hexadecimal digits or a file such as ada.pub
    #[arg(long, value_name = "HEX|FILE")]
    identity: String,
    /// The certificate to make; it must not exist
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Roster to add the identity to
    #[arg(long, value_name = "FILE")]
    roster: Option<PathBuf>,
    /// What to print: text or json (one object)
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Args)]
struct RosterArguments {
    #[command(subcommand)]
    command: RosterCommand,
}

#[derive(Subcommand)]
enum RosterCommand {
    /// List who is in it; every certificate is checked
    Show {
        /// The roster
        roster: PathBuf,
        /// What to print: text or json (one object)
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
    },
    /// Check it against the authority that is trusted, and whether an identity is in it
    Verify {
        /// The roster
        roster: PathBuf,
        /// The authority: 64 hexadecimal digits or a file such as ca.pub
        #[arg(long, value_name = "HEX|FILE")]
        authority: String,
        /// An identity that has to be in it: 64 hexadecimal digits or a file such as ada.pub
        #[arg(long, value_name = "HEX|FILE")]
        identity: Option<String>,
    },
    /// Add certificates; the roster is made if there is none
    Add {
        /// The roster
        roster: PathBuf,
        /// Certificates, all of the roster's authority
        #[arg(required = true)]
        certificates: Vec<PathBuf>,
    },
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Authority(new) => make(KeyKind::Authority, "authority", &new),
        Command::New(new) => make(KeyKind::Identity, "identity", &new),
        Command::Enrol(enrol) => certify(&enrol),
        Command::Roster(RosterArguments { command }) => match command {
            RosterCommand::Show { roster, format } => show(&roster, format),
            RosterCommand::Verify { roster, authority, identity } => verify(&roster, &authority, identity),
            RosterCommand::Add { roster, certificates } => add(&roster, &certificates),
        },
    }
}

fn make(kind: KeyKind, name: &'static str, new: &New) -> Result<(), Failure> {
    let public = kind.create(&new.output, &Randomness::default()).map_err(Failure::failed)?;
    let file = |path: &Path| path.display().to_string().into();
    tell(
        new.format,
        &vec![
            (name, hex::encode(public).into()),
            ("secret_file", file(&new.output)),
            ("public_file", file(&public_file(&new.output))),
        ],
    )
}

fn certify(enrol: &Enrol) -> Result<(), Failure> {
    let secret = KeyKind::Authority.read_secret(&enrol.authority_key).map_err(Failure::failed)?;
    let identity = KeyKind::Identity.public(&enrol.identity).map_err(Failure::failed)?;
    let certificate = Certificate::issue(&Authority::new(*secret), identity).map_err(Failure::failed)?;
    // The roster is looked at first, so that nobody is certified twice; it is written last, and can be made good
    // with `roster add` should that fail.
    let extended = enrol.roster.as_ref().map(|path| with(path, &[certificate])).transpose()?;
    certificate.create(&enrol.output).map_err(Failure::failed)?;
    if let (Some(path), Some(roster)) = (&enrol.roster, extended) {
        roster.write(path).map_err(Failure::failed)?;
    }
    tell(
        enrol.format,
        &vec![
            ("authority", hex::encode(certificate.authority).into()),
            ("identity", hex::encode(identity).into()),
            ("certificate_file", enrol.output.display().to_string().into()),
        ],
    )
}

fn show(path: &Path, format: Format) -> Result<(), Failure> {
    let roster = Roster::read(path).map_err(Failure::failed)?;
    let members: Vec<String> = roster.members.iter().map(|(identity, _)| hex::encode(identity)).collect();
    let authority = hex::encode(roster.authority);
    match format {
        Format::Json => tell(format, &vec![("authority", authority.into()), ("members", members.into())]),
        Format::Text => {
            let list: String = members.iter().map(|identity| format!("{identity}\n")).collect();
            print(&format!("authority {authority}\n{} members\n{list}", members.len()))
        }
    }
}

fn verify(path: &Path, authority: &str, identity: Option<String>) -> Result<(), Failure> {
    let authority = KeyKind::Authority.public(authority).map_err(Failure::failed)?;
    let roster = Roster::read(path).map_err(Failure::failed)?;
    let shown = path.display();
    if roster.authority != authority {
        let other = hex::encode(roster.authority);
        return Err(Failure::Failed(format!("{shown} is of another authority, {other}")));
    }
    if let Some(identity) = identity {
        let identity = KeyKind::Identity.public(&identity).map_err(Failure::failed)?;
        if !roster.has(&identity) {
            return Err(Failure::Failed(format!("{} is not in {shown}", hex::encode(identity))));
        }
    }
    print(&format!("{} members, every certificate is the authority's\n", roster.members.len()))
}

fn add(path: &Path, certificates: &[PathBuf]) -> Result<(), Failure> {
    let certificates: Result<Vec<_>, _> = certificates.iter().map(|path| Certificate::read(path)).collect();
    let roster = with(path, &certificates.map_err(Failure::failed)?)?;
    roster.write(path).map_err(Failure::failed)?;
    print(&format!("{} members\n", roster.members.len()))
}

/// The roster of a file, or a new one, with more members.
fn with(path: &Path, certificates: &[Certificate]) -> Result<Roster, Failure> {
    let exists = path
        .try_exists()
        .map_err(|error| Failure::Failed(format!("cannot read {}: {error}", path.display())))?;
    let mut roster = match (exists, certificates.first()) {
        (false, Some(first)) => Roster { authority: first.authority, members: Vec::new() },
        _ => Roster::read(path).map_err(Failure::failed)?,
    };
    for Certificate { authority, identity, signature } in certificates {
        let (shown, identity_shown) = (path.display(), hex::encode(identity));
        if *authority != roster.authority {
            return Err(Failure::Failed(format!("{identity_shown} has another authority than {shown}")));
        }
        if roster.has(identity) {
            return Err(Failure::Failed(format!("{identity_shown} is in {shown} already")));
        }
        roster.members.push((*identity, *signature));
    }
    Ok(roster)
}

fn tell(format: Format, fields: &Fields) -> Result<(), Failure> {
    print(&match format {
        Format::Text => lines(fields),
        Format::Json => object(fields),
    })
}
