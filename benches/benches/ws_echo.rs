//! WebSocket echo servers side by side: `cargo bench -p feedrate-benches --bench ws_echo`.
//!
//! Each server has a thread of its own, and what is counted is that thread's CPU time for a message: how fast the
//! client is does not matter. The servers take turns, and the table has the median of the ratios of each turn.
//! `--rounds N` (15) are the turns; `--test` only tries whether all of it works; any other word chooses the rows that
//! have it.
#![allow(missing_docs)]

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fastwebsockets::{FragmentCollector, OpCode};
use feedrate_io::ws::{Config, Origins};
use futures_util::{SinkExt, StreamExt};
use nix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::protocol::Role;

const SERVERS: [&str; 3] = ["feedrate-io", "tokio-tungstenite", "fastwebsockets"];

/// As each crate's own example has it, behind the handshake.
async fn echo(server: usize, io: TcpStream) {
    match server {
        0 => {
            let config = Config::new(Origins::Any);
            let mut ws = feedrate_io::ws::WebSocket::server(io, &config, &[]);
            while let Ok(Some((message, mut out))) = ws.incoming().await {
                out.send(message).await.expect("sent");
            }
        }
        1 => {
            let mut ws = tokio_tungstenite::WebSocketStream::from_raw_socket(io, Role::Server, None).await;
            while let Some(Ok(message)) = ws.next().await {
                ws.send(message).await.expect("sent");
            }
        }
        _ => {
            let ws = fastwebsockets::WebSocket::after_handshake(io, fastwebsockets::Role::Server);
            let mut ws = FragmentCollector::new(ws);
            while let Ok(frame) = ws.read_frame().await {
                if matches!(frame.opcode, OpCode::Close) {
                    return;
                }
                ws.write_frame(frame).await.expect("sent");
            }
        }
    }
}

/// What is measured.
#[derive(Clone, Copy)]
struct Row {
    bytes: usize,
    at_once: usize,
    clients: usize,
}

impl Row {
    fn all() -> impl Iterator<Item = Self> {
        let sizes = [16, 1024, 65536].into_iter();
        sizes.flat_map(|bytes| {
            [1, 32].into_iter().flat_map(move |at_once| {
                [1, 200].into_iter().map(move |clients| Self { bytes, at_once, clients })
            })
        })
    }

    fn name(self) -> String {
        let Self { bytes, at_once, clients } = self;
        let size = if bytes < 1024 { format!("{bytes} B") } else { format!("{} KiB", bytes / 1024) };
        let clients = if clients == 1 { "1 client".into() } else { format!("{clients} clients") };
        format!("{size}, {at_once} at a time, {clients}")
    }

    /// Batches that each client sends in a turn.
    fn batches(self, is_test: bool) -> usize {
        let all = match self.bytes {
            16 => 40_000,
            1024 => 30_000,
            _ => 3000,
        };
        if is_test {
            2
        } else {
            (all / if self.at_once == 1 { 5 } else { 1 } / self.at_once / self.clients).max(2)
        }
    }

    /// A client's message, masked.
    fn message(self) -> Vec<u8> {
        let mut frame = vec![0x82];
        match self.bytes {
            bytes @ 0..126 => frame.push(0x80 | bytes as u8),
            bytes @ 126..65536 => frame.extend([&[0xfe][..], &(bytes as u16).to_be_bytes()].concat()),
            bytes => frame.extend([&[0xff][..], &(bytes as u64).to_be_bytes()].concat()),
        }
        frame.extend(*b"mask");
        frame.extend((0..self.bytes).map(|at| at as u8));
        frame
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn thread_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("a clock").into()
}

/// The server's CPU time, from when all clients are there until they have left.
fn measure(server: usize, row: Row, batches: usize) -> Duration {
    let (tell, told) = mpsc::channel();
    let serving = thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tell.send(listener.local_addr().expect("an address")).expect("a client");
            let mut sockets = Vec::new();
            for _ in 0..row.clients {
                let (socket, _) = listener.accept().await.expect("a client");
                socket.set_nodelay(true).expect("a socket");
                sockets.push(socket);
            }
            let began = thread_cpu();
            let mut tasks: JoinSet<_> = sockets.into_iter().map(|socket| echo(server, socket)).collect();
            while tasks.join_next().await.is_some() {}
            thread_cpu() - began
        })
    });
    let address: SocketAddr = told.recv().expect("an address");
    runtime().block_on(async {
        let mut sockets = Vec::new();
        for _ in 0..row.clients {
            sockets.push(TcpStream::connect(address).await.expect("a server"));
        }
        let mut clients: JoinSet<_> =
            sockets.into_iter().map(|socket| client(socket, row, batches)).collect();
        while let Some(done) = clients.join_next().await {
            done.expect("no panic");
        }
    });
    serving.join().expect("no panic")
}

async fn client(mut socket: TcpStream, row: Row, batches: usize) {
    socket.set_nodelay(true).expect("a socket");
    let message = row.message();
    let head = if row.bytes < 126 {
        2
    } else if row.bytes < 65536 {
        4
    } else {
        10
    };
    let length = head + row.bytes;
    let batch = message.repeat(row.at_once);
    let mut answer = vec![0; length * row.at_once];
    let (mut from, mut to) = socket.split();
    for n in 0..batches {
        let (written, read) = tokio::join!(to.write_all(&batch), from.read_exact(&mut answer));
        written.and(read.map(|_| ())).expect("an echo");
        if n == 0 {
            let unmasked =
                message[message.len() - row.bytes..].iter().zip(b"mask".iter().cycle()).map(|(a, b)| a ^ b);
            assert!(answer[length - row.bytes..length].iter().copied().eq(unmasked), "another message");
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut rounds, mut is_test, mut wanted) = (15, false, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => rounds = arguments.next().and_then(|n| n.parse().ok()).expect("a number"),
            "--test" => (rounds, is_test) = (1, true),
            "--bench" => {}
            other => wanted.push(other.to_owned()),
        }
    }
    println!(
        "The server's CPU time for a message, where {} takes 1.0: the median of {rounds} turns.\n",
        SERVERS[0]
    );
    print!("{:<34} {:>12}", "", "ns");
    SERVERS.iter().for_each(|name| print!(" {name:>18}"));
    println!();
    for row in Row::all().filter(|row| wanted.iter().all(|word| row.name().contains(word.as_str()))) {
        let batches = row.batches(is_test);
        let turns: Vec<_> = (0..rounds)
            .map(|turn| {
                let mut took = [0.0; SERVERS.len()];
                // None of them is always the first.
                for server in (0..SERVERS.len()).map(|n| (n + turn) % SERVERS.len()) {
                    took[server] = measure(server, row, batches).as_secs_f64();
                }
                took
            })
            .collect();
        let messages = (batches * row.at_once * row.clients) as f64;
        print!("{:<34} {:>12.0}", row.name(), median(turns.iter().map(|turn| turn[0])) / messages * 1e9);
        (0..SERVERS.len())
            .for_each(|n| print!(" {:>18.2}", median(turns.iter().map(|turn| turn[n] / turn[0]))));
        println!();
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
