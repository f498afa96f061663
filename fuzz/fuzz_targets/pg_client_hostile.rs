//! A client whose server sends anything: no panic, what it writes is whole messages, nothing is counted twice.
#![no_main]

use feedrate::pg::frontend::{
    self, Bind, Close, CopyData, CopyDone, CopyFail, Describe, Execute, Flush, FunctionCall, Parse, Query, Target,
    Terminate,
};
use feedrate::pg::{Backend, Frontend};
use feedrate::{Decoder, Grow};
use feedrate_pg::client::{Client, Request};
use feedrate_pg::queue::Slot;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&requests, mut input)) = data.split_first() else { return };
    let mut client = Client::new([Slot::EMPTY; 6]);
    let mut decoder = Decoder::new(Backend::established(), Grow::new(4096));
    let mut out = Vec::new();
    let mut turn = requests;
    loop {
        let frame = match decoder.feed(&mut input) {
            Ok(Some(frame)) => frame,
            Err(error) if !error.is_lost() => continue,
            _ => break,
        };
        let (shows, idle) = (client.shows(frame.tag()), client.is_idle());
        match client.receive(&frame) {
            Ok(event) => {
                assert_eq!(event.is_some(), shows);
                let later = event.and_then(|event| event.request).is_some_and(|of| of >= client.owed().pushed());
                assert!(!later, "an answer to what was not asked");
                assert!(!idle || client.is_idle() || client.owed().is_empty());
            }
            Err(error) if error.is_lost() => break,
            Err(_) => {}
        }
        // What is sent depends on what came.
        turn = turn.wrapping_mul(31).wrapping_add(frame.raw().last().copied().unwrap_or(1));
        send(&mut client, turn, &mut out);
        if turn % 29 == 0 {
            client.abandon();
        }
        let _ = client.transmit(&mut out);
    }
    let mut written = Decoder::new(Frontend::established(), Grow::new(4096));
    let mut input = &out[..];
    while written.feed(&mut input).expect("what it writes can be read").is_some() {}
    assert_eq!(written.end(), Ok(()));
});

fn send(client: &mut Client<[Slot; 6]>, turn: u8, out: &mut Vec<u8>) {
    match turn % 16 {
        0 => one(client, &Query { sql: "select".into() }, out),
        1 => one(client, &Parse::default(), out),
        2 => one(client, &Bind::default(), out),
        3 => one(client, &Describe { target: Target::Statement("".into()) }, out),
        4 => one(client, &Describe { target: Target::Portal("".into()) }, out),
        5 => one(client, &Execute::default(), out),
        6 => one(client, &Close { target: Target::Portal("".into()) }, out),
        7 => one(client, &FunctionCall::default(), out),
        8 => one(client, &Flush, out),
        9 => one(client, &CopyData { data: b"1\n" }, out),
        10 => one(client, &CopyDone, out),
        11 => one(client, &CopyFail { reason: "no".into() }, out),
        12 if turn == 12 => one(client, &Terminate, out),
        _ => one(client, &frontend::Sync, out),
    }
}

fn one(client: &mut Client<[Slot; 6]>, request: &impl Request, out: &mut Vec<u8>) {
    let (pushed, length) = (client.owed().pushed(), out.len());
    match client.send(request, out) {
        Ok(number) => assert!(number <= client.owed().pushed()),
        // Only what the client owes by itself may have been written.
        Err(_) => assert!(client.owed().pushed() <= pushed + 1 && out.len() <= length + 64),
    }
}
