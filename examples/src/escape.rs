//! Text of a peer, for the eyes of a person.

use feedrate::pg::Text;

/// What is not printable is escaped, so that nothing a peer says can move the cursor of a terminal, hide lines of it,
/// or type into it: control characters, those that turn the direction of writing, and what is not UTF-8. Besides, the
/// backslash is, which the escapes begin with.
pub fn escaped(text: impl AsRef<[u8]>) -> String {
    let quoted = format!("{:?}", Text::from(text.as_ref()));
    // Within the quotes it is escaped already. Quotes themselves do no harm without others around them.
    quoted.get(1..quoted.len() - 1).unwrap_or_default().replace("\\\"", "\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        for (text, expected) in [
            (&b""[..], ""),
            ("it's κόσμε, 100 % \"quoted\"".as_bytes(), "it's κόσμε, 100 % \"quoted\""),
            (b"\"", "\""),
            (b"\"\"x\"\"", "\"\"x\"\""),
            (b"\\\"", "\\\\\""),
            (b"\x1b[2J\x07\r\n\t\x7f", "\\u{1b}[2J\\u{7}\\r\\n\\t\\u{7f}"),
            // CSI as one character, and as the byte that is none; what writes from the right.
            ("\u{9b}31m\u{202e}".as_bytes(), "\\u{9b}31m\\u{202e}"),
            (b"\x9b31m\xff", "\\x9b31m\\xff"),
        ] {
            let shown = escaped(text);
            assert_eq!(shown, expected);
            assert!(!shown.contains(char::is_control));
        }
    }
}
