//! A whole client of PostgreSQL without TLS: the login with SCRAM (compact hashes, no SASLprep), and the session.
#![no_std]
#![no_main]

use feedrate::pg::frontend::{self, Bind, CopyData, CopyDone, Parse, Query, StartupMessage};
use feedrate::pg::{Backend, List, Version};
use feedrate::{Array, Decoder, SliceOutput};
use feedrate_footprint::{Sum, bytes, bytes_mut};
use feedrate_pg::auth::{Authenticator, ChannelBinding, Credentials, Policy};
use feedrate_pg::client::{Client, Login, LoginEvent, Portal};
use feedrate_pg::queue::Slot;

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    decoder: &mut Decoder<Backend, Array<1024>>,
    client: &mut Client<[Slot; 16]>,
    input: *const u8,
    length: usize,
    output: *mut u8,
    room: usize,
) -> u32 {
    // SAFETY: the caller's word.
    let (mut input, output) = unsafe { (bytes(input, length), bytes_mut(output, room)) };
    let mut out = SliceOutput::new(output);
    let mut sum = Sum::default();
    let startup = StartupMessage { version: Version::V3_2, parameters: List::new(&[]) };
    let credentials = Credentials::new(input).with_password(input);
    let authenticator = Authenticator::new(credentials, Policy::default(), ChannelBinding::NoTls, [7; 18]);
    let mut login = Login::new(startup, Version::V3_0, authenticator);
    let mut logged_in = false;
    loop {
        let frame = match decoder.feed(&mut input) {
            Ok(Some(frame)) => frame,
            Ok(None) => return sum.0,
            Err(_) => return u32::MAX,
        };
        if !logged_in {
            match login.receive(&frame) {
                Ok(event) => logged_in = matches!(event, LoginEvent::Done),
                Err(_) => return u32::MAX,
            }
            let _ = login.work(1000);
            let _ = login.transmit(&mut out);
            continue;
        }
        match client.receive(&frame) {
            Ok(Some(event)) => sum.add(event.request.map_or(0, |request| request as u32)),
            Ok(None) => {}
            Err(_) => return u32::MAX,
        }
        let bind = Bind { statement: "s".into(), ..Bind::default() };
        let sent = match sum.0 & 7 {
            0 => client.send(&Query { sql: "select 1".into() }, &mut out),
            1 => client.send(&Parse { sql: "select 1".into(), ..Parse::default() }, &mut out),
            2 => client.send(&bind, &mut out),
            3 => client.send(&Portal::of(&bind).execute(10), &mut out),
            4 => client.send(&CopyData { data: frame.raw() }, &mut out),
            5 => client.send(&CopyDone, &mut out),
            6 => {
                client.abandon();
                client.transmit(&mut out).map(|()| 0)
            }
            _ => client.send(&frontend::Sync, &mut out),
        };
        sum.add(u32::from(sent.is_ok()));
    }
}
