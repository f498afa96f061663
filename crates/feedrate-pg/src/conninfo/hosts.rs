//! Which servers there are.

use core::fmt;

use feedrate::Output;

use super::settings::Settings;
use super::values::integer;
use super::{Invalid, Keyword};

/// The list of servers that `host`, `hostaddr` and `port` make.
///
/// `host` and `hostaddr` have the same number of elements, or one of them is not set. There is one port for all, or
/// one for each. An empty element is the default. So is everything if nothing is set: that is one server.
///
/// ```
/// use feedrate_pg::conninfo::{Place, Settings};
///
/// let mut settings = Settings::new(Vec::new());
/// settings.parse("postgresql://db1.example.com:5433,[::1],%2Ftmp/sales")?;
/// let hosts = settings.hosts()?;
/// assert_eq!(hosts.len(), 3);
///
/// let host = hosts.get(0).unwrap();
/// assert_eq!((host.place(), host.port), (Place::Name("db1.example.com"), 5433));
/// let host = hosts.get(2).unwrap();
/// assert_eq!(host.place(), Place::Unix("/tmp"));
/// assert_eq!(host.socket().to_string(), "/tmp/.s.PGSQL.5432");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hosts<'s> {
    names: &'s str,
    addresses: &'s str,
    ports: &'s str,
    unnamed: &'s str,
}

/// One server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host<'s> {
    /// What `host` says, or the default. It is what a certificate is checked for, even if there is an address.
    /// Empty if only `hostaddr` is set.
    pub name: &'s str,
    /// What `hostaddr` says. May be empty.
    pub address: &'s str,
    /// What `port` says, or 5432.
    pub port: u16,
    /// What `name` is if nobody sets it.
    unnamed: &'s str,
}

/// Where a server is.
// Exhaustive: a caller has to know each to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'s> {
    /// A name that has to be resolved. It may be an IP address.
    Name(&'s str),
    /// An IP address, from `hostaddr`.
    Address(&'s str),
    /// The directory of a Unix socket, or an abstract one that begins with `@`. See [`Host::socket`].
    Unix(&'s str),
}

impl<M: Output + AsRef<[u8]>> Settings<M> {
    /// The servers that can be connected to.
    ///
    /// # Errors
    ///
    /// [`Invalid`]. A port is checked here already, not when its turn has come as with libpq.
    pub fn hosts(&self) -> Result<Hosts<'_>, Invalid> {
        let text = |keyword| {
            let text = self.get(keyword).unwrap_or_default();
            text.to_str().map_err(|_| Invalid::value(keyword, "UTF-8"))
        };
        let hosts = Hosts {
            names: text(Keyword::Host)?,
            addresses: text(Keyword::HostAddress)?,
            ports: self.get(Keyword::Port).map_or(Ok(""), |_| text(Keyword::Port))?,
            unnamed: "localhost",
        };
        let (names, addresses, ports) = (count(hosts.names), count(hosts.addresses), count(hosts.ports));
        if !hosts.names.is_empty() && !hosts.addresses.is_empty() && names != addresses {
            return Err(Invalid::HostCount { names, addresses });
        }
        if ports != 1 && ports != hosts.len() {
            return Err(Invalid::PortCount { ports, hosts: hosts.len() });
        }
        for text in elements(hosts.ports) {
            port(text).ok_or(Invalid::value(Keyword::Port, "a number from 1 to 65535"))?;
        }
        Ok(hosts)
    }
}

impl<'s> Hosts<'s> {
    /// What stands for a host without a name: `localhost`, unless this says something else.
    ///
    /// libpq takes the directory of Unix sockets that it has been built with: `/tmp`, or `/var/run/postgresql` as
    /// Debian builds it.
    #[must_use]
    pub const fn unnamed(self, host: &'s str) -> Self {
        Self { unnamed: host, ..self }
    }

    /// How many there are: at least one.
    #[allow(clippy::len_without_is_empty)] // it never is
    pub fn len(&self) -> usize {
        count(if self.addresses.is_empty() { self.names } else { self.addresses })
    }

    /// The n-th, from 0.
    pub fn get(&self, n: usize) -> Option<Host<'s>> {
        if n >= self.len() {
            return None;
        }
        let element = |list| elements(list).nth(n).unwrap_or_default();
        let address = element(self.addresses);
        let mut name = element(self.names);
        if name.is_empty() && address.is_empty() {
            name = self.unnamed;
        }
        let text = if count(self.ports) == 1 { self.ports } else { element(self.ports) };
        Some(Host { name, address, port: port(text)?, unnamed: self.unnamed })
    }

    /// All of them, as they are listed.
    pub fn iter(self) -> impl Iterator<Item = Host<'s>> {
        (0..self.len()).filter_map(move |n| self.get(n))
    }
}

impl<'s> Host<'s> {
    /// Where it is.
    pub fn place(&self) -> Place<'s> {
        if !self.address.is_empty() {
            Place::Address(self.address)
        } else if is_path(self.name) {
            Place::Unix(self.name)
        } else {
            Place::Name(self.name)
        }
    }

    /// Whether it is reached by a Unix socket, over which there is no TLS.
    pub fn is_unix(&self) -> bool {
        matches!(self.place(), Place::Unix(_))
    }

    /// The path of the Unix socket, if [`place`](Self::place) is one.
    pub fn socket(&self) -> impl fmt::Display + use<'s> {
        Socket(*self)
    }

    /// What it is called in a file of passwords: `localhost` for a Unix socket in the default directory.
    pub fn passfile_name(&self) -> &'s str {
        if self.name.is_empty() {
            self.address
        } else if is_path(self.name) && self.name == self.unnamed {
            "localhost"
        } else {
            self.name
        }
    }
}

struct Socket<'s>(Host<'s>);

impl fmt::Display for Socket<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/.s.PGSQL.{}", self.0.name, self.0.port)
    }
}

/// Whether it is the directory of a Unix socket, or an abstract one, and no name of a host.
fn is_path(name: &str) -> bool {
    name.starts_with(['/', '@'])
}

/// An empty list has one element, which is empty.
fn elements(list: &str) -> impl Iterator<Item = &str> {
    // Not `split(',')`: at opt-level "s" a panic is left in that.
    list.split([','])
}

fn count(list: &str) -> usize {
    list.bytes().filter(|byte| *byte == b',').count().saturating_add(1)
}

/// A port. An empty one is the default.
fn port(text: &str) -> Option<u16> {
    if text.is_empty() {
        return Some(5432);
    }
    u16::try_from(integer(text.as_bytes())?).ok().filter(|port| *port > 0)
}
