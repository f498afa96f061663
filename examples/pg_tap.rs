//! A proxy between PostgreSQL clients and a server that prints what passes through it:
//!
//! ```text
//! $ cargo run --release --example pg_tap -- --listen 127.0.0.1:6432 --server 127.0.0.1:5432
//! listening on 127.0.0.1:6432
//!   1   0.000039 F->      8 SSLRequest
//!   1   0.000061 <-B      1 EncryptionResponse  refused
//!   1   0.000152 F->     84 StartupMessage  3.0: "user" "postgres", "database" "postgres", ...
//!   1   0.002280 <-B     23 Authentication  SASL: "SCRAM-SHA-256"
//! ```
//!
//! Each line shows the connection, seconds since it began, direction, the length that the message declares, its name,
//! and the fields that matter. Secrets are never shown. `--help` lists the options.
//!
//! With `--check` it says which messages may not come where they come, and what is owed at the end of a connection.
//!
//! It takes TLS from its clients and speaks it with the server, if it is told to, and carries thousands of connections
//! on two threads. Read `connection.rs` first: it has the main loop.

#[path = "pg_tap/begin.rs"]
mod begin;
#[path = "pg_tap/binding.rs"]
mod binding;
#[path = "pg_tap/check.rs"]
mod check;
#[path = "pg_tap/connection.rs"]
mod connection;
#[path = "pg_tap/handshake.rs"]
mod handshake;
#[path = "pg_tap/lane.rs"]
mod lane;
#[path = "pg_tap/options.rs"]
mod options;
#[path = "pg_tap/output.rs"]
mod output;
#[path = "pg_tap/tap.rs"]
mod tap;
#[path = "pg_tap/tls.rs"]
mod tls;
#[path = "pg_tap/waiting.rs"]
mod waiting;

use std::io;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::runtime::Builder;
use tokio::select;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::begin::{Socket, tcp};
use crate::options::{Options, USAGE, is_path};
use crate::tap::{News, Tap};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("pg_tap: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(options) {
        Ok(code) => code,
        Err(wrong) => {
            eprintln!("pg_tap: {wrong}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<ExitCode, String> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let tap = Arc::new(Tap::new(options)?);
        let (listener, address) = Listener::bind(&tap.options.listen)
            .await
            .map_err(|error| format!("cannot listen on {}: {error}", tap.options.listen))?;
        let stop = Arc::new(Notify::new());
        let (stops, again) = (Arc::clone(&stop), AtomicBool::new(false));
        let interrupt = move || {
            stops.notify_one();
            if again.swap(true, Relaxed) {
                exit(130);
            }
        };
        ctrlc::set_handler(interrupt).map_err(|error| error.to_string())?;
        let lines = format!("listening on {address}\n").into();
        tap.publish(News { lines, ..News::default() }).await;
        select! {
            () = accept(&tap, &listener) => {}
            () = stop.notified() => tap.wait().await,
        }
        if is_path(&address) {
            let _ = std::fs::remove_file(&address);
        }
        Ok(tap.finish().into())
    })
}

/// Accepts connections, each in a task of its own.
async fn accept(tap: &Arc<Tap>, listener: &Listener) {
    let mut complained = false;
    loop {
        match listener.accept().await {
            Ok(client) => {
                complained = false;
                let number = tap.connections.fetch_add(1, Relaxed) + 1;
                let tap = Arc::clone(tap);
                tokio::spawn(async move { connection::serve(&tap, number, client).await });
            }
            // Too many open files, or the client has left already: both pass.
            Err(error) => {
                if !complained {
                    tap.complain(&format!("cannot accept a connection: {error}"));
                }
                complained = true;
                if error.kind() != io::ErrorKind::ConnectionAborted {
                    tap.starting.give_way();
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    async fn bind(address: &str) -> io::Result<(Self, String)> {
        #[cfg(unix)]
        if is_path(address) {
            return Ok((Self::Unix(UnixListener::bind(address)?), address.to_owned()));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?.to_string();
        Ok((Self::Tcp(listener), address))
    }

    async fn accept(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => Ok(tcp(listener.accept().await?.0)),
            #[cfg(unix)]
            Self::Unix(listener) => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}
