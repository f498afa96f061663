//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use feedrate_examples::options::seconds;

pub(crate) const USAGE: &str = "\
usage: pg_tap --listen ADDRESS:PORT --server ADDRESS:PORT [options]

Forwards PostgreSQL connections to a server, and prints every message that passes.

  --reencode       forward what the encoder makes of each message, not the bytes that came, and
                   report where the two differ (exit code 1 if they ever did)
  --trace FILE     write a trace in the format of libpq's PQtrace; the times are UTC
  --trace-regress  in that trace no times, nor what differs between two runs (PQTRACE_REGRESS_MODE)
  --record FILE    write everything that passes, for `tour` (format: examples/src/capture.rs);
                   unlike the other outputs this holds passwords that are sent in clear
  --startup SECONDS
                   drop a client that takes longer to say as whom it wants to log in, the time to reach
                   the server included (10); for what follows the server has a limit of its own
  --linger SECONDS
                   when one side has closed its connection, end when nothing has passed for so long (60)
  --quiet          print no messages
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: String,
    pub(crate) server: String,
    pub(crate) reencode: bool,
    pub(crate) trace: Option<PathBuf>,
    pub(crate) regress: bool,
    pub(crate) record: Option<PathBuf>,
    /// How long a client may take to begin.
    pub(crate) startup: Duration,
    /// How long a connection may be silent after one side has ended.
    pub(crate) linger: Duration,
    pub(crate) quiet: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: String::new(),
            server: String::new(),
            reencode: false,
            trace: None,
            regress: false,
            record: None,
            startup: Duration::from_secs(10),
            linger: Duration::from_secs(60),
            quiet: false,
        }
    }
}

impl Options {
    /// `Err` is what is wrong with the command line; `Ok(None)` if only help was asked for.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--listen" => options.listen = value()?,
                "--server" => options.server = value()?,
                "--trace" => options.trace = Some(value()?.into()),
                "--record" => options.record = Some(value()?.into()),
                "--reencode" => options.reencode = true,
                "--trace-regress" => options.regress = true,
                "--startup" => options.startup = seconds(&argument, &value()?)?,
                "--linger" => options.linger = seconds(&argument, &value()?)?,
                "--quiet" => options.quiet = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {argument:?}")),
            }
        }
        for (name, address) in [("--listen", &options.listen), ("--server", &options.server)] {
            let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            match port {
                Some(Ok(_)) => {}
                _ if address.is_empty() => return Err(format!("{name} is missing")),
                _ => return Err(format!("{name} {address:?} is not of the form ADDRESS:PORT")),
            }
        }
        if options.regress && options.trace.is_none() {
            return Err("--trace-regress needs --trace".into());
        }
        Ok(Some(options))
    }
}
