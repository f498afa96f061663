//! SASLprep (RFC 4013), as PostgreSQL does it: what passwords become before SCRAM hashes them.

mod nfkc;
mod table;

use self::table::{LEFT_TO_RIGHT, PROHIBITED, RIGHT_TO_LEFT};

/// Gives the bytes that SCRAM hashes for this password, piece by piece, and returns whether they were normalized.
///
/// Passwords of ASCII stay as they are, and so does what is not UTF-8, or has characters that SASLprep prohibits: a
/// rule of PostgreSQL's, which does not know the encoding of a password. Nothing is allocated.
///
/// ```
/// use feedrate_pg::auth::saslprep;
///
/// let mut bytes = Vec::new();
/// assert!(saslprep("Ⅸ\u{ad}".as_bytes(), |piece| bytes.extend_from_slice(piece)));
/// assert_eq!(bytes, b"IX");
///
/// bytes.clear();
/// assert!(!saslprep(b"caf\xe9", |piece| bytes.extend_from_slice(piece)));
/// assert_eq!(bytes, b"caf\xe9");
/// ```
pub fn saslprep(password: &[u8], mut piece: impl FnMut(&[u8])) -> bool {
    let text = core::str::from_utf8(password).ok();
    match text.filter(|text| !text.is_ascii() && is_allowed(text)) {
        Some(text) => {
            nfkc::normalize(mapped(text), |c| {
                let mut memory = [0; 4];
                piece(c.encode_utf8(&mut memory).as_bytes());
            });
            true
        }
        None => {
            piece(password);
            false
        }
    }
}

/// Section 2.1: spaces become the ASCII one, and what nobody sees is left out.
fn mapped(text: &str) -> impl Iterator<Item = char> + Clone {
    text.chars().filter_map(|c| match c {
        // Table C.1.2. U+200B is in both.
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        // Table B.1.
        '\u{ad}'
        | '\u{34f}'
        | '\u{1806}'
        | '\u{180b}'..='\u{180d}'
        | '\u{200c}'
        | '\u{200d}'
        | '\u{2060}' => None,
        '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => None,
        _ => Some(c),
    })
}

/// Sections 2.3, 2.4 and 2.5, of what is to be normalized: PostgreSQL does not look at the normalized characters.
fn is_allowed(text: &str) -> bool {
    let is_right = |c: &char| RIGHT_TO_LEFT.contains(*c);
    let (Some(first), Some(last)) = (mapped(text).next(), mapped(text).last()) else { return false };
    if mapped(text).any(|c| PROHIBITED.contains(c)) {
        return false;
    }
    let has_right = mapped(text).any(|c| is_right(&c));
    !has_right || (is_right(&first) && is_right(&last) && !mapped(text).any(|c| LEFT_TO_RIGHT.contains(c)))
}

#[cfg(test)]
mod tests {
    use std::string::String;

    use super::*;

    fn prepared(password: &str) -> Option<String> {
        let mut bytes = std::vec::Vec::new();
        let normalized = saslprep(password.as_bytes(), |piece| bytes.extend_from_slice(piece));
        if !normalized {
            assert_eq!(bytes, password.as_bytes());
        }
        normalized.then(|| String::from_utf8(bytes).unwrap())
    }

    /// RFC 4013, section 3, and PostgreSQL's `t/002_saslprep.pl`.
    #[test]
    fn examples_of_the_rfc() {
        assert_eq!(prepared("I\u{ad}X").as_deref(), Some("IX"));
        assert_eq!(prepared("user"), None);
        assert_eq!(prepared("USER"), None);
        assert_eq!(prepared("\u{aa}").as_deref(), Some("a"));
        assert_eq!(prepared("\u{2168}").as_deref(), Some("IX"));
        assert_eq!(prepared("foo\u{7}bar"), None);
        assert_eq!(prepared("foo\u{627}1bar"), None);
        assert_eq!(prepared("\u{627}1"), None);
        assert_eq!(prepared("1\u{627}"), None);
        assert_eq!(prepared("\u{627}1\u{628}").as_deref(), Some("\u{627}1\u{628}"));
    }

    #[test]
    fn mapped_and_prohibited() {
        assert_eq!(prepared("a\u{a0}\u{200b}b").as_deref(), Some("a  b"));
        assert_eq!(prepared("\u{ad}\u{feff}"), None, "nothing is left");
        assert_eq!(prepared("\u{7}é"), None, "a control character");
        assert_eq!(prepared("é\u{221}"), None, "unassigned in Unicode 3.2");
        assert_eq!(prepared("é\u{340}"), None, "deprecated");
        assert_eq!(prepared("é\u{e000}"), None, "private");
        assert_eq!(prepared("é\u{10ffff}"), None, "no character");
        assert_eq!(prepared("\u{5d0}a\u{5d0}"), None, "left to right between right to left");
    }

    /// Of Unicode's NormalizationTest.txt, part 1 and 2: what each rule is for.
    #[test]
    fn normalized() {
        for (from, to) in [
            ("e\u{301}", "é"),
            ("\u{1e0a}\u{323}", "\u{1e0c}\u{307}"),
            ("D\u{307}\u{323}", "\u{1e0c}\u{307}"),
            ("\u{1e9b}\u{323}", "\u{1e69}"),
            ("a\u{315}\u{300}\u{5ae}\u{62}", "à\u{5ae}\u{315}b"),
            ("\u{1100}\u{1161}\u{11a8}", "각"),
            ("가\u{11a8}", "각"),
            ("각", "각"),
            ("각\u{11a8}", "각\u{11a8}"),
            ("a\u{305}\u{300}", "a\u{305}\u{300}"),
            ("\u{9c7}\u{9be}", "\u{9cb}"),
            ("\u{1100}\u{300}\u{1161}", "\u{1100}\u{300}\u{1161}"),
            ("\u{212b}", "Å"),
            ("\u{fb01}", "fi"),
            ("\u{ff76}\u{ff9e}", "ガ"),
            ("\u{301}a\u{301}", "\u{301}á"),
            ("\u{958}\u{93c}é", "\u{915}\u{93c}\u{93c}é"),
            ("\u{2f868}", "\u{36fc}"),
        ] {
            assert_eq!(prepared(from).as_deref(), Some(to), "{from:?}");
        }
    }
}
