//! The command line.

use std::path::PathBuf;

use crate::address::Address;
use crate::digits::{bytes, number};
use feedrate::rdp::frame::Fingerprint;

pub(crate) const USAGE: &str = "\
usage: rdp --connect ADDRESS [options] [COMMAND, COMMAND, ...]

Debugs a machine tool over RDPv3. Without commands it reads them from standard input; `help` lists them.

  --connect ADDRESS  tcp:HOST:PORT, or the signal lane: serial:PATH (a serial line at 115 200 baud, a pseudo
                     terminal or a Unix socket), or uart:HOST:PORT (a serial line through TCP)
  --bulk ADDRESS     bulk lane beside the signal lane, as above
  --token TEXT       who you are
  --device HEX       only this device, by its fingerprint of 16 bytes (also --fingerprint)
  --elf FILE         names of this firmware can stand for addresses, and are shown with them (also --symbols)
  --generation N     only this generation of the program: the one that the names in --elf belong to
  --script TEXT      commands, separated by ;
  --json             the conformance suite's host: commands on standard input, answers in JSON;
                     see tests/rdp-conformance/README.md

exit codes: 0 all done; 1 a command was refused; 2 wrong usage; 3 nobody there; 4 the session was refused
(token); 5 another device than --device, or another program than --generation; 6 the session was lost;
7 what was waited for has not come; 130 interrupted
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) signal: Address,
    pub(crate) bulk: Option<Address>,
    pub(crate) token: String,
    pub(crate) device: Option<Fingerprint>,
    pub(crate) generation: Option<u32>,
    pub(crate) symbols: Option<PathBuf>,
    pub(crate) commands: Option<String>,
    pub(crate) json: bool,
}

impl Options {
    /// `Err` is what is wrong with the command line; `Ok(None)` if only help was asked for.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut arguments = arguments.peekable();
        let (mut signal, mut bulk, mut token) = (None, None, String::new());
        let (mut device, mut generation) = (None, None);
        let (mut symbols, mut script, mut json) = (None, None, false);
        // Options of commands begin with two dashes as well: from the first command on they are theirs.
        while let Some(argument) = arguments.next_if(|argument| {
            argument.starts_with('-') || (json && signal.is_none() && argument.contains(':'))
        }) {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--connect" => signal = Some(Address::parse(&value()?)?),
                "--bulk" => bulk = Some(Address::parse(&value()?)?),
                "--token" => token = value()?,
                "--device" | "--fingerprint" => device = Some(fingerprint(&value()?)?),
                "--generation" => generation = Some(small(&value()?)?),
                "--elf" | "--symbols" => symbols = Some(value()?.into()),
                "--script" => script = Some(value()?),
                "--json" => json = true,
                "--help" | "-h" => return Ok(None),
                _ if json && !argument.starts_with('-') => signal = Some(Address::parse(&argument)?),
                _ => return Err(format!("unknown option {argument:?}")),
            }
        }
        let words = arguments.collect::<Vec<_>>().join(" ");
        let commands = match (script, words.is_empty()) {
            (script, true) => script,
            (None, false) => Some(words),
            (Some(_), false) => return Err(format!("there are both a --script and commands: {words:?}")),
        };
        if json && commands.is_some() {
            return Err("with --json, commands come from standard input".into());
        }
        let signal = signal.ok_or("--connect is missing")?;
        if bulk.is_some() && signal.is_stream() {
            return Err("--bulk stands beside a serial line, and --connect is none".into());
        }
        Ok(Some(Self { signal, bulk, token, device, generation, symbols, commands, json }))
    }
}

fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    let wrong = || format!("{text:?} is no fingerprint: expected 32 hexadecimal digits");
    bytes(text).and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong)
}

fn small(text: &str) -> Result<u32, String> {
    let small = number(text).and_then(|number| u32::try_from(number).ok());
    small.ok_or_else(|| format!("{text:?} is no generation: expected a number of 32 bits"))
}
