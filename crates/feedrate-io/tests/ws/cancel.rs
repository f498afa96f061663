//! Every future is polled once and dropped, until one is ready: nothing is lost, and nothing is done twice.
//!
//! `FEEDRATE_DROPS` (2000) is how many futures of each kind are dropped at least.

use std::task::Poll;

use feedrate_io::Limits;
use feedrate_io::ws::{Accepting, CloseCode, Error, Event, Kind, Message, Origins, WebSocket};
use feedrate_testkit::ws::wire::{BINARY, CLOSE, FIN, Frame, MORE, PING, PONG, TEXT, Wire, frames};
use feedrate_ws::{Piece, Role, Violation};

use crate::trickle::Trickle;
use crate::{client, config, once, said, server, wire};

fn least() -> usize {
    std::env::var("FEEDRATE_DROPS").map_or(2000, |drops| drops.parse().expect("a number"))
}

/// Binary messages of a few lengths.
fn messages() -> Vec<Vec<u8>> {
    (0..40_u8).map(|n| vec![n; usize::from(n) * 7 % 150]).collect()
}

/// Of every third message two fragments, and a ping between them.
fn stream(from: Role) -> Vec<u8> {
    let all = messages().iter().enumerate().fold(Wire::new(from), |wire, (n, message)| match n % 3 {
        0 => {
            let (a, b) = message.split_at(message.len() / 2);
            wire.frame(BINARY, a).ping([n as u8]).frame(FIN | MORE, b)
        }
        _ => wire.binary(message),
    });
    all.close(1000, "bye").into_bytes()
}

/// What the peer must have been told: a pong at least for the last ping, and one answer to its close frame, last.
fn check_answers(from: Role, written: &[u8]) {
    let mut all = frames(from, written);
    assert_eq!(all.pop(), Some((FIN | CLOSE, b"\x03\xe8bye".to_vec())));
    assert!(all.iter().all(|(first, _)| *first == FIN | PONG), "{all:?}");
    assert_eq!(all.last(), Some(&(FIN | PONG, vec![39])));
}

#[tokio::test]
async fn next_loses_no_message() {
    let (mut dropped, mut seed) = (0, 1);
    while dropped < least() {
        seed += 1;
        for role in [Role::Server, Role::Client] {
            let io = Trickle::new(stream(role.peer()), seed);
            let mut ws = if role == Role::Server { server(io, &config()) } else { client(io, Limits::new()) };
            let mut found = Vec::new();
            loop {
                match once(ws.next()) {
                    Poll::Pending => dropped += 1,
                    Poll::Ready(Ok(Some(message))) => found.push(message.as_bytes().to_vec()),
                    Poll::Ready(Ok(None)) => break,
                    Poll::Ready(Err(error)) => panic!("{error}"),
                }
            }
            assert_eq!(found, messages());
            assert_eq!(ws.closed().map(|closed| (closed.code(), closed.reason())), {
                Some((Some(CloseCode::NORMAL), "bye"))
            });
            assert!(ws.io().shut);
            check_answers(role, &ws.io().written);
        }
    }
}

#[tokio::test]
async fn pieces_are_not_lost() {
    let (mut dropped, mut seed) = (0, 1000);
    while dropped < least() {
        seed += 1;
        let mut ws = server(Trickle::new(stream(Role::Client), seed), &config()).in_pieces(u64::MAX);
        let (mut found, mut begun) = (Vec::new(), Vec::new());
        loop {
            match once(ws.next()) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(Some(piece))) => {
                    begun.extend_from_slice(piece.as_bytes());
                    if piece.is_last() {
                        found.push(std::mem::take(&mut begun));
                    }
                }
                Poll::Ready(Ok(None)) => break,
                Poll::Ready(Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(found, messages());
        check_answers(Role::Server, &ws.io().written);
    }
}

#[tokio::test]
async fn events_come_once_and_in_order() {
    let (mut dropped, mut seed) = (0, 2000);
    while dropped < least() {
        seed += 1;
        let stream = wire().ping("a").text("b").pong("c").close(4000, "d").into_bytes();
        let mut ws = server(Trickle::new(stream, seed), &config());
        let mut found = String::new();
        loop {
            match once(ws.event()) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(None)) => break,
                Poll::Ready(Ok(Some(event))) => match event {
                    Event::Message(message) => found += std::str::from_utf8(message.as_bytes()).unwrap(),
                    Event::Ping(payload) | Event::Pong(payload) => {
                        found += std::str::from_utf8(payload).unwrap();
                    }
                    Event::Closed(close) => found += close.unwrap().reason,
                    event => panic!("{event:?}"),
                },
                Poll::Ready(Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(found, "abcd");
        let answers = [(FIN | PONG, b"a".to_vec()), (FIN | CLOSE, b"\x0f\xa0d".to_vec())];
        assert_eq!(frames(Role::Server, &ws.io().written), answers);
    }
}

/// A dropped `send` has queued nothing, and one that returns has.
#[tokio::test]
async fn send_queues_a_message_once() {
    let (mut dropped, mut seed) = (0, 3000);
    while dropped < least() {
        seed += 1;
        for role in [Role::Server, Role::Client] {
            let (io, limits) = (Trickle::new(Vec::new(), seed), Limits::new().queued(200));
            let mut ws =
                if role == Role::Server { server(io, &config().limits(limits)) } else { client(io, limits) };
            // Enough for the queue, whose overhead counts on top, to be full again and again.
            let messages: Vec<_> = (0..12).map(|n| vec![n; 195 * usize::from(n % 2 * 10 + 1)]).collect();
            for (n, message) in messages.iter().enumerate() {
                while once(ws.send(message)).map(|sent| sent.unwrap()).is_pending() {
                    dropped += 1;
                }
                if n % 4 == 0 {
                    while once(ws.ping(&[n as u8])).map(|sent| sent.unwrap()).is_pending() {
                        dropped += 1;
                    }
                }
            }
            while once(ws.flush()).map(|flushed| flushed.unwrap()).is_pending() {
                dropped += 1;
            }
            assert_eq!(ws.queued(), 0);
            let (pings, rest): (Vec<_>, Vec<_>) =
                frames(role, &ws.io().written).into_iter().partition(|(first, _)| *first == FIN | PING);
            assert_eq!(pings, [0, 4, 8].map(|n| (FIN | PING, vec![n])));
            let expected: Vec<Frame> = messages.into_iter().map(|message| (FIN | BINARY, message)).collect();
            assert_eq!(rest, expected);
        }
    }
}

#[tokio::test]
async fn pieces_are_sent_once() {
    let (mut dropped, mut seed) = (0, 4000);
    while dropped < least() {
        seed += 1;
        let limits = Limits::new().queued(100);
        let mut ws = client(Trickle::new(Vec::new(), seed), limits);
        let text = "gr\u{fc}\u{df}e ".repeat(100);
        for n in 0..10 {
            let piece = Piece::text(&text, n == 9);
            while once(ws.send_piece(piece)).map(|sent| sent.unwrap()).is_pending() {
                dropped += 1;
            }
        }
        while once(ws.flush()).map(|flushed| flushed.unwrap()).is_pending() {
            dropped += 1;
        }
        let all = frames(Role::Client, &ws.io().written);
        assert_eq!(
            all.iter().map(|(first, _)| *first).collect::<Vec<_>>(),
            [TEXT, MORE, MORE, MORE, MORE, MORE, MORE, MORE, MORE, FIN | MORE]
        );
        assert_eq!(all.concat_payloads(), text.repeat(10).into_bytes());
    }
}

trait Payloads {
    fn concat_payloads(&self) -> Vec<u8>;
}

impl Payloads for Vec<Frame> {
    fn concat_payloads(&self) -> Vec<u8> {
        self.iter().flat_map(|(_, payload)| payload.clone()).collect()
    }
}

/// An echo: each answer is sent while the message is lent, and every future is dropped.
#[tokio::test]
async fn an_answer_while_a_message_is_lent() {
    let (mut dropped, mut seed) = (0, 5000);
    while dropped < least() {
        seed += 1;
        let limits = Limits::new().queued(300);
        let io = Trickle::new(stream(Role::Client), seed);
        let mut ws = server(io, &config().limits(limits));
        loop {
            match once(ws.incoming()) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(None)) => break,
                Poll::Ready(Err(error)) => panic!("{error}"),
                Poll::Ready(Ok(Some((message, mut out)))) => {
                    while once(out.send(message)).map(|sent| sent.unwrap()).is_pending() {
                        dropped += 1;
                    }
                }
            }
        }
        let mut all = frames(Role::Server, &ws.io().written);
        assert_eq!(all.pop(), Some((FIN | CLOSE, b"\x03\xe8bye".to_vec())));
        all.retain(|(first, _)| *first != FIN | PONG);
        assert_eq!(all.into_iter().map(|(_, payload)| payload).collect::<Vec<_>>(), messages());
    }
}

#[tokio::test]
async fn close_says_goodbye_once() {
    let (mut dropped, mut seed) = (0, 6000);
    while dropped < least() {
        seed += 1;
        // The server has more to say before it answers.
        let stream = said().text("more").ping("p").text("and more").close(1000, "").into_bytes();
        let mut ws = client(Trickle::new(stream, seed), Limits::new());
        ws.push("last").unwrap();
        while once(ws.close(CloseCode::GOING_AWAY, "gone")).map(|closed| closed.unwrap()).is_pending() {
            dropped += 1;
        }
        let mut all = frames(Role::Client, &ws.io().written);
        all.retain(|(first, _)| *first != FIN | PONG);
        let close = (FIN | CLOSE, b"\x03\xe9gone".to_vec());
        assert_eq!(all, [(FIN | TEXT, b"last".to_vec()), close]);
        assert!(matches!(once(ws.next()), Poll::Ready(Ok(None))));
        assert!(matches!(once(ws.send("x")), Poll::Ready(Err(Error::Send(_)))));
    }
}

/// The close frame is written before the error comes, wherever the violation is seen: at a header, in a text that is
/// whole, in one that is not.
#[tokio::test]
async fn a_violation_is_told_before_it_is_returned() {
    let cases = [
        (wire().text("good").frame(FIN | 3, "x"), 1002_u16),
        (wire().text("good").text(b"bad \xff"), 1007),
        (wire().text("good").parts(TEXT, &[b"bad ", b"\xff"]), 1007),
        (wire().text("good").frame(FIN | CLOSE, [3]), 1002),
        (wire().text("good").head(FIN | BINARY, 1 << 30), 1009),
    ];
    let (mut dropped, mut seed) = (0, 7000);
    while dropped < least() {
        for (stream, code) in cases.clone() {
            seed += 1;
            // What comes behind it is dropped.
            let stream = stream.text("no").into_bytes();
            let mut ws = server(Trickle::new(stream, seed), &config());
            let error = loop {
                match once(ws.incoming()) {
                    Poll::Pending => dropped += 1,
                    Poll::Ready(Err(error)) => break error,
                    Poll::Ready(Ok(Some((message, mut out)))) => {
                        assert_eq!(message, Message::from("good"));
                        while once(out.send(message)).map(|sent| sent.unwrap()).is_pending() {
                            dropped += 1;
                        }
                    }
                    Poll::Ready(Ok(None)) => panic!("no error"),
                }
            };
            assert!(matches!(error, Error::Violation(error) if error.violation.close_code().get() == code));
            assert!(matches!(once(ws.incoming()), Poll::Ready(Ok(None))), "it is told once");
            assert!(ws.io().shut);
            let close = (FIN | CLOSE, code.to_be_bytes().to_vec());
            assert_eq!(frames(Role::Server, &ws.io().written), [(FIN | TEXT, b"good".to_vec()), close]);
        }
    }
}

#[tokio::test]
async fn a_kind_that_is_not_wanted_is_refused() {
    let io = Trickle::new(wire().text("x").into_bytes(), 1);
    let mut ws = server(io, &config().only(Kind::Binary));
    let error = ws.next().await.unwrap_err();
    let Error::Violation(error) = error else { panic!("{error:?}") };
    assert_eq!(error.violation, Violation::Unsupported(Kind::Text));
}

#[tokio::test]
async fn the_halves_lose_nothing() {
    let (mut dropped, mut seed) = (0, 8000);
    while dropped < least() {
        seed += 1;
        let limits = Limits::new().queued(300);
        let io = Trickle::new(stream(Role::Client), seed);
        let (mut reader, writer) = server(io, &config().limits(limits)).split();
        let (mut found, mut sent) = (Vec::new(), 0);
        let mut over = false;
        // Both in turn, a step each.
        while !over {
            match once(reader.next()) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(Some(message))) => found.push(message.as_bytes().to_vec()),
                Poll::Ready(Ok(None)) => over = true,
                Poll::Ready(Err(error)) => panic!("{error}"),
            }
            let Some(message) = messages().into_iter().nth(sent) else { continue };
            match once(writer.send(&message)) {
                Poll::Pending => dropped += 1,
                Poll::Ready(Ok(())) => sent += 1,
                // The peer has said goodbye.
                Poll::Ready(Err(Error::Send(_))) => {}
                Poll::Ready(Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(found, messages());
        assert!(sent > 0);
    }
}

#[tokio::test]
async fn a_request_can_be_waited_for_again() {
    let request = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let stream = [&request[..], &wire().text("at once").into_bytes()].concat();
    let (mut dropped, mut seed, config) = (0, 9000, feedrate_io::ws::Config::new(Origins::Any));
    while dropped < least() {
        seed += 1;
        let mut accepting = Accepting::new(Trickle::new(stream.clone(), seed), &config);
        loop {
            match once(accepting.request()) {
                Poll::Pending => dropped += 1,
                Poll::Ready(request) => break assert_eq!(request.unwrap().target(), "/chat"),
            }
        }
        let mut ws: WebSocket<_> = accepting.accept().await.unwrap();
        assert_eq!(ws.next().await.unwrap(), Some("at once".into()));
    }
}
