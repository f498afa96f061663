//! Runs a query and prints its rows: a client that pulls messages from a blocking socket.
//!
//! ```text
//! cargo run --release --example pg_pull -- --server 127.0.0.1:5432 --user alice "select * from t"
//! ```
//!
//! Each row is printed on one line, its values as string literals, separated by tabs; NULL has no quotes. Errors and
//! notices go to standard error. The exit code is 1 if something failed. It logs in without a password or with a
//! password in clear text, and has no TLS: use it with a server on this machine.

use std::error::Error;
use std::io::{self, BufWriter, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;

use feedrate::pg::backend::{Authentication, Message, NoticeField};
use feedrate::pg::frontend::{CopyFail, Parameter, PasswordMessage, Query, StartupMessage, Terminate};
use feedrate::pg::{Backend, List, Secret, Text, Version};
use feedrate::{Buffer, Decoder, Encode, Grow, Protocol};
use feedrate_examples::escape::escaped;

const USAGE: &str = "usage: pg_pull --server HOST:PORT --user NAME [--database NAME] [--password TEXT] SQL";

/// The most that one read can return.
const READ: usize = 16 * 1024;
/// The longest message that is accepted: a row with a value of 1 GiB, and some. The memory grows with the
/// bytes that arrive.
const LONGEST: usize = (1 << 30) + (1 << 20);

/// Messages in both directions, for any protocol and any stream.
struct Client<P: Protocol, IO> {
    io: IO,
    decoder: Decoder<P, Grow>,
    buffer: Buffer<Vec<u8>>,
}

impl<P: Protocol<Error: 'static>, IO: Read + Write> Client<P, IO> {
    fn new(io: IO, protocol: P) -> Self {
        let decoder = Decoder::new(protocol, Grow::new(LONGEST));
        Self { io, decoder, buffer: Buffer::new(vec![0; READ]) }
    }

    fn send(&mut self, message: &impl Encode) -> Result<(), Box<dyn Error>> {
        let mut out = Vec::new();
        message.encode(&mut out)?;
        Ok(self.io.write_all(&out)?)
    }

    /// The next message, lent until the one after it is asked for.
    fn next(&mut self) -> Result<P::Message<'_>, Box<dyn Error>> {
        let ready = loop {
            if let Some(ready) = self.decoder.ready(&mut self.buffer)? {
                break ready;
            }
            match self.io.read(self.buffer.space()) {
                Ok(0) => {
                    self.decoder.end()?;
                    return Err("the server has closed the connection".into());
                }
                Ok(n) => self.buffer.filled(n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        };
        // The borrow comes last, or this does not compile.
        Ok(self.decoder.take(ready, &mut self.buffer)?)
    }
}

fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("pg_pull: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether no ErrorResponse came.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let io = TcpStream::connect(&options.server)
        .map_err(|error| format!("cannot connect to {:?}, expected HOST:PORT: {error}", options.server))?;
    let mut client = Client::new(io, Backend::new());
    let parameter = |name: &'static str, value| Parameter { name: name.into(), value: Text::from(value) };
    let parameters = [
        parameter("user", &*options.user),
        parameter("database", options.database.as_deref().unwrap_or(&options.user)),
        parameter("client_encoding", "UTF8"),
    ];
    client.send(&StartupMessage { version: Version::V3_0, parameters: List::from(&parameters) })?;

    let mut out = BufWriter::new(io::stdout().lock());
    let (mut asked, mut good) = (false, true);
    loop {
        match client.next()?.message()? {
            Message::Authentication(Authentication::Ok) => {}
            Message::Authentication(Authentication::CleartextPassword) => {
                let password = options.password.as_deref().ok_or("the server asks for a password")?;
                client.send(&PasswordMessage { password: Secret::from(password.as_bytes()) })?;
            }
            Message::Authentication(request) => return Err(not_supported(&request).into()),
            Message::ReadyForQuery(_) if !asked => {
                client.send(&Query { sql: options.sql.as_str().into() })?;
                asked = true;
            }
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
            Message::CopyInResponse(_) => client.send(&CopyFail { reason: "pg_pull has no data".into() })?,
            Message::CommandComplete(done) => eprintln!("{:?}", done.tag),
            Message::NoticeResponse(notice) => report("notice", notice.fields),
            Message::ErrorResponse(error) => {
                report("error", error.fields);
                good = false;
                // Any error before the query ends the connection.
                if !asked {
                    return Ok(false);
                }
            }
            Message::PlainError(error) => return Err(format!("{:?}", error.text).into()),
            // Parameters, the key for cancellation, descriptions of columns.
            _ => {}
        }
    }
    out.flush()?;
    client.send(&Terminate)?;
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
