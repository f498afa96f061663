//! Whatever a peer calls itself or says, nothing of it reaches the terminal but printable text.

// The tests of what `rdp` prints are in its modules, and run with these.
#![allow(dead_code, reason = "what only the program itself needs")]

#[path = "../rdp/address.rs"]
mod address;
#[path = "../rdp/client.rs"]
mod client;
#[path = "../rdp/digits.rs"]
mod digits;
#[path = "../rdp/failure.rs"]
mod failure;
#[path = "../rdp/names.rs"]
mod names;
#[path = "../rdp/options.rs"]
mod options;
#[path = "../rdp/show.rs"]
mod show;
#[path = "../rdp/symbols.rs"]
mod symbols;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use feedrate::pg::backend::{
    Authentication, CommandComplete, DataRow, ErrorResponse, NoticeField, NoticeResponse, ReadyForQuery,
    TransactionStatus,
};
use feedrate::pg::{List, Text};
use feedrate::{Array, Encode};
use feedrate_ws::handshake::Server;

/// Clears the screen, sets the window's title, turns the writing around: as characters, and as a byte that is none.
const HOSTILE: &str = "\x1b[2J\x1b]0;x\x07\u{9b}31m\u{202e}";
const SHOWN: &str = r"\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}";

/// Where an example is. `cargo test` builds them with the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let path = test.ancestors().nth(2).expect("target/PROFILE").join("examples").join(name);
    path.with_extension(std::env::consts::EXE_EXTENSION)
}

fn printed(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(example(program));
    let output = command.args(arguments).stdin(Stdio::null()).output().expect("the program");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).expect("what is not UTF-8 is escaped");
    assert!(!text.replace('\n', "").contains(char::is_control), "{text:?}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
    text
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

#[test]
fn the_name_of_a_device() {
    let mut command = Command::new(example("rdp_sim"));
    let command =
        command.args(["--listen", "0", "--name", HOSTILE]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut machine = Running(command.spawn().expect("rdp_sim"));
    let mut line = String::new();
    BufReader::new(machine.0.stdout.take().expect("piped")).read_line(&mut line).expect("an address");
    let address = line.trim_end().split_once(' ').expect("listening").1;
    let text = printed("rdp", &["--connect", address, "--token", "operator", "--script", "state"]);
    assert!(text.contains(&format!("device   {SHOWN} (")), "{text}");
}

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("short");
    match length {
        0..126 => [&[0x80 | opcode, length as u8], payload].concat(),
        _ => [&[0x80 | opcode, 126], &length.to_be_bytes()[..], payload].concat(),
    }
}

/// What `ws_client` makes of a server that says this.
fn websocket(says: Vec<u8>, arguments: impl Fn(&str) -> Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}/", listener.local_addr().expect("an address"));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let (mut server, mut buffer) = (Server::new(Array::<4096>::new()), [0; 4096]);
        loop {
            let n = stream.read(&mut buffer).expect("a request");
            let mut input = buffer.get_mut(..n).expect("read");
            if let Some(request) = server.feed(&mut input).expect("a good one") {
                let mut out = Vec::new();
                request.accept().encode(&mut out).expect("memory");
                out.extend(says);
                stream.write_all(&out).expect("sent");
                break;
            }
        }
        // The client's Close; then it is for the server to end.
        let _ = stream.read(&mut buffer);
    });
    let arguments = arguments(&url);
    let text = printed("ws_client", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    server.join().expect("the server");
    text
}

#[test]
fn what_a_websocket_says() {
    let goodbye = frame(8, &[&1000_u16.to_be_bytes(), HOSTILE.as_bytes()].concat());
    let long = HOSTILE.repeat(50);
    let says = [
        frame(1, HOSTILE.as_bytes()),
        frame(1, long.as_bytes()),
        frame(10, &[HOSTILE.as_bytes(), b"\x9b2J"].concat()),
        goodbye.clone(),
    ]
    .concat();
    let text = websocket(says, |url| vec![url.into(), "recv; recv; recv".into()]);
    let (first, rest) = text.split_once('\n').expect("lines");
    assert_eq!(first, format!("text {SHOWN}"));
    let (second, rest) = rest.split_once('\n').expect("lines");
    assert!(second.starts_with(&format!("text {SHOWN}{SHOWN}")), "{text}");
    assert!(second.ends_with(&format!("... ({} bytes)", long.len())), "{text}");
    let expected = format!("pong {SHOWN}\\x9b2J\nclosed 1000 (normal) {SHOWN}\n");
    assert!(rest.starts_with(&expected), "{text}");

    // A suite that says how many cases it has.
    let says = [frame(1, HOSTILE.as_bytes()), goodbye].concat();
    let text = websocket(says, |url| vec!["suite".into(), url.trim_end_matches('/').into()]);
    assert_eq!(text, format!("ws_client: {SHOWN}: expected a number of cases\n"));
}

/// What `pg_pull` makes of a server that says the first when it has come, and the second when it is asked.
fn server(first: Vec<u8>, second: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut buffer = [0; 4096];
        for says in [first, second] {
            // Each of the client's messages is short, and comes alone.
            if stream.read(&mut buffer).is_ok_and(|n| n > 0) {
                let _ = stream.write_all(&says);
            }
        }
        let _ = stream.read(&mut buffer);
    });
    let text = printed("pg_pull", &["--server", &address, "--user", "alice", "select 1"]);
    server.join().expect("the server");
    text
}

#[test]
fn what_a_database_says() {
    fn put(out: &mut Vec<u8>, message: &impl Encode) {
        message.encode(out).expect("memory");
    }
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let ready = ReadyForQuery { status: TransactionStatus::Idle };
    put(&mut first, &Authentication::Ok);
    put(&mut first, &ready);
    let columns = [Some(HOSTILE.as_bytes())];
    let fields = [NoticeField { code: 0x9b, value: HOSTILE.into() }];
    put(&mut second, &DataRow { columns: List::from(&columns) });
    put(&mut second, &NoticeResponse { fields: List::from(&fields) });
    put(&mut second, &CommandComplete { tag: HOSTILE.into() });
    put(&mut second, &ErrorResponse { fields: List::from(&fields) });
    put(&mut second, &ready);
    let text = server(first, second);
    let field = format!("  \\x9b \"{SHOWN}\"\n");
    assert_eq!(text, format!("\"{SHOWN}\"\nnotice:\n{field}\"{SHOWN}\"\nerror:\n{field}"));

    let plain = [b"E", HOSTILE.as_bytes(), b"\n\0"].concat();
    assert_eq!(server(plain, Vec::new()), format!("pg_pull: \"{SHOWN}\\n\"\n"));

    let mut sasl = Vec::new();
    let mechanisms = [Text::from(HOSTILE)];
    put(&mut sasl, &Authentication::Sasl { mechanisms: List::from(&mechanisms) });
    let text = server(sasl, Vec::new());
    assert!(text.contains(&format!("SASL ([\"{SHOWN}\"])")), "{text}");
}
