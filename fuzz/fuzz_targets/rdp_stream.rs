//! Byte streams: the decoder of records and the line of a session read the same, wherever the bytes are cut; what is
//! sent is what was put in, what is urgent first; and an agent does the same whatever the cuts.
#![no_main]

use std::collections::VecDeque;

use feedrate::rdp::Channel;
use feedrate::rdp::crc;
use feedrate::rdp::frame::{Agree, Domains, Frame, Hello, List, Secret};
use feedrate::rdp::record::{HEAD, Message, RecordError, Records};
use feedrate::{Array, Decoder, Encode, Error, Instant};
use feedrate_fuzz::rdp::agent::MAP;
use feedrate_fuzz::rdp::ends::On;
use feedrate_fuzz::rdp::{FINGERPRINT, LONGEST, Said, Small, Speaker, accept_all, bytes, send, sense, take};
use feedrate_fuzz::{Outcome, Plan, drive, pieces};
use feedrate_rdp::Role;
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_rdp::sizes::Desk;
use feedrate_rdp::stream::Stream;
use feedrate_testkit::machine::Fake;
use feedrate_testkit::rdp::rig::{Authority, authority, token};

const NOW: Instant = Instant::from_millis(1_000);
/// Two-way splits are tried at all places of a stream that is no longer.
const SHORT: usize = 64;

type Owned = (Channel, Vec<u8>);

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    if plan.flag(3) {
        return agent(&plan);
    }
    let mut made = Vec::new();
    let stream = if plan.flag(2) {
        make(plan.stream, &mut made);
        &made[..]
    } else {
        plan.stream
    };
    let more = plan.flag(0);
    let (messages, outcome) = decoded(more, stream, &[]);
    assert_eq!((&messages, &outcome), parts(&decoded(more, stream, plan.sizes)));
    for sizes in [&[], plan.sizes, &[1]] {
        received(more, stream, sizes, &messages, &outcome);
    }
    if stream.len() <= SHORT {
        for at in 1..=stream.len() {
            // The second piece is the rest.
            let sizes = [at as u8, SHORT as u8];
            assert_eq!((&messages, &outcome), parts(&decoded(more, stream, &sizes)));
            received(more, stream, &sizes, &messages, &outcome);
        }
    }
    sent(&messages, plan.sizes);
});

fn parts<A, B>((a, b): &(A, B)) -> (&A, &B) {
    (a, b)
}

/// Records of the stream's bytes, some of them with a length that must not be.
fn make(mut data: &[u8], out: &mut Vec<u8>) {
    while let Some((&[channel, length], rest)) = data.split_first_chunk() {
        if out.len() > 8192 {
            break;
        }
        let length = usize::from(length) * 3;
        let message = vec![length as u8; length];
        let channel = Channel::ALL[usize::from(channel & 1)];
        if Message::new(channel, &message).encode(out).is_err() {
            out.extend([channel.number() << 7, length as u8]);
        }
        data = rest;
    }
}

/// What the decoder makes of it.
fn decoded(more: bool, stream: &[u8], sizes: &[u8]) -> (Vec<Owned>, Outcome<RecordError>) {
    let mut records = Records::new();
    if more {
        records.set_limit(4096);
    }
    let mut decoder = Decoder::new(records, Array::<{ HEAD + 4096 }>::new());
    let mut messages = Vec::new();
    let see = |_: usize, message: Result<Message<'_>, _>| {
        let message = message.expect("no record is bad alone");
        let mut again = Vec::new();
        message.encode(&mut again).expect("what was read can be written");
        assert_eq!(again[HEAD..], *message.as_bytes());
        (message.channel, message.as_bytes().to_vec())
    };
    let act = |_: &mut Records, message: Owned, _: &[u8]| messages.push(message);
    let outcome = drive(&mut decoder, stream, sizes, see, act);
    (messages, outcome)
}

/// The line makes the same of it.
fn received(more: bool, stream: &[u8], sizes: &[u8], messages: &[Owned], outcome: &Outcome<RecordError>) {
    let mut line = Box::new(Stream::<Desk>::host());
    line.connect().expect("it is not busy");
    if more {
        accept_all(&mut *line);
    }
    let mut arrived = Vec::new();
    let mut lost = None;
    for piece in pieces(stream, sizes) {
        let mut input = piece;
        while !input.is_empty() && lost.is_none() {
            let before = input.len();
            lost = line.feed(&mut input, NOW).err();
            let new = take(&mut *line);
            assert!(input.len() < before || !new.is_empty() || lost.is_some(), "it stands still");
            arrived.extend(new);
        }
    }
    for channel in Channel::ALL {
        let of = |messages: &[Owned]| -> Vec<Vec<u8>> {
            messages.iter().filter(|(of, _)| *of == channel).map(|(_, message)| message.clone()).collect()
        };
        assert_eq!(of(&arrived), of(messages), "{channel:?}, cut into {sizes:?}");
    }
    match (&outcome.end, lost) {
        (Err(Error::Lost(RecordError::Length { declared, limit, .. })), Some(error)) => {
            assert_eq!((*declared, *limit), (error.length.into(), error.limit.into()));
            assert_eq!(line.feed(&mut &b"more"[..], NOW), Err(error));
            assert!(line.is_finished());
        }
        (Ok(()) | Err(Error::Lost(RecordError::Fault(_))), None) => {}
        (end, lost) => panic!("{end:?}, {lost:?}"),
    }
}

/// What is put into a line comes out of it, on each channel in its order, and what is urgent before what is not.
fn sent(messages: &[Owned], sizes: &[u8]) {
    let mut line = Box::new(Stream::<Desk>::agent());
    line.connect().expect("it is not busy");
    let mut queues: [VecDeque<Vec<u8>>; 2] = Default::default();
    // What is left of the record that is being sent.
    let mut begun: VecDeque<u8> = VecDeque::new();
    let mut sizes = sizes.iter().copied().map(usize::from).chain([40]).cycle();
    let mut room = || sizes.next().unwrap_or_default();
    let mut poll = |line: &mut Stream<Desk>, queues: &mut [VecDeque<Vec<u8>>; 2], room: usize| {
        let mut expected = Vec::new();
        while expected.len() < room {
            if begun.is_empty() {
                let next = queues[0].pop_front().or_else(|| queues[1].pop_front());
                let Some(next) = next else { break };
                begun.extend(next);
            }
            let taken = begun.len().min(room - expected.len());
            expected.extend(begun.drain(..taken));
        }
        let mut out = vec![0; room];
        let length = line.poll_transmit(&mut out);
        assert!(out[..length] == expected, "{length} bytes, expected {}", expected.len());
        length
    };
    for (channel, message) in messages {
        // Now and then the line is slower than who writes.
        if message.len() % 3 != 0 {
            poll(&mut line, &mut queues, room());
        }
        if send(&mut *line, *channel, message, NOW) {
            let mut record = Vec::new();
            Message::new(*channel, message).encode(&mut record).expect("it was one");
            queues[channel.index()].push_back(record);
        }
    }
    while poll(&mut line, &mut queues, room().max(1)) > 0 {}
    assert!(queues.iter().all(VecDeque::is_empty));
}

/// What an agent says to these bytes, and how it stands then.
type Answers = (Vec<Owned>, SessionState, bool);

fn agent(plan: &Plan<'_>) {
    let mut host = Speaker::new(Role::Host, *b"the host's nonce");
    let answers = |stream: &[u8], sizes: &[u8]| -> Answers { answers(stream, sizes) };
    let mut stream = Vec::new();
    if !plan.flag(4) {
        let (token, suites) = (token(Domains::ALL, 60), [0]);
        let hello = bytes(&Frame::Hello(Hello {
            lowest: 3,
            highest: 3,
            nonce: host.host_nonce,
            longest: 600,
            suites: List::new(&suites),
            token: Secret::new(&token),
        }));
        put(&mut stream, Channel::Urgent, &host.next(Channel::Urgent, &hello));
        host.bind(true, [0; 16]);
        let (said, ..) = answers(&stream, &[]);
        let mut state = None;
        for (channel, message) in said {
            let Said { frame, .. } = host.open(channel, &message);
            match Frame::read(&frame) {
                Ok(Frame::Welcome(welcome)) => host.bind(true, welcome.device_nonce),
                Ok(Frame::State(_)) => state = Some(crc::crc_32(&[&frame[6..]])),
                other => panic!("{other:?}"),
            }
        }
        let agree = bytes(&Frame::Agree(Agree { crc: state.expect("State") }));
        put(&mut stream, Channel::Urgent, &host.next(Channel::Urgent, &agree));
    }
    if plan.flag(0) {
        stream.extend_from_slice(plan.stream);
    } else {
        for &[which, a, b] in plan.stream.as_chunks().0 {
            let frame = sense(which, a, u32::from(b) << 3, 0);
            let channel = Channel::of_kind(frame[5]).expect("a host's");
            // On the other channel, now and then.
            let channel = if which > 240 { Channel::ALL[1 - channel.index()] } else { channel };
            put(&mut stream, channel, &host.next(channel, &frame));
        }
    }
    let whole = answers(&stream, &[]);
    for sizes in [plan.sizes, &[1]] {
        assert_eq!(answers(&stream, sizes), whole, "cut into {sizes:?}");
    }
    for (channel, message) in &whole.0 {
        let limit = if *channel == Channel::Urgent { 512 } else { LONGEST };
        assert!((18..=limit).contains(&message.len()));
    }
}

fn put(stream: &mut Vec<u8>, channel: Channel, message: &[u8]) {
    Message::new(channel, message).encode(stream).expect("a message");
}

/// The agent runs only when it takes no more, and in the end.
fn answers(stream: &[u8], sizes: &[u8]) -> Answers {
    let config = AgentConfig::new(*b"boot no. 815", 815, "fuzzed");
    let mut agent: Box<On<Stream<Small>>> =
        Box::new(Agent::new(config, Stream::agent(), authority as Authority, Checksum::new()));
    let mut machine = Fake { fingerprint: FINGERPRINT, map: MAP, ..Fake::new() };
    let mut peer = Box::new(Stream::<Desk>::host());
    agent.run(&mut machine, NOW);
    agent.connect().expect("nobody else is there");
    peer.connect().expect("it is not busy");
    accept_all(&mut *peer);
    let (mut said, mut bytes) = (Vec::new(), [0; 4096]);
    let mut run = |agent: &mut On<Stream<Small>>, machine: &mut Fake| {
        while let Some(cause) = machine.stop_now() {
            agent.stopped(machine, cause, NOW);
        }
        agent.run(machine, NOW);
        assert_eq!(machine.misuse, None);
        let length = agent.poll_transmit(&mut bytes);
        let mut input = &bytes[..length];
        peer.feed(&mut input, NOW).expect("what is sent is right");
        assert!(input.is_empty());
        said.extend(take(&mut *peer));
        length > 0
    };
    let mut finished = false;
    'all: for piece in pieces(stream, sizes) {
        let mut input = piece;
        let mut stands = 0;
        while !input.is_empty() {
            let before = input.len();
            if agent.feed(&mut input, NOW).is_err() {
                finished = true;
                break 'all;
            }
            if !input.is_empty() {
                run(&mut agent, &mut machine);
            }
            stands = if input.len() < before { 0 } else { stands + 1 };
            assert!(stands < 8, "it takes nothing any more");
        }
    }
    let mut quiet = 0;
    while quiet < 3 {
        quiet = if run(&mut agent, &mut machine) { 0 } else { quiet + 1 };
    }
    (said, agent.state(), finished)
}
