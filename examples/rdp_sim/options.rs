//! The command line.

pub(crate) const USAGE: &str = "\
usage: rdp_sim --listen ADDRESS:PORT [options]

An RDPv3 agent with a simulated machine. Port 0 is any free one; the first line says which.

  --listen       the operator's line: a TCP connection that is a byte stream
  --serial       it stands for a serial line instead: packets of up to 64 bytes
  --bulk-listen  a bulk lane beside a serial line: TCP that stands for SPI
  --observe      a listener for observers, who may look beside the operator: byte streams
  --reference    machine and agent begin anew with each connection of the operator's line, as the
                 conformance suite wants it; otherwise they live on
  --name         what the device says that it is called (reference)
  --log          say on standard error who comes and goes

Tokens: operator (may do all), control (may look, halt and set breakpoints), observer (may look),
brief (may do all for half a second), glimpse (may look for half a second).

Lines of standard input change what is around the machine, and each is answered with `ok` or JSON:
permit BITS, generation N, interlock 0|1, moving 0|1, release-fails 0|1, recovery-fails 0|1,
stall MS, clock MS, freeze 0|1, reset, trap, journal. tests/rdp-conformance/README.md says what they
do.
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: String,
    pub(crate) serial: bool,
    pub(crate) bulk: Option<String>,
    pub(crate) observe: Option<String>,
    pub(crate) reference: bool,
    pub(crate) name: &'static str,
    pub(crate) log: bool,
}

impl Options {
    /// `Err` is what is wrong with the command line; `Ok(None)` if only help was asked for.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            listen: String::new(),
            serial: false,
            bulk: None,
            observe: None,
            reference: false,
            name: "reference",
            log: false,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--listen" => options.listen = address(&value()?)?,
                "--serial" => options.serial = true,
                "--bulk-listen" => options.bulk = Some(address(&value()?)?),
                "--observe" => options.observe = Some(address(&value()?)?),
                "--reference" => options.reference = true,
                // An agent's name is part of its program, and lives as long.
                "--name" => options.name = value()?.leak(),
                "--log" => options.log = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {argument:?}")),
            }
        }
        if options.listen.is_empty() {
            return Err("--listen is missing".into());
        }
        if options.bulk.is_some() && !options.serial {
            return Err("only a serial line has a bulk lane beside it: --serial is missing".into());
        }
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
