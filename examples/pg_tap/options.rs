//! The command line.

use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
usage: pg_tap --listen ADDRESS:PORT --server ADDRESS:PORT [options]

Forwards PostgreSQL connections to a server, and prints every message that passes.

  --reencode       forward what the encoder makes of each message, not the bytes that came, and
                   report where the two differ (exit code 1 if they ever did)
  --trace FILE     write a trace in the format of libpq's PQtrace; the times are UTC
  --trace-regress  in that trace no times, nor what differs between two runs (PQTRACE_REGRESS_MODE)
  --record FILE    write everything that passes, for `tour` (format: examples/src/capture.rs);
                   unlike the other outputs this holds passwords that are sent in clear
  --quiet          print no messages
";

#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) listen: String,
    pub(crate) server: String,
    pub(crate) reencode: bool,
    pub(crate) trace: Option<PathBuf>,
    pub(crate) regress: bool,
    pub(crate) record: Option<PathBuf>,
    pub(crate) quiet: bool,
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
