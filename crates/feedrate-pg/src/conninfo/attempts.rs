//! Which server next, and how.

use core::time::Duration;

use feedrate::pg::Version;
use feedrate::pg::backend::SqlState;

use super::session::{Facts, Verdict};
use super::shuffle;
use super::{Host, Hosts, LoadBalanceHosts, Options, Place, SslMode, SslNegotiation, TargetSessionAttrs};

/// What to try, in which order, and what comes after a failure: libpq's decisions, without its sockets.
///
/// Hosts in their order, the addresses of each, and for each address the transports that `sslmode` allows and the
/// versions of the protocol. The caller takes a [`Step`], does it, and reports how it went; [`step`](Self::step) is
/// `None` when nothing is left. See the [module](super) for the whole loop.
///
/// ```
/// use feedrate_pg::conninfo::{Attempts, Failure, Settings, Step, Transport};
///
/// let mut settings = Settings::new(Vec::new());
/// settings.parse("host=db1.example.com,db2.example.com sslmode=prefer")?;
/// let mut attempts = Attempts::new(settings.hosts()?, settings.options()?, 0);
///
/// let Some(Step::Resolve(host)) = attempts.step() else { panic!() };
/// assert_eq!(host.name, "db1.example.com");
/// attempts.resolved(1);
///
/// let Some(Step::Connect(attempt)) = attempts.step() else { panic!() };
/// assert_eq!((attempt.address, attempt.transport), (0, Transport::Tls));
/// attempts.failed(Failure::Tls); // the handshake fails
///
/// let Some(Step::Connect(attempt)) = attempts.step() else { panic!() };
/// assert_eq!((attempt.address, attempt.transport), (0, Transport::Plain));
/// attempts.failed(Failure::Unreachable); // nothing comes within the time-out
///
/// let Some(Step::Resolve(host)) = attempts.step() else { panic!() };
/// assert_eq!(host.name, "db2.example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Attempts<'s> {
    hosts: Hosts<'s>,
    options: Options,
    seed: u64,
    /// `Any` in the second pass of `prefer-standby`.
    target: TargetSessionAttrs,
    /// Hosts done with.
    host: usize,
    /// How many addresses the host has, if that is known.
    addresses: Option<usize>,
    /// Addresses done with.
    address: usize,
    transport: Transport,
    /// The other transport has had its turn.
    switched: bool,
    version: Version,
    /// The address has been tried before.
    again: bool,
    ended: bool,
}

/// What to do next.
// Exhaustive: a caller that skips a step would never come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'s> {
    /// Find the addresses of this host's name, and call [`resolved`](Attempts::resolved).
    Resolve(Host<'s>),
    /// Connect.
    Connect(Attempt<'s>),
}

/// One connection to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt<'s> {
    /// The server.
    pub host: Host<'s>,
    /// Which of the addresses that its name has, from 0. Always 0 if it is no name.
    pub address: usize,
    /// What comes before StartupMessage.
    pub transport: Transport,
    /// What StartupMessage asks for.
    pub version: Version,
    /// How long it may take, until the server is ready for queries.
    pub timeout: Option<Duration>,
    /// The address is tried once more, for another transport or version. The time-out goes on, and does not start anew.
    pub again: bool,
}

/// What comes before StartupMessage.
// Exhaustive: there is no connecting with a transport that a caller does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Transport {
    /// Nothing.
    Plain,
    /// SSLRequest, and TLS if the server says `S`. If it says `N`, ask [`tls_refused`](Attempts::tls_refused).
    Tls,
    /// TLS at once, with ALPN `postgresql`.
    DirectTls,
}

/// How an attempt has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Failure {
    /// There is no connection to this address, or its time-out has passed, at whatever point. The next address follows.
    Unreachable,
    /// The TLS handshake has failed, whether for the certificate or anything else. Another transport follows, if there
    /// is one.
    Tls,
    /// The server has sent ErrorResponse before AuthenticationOk. Another transport follows, if there is one; the next
    /// host if the server cannot take connections now; version 3.0 if it does not know the version.
    Rejected(SqlState),
    /// The server has closed the connection instead of sending anything in response to StartupMessage. Version 3.0
    /// follows if that has not been tried.
    Closed,
    /// The response to a question of [`Attempts::judge`] is an error, or has no row. The next host follows.
    Question,
    /// Anything else: neither `S` nor `N` in response to SSLRequest, or more bytes behind it; no password, or a
    /// method of authentication that is not allowed; ErrorResponse after AuthenticationOk; a violation of the
    /// protocol. Nothing follows.
    Other,
}

impl<'s> Attempts<'s> {
    /// Nothing has been tried yet.
    ///
    /// The seed is used for `load_balance_hosts=random`, and should be random then.
    pub fn new(hosts: Hosts<'s>, options: Options, seed: u64) -> Self {
        let mut attempts = Self {
            hosts,
            options,
            seed,
            target: options.target_session_attrs,
            host: 0,
            addresses: None,
            address: 0,
            transport: Transport::Plain,
            switched: false,
            version: options.max_version,
            again: false,
            ended: false,
        };
        attempts.start_host();
        attempts
    }

    /// What to do next. The same again if nothing has been reported since.
    pub fn step(&mut self) -> Option<Step<'s>> {
        if self.ended {
            return None;
        }
        let host = self.current()?;
        let Some(addresses) = self.addresses else { return Some(Step::Resolve(host)) };
        Some(Step::Connect(Attempt {
            host,
            address: self.shuffled(
                shuffle::mix(self.seed ^ shuffle::mix(index(self.host))),
                addresses,
                self.address,
            ),
            transport: self.transport,
            version: self.version,
            timeout: self.options.connect_timeout,
            again: self.again,
        }))
    }

    /// How many addresses the host of [`Step::Resolve`] has: 0 if its name cannot be resolved.
    pub fn resolved(&mut self, addresses: usize) {
        if addresses == 0 {
            self.next_host();
        } else {
            self.addresses = Some(addresses);
            self.start_address();
        }
    }

    /// The server has said `N` to SSLRequest: whether to go on without TLS, on the same connection.
    ///
    /// If not, nothing follows, whatever is reported as the failure.
    #[must_use = "without TLS the connection may not be used if this is false"]
    pub fn tls_refused(&mut self) -> bool {
        let goes_on = self.switch();
        self.ended |= !goes_on;
        goes_on
    }

    /// The attempt has failed.
    pub fn failed(&mut self, failure: Failure) {
        match failure {
            Failure::Unreachable => self.next_address(),
            Failure::Question => self.next_host(),
            Failure::Rejected(SqlState(state)) if &state == b"57P03" => self.next_host(),
            // What servers before 9.3 say, and poolers that do not know that there are minor versions.
            Failure::Rejected(SqlState(state))
                if matches!(&state, b"0A000" | b"08P01") && self.lower_version() => {}
            Failure::Closed if self.lower_version() => {}
            Failure::Tls | Failure::Rejected(_) if self.switch() => self.again = true,
            Failure::Tls | Failure::Rejected(_) | Failure::Closed | Failure::Other => self.ended = true,
        }
    }

    /// The server is ready for queries: whether it is the one that is wanted.
    pub fn judge(&mut self, facts: &Facts) -> Verdict {
        let verdict = self.target.verdict(facts);
        if matches!(verdict, Verdict::Reject(_)) {
            self.next_host();
        }
        verdict
    }

    /// The host whose turn it is. Goes through the list a second time for `prefer-standby`.
    fn current(&mut self) -> Option<Host<'s>> {
        if self.host >= self.hosts.len() {
            if self.target != TargetSessionAttrs::PreferStandby {
                return None;
            }
            self.target = TargetSessionAttrs::Any;
            self.host = 0;
            self.start_host();
        }
        self.hosts.get(self.shuffled(self.seed, self.hosts.len(), self.host))
    }

    fn shuffled(&self, seed: u64, length: usize, n: usize) -> usize {
        match self.options.load_balance_hosts {
            LoadBalanceHosts::Disable => n,
            LoadBalanceHosts::Random => shuffle::nth(seed, length, n),
        }
    }

    fn next_host(&mut self) {
        self.host = self.host.saturating_add(1);
        self.start_host();
    }

    fn next_address(&mut self) {
        self.address = self.address.saturating_add(1);
        if self.addresses.is_none_or(|addresses| self.address >= addresses) {
            self.next_host();
        } else {
            self.start_address();
        }
    }

    fn start_host(&mut self) {
        self.address = 0;
        let host = self.hosts.get(self.shuffled(self.seed, self.hosts.len(), self.host));
        self.addresses = match host.map(|host| host.place()) {
            Some(Place::Name(_)) | None => None,
            Some(Place::Address(_) | Place::Unix(_)) => Some(1),
        };
        self.start_address();
    }

    fn start_address(&mut self) {
        let host = self.hosts.get(self.shuffled(self.seed, self.hosts.len(), self.host));
        self.transport = match self.options.ssl_mode {
            _ if host.is_some_and(|host| host.is_unix()) => Transport::Plain,
            SslMode::Disable | SslMode::Allow => Transport::Plain,
            _ => self.tls(),
        };
        self.switched = false;
        self.again = false;
        self.version = self.options.max_version;
    }

    const fn tls(&self) -> Transport {
        match self.options.ssl_negotiation {
            SslNegotiation::Postgres => Transport::Tls,
            SslNegotiation::Direct => Transport::DirectTls,
        }
    }

    /// Takes the other transport, if there is one and it has not had its turn.
    fn switch(&mut self) -> bool {
        let unix = self.current().is_some_and(|host| host.is_unix());
        let other = match (self.options.ssl_mode, self.transport) {
            (SslMode::Prefer, Transport::Tls) => Transport::Plain,
            (SslMode::Allow, Transport::Plain) if !unix => self.tls(),
            _ => return false,
        };
        if core::mem::replace(&mut self.switched, true) {
            return false;
        }
        self.transport = other;
        true
    }

    /// Takes version 3.0, if that is allowed and has not been tried.
    fn lower_version(&mut self) -> bool {
        let lower = self.version > Version::V3_0 && self.options.min_version <= Version::V3_0;
        if lower {
            self.version = Version::V3_0;
            self.again = true;
        }
        lower
    }
}

fn index(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
