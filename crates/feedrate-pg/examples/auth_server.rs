//! A server that lets clients in by every method, for libpq to try (tests/rig/auth.sh). A query gets one row.
//!
//!   auth_server [ADDRESS]   listens on 127.0.0.1, and prints its port
//!
//! The user's name chooses the method, and whether it is known: `scram_alice`, `md5_alice`, `clear_alice`,
//! `token_alice` and `trust_alice` are; `scram_eve` is not. `scram_1` and `scram_100000` are, with so many iterations.
//! The password is `open sesame`, the token `open-sesame`. Threads block: no event loop has to be kept going.

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use feedrate::pg::backend::{
    CommandComplete, DataRow, EncryptionResponse, Field, ReadyForQuery, RowDescription, TransactionStatus,
};
use feedrate::pg::frontend::Message;
use feedrate::pg::{Frontend, List};
use feedrate::{Array, Decoder, Encode};
use feedrate_pg::auth::{
    ChannelBinding, Discovery, Login, LoginStep, Md5Verifier, Outcome, Salt, Stored, Verifier,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PASSWORD: &[u8] = b"open sesame";
const TOKEN: &[u8] = b"open-sesame";
/// Of the server's own: the salts of unknown users come from it.
const SECRET: &[u8] = b"0123456789abcdef";
const DISCOVERY: Discovery<'_> =
    Discovery { scope: "openid", configuration: "https://localhost:1/.well-known/openid-configuration" };

fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:0".into());
    let listener = TcpListener::bind(address)?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (socket, peer) = listener.accept()?;
        thread::spawn(move || {
            if let Err(error) =
                (Session { socket, decoder: Decoder::new(Frontend::new(), Array::new()) }).run()
            {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

/// What is known of the user. Users whom nobody knows take the same steps.
fn login(user: &str) -> Result<Login<'static>> {
    let (method, name) = user.split_once('_').unwrap_or(("scram", user));
    let known = name != "eve";
    let iterations = name.parse().unwrap_or(Verifier::ITERATIONS);
    // Made once, and stored, by a server that has users.
    let verifier = || match known {
        true => Ok(Verifier::hash(PASSWORD, Salt::new(&random::<16>()?).ok_or("no salt")?, iterations)),
        false => Ok::<_, Box<dyn Error>>(Verifier::unknown(SECRET, user.as_bytes(), iterations)),
    };
    let md5 = || if known { Md5Verifier::hash(PASSWORD, user.as_bytes()) } else { Md5Verifier::unknown() };
    Ok(match method {
        "trust" => Login::trust(),
        "clear" => Login::cleartext(Stored::Scram(verifier()?)),
        "md5" => Login::md5(md5(), random()?),
        "token" => Login::oauth(DISCOVERY),
        _ => Login::scram(verifier()?, ChannelBinding::NoTls, random()?),
    })
}

struct Session {
    socket: TcpStream,
    decoder: Decoder<Frontend, Array<2048>>,
}

impl Session {
    fn run(mut self) -> Result<()> {
        let mut login = None;
        let (mut buffer, mut out) = ([0; 2048], Vec::new());
        loop {
            let read = self.socket.read(&mut buffer)?;
            let mut input = buffer.get(..read).unwrap_or_default();
            if input.is_empty() {
                return Ok(());
            }
            while let Some(frame) = self.decoder.feed(&mut input)? {
                let message = frame.message()?;
                match (message, &mut login) {
                    (Message::SSLRequest(_) | Message::GSSENCRequest(_), _) => {
                        EncryptionResponse::Refused.encode(&mut out)?;
                        self.decoder.protocol_mut().answered(EncryptionResponse::Refused, input)?;
                    }
                    (Message::StartupMessage(startup), login @ None) => {
                        let user = startup.user().ok_or("no user")?;
                        let login = login.insert(self::login(user.to_str()?)?);
                        if !go_on(login, self.decoder.protocol_mut(), &mut out)? {
                            self.socket.write_all(&out)?;
                            return Ok(());
                        }
                    }
                    (Message::Query(_), Some(login)) if login.outcome() == Outcome::Granted => row(&mut out)?,
                    (Message::Terminate(_) | Message::CancelRequest(_), _) | (_, None) => return Ok(()),
                    (message, Some(login)) => {
                        if let LoginStep::Bearer(token) = login.receive(&message) {
                            if token == TOKEN.into() { login.accept() } else { login.refuse() }
                        }
                        if !go_on(login, self.decoder.protocol_mut(), &mut out)? {
                            self.socket.write_all(&out)?;
                            return Ok(());
                        }
                    }
                }
            }
            self.socket.write_all(&out)?;
            out.clear();
        }
    }
}

/// Writes what is due. Whether there is more to come.
fn go_on(login: &mut Login<'_>, decoder: &mut Frontend, out: &mut Vec<u8>) -> Result<bool> {
    login.request(out)?;
    match login.outcome() {
        Outcome::Refused(refusal) => {
            refusal.encode(out)?;
            return Ok(false);
        }
        Outcome::Granted => {
            decoder.authenticated();
            ReadyForQuery { status: TransactionStatus::Idle }.encode(out)?;
        }
        _ => login.answer().into_iter().for_each(|answer| decoder.expect(answer)),
    }
    Ok(true)
}

fn row(out: &mut Vec<u8>) -> Result<()> {
    let field = Field { name: "answer".into(), type_oid: 23, type_size: 4, ..Field::default() };
    RowDescription { fields: List::new(&[field]) }.encode(out)?;
    DataRow { columns: List::new(&[Some(&b"1"[..])]) }.encode(out)?;
    CommandComplete { tag: "SELECT 1".into() }.encode(out)?;
    ReadyForQuery { status: TransactionStatus::Idle }.encode(out)?;
    Ok(())
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
