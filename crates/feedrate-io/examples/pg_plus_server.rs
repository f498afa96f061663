//! A server that lets clients in with SCRAM-SHA-256-PLUS, for libpq to try (tests/rig/pg_plus.sh). A query gets no
//! rows.
//!
//!   pg_plus_server CERTIFICATE KEY    listens on 127.0.0.1, and prints its port
//!
//! The password is `open sesame`. `Login` is feedrate-pg's; TLS, and what SCRAM is bound to, is feedrate-io's.

use std::error::Error;
use std::sync::Arc;

use feedrate::pg::Frontend;
use feedrate::pg::backend::{CommandComplete, ReadyForQuery, TransactionStatus};
use feedrate::pg::frontend::Message;
use feedrate::{Decoder, Encode, Grow};
use feedrate_io::Limits;
use feedrate_io::pg_tls::rustls::ServerConfig;
use feedrate_io::pg_tls::rustls::crypto::ring::default_provider;
use feedrate_io::pg_tls::rustls::pki_types::pem::PemObject;
use feedrate_io::pg_tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use feedrate_io::pg_tls::{ServerTls, accept};
use feedrate_io::tokio::{Connection, Parts};
use feedrate_pg::auth::{ChannelBinding, Login, Outcome, Salt, Verifier};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(certificate), Some(key)) = (arguments.next(), arguments.next()) else {
        return Err("expected CERTIFICATE and KEY".into());
    };
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<std::result::Result<Vec<_>, _>>()?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    let tls = ServerTls::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        // One after the other.
        let (socket, _) = listener.accept().await?;
        if let Err(error) = serve(socket, &tls).await {
            eprintln!("error: {error}");
        }
    }
}

async fn serve(socket: TcpStream, tls: &ServerTls) -> Result<()> {
    let pg = Connection::new(socket, Frontend::new(), Grow::new(1 << 14), Limits::new());
    let Parts { mut io, unread, .. } = accept(pg, Some(tls)).await?.into_parts();
    let end_point = io.end_point();
    let binding = match &end_point {
        Ok(hash) => ChannelBinding::EndPoint(hash.as_ref()),
        Err(_) if io.is_tls() => ChannelBinding::Tls,
        Err(_) => ChannelBinding::NoTls,
    };
    let verifier =
        Verifier::hash(b"open sesame", Salt::new(&[1; 16]).ok_or("no salt")?, Verifier::ITERATIONS);
    // Unique is enough for a test.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos().to_be_bytes();
    let mut nonce = [0; 18];
    nonce.iter_mut().zip(now).for_each(|(to, from)| *to = from);
    let mut login = Login::scram(verifier, binding, nonce);

    let mut decoder = Decoder::new(Frontend::new(), Grow::new(1 << 14));
    let mut bytes = unread.to_vec();
    let mut out = Vec::new();
    loop {
        let mut input = &bytes[..];
        while let Some(frame) = decoder.feed(&mut input)? {
            match frame.message()? {
                Message::StartupMessage(_) => {}
                Message::Terminate(_) => return Ok(()),
                Message::Query(_) => {
                    CommandComplete { tag: "SELECT 0".into() }.encode(&mut out)?;
                    ReadyForQuery { status: TransactionStatus::Idle }.encode(&mut out)?;
                    continue;
                }
                message => {
                    if let Message::SASLInitialResponse(initial) = &message {
                        eprintln!(
                            "{}",
                            if initial.mechanism == "SCRAM-SHA-256-PLUS" { "bound" } else { "not bound" }
                        );
                    }
                    let _ = login.receive(&message);
                }
            }
            login.request(&mut out)?;
            match login.outcome() {
                Outcome::Refused(refusal) => {
                    refusal.encode(&mut out)?;
                    io.write_all(&out).await?;
                    return Err(refusal.into());
                }
                Outcome::Granted => {
                    decoder.protocol_mut().authenticated();
                    ReadyForQuery { status: TransactionStatus::Idle }.encode(&mut out)?;
                }
                _ => login.answer().into_iter().for_each(|answer| decoder.protocol_mut().expect(answer)),
            }
        }
        io.write_all(&out).await?;
        io.flush().await?;
        out.clear();
        bytes.resize(4096, 0);
        let read = io.read(&mut bytes).await?;
        bytes.truncate(read);
        if read == 0 {
            return Ok(());
        }
    }
}
