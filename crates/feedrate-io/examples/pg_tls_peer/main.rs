//! Both sides of PostgreSQL's TLS, for tests/rig/pg_tls.sh to try on real peers. It is no program to start from: its
//! login is as short as can be.
//!
//!   pg_tls_peer query ADDRESS NAME CA MODE USER SQL   runs SQL on a real server; NAME is what its certificate is for
//!   pg_tls_peer serve ADDRESS CERTIFICATE KEY         listens, prints its port, and forwards to a server in clear
//!
//! MODE is prefer, require or direct. The password is `secret`. It logs in with SCRAM-SHA-256-PLUS if it can.

mod scram;

use std::env::args;
use std::process::ExitCode;
use std::sync::Arc;

use feedrate::Grow;
use feedrate::pg::backend::{Authentication, Message};
use feedrate::pg::frontend::{
    Parameter, Query, SASLInitialResponse, SASLResponse, StartupMessage, Terminate,
};
use feedrate::pg::{Backend, Frontend, List, Secret, Version};
use feedrate_io::pg_tls::rustls::crypto::ring::default_provider;
use feedrate_io::pg_tls::rustls::pki_types::pem::PemObject;
use feedrate_io::pg_tls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use feedrate_io::pg_tls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use feedrate_io::pg_tls::{ClientTls, Mode, ServerTls, Stream, accept, connect};
use feedrate_io::tokio::Connection;
use feedrate_io::{Limits, tokio::Parts};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

type Result<V> = std::result::Result<V, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = args().skip(1).collect();
    let done = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["query", address, name, ca, mode, user, sql] => query([address, name, ca, mode, user, sql]).await,
        ["serve", address, certificate, key] => serve(address, certificate, key).await,
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

async fn query([address, name, ca, mode, user, sql]: [&str; 6]) -> Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = ClientTls::new(config).mode(match mode {
        "prefer" => Mode::Prefer,
        "direct" => Mode::Direct,
        _ => Mode::Require,
    });
    let socket = TcpStream::connect(address).await?;
    let mut pg = Connection::new(socket, Backend::new(), Grow::new(1 << 20), Limits::new());
    let parameters = [
        Parameter { name: "user".into(), value: user.into() },
        Parameter { name: "database".into(), value: "postgres".into() },
    ];
    pg.push(&StartupMessage { version: Version::V3_0, parameters: List::from(&parameters) })?;
    let mut pg = connect(pg, &tls, name.to_owned().try_into()?).await?;
    log_in(&mut pg).await?;
    pg.established();
    pg.push(&Query { sql: sql.into() })?;
    while let Some(frame) = pg.next().await? {
        match frame.message()? {
            Message::DataRow(row) => {
                for value in row.columns.iter() {
                    println!("{}", value.map_or("NULL".into(), String::from_utf8_lossy));
                }
            }
            Message::ErrorResponse(error) => return Err(error.to_string().into()),
            Message::ReadyForQuery(_) => break,
            _ => {}
        }
    }
    pg.push(&Terminate)?;
    pg.shutdown().await?;
    // The server says goodbye to TLS, or this is an error.
    match pg.next().await? {
        None => Ok(()),
        Some(frame) => Err(format!("{frame:?}").into()),
    }
}

async fn log_in(pg: &mut Connection<Backend, Grow, Stream<TcpStream>>) -> Result<()> {
    let end_point = pg.io().end_point();
    let mut scram = None;
    loop {
        let Some((frame, mut out)) = pg.incoming().await? else { return Err("no answer".into()) };
        match frame.message()? {
            Message::Authentication(Authentication::Sasl { mechanisms }) => {
                let offers = |name: &str| mechanisms.iter().any(|its| its == name);
                let bind = end_point.ok().filter(|_| offers("SCRAM-SHA-256-PLUS"));
                let mechanism = if bind.is_some() { "SCRAM-SHA-256-PLUS" } else { "SCRAM-SHA-256" };
                eprintln!("{mechanism}");
                let its = scram.insert(scram::Scram::new(bind.as_ref().map(AsRef::as_ref)));
                let first = its.first();
                let data = Some(Secret::from(first.as_bytes()));
                out.send(&SASLInitialResponse { mechanism: mechanism.into(), data }).await?;
            }
            Message::Authentication(Authentication::SaslContinue { data }) => {
                let scram = scram.as_ref().ok_or("nothing was asked")?;
                let answer =
                    scram.last("secret", std::str::from_utf8(data.expose())?).ok_or("bad challenge")?;
                out.send(&SASLResponse { data: answer.as_bytes().into() }).await?;
            }
            Message::ErrorResponse(error) => return Err(error.to_string().into()),
            Message::ReadyForQuery(_) => return Ok(()),
            _ => {}
        }
    }
}

async fn serve(address: &str, certificate: &str, key: &str) -> Result<()> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<std::result::Result<Vec<_>, _>>()?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    let tls = ServerTls::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    loop {
        let (socket, _) = listener.accept().await?;
        let (tls, address) = (tls.clone(), address.to_owned());
        tokio::spawn(async move {
            match forward(socket, &tls, &address).await {
                Ok(encrypted) => eprintln!("{}", if encrypted { "TLS" } else { "clear" }),
                Err(error) => eprintln!("error: {error}"),
            }
        });
    }
}

/// Returns whether it was encrypted.
async fn forward(socket: TcpStream, tls: &ServerTls, address: &str) -> Result<bool> {
    let pg = Connection::new(socket, Frontend::new(), Grow::new(1 << 14), Limits::new());
    let pg = accept(pg, Some(tls)).await?;
    let encrypted = pg.io().is_tls();
    let Parts { mut io, unread, .. } = pg.into_parts();
    let mut server = TcpStream::connect(address).await?;
    server.write_all(&unread).await?;
    copy_bidirectional(&mut io, &mut server).await?;
    Ok(encrypted)
}
