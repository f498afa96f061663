//! Escapes a peer's text for display.

use feedrate::pg::Text;

/// Escapes everything that is not printable, so that a peer's text cannot move a terminal's cursor, hide lines, or type
/// into it: control characters, characters that change the direction of writing, and bytes that are not UTF-8. Also
/// escapes the backslash, with which escapes begin.
pub fn escaped(text: impl AsRef<[u8]>) -> String {
    let quoted = format!("{:?}", Text::from(text.as_ref()));
    // `Debug` has escaped the text. Escaped quotes are not needed without quotes around them.
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
