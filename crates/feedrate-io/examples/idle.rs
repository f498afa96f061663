//! What connections cost that do nothing, with their tasks:
//!
//! ```text
//! idle [N] [SECONDS]
//! ```
//!
//! A server's memory (VmRSS) for each connection, of N (10000) that a second process has opened: PostgreSQL, WebSocket,
//! and WebSocket over TLS (of these a fifth). Then N WebSockets are kept alive for some seconds (60) by pings every
//! five, and all have to be there at the end.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use feedrate::{Grow, pg};
use feedrate_io::Limits;
use feedrate_io::tokio::Connection;
use feedrate_io::ws::tls::rustls::crypto::ring;
use feedrate_io::ws::tls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use feedrate_io::ws::tls::rustls::{self, RootCertStore, ServerConfig};
use feedrate_io::ws::tls::{self, ClientTls, ServerTls};
use feedrate_io::ws::{self, ClientConfig, Config, Event, Origins};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// Only those of WebSockets that are kept alive go by this.
const PINGS: Duration = Duration::from_secs(5);

static ENDED: AtomicUsize = AtomicUsize::new(0);

async fn serve_pg(socket: TcpStream) {
    let protocol = pg::Frontend::established();
    let mut connection = Connection::new(socket, protocol, Grow::new(1 << 20), Limits::new());
    connection.established();
    while let Ok(Some(_)) = connection.next().await {}
    ENDED.fetch_add(1, Ordering::Relaxed);
}

async fn serve_ws(socket: TcpStream, config: Arc<Config>) {
    // In a box: what the handshake needs is not kept for as long as the task lives.
    if let Ok(mut ws) = Box::pin(ws::accept(socket, &config)).await {
        while let Ok(Some(_)) = ws.next().await {}
    }
    ENDED.fetch_add(1, Ordering::Relaxed);
}

async fn serve_wss(socket: TcpStream, config: Arc<Config>, tls: Option<ServerTls>) {
    if let Ok(mut ws) = Box::pin(tls::accept(socket, &config, tls.as_ref())).await {
        while let Ok(Some(_)) = ws.next().await {}
    }
    ENDED.fetch_add(1, Ordering::Relaxed);
}

fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// `N` connections of one kind: KiB for each, pings that their clients saw, and how many are left.
async fn measure(kind: &str, n: usize, seconds: u64) -> (f64, usize, usize) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate").der().clone();
    let tls = (kind == "wss").then(|| {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .expect("a key");
        ServerTls::new(config)
    });
    let config = Arc::new(Config::new(Origins::Any).ping((seconds > 0).then_some(PINGS)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let mut child = Command::new(std::env::current_exe().expect("a program"))
        .args(["client", kind, &address, &n.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a client");
    let mut to_child = child.stdin.take().expect("a pipe");
    let hex: String = certificate.iter().map(|byte| format!("{byte:02x}")).collect();
    writeln!(to_child, "{hex}").expect("a client");
    // What the first take is for all: code, tables, the allocator's.
    let first = n / 10;
    let mut before = 0.0;
    for at in 0..n {
        let (socket, _) = listener.accept().await.expect("a client");
        socket.set_nodelay(true).expect("a socket");
        match kind {
            "pg" => tokio::spawn(serve_pg(socket)),
            "ws" => tokio::spawn(serve_ws(socket, Arc::clone(&config))),
            _ => tokio::spawn(serve_wss(socket, Arc::clone(&config), tls.clone())),
        };
        if at + 1 == first {
            sleep(Duration::from_secs(2)).await;
            before = resident();
        }
    }
    sleep(Duration::from_secs(3)).await;
    let each = (resident() - before) / (n - first) as f64;
    sleep(Duration::from_secs(seconds)).await;
    let left = n - ENDED.load(Ordering::Relaxed);
    drop(to_child);
    let mut said = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    tokio::task::spawn_blocking(move || out.read_line(&mut said).map(|_| said))
        .await
        .expect("no panic")
        .map(|said| {
            let _ = child.wait();
            (each, said.trim().parse().expect("a number"), left)
        })
        .expect("a client")
}

/// The other process: opens the connections, answers pings, and says how many there were.
async fn client(kind: &str, address: &str, n: usize) {
    let mut hex = String::new();
    std::io::stdin().read_line(&mut hex).expect("a certificate");
    let bytes: Vec<u8> = (0..hex.trim().len() / 2)
        .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).expect("hexadecimal digits"))
        .collect();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(bytes)).expect("a certificate");
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = ClientTls::new(config);
    let port = address.rsplit(':').next().expect("a port");
    let scheme = if kind == "wss" { "wss" } else { "ws" };
    let host = if kind == "wss" { "localhost" } else { "127.0.0.1" };
    let config = ClientConfig::url(&format!("{scheme}://{host}:{port}/")).expect("a URL").ping(None);
    let pings = Arc::new(AtomicUsize::new(0));
    for _ in 0..n {
        if kind == "pg" {
            let mut socket = TcpStream::connect(address).await.expect("a server");
            tokio::spawn(async move { socket.read(&mut [0]).await });
            continue;
        }
        let (mut ws, pings) = (tls::connect(&config, &tls).await.expect("a server"), Arc::clone(&pings));
        tokio::spawn(async move {
            while let Ok(Some(event)) = ws.event().await {
                if matches!(event, Event::Ping(_)) {
                    pings.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    // Until the other process wants to know.
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    let _ = ended.await;
    println!("{}", pings.load(Ordering::Relaxed));
}

/// A process for each kind: memory that has been given back is not as if it had never been taken.
fn run(n: usize, seconds: u64) -> bool {
    [("pg", n, 0), ("ws", n, 0), ("wss", n / 5, 0), ("ws", n, seconds)].into_iter().all(
        |(kind, n, seconds)| {
            let program = std::env::current_exe().expect("a program");
            let status =
                Command::new(program).args(["serve", kind, &n.to_string(), &seconds.to_string()]).status();
            status.expect("a server").success()
        },
    )
}

async fn serve(kind: &str, n: usize, seconds: u64) -> bool {
    let (each, pings, left) = measure(kind, n, seconds).await;
    if seconds == 0 {
        println!("{kind}: {each:.2} KiB for each of {n} connections ({left} at the end)");
        return left == n;
    }
    println!("kept alive for {seconds} s: {left} of {n} WebSockets, by {pings} pings");
    left == n && pings >= n
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &String| text.parse().expect("a number");
    let seconds = |text: &String| text.parse().expect("seconds");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let good = match arguments.as_slice() {
        [first, kind, address, n] if first == "client" => {
            runtime.block_on(client(kind, address, number(n)));
            // Without waiting for each connection's end.
            std::process::exit(0);
        }
        [first, kind, n, time] if first == "serve" => runtime.block_on(serve(kind, number(n), seconds(time))),
        _ => run(arguments.first().map_or(10_000, number), arguments.get(1).map_or(60, seconds)),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
