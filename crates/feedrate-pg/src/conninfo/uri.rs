//! URIs: `postgresql://user:password@host:port,host:port/database?keyword=value&keyword=value`.

use feedrate::Output;

use super::name::{Name, store};
use super::scan::skip;
use super::settings::{Priority, Settings};
use super::{Keyword, ParseError, Problem};

/// How long the prefix is, if this is a URI.
pub(super) fn prefix(text: &[u8]) -> Option<usize> {
    ["postgresql://", "postgres://"]
        .iter()
        .find(|prefix| text.starts_with(prefix.as_bytes()))
        .map(|prefix| prefix.len())
}

pub(super) fn parse<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    text: &[u8],
    start: usize,
) -> Result<(), ParseError> {
    let mut at = start;
    let name = skip(text, at, |byte| byte != b'@' && byte != b'/');
    if text.get(name) == Some(&b'@') {
        let user = skip(text, at, |byte| byte != b':' && byte != b'@');
        part(settings, text, Keyword::User, at, user)?;
        part(settings, text, Keyword::Password, user.saturating_add(1), name)?;
        at = name.saturating_add(1);
    }
    at = hosts(settings, text, at)?;
    if text.get(at) == Some(&b'/') {
        let end = skip(text, at, |byte| byte != b'?');
        part(settings, text, Keyword::Database, at.saturating_add(1), end)?;
        at = end;
    }
    parameters(settings, text, at.saturating_add(1))
}

/// One part of the URI, if it is not empty.
fn part<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    text: &[u8],
    keyword: Keyword,
    from: usize,
    to: usize,
) -> Result<(), ParseError> {
    if from >= to {
        return Ok(());
    }
    let start = settings.mark();
    Decoder::Before.decode(settings, text, from, to)?;
    settings.finish(keyword, start, Priority::Explicit)
}

/// Where one host's name and port are in the text, and what comes behind them.
struct Place {
    host: (usize, usize),
    port: (usize, usize),
    end: usize,
}

/// All names, then all ports, each with the commas between them: a list of a host is a list of ports too.
fn hosts<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    text: &[u8],
    start: usize,
) -> Result<usize, ParseError> {
    list(settings, text, start, Keyword::Host, |place| place.host)?;
    list(settings, text, start, Keyword::Port, |place| place.port)
}

/// One of the two lists. Returns where the hosts end.
fn list<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    text: &[u8],
    mut at: usize,
    keyword: Keyword,
    which: impl Fn(&Place) -> (usize, usize),
) -> Result<usize, ParseError> {
    let start = settings.mark();
    let mut decoder = Decoder::Before;
    let mut empty = true;
    loop {
        let place = host(text, at)?;
        let (from, to) = which(&place);
        decoder.decode(settings, text, from, to)?;
        empty &= from == to;
        at = place.end;
        if text.get(at) != Some(&b',') {
            break;
        }
        let comma = at;
        at = at.saturating_add(1);
        decoder.decode(settings, text, comma, at)?;
        empty = false;
    }
    if !empty {
        settings.finish(keyword, start, Priority::Explicit)?;
    }
    Ok(at)
}

/// The host and port that start here.
fn host(text: &[u8], at: usize) -> Result<Place, ParseError> {
    let (host, mut end) = if text.get(at) == Some(&b'[') {
        let open = at.saturating_add(1);
        let close = skip(text, open, |byte| byte != b']');
        let end = close.saturating_add(1);
        let problem = match text.get(end) {
            _ if close >= text.len() => Some((at, Problem::UnmatchedBracket)),
            _ if open == close => Some((open, Problem::EmptyBrackets)),
            None | Some(b':' | b'/' | b'?' | b',') => None,
            Some(_) => Some((end, Problem::AfterBracket)),
        };
        if let Some((at, problem)) = problem {
            return Err(ParseError { at, problem });
        }
        ((open, close), end)
    } else {
        let end = skip(text, at, |byte| !matches!(byte, b':' | b'/' | b'?' | b','));
        ((at, end), end)
    };
    let mut port = (end, end);
    if text.get(end) == Some(&b':') {
        let start = end.saturating_add(1);
        end = skip(text, start, |byte| !matches!(byte, b'/' | b'?' | b','));
        port = (start, end);
    }
    Ok(Place { host, port, end })
}

/// What follows the `?`.
fn parameters<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    text: &[u8],
    mut at: usize,
) -> Result<(), ParseError> {
    while at < text.len() {
        let name = at;
        let equals = skip(text, name, |byte| byte != b'=' && byte != b'&');
        if text.get(equals) != Some(&b'=') {
            return Err(ParseError { at: name, problem: Problem::NoEquals });
        }
        let value = equals.saturating_add(1);
        let end = skip(text, value, |byte| byte != b'=' && byte != b'&');
        if text.get(end) == Some(&b'=') {
            return Err(ParseError { at: end, problem: Problem::ExtraEquals });
        }
        let start = settings.mark();
        Decoder::Before.decode(settings, text, name, equals)?;
        let known = match settings.since(start) {
            b"ssl" => Name::Ssl,
            name => Name::of(name),
        };
        settings.cut(start);
        Decoder::Before.decode(settings, text, value, end)?;
        store(settings, known, name, start)?;
        at = end.saturating_add(1);
    }
    Ok(())
}

/// Undoes percent-encoding. Spaces before and behind are left out.
enum Decoder {
    Before,
    Within,
    Behind,
}

impl Decoder {
    /// Decodes one more piece of a value.
    fn decode<M: Output + AsRef<[u8]>>(
        &mut self,
        settings: &mut Settings<M>,
        text: &[u8],
        from: usize,
        to: usize,
    ) -> Result<(), ParseError> {
        let mut at = from;
        while at < to {
            let byte = text.get(at).copied().unwrap_or_default();
            let next = at.saturating_add(1);
            match (&self, byte) {
                (Self::Before, b' ') => {}
                (Self::Within | Self::Behind, b' ') => *self = Self::Behind,
                (Self::Behind, _) => {
                    return Err(ParseError { at: at.saturating_sub(1), problem: Problem::Space });
                }
                (_, b'%') => {
                    *self = Self::Within;
                    let digits = text.get(next..to.min(at.saturating_add(3))).unwrap_or_default();
                    match hexadecimal(digits) {
                        Some(0) => return Err(ParseError { at, problem: Problem::Nul }),
                        Some(byte) => settings.put(&[byte])?,
                        None => return Err(ParseError { at, problem: Problem::Percent }),
                    }
                    at = at.saturating_add(3);
                    continue;
                }
                _ => {
                    *self = Self::Within;
                    settings.put(&[byte])?;
                }
            }
            at = next;
        }
        Ok(())
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)?.wrapping_shl(4) | digit(low)?)
}
