//! Lists in headers: RFC 9110, section 5.6.1, and the extensions in one: RFC 6455, section 9.1.

/// Whether it is one: RFC 9110, section 5.6.2.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Without the blanks around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The elements of a list of tokens, empty ones left out.
pub(super) fn tokens(value: &str) -> impl Iterator<Item = &str> + Clone {
    value.split(',').map(trim).filter(|element| !element.is_empty())
}

/// The extensions that a header names.
#[derive(Debug, Clone)]
pub struct Extensions<'a>(pub(super) &'a str);

impl<'a> Extensions<'a> {
    /// Of one header's value.
    pub const fn new(value: &'a str) -> Self {
        Self(value)
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Extension<'a>;

    fn next(&mut self) -> Option<Extension<'a>> {
        loop {
            if self.0.is_empty() {
                return None;
            }
            let (element, rest) = split_unquoted(self.0, b',');
            self.0 = rest;
            let (name, params) = split_unquoted(element, b';');
            let (name, params) = (trim(name), trim(params));
            if !name.is_empty() || !params.is_empty() {
                return Some(Extension { name, params });
            }
        }
    }
}

/// One extension, and what it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its name.
    pub name: &'a str,
    params: &'a str,
}

impl<'a> Extension<'a> {
    /// Its parameters, in their order. One that is not well-formed has a name that is not a token.
    pub fn params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = self.params;
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (param, later) = split_unquoted(rest, b';');
            rest = later;
            let (name, value) = match param.split_once('=') {
                Some((name, value)) => (name, Some(unquote(trim(value)))),
                None => (param, None),
            };
            Some(Param { name: trim(name), value })
        })
    }
}

/// A parameter of an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, without quotes.
    pub value: Option<&'a str>,
}

/// A value in quotes has to be a token without them, so that nothing in it needs to be escaped.
fn unquote(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// What is before and behind the first `separator` that is not in quotes.
fn split_unquoted(text: &str, separator: u8) -> (&str, &str) {
    let mut quoted = false;
    let mut escaped = false;
    let at = text.bytes().position(|byte| {
        (quoted, escaped) = match byte {
            _ if escaped => (quoted, false),
            b'\\' if quoted => (quoted, true),
            b'"' => (!quoted, false),
            _ => (quoted, false),
        };
        byte == separator && !quoted
    });
    let Some(at) = at else { return (text, "") };
    (text.get(..at).unwrap_or_default(), text.get(at.saturating_add(1)..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn extensions_are_split_outside_quotes() {
        let value = r#" a; b=1 ; c="x" ,, d;e="f,;g\"",h"#;
        let found: Vec<_> =
            Extensions::new(value).map(|e| (e.name, e.params().collect::<Vec<_>>())).collect();
        let param = |name, value| Param { name, value };
        assert_eq!(
            found,
            [
                ("a", [param("b", Some("1")), param("c", Some("x"))].to_vec()),
                ("d", [param("e", Some(r#"f,;g\""#))].to_vec()),
                ("h", Vec::new()),
            ]
        );
    }
}
