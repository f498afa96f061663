//! Writes a small corpus to begin with, into `corpus/`: `cargo run --example seeds` in this folder.

use std::{fs, io, path::Path};

use feedrate::Encode;
use feedrate::pg::backend::{self, Authentication, NoticeField, TransactionStatus, field};
use feedrate::pg::frontend::{self, Parameter, Target};
use feedrate::pg::{Format, List, Secret, Version};
use feedrate::rdp::{
    self, Action, Breakpoint, Bytes, CortexM, Force, Header, Line, Packet, PacketType, PushPolicy, Rule,
    Values,
};

fn main() -> io::Result<()> {
    let (backend, frontend, startup) = (backend(), frontend(), startup());
    for (target, flags, messages) in [
        ("pg_backend", 1, &backend),
        ("pg_differential", 1, &backend),
        ("pg_frontend", 0, &frontend),
        ("pg_splits", 0, &backend),
        ("pg_splits", 2, &frontend),
        ("pg_splits", 6, &startup),
    ] {
        write(target, flags, messages)?;
    }
    // Here the server's acts come first.
    for (index, act) in (0..6).enumerate() {
        let plan = [&[0, 1, act, 0, 0][..], &startup.concat()].concat();
        save("pg_startup", &format!("act-{index}"), &plan)?;
    }
    // Before authentication; in answer to an SSLRequest; an error that is only text.
    save("pg_backend", "early", &[&[0, 0][..], &backend[0]].concat())?;
    save("pg_backend", "answer", &[&[0x16, 0][..], b"S", &backend[0]].concat())?;
    save("pg_backend", "plain", b"\0\0Etoo many clients\n\0")?;
    // Noise, then two frames, the second behind a false head.
    for flags in 0..16 {
        save(
            "decoder_hunt",
            &format!("noise-{flags}"),
            &[&[flags, 1, 3][..], b"\x01\xa5\x02ab\xa4\xa5\xff\xa5\0\xa5"].concat(),
        )?;
        save(
            "decoder_hunt",
            &format!("text-{flags}"),
            &[&[flags, 0][..], b"abc\0\0\xff\0abcd\x04\x51xy\x51"].concat(),
        )?;
    }
    save("pg_structured", "one", &[7; 64])?;
    rdp()
}

fn rdp() -> io::Result<()> {
    for (index, frame) in frames().iter().enumerate() {
        // Behind the header, which the target writes.
        save("rdp_frame", &format!("{index}"), &frame[5..])?;
    }
    for (flags, line) in [(0, Line::UART), (1, Line::SPI), (2, Line::TCP)] {
        let mut packets = Vec::new();
        for (kind, payload) in
            [(PacketType::Open, &[3, 1][..]), (PacketType::Data, b"\0\x03abc\0\0"), (PacketType::Probe, &[])]
        {
            Packet::new(Header::new(kind, 7, 1), payload)
                .framed(line.framing)
                .encode(&mut packets)
                .expect("room");
        }
        save("rdp_packet", &format!("{flags}"), &[&[flags, 0][..], &packets].concat())?;
        save(
            "rdp_packet",
            &format!("{flags}-made"),
            &[&[flags | 4, 1, 3][..], &[1, 0x31, 4, 0, 1, 2, 3, 0, 5].repeat(6)].concat(),
        )?;
    }
    // Each side polls and feeds, on both lanes, and sends something; then time passes.
    let round =
        [0x00, 0x14, 0x01, 0x15, 0x38, 0x39, 0x3A, 0x3B, 0x02, 0x16, 0x03, 0x17, 0x3C, 0x28, 0x2C, 0x30];
    for flags in [0, 2] {
        save("rdp_link", &format!("{flags}"), &[&[flags][..], &round.repeat(12)].concat())?;
    }
    save("rdp_link", "nonsense", &[&[0x43][..], b"\x00\x10\x03\0\0\0"].concat())?;
    for flags in [0_u8, 1, 8, 0x41] {
        for from in [0, 8] {
            let mut script = vec![flags];
            for which in (from..22).chain(0..from) {
                // `Sense`, which is the second of eleven, then `Wait` and `Own`.
                script.extend(act(1, &[which, which * 3, 4 * which, 0, 0, 0]));
                script.extend(act(9, &[which * 5, 0]));
                script.extend(act(10, &[which, 1, 0, 0, 0]));
            }
            save("rdp_agent", &format!("{flags}-{from}"), &script)?;
            save("rdp_host", &format!("{flags}-{from}"), &script)?;
        }
    }
    Ok(())
}

/// A variant of eleven, as `arbitrary` reads it, and its fields.
fn act(variant: u64, fields: &[u8]) -> Vec<u8> {
    let number = u32::try_from((variant << 32) / 11 + 1).expect("less than eleven");
    [&number.to_le_bytes(), fields].concat()
}

fn frames() -> Vec<Vec<u8>> {
    let registers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
    let rule = Rule { first: 1, last: 2, action: Action::Deny };
    let at = Breakpoint { addr: 0x2000_0000, id: 7 };
    vec![
        bytes(rdp::Frame::SetBreakpoint(at)),
        bytes(rdp::Frame::Halt),
        bytes(rdp::Frame::Step(rdp::Step { count: 1, trace: true })),
        bytes(rdp::Frame::Force(Force {
            addr: 4,
            lease: 5,
            fingerprint: [6; 16],
            value: Bytes::new(&[1, 2, 3]),
        })),
        bytes(rdp::Frame::PushPolicy(PushPolicy {
            version: 1,
            enabled: true,
            rules: rdp::List::new(&[rule, rule]),
        })),
        bytes(rdp::Frame::Registers(rdp::Registers {
            request: 1,
            capture: 2,
            values: Values::of::<CortexM>(0x18001, &registers),
        })),
        bytes(rdp::Frame::Axes(rdp::Axes { request: 1, positions: rdp::List::new(&[-1, 2]) })),
        bytes(rdp::Frame::Memory(rdp::MemoryAnswer { request: 1, addr: 2, data: Bytes::new(b"abc") })),
        bytes(rdp::Frame::Hello(rdp::Hello {
            lowest: 3,
            highest: 3,
            nonce: [9; 16],
            longest: 512,
            token: Bytes::new(b"token"),
        })),
    ]
}

/// Each message by itself, and all of them byte by byte.
fn write(target: &str, flags: u8, messages: &[Vec<u8>]) -> io::Result<()> {
    for (index, message) in messages.iter().enumerate() {
        save(target, &format!("{flags}-{index}"), &[&[flags, 0][..], message].concat())?;
    }
    save(target, &format!("{flags}-all"), &[&[flags, 1, 1][..], &messages.concat()].concat())
}

fn save(target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("seed-{name}")), bytes)
}

fn bytes(message: impl Encode) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out).expect("a message that can be written");
    out
}

fn backend() -> Vec<Vec<u8>> {
    let data = Secret::from(&b"r=abc"[..]);
    let formats = [Format::TEXT, Format::BINARY];
    let column_formats = List::from(&formats);
    let fields = [
        NoticeField { code: field::SEVERITY_NONLOCALIZED, value: "ERROR".into() },
        NoticeField { code: field::CODE, value: "42P01".into() },
        NoticeField { code: field::MESSAGE, value: "möbel".into() },
        NoticeField { code: field::POSITION, value: "15".into() },
    ];
    let fields = List::from(&fields);
    let columns = [
        backend::Field { name: "id".into(), type_oid: 23, type_size: 4, ..Default::default() },
        backend::Field { name: "name".into(), type_oid: 25, ..Default::default() },
    ];
    vec![
        bytes(Authentication::Ok),
        bytes(Authentication::CleartextPassword),
        bytes(Authentication::Md5Password { salt: *b"salt" }),
        bytes(Authentication::Gss),
        bytes(Authentication::GssContinue { data }),
        bytes(Authentication::Sasl { mechanisms: List::from(&["SCRAM-SHA-256".into(), "X".into()]) }),
        bytes(Authentication::SaslContinue { data }),
        bytes(Authentication::SaslFinal { data }),
        bytes(Authentication::Other { code: 6, data: Secret::default() }),
        bytes(backend::BackendKeyData { process_id: 42, key: Secret::from(&b"1234"[..]) }),
        bytes(backend::BackendKeyData { process_id: 42, key: Secret::from(&[7; 32][..]) }),
        bytes(backend::ParameterStatus { name: "TimeZone".into(), value: "UTC".into() }),
        bytes(backend::NegotiateProtocolVersion {
            version: Version::V3_0,
            unrecognized: List::from(&["_pq_.x".into()]),
        }),
        bytes(backend::ReadyForQuery { status: TransactionStatus::Idle }),
        bytes(backend::RowDescription { fields: List::from(&columns) }),
        bytes(backend::DataRow { columns: List::from(&[Some(&b"1"[..]), None, Some(&[b'x'; 40])]) }),
        bytes(backend::CommandComplete { tag: "INSERT 0 5".into() }),
        bytes(backend::ErrorResponse { fields }),
        bytes(backend::NoticeResponse { fields }),
        bytes(backend::NotificationResponse { process_id: 1, channel: "c".into(), payload: "p".into() }),
        bytes(backend::ParameterDescription { types: List::from(&[23, 25]) }),
        bytes(backend::CopyInResponse { format: 0, column_formats }),
        bytes(backend::CopyOutResponse { format: 1, column_formats }),
        bytes(backend::CopyBothResponse { format: 0, column_formats }),
        bytes(backend::CopyData { data: b"1\t2\n" }),
        bytes(backend::CopyDone),
        bytes(backend::FunctionCallResponse { value: Some(b"a value that is long") }),
        bytes(backend::FunctionCallResponse { value: None }),
        bytes(backend::ParseComplete),
        bytes(backend::BindComplete),
        bytes(backend::CloseComplete),
        bytes(backend::NoData),
        bytes(backend::PortalSuspended),
        bytes(backend::EmptyQueryResponse),
    ]
}

fn frontend() -> Vec<Vec<u8>> {
    let formats = [Format::TEXT, Format::BINARY];
    let values = [Some(&b"42"[..]), None, Some(b"")];
    vec![
        bytes(frontend::Query { sql: "select 'long enough'".into() }),
        bytes(frontend::Parse {
            statement: "s1".into(),
            sql: "select $1".into(),
            parameter_types: (&[23]).into(),
        }),
        bytes(frontend::Bind {
            portal: "p1".into(),
            statement: "s1".into(),
            parameter_formats: List::from(&formats),
            parameters: List::from(&values),
            result_formats: List::from(&formats),
        }),
        bytes(frontend::Describe { target: Target::Statement("s1".into()) }),
        bytes(frontend::Close { target: Target::Portal("p1".into()) }),
        bytes(frontend::Execute { portal: "p1".into(), max_rows: 10 }),
        bytes(frontend::FunctionCall {
            function: 17,
            argument_formats: List::from(&formats),
            arguments: List::from(&values),
            result_format: Format::BINARY,
        }),
        bytes(frontend::CopyData { data: b"1\t2\n" }),
        bytes(frontend::CopyFail { reason: "no".into() }),
        bytes(frontend::CopyDone),
        bytes(frontend::Flush),
        bytes(frontend::Sync),
        bytes(frontend::Terminate),
    ]
}

fn startup() -> Vec<Vec<u8>> {
    let parameters = [
        Parameter { name: "user".into(), value: "alice".into() },
        Parameter { name: "replication".into(), value: "database".into() },
        Parameter { name: "_pq_.x".into(), value: "".into() },
    ];
    vec![
        bytes(frontend::SSLRequest),
        bytes(frontend::GSSENCRequest),
        bytes(frontend::StartupMessage { version: Version::V3_2, parameters: List::from(&parameters) }),
        bytes(frontend::SASLInitialResponse {
            mechanism: "SCRAM-SHA-256".into(),
            data: Some(Secret::from(&b"n,,n=,r=abc"[..])),
        }),
        bytes(frontend::SASLResponse { data: Secret::from(&b"c=biws,r=abc,p="[..]) }),
        bytes(frontend::Query { sql: "".into() }),
        bytes(frontend::CancelRequest { process_id: 42, key: Secret::from(&[1, 2, 3, 4][..]) }),
        bytes(frontend::PasswordMessage { password: Secret::from(&b"secret"[..]) }),
    ]
}
