//! Prints messages as libpq prints them for `PQtrace`: one line a message, which tools and test suites know
//! how to read.
//!
//! ```text
//! F ⇥ 13 ⇥ Query ⇥  "select 1"
//! │   │    │        └ fields, a blank before each: "strings", 'bytes' with \xNN for what is not printable, numbers
//! │   │    └ name
//! │   └ length, as the message says it: without the type byte
//! └ F from the frontend, B from the backend
//! ```
//!
//! The format has no specification but libpq's `fe-trace.c`. Where its versions differ, this follows the
//! newer one: PostgreSQL 14 to 17 print neither startup packets nor COPY data nor which authentication is
//! asked for; 18 does. All else is the same in all of them, and is compared with the `*.trace` files of
//! PostgreSQL's `libpq_pipeline` tests.
//!
//! Two things differ from libpq on purpose. Passwords, keys and SASL data are hidden always, not only for
//! regression tests. And bytes of a string that are not UTF-8 show as `\xNN`, for [`Display`] can write
//! nothing else. As in libpq, strings are not escaped: a line break in a query is one in the trace.

use core::fmt::{self, Display, Write};

use super::backend::{self, Authentication, NoticeField, field};
use super::encryption::{Encryption, EncryptionResponse};
use super::format::Format;
use super::frontend::{self, Target};
use super::list::List;
use super::startup;
use super::text::{Secret, Text};

/// One message as a line of a trace, to be shown with [`Display`]. The line break is left to the caller, and
/// so is the time of day, which libpq puts before the line as `2026-11-21 22:46:00.123456` and a tab.
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
    /// A backend's message that takes `size` bytes on the wire: [`Frame::raw`](super::Frame::raw) has as
    /// many, and [`Encode::encoded_length`](crate::Encode::encoded_length) says it of a message that is yet
    /// to be sent.
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

    /// The one byte that answers a request for encryption. A refusal does not say what it refuses, so that
    /// libpq's line can only be written by who remembers the request.
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

    /// Hides what differs between two runs of the same test: libpq's `PQTRACE_REGRESS_MODE`. Object
    /// identifiers and process numbers are `NNNN`, where an error was raised is `"SSSS"` and the error's
    /// length `NN`, COPY data are `'BBBB'`.
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
        use {backend::Message as B, frontend::Message as F};
        let (direction, tagged) = match self.said {
            Said::Response(..) | Said::Backend(B::EncryptionResponse(_)) => ("B", false),
            Said::Backend(message) => ("B", !matches!(message, B::PlainError(_))),
            Said::Frontend(message) => (
                "F",
                !matches!(
                    message,
                    F::StartupMessage(_)
                        | F::SSLRequest(_)
                        | F::GSSENCRequest(_)
                        | F::CancelRequest(_)
                        | F::DirectTls(_)
                ),
            ),
        };
        match self.said {
            // Names of the server's source files are part of it, and their lengths change with its versions.
            Said::Backend(B::ErrorResponse(_) | B::NoticeResponse(_)) if self.regress => {
                write!(f, "{direction}\tNN\t")?;
            }
            _ => write!(f, "{direction}\t{}\t", self.size.saturating_sub(usize::from(tagged)))?,
        }
        let mut fields = Fields { f, regress: self.regress };
        match self.said {
            Said::Backend(message) => fields.backend(message),
            Said::Frontend(message) => fields.frontend(message),
            Said::Response(asked, response) => fields.response(Some(asked), response),
        }
    }
}

/// Writes a name, then fields.
struct Fields<'f, 'w> {
    f: &'f mut fmt::Formatter<'w>,
    regress: bool,
}

type Chain<'c, 'f, 'w> = Result<&'c mut Fields<'f, 'w>, fmt::Error>;

impl<'f, 'w> Fields<'f, 'w> {
    fn backend(&mut self, message: &backend::Message<'_>) -> fmt::Result {
        use backend::Message as M;
        match message {
            M::Authentication(request) => return self.authentication(request),
            M::EncryptionResponse(response) => return self.response(None, *response),
            M::Unknown(unknown) => return write!(self.f, "Unknown message: {:02x}", unknown.tag),
            // What it says, somebody else may have written.
            M::UntrustedError(_) => return self.f.write_str("UntrustedError"),
            _ => self.f.write_str(message.name())?,
        }
        match message {
            M::BackendKeyData(m) => self.tab()?.volatile(m.process_id)?.hidden()?,
            M::CommandComplete(m) => self.tab()?.text(m.tag)?,
            M::CopyBothResponse(m) => self.tab()?.byte(m.format)?.formats(m.column_formats)?,
            M::CopyData(m) => self.tab()?.copy_data(m.data)?,
            M::CopyInResponse(m) => self.tab()?.byte(m.format)?.formats(m.column_formats)?,
            M::CopyOutResponse(m) => self.tab()?.byte(m.format)?.formats(m.column_formats)?,
            M::DataRow(m) => self.tab()?.values(m.columns)?,
            M::ErrorResponse(m) => self.tab()?.report(m.fields)?,
            M::FunctionCallResponse(m) => self.tab()?.value(m.value)?,
            M::NegotiateProtocolVersion(m) => {
                self.tab()?.number(signed(m.version.0))?.number(m.unrecognized.len())?;
                m.unrecognized.iter().try_fold(self, |out, name| out.text(name))?
            }
            M::NoticeResponse(m) => self.tab()?.report(m.fields)?,
            M::NotificationResponse(m) => {
                self.tab()?.volatile(m.process_id)?.text(m.channel)?.text(m.payload)?
            }
            M::ParameterDescription(m) => self.tab()?.oids(m.types)?,
            M::ParameterStatus(m) => self.tab()?.text(m.name)?.text(m.value)?,
            M::PlainError(m) => self.tab()?.text(m.text)?,
            M::ReadyForQuery(m) => self.tab()?.byte(m.status.byte())?,
            M::RowDescription(m) => {
                self.tab()?.number(m.fields.len())?;
                m.fields.iter().try_fold(self, |out, column| {
                    out.text(column.name)?.oid(column.table_oid)?.int16(column.column_number)?;
                    out.oid(column.type_oid)?.int16(column.type_size)?;
                    out.number(column.type_modifier)?.int16(column.format.0)
                })?
            }
            _ => self,
        };
        Ok(())
    }

    fn frontend(&mut self, message: &frontend::Message<'_>) -> fmt::Result {
        use frontend::Message as M;
        match message {
            M::AuthenticationResponse(_) => return self.f.write_str("UnknownAuthenticationResponse"),
            M::Unknown(unknown) => return write!(self.f, "Unknown message: {:02x}", unknown.tag),
            _ => self.f.write_str(message.name())?,
        }
        match message {
            M::Bind(m) => {
                self.tab()?.text(m.portal)?.text(m.statement)?.formats(m.parameter_formats)?;
                self.values(m.parameters)?.formats(m.result_formats)?
            }
            M::CancelRequest(m) => self.tab()?.code(startup::CANCEL)?.volatile(m.process_id)?.hidden()?,
            M::Close(m) => self.tab()?.target(m.target)?,
            M::CopyData(m) => self.tab()?.copy_data(m.data)?,
            M::CopyFail(m) => self.tab()?.text(m.reason)?,
            M::Describe(m) => self.tab()?.target(m.target)?,
            M::Execute(m) => self.tab()?.text(m.portal)?.number(m.max_rows)?,
            M::FunctionCall(m) => {
                self.tab()?.oid(m.function)?.formats(m.argument_formats)?;
                self.values(m.arguments)?.int16(m.result_format.0)?
            }
            M::GSSENCRequest(_) => self.tab()?.code(startup::GSSENC)?,
            M::GSSResponse(_) | M::SASLResponse(_) => self.tab()?.hidden()?,
            M::Parse(m) => self.tab()?.text(m.statement)?.text(m.sql)?.oids(m.parameter_types)?,
            M::PasswordMessage(_) => self.tab()?.text("SSSS".into())?,
            M::Query(m) => self.tab()?.text(m.sql)?,
            M::SASLInitialResponse(m) => {
                self.tab()?.text(m.mechanism)?;
                match m.data.map(Secret::expose) {
                    Some(data) => self.number(data.len())?.hidden()?,
                    None => self.number(-1)?,
                }
            }
            M::SSLRequest(_) => self.tab()?.code(startup::SSL)?,
            M::StartupMessage(m) => {
                self.tab()?.code(m.version.0)?;
                m.parameters.iter().try_fold(self, |out, p| out.text(p.name)?.text(p.value))?
            }
            _ => self,
        };
        Ok(())
    }

    fn authentication(&mut self, request: &Authentication<'_>) -> fmt::Result {
        self.f.write_str(match request {
            Authentication::Ok => "AuthenticationOk",
            Authentication::KerberosV5 => "AuthenticationKerberosV5",
            Authentication::CleartextPassword => "AuthenticationCleartextPassword",
            Authentication::Md5Password { .. } => "AuthenticationMD5Password",
            Authentication::Gss => "AuthenticationGSS",
            Authentication::GssContinue { .. } => "AuthenticationGSSContinue",
            Authentication::Sspi => "AuthenticationSSPI",
            Authentication::Sasl { .. } => "AuthenticationSASL",
            Authentication::SaslContinue { .. } => "AuthenticationSASLContinue",
            Authentication::SaslFinal { .. } => "AuthenticationSASLFinal",
            Authentication::Other { code, .. } => {
                return write!(self.f, "Unknown authentication message {}", signed(*code));
            }
        })?;
        match request {
            Authentication::GssContinue { .. }
            | Authentication::SaslContinue { .. }
            | Authentication::SaslFinal { .. } => self.tab()?.hidden()?,
            // libpq prints the empty name that ends the list.
            Authentication::Sasl { mechanisms } => {
                self.tab()?;
                mechanisms.iter().try_fold(self, |out, name| out.text(name))?.text("".into())?
            }
            _ => self,
        };
        Ok(())
    }

    fn response(&mut self, asked: Option<Encryption>, response: EncryptionResponse) -> fmt::Result {
        let (asked, byte) = match response {
            EncryptionResponse::Accepted(encryption) => (Some(encryption), encryption.consent()),
            EncryptionResponse::Refused => (asked, b'N'),
        };
        self.f.write_str(match asked {
            Some(Encryption::Ssl) => "SSLResponse",
            Some(Encryption::Gss) => "GSSENCResponse",
            None => "EncryptionResponse",
        })?;
        self.tab()?.byte(byte).map(drop)
    }

    fn tab(&mut self) -> Chain<'_, 'f, 'w> {
        self.f.write_str("\t")?;
        Ok(self)
    }

    fn number(&mut self, number: impl Display) -> Chain<'_, 'f, 'w> {
        write!(self.f, " {number}")?;
        Ok(self)
    }

    /// libpq reads every Int16 as unsigned, also where it is not: a type size of -1 is 65535.
    fn int16(&mut self, number: i16) -> Chain<'_, 'f, 'w> {
        self.number(u16::from_be_bytes(number.to_be_bytes()))
    }

    /// A version, or the code of a request in its place.
    fn code(&mut self, code: u32) -> Chain<'_, 'f, 'w> {
        let [a, b, c, d] = code.to_be_bytes();
        self.number(u16::from_be_bytes([a, b]))?.number(u16::from_be_bytes([c, d]))
    }

    /// A number that is another one in the next run.
    fn volatile(&mut self, number: i32) -> Chain<'_, 'f, 'w> {
        if self.regress { self.number("NNNN") } else { self.number(number) }
    }

    fn oid(&mut self, oid: u32) -> Chain<'_, 'f, 'w> {
        self.volatile(signed(oid))
    }

    fn oids(&mut self, oids: List<'_, u32>) -> Chain<'_, 'f, 'w> {
        oids.iter().try_fold(self.number(oids.len())?, |out, oid| out.oid(oid))
    }

    fn formats(&mut self, formats: List<'_, Format>) -> Chain<'_, 'f, 'w> {
        formats.iter().try_fold(self.number(formats.len())?, |out, format| out.int16(format.0))
    }

    fn values(&mut self, values: List<'_, Option<&[u8]>>) -> Chain<'_, 'f, 'w> {
        values.iter().try_fold(self.number(values.len())?, |out, value| out.value(value))
    }

    fn value(&mut self, value: Option<&[u8]>) -> Chain<'_, 'f, 'w> {
        match value {
            Some(value) => self.number(value.len())?.bytes(value),
            None => self.number(-1),
        }
    }

    fn target(&mut self, target: Target<'_>) -> Chain<'_, 'f, 'w> {
        match target {
            Target::Statement(name) => self.byte(b'S')?.text(name),
            Target::Portal(name) => self.byte(b'P')?.text(name),
        }
    }

    fn report(&mut self, fields: List<'_, NoticeField<'_>>) -> Chain<'_, 'f, 'w> {
        let regress = self.regress;
        let out = fields.iter().try_fold(self, |out, NoticeField { code, value }| {
            let place = matches!(code, field::FILE | field::LINE | field::ROUTINE);
            out.byte(code)?.text(if regress && place { "SSSS".into() } else { value })
        })?;
        // The zero that ends the list.
        out.byte(0)
    }

    fn text(&mut self, text: Text<'_>) -> Chain<'_, 'f, 'w> {
        self.f.write_str(" \"")?;
        for chunk in text.as_bytes().utf8_chunks() {
            self.f.write_str(chunk.valid())?;
            chunk.invalid().iter().try_for_each(|byte| write!(self.f, "\\x{byte:02x}"))?;
        }
        self.f.write_str("\"")?;
        Ok(self)
    }

    fn byte(&mut self, byte: u8) -> Chain<'_, 'f, 'w> {
        self.f.write_str(" ")?;
        self.printable(byte)?;
        Ok(self)
    }

    fn bytes(&mut self, bytes: &[u8]) -> Chain<'_, 'f, 'w> {
        self.f.write_str(" '")?;
        bytes.iter().try_for_each(|byte| self.printable(*byte))?;
        self.f.write_str("'")?;
        Ok(self)
    }

    fn hidden(&mut self) -> Chain<'_, 'f, 'w> {
        self.bytes(b"BBBB")
    }

    fn copy_data(&mut self, data: &[u8]) -> Chain<'_, 'f, 'w> {
        if self.regress { self.hidden() } else { self.bytes(data) }
    }

    /// As C's `isprint` sees it, in the "C" locale.
    fn printable(&mut self, byte: u8) -> fmt::Result {
        match byte {
            b' '..=b'~' => self.f.write_char(char::from(byte)),
            _ => write!(self.f, "\\x{byte:02x}"),
        }
    }
}

/// libpq prints every Int32 as signed.
const fn signed(number: u32) -> i32 {
    i32::from_be_bytes(number.to_be_bytes())
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
}
