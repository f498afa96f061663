//! Lists in headers: RFC 9110, section 5.6.1, and the extensions in one: RFC 6455, section 9.1.

use feedrate::EncodeError;

/// Whether this is a token: RFC 9110, section 5.6.2.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Whether this is a host and an optional port, without a user: RFC 3986, section 3.2.2.
pub(super) fn is_authority(bytes: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte);
    let (good, behind) = if let [b'[', rest @ ..] = bytes {
        let end = rest.iter().position(|byte| *byte == b']').unwrap_or(0);
        let address = rest.get(..end).unwrap_or_default();
        let good = !address.is_empty() && address.iter().all(|byte| plain(byte) || *byte == b':');
        (good, rest.get(end.saturating_add(1)..).unwrap_or_default())
    } else {
        let end = bytes.iter().position(|byte| *byte == b':').unwrap_or(bytes.len());
        let (name, behind) = bytes.split_at_checked(end).unwrap_or_default();
        // Hexadecimal digits that are due after a `%`.
        let mut digits = 0_u8;
        let good = name.iter().all(|byte| match (digits, byte) {
            (0, b'%') => {
                digits = 2;
                true
            }
            (0, _) => plain(byte),
            _ => {
                digits = digits.saturating_sub(1);
                byte.is_ascii_hexdigit()
            }
        });
        (good && digits == 0, behind)
    };
    good && match behind {
        [] => true,
        [b':', port @ ..] => port.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Refuses to write `text` if it is not a token.
pub(super) fn check_token(what: &'static str, text: &str) -> Result<(), EncodeError> {
    if is_token(text.as_bytes()) { Ok(()) } else { Err(EncodeError::Invalid { what, expected: "a token" }) }
}

/// `text` without the blanks around it.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The elements of a list of tokens, empty ones left out.
pub(super) fn tokens(value: &str) -> impl Iterator<Item = &str> + Clone {
    elements(value).filter(|element| !element.is_empty())
}

/// The elements of a list without quotes.
pub(super) fn elements(value: &str) -> impl Iterator<Item = &str> + Clone {
    // Not `str::split`: the linker cannot exclude a panic in it.
    let bytes = value.as_bytes().split(|byte| *byte == b',');
    bytes.map(|element| trim(core::str::from_utf8(element).unwrap_or_default()))
}

/// The extensions that a header names.
#[derive(Debug, Clone)]
pub struct Extensions<'a>(pub(super) &'a str);

impl<'a> Extensions<'a> {
    /// The extensions in one header's value.
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
            self.0 = rest.unwrap_or_default();
            let (name, params) = split_unquoted(element, b';');
            let name = trim(name);
            if !name.is_empty() || params.is_some() {
                return Some(Extension { name, params });
            }
        }
    }
}

/// One extension and its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its name.
    pub name: &'a str,
    params: Option<&'a str>,
}

impl<'a> Extension<'a> {
    /// Its parameters, in order. If one is malformed, its name is not a token.
    pub fn params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = self.params;
        core::iter::from_fn(move || {
            let (param, later) = split_unquoted(rest?, b';');
            rest = later;
            let (name, value) = split_unquoted(param, b'=');
            Some(Param { name: trim(name), value: value.map(|value| Value(trim(value))) })
        })
    }
}

/// A parameter of an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value, if it has one.
    pub value: Option<Value<'a>>,
}

/// A parameter's value: a token, or a token in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// As written, with quotes.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Its characters, without quotes and backslashes.
    pub fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        // Not `strip_suffix`: at opt-level "z" a panic is left in it.
        let inside = self.0.get(1..self.0.len().saturating_sub(1)).unwrap_or_default();
        let quoted = matches!(self.0.as_bytes(), [b'"', .., b'"']).then_some(inside);
        let mut escaped = false;
        quoted.unwrap_or(self.0).chars().filter(move |character| {
            escaped = quoted.is_some() && *character == '\\' && !escaped;
            !escaped
        })
    }
}

/// The parts before and after the first `separator` that is not in quotes.
fn split_unquoted(text: &str, separator: u8) -> (&str, Option<&str>) {
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
    let Some(at) = at else { return (text, None) };
    (text.get(..at).unwrap_or_default(), text.get(at.saturating_add(1)..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn extensions_are_split_outside_quotes() {
        let value = r#" a; b=1 ; c="x" ,, d;e="f,;g\"",h;"#;
        let found: Vec<_> =
            Extensions::new(value).map(|e| (e.name, e.params().collect::<Vec<_>>())).collect();
        let param = |name, value: Option<_>| Param { name, value: value.map(Value) };
        assert_eq!(
            found,
            [
                ("a", [param("b", Some("1")), param("c", Some(r#""x""#))].to_vec()),
                ("d", [param("e", Some(r#""f,;g\"""#))].to_vec()),
                ("h", [param("", None)].to_vec()),
            ]
        );
        assert!(Value(r#""f,\\g\"""#).chars().eq("f,\\g\"".chars()));
        assert!(Value(r"1\0").chars().eq(r"1\0".chars()));
    }
}
