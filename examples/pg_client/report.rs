//! Errors and notices as `psql` shows them.

use std::fmt::Write as _;

use feedrate::pg::List;
use feedrate::pg::backend::{ErrorResponse, NoticeField, NoticeResponse, Severity, field};
use feedrate_examples::escape::escaped;

pub(crate) fn error(error: &ErrorResponse<'_>, sql: &str) {
    eprint!("{}", text(error.fields, error.severity(), sql, true));
}

pub(crate) fn notice(notice: &NoticeResponse<'_>, sql: &str) {
    eprint!("{}", text(notice.fields, notice.severity(), sql, false));
}

/// By the rules of `pqBuildErrorMessage3` in libpq's `fe-protocol3.c`, with its default verbosity.
fn text(fields: List<'_, NoticeField<'_>>, severity: Option<Severity>, sql: &str, context: bool) -> String {
    let get = |code| fields.iter().find(|field| field.code == code).map(|field| field.value.as_bytes());
    let mut out = String::new();
    let level = get(field::SEVERITY).map_or_else(|| format!("{severity:?}"), escaped);
    let _ = writeln!(out, "{level}:  {}", lines(get(field::MESSAGE).unwrap_or_default()));
    let number = |code| std::str::from_utf8(get(code)?).ok()?.parse::<usize>().ok();
    if let Some(position) = number(field::POSITION) {
        out += &pointer(sql, position);
    } else if let Some((query, position)) = get(field::INTERNAL_QUERY).zip(number(field::INTERNAL_POSITION)) {
        out += &pointer(&String::from_utf8_lossy(query), position);
    }
    let more = [
        ("DETAIL", field::DETAIL, true),
        ("HINT", field::HINT, true),
        ("QUERY", field::INTERNAL_QUERY, true),
        ("CONTEXT", field::WHERE, context),
    ];
    for (name, code, shown) in more {
        if let Some(value) = get(code).filter(|_| shown) {
            let _ = writeln!(out, "{name}:  {}", lines(value));
        }
    }
    out
}

/// Several lines stay several.
fn lines(text: &[u8]) -> String {
    text.split(|byte| *byte == b'\n').map(escaped).collect::<Vec<_>>().join("\n")
}

/// The line of the query with the position, counted in characters from 1, and a mark below it.
fn pointer(sql: &str, position: usize) -> String {
    let before: String = sql.chars().take(position.saturating_sub(1)).collect();
    let number = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = sql[start..].lines().next().unwrap_or_default().replace('\t', " ");
    let prefix = format!("LINE {number}: ");
    let column = prefix.len() + before[start..].chars().count();
    format!("{prefix}{}\n{:column$}^\n", escaped(line), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_below_the_character() {
        assert_eq!(pointer("select 1\nfrom nowhere\nwhere x", 15), "LINE 2: from nowhere\n             ^\n");
        assert_eq!(pointer("sélect", 3), "LINE 1: sélect\n          ^\n");
        assert_eq!(pointer("x", 99), "LINE 1: x\n         ^\n");
    }
}
