//! Service files.

use feedrate::Output;

use super::scan::is_space;
use super::settings::{Priority, Settings};
use super::{Keyword, ParseError, Problem};

/// Returns whether the section has been found.
pub(super) fn parse<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    name: &[u8],
    file: &[u8],
) -> Result<bool, ParseError> {
    let mut found = false;
    let mut at = 0_usize;
    for whole in file.split(|byte| *byte == b'\n') {
        let line = whole.trim_ascii_start_of_c();
        let start = at.saturating_add(whole.len().saturating_sub(line.len()));
        at = at.saturating_add(whole.len()).saturating_add(1);
        let line = line.trim_ascii_end_of_c();
        match line.first() {
            None | Some(b'#') => {}
            Some(b'[') if found => break,
            Some(b'[') => {
                let rest = line.get(1..).and_then(|line| line.strip_prefix(name));
                found = rest.is_some_and(|rest| rest.starts_with(b"]"));
            }
            Some(_) if found => setting(settings, line, start)?,
            Some(_) => {}
        }
    }
    Ok(found)
}

/// Reads one line, which starts at byte `at` of the file.
fn setting<M: Output + AsRef<[u8]>>(
    settings: &mut Settings<M>,
    line: &[u8],
    at: usize,
) -> Result<(), ParseError> {
    let wrong = |problem| ParseError { at, problem };
    if let Some(nul) = line.iter().position(|byte| *byte == 0) {
        return Err(ParseError { at: at.saturating_add(nul), problem: Problem::Nul });
    }
    let equals = line.iter().position(|byte| *byte == b'=').ok_or(wrong(Problem::NoEquals))?;
    let (name, value) = line.split_at_checked(equals).unwrap_or_default();
    if name == b"service" {
        return Err(wrong(Problem::NestedService));
    }
    let keyword = Keyword::from_name(name).ok_or(wrong(Problem::UnknownKeyword))?;
    let start = settings.mark();
    settings.put(value.get(1..).unwrap_or_default())?;
    settings.finish(keyword, start, Priority::Default)
}

/// As `trim_ascii_start` and `trim_ascii_end`, but of what C takes for space: the vertical tabulator too.
trait Trim {
    fn trim_ascii_start_of_c(&self) -> &[u8];
    fn trim_ascii_end_of_c(&self) -> &[u8];
}

impl Trim for [u8] {
    fn trim_ascii_start_of_c(&self) -> &[u8] {
        let start = self.iter().position(|byte| !is_space(*byte)).unwrap_or(self.len());
        self.get(start..).unwrap_or_default()
    }

    fn trim_ascii_end_of_c(&self) -> &[u8] {
        let end = self.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last.saturating_add(1));
        self.get(..end).unwrap_or_default()
    }
}
