//! Packets are found wherever the bytes are cut, in both framings, and what is read is written as it was.
#![no_main]

use feedrate::rdp::{Framing, Header, Line, Packet, PacketError, PacketType, Packets};
use feedrate::{Decoder, Encode, Grow};
use feedrate_fuzz::{Outcome, Plan, drive};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let line = match plan.flags & 3 {
        0 => Line::UART,
        1 => Line::SPI,
        2 => Line::TCP,
        // Longer packets than there should be, in no more storage.
        _ => Line { framing: Framing::Stream, mtu: 100 },
    };
    let mut made = Vec::new();
    let stream = if plan.flag(2) {
        make(plan.stream, line, &mut made);
        &made[..]
    } else {
        plan.stream
    };
    let whole = read(line, stream, &[]);
    assert_eq!(whole, read(line, stream, plan.sizes));
    assert_eq!(whole, read(line, stream, &[1]));
});

type Item = Result<(Header, Vec<u8>), PacketError>;

fn read(line: Line, stream: &[u8], sizes: &[u8]) -> (Vec<Item>, Outcome<PacketError>) {
    let limit = if line.framing == Framing::Serial { line.mtu - 1 } else { line.mtu };
    let mut items = Vec::new();
    let see = |_: usize, packet: Result<Packet<'_>, PacketError>| {
        packet.map(|packet| {
            let payload: Vec<u8> = packet.payload().flatten().copied().collect();
            assert_eq!(payload.len(), packet.payload().len());
            let mut again = Vec::new();
            packet.framed(line.framing).encode(&mut again).unwrap();
            assert!(again.len() <= line.mtu + 2, "longer than what it was read from");
            let mut once_more = Decoder::new(Packets::new(line.framing), Grow::new(1100));
            let read = once_more.feed(&mut &again[..]).unwrap().unwrap();
            assert_eq!(read.header, packet.header);
            assert!(read.payload().flatten().eq(&payload));
            feedrate_fuzz::show(packet);
            (packet.header, payload)
        })
    };
    let act = |_: &mut Packets, item: Item, _: &[u8]| items.push(item);
    let mut decoder = Decoder::new(Packets::new(line.framing), Grow::new(limit));
    let outcome = drive(&mut decoder, stream, sizes, see, act);
    (items, outcome)
}

/// Good packets of the stream's bytes, with a damaged byte now and then.
fn make(mut data: &[u8], line: Line, out: &mut Vec<u8>) {
    while let Some((&[kind, flags, length, damage], rest)) = data.split_first_chunk::<4>() {
        if out.len() > 8192 {
            break;
        }
        let most = line.framing.payload(line.mtu);
        let length = (usize::from(length) * 4).min(most).min(rest.len());
        let (payload, rest) = rest.split_at(length);
        data = rest;
        let header = Header { flags, ..Header::new(PacketType::from(kind), 7, u32::from(damage) << 12) };
        let begin = out.len();
        Packet::new(header, payload).framed(line.framing).encode(out).unwrap();
        if damage & 3 == 3 {
            let at = begin + usize::from(damage) % (out.len() - begin);
            out[at] ^= damage;
        }
    }
}
