//! A WebSocket client for the command line:
//!
//! ```text
//! $ cargo run --release --example ws_client -- ws://127.0.0.1:9001/ "text hello; recv; ping; close 1000 bye"
//! text hello
//! pong
//! closed 1000 (normal)
//! ```
//!
//! If no commands are given, they are read from standard input, one per line. `ws_client suite URL` runs the client's
//! side of the Autobahn test suite: [`suite`](suite::run) has the loop of a client that answers what it receives.
//! `--help` lists the rest.

#[path = "ws_client/commands.rs"]
mod commands;
#[path = "ws_client/options.rs"]
mod options;
#[path = "ws_client/suite.rs"]
mod suite;

use std::process::ExitCode;

use crate::options::{Options, USAGE};

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprint!("ws_client: {wrong}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let result = match &options.suite {
        Some(suite) => suite::run(&options, suite).await.map_err(|error| error.to_string()),
        None => commands::run(&options).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ws_client: {error}");
            ExitCode::FAILURE
        }
    }
}
