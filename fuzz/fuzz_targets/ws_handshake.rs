//! The opening handshake, both sides: what comes out does not depend on the cuts, what one side writes the
//! other reads, and they agree.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use feedrate::{Array, Encode, Grow};
use feedrate_fuzz::ws::params;
use feedrate_fuzz::{Plan, pieces};
use feedrate_ws::Role;
use feedrate_ws::deflate::{Config, Offer};
use feedrate_ws::handshake::{Client, ClientError, ClientRequest, Request, Server, ServerError};

const NONCE: [u8; 16] = *b"the sample nonce";

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    match (plan.flag(0), plan.flag(1)) {
        (false, false) => request(&plan),
        (true, false) => answer(&plan),
        _ => _ = wanted(plan.stream),
    }
});

/// What a server makes of a request, and how many bytes that took.
#[derive(Debug, PartialEq)]
struct Read {
    result: Result<Option<Seen>, ServerError>,
    taken: usize,
}

#[derive(Debug, PartialEq)]
struct Seen {
    target: String,
    headers: Vec<(String, Vec<u8>)>,
    protocols: Vec<String>,
    /// Names, parameters and their values.
    extensions: Vec<Vec<String>>,
    accept: Vec<u8>,
}

fn seen(request: &Request<'_>) -> Seen {
    let mut accept = Vec::new();
    let answer =
        request.accept().protocol(request.protocols().next()).deflate(request.deflate(&Config::default()));
    // A subprotocol that is no token cannot be agreed on.
    if answer.encode(&mut accept).is_err() {
        request.accept().encode(&mut accept).expect("an answer");
    }
    let extensions = request.extensions().map(|extension| {
        let params = extension.params().flat_map(|param| {
            let value = param.value.map(|value| value.chars().collect());
            [Some(param.name.to_string()), value].into_iter().flatten()
        });
        std::iter::once(extension.name.to_string()).chain(params).collect()
    });
    Seen {
        target: request.target().to_string(),
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), value.to_vec())).collect(),
        protocols: request.protocols().map(str::to_string).collect(),
        extensions: extensions.collect(),
        accept,
    }
}

/// Any bytes, as a server reads them.
fn request(plan: &Plan<'_>) {
    let expected = serve(plan.stream, &[], true);
    for sizes in [&[][..], &[1], plan.sizes] {
        for shared in [true, false] {
            assert_eq!(serve(plan.stream, sizes, shared), expected);
        }
    }
    match expected.result {
        Ok(Some(seen)) => again(&seen),
        Ok(None) => assert_eq!(expected.taken, plan.stream.len()),
        Err(error) => {
            let mut out = Vec::new();
            error.rejection().encode(&mut out).expect("an answer");
            assert!(out.starts_with(b"HTTP/1.1 4") || out.starts_with(b"HTTP/1.1 5"));
        }
    }
}

fn serve(stream: &[u8], sizes: &[u8], shared: bool) -> Read {
    let mut server = Server::new(Array::<1024>::new()).max_headers(20);
    let mut taken = 0;
    for piece in pieces(stream, sizes) {
        let mut memory = piece.to_vec();
        let (mut input, mut mutable) = (piece, &mut memory[..]);
        let fed = if shared { server.feed(&mut input) } else { server.feed(&mut mutable) };
        let result = fed.map(|request| request.as_ref().map(seen));
        let left = if shared { input.len() } else { mutable.len() };
        taken += piece.len() - left;
        match result {
            Ok(None) => assert_eq!(left, 0),
            // What an error leaves unread depends on the cuts, and nobody reads on: what is wrong stays wrong.
            Err(error) => {
                assert_eq!(server.feed(&mut input).err(), Some(error));
                return Read { result, taken: 0 };
            }
            Ok(Some(_)) => return Read { result, taken },
        }
    }
    Read { result: Ok(None), taken }
}

/// A request that was accepted is accepted when a client of ours writes it.
fn again(seen: &Seen) {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).ok();
    let own = [
        "host",
        "upgrade",
        "connection",
        "sec-websocket-version",
        "sec-websocket-key",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
        "sec-websocket-accept",
        "content-length",
    ];
    let mut host = None;
    let mut headers = Vec::new();
    for (name, value) in &seen.headers {
        let Some(value) = text(value) else { return };
        match name.to_ascii_lowercase() {
            name if name == "host" => host = Some(value),
            name if own.contains(&&name[..]) => {}
            _ => headers.push((&name[..], value)),
        }
    }
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &value[..])).collect();
    let protocols: Vec<_> = seen.protocols.iter().map(|name| &name[..]).collect();
    let host = host.expect("a host");
    let request = ClientRequest::new(&host, &seen.target, NONCE).protocols(&protocols).headers(&headers);
    let mut out = Vec::new();
    // A whole URI; a subprotocol that is no token, or there twice.
    if request.encode(&mut out).is_err() {
        return;
    }
    let mut server = Server::new(Grow::new(1 << 16));
    let mut input = &out[..];
    let read = server.feed(&mut input).expect("a good request").expect("all of it");
    assert!(input.is_empty());
    assert_eq!(read.target(), seen.target);
    assert!(read.protocols().eq(protocols.iter().copied()));
}

/// Any bytes, as a client reads them.
fn answer(plan: &Plan<'_>) {
    let expected = ask(plan.stream, &[], true);
    for sizes in [&[][..], &[1], plan.sizes] {
        for shared in [true, false] {
            assert_eq!(ask(plan.stream, sizes, shared), expected);
        }
    }
}

type Answer = Result<Option<(Option<String>, Vec<(String, Vec<u8>)>, String)>, ClientError>;

fn ask(stream: &[u8], sizes: &[u8], shared: bool) -> (Answer, usize) {
    let request =
        ClientRequest::new("a.example", "/", NONCE).protocols(&["a", "b"]).deflate(Offer::default());
    let mut client = Client::new(request, Array::<1024>::new());
    let mut taken = 0;
    for piece in pieces(stream, sizes) {
        let mut memory = piece.to_vec();
        let (mut input, mut mutable) = (piece, &mut memory[..]);
        let fed = if shared { client.feed(&mut input) } else { client.feed(&mut mutable) };
        let result = fed.map(|response| {
            response.map(|response| {
                let headers =
                    response.headers().iter().map(|(name, value)| (name.to_string(), value.to_vec()));
                let params = format!("{:?}", response.deflate());
                (response.protocol().map(str::to_string), headers.collect(), params)
            })
        });
        let left = if shared { input.len() } else { mutable.len() };
        taken += piece.len() - left;
        match result {
            Ok(None) => assert_eq!(left, 0),
            Err(_) => return (result, 0),
            Ok(Some(_)) => return (result, taken),
        }
    }
    (Ok(None), taken)
}

#[derive(Arbitrary, Debug)]
struct Wanted<'a> {
    host: &'a str,
    target: &'a str,
    nonce: [u8; 16],
    protocols: [&'a str; 3],
    headers: [(&'a str, &'a str); 3],
    count: u8,
    offer: Option<(bool, bool, Option<u8>, Option<Option<u8>>)>,
    config: u16,
    behind: [u8; 3],
}

/// What a client writes, a server reads; what that answers, the client reads; and they have agreed on the same.
fn wanted(data: &[u8]) -> Option<()> {
    let wanted = Wanted::arbitrary_take_rest(Unstructured::new(data)).ok()?;
    let target = format!("/{}", wanted.target);
    let protocols = &wanted.protocols[..usize::from(wanted.count % 4)];
    let headers = &wanted.headers[..usize::from(wanted.count / 4 % 4)];
    // What the handshake itself says, the caller must not say too.
    let own = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("sec-websocket")
            || ["host", "upgrade", "connection", "content-length", "transfer-encoding"].contains(&&name[..])
    };
    if headers.iter().any(|(name, _)| own(name)) {
        return None;
    }
    let request =
        ClientRequest::new(wanted.host, &target, wanted.nonce).protocols(protocols).headers(headers);
    let offer = wanted.offer.map(|(server_no_context, client_no_context, server_bits, client_bits)| {
        Offer::new()
            .server_no_context(server_no_context)
            .client_no_context(client_no_context)
            .server_bits(server_bits)
            .client_bits(client_bits)
    });
    let request = match offer {
        Some(offer) => request.deflate(offer),
        None => request,
    };
    let mut out = Vec::new();
    request.encode(&mut out).ok()?;
    assert_eq!(request.encoded_length(), Ok(out.len()));
    out.extend(wanted.behind);
    let mut server = Server::new(Grow::new(1 << 16));
    let mut input = &out[..];
    let read = server.feed(&mut input).expect("a good request").expect("all of it");
    assert_eq!(input, wanted.behind);
    assert_eq!(read.target(), target);
    assert!(read.protocols().eq(protocols.iter().copied()));
    let bits = wanted.config;
    let config = Config::new()
        .server_no_context(bits & 1 != 0)
        .client_no_context(bits & 2 != 0)
        .server_bits(8 + (bits >> 2 & 7) as u8)
        .client_bits(8 + (bits >> 5 & 7) as u8);
    let agreed = read.deflate(&config);
    assert_eq!(agreed.is_some(), offer.is_some());
    let chosen = read.protocols().last();
    let mut answer = Vec::new();
    read.accept().protocol(chosen).deflate(agreed).headers(headers).encode(&mut answer).expect("an answer");
    answer.extend(wanted.behind);
    let mut client = Client::new(request, Grow::new(1 << 16));
    let mut input = &answer[..];
    let response = client.feed(&mut input).expect("a good answer").expect("all of it");
    assert_eq!(input, wanted.behind);
    assert_eq!(response.protocol(), chosen);
    let both = [agreed, response.deflate()].map(|params| {
        params.map(|params| {
            [Role::Server, Role::Client].map(|role| (params.window_bits(role), params.no_context(role)))
        })
    });
    assert_eq!(both[0], both[1]);
    std::hint::black_box(params(bits));
    Some(())
}
