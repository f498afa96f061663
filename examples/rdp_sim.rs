//! An RDPv3 agent with a simulated machine behind it, for trying a debugger without a board and without an
//! emulator:
//!
//! ```text
//! $ cargo run --example rdp_sim -- --listen 127.0.0.1:7000
//! listening 127.0.0.1:7000
//! ```
//!
//! and in another terminal `cargo run --example rdp -- --connect tcp:127.0.0.1:7000 --token operator`.
//!
//! The machine, the tokens that it accepts, and the commands on standard input that change its behaviour are
//! described in `tests/rdp-conformance/README.md`. `--help` lists the options.
//!
//! `rdp_sim/station.rs` does what firmware would do: bytes go in, the agent runs, bytes come out.
//! `rdp_sim/machine.rs` is the machine, and `rdp_sim/target.rs` is what the agent sees of it.

#[path = "rdp_sim/clock.rs"]
mod clock;
#[path = "rdp_sim/knobs.rs"]
mod knobs;
#[path = "rdp_sim/machine.rs"]
mod machine;
#[path = "rdp_sim/options.rs"]
mod options;
#[path = "rdp_sim/station.rs"]
mod station;
#[path = "rdp_sim/target.rs"]
mod target;
#[path = "rdp_sim/world.rs"]
mod world;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use feedrate_io::rdp::agent::Place;
use feedrate_io::socket::TcpOptions;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Sender, channel};

use crate::options::{Options, USAGE};
use crate::station::Station;

/// Roughly how many bytes the system buffers for sending: nothing can overtake them (SPEC section 5.1).
const SEND_BUFFER: usize = 16 * 1024;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("rdp_sim: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("rdp_sim: {wrong}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(options: &Options) -> Result<(), String> {
    let (to_station, newcomers) = channel(1);
    let mut places = vec![("listening", Place::Operator, &options.listen)];
    places.extend(options.bulk.iter().map(|address| ("bulk", Place::Bulk, address)));
    places.extend(options.observe.iter().map(|address| ("observing", Place::Observer, address)));
    let mut out = std::io::stdout().lock();
    for (what, place, address) in places {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        writeln!(out, "{what} {address}").map_err(|error| error.to_string())?;
        tokio::spawn(accept(listener, place, to_station.clone()));
    }
    out.flush().map_err(|error| error.to_string())?;
    drop(out);
    Station::new(options)?.run(newcomers).await
}

/// Accepts a listener's connections, and passes them on.
async fn accept(listener: TcpListener, place: Place, to: Sender<(Place, TcpStream)>) {
    let options = TcpOptions::new().send_buffer(SEND_BUFFER);
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                if options.apply(&socket).is_ok() && to.send((place, socket)).await.is_err() {
                    return;
                }
            }
            // The client has left already, or there are too many open files: both pass.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
