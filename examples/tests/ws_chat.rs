//! The chat of the examples, as programs: a server that is killed, and members that are slow.
//!
//! They are the programs that `cargo test -p feedrate-examples` has built.

#[path = "../ws_chat/backoff.rs"]
mod backoff;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use feedrate_io::ws::{ClientConfig, CloseCode, WebSocket, connect};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(60);

fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let path = test.ancestors().nth(2).expect("target/PROFILE").join("examples").join(name);
    assert!(path.exists(), "{} is missing: cargo build -p feedrate-examples --examples", path.display());
    path
}

/// Ends with the test, however that ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server, and where it listens.
fn serve(address: &str) -> (Program, String) {
    let mut command = Command::new(example("ws_chat"));
    command.args(["serve", "--listen", address]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("a server");
    let (mut said, out) = (String::new(), child.stdout.take().expect("a pipe"));
    let server = Program(child);
    BufReader::new(out).read_line(&mut said).expect("what it says");
    let address = said.trim().strip_prefix("listening on ").expect("where it listens").to_owned();
    (server, address)
}

struct Member {
    program: Program,
    says: Option<ChildStdin>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Member {
    fn join(address: &str, name: &str) -> Self {
        let mut command = Command::new(example("ws_chat"));
        command.args(["join", &format!("ws://{address}/"), "--name", name]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a member");
        let (says, out) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let hears = Arc::clone(&heard);
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                hears.lock().expect("no panic").push(line);
            }
        });
        Self { program: Program(child), says, heard }
    }

    fn say(&mut self, what: &str, lines: usize) {
        let text: String = (0..lines).map(|n| format!("{what}{n}\n")).collect();
        self.says.as_mut().expect("not ended").write_all(text.as_bytes()).expect("it reads");
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }

    /// Ends its input, and waits for its end.
    fn leave(mut self) {
        self.says = None;
        until("a member ends", || {
            self.program.0.try_wait().expect("a state").is_some_and(|code| code.success())
        });
    }
}

fn until(what: &str, done: impl FnMut() -> bool) {
    let (began, mut done) = (Instant::now(), done);
    while !done() {
        assert!(began.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn until_all_heard(members: &[Member], lines: usize) {
    for (n, member) in members.iter().enumerate() {
        until(&format!("member {n} hears {lines} lines"), || member.heard().len() >= lines);
    }
}

/// Each member's lines by name, in the order in which they came.
fn by_name(member: &Member) -> HashMap<String, Vec<String>> {
    let mut all = HashMap::<_, Vec<_>>::new();
    for line in member.heard() {
        let (name, text) = line.split_once(": ").expect("NAME: TEXT");
        all.entry(name.to_owned()).or_default().push(text.to_owned());
    }
    all
}

#[test]
fn twenty_members_come_back_to_a_server_that_was_killed() {
    const MEMBERS: usize = 20;
    let (server, address) = serve("127.0.0.1:0");
    let mut members: Vec<_> = (0..MEMBERS).map(|n| Member::join(&address, &format!("m{n}"))).collect();
    members.iter_mut().for_each(|member| member.say("here", 1));
    until_all_heard(&members, MEMBERS);
    members.iter_mut().for_each(|member| member.say("a", 10));
    until_all_heard(&members, MEMBERS * 11);
    // It is killed when all has been heard, and what is said then waits.
    drop(server);
    members.iter_mut().for_each(|member| member.say("b", 10));
    thread::sleep(Duration::from_millis(500));
    let (server, _) = serve(&address);
    until_all_heard(&members, MEMBERS * 21);
    let expected: Vec<_> = ["here0".to_owned()]
        .into_iter()
        .chain(["a", "b"].iter().flat_map(|what| (0..10).map(move |n| format!("{what}{n}"))))
        .collect();
    for member in &members {
        let all = by_name(member);
        assert_eq!(all.len(), MEMBERS);
        all.iter().for_each(|(name, lines)| assert_eq!(lines, &expected, "{name}"));
    }
    // And killed while they talk: everybody hears what they have said themselves, all lines are in order, none twice.
    members.iter_mut().for_each(|member| member.say("c", 300));
    until("some is heard", || members.iter().all(|member| member.heard().len() > MEMBERS * 21 + 100));
    drop(server);
    let (_server, _) = serve(&address);
    for (n, member) in members.iter().enumerate() {
        until("its last line", || {
            by_name(member)[&format!("m{n}")].last().is_some_and(|last| last == "c299")
        });
    }
    for (n, member) in members.iter().enumerate() {
        for (name, lines) in by_name(member) {
            let numbers = lines.iter().filter_map(|line| line.strip_prefix('c'));
            let numbers: Vec<usize> = numbers.map(|number| number.parse().expect("a number")).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{n} of {name}: {numbers:?}");
            assert!(name != format!("m{n}") || numbers.len() == 300, "{n}: {numbers:?}");
        }
    }
    members.into_iter().for_each(Member::leave);
}

async fn guest(address: &str) -> WebSocket<TcpStream> {
    let socket = TcpStream::connect(address).await.expect("a server");
    connect(socket, &ClientConfig::new(address, "/")).await.expect("a WebSocket")
}

fn resident(server: &Program) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.0.id())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn who_does_not_read_has_to_leave_and_costs_little() {
    const LINES: usize = 8000;
    let (server, address) = serve("127.0.0.1:0");
    let (mut slow, mut talker) = (guest(&address).await, guest(&address).await);
    let text = "x".repeat(4000);
    // One that reads hears all of it, 32 MB; nobody waits for the one that does not.
    for n in 0..LINES {
        talker.send(format!("talker {n} {text}").as_str()).await.expect("sent");
        let heard = talker.next().await.expect("heard").expect("a line");
        assert!(heard.as_bytes().starts_with(format!("talker {n} ").as_bytes()));
    }
    let held = resident(&server);
    assert!(held < 40 << 10, "{held} KiB");
    let mut heard = 0;
    while slow.next().await.expect("an end").is_some() {
        heard += 1;
    }
    let closed = slow.closed().expect("said goodbye");
    assert_eq!(closed.code(), Some(CloseCode::TRY_AGAIN));
    assert!(closed.reason().starts_with("too slow: "), "{}", closed.reason());
    assert!(heard < LINES, "{heard}");
}
