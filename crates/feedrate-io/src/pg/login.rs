//! Logging in over a connection.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use ::tokio::io::{AsyncRead, AsyncWrite};
use ::tokio::task::yield_now;
use feedrate::Grow;
use feedrate::pg::backend::Message;
use feedrate::pg::frontend::{Parameter, StartupMessage};
use feedrate::pg::{Backend, List, Version};
use feedrate_pg::auth::{Authenticator, ChannelBinding, Credentials, Policy};
use feedrate_pg::client::{Login, LoginEvent};
use feedrate_pg::conninfo::{Facts, Settings};
use zeroize::Zeroizing;

use super::client::Client;
use super::error::{Error, Why};
use crate::tokio::Connection;

/// Iterations of PBKDF2 at a time, so that other tasks get their turn: less than a millisecond.
const SLICE: u32 = 1000;

/// Who logs in, and how.
pub(super) struct Account<'s> {
    pub(super) settings: &'s Settings<Vec<u8>>,
    pub(super) password: Option<Zeroizing<Vec<u8>>>,
    pub(super) token: Option<&'s str>,
    pub(super) policy: Policy,
    pub(super) version: Version,
    pub(super) least: Version,
}

impl fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("version", &self.version).finish_non_exhaustive()
    }
}

/// From StartupMessage to the first ReadyForQuery.
pub(super) async fn login<T: AsyncRead + AsyncWrite + Unpin>(
    mut connection: Connection<Backend, Grow, T>,
    account: &Account<'_>,
    binding: ChannelBinding<'_>,
    requests: usize,
) -> Result<(Client<T>, Facts), Why> {
    let mut nonce = [0; 18];
    getrandom::fill(&mut nonce).map_err(|error| Why::Random(error.to_string()))?;
    let parameters: Vec<_> = account
        .settings
        .startup_parameters()
        .map_err(Why::Settings)?
        .map(|(name, value)| Parameter { name: name.into(), value })
        .collect();
    let startup = StartupMessage { version: account.version, parameters: List::from(&parameters) };
    let user = account.settings.user().map_err(Why::Settings)?;
    let mut credentials = Credentials::new(user.as_bytes());
    if let Some(password) = &account.password {
        credentials = credentials.with_password(password.as_slice());
    }
    if let Some(token) = account.token {
        credentials = credentials.with_token(token);
    }
    let authenticator = Authenticator::new(credentials, account.policy, binding, nonce);
    authenticate(&mut connection, Login::new(startup, account.least, authenticator)).await?;
    begin(Client::new(connection, requests)).await
}

async fn authenticate<T: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<Backend, Grow, T>,
    mut login: Login<'_>,
) -> Result<(), Why> {
    loop {
        while !login.work(SLICE) {
            yield_now().await;
        }
        login.transmit(&mut connection.outlet.output()).map_err(Why::Message)?;
        let Some(frame) = connection.next().await.map_err(Error::from)? else { return Err(Why::Ended) };
        match login.receive(&frame).map_err(Why::Login)? {
            LoginEvent::Done => return Ok(()),
            LoginEvent::Refused(error) => return Err(Why::Refused(error.into())),
            LoginEvent::RefusedPlainly(error) => return Err(Why::RefusedPlainly(error.text.to_string())),
            // There is no library for it here.
            LoginEvent::Token { method, .. } => return Err(Why::Method(method)),
            // The error that follows says it.
            _ => {}
        }
    }
}

/// Up to the first ReadyForQuery: the server's settings, its key, perhaps an error.
async fn begin<T: AsyncRead + AsyncWrite + Unpin>(mut client: Client<T>) -> Result<(Client<T>, Facts), Why> {
    let mut facts = Facts::default();
    loop {
        let Some(event) = client.next().await? else { return Err(Why::Ended) };
        match event.message {
            Message::ParameterStatus(parameter) => facts.parameter_status(parameter.name, parameter.value),
            Message::ErrorResponse(error) => return Err(Why::RefusedLate(error.into())),
            Message::ReadyForQuery(_) => break,
            _ => {}
        }
    }
    client.established();
    Ok((client, facts))
}
