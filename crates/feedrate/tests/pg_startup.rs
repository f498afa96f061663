//! How a session begins. What a StartupMessage means is what a server makes of it (`ProcessStartupPacket` in
//! `backend_startup.c`), and whatever a server asks then is known to be asked.

use feedrate::pg::backend::{self, TransactionStatus};
use feedrate::pg::frontend::{Answer, AuthenticationResponse, Message, Replication, StartupMessage};
use feedrate::pg::trace::Line;
use feedrate::pg::{Backend, Encryption, Frontend, Secret, Text};
use feedrate::{Array, Decoder, Protocol};
use feedrate_testkit::pg::{message, vectors};

/// Has a message with these parameters read, and looks at it.
fn startup<T>(parameters: &[(&str, &str)], look: impl FnOnce(StartupMessage<'_>) -> T) -> T {
    let mut bytes = b"\0\0\0\0\0\x03\0\0".to_vec();
    for (name, value) in parameters {
        bytes.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
    }
    bytes.push(0);
    bytes[3] = bytes.len() as u8;
    let mut decoder = Decoder::new(Frontend::new(), Array::<256>::new());
    let frame = decoder.feed(&mut &bytes[..]).expect("good").expect("whole");
    let Ok(Message::StartupMessage(startup)) = frame.message() else { panic!("{frame:?}") };
    look(startup)
}

/// The user and the database that a server connects to.
fn goal(parameters: &[(&str, &str)]) -> (Option<String>, Option<String>) {
    let owned = |text: Text<'_>| text.to_string();
    startup(parameters, |startup| (startup.user().map(owned), startup.database().map(owned)))
}

#[test]
fn an_empty_database_is_the_users() {
    let some = |user: &str, database: &str| (Some(user.to_owned()), Some(database.to_owned()));
    assert_eq!(goal(&[("user", "a"), ("database", "")]), some("a", "a"));
    assert_eq!(goal(&[("database", ""), ("user", "a")]), some("a", "a"));
    assert_eq!(goal(&[("user", "a")]), some("a", "a"));
    assert_eq!(goal(&[("user", "a"), ("database", "b")]), some("a", "b"));
    // The last of a name counts, also where it takes a name away.
    assert_eq!(goal(&[("user", "a"), ("database", "b"), ("database", "")]), some("a", "a"));
    assert_eq!(goal(&[("user", "a"), ("database", ""), ("database", "b")]), some("a", "b"));
    assert_eq!(goal(&[("user", "a"), ("user", "c")]), some("c", "c"));
}

/// "no PostgreSQL user name specified in startup packet".
#[test]
fn an_empty_user_is_none() {
    for parameters in [
        &[("user", "")][..],
        &[],
        &[("user", "a"), ("user", "")],
        &[("User", "a")],
        &[("user", ""), ("database", "")],
    ] {
        assert_eq!(goal(parameters), (None, None), "{parameters:?}");
    }
    assert_eq!(goal(&[("user", ""), ("database", "b")]), (None, Some("b".to_owned())));
}

#[test]
fn settings_are_found_in_any_case() {
    for (name, asked) in [
        ("CLIENT_ENCODING", "client_encoding"),
        ("Application_Name", "application_name"),
        ("timezone", "TimeZone"),
        ("datestyle", "DateStyle"),
        ("my.Setting", "My.setting"),
        // These are no longer what a server looks for by itself.
        ("Database", "DATABASE"),
        ("_PQ_.a", "_Pq_.a"),
    ] {
        startup(&[("user", "a"), (name, "1"), (asked, "2"), (name, "3")], |startup| {
            assert_eq!(startup.get(asked), Some("3".into()), "{asked}");
            assert_eq!(startup.get(name), Some("3".into()), "{name}");
        });
    }
    let names = ["CLIENT_ENCODING", "Application_Name", "TIMEZONE"];
    startup(&names.map(|name| (name, name)), |startup| {
        assert_eq!(startup.client_encoding(), Some(names[0].into()));
        assert_eq!(startup.application_name(), Some(names[1].into()));
        assert_eq!(startup.time_zone(), Some(names[2].into()));
    });
    // An empty value is one.
    startup(&[("application_name", "")], |startup| {
        assert_eq!(startup.application_name(), Some("".into()));
    });
    // Letters of ASCII alone.
    startup(&[("ä.x", "1")], |startup| assert_eq!(startup.get("Ä.x"), None));
}

#[test]
fn what_a_server_looks_for_by_itself_has_one_spelling() {
    for name in ["user", "database", "options", "replication", "_pq_.test"] {
        let other = name.to_uppercase();
        startup(&[(&other, "1")], |startup| {
            assert_eq!(startup.get(name), None, "{name}");
            assert_eq!(startup.get(&other), Some("1".into()));
            assert_eq!((startup.options(), startup.replication()), (None, Some(Replication::Off)));
            assert_eq!(startup.protocol_options().count(), 0);
        });
        startup(&[(name, "1")], |startup| assert_eq!(startup.get(&other), None, "{other}"));
        for parameters in [[(name, "1"), (&other, "2")], [(&other, "2"), (name, "1")]] {
            startup(&parameters, |startup| {
                assert_eq!(startup.get(name), Some("1".into()));
                assert_eq!(startup.get(&other), Some("2".into()));
            });
        }
    }
}

/// A backend's frame, of one that has not authenticated anybody.
fn request<T>(body: &[u8], look: impl FnOnce(backend::Frame<'_>) -> T) -> T {
    let mut decoder = Decoder::new(Backend::new(), Array::<64>::new());
    look(decoder.feed(&mut &message(b'R', body)[..]).expect("good").expect("whole"))
}

/// Who forwards a request learns of each what is to come of it.
#[test]
fn whatever_is_asked_is_known_to_be_asked() {
    for (body, answer) in [
        (&b"\0\0\0\0"[..], None),
        (b"\0\0\0\x03", Some(Answer::Password)),
        (b"\0\0\0\x05salt", Some(Answer::Password)),
        (b"\0\0\0\x07", Some(Answer::Gss)),
        (b"\0\0\0\x08token", Some(Answer::Gss)),
        (b"\0\0\0\x09", Some(Answer::Gss)),
        (b"\0\0\0\x0aSCRAM-SHA-256\0\0", Some(Answer::SaslInitial)),
        (b"\0\0\0\x0bchallenge", Some(Answer::Sasl)),
        (b"\0\0\0\x0coutcome", None),
        // Kerberos 4 and 5, crypt, SCM, one to come.
        (b"\0\0\0\x01", Some(Answer::Unknown)),
        (b"\0\0\0\x02", Some(Answer::Unknown)),
        (b"\0\0\0\x04sa", Some(Answer::Unknown)),
        (b"\0\0\0\x06", Some(Answer::Unknown)),
        (b"\0\0\0\x63what", Some(Answer::Unknown)),
    ] {
        request(body, |frame| {
            assert_eq!(frame.answer(), answer, "{}", body.escape_ascii());
            let Ok(backend::Message::Authentication(request)) = frame.message() else { panic!("{frame:?}") };
            assert_eq!(request.answer(), answer);
        });
    }
    // None of these can be read; the second is SASL's code in openGauss's form.
    for body in [
        &b""[..],
        b"\0\0\0\x0a\0\0\0\x02",
        b"\0\0\0",
        b"\0\0\0\x03x",
        b"\0\0\0\x05sal",
        b"\0\0\0\x05salty",
        b"\0\0\0\x0aSCRAM",
        b"\0\0\0\x0aSCRAM\0",
    ] {
        request(body, |frame| {
            assert!(frame.message().is_err(), "{}", body.escape_ascii());
            assert_eq!(frame.answer(), Some(Answer::Unknown), "{}", body.escape_ascii());
        });
    }
    // Nothing else asks.
    for (start, bytes) in [
        (Backend::new(), &b"N\0\0\0\x05\0"[..]),
        (Backend::new(), b"E\0\0\0\x05\0"),
        (Backend::new(), b"E\0\0\0\x05x"),
        (Backend::new(), b"Eplain\0"),
        (Backend::new(), b"v\0\0\0\x05x"),
        (vectors::asked(Encryption::Ssl), b"S"),
        (vectors::asked(Encryption::Ssl), b"E\0\0\0\x05\0"),
        (Backend::established(), b"Z\0\0\0\x05I"),
    ] {
        let mut decoder = Decoder::new(start, Array::<64>::new());
        let frame = decoder.feed(&mut &bytes[..]).expect("good").expect("whole");
        assert_eq!(frame.answer(), None, "{}", bytes.escape_ascii());
    }
}

/// What was expected before does not outlive a question that is not understood: nor does its limit.
#[test]
fn the_answer_to_an_unknown_question_is_read_as_nothing_else() {
    let mut decoder = Decoder::new(vectors::authenticating(Some(Answer::SaslInitial)), Array::<4096>::new());
    let initial = message(b'p', b"SCRAM-SHA-256\0\xff\xff\xff\xff");
    assert!(decoder.feed(&mut &initial[..]).is_ok_and(|frame| frame.is_some()));
    decoder.protocol_mut().expect(Answer::Sasl);
    let long = message(b'p', [7; 1_500]);
    assert!(decoder.protocol().extent(&long).is_err(), "too long for SCRAM");
    for _ in 0..2 {
        decoder.protocol_mut().expect(Answer::Unknown);
        let frame = decoder.feed(&mut &long[..]).expect("good").expect("whole");
        assert_eq!(frame.name(), "AuthenticationResponse");
        let answer = AuthenticationResponse { data: Secret::from(&long[5..]) };
        assert_eq!(frame.message(), Ok(answer.into()));
    }
    decoder.protocol_mut().expect(Answer::Password);
    let frame = decoder.feed(&mut &b"p\0\0\0\x05\0"[..]).expect("good").expect("whole");
    assert_eq!(frame.name(), "PasswordMessage");
}

/// `getReadyForQuery` in `fe-protocol3.c`: PQTRANS_UNKNOWN, and the stream goes on.
#[test]
fn an_unknown_status_is_not_one_of_the_known_ones() {
    let bytes = [&message(b'Z', b"X")[..], vectors::READY].concat();
    let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
    let mut input = &bytes[..];
    let frame = decoder.feed(&mut input).expect("good").expect("whole");
    let Ok(backend::Message::ReadyForQuery(ready)) = frame.message() else { panic!("{frame:?}") };
    assert_eq!((ready.status, ready.status.byte()), (TransactionStatus::Unknown(b'X'), b'X'));
    assert_eq!(ready.status.to_string(), "unknown");
    let ready = backend::Message::from(ready);
    assert_eq!(Line::backend(&ready, 6).to_string(), "B\t5\tReadyForQuery\t X");
    assert_eq!(decoder.feed(&mut input).expect("good").expect("whole").raw(), vectors::READY);
}
