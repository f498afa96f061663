//! How long the clients of a WebSocket echo server wait, while as many others do their worst:
//!
//! ```text
//! ws_load ADDRESS:PORT [--clients N] [--seconds S] [--rounds R]
//! ```
//!
//! Half of the clients (5000) send 64 bytes a second each, from a thread of their own. The other half, a quarter of it
//! each: sends one byte at a time, sends and does not read, sends garbage, says nothing. In each round (3) the first
//! half is alone for some seconds (10), then all are there, and after five seconds, in which buffers fill, they are
//! measured for as long. The answer is what the 99th percentile of round trips is of what it was, the median of the
//! rounds. A client of the first half that loses its connection fails; how long they wait is for whoever reads it.

use std::cell::{Cell, RefCell};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use feedrate_io::ws::{self, ClientConfig, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep, sleep_until};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// Seconds that those who do their worst have to begin.
const SETTLE: u64 = 5;

struct Options {
    address: String,
    clients: usize,
    seconds: u64,
    rounds: usize,
}

/// What the clients have in common.
#[derive(Default)]
struct Shared {
    /// In microseconds.
    times: RefCell<Vec<u64>>,
    failed: Cell<usize>,
    stop: Cell<bool>,
}

async fn connect(address: &str) -> Result<WebSocket<TcpStream>, Box<dyn std::error::Error>> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let config =
        ClientConfig::new(address, "/").limits(feedrate_io::Limits::new().handshake(Duration::from_secs(60)));
    Ok(ws::connect(socket, &config).await?)
}

/// One that does what it should. Its messages are spread over the second.
async fn good(mut ws: WebSocket<TcpStream>, phase: Duration, shared: Rc<Shared>) {
    let mut at = Instant::now() + phase;
    while !shared.stop.get() {
        sleep_until(at).await;
        at += Duration::from_secs(1);
        let began = Instant::now();
        let answered = match ws.send(&[7; 64][..]).await {
            Ok(()) => ws.next().await.is_ok_and(|message| message.is_some_and(|m| m.as_bytes() == [7; 64])),
            Err(_) => false,
        };
        if !answered {
            return shared.failed.set(shared.failed.get() + 1);
        }
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        shared.times.borrow_mut().push(took);
    }
}

/// One that does its worst, over and over.
async fn bad(address: String, kind: usize, dropped: Arc<[AtomicUsize; 4]>) {
    loop {
        let socket = TcpSocket::new_v4().expect("a socket");
        let _ = socket.set_recv_buffer_size(4096);
        if let Ok(mut socket) = socket.connect(address.parse().expect("ADDRESS:PORT")).await {
            let count = dropped[kind].load(Ordering::Relaxed);
            let _ = match kind {
                0 => byte_by_byte(&mut socket).await,
                1 => deaf(&mut socket).await,
                2 => garbage(&mut socket, count % 2 == 0).await,
                _ => socket.read(&mut [0]).await.map(|_| ()),
            };
            dropped[kind].fetch_add(1, Ordering::Relaxed);
        }
        sleep(Duration::from_secs(1)).await;
    }
}

async fn byte_by_byte(socket: &mut TcpStream) -> std::io::Result<()> {
    for byte in REQUEST {
        socket.write_all(&[*byte]).await?;
        sleep(Duration::from_millis(20)).await;
    }
    socket.write_all(b"\x82\xfe\x40\x00mask").await?;
    loop {
        socket.write_all(b"x").await?;
        sleep(Duration::from_millis(100)).await;
    }
}

async fn deaf(socket: &mut TcpStream) -> std::io::Result<()> {
    socket.write_all(REQUEST).await?;
    let message = [&b"\x82\xfe\x40\x00mask"[..], &[7; 16384]].concat();
    loop {
        socket.write_all(&message).await?;
    }
}

async fn garbage(socket: &mut TcpStream, behind: bool) -> std::io::Result<()> {
    let noise: Vec<u8> = (0_u32..2000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    // As a request, and behind one.
    if behind {
        socket.write_all(REQUEST).await?;
    }
    socket.write_all(&noise).await?;
    while socket.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

/// So many of these, until it is over.
fn do_their_worst(address: &str, clients: usize, dropped: &Arc<[AtomicUsize; 4]>, over: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for n in 0..clients {
            tokio::spawn(bad(address.to_owned(), n % 4, Arc::clone(dropped)));
        }
        while !over.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(20)).await;
        }
    });
}

/// Percentiles, in microseconds.
async fn listen(shared: &Shared, seconds: u64) -> (u64, u64) {
    shared.times.borrow_mut().clear();
    sleep(Duration::from_secs(seconds)).await;
    let mut times = shared.times.take();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

async fn run(options: Options) -> Result<bool, Box<dyn std::error::Error>> {
    let Options { address, clients, seconds, rounds } = options;
    let (half, shared) = (clients / 2, Rc::new(Shared::default()));
    for n in 0..half {
        let phase = Duration::from_secs(1) * u32::try_from(n)? / u32::try_from(half)?;
        spawn_local(good(connect(&address).await?, phase, Rc::clone(&shared)));
    }
    println!("{half} clients that send 64 bytes a second each, and {half} that do their worst:");
    let mut ratios = Vec::new();
    let dropped = Arc::<[AtomicUsize; 4]>::default();
    for _ in 0..rounds {
        let alone = listen(&shared, seconds).await;
        let over = Arc::new(AtomicBool::new(false));
        let worst = thread::spawn({
            let (address, dropped, over) = (address.clone(), Arc::clone(&dropped), Arc::clone(&over));
            move || do_their_worst(&address, half, &dropped, &over)
        });
        // Those who do not read are served like all others until their buffers are full.
        let onset = listen(&shared, SETTLE).await;
        let beside = listen(&shared, seconds).await;
        over.store(true, Ordering::Relaxed);
        worst.join().map_err(|_| "a panic")?;
        let ratio = beside.1 as f64 / alone.1 as f64;
        println!(
            "  median {} us alone, {} us beside them; 99th percentile {} us, {} us: {ratio:.2} (at first {} us)",
            alone.0, beside.0, alone.1, beside.1, onset.1
        );
        ratios.push(ratio);
        // The server finds out that they are gone.
        sleep(Duration::from_secs(2)).await;
    }
    shared.stop.set(true);
    ratios.sort_by(f64::total_cmp);
    let (ratio, failed) = (ratios[ratios.len() / 2], shared.failed.get());
    let dropped = dropped.each_ref().map(|n| n.load(Ordering::Relaxed));
    println!("the server dropped, one byte at a time, deaf, garbage, silent: {dropped:?}");
    println!("99th percentile: {ratio:.2} of what it is without them; {failed} of the others failed");
    Ok(failed == 0)
}

fn options() -> Option<Options> {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options { address: arguments.next()?, clients: 5000, seconds: 10, rounds: 3 };
    while let Some(argument) = arguments.next() {
        let value = arguments.next()?;
        match argument.as_str() {
            "--clients" => options.clients = value.parse().ok()?,
            "--seconds" => options.seconds = value.parse().ok()?,
            "--rounds" => options.rounds = value.parse().ok()?,
            _ => return None,
        }
    }
    Some(options)
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: ws_load ADDRESS:PORT [--clients N] [--seconds S] [--rounds R]");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match LocalSet::new().block_on(&runtime, run(options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ws_load: {error}");
            ExitCode::FAILURE
        }
    }
}
