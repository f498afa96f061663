//! One line of text for a message: the fields that matter, escaped, and never a secret.

use feedrate::pg::backend::{self, Authentication, NoticeField, TransactionStatus, field};
use feedrate::pg::frontend::{self, Target};
use feedrate::pg::{EncryptionResponse, Format, List, Text};

use crate::escape::escaped;

/// What a person wants to know about a message, besides its name.
pub trait Describe {
    /// The fields in short; empty for a message that has none.
    fn describe(&self) -> String;
}

impl Describe for backend::Message<'_> {
    fn describe(&self) -> String {
        use backend::Message as M;
        match self {
            M::Authentication(request) => authentication(request),
            M::BackendKeyData(m) => {
                format!("process {}, key of {} bytes", m.process_id, m.key.expose().len())
            }
            M::BindComplete(_)
            | M::CloseComplete(_)
            | M::CopyDone(_)
            | M::EmptyQueryResponse(_)
            | M::NoData(_)
            | M::ParseComplete(_)
            | M::PortalSuspended(_) => String::new(),
            M::CommandComplete(m) => format!("{:?}", m.tag),
            M::CopyBothResponse(m) => copy(m.format, m.column_formats),
            M::CopyData(m) => bytes(m.data),
            M::CopyInResponse(m) => copy(m.format, m.column_formats),
            M::CopyOutResponse(m) => copy(m.format, m.column_formats),
            M::DataRow(m) => values(m.columns),
            M::ErrorResponse(m) => report(m.fields),
            M::FunctionCallResponse(m) => value(m.value),
            M::NegotiateProtocolVersion(m) => {
                format!("{}, unrecognized: {}", m.version, list(m.unrecognized.iter().map(text)))
            }
            M::NoticeResponse(m) => report(m.fields),
            M::NotificationResponse(m) => {
                format!("{:?} {:?} from process {}", m.channel, m.payload, m.process_id)
            }
            M::ParameterDescription(m) => list(m.types.iter().map(|oid| format!("type {oid}"))),
            M::ParameterStatus(m) => format!("{:?} {:?}", m.name, m.value),
            M::ReadyForQuery(m) => match m.status {
                TransactionStatus::InTransaction => "in a transaction".into(),
                TransactionStatus::Failed => "in a failed transaction".into(),
                status => status.to_string(),
            },
            M::RowDescription(m) => {
                list(m.fields.iter().map(|f| format!("{:?} type {}{}", f.name, f.type_oid, format(f.format))))
            }
            M::EncryptionResponse(EncryptionResponse::Accepted(encryption)) => {
                format!("{encryption:?} accepted")
            }
            M::EncryptionResponse(EncryptionResponse::Refused) => "refused".into(),
            M::UntrustedError(m) => format!("{} bytes that nobody vouches for", m.raw().len()),
            M::PlainError(m) => text(m.text),
            M::Unknown(m) => format!("type {:?}, {} bytes", char::from(m.tag), m.body.len()),
            // A message of a later version of the crate.
            other => other.name().into(),
        }
    }
}

impl Describe for frontend::Message<'_> {
    fn describe(&self) -> String {
        use frontend::Message as M;
        let hidden = |secret: feedrate::pg::Secret<'_>| format!("{} bytes", secret.expose().len());
        match self {
            M::AuthenticationResponse(m) => hidden(m.data),
            M::Bind(m) => {
                let formats = list(m.result_formats.iter().map(|f| format!("{}", f.0)));
                let formats = if formats.is_empty() { formats } else { format!(", results as {formats}") };
                let (portal, statement) = (name(m.portal), name(m.statement));
                format!("statement {statement} to portal {portal}: ({}){formats}", values(m.parameters))
            }
            M::Close(m) => target(m.target),
            M::CopyData(m) => bytes(m.data),
            M::CopyDone(_)
            | M::DirectTls(_)
            | M::Flush(_)
            | M::GSSENCRequest(_)
            | M::SSLRequest(_)
            | M::Sync(_)
            | M::Terminate(_) => String::new(),
            M::CopyFail(m) => text(m.reason),
            M::Describe(m) => target(m.target),
            M::Execute(m) if m.max_rows > 0 => format!("portal {}, {} rows", name(m.portal), m.max_rows),
            M::Execute(m) => format!("portal {}", name(m.portal)),
            M::FunctionCall(m) => format!("function {} ({})", m.function, values(m.arguments)),
            M::Parse(m) => {
                let types = list(m.parameter_types.iter().map(|oid| oid.to_string()));
                let types = if types.is_empty() { types } else { format!(", parameter types {types}") };
                format!("statement {}: {}{types}", name(m.statement), text(m.sql))
            }
            M::Query(m) => text(m.sql),
            M::StartupMessage(m) => {
                let parameters = m.parameters.iter().map(|p| format!("{:?} {:?}", p.name, p.value));
                format!("{}: {}", m.version, list(parameters))
            }
            M::CancelRequest(m) => format!("process {}, key of {}", m.process_id, hidden(m.key)),
            M::PasswordMessage(_) => "(hidden)".into(),
            M::SASLInitialResponse(m) => {
                format!("{:?}, {}", m.mechanism, m.data.map_or("no data".into(), hidden))
            }
            M::SASLResponse(m) => hidden(m.data),
            M::GSSResponse(m) => hidden(m.data),
            M::Unknown(m) => format!("type {:?}, {} bytes", char::from(m.tag), m.body.len()),
            // A message of a later version of the crate.
            other => other.name().into(),
        }
    }
}

/// Longer texts, values and lists than this are cut.
const LONG: usize = 100;

fn authentication(request: &Authentication<'_>) -> String {
    match request {
        Authentication::Ok => "ok".into(),
        Authentication::Md5Password { .. } => "asks for the password, hashed with MD5".into(),
        Authentication::CleartextPassword => "asks for the password, in clear".into(),
        Authentication::Sasl { mechanisms } => format!("SASL: {}", list(mechanisms.iter().map(text))),
        Authentication::SaslContinue { data } => format!("SASL continues, {} bytes", data.expose().len()),
        Authentication::SaslFinal { data } => format!("SASL ends, {} bytes", data.expose().len()),
        Authentication::GssContinue { data } => format!("GSSAPI continues, {} bytes", data.expose().len()),
        other => format!("{other:?}"),
    }
}

/// The fields that tell a user what happened; where in the server's source it did is left out.
fn report(fields: List<'_, NoticeField<'_>>) -> String {
    let get = |code| fields.iter().find(|field| field.code == code).map(|field| field.value);
    let severity = get(field::SEVERITY_NONLOCALIZED).or_else(|| get(field::SEVERITY)).unwrap_or_default();
    let mut line = format!(
        "{} {}",
        escaped(severity.as_bytes()),
        escaped(get(field::CODE).unwrap_or_default().as_bytes())
    );
    for (label, code) in [("", field::MESSAGE), ("detail: ", field::DETAIL), ("hint: ", field::HINT)] {
        if let Some(value) = get(code) {
            line += &format!(" {label}{}", text(value));
        }
    }
    if let Some(position) = get(field::POSITION) {
        line += &format!(" at character {}", escaped(position.as_bytes()));
    }
    line
}

fn copy(overall: Format, columns: List<'_, Format>) -> String {
    format!("{overall}, {} columns", columns.len())
}

fn format(format: Format) -> &'static str {
    if format == Format::TEXT { "" } else { " binary" }
}

fn target(target: Target<'_>) -> String {
    match target {
        Target::Statement(it) => format!("statement {}", name(it)),
        Target::Portal(it) => format!("portal {}", name(it)),
    }
}

fn name(name: Text<'_>) -> String {
    if name.is_empty() { "(unnamed)".into() } else { format!("{name:?}") }
}

fn text(text: Text<'_>) -> String {
    match text.as_bytes().get(..LONG) {
        Some(begin) if text.as_bytes().len() > LONG => {
            format!("{:?}... ({} bytes)", Text::from(begin), text.as_bytes().len())
        }
        _ => format!("{text:?}"),
    }
}

fn bytes(bytes: &[u8]) -> String {
    format!("{} bytes: {}", bytes.len(), value(Some(bytes)))
}

/// A value as text where it looks like one, in hexadecimal where not.
fn value(value: Option<&[u8]>) -> String {
    let Some(value) = value else { return "NULL".into() };
    let is_text = |text: &str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    if std::str::from_utf8(value).is_ok_and(is_text) {
        return text(Text::from(value));
    }
    let hex: String = value.iter().take(LONG / 2).map(|byte| format!("{byte:02x}")).collect();
    if value.len() > LONG / 2 { format!("0x{hex}... ({} bytes)", value.len()) } else { format!("0x{hex}") }
}

fn values(values: List<'_, Option<&[u8]>>) -> String {
    list(values.iter().map(value))
}

fn list(mut items: impl ExactSizeIterator<Item = String>) -> String {
    let (mut line, mut written) = (String::new(), 0);
    let count = items.len();
    while let Some(item) = items.next().filter(|_| written < LONG) {
        if written > 0 {
            line += ", ";
        }
        line += &item;
        written += 1;
    }
    if written < count { format!("{line}, ... ({count})") } else { line }
}

#[cfg(test)]
mod tests {
    use feedrate::pg::Secret;
    use feedrate::pg::frontend::{CancelRequest, Message, PasswordMessage};

    use super::*;

    #[test]
    fn secrets_are_hidden() {
        let password = PasswordMessage { password: Secret::from(&b"open sesame"[..]) };
        assert_eq!(Message::PasswordMessage(password).describe(), "(hidden)");
        let cancel = CancelRequest { process_id: 7, key: Secret::from(&b"abcd"[..]) };
        assert_eq!(Message::CancelRequest(cancel).describe(), "process 7, key of 4 bytes");
    }

    #[test]
    fn nothing_reaches_the_terminal_unescaped() {
        let fields = [
            NoticeField { code: field::SEVERITY, value: "\x1b]0;x".into() },
            NoticeField { code: field::CODE, value: "\x1b[2J".into() },
            NoticeField { code: field::POSITION, value: "\x07".into() },
            NoticeField { code: field::MESSAGE, value: "a\nb\x07".into() },
        ];
        let error = backend::ErrorResponse { fields: List::from(&fields) }.into();
        let line = backend::Message::describe(&error);
        assert!(!line.contains(char::is_control), "{line:?}");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(value(Some(&[b'x'; 1000])).len(), 2 + LONG + "... (1000 bytes)".len());
        assert_eq!(value(Some(&[0, 1])), "0x0001");
        assert_eq!(value(None), "NULL");
    }
}
