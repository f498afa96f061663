//! Writes a small corpus to begin with, into `corpus/`: `cargo run --example seeds` in this folder.

use std::{fs, io, path::Path};

use feedrate::pg::backend::{self, Authentication, NoticeField, TransactionStatus, field};
use feedrate::pg::frontend::{self, Parameter, Target};
use feedrate::pg::{Format, List, Secret, Version};
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{self, Bytes};
use feedrate::rdp::packet::{Header, Lane, Packet, PacketType};
use feedrate::rdp::record::Message;
use feedrate::{Encode, Grow};
use feedrate_fuzz::rdp::sense;
use feedrate_fuzz::ws::{NOW, drain, params};
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_ws::{Answer, CloseCode, Keys, Piece, Sender};

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
    conninfo()?;
    protocols()?;
    rdp()?;
    websocket()
}

/// Connection strings, and files that they name, each for memory of some size.
fn conninfo() -> io::Result<()> {
    let texts = [
        "postgresql://user:p%40ss@host:1,[::1]:2,%2Ftmp/db?sslmode=require& port = 5 &ssl=true",
        "postgres://?hostaddr=127.0.0.1,::1&target_session_attrs=prefer-standby&load_balance_hosts=random",
        r"host=a,b port='1,2' password='it\'s' sslrootcert = system requiressl=1 max_protocol_version=3.2",
        "# of services\n[s]\nhost=/run\n port=5433 \n\n[t]\n",
        "# of passwords\n*:5432:*:user:one\\:two\nlocalhost:*:db:*:three\n",
    ];
    for (index, text) in texts.into_iter().enumerate() {
        for memory in [16, 255] {
            save(
                "pg_conninfo",
                &format!("{index}-{memory}"),
                &[&[memory, 0x13][..], text.as_bytes()].concat(),
            )?;
        }
    }
    save("pg_conninfo", "all", &[&[255, 0x13][..], texts.join("\0").as_bytes()].concat())
}

/// The frames that others built, in pieces of 3 and 50; the distances of the silences are in front of the stream.
fn protocols() -> io::Result<()> {
    let hex = |digits: &str| -> Vec<u8> {
        digits.as_bytes().chunks(2).map(|two| u8::from_str_radix(str(two), 16).unwrap_or(0)).collect()
    };
    let mut meters = Vec::new();
    for (index, line) in include_str!("../../examples/tests/protocols.txt").lines().enumerate() {
        let mut words = line.split(' ');
        let (protocol, frame) = (words.next(), hex(words.last().unwrap_or_default()));
        if protocol == Some("modbus") {
            let length = u8::try_from(frame.len()).unwrap_or(u8::MAX);
            let plan = [&[0, 2, 3, 50, 2, length, 3][..], &frame, b"abc", &frame].concat();
            save("protocols", &format!("modbus-{index}"), &plan)?;
        } else if protocol == Some("dlt645") {
            save("protocols", &format!("meter-{index}"), &[&[1, 2, 3, 50, 1, 255][..], &frame].concat())?;
            meters.extend(frame);
        }
    }
    // Small storages, and noise that claims more than there is; lines, short, long, and not of text.
    let noise = [&[4, 1, 3, 2, 20, 0, 0x68, 1, 2, 3, 4, 5, 6, 0x68, 0x91, 50][..], &meters].concat();
    save("protocols", "meters", &noise)?;
    for flags in [2, 5] {
        let lines = b"one\r\n\r\ntwo\nthree\r\r\n\xff\r\nlonger than a storage can be\r\nfour\r\n";
        save("protocols", &format!("lines-{flags}"), &[&[flags, 2, 1, 7, 0][..], lines].concat())?;
    }
    Ok(())
}

fn str(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn websocket() -> io::Result<()> {
    let agreed = params(0x0fc);
    for (deflate, flags) in [(None, 0), (Some(agreed), 0xfe)] {
        let server = Sender::client(Grow::new(1 << 16), || *b"mask").fragments(300).deflate(deflate);
        let client = Sender::server(Grow::new(1 << 16)).fragments(300).deflate(deflate);
        for (flags, stream) in [(flags | 1, conversation(server)), (flags, conversation(client))] {
            save("ws_splits", &format!("{flags}"), &[&[flags, 2, 3, 50][..], &stream].concat())?;
            if deflate.is_none() {
                save("ws_differential", &format!("{flags}"), &[&[flags, 2, 3, 50][..], &stream].concat())?;
            }
        }
    }
    // Of RFC 7692, section 7.2.3: "Hello" in a block of fixed codes, in two, stored, final; and messages to
    // be compressed.
    let compressed: [&[u8]; 5] = [
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
        &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        // What the fuzzer found: inside of a block's head.
        &[0x04, 0x04],
    ];
    for (index, bytes) in compressed.iter().enumerate() {
        save("ws_deflate", &format!("{index}"), &[&[4, 1, 3, 0xfc, 0][..], bytes].concat())?;
        let twice = [&[bytes.len() as u8, 0][..], bytes].concat().repeat(2);
        save("ws_deflate", &format!("{index}-twice"), &[&[1, 1, 3, 0xfc, 0][..], &twice].concat())?;
    }
    for flags in [2, 3, 6, 7] {
        let parts = [&b"\x0c\x3ca text again\x04\x05abcd\x06\x02a text\x05\x3e again"[..]; 2].concat();
        save("ws_deflate", &format!("sent-{flags}"), &[&[flags, 0, 0, 0x10][..], &parts].concat())?;
    }
    for (index, head) in heads().iter().enumerate() {
        let flags = if head.starts_with("GET") { 0 } else { 1 };
        save("ws_handshake", &format!("{index}"), &[&[flags, 1, 7][..], head.as_bytes()].concat())?;
    }
    save("ws_handshake", "wanted", &[&[2, 0][..], &[b'a'; 90]].concat())
}

/// All that a side can say.
fn conversation<K: Keys>(mut sender: Sender<Grow, K>) -> Vec<u8> {
    let text = "κόσμε, 世界, 🙂 and ASCII. ".repeat(12);
    sender.text("Hello").expect("room");
    sender.binary(&[7; 200]).expect("room");
    sender.text(&text[..]).expect("room");
    sender.piece(Piece::text("some, ", false)).expect("room");
    sender.piece(Piece::text("and the rest", true)).expect("room");
    sender.text("").expect("room");
    sender.ping(b"ping").expect("room");
    sender.pong(b"pong");
    sender.close(CloseCode::GOING_AWAY, "that is all", NOW).expect("room");
    drain(&mut sender)
}

/// Requests, and answers to the target's own.
fn heads() -> Vec<String> {
    let request = "GET /chat?a=b HTTP/1.1\r\nHost: server.example.com:8080\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let more = [
        "",
        "Origin: http://example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-else; a=\"b\"\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=\"1\\0\"; client_no_context_takeover\r\n",
    ];
    let also = [
        "",
        "Sec-WebSocket-Protocol: b\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9; server_no_context_takeover\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    ];
    let requests = more.iter().map(|more| format!("{request}{more}\r\nbehind"));
    requests.chain(also.iter().map(|more| format!("{answer}{more}\r\nbehind"))).collect()
}

fn rdp() -> io::Result<()> {
    for (index, frame) in frames().iter().enumerate() {
        // Behind the header, which the target writes.
        save("rdp_frame", &format!("{index}"), &frame[5..])?;
    }
    for (flags, lane) in [(0, Lane::UART), (1, Lane::SPI), (2, Lane::new(Lane::MOST).expect("a lane"))] {
        let mut packets = Vec::new();
        for (kind, payload) in
            [(PacketType::Open, &[4, 1][..]), (PacketType::Data, b"\0\x03abc\0\0"), (PacketType::Probe, &[])]
        {
            assert!(payload.len() <= lane.payload());
            Packet::new(Header::new(kind, 7, 1), payload).encode(&mut packets).expect("room");
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
    rdp_stream()?;
    // On a byte stream; on a UART; with SPI beside it; without an interlock; without a log; with a long log.
    for flags in [0x000_u16, 0x004, 0x00C, 0x040, 0x054, 0x204, 0x300] {
        for (name, acts) in agent_scripts() {
            save("rdp_agent", &format!("{flags:03x}-{name}"), &[&flags.to_le_bytes()[..], &acts].concat())?;
        }
    }
    for flags in [0_u8, 1, 4, 8, 0x41] {
        for from in [0, 7] {
            let mut script = vec![flags];
            for which in (from..16).chain(0..from) {
                script.extend(host_act(1, &[which, which * 3, 4 * which, 0, 0, 0]));
                script.extend(host_act(8, &[which * 5, 0]));
                script.extend(host_act(10, &[which, 1, 0, 0, 0]));
            }
            save("rdp_host", &format!("{flags}-{from}"), &script)?;
        }
    }
    Ok(())
}

/// Records on both channels; noise; a session, made and raw.
fn rdp_stream() -> io::Result<()> {
    let mut records = Vec::new();
    for (channel, length) in [(Channel::Urgent, 18), (Channel::Ordinary, 30), (Channel::Ordinary, 512)] {
        Message::new(channel, &vec![7; length]).encode(&mut records).expect("room");
    }
    for flags in 0..8 {
        save("rdp_stream", &format!("{flags}"), &[&[flags, 2, 3, 50][..], &records].concat())?;
    }
    save("rdp_stream", "short", b"\0\x01\x07\0\x11")?;
    save("rdp_stream", "long", b"\0\x01\x07\x02\x01")?;
    let sense: Vec<u8> = (0..32).flat_map(|which| [which, 4, which]).collect();
    for flags in [8, 9, 0x18] {
        save("rdp_stream", &format!("agent-{flags}"), &[&[flags, 3, 1, 9, 200][..], &sense].concat())?;
    }
    Ok(())
}

/// What `rdp_agent` does, as `arbitrary` reads it.
fn agent_act(variant: u64, fields: &[u8]) -> Vec<u8> {
    act(variant, 19, fields)
}

fn host_act(variant: u64, fields: &[u8]) -> Vec<u8> {
    act(variant, 11, fields)
}

/// A variant of so many, as `arbitrary` reads it, and its fields.
fn act(variant: u64, of: u64, fields: &[u8]) -> Vec<u8> {
    let number = u32::try_from((variant << 32) / of + 1).expect("less than there are");
    [&number.to_le_bytes(), fields].concat()
}

/// Whole sessions of an agent, each with something that goes wrong.
fn agent_scripts() -> Vec<(&'static str, Vec<u8>)> {
    let sense = |which: u8, a: u8, b: u16| {
        let [low, high] = b.to_le_bytes();
        agent_act(1, &[which, a, low, high, 0, 0])
    };
    let pass = |steps: u8, millis: u8| agent_act(10, &[steps, millis]);
    let wait = |millis: u16| agent_act(9, &millis.to_le_bytes());
    let set = |which: u8, a: u8| agent_act(17, &[which, a, 0, 0, 0]);
    let peer = |deaf: u8, lives: u8| agent_act(8, &[deaf, lives]);
    let connect = agent_act(15, &[0xFF, 60]);
    // A trap, and two variables that are forced for a while, one of them with a safe value.
    let hold = [sense(0, 1, 3), sense(12, 103, 4), sense(12, 104, 285)].concat();
    let mut scripts = Vec::new();
    for (name, from) in [("all", 0), ("all-later", 16)] {
        let mut all = Vec::new();
        for which in (from..31).chain(0..from) {
            all.extend(sense(which, 4, u16::from(which)));
            all.extend(pass(2, which));
        }
        scripts.push((name, all));
    }
    scripts.push((
        "steps",
        [sense(6, 0, 0), sense(8, 1, 5), sense(9, 9, 0x100), sense(7, 0, 0), sense(6, 0, 0), sense(8, 0, 8)]
            .concat(),
    ));
    scripts.push((
        "lease",
        [&hold[..], &sense(15, 50, 4), &pass(9, 100), &sense(14, 0, 285), &pass(30, 100)].concat(),
    ));
    scripts.push(("stall", [&hold[..], &wait(600), &pass(3, 100)].concat()));
    scripts.push(("silent", [&hold[..], &peer(0, 0), &pass(40, 100)].concat()));
    scripts
        .push(("stuck", [&hold[..], &set(0, 1), &set(1, 1), &pass(40, 100), &set(9, 0), &connect].concat()));
    scripts.push(("react", [&hold[..], &set(2, 1), &pass(40, 100)].concat()));
    scripts.push(("interlock", [&hold[..], &set(7, 2), &set(10, 0), &hold, &set(7, 3)].concat()));
    scripts.push(("permission", [&hold[..], &set(5, 1), &set(10, 0), &hold, &set(5, 3)].concat()));
    scripts.push(("program", [&hold[..], &set(6, 1), &connect, &hold].concat()));
    scripts.push(("fatal", [&hold[..], &set(4, 8), &sense(11, 4, 1)].concat()));
    scripts.push(("cut", [&hold[..], &agent_act(14, &[0]), &connect, &hold, &connect].concat()));
    scripts.push((
        "restart",
        [&hold[..], &set(3, 1), &agent_act(16, &[]), &connect, &set(9, 0), &connect].concat(),
    ));
    scripts.push(("back", [&hold[..], &agent_act(12, &[90]), &pass(2, 9), &agent_act(12, &[120])].concat()));
    scripts.push(("stand", [&hold[..], &agent_act(13, &[]), &connect].concat()));
    scripts.push(("sleep", [&hold[..], &agent_act(11, &[]).repeat(20)].concat()));
    scripts.push((
        "deaf",
        [&hold[..], &peer(1, 1), &sense(18, 0, 0).repeat(8), &pass(9, 99), &peer(0, 1)].concat(),
    ));
    scripts.push((
        "noise",
        [&hold[..], &agent_act(7, &[3, 2, 90]), &pass(20, 90), &hold, &pass(20, 90)].concat(),
    ));
    let many = |which: [u8; 4]| agent_act(2, &[&which[..], &[100, 4, 0, 0, 0]].concat());
    scripts.push(("overtaken", [many([12, 8, 6, 14]), many([15, 14, 12, 6]), pass(3, 9)].concat()));
    scripts.push((
        "expired",
        [&agent_act(14, &[0])[..], &agent_act(15, &[0xFF, 1]), &hold, &pass(20, 90), &sense(6, 0, 0)]
            .concat(),
    ));
    // Whoever may not do all of it, or not as long as something is stuck.
    let asks: Vec<u8> = (0..30).flat_map(|which| sense(which, 103, 5)).collect();
    scripts.push(("stuck-asks", [&hold[..], &set(0, 1), &pass(20, 100), &asks].concat()));
    for (name, domains) in [("controls", 3), ("looks", 1), ("forces", 6), ("releases", 18)] {
        let connect = agent_act(15, &[domains, 60]);
        scripts.push((name, [&agent_act(14, &[0])[..], &connect, &asks].concat()));
    }
    let denied =
        [&hold[..], &set(5, 1), &hold, &sense(19, 1, 1), &set(5, 3), &hold, &sense(6, 0, 0)].concat();
    scripts.push(("denied", denied));
    scripts.push((
        "shared",
        [sense(12, 104, 4), sense(12, 104, 5), sense(12, 103, 5), sense(12, 106, 1)].concat(),
    ));
    let stop = |which: u8| agent_act(18, &[which, 0, 0, 0, 0]);
    scripts.push((
        "stops",
        [&hold[..], &stop(1), &sense(7, 0, 0), &stop(2), &stop(4), &agent_act(14, &[0]), &stop(1)].concat(),
    ));
    scripts
}

fn frames() -> Vec<Vec<u8>> {
    let registers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17];
    let suites = [0, 7];
    let mut frames: Vec<Vec<u8>> = (0..32).map(|which| sense(which, 4, 3, 9)).collect();
    frames.extend([
        bytes(frame::Frame::Registers(frame::Registers {
            request: 1,
            capture: 2,
            values: CortexM::values(0x18001, &registers),
        })),
        bytes(frame::Frame::Axes(frame::Axes { request: 1, positions: frame::List::new(&[-1, 2]) })),
        bytes(frame::Frame::Memory(frame::Memory { request: 1, addr: 2, data: Bytes::new(b"abc") })),
        bytes(frame::Frame::Hello(frame::Hello {
            lowest: 3,
            highest: 3,
            nonce: [9; 16],
            longest: 512,
            suites: frame::List::new(&suites),
            token: frame::Secret::new(b"token"),
        })),
    ]);
    frames
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
        bytes(backend::CopyInResponse { format: Format::TEXT, column_formats }),
        bytes(backend::CopyOutResponse { format: Format::BINARY, column_formats }),
        bytes(backend::CopyBothResponse { format: Format::TEXT, column_formats }),
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
