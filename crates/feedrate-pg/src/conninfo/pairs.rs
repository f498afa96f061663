//! Connection strings of keywords and values: `host=localhost dbname='my db'`.

use feedrate::Output;

use super::name::{Name, store};
use super::scan::{is_space, skip};
use super::settings::Settings;
use super::{ParseError, Problem};

pub(super) fn parse<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    text: &[u8],
) -> Result<(), ParseError> {
    let mut at = 0;
    loop {
        at = skip(text, at, is_space);
        if at >= text.len() {
            return Ok(());
        }
        let name = at;
        at = skip(text, at, |byte| byte != b'=' && !is_space(byte));
        let keyword = text.get(name..at).unwrap_or_default();
        at = skip(text, at, is_space);
        if text.get(at) != Some(&b'=') {
            return Err(ParseError { at: name, problem: Problem::NoEquals });
        }
        at = skip(text, at.saturating_add(1), is_space);
        let start = settings.mark();
        at = value(settings, text, at)?;
        store(settings, Name::of(keyword), name, start)?;
    }
}

/// Puts the value that starts here, and returns where it ends.
fn value<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    text: &[u8],
    start: usize,
) -> Result<usize, ParseError> {
    let quoted = text.get(start) == Some(&b'\'');
    let mut at = if quoted { start.saturating_add(1) } else { start };
    loop {
        let (end, escaped) = match text.get(at) {
            Some(b'\'') if quoted => return Ok(at.saturating_add(1)),
            None if quoted => return Err(ParseError { at: start, problem: Problem::UnterminatedQuote }),
            None => return Ok(at),
            Some(byte) if !quoted && is_space(*byte) => return Ok(at),
            Some(b'\\') => (at.saturating_add(2), at.saturating_add(1)),
            Some(_) => (at.saturating_add(1), at),
        };
        // Nothing, if a backslash is the last byte.
        settings.put(text.get(escaped..end).unwrap_or_default())?;
        at = end.min(text.len());
    }
}
