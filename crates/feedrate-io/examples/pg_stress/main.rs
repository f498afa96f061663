//! What a client must survive, against a real server: long pipelines, cancels at any moment, any order of requests.
//!
//! ```text
//! pg_stress pipeline CONNECTION N     N Binds whose rows are long, in a pipeline, over sockets with small buffers
//! pg_stress cancel CONNECTION N       N cancels at random moments: none may hit the next query
//! pg_stress random CONNECTION N SEED  N random conversations, some of them given up, on one session
//! ```
//!
//! For tests/rig/session.sh.

mod cancel;
mod pipeline;
mod random;
mod reach;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["pipeline", connection, n] => pipeline::run(connection, number(n)).await,
        ["cancel", connection, n] => cancel::run(connection, number(n)).await,
        ["random", connection, n, seed] => random::run(connection, number(n), number(seed)).await,
        _ => Err("usage: pg_stress pipeline|cancel CONNECTION N | random CONNECTION N SEED".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pg_stress: {error}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}
