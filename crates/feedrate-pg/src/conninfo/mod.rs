//! Connection strings as libpq 18 reads them, and connecting as decisions.
//!
//! Nothing here resolves a name, reads a file or the environment, or opens a socket. The program does that, and this
//! module says what to do next.
//!
//! * [`Settings`] hold what has been set: by a connection string, by a section of a service file, by the environment,
//!   by the program. [`Settings::options`] and [`Settings::hosts`] check it and give it types.
//! * [`Attempts`] say which server, address, transport and version come next, and what follows a failure:
//!   `load_balance_hosts`, `sslmode`, `sslnegotiation`, `connect_timeout`, `target_session_attrs`.
//! * [`passfile`] finds passwords.
//!
//! # A client's loop
//!
//! `Session` is whatever logs in. The example `attempts` of this crate is the same loop with sockets.
//!
//! ```no_run
//! use std::net::{SocketAddr, ToSocketAddrs};
//!
//! use feedrate_pg::conninfo::{Attempt, Attempts, Facts, Failure, Keyword, Place, Settings, Step, Verdict};
//!
//! trait Session: Sized {
//!     /// Connects to this address, or to the one of `attempt.host`; does what `attempt.transport` says; then comes
//!     /// StartupMessage and authentication. All of this within `attempt.timeout`, or it is `Failure::Unreachable`.
//!     fn log_in(attempt: &Attempt, address: Option<&SocketAddr>, attempts: &mut Attempts) -> Result<Self, Failure>;
//!     /// What its ParameterStatus messages have said.
//!     fn facts(&self) -> Facts;
//!     /// The only value of the only row. An error is `Failure::Question`.
//!     fn ask(&mut self, sql: &str) -> Result<Vec<u8>, Failure>;
//! }
//!
//! fn connect<S: Session>(text: &str) -> Result<S, Box<dyn std::error::Error>> {
//!     let mut settings = Settings::new(Vec::new());
//!     settings.parse(text)?;
//!     settings.environment(|name| std::env::var(name).ok())?;
//!     settings.set_default(Keyword::User, "the operating system's user")?;
//!
//!     let mut attempts = Attempts::new(settings.hosts()?, settings.options()?, 42 /* random */);
//!     let mut addresses = Vec::new();
//!     'steps: while let Some(step) = attempts.step() {
//!         let attempt = match step {
//!             Step::Connect(attempt) => attempt,
//!             Step::Resolve(host) => {
//!                 let resolved = (host.name, host.port).to_socket_addrs();
//!                 addresses = resolved.map_or(Vec::new(), |addresses| addresses.collect());
//!                 attempts.resolved(addresses.len());
//!                 continue;
//!             }
//!         };
//!         let address = match attempt.host.place() {
//!             Place::Name(_) => addresses.get(attempt.address),
//!             Place::Address(_) | Place::Unix(_) => None,
//!         };
//!         let mut session = match S::log_in(&attempt, address, &mut attempts) {
//!             Ok(session) => session,
//!             Err(failure) => {
//!                 attempts.failed(failure);
//!                 continue;
//!             }
//!         };
//!         let mut facts = session.facts();
//!         loop {
//!             match attempts.judge(&facts) {
//!                 Verdict::Accept => return Ok(session),
//!                 Verdict::Reject(_) => continue 'steps,
//!                 Verdict::Ask(question) => match session.ask(question.sql()) {
//!                     Ok(value) => facts.answer(question, &value),
//!                     Err(failure) => {
//!                         attempts.failed(failure);
//!                         continue 'steps;
//!                     }
//!                 },
//!             }
//!         }
//!     }
//!     Err("no server accepts the connection".into())
//! }
//! ```
//!
//! # What differs from libpq
//!
//! * Encryption by GSSAPI is not supported: `gssencmode=require` is refused, `prefer` is `disable`.
//! * Every value is checked before the first attempt. libpq looks at some, such as ports, when it needs them.
//! * A server that ends the connection, or refuses it, when it is asked for 3.2 is asked for 3.0, unless
//!   `min_protocol_version` forbids it. libpq gives up.
//! * Errors show nothing of what they complain about.

pub mod passfile;

mod attempts;
mod error;
mod hosts;
mod keyword;
mod name;
mod pairs;
mod scan;
mod service;
mod session;
mod settings;
mod shuffle;
mod sources;
mod startup;
mod uri;
mod values;

pub use self::attempts::{Attempt, Attempts, Failure, Step, Transport};
pub use self::error::{Invalid, ParseError, Problem};
pub use self::hosts::{Host, Hosts, Place};
pub use self::keyword::Keyword;
pub use self::session::{Facts, Mismatch, Question, Verdict};
pub use self::settings::Settings;
pub use self::values::{
    ChannelBinding, GssEncMode, Keepalives, LoadBalanceHosts, Options, SslCertMode, SslMode, SslNegotiation,
    TargetSessionAttrs, TlsVersion,
};
