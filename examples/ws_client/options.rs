//! The command line.

use feedrate_examples::tls;
use feedrate_examples::ws::{Limits, url};
use feedrate_io::ws::ClientConfig;
use feedrate_io::ws::tls::ClientTls;
use feedrate_ws::deflate::Offer;

pub(crate) const USAGE: &str = "\
usage: ws_client [OPTIONS] URL [COMMANDS]
       ws_client suite URL [--agent NAME] [--deflate] [--cases FIRST-LAST] [--limit BYTES]
  URL                  ws://HOST:PORT/PATH, or wss
  --ca FILE            whose signature on a server's certificate is believed (PEM): for wss, which fails without it
  --deflate            offers to compress
  --require-deflate    the same, and closes with 1010 if the server does not agree
  --protocol NAME      a subprotocol that it speaks; may be given again
  --header 'N: V'      a further header; may be given again
  --limit BYTES        the longest message that is accepted (67108864)
  --handshake SECONDS  how long connecting and the handshake may take (10)
  --progress SECONDS   gives up when the server has taken nothing of what it is sent for so long (30)
commands, separated by semicolons, or one a line from the standard input:
  text TEXT          sends a text message
  binary HEX         sends a binary message
  fill KIND BYTES    sends a message of that many bytes; KIND is text or binary
  recv [N]           waits for a message, or for N, and shows them
  ping [TEXT]        sends a ping and waits for its pong
  close [CODE [REASON]]  closes (1000), and waits for the server's close frame
";

/// What the command line says.
pub(crate) struct Options {
    pub(crate) config: ClientConfig,
    pub(crate) tls: ClientTls,
    /// The test suite is on the other side, and these are its cases.
    pub(crate) suite: Option<Suite>,
    pub(crate) commands: Option<String>,
}

/// Which cases of the test suite are run, and for whom.
pub(crate) struct Suite {
    pub(crate) agent: String,
    pub(crate) cases: Option<(u32, u32)>,
}

impl Options {
    /// What the arguments ask for; `None` is `--help`.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut suite = Suite { agent: "feedrate".into(), cases: None };
        let (mut deflate, mut protocols, mut headers, mut limit) = (None, Vec::new(), Vec::new(), 64 << 20);
        let (mut rest, mut requires_deflate, mut limits) = (Vec::new(), false, Limits::default());
        let mut authorities = None;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            if limits.option(&argument, &mut value)? {
                continue;
            }
            match argument.as_str() {
                "--help" => return Ok(None),
                "--ca" => authorities = Some(value()?),
                "--deflate" => deflate = Some(Offer::default()),
                "--require-deflate" => (deflate, requires_deflate) = (Some(Offer::default()), true),
                "--protocol" => protocols.push(value()?),
                "--header" => {
                    let header = value()?;
                    let (name, value) =
                        header.split_once(':').ok_or(format!("--header {header}: expected 'NAME: VALUE'"))?;
                    headers.push((name.to_owned(), value.trim().to_owned()));
                }
                "--limit" => limit = number(&value()?)?,
                "--agent" => suite.agent = value()?,
                "--cases" => {
                    let cases = value()?;
                    let (first, last) = cases.split_once('-').unwrap_or((&cases, &cases));
                    suite.cases = Some((number(first)?, number(last)?));
                }
                other if other.starts_with("--") => return Err(format!("unknown argument {other}")),
                _ => rest.push(argument),
            }
        }
        let is_suite = rest.first().is_some_and(|first| first == "suite");
        let mut rest = rest.into_iter().skip(usize::from(is_suite));
        let url = url(&rest.next().ok_or("the URL is missing")?)?;
        let commands = rest.next();
        if let Some(more) = rest.next() {
            return Err(format!("unexpected {more}"));
        }
        let config = url
            .deflate(deflate)
            .require_deflate(requires_deflate)
            .protocols::<String>(protocols)
            .longest_message(limit)
            .limits(limits.queued(limit));
        let config = headers.into_iter().fold(config, |config, (name, value)| config.header(name, value));
        let tls = tls::client(authorities.as_deref())?;
        Ok(Some(Self { config, tls, suite: is_suite.then_some(suite), commands }))
    }
}

pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text}: expected a number"))
}
