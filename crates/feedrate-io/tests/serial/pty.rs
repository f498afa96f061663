//! Pseudo terminals that are joined by a cable.

use std::fs::File;
use std::io::{Read, Write};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The paths of two ports: what is written to one can be read from the other, as it is.
#[allow(dead_code, reason = "what only some of the tests need")]
pub(crate) fn cable() -> (String, String) {
    let ((a, near), (b, far)) = (port(), port());
    for (mut from, mut to) in [(a.try_clone().unwrap(), b.try_clone().unwrap()), (b, a)] {
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            loop {
                match from.read(&mut bytes) {
                    Ok(n @ 1..) if to.write_all(&bytes[..n]).is_ok() => {}
                    // Nobody has the port open, yet or any more.
                    _ => thread::sleep(std::time::Duration::from_millis(1)),
                }
            }
        });
    }
    (near, far)
}

/// A pseudo terminal's own end, and the path of the other.
pub(crate) fn port() -> (File, String) {
    let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&end).unwrap();
    unlockpt(&end).unwrap();
    let path = ptsname(&end, Vec::new()).unwrap().into_string().unwrap();
    (File::from(end), path)
}
