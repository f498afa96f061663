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
//! The machine, and the tokens that it takes, are the reference machine's of
//! `tests/rdp-conformance/README.md`. `--help` lists the options.
//!
//! What firmware would do is in `rdp_sim/station.rs`: bytes go in, the agent runs, bytes come out.
//! `rdp_sim/machine.rs` is the machine as the agent's `Target`.

#[path = "rdp_sim/machine.rs"]
mod machine;
#[path = "rdp_sim/options.rs"]
mod options;
#[path = "rdp_sim/station.rs"]
mod station;

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use feedrate_examples::lane::{Happening, Port};
use feedrate_rdp::link::LaneId;

use crate::options::{Options, USAGE};
use crate::station::Station;

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

fn run(options: &Options) -> Result<(), String> {
    let (to_station, happenings) = sync_channel(64);
    let mut lanes = vec![("listening", LaneId::Signal, &options.signal)];
    lanes.extend(options.bulk.iter().map(|address| ("bulk", LaneId::Bulk, address)));
    for (what, lane, address) in lanes {
        let listener =
            TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        println!("{what} {address}");
        let to_station = to_station.clone();
        thread::spawn(move || serve(&listener, lane, &to_station));
    }
    Station::new(options)?.run(&happenings)
}

/// One connection after the other: the next one is taken when this one has ended.
fn serve(listener: &TcpListener, lane: LaneId, to: &SyncSender<Happening>) -> Option<()> {
    loop {
        let accepted = listener.accept().and_then(|(stream, _)| Port::tcp(stream));
        let Ok((port, reader)) = accepted.and_then(|port| Ok((port.try_clone()?, port))) else {
            // A client that has left again, or too many open files: neither is for ever.
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        to.send(Happening::Connected(lane, port)).ok()?;
        let why = reader.pass_on(lane, to)?;
        to.send(Happening::Gone(lane, why)).ok()?;
    }
}
