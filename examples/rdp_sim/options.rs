//! The command line.

use feedrate::rdp::packet::Line;

pub(crate) const USAGE: &str = "\
usage: rdp_sim --listen ADDRESS:PORT | --serial-listen ADDRESS:PORT [options]

An RDPv3 agent with a simulated machine. Port 0 is any free one; the first line says which.

  --listen         signal lane: TCP, with stream framing
  --serial-listen  signal lane: TCP that stands for a UART, with serial framing
  --bulk-listen    bulk lane beside it: TCP that stands for SPI
  --reference      machine and agent begin anew with each connection of the signal lane, as the
                   conformance suite wants it; otherwise they live on
  --log            say on standard error who comes and goes

Tokens: operator (may do all), observer (may look), brief (may do all for half a second).
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) signal: String,
    pub(crate) line: Line,
    pub(crate) bulk: Option<String>,
    pub(crate) reference: bool,
    pub(crate) log: bool,
}

impl Options {
    /// `Err` is what is wrong with the command line; `Ok(None)` if only help was asked for.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut signal = None;
        let mut options =
            Self { signal: String::new(), line: Line::TCP, bulk: None, reference: false, log: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            let line = match argument.as_str() {
                "--listen" => Line::TCP,
                "--serial-listen" => Line::UART,
                "--bulk-listen" => {
                    options.bulk = Some(address(&value()?)?);
                    continue;
                }
                "--reference" => {
                    options.reference = true;
                    continue;
                }
                "--log" => {
                    options.log = true;
                    continue;
                }
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {argument:?}")),
            };
            if signal.replace(address(&value()?)?).is_some() {
                return Err("there is one signal lane: --listen or --serial-listen, once".into());
            }
            options.line = line;
        }
        options.signal = signal.ok_or("--listen or --serial-listen is missing")?;
        Ok(Some(options))
    }
}

/// A port alone is one of the loopback interface.
fn address(text: &str) -> Result<String, String> {
    if text.parse::<u16>().is_ok() {
        return Ok(format!("127.0.0.1:{text}"));
    }
    match text.rsplit_once(':').map(|(_, port)| port.parse::<u16>()) {
        Some(Ok(_)) => Ok(text.to_owned()),
        _ => Err(format!("{text:?} is not of the form ADDRESS:PORT")),
    }
}
