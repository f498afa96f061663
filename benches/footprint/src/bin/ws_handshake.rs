//! The opening handshake, of both sides: read, looked at, and written.
#![no_std]
#![no_main]

use feedrate::{Array, Borrowed, Encode, EncodeError, SliceOutput};
use feedrate_footprint::{Sum, bytes, bytes_mut};
use feedrate_ws::handshake::{Client, ClientError, ClientRequest, HeadError, Headers, Server, ServerError};

/// What a client asks for.
#[allow(missing_debug_implementations)]
pub struct Wanted<'a> {
    host: &'a str,
    target: &'a str,
    nonce: [u8; 16],
    protocols: &'a [&'a str],
    headers: &'a [(&'a str, &'a str)],
}

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    command: u8,
    server: &mut Server<Array<2048>>,
    client: &mut Client<'static, Array<2048>>,
    wanted: &Wanted<'static>,
    input: *const u8,
    length: usize,
    output: *mut u8,
    room: usize,
) -> u32 {
    // SAFETY: the caller's word.
    let (mut shared, memory) = unsafe { (bytes(input, length), bytes_mut(output, room)) };
    let mut sum = Sum::default();
    let request = ClientRequest::new(wanted.host, wanted.target, wanted.nonce)
        .protocols(wanted.protocols)
        .headers(wanted.headers);
    match command {
        0 => match server.feed(&mut shared) {
            Ok(None) => {}
            Ok(Some(request)) => {
                sum.slice(request.target().as_bytes());
                sum.slice(request.origin().unwrap_or_default().as_bytes());
                every(request.headers(), &mut sum);
                for extension in request.extensions() {
                    sum.slice(extension.name.as_bytes());
                    for param in extension.params() {
                        sum.slice(param.name.as_bytes());
                        if let Some(value) = param.value {
                            sum.slice(value.as_str().as_bytes());
                            value.chars().for_each(|character| sum.add(character.into()));
                        }
                    }
                }
                let chosen = request.protocols().find(|name| wanted.protocols.contains(name));
                let accept = request.accept().protocol(chosen).headers(wanted.headers);
                written(&accept, memory, &mut sum);
            }
            Err(error) => {
                written(&error.rejection(), memory, &mut sum);
                match error {
                    ServerError::Head(error) => head(&error, &mut sum),
                    ServerError::Header { name, expected } => {
                        sum.slice(name.as_bytes());
                        sum.slice(expected.as_bytes());
                    }
                    _ => sum.add(1),
                }
            }
        },
        1 => match client.feed(&mut shared) {
            Ok(None) => {}
            Ok(Some(response)) => {
                sum.slice(response.protocol().unwrap_or_default().as_bytes());
                every(response.headers(), &mut sum);
            }
            Err(ClientError::Head(error)) => head(&error, &mut sum),
            Err(ClientError::Header { name, expected }) => {
                sum.slice(name.as_bytes());
                sum.slice(expected.as_bytes());
            }
            Err(ClientError::Status(status)) => {
                sum.add(status.into());
                every(client.headers(), &mut sum);
            }
            Err(_) => sum.add(1),
        },
        2 => written(&request, memory, &mut sum),
        // With memory of the caller's, all at once.
        _ => {
            let mut client = Client::new(request, Borrowed::new(memory));
            if let Ok(Some(response)) = client.feed(&mut shared) {
                every(response.headers(), &mut sum);
            }
        }
    }
    sum.0
}

fn written(what: &impl Encode, memory: &mut [u8], sum: &mut Sum) {
    match what.encode(&mut SliceOutput::new(memory)) {
        Ok(n) => sum.add(n as u32),
        Err(EncodeError::Invalid { what, .. }) => sum.slice(what.as_bytes()),
        Err(_) => sum.add(1),
    }
}

fn every(headers: Headers<'_>, sum: &mut Sum) {
    for (name, value) in headers.iter() {
        sum.slice(name.as_bytes());
        sum.slice(value);
    }
}

fn head(error: &HeadError, sum: &mut Sum) {
    match error {
        HeadError::TooLong { limit } | HeadError::TooManyHeaders { limit } => sum.add(*limit as u32),
        HeadError::Control { at } | HeadError::Header { at } => sum.add(*at as u32),
        _ => sum.add(1),
    }
}
