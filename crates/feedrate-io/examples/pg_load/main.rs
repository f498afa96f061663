//! Load for a PostgreSQL proxy, for tests/rig/tap_load.sh. It is no program to start from.
//!
//!   pg_load serve                            answers queries, whose text is a number of rows; prints its port
//!   pg_load measure ADDRESS N M ROUNDS SECONDS   N clients ask once a second: how long they wait, without and with M
//!                                            malicious clients
//!   pg_load bad ADDRESS M                    these malicious clients
//!   pg_load idle ADDRESS N                   N clients that have logged in and wait; ends with its standard input

mod bad;
mod client;
mod good;
mod responder;

use std::env::args;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = args().skip(1).collect();
    let done = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => responder::serve().await,
        ["measure", address, numbers @ ..] => good::measure(address, numbers).await,
        ["bad", address, clients] => bad::run(address, clients).await,
        ["idle", address, clients] => good::idle(address, clients).await,
        _ => Err("see the top of the source".into()),
    };
    done.map_or_else(
        |error| {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}
