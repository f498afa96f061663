//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use feedrate_examples::options::seconds;

pub(crate) const USAGE: &str = "\
usage: pg_tap --listen ADDRESS:PORT --server ADDRESS:PORT [options]

Forwards PostgreSQL connections to a server, and prints every message that passes. In place of ADDRESS:PORT there may be
the path of a Unix socket.

  --tls-cert FILE  encrypt for clients that ask for it, with the certificates in this file (PEM) ...
  --tls-key FILE   ... and this key
  --server-tls require|verify-full
                   encrypt toward the server: whoever it is, or only if it has a certificate for its name by
                   --server-ca
  --server-ca FILE whose certificates are believed (PEM)
  --server-name NAME
                   the server's name, if it is not that of --server
  --server-direct  begin TLS without asking first, for PostgreSQL 17 and newer
                   With TLS toward clients and server, a client that wants SCRAM's channel binding, as libpq does
                   by default, cannot log in: it has to connect with channel_binding=disable, unless the
                   certificate in --tls-cert is the server's own.

  --check          report each message that its sender may not send where it comes, and at a connection's end how many
                   ReadyForQuery are owed: `unexpected N client|server NAME: expected ...`,
                   `connection N: M messages, K unexpected, owed A..B, in step yes|no|unknown`
  --reencode       forward what the encoder makes of each message, not the bytes that came, and
                   report where the two differ (exit code 1 if they ever did)
  --trace FILE     write a trace in the format of libpq's PQtrace; the times are UTC
  --trace-regress  in that trace no times, nor what differs between two runs (PQTRACE_REGRESS_MODE)
  --record FILE    write everything that passes, for `tour` (format: examples/src/capture.rs);
                   unlike the other outputs this holds passwords that are sent in clear
  --startup SECONDS
                   drop a client that takes longer to say as whom it wants to log in, the time to reach
                   the server included (10); for what follows the server has a limit of its own
  --starting NUMBER
                   how many clients may be about to do that: one more, and the oldest is dropped (1000)
  --progress SECONDS
                   drop a client that takes nothing of what it is sent for so long (300)
  --linger SECONDS
                   when one side has closed its connection, end when nothing has passed for so long (60)
  --quiet          print no messages
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: String,
    pub(crate) server: String,
    pub(crate) tls_cert: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) server_tls: bool,
    /// It is there for `verify-full`, and for nothing else.
    pub(crate) server_ca: Option<PathBuf>,
    pub(crate) server_name: Option<String>,
    pub(crate) server_direct: bool,
    pub(crate) check: bool,
    pub(crate) reencode: bool,
    pub(crate) trace: Option<PathBuf>,
    pub(crate) regress: bool,
    pub(crate) record: Option<PathBuf>,
    /// How long a client may take to begin.
    pub(crate) startup: Duration,
    /// How many clients may be about to begin.
    pub(crate) starting: usize,
    /// How long a client may take nothing.
    pub(crate) progress: Duration,
    /// How long a connection may be silent after one side has ended.
    pub(crate) linger: Duration,
    pub(crate) quiet: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: String::new(),
            server: String::new(),
            tls_cert: None,
            tls_key: None,
            server_tls: false,
            server_ca: None,
            server_name: None,
            server_direct: false,
            check: false,
            reencode: false,
            trace: None,
            regress: false,
            record: None,
            startup: Duration::from_secs(10),
            starting: 1000,
            progress: Duration::from_secs(300),
            linger: Duration::from_secs(60),
            quiet: false,
        }
    }
}

impl Options {
    /// `Err` is what is wrong with the command line; `Ok(None)` if only help was asked for.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        let mut verify = false;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--listen" => options.listen = value()?,
                "--server" => options.server = value()?,
                "--tls-cert" => options.tls_cert = Some(value()?.into()),
                "--tls-key" => options.tls_key = Some(value()?.into()),
                "--server-tls" => {
                    verify = match value()?.as_str() {
                        "require" => false,
                        "verify-full" => true,
                        other => {
                            return Err(format!("--server-tls {other}: expected require or verify-full"));
                        }
                    };
                    options.server_tls = true;
                }
                "--server-ca" => options.server_ca = Some(value()?.into()),
                "--server-name" => options.server_name = Some(value()?),
                "--server-direct" => options.server_direct = true,
                "--trace" => options.trace = Some(value()?.into()),
                "--record" => options.record = Some(value()?.into()),
                "--check" => options.check = true,
                "--reencode" => options.reencode = true,
                "--trace-regress" => options.regress = true,
                "--startup" => options.startup = seconds(&argument, &value()?)?,
                "--starting" => options.starting = clients(&value()?)?,
                "--progress" => options.progress = seconds(&argument, &value()?)?,
                "--linger" => options.linger = seconds(&argument, &value()?)?,
                "--quiet" => options.quiet = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {argument:?}")),
            }
        }
        for (name, address) in [("--listen", &options.listen), ("--server", &options.server)] {
            let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            match port {
                _ if is_path(address) => {}
                Some(Ok(_)) => {}
                _ if address.is_empty() => return Err(format!("{name} is missing")),
                _ => return Err(format!("{name} {address:?} is not of the form ADDRESS:PORT")),
            }
        }
        if options.regress && options.trace.is_none() {
            return Err("--trace-regress needs --trace".into());
        }
        if options.tls_cert.is_some() != options.tls_key.is_some() {
            return Err("--tls-cert and --tls-key need each other".into());
        }
        // A certificate that nobody looks at would be taken for one that is.
        if verify != options.server_ca.is_some() {
            return Err("--server-tls verify-full and --server-ca need each other".into());
        }
        if !options.server_tls && (options.server_direct || options.server_name.is_some()) {
            return Err("--server-direct and --server-name need --server-tls".into());
        }
        Ok(Some(options))
    }
}

/// Whether an address is that of a Unix socket.
pub(crate) fn is_path(address: &str) -> bool {
    address.starts_with('/')
}

fn clients(text: &str) -> Result<usize, String> {
    let most = text.parse().ok().filter(|most| *most > 0);
    most.ok_or_else(|| format!("--starting {text}: expected a number of clients"))
}
