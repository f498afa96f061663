//! Runs a query and prints its rows: a client that pulls messages from a connection, on tokio.
//!
//! ```text
//! cargo run --release --example pg_pull -- --server 127.0.0.1:5432 --user alice "select * from t"
//! ```
//!
//! Each row is printed on one line, its values as string literals, separated by tabs; NULL has no quotes. Errors and
//! notices go to standard error. The exit code is 1 if something failed. It logs in without a password or with a
//! password in clear text, and has no TLS: use it with a server on this machine.

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use feedrate::Grow;
use feedrate::pg::backend::{Authentication, Message, NoticeField};
use feedrate::pg::frontend::{CopyFail, Parameter, PasswordMessage, Query, StartupMessage, Terminate};
use feedrate::pg::{Backend, List, Secret, Text, Version};
use feedrate_examples::escape::escaped;
use feedrate_io::Limits;
use feedrate_io::tokio::Connection;
use tokio::net::TcpStream;

const USAGE: &str = "usage: pg_pull --server HOST:PORT --user NAME [--database NAME] [--password TEXT] SQL";

/// The longest message that is accepted: a row with a value of 1 GiB, and some. The memory grows with the
/// bytes that arrive.
const LONGEST: usize = (1 << 30) + (1 << 20);
const CLOSED: &str = "the server has closed the connection";

type Server = Connection<Backend, Grow, TcpStream>;

// All that it does is wait for one server.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("pg_pull: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether no ErrorResponse came.
async fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let io = TcpStream::connect(&options.server)
        .await
        .map_err(|error| format!("cannot connect to {:?}, expected HOST:PORT: {error}", options.server))?;
    io.set_nodelay(true)?;
    let mut server = Server::new(io, Backend::new(), Grow::new(LONGEST), Limits::new());
    if !log_in(&mut server, options).await? {
        return Ok(false);
    }
    // A query may take as long as it likes; the login may not.
    server.established();
    server.push(&Query { sql: options.sql.as_str().into() })?;
    let good = print_rows(&mut server).await?;
    server.send(&Terminate).await?;
    server.shutdown().await?;
    Ok(good)
}

/// Up to the first ReadyForQuery. `false`: the server has refused.
async fn log_in(server: &mut Server, options: &Options) -> Result<bool, Box<dyn Error>> {
    let parameter = |name: &'static str, value| Parameter { name: name.into(), value: Text::from(value) };
    let parameters = [
        parameter("user", &*options.user),
        parameter("database", options.database.as_deref().unwrap_or(&options.user)),
        parameter("client_encoding", "UTF8"),
    ];
    server.push(&StartupMessage { version: Version::V3_0, parameters: List::from(&parameters) })?;
    loop {
        // The answer goes out while the question is still lent.
        let (frame, mut out) = server.incoming().await?.ok_or(CLOSED)?;
        match frame.message()? {
            Message::Authentication(Authentication::Ok) => {}
            Message::Authentication(Authentication::CleartextPassword) => {
                let password = options.password.as_deref().ok_or("the server asks for a password")?;
                out.send(&PasswordMessage { password: Secret::from(password.as_bytes()) }).await?;
            }
            Message::Authentication(request) => return Err(not_supported(&request).into()),
            Message::ReadyForQuery(_) => return Ok(true),
            Message::NoticeResponse(notice) => report("notice", notice.fields),
            Message::ErrorResponse(error) => {
                report("error", error.fields);
                return Ok(false);
            }
            Message::PlainError(error) => return Err(format!("{:?}", error.text).into()),
            // Parameters, the key for cancellation.
            _ => {}
        }
    }
}

/// Up to the next ReadyForQuery.
async fn print_rows(server: &mut Server) -> Result<bool, Box<dyn Error>> {
    let (mut out, mut good) = (BufWriter::new(io::stdout().lock()), true);
    loop {
        let (frame, mut answer) = server.incoming().await?.ok_or(CLOSED)?;
        match frame.message()? {
            Message::ReadyForQuery(_) => break,
            Message::DataRow(row) => {
                for (index, value) in row.columns.iter().enumerate() {
                    let tab = if index == 0 { "" } else { "\t" };
                    match value {
                        Some(bytes) => write!(out, "{tab}{:?}", Text::from(bytes))?,
                        None => write!(out, "{tab}NULL")?,
                    }
                }
                writeln!(out)?;
            }
            Message::CopyData(data) => out.write_all(data.data)?,
            Message::CopyInResponse(_) => {
                answer.send(&CopyFail { reason: "pg_pull has no data".into() }).await?;
            }
            Message::CommandComplete(done) => eprintln!("{:?}", done.tag),
            Message::NoticeResponse(notice) => report("notice", notice.fields),
            Message::ErrorResponse(error) => {
                report("error", error.fields);
                good = false;
            }
            // Descriptions of columns, parameters that change.
            _ => {}
        }
    }
    out.flush()?;
    Ok(good)
}

/// The fields' letters are in the documentation, `protocol-error-fields.html`. Texts come from the server, so they are
/// escaped.
fn report(what: &str, fields: List<'_, NoticeField<'_>>) {
    eprintln!("{what}:");
    for field in fields {
        eprintln!("  {} {:?}", escaped([field.code]), field.value);
    }
}

fn not_supported(request: &Authentication<'_>) -> String {
    let method = match request {
        Authentication::Md5Password { .. } => "an MD5 password".into(),
        Authentication::Sasl { mechanisms } => format!("SASL ({mechanisms:?})"),
        Authentication::Gss | Authentication::Sspi => "GSSAPI or SSPI".into(),
        other => format!("{other:?}"),
    };
    format!("the server asks for {method}, and pg_pull has only passwords in clear")
}

#[derive(Default)]
struct Options {
    server: String,
    user: String,
    database: Option<String>,
    password: Option<String>,
    sql: String,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--server" => options.server = arguments.next()?,
                "--user" => options.user = arguments.next()?,
                "--database" => options.database = Some(arguments.next()?),
                "--password" => options.password = Some(arguments.next()?),
                _ if argument.starts_with('-') || !options.sql.is_empty() => return None,
                _ => options.sql = argument,
            }
        }
        let missing = [&options.server, &options.user, &options.sql].iter().any(|given| given.is_empty());
        (!missing).then_some(options)
    }
}
