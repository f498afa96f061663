//! Runs SQL on a server of PostgreSQL and prints what it returns, as `psql` does.
//!
//! ```text
//! cargo run --release --example pg_client -- "postgresql://alice@db.example/sales?sslmode=verify-full" "select 1"
//! ```
//!
//! The connection string, the environment's variables, service files and `.pgpass` are libpq's. The data of a COPY come
//! from a file or standard input, and go to a file or standard output. The exit code is 1 if something failed, 2 if
//! there is no connection. Ctrl-C cancels what the server is doing.

#[path = "pg_client/options.rs"]
mod options;
#[path = "pg_client/report.rs"]
mod report;
#[path = "pg_client/run.rs"]
mod run;
#[path = "pg_client/table.rs"]
mod table;
#[path = "pg_client/trust.rs"]
mod trust;

use std::process::ExitCode;

use options::Options;
use run::run;

// All that it does is wait for one server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", options::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("pg_client: {error}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let mut pg = match options.connect().await {
        Ok(pg) => pg,
        Err(error) => {
            eprintln!("pg_client: error: {error}");
            return ExitCode::from(2);
        }
    };
    match run(&mut pg, &options).await {
        Ok(good) => {
            let _ = pg.close().await;
            ExitCode::from(u8::from(!good))
        }
        Err(error) => {
            eprintln!("pg_client: error: {error}");
            ExitCode::from(2)
        }
    }
}
