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
//! Read `connection.rs` first: it has the main loop.

#[path = "pg_tap/connection.rs"]
mod connection;
#[path = "pg_tap/handshake.rs"]
mod handshake;
#[path = "pg_tap/lane.rs"]
mod lane;
#[path = "pg_tap/options.rs"]
mod options;
#[path = "pg_tap/pair.rs"]
mod pair;
#[path = "pg_tap/tap.rs"]
mod tap;

use std::net::TcpListener;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use crate::options::{Options, USAGE};
use crate::tap::{Tap, complain};

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
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            complain(&wrong);
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<(), String> {
    let listener = TcpListener::bind(&options.listen)
        .map_err(|error| format!("cannot listen on {}: {error}", options.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let tap = Arc::new(Tap::new(options)?);
    let at_end = Arc::clone(&tap);
    ctrlc::set_handler(move || exit(at_end.finish())).map_err(|error| error.to_string())?;
    tap.print(&format!("listening on {address}\n"));

    let mut complained = false;
    loop {
        let client = match listener.accept() {
            Ok((client, _)) => client,
            Err(error) => {
                // Too many open files, or the client has left already: both pass.
                if !complained {
                    complain(&format!("cannot accept a connection: {error}"));
                }
                complained = true;
                thread::sleep(Duration::from_millis(100));
                continue;
            }
        };
        complained = false;
        let number = tap.connections.fetch_add(1, Relaxed) + 1;
        tap.open.fetch_add(1, Relaxed);
        let shared = Arc::clone(&tap);
        let serve = move || connection::serve(&shared, number, client);
        if let Err(error) = thread::Builder::new().spawn(serve) {
            tap.open.fetch_sub(1, Relaxed);
            complain(&format!("connection {number}: no thread for it: {error}"));
        }
    }
}
