//! Connecting by settings: [`Connector`].

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;
use std::io;

use ::tokio::io::{AsyncRead, AsyncWrite};
use ::tokio::net::lookup_host;
use ::tokio::time::{Instant, timeout_at};
use feedrate::Grow;
use feedrate::pg::backend::Message;
use feedrate::pg::frontend::Query;
use feedrate::pg::{Backend, Version};
use feedrate_pg::auth::{BindingPolicy, ChannelBinding, Methods, Policy};
use feedrate_pg::conninfo::{
    self, Attempt, Attempts, Host, Keyword, Options, Place, Settings, SslMode, Step, Transport, Verdict,
    passfile,
};
use zeroize::Zeroizing;

use super::client::Client;
use super::error::{ConnectError, Tried, Why};
use super::login::{Account, login};
use super::reach::{Endpoint, Reach, Unreached, tcp_options};
use super::socket::Socket;
use crate::limits::Limits;
use crate::pg_tls::{self, ClientTls, Roots, Stream, Verify};
use crate::tokio::Connection;

/// A session that was connected to by settings: TCP or a Unix socket, in clear or encrypted.
pub type Session = Client<Stream<Socket>>;

/// Connects to a server by a connection string's settings: libpq's rules for hosts, `sslmode`, versions, passwords and
/// `target_session_attrs`.
///
/// ```no_run
/// use feedrate_io::pg::Connector;
/// use feedrate_pg::conninfo::Settings;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut settings = Settings::new(Vec::new());
/// settings.parse("postgresql://alice:secret@localhost/sales?sslmode=disable")?;
/// let pg = Connector::new(settings).connect().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connector {
    settings: Settings<Vec<u8>>,
    roots: Option<Roots>,
    passfile: Vec<u8>,
    limits: Limits,
    requests: usize,
    longest: usize,
    policy: Policy,
    token: Option<String>,
}

impl Connector {
    /// To wherever these settings say. At most 256 requests wait for their responses, repeats not counted, and no
    /// message is longer than 64 MiB.
    ///
    /// It reads no environment and no files: [`Settings`] and [`passfile`](Self::passfile) are told what is in them.
    pub fn new(settings: Settings<Vec<u8>>) -> Self {
        Self {
            settings,
            roots: None,
            passfile: Vec::new(),
            limits: Limits::new(),
            requests: 256,
            longest: 64 << 20,
            policy: Policy::default(),
            token: None,
        }
    }

    /// How TLS is made. Without this, none can be: `sslmode=prefer` is `disable`, and more fails.
    #[must_use]
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = Some(roots);
        self
    }

    /// The text of a file of passwords (`.pgpass`), for settings without one.
    #[must_use]
    pub fn passfile(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.passfile = text.into();
        self
    }

    /// Other limits of time and of bytes that wait.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many requests wait for their responses at most.
    #[must_use]
    pub const fn requests(mut self, requests: usize) -> Self {
        self.requests = requests;
        self
    }

    /// How long a message may be at most: a row, above all. Memory grows with what arrives.
    #[must_use]
    pub const fn longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// What to accept of a server that wants a proof of the password. `require_auth` and `channel_binding` of the
    /// settings come on top.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The bearer token for a server that asks for OAUTHBEARER. Where it comes from is the program's.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Tries the hosts and their addresses until one is the server that is wanted.
    ///
    /// Dropped: what it tries is given up.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: what was tried, and why each failed.
    pub async fn connect(&self) -> Result<Session, ConnectError> {
        let (hosts, options) = (self.settings.hosts()?, self.settings.options()?);
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(|error| ConnectError::Random(error.to_string()))?;
        let mut attempts = Attempts::new(hosts, options, u64::from_ne_bytes(seed));
        let mut addresses = Vec::new();
        let mut deadline = None;
        let mut tried = Vec::new();
        while let Some(step) = attempts.step() {
            let attempt = match step {
                Step::Connect(attempt) => attempt,
                Step::Resolve(host) => {
                    addresses.clear();
                    match lookup_host((host.name, host.port)).await {
                        Ok(found) => addresses.extend(found),
                        Err(error) => tried.push(Tried { place: host.name.into(), why: Why::Io(error) }),
                    }
                    attempts.resolved(addresses.len());
                    continue;
                }
            };
            if !attempt.again {
                deadline = attempt.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            }
            let one = self.attempt(&attempt, &mut attempts, &options, &addresses);
            let connected = match deadline {
                None => one.await,
                Some(deadline) => {
                    let late = |_| Err(Why::Late(attempt.timeout.unwrap_or_default()));
                    timeout_at(deadline, one).await.unwrap_or_else(late)
                }
            };
            match connected {
                Ok(session) => return Ok(session),
                Err(why) => {
                    if let Some(failure) = why.failure() {
                        attempts.failed(failure);
                    }
                    tried.push(Tried { place: place(&attempt, &addresses), why });
                }
            }
        }
        Err(ConnectError::NoServer(tried))
    }

    /// One attempt.
    async fn attempt(
        &self,
        attempt: &Attempt<'_>,
        attempts: &mut Attempts<'_>,
        options: &Options,
        addresses: &[SocketAddr],
    ) -> Result<Session, Why> {
        let reach = self.reach(attempt, options, addresses)?;
        let connection =
            reach.connect(self.limits, self.longest).await.map_err(|unreached| match unreached {
                Unreached::Io(error) => Why::Io(error),
                Unreached::Tls(error) => Why::Tls(error),
            })?;
        if attempt.transport == Transport::Tls && !connection.io().is_tls() && !attempts.tls_refused() {
            return Err(Why::NoTls);
        }
        let end_point = connection.io().end_point();
        let binding = match &end_point {
            Ok(end_point) => ChannelBinding::EndPoint(end_point.as_bytes()),
            Err(_) if connection.io().is_tls() => ChannelBinding::Tls,
            Err(_) => ChannelBinding::NoTls,
        };
        let account = self.account(Some(attempt.host), attempt.version, options)?;
        let (session, mut facts) = login(connection, &account, binding, self.requests).await?;
        let mut session = session.reached_by(reach, self.limits);
        loop {
            match attempts.judge(&facts) {
                Verdict::Accept => return Ok(session),
                Verdict::Reject(mismatch) => return Err(Why::Mismatch(mismatch)),
                Verdict::Ask(question) => {
                    let value = ask(&mut session, question.sql()).await;
                    facts.answer(question, &value.map_err(|why| Why::Question(why.into()))?);
                }
            }
        }
    }
}

impl Connector {
    fn reach(
        &self,
        attempt: &Attempt<'_>,
        options: &Options,
        addresses: &[SocketAddr],
    ) -> Result<Reach, Why> {
        let host = attempt.host;
        let place = match host.place() {
            Place::Name(_) => addresses.get(attempt.address).copied().map(Endpoint::Tcp),
            Place::Address(address) => {
                address.parse().ok().map(|ip| Endpoint::Tcp(SocketAddr::new(ip, host.port)))
            }
            Place::Unix(_) => Some(Endpoint::Unix(host.socket().to_string().into())),
        };
        let place =
            place.ok_or_else(|| Why::Io(io::Error::new(io::ErrorKind::InvalidInput, "no address")))?;
        let tls = match attempt.transport {
            Transport::Plain => None,
            Transport::Tls | Transport::DirectTls => self.tls(options)?,
        };
        Ok(Reach {
            place,
            transport: if tls.is_some() { attempt.transport } else { Transport::Plain },
            tls,
            name: host.name.into(),
            tcp: tcp_options(options),
        })
    }

    /// Where there are authorities, the certificate has to be of one of them whatever the mode, as in libpq.
    fn tls(&self, options: &Options) -> Result<Option<ClientTls>, Why> {
        let Some(roots) = &self.roots else {
            return if options.ssl_mode < SslMode::Require { Ok(None) } else { Err(Why::NoRoots) };
        };
        let verify = match options.ssl_mode {
            SslMode::VerifyFull => Verify::Name,
            SslMode::VerifyCa => Verify::Authority,
            _ if roots.is_trusting() => Verify::Authority,
            _ => Verify::Nothing,
        };
        roots.client(verify).map(Some).map_err(|error| Why::Tls(pg_tls::Error::Tls(error)))
    }

    fn account(
        &self,
        host: Option<Host<'_>>,
        version: Version,
        options: &Options,
    ) -> Result<Account<'_>, Why> {
        let settings = &self.settings;
        let (user, database) =
            (settings.user().map_err(Why::Settings)?, settings.database().map_err(Why::Settings)?);
        let set = settings.get(Keyword::Password).map(|password| password.as_bytes().to_vec());
        let password = set.or_else(|| {
            let host = host?;
            let found = passfile::find(
                &self.passfile,
                host.passfile_name(),
                host.port,
                database.as_bytes(),
                user.as_bytes(),
            );
            found.map(|password| password.bytes().collect())
        });
        let mut policy = self.policy;
        if let Some(methods) = settings.get(Keyword::RequireAuth).filter(|methods| !methods.is_empty()) {
            let methods = methods.to_str().unwrap_or("?");
            policy.methods = Methods::parse(methods).map_err(Why::Policy)?;
        }
        policy.binding = match options.channel_binding {
            conninfo::ChannelBinding::Disable => BindingPolicy::Disable,
            conninfo::ChannelBinding::Require => BindingPolicy::Require,
            _ => BindingPolicy::Prefer,
        };
        Ok(Account {
            settings,
            password: password.map(Zeroizing::new),
            token: self.token.as_deref(),
            policy,
            version,
            least: options.min_version,
        })
    }

    /// Logs in over a connection of the caller's own, whose encryption is decided. Of the settings only what the login
    /// is about counts: no hosts, no files.
    ///
    /// Dropped: the connection is lost.
    ///
    /// # Errors
    ///
    /// [`Why`].
    pub async fn login<T: AsyncRead + AsyncWrite + Unpin>(
        &self,
        connection: Connection<Backend, Grow, T>,
        binding: ChannelBinding<'_>,
    ) -> Result<Client<T>, Why> {
        let options = self.settings.options().map_err(Why::Settings)?;
        let account = self.account(None, options.max_version, &options)?;
        login(connection, &account, binding, self.requests).await.map(|(client, _)| client)
    }
}

/// The only value of the only row.
async fn ask(session: &mut Session, sql: &str) -> Result<Vec<u8>, Why> {
    session.push(&Query { sql: sql.into() }).map_err(Why::Request)?;
    let mut value = Vec::new();
    loop {
        let Some(event) = session.next().await? else { return Err(Why::Ended) };
        match event.message {
            Message::DataRow(row) => value = row.columns.get(0).flatten().unwrap_or_default().to_vec(),
            Message::ErrorResponse(error) => return Err(Why::Refused(error.into())),
            Message::ReadyForQuery(_) => return Ok(value),
            _ => {}
        }
    }
}

fn place(attempt: &Attempt<'_>, addresses: &[SocketAddr]) -> String {
    let host = attempt.host;
    match host.place() {
        Place::Unix(_) => format!("socket \"{}\"", host.socket()),
        Place::Address(_) => format!("server at \"{}\", port {}", host.name, host.port),
        Place::Name(name) => match addresses.get(attempt.address) {
            Some(address) => format!("server at \"{name}\" ({}), port {}", address.ip(), host.port),
            None => format!("server at \"{name}\", port {}", host.port),
        },
    }
}
