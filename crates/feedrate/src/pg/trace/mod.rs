//! Prints messages as libpq's `PQtrace` does: one line per message, which existing tools and test suites can read.
//!
//! ```text
//! F ⇥ 13 ⇥ Query ⇥  "select 1"
//! │   │    │        └ fields, a blank before each: "strings", 'bytes' with \xNN for what is not printable, numbers
//! │   │    └ name
//! │   └ length, as the message says it: without the type byte
//! └ F from the frontend, B from the backend
//! ```
//!
//! The only specification of the format is libpq's `fe-trace.c`. Where its versions differ, this follows the newest:
//! PostgreSQL 14 to 17 do not print startup packets, COPY data or the kind of authentication; 18 does. Everything else
//! is the same in all versions, and is compared with the `*.trace` files of PostgreSQL's `libpq_pipeline` tests.
//!
//! Two things differ from libpq on purpose. Passwords, keys and SASL data are always hidden, not only for regression
//! tests. And bytes of a string that are not UTF-8 are printed as `\xNN`, because [`Display`] can only write UTF-8. As
//! in libpq, strings are not escaped: a line break in a query is a line break in the trace.

mod printer;

use core::fmt::{self, Display};

pub(crate) use self::printer::Printer;
use super::backend::{self, Message as B};
use super::frontend::{self, Message as F};
use super::message::Traced;
use super::message::encryption_response::{Encryption, EncryptionResponse};

/// One message as a line of a trace, to be printed with [`Display`]. The caller adds the line break, and the time of
/// day, which libpq puts before the line as `2026-11-21 22:46:00.123456` and a tab.
///
/// ```
/// use feedrate::pg::{backend, frontend, trace::Line};
///
/// let query = frontend::Query { sql: "select 1".into() }.into();
/// assert_eq!(Line::frontend(&query, 14).to_string(), "F\t13\tQuery\t \"select 1\"");
///
/// let columns = [Some(&b"a\0"[..]), None];
/// let row = backend::DataRow { columns: (&columns).into() }.into();
/// assert_eq!(Line::backend(&row, 17).to_string(), "B\t16\tDataRow\t 2 2 'a\\x00' -1");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Line<'m> {
    said: Said<'m>,
    size: usize,
    regress: bool,
}

#[derive(Debug, Clone, Copy)]
enum Said<'m> {
    Backend(&'m backend::Message<'m>),
    Frontend(&'m frontend::Message<'m>),
    Response(Encryption, EncryptionResponse),
}

impl<'m> Line<'m> {
    /// A backend's message that takes `size` bytes on the wire: the length of [`Frame::raw`](super::Frame::raw), or
    /// [`Encode::encoded_length`](crate::Encode::encoded_length) for a message that is yet to be sent.
    ///
    /// ```
    /// use feedrate::{Encode, pg::{backend, trace::Line}};
    ///
    /// let done: backend::Message<'_> = backend::CommandComplete { tag: "SELECT 1".into() }.into();
    /// let line = Line::backend(&done, done.encoded_length()?);
    /// assert_eq!(line.to_string(), "B\t13\tCommandComplete\t \"SELECT 1\"");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    pub const fn backend(message: &'m backend::Message<'m>, size: usize) -> Self {
        Self { said: Said::Backend(message), size, regress: false }
    }

    /// A frontend's message that takes `size` bytes on the wire.
    ///
    /// ```
    /// use feedrate::pg::{Secret, frontend, trace::Line};
    ///
    /// let password = frontend::Message::PasswordMessage(frontend::PasswordMessage {
    ///     password: Secret::from(&b"open sesame"[..]),
    /// });
    /// assert_eq!(Line::frontend(&password, 17).to_string(), "F\t16\tPasswordMessage\t \"SSSS\"");
    /// ```
    pub const fn frontend(message: &'m frontend::Message<'m>, size: usize) -> Self {
        Self { said: Said::Frontend(message), size, regress: false }
    }

    /// The one byte that answers a request for encryption. A refusal does not contain what it refuses, and libpq prints
    /// that: hence `asked`.
    ///
    /// ```
    /// use feedrate::pg::{Encryption, EncryptionResponse, trace::Line};
    ///
    /// let line = Line::encryption_response(Encryption::Ssl, EncryptionResponse::Refused);
    /// assert_eq!(line.to_string(), "B\t1\tSSLResponse\t N");
    /// ```
    pub const fn encryption_response(asked: Encryption, response: EncryptionResponse) -> Self {
        Self { said: Said::Response(asked, response), size: 1, regress: false }
    }

    /// Hides what differs between two runs of the same test, as libpq's `PQTRACE_REGRESS_MODE` does. Object identifiers
    /// and process numbers become `NNNN`, the source location of an error `"SSSS"` and its length `NN`, COPY data
    /// `'BBBB'`.
    ///
    /// ```
    /// use feedrate::pg::{backend, trace::Line};
    ///
    /// let types = backend::ParameterDescription { types: (&[23, 25]).into() }.into();
    /// let line = Line::backend(&types, 15);
    /// assert_eq!(line.to_string(), "B\t14\tParameterDescription\t 2 23 25");
    /// assert_eq!(line.regress(true).to_string(), "B\t14\tParameterDescription\t 2 NNNN NNNN");
    /// ```
    #[must_use]
    pub const fn regress(mut self, on: bool) -> Self {
        self.regress = on;
        self
    }
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (direction, tagged) = match self.said {
            Said::Backend(message) => ("B", message.is_tagged()),
            Said::Frontend(message) => ("F", message.is_tagged()),
            Said::Response(..) => ("B", false),
        };
        match self.said {
            // Errors contain names of the server's source files, whose lengths change between versions.
            Said::Backend(B::ErrorResponse(_) | B::NoticeResponse(_)) if self.regress => {
                write!(f, "{direction}\tNN\t")?;
            }
            _ => write!(f, "{direction}\t{}\t", self.size.saturating_sub(usize::from(tagged)))?,
        }
        let mut out = Printer::new(f, self.regress);
        match self.said {
            Said::Backend(message) => message.trace(&mut out),
            // libpq prints this name for a `p` whose kind it does not know.
            Said::Frontend(F::AuthenticationResponse(_)) => out.name("UnknownAuthenticationResponse"),
            Said::Frontend(message) => message.trace(&mut out),
            Said::Response(asked, response) => response.trace_after(Some(asked), &mut out),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::pg::{Backend, Frontend};
    use crate::{Array, Decoder};

    fn backend(raw: &[u8]) -> std::string::String {
        let mut decoder = Decoder::new(Backend::established(), Array::<256>::new());
        let frame = decoder.feed(&mut &raw[..]).unwrap().unwrap();
        Line::backend(&frame.message().unwrap(), raw.len()).to_string()
    }

    fn startup(raw: &[u8]) -> std::string::String {
        let mut decoder = Decoder::new(Frontend::new(), Array::<256>::new());
        let frame = decoder.feed(&mut &raw[..]).unwrap().unwrap();
        Line::frontend(&frame.message().unwrap(), raw.len()).to_string()
    }

    #[test]
    fn numbers_have_libpqs_signs() {
        let column = b"T\0\0\0\x1a\0\x01c\0\xff\xff\xff\xff\xff\xff\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0";
        assert_eq!(backend(column), "B\t26\tRowDescription\t 1 \"c\" -1 65535 25 65535 -1 0");
    }

    #[test]
    fn secrets_do_not_show() {
        let sasl = b"R\0\0\0\x0d\0\0\0\x0br=abc";
        assert_eq!(backend(sasl), "B\t13\tAuthenticationSASLContinue\t 'BBBB'");
        let key = b"K\0\0\0\x0c\0\0\0\x07\x01\x02\x03\x04";
        assert_eq!(backend(key), "B\t12\tBackendKeyData\t 7 'BBBB'");
        let cancel = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07\x01\x02\x03\x04";
        assert_eq!(startup(cancel), "F\t16\tCancelRequest\t 1234 5678 7 'BBBB'");
    }

    #[test]
    fn untagged_packets_count_all_their_bytes() {
        assert_eq!(startup(b"\0\0\0\x08\x04\xd2\x16\x2f"), "F\t8\tSSLRequest\t 1234 5679");
        assert_eq!(
            startup(b"\0\0\0\x10\0\x03\0\x02user\0a\0\0"),
            "F\t16\tStartupMessage\t 3 2 \"user\" \"a\""
        );
    }

    #[test]
    fn lists_end_as_they_end_on_the_wire() {
        let mechanisms = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";
        assert_eq!(backend(mechanisms), "B\t23\tAuthenticationSASL\t \"SCRAM-SHA-256\" \"\"");
        let error = b"E\0\0\0\x0cCXX000\0\0";
        assert_eq!(backend(error), "B\t12\tErrorResponse\t C \"XX000\" \\x00");
    }

    #[test]
    fn passwords_and_tokens_do_not_show() {
        use crate::pg::frontend::{GSSResponse, PasswordMessage, SASLInitialResponse, SASLResponse};

        let secret = crate::pg::Secret::from("open sesame");
        let messages: [(frontend::Message<'_>, &str); 4] = [
            (F::PasswordMessage(PasswordMessage { password: secret }), "\"SSSS\""),
            (F::SASLResponse(SASLResponse { data: secret }), "'BBBB'"),
            (F::GSSResponse(GSSResponse { data: secret }), "'BBBB'"),
            (
                F::SASLInitialResponse(SASLInitialResponse { mechanism: "M".into(), data: Some(secret) }),
                "\"M\" 11 'BBBB'",
            ),
        ];
        for (message, shown) in messages {
            let line = Line::frontend(&message, 9).to_string();
            assert_eq!(line, std::format!("F\t8\t{}\t {shown}", message.name()));
        }
    }

    #[test]
    fn what_differs_between_runs_can_be_hidden() {
        use crate::pg::List;
        use crate::pg::backend::{CopyData, ErrorResponse, NoticeField, NotificationResponse, field};

        let regress = |message: backend::Message<'_>| Line::backend(&message, 9).regress(true).to_string();
        let notification = NotificationResponse { process_id: 7, ..NotificationResponse::default() };
        assert_eq!(regress(notification.into()), "B\t8\tNotificationResponse\t NNNN \"\" \"\"");
        assert_eq!(regress(CopyData { data: b"row" }.into()), "B\t8\tCopyData\t 'BBBB'");
        let fields =
            [(field::MESSAGE, "no"), (field::FILE, "a.c"), (field::LINE, "1"), (field::ROUTINE, "f")]
                .map(|(code, value)| NoticeField { code, value: value.into() });
        let error = ErrorResponse { fields: List::from(&fields) };
        let expected = "B\tNN\tErrorResponse\t M \"no\" F \"SSSS\" L \"SSSS\" R \"SSSS\" \\x00";
        assert_eq!(regress(error.into()), expected);
    }
}
