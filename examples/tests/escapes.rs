//! Whatever a peer calls itself or says, nothing of it reaches the terminal but printable text.

#![allow(dead_code, reason = "what only the program itself needs")]

#[path = "../rdp/digits.rs"]
mod digits;
#[path = "../rdp/names.rs"]
mod names;
#[path = "../rdp/symbols.rs"]
mod symbols;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use feedrate::rdp::frame::Type;
use feedrate::{Array, Encode};
use feedrate_ws::handshake::Server;

use names::{Names, Value, Variable};

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

#[test]
fn the_name_of_a_variable() {
    let variable = Variable { addr: 16, kind: Type::Unsigned, length: 4, flags: 0, name: HOSTILE.into() };
    let value = Value { text: "1".into(), size: Some(2) };
    let wrong = value.bytes(Some(&variable)).expect_err("it has four bytes");
    assert_eq!(wrong, format!("{SHOWN} has 4 bytes, and not 2"));
    let names = Names { variables: Some(vec![variable]), ..Names::default() };
    assert_eq!(names.show(16), format!("0x00000010 <{SHOWN}>"));
}

#[test]
fn what_a_websocket_says() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}/", listener.local_addr().expect("an address"));
    let frame = |opcode: u8, payload: &[u8]| {
        [&[0x80 | opcode, u8::try_from(payload.len()).expect("short")], payload].concat()
    };
    let says = [
        frame(1, HOSTILE.as_bytes()),
        frame(10, &[HOSTILE.as_bytes(), b"\x9b2J"].concat()),
        frame(8, &[&1000_u16.to_be_bytes(), HOSTILE.as_bytes()].concat()),
    ]
    .concat();
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
    let text = printed("ws_client", &[&url, "recv; recv"]);
    server.join().expect("the server");
    let expected = format!("text {SHOWN}\npong {SHOWN}\\x9b2J\nclosed 1000 (normal) {SHOWN}\n");
    assert!(text.starts_with(&expected), "{text}");
}
