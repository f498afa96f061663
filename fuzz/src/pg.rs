//! PostgreSQL's messages, looked at from all sides.

use std::fmt::Debug;

use feedrate::pg::{Backend, Direction, Error, Frame, Frontend, Item, List, Text, backend, frontend};
use feedrate::{Array, Borrowed, Decoder, Grow, Protocol};

use crate::{Flaky, Plan, check_encoding, drive, show};

/// The two directions.
pub trait Visit:
    Direction + for<'a> Protocol<Bytes<'a> = &'a [u8], Message<'a> = Frame<'a, Self>, Error = Error>
{
    fn visit(frame: &Frame<'_, Self>);

    /// Whether it is the last message of the stream: whatever comes behind it is passed over.
    fn is_last(_: &Frame<'_, Self>) -> bool {
        false
    }
}

impl Visit for Backend {
    fn visit(frame: &backend::Frame<'_>) {
        visit_backend(frame);
    }
}

impl Visit for Frontend {
    fn visit(frame: &frontend::Frame<'_>) {
        visit_frontend(frame);
    }

    fn is_last(frame: &frontend::Frame<'_>) -> bool {
        matches!(frame.name(), "Terminate" | "CancelRequest")
    }
}

/// Visits every message of a stream, in one of four kinds of storage, and checks that each is the bytes
/// that came, with none between them.
pub fn visit_stream<D: Visit, A>(
    protocol: D,
    storage: u8,
    plan: &Plan<'_>,
    mut action: impl FnMut(&Frame<'_, D>) -> A,
    act: impl FnMut(&mut D, Option<A>, &[u8]),
) {
    let mut next = Some(0);
    let mut over = false;
    let see = |at: usize, seen: Result<Frame<'_, D>, Error>| {
        assert!(!over);
        assert_eq!(next.unwrap_or(at), at);
        match seen {
            Ok(frame) => {
                let raw = frame.raw();
                assert_eq!(raw, &plan.stream[at..][..raw.len()]);
                over = D::is_last(&frame);
                next = Some(at + raw.len()).filter(|_| !over);
                D::visit(&frame);
                Some(action(&frame))
            }
            Err(error) => {
                show_error(&error);
                next = None;
                None
            }
        }
    };
    let outcome = match storage & 3 {
        0 => drive(&mut Decoder::new(protocol, Array::<512>::new()), plan.stream, plan.sizes, see, act),
        1 => drive(&mut Decoder::new(protocol, Flaky::new(storage)), plan.stream, plan.sizes, see, act),
        2 => {
            let mut memory = [0; 512];
            drive(&mut Decoder::new(protocol, Borrowed::new(&mut memory)), plan.stream, plan.sizes, see, act)
        }
        _ => drive(&mut Decoder::new(protocol, Grow::new(1 << 20)), plan.stream, plan.sizes, see, act),
    };
    if let Err(error) = outcome.end {
        show_error(&error.into_inner());
    }
    assert_eq!(next.unwrap_or(outcome.at), outcome.at);
}

fn show_error(error: &Error) {
    show(error);
    show(error.to_string());
    show(error.message());
}

fn visit_backend(frame: &backend::Frame<'_>) {
    show((frame, frame.name(), frame.body(), frame.tag()));
    check_encoding(frame, frame.raw());
    let message = match frame.message() {
        Ok(message) => message,
        Err(error) => {
            assert!(error.at() <= frame.raw().len());
            return show_error(&error);
        }
    };
    show((message, message.name()));
    check_encoding(&message, frame.raw());
    rebuild_backend(message, |again| {
        assert_eq!(again, message);
        check_encoding(&again, frame.raw());
    });
}

/// The same message with its list made of a slice, and on the way every accessor called.
fn rebuild_backend<'a>(message: backend::Message<'a>, check: impl Fn(backend::Message<'_>)) {
    use backend::{Authentication, Message};
    match message {
        Message::Authentication(request) => {
            show(request.answer());
            if let Authentication::Sasl { mechanisms } = request {
                let items = items(mechanisms);
                check(Authentication::Sasl { mechanisms: List::from(&items[..]) }.into());
            }
        }
        Message::CommandComplete(complete) => {
            show((complete.command(), complete.rows(), complete.oid()));
            assert!(complete.tag.as_bytes().starts_with(complete.command().as_bytes()));
        }
        Message::CopyInResponse(backend::CopyInResponse { format, column_formats }) => {
            let items = items(column_formats);
            check(backend::CopyInResponse { format, column_formats: List::from(&items[..]) }.into());
        }
        Message::CopyOutResponse(backend::CopyOutResponse { format, column_formats }) => {
            let items = items(column_formats);
            check(backend::CopyOutResponse { format, column_formats: List::from(&items[..]) }.into());
        }
        Message::CopyBothResponse(backend::CopyBothResponse { format, column_formats }) => {
            let items = items(column_formats);
            check(backend::CopyBothResponse { format, column_formats: List::from(&items[..]) }.into());
        }
        Message::DataRow(row) => {
            let items = items(row.columns);
            check(backend::DataRow { columns: List::from(&items[..]) }.into());
        }
        Message::ErrorResponse(error) => {
            show((error.severity(), error.sql_state(), error.position()));
            show((error.message(), error.detail(), error.hint(), error.get(b'x')));
            let items = items(error.fields);
            check(backend::ErrorResponse { fields: List::from(&items[..]) }.into());
        }
        Message::NoticeResponse(notice) => {
            show((notice.severity(), notice.sql_state(), notice.position()));
            show((notice.message(), notice.detail(), notice.hint(), notice.get(b'x')));
            let items = items(notice.fields);
            check(backend::NoticeResponse { fields: List::from(&items[..]) }.into());
        }
        Message::NegotiateProtocolVersion(negotiation) => {
            let items = items(negotiation.unrecognized);
            let unrecognized = List::from(&items[..]);
            check(backend::NegotiateProtocolVersion { unrecognized, ..negotiation }.into());
        }
        Message::ParameterDescription(description) => {
            let items = items(description.types);
            check(backend::ParameterDescription { types: List::from(&items[..]) }.into());
        }
        Message::ParameterStatus(status) => show_texts(&[status.name, status.value]),
        Message::NotificationResponse(notification) => {
            show_texts(&[notification.channel, notification.payload]);
        }
        Message::RowDescription(description) => {
            let items = items(description.fields);
            check(backend::RowDescription { fields: List::from(&items[..]) }.into());
        }
        Message::PlainError(error) => show_texts(&[error.text]),
        _ => {}
    }
}

fn visit_frontend(frame: &frontend::Frame<'_>) {
    show((frame, frame.name(), frame.body(), frame.tag()));
    check_encoding(frame, frame.raw());
    let message = match frame.message() {
        Ok(message) => message,
        Err(error) => {
            assert!(error.at() <= frame.raw().len());
            return show_error(&error);
        }
    };
    show((message, message.name()));
    check_encoding(&message, frame.raw());
    rebuild_frontend(message, |again| {
        assert_eq!(again, message);
        check_encoding(&again, frame.raw());
    });
}

fn rebuild_frontend<'a>(message: frontend::Message<'a>, check: impl Fn(frontend::Message<'_>)) {
    use frontend::Message;
    match message {
        Message::Bind(bind) => {
            let (formats, results) = (items(bind.parameter_formats), items(bind.result_formats));
            let parameters = items(bind.parameters);
            let again = frontend::Bind {
                parameter_formats: List::from(&formats[..]),
                parameters: List::from(&parameters[..]),
                result_formats: List::from(&results[..]),
                ..bind
            };
            check(again.into());
        }
        Message::FunctionCall(call) => {
            let (formats, arguments) = (items(call.argument_formats), items(call.arguments));
            let again = frontend::FunctionCall {
                argument_formats: List::from(&formats[..]),
                arguments: List::from(&arguments[..]),
                ..call
            };
            check(again.into());
        }
        Message::Parse(parse) => {
            let items = items(parse.parameter_types);
            check(frontend::Parse { parameter_types: List::from(&items[..]), ..parse }.into());
        }
        Message::StartupMessage(startup) => {
            show((startup.user(), startup.database(), startup.client_encoding(), startup.time_zone()));
            show((startup.application_name(), startup.options(), startup.replication()));
            show(startup.protocol_options().count());
            show((startup.version, startup.version.major(), startup.version.minor()));
            let items = items(startup.parameters);
            for item in &items {
                assert!(
                    startup.get(item.name.to_str().unwrap_or("user")).is_some()
                        || item.name.to_str().is_err()
                );
            }
            check(Message::StartupMessage(frontend::StartupMessage {
                parameters: List::from(&items[..]),
                ..startup
            }));
        }
        _ => {}
    }
}

/// The items of a list, which its other accessors agree about.
fn items<'a, T: Item<'a> + PartialEq + Debug>(list: List<'a, T>) -> Vec<T> {
    let items: Vec<T> = list.iter().collect();
    assert_eq!((list.len(), list.is_empty()), (items.len(), items.is_empty()));
    assert_eq!(list.iter().len(), items.len());
    for index in (0..items.len()).take(4).chain(items.len().saturating_sub(1)..items.len() + 2) {
        assert_eq!(list.get(index).as_ref(), items.get(index));
        // What follows the one that `nth` found is the next one.
        let mut iter = list.iter();
        assert_eq!(iter.nth(index).as_ref(), items.get(index));
        assert_eq!(iter.next().as_ref(), items.get(index + 1));
    }
    items
}

fn show_texts(texts: &[Text<'_>]) {
    for text in texts {
        show((text, text.to_string(), text.to_str(), text.is_empty()));
    }
}
