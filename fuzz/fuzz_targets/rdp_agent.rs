//! An agent whose host, clock, line and machine are the fuzzer's: commands are executed in order, once, by those who
//! may, and nothing stays behind. What must never happen is in `feedrate_fuzz::rdp::checks`.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use feedrate::Encode;
use feedrate::rdp::Channel;
use feedrate::rdp::crc;
use feedrate::rdp::frame::{Audit as Answer, Frame, List, Record};
use feedrate::rdp::packet::{Header, Packet, PacketType};
use feedrate_fuzz::rdp::agent::World;
use feedrate_fuzz::rdp::ends::LANES;
use feedrate_fuzz::rdp::{bytes, sense};
use feedrate_rdp::agent::StopCause;
use feedrate_rdp::target::Audit;

/// What the fuzzer does next.
#[derive(Debug, Arbitrary)]
enum Act<'a> {
    /// A frame of this kind, in a message with everything right.
    Say {
        version: u8,
        kind: u8,
        channel: Channel,
        body: &'a [u8],
    },
    /// One of the frames that make sense.
    Sense {
        which: u8,
        a: u8,
        b: u32,
    },
    /// Several at once, so that they wait for one another.
    Many {
        which: [u8; 4],
        a: u8,
        b: u32,
    },
    /// With another sequence or time, or on any channel.
    Odd {
        sequence: i8,
        time: i16,
        which: u8,
        channel: Channel,
        b: u32,
    },
    /// A message with a right tag, and anything in it.
    Tagged {
        channel: Channel,
        bytes: &'a [u8],
    },
    /// Bytes on the line, whatever they are.
    Raw {
        lane: bool,
        bytes: &'a [u8],
    },
    /// A packet with right checksums.
    Packet {
        lane: bool,
        kind: u8,
        flags: u8,
        mine: bool,
        position: u32,
        payload: &'a [u8],
    },
    /// The next packets are lost, or spoilt.
    Noise {
        lose: u8,
        spoil: u8,
        place: u8,
    },
    /// Whether what the agent sends is taken off its line, and whether its Heartbeats are answered.
    Peer {
        deaf: bool,
        lives: bool,
    },
    /// Time passes, without a run; or with some.
    Wait(u16),
    Pass {
        steps: u8,
        millis: u8,
    },
    Sleep,
    /// The clock steps back, or stands.
    Back(u8),
    Stand,
    Cut(bool),
    Connect {
        domains: u8,
        seconds: u8,
    },
    /// The controller starts again.
    Restart,
    /// What works, and what is allowed.
    Set {
        which: u8,
        a: u32,
    },
    /// The program stops by itself.
    Stop {
        which: u8,
        a: u32,
    },
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((flags, script)) = data.split_first_chunk() else { return };
    let mut world = World::new(u16::from_le_bytes(*flags));
    world.connect(0xFF, 60);
    let mut script = Unstructured::new(script);
    let shows = std::env::var_os("SHOW").is_some();
    for _ in 0..100 {
        if script.is_empty() {
            break;
        }
        let Ok(act) = script.arbitrary() else { break };
        // What a finding did: SHOW=1 and the input.
        if shows {
            eprintln!("{act:x?}");
        }
        play(&mut world, act);
    }
    world.leave_alone();
});

fn play(world: &mut World, act: Act<'_>) {
    match act {
        Act::Say { version, kind, channel, body } => {
            let version = if version < 250 { 1 } else { version };
            let frame = [b"GDBP", &[version, kind][..], body].concat();
            world.say(channel, &frame);
            world.turn();
        }
        Act::Sense { which, a, b } => {
            ask(world, which, a, b);
            world.turn();
        }
        Act::Many { which, a, b } => {
            for which in which {
                ask(world, which, a, b);
            }
            world.turn();
        }
        Act::Odd { sequence, time, which, channel, b } => {
            let sequence = world.peer.next.saturating_add_signed(sequence.into());
            let time = world.peer.heard.saturating_add_signed(time.into());
            world.say_as(channel, sequence, time, &sense(which, 1, b, 0));
            world.turn();
        }
        Act::Tagged { channel, bytes } => {
            world.tainted = true;
            world.say(channel, bytes);
            world.turn();
        }
        Act::Raw { lane, bytes } => {
            world.tainted = true;
            let now = world.now();
            world.ends.raw(LANES[usize::from(lane)], bytes, now);
            world.turn();
        }
        Act::Packet { lane, kind, flags, mine, position, payload } => {
            world.tainted = true;
            let connection = if mine { world.ends.connection() } else { position as u16 };
            let header = Header { flags, ..Header::new(PacketType::from(kind), connection, position) };
            let mut packet = Vec::new();
            let payload = &payload[..payload.len().min(491)];
            Packet::new(header, payload).encode(&mut packet).expect("a vector grows");
            let now = world.now();
            world.ends.raw(LANES[usize::from(lane)], &packet, now);
            world.turn();
        }
        Act::Noise { lose, spoil, place } => {
            world.tainted = true;
            (world.noise.lose, world.noise.spoil, world.noise.place) = (lose % 16, spoil % 16, place);
        }
        Act::Peer { deaf, lives } => {
            (world.noise.deaf, world.lives) = (deaf, lives);
            world.tainted |= deaf;
        }
        Act::Wait(millis) => {
            world.wait(u64::from(millis % 8_000) * 1_000 + 7);
            world.turn();
        }
        Act::Pass { steps, millis } => world.pass((steps % 64).into(), u64::from(millis) * 1_000),
        Act::Sleep => world.sleep(),
        Act::Back(millis) => {
            world.clock = world.clock.saturating_sub(u64::from(millis) * 1_000);
            world.turn();
        }
        Act::Stand => world.stand(),
        Act::Cut(lane) => world.cut(LANES[usize::from(lane)]),
        Act::Connect { domains, seconds } => world.connect(domains, seconds % 90),
        Act::Restart => world.restart(),
        Act::Set { which, a } => world.set(which, a),
        Act::Stop { which, a } => {
            let cause = match which % 7 {
                0 => StopCause::Step,
                1 => StopCause::Breakpoint(a as u16),
                2 => StopCause::Watch { slot: a as u16, addr: u64::from(a) },
                3 => StopCause::Halted,
                4 => StopCause::Fault(u64::from(a)),
                5 => StopCause::Interlock,
                _ => StopCause::Reset,
            };
            (world.machine.stopped, world.machine.pending) = (true, None);
            world.stop(cause);
            world.turn();
        }
    }
}

/// One of the frames that make sense, on its channel.
fn ask(world: &mut World, which: u8, a: u8, b: u32) {
    let crc = world.machine.log.last_below(b % 64).map_or(0, |record| crc_of(&record));
    let frame = sense(which, a, b, crc);
    let channel = Channel::of_kind(frame[5]).expect("a host's");
    world.say(channel, &frame);
}

/// Of a record as it is on the wire.
fn crc_of(record: &Record) -> u32 {
    let records = [*record];
    let answer = Answer { request: 0, oldest: 0, next: 0, lost: 0, records: List::new(&records) };
    let bytes = bytes(&Frame::Audit(answer));
    crc::crc_32(&[&bytes[bytes.len() - Record::SIZE..]])
}
