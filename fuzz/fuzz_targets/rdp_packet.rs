//! Packets are found wherever the bytes are cut, from bytes that may be changed and from bytes that may not, and what
//! is read is written as it was.
#![no_main]

use feedrate::rdp::packet::{Header, Lane, Packet, PacketError, PacketType, Packets, Scattered};
use feedrate::{Buffer, Decoder, Encode, Error, Grow, Input};
use feedrate_fuzz::{Outcome, Plan, drive, pieces};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let lane = match plan.flags & 3 {
        0 => Lane::UART,
        1 => Lane::SPI,
        2 => Lane::new(Lane::MOST).expect("a lane"),
        _ => Lane::new(100).expect("a lane"),
    };
    let mut made = Vec::new();
    let stream = if plan.flag(2) {
        make(plan.stream, lane, &mut made);
        &made[..]
    } else {
        plan.stream
    };
    let (items, outcome) = read(lane, stream, &[]);
    assert_eq!((&items, &outcome), parts(&read(lane, stream, plan.sizes)));
    assert_eq!((&items, &outcome), parts(&read(lane, stream, &[1])));
    for sizes in [&[], plan.sizes, &[1]] {
        assert_eq!((&items, &outcome.end), parts(&changed(lane, stream, sizes)), "from &mut [u8]");
        assert_eq!((&items, &outcome.end), parts(&pulled(lane, stream, sizes)), "from a buffer");
    }
});

type Item = Result<(Header, Vec<u8>), PacketError>;
type End = Result<(), Error<PacketError>>;

fn parts<A, B>((a, b): &(A, B)) -> (&A, &B) {
    (a, b)
}

fn decoder(lane: Lane) -> Decoder<Packets, Grow> {
    Decoder::new(Packets, Grow::new(lane.frame()))
}

fn owned(lane: Lane, packet: Packet<'_>) -> (Header, Vec<u8>) {
    let mut again = Vec::new();
    packet.encode(&mut again).unwrap();
    assert_eq!(packet.encoded_length(), Ok(again.len()));
    assert!(again.len() <= lane.mtu() + 2, "longer than what it was read from");
    let payload = packet.payload();
    for at in [0, payload.len() / 3, payload.len()] {
        let mut scattered = Vec::new();
        Scattered::new(packet.header, payload.split_at(at)).encode(&mut scattered).unwrap();
        assert!(scattered == again, "in two places: at {at}");
    }
    let mut once_more = Decoder::new(Packets, Grow::new(1100));
    assert_eq!(once_more.feed(&mut &mut again[..]), Ok(Some(packet)));
    feedrate_fuzz::show(packet);
    (packet.header, packet.payload().to_vec())
}

/// From bytes that may not be changed.
fn read(lane: Lane, stream: &[u8], sizes: &[u8]) -> (Vec<Item>, Outcome<PacketError>) {
    let mut items = Vec::new();
    let see = |_: usize, packet: Result<Packet<'_>, _>| packet.map(|packet| owned(lane, packet));
    let act = |_: &mut Packets, item: Item, _: &[u8]| items.push(item);
    let outcome = drive(&mut decoder(lane), stream, sizes, see, act);
    (items, outcome)
}

/// From bytes that may be: those of a packet, and no others.
fn changed(lane: Lane, stream: &[u8], sizes: &[u8]) -> (Vec<Item>, End) {
    let mut decoder = decoder(lane);
    let mut items = Vec::new();
    for piece in pieces(stream, sizes) {
        let mut copy = piece.to_vec();
        let mut input = &mut copy[..];
        loop {
            let item = match decoder.feed(&mut input) {
                Ok(Some(packet)) => Ok(owned(lane, packet)),
                Ok(None) => break,
                Err(Error::Message(error)) => Err(error),
                Err(lost) => return (items, Err(lost)),
            };
            items.push(item);
            let rest = input.bytes();
            assert_eq!(rest, &piece[piece.len() - rest.len()..], "bytes behind a packet were changed");
        }
    }
    (items, decoder.end())
}

/// From a buffer that is smaller than the stream.
fn pulled(lane: Lane, stream: &[u8], sizes: &[u8]) -> (Vec<Item>, End) {
    let mut decoder = decoder(lane);
    let mut buffer = Buffer::new([0; 90]);
    let mut items = Vec::new();
    let mut read = pieces(stream, sizes).flat_map(|piece| piece.chunks(90));
    loop {
        let ready = match decoder.ready(&mut buffer) {
            Ok(Some(ready)) => ready,
            Ok(None) => {
                let Some(chunk) = read.next() else { return (items, decoder.end()) };
                buffer.space()[..chunk.len()].copy_from_slice(chunk);
                buffer.filled(chunk.len());
                continue;
            }
            Err(Error::Message(error)) => {
                items.push(Err(error));
                continue;
            }
            Err(lost) => return (items, Err(lost)),
        };
        match decoder.take(ready, &mut buffer) {
            Ok(packet) => items.push(Ok(owned(lane, packet))),
            Err(Error::Message(error)) => items.push(Err(error)),
            Err(lost) => return (items, Err(lost)),
        }
    }
}

/// Good packets of the stream's bytes, with a damaged byte now and then.
fn make(mut data: &[u8], lane: Lane, out: &mut Vec<u8>) {
    while let Some((&[kind, flags, length, damage], rest)) = data.split_first_chunk::<4>() {
        if out.len() > 8192 {
            break;
        }
        let most = lane.payload();
        let length = (usize::from(length) * 4).min(most).min(rest.len());
        let (payload, rest) = rest.split_at(length);
        data = rest;
        let header = Header { flags, ..Header::new(PacketType::from(kind), 7, u32::from(damage) << 12) };
        let begin = out.len();
        Packet::new(header, payload).encode(out).unwrap();
        if damage & 3 == 3 {
            let at = begin + usize::from(damage) % (out.len() - begin);
            out[at] ^= damage;
        }
    }
}
