//! WebSocket: how long a message may be follows from the storage by one rule on each side, and can be asked for once a
//! half is made: a storage that is too small is no surprise of the first message.

use feedrate::{Array, Grow, Storage};
use feedrate_testkit::ws::run::{Key, NOW, key};
use feedrate_testkit::ws::wire::{BINARY, FIN, Wire};
use feedrate_ws::frame::{CONTROL, HEADER, RESERVED};
use feedrate_ws::{Error, Keys, Receiver, Role, SendError, Sender, Violation};

/// It is queued if and only if it is no longer than that.
fn is_longest<S: Storage, K: Keys>(new: impl Fn() -> Sender<S, K>) {
    let longest = new().longest_message();
    let send = |length: u64| new().binary(&vec![0; length as usize]);
    let too_long = |result| matches!(result, Err(SendError::TooLong { needed, limit }) if needed > limit);
    match longest {
        None => assert!(too_long(send(0))),
        Some(length) => {
            assert_eq!(send(length), Ok(()));
            assert!(too_long(send(length + 1)), "{length}");
        }
    }
}

#[test]
fn what_a_sender_takes() {
    for bytes in (0..700).chain([1_000, 4_096, 70_000, 140_000, 200_000]) {
        for fragment in [1, 20, 100, 1 << 16] {
            is_longest(|| Sender::server(Grow::new(bytes)).fragments(fragment));
            is_longest(|| Sender::client(Grow::new(bytes), key as Key).fragments(fragment));
        }
        let longest = Sender::server(Grow::new(bytes)).longest_message();
        assert_eq!(longest.is_some(), bytes >= RESERVED + HEADER, "{bytes}");
        if (RESERVED + HEADER..=1 << 16).contains(&bytes) {
            assert_eq!(longest, Some((bytes - RESERVED - HEADER) as u64));
        }
    }
    is_longest(|| Sender::server(Array::<600>::new()));
    // The table of the issue: 400 bytes.
    assert_eq!(Sender::server(Grow::new(400)).longest_message(), None);
}

#[test]
fn what_a_receiver_takes() {
    for bytes in (0..400).chain([1_000, 70_000]) {
        let receive = |length: u64| {
            let wire = Wire::new(Role::Client).frame(FIN | BINARY, vec![1; length as usize]).into_bytes();
            let mut receiver = Receiver::new(Role::Server, Grow::new(bytes));
            receiver.feed(&mut &wire[..], NOW, &mut ()).map(|event| event.is_some())
        };
        let limit = bytes.saturating_sub(CONTROL) as u64;
        let longest = Receiver::new(Role::Server, Grow::new(bytes)).longest_message();
        assert_eq!(longest, (bytes >= CONTROL).then_some(limit), "{bytes}");
        assert_eq!(receive(limit), Ok(true));
        let violation = Violation::TooLong { length: limit + 1, limit };
        assert_eq!(receive(limit + 1), Err(Error { violation, offset: 0 }));
        // It is said before the message comes, and after.
        let pieces = |limit| Receiver::new(Role::Server, Grow::new(bytes)).in_pieces(limit).longest_message();
        for limit in [0, 1_000, u64::MAX] {
            assert_eq!(pieces(limit), (bytes >= CONTROL).then_some(limit));
        }
    }
    assert_eq!(Receiver::new(Role::Server, Array::<100>::new()).longest_message(), None);
}

/// In a storage that is too small for it, a control frame in pieces ends the connection; in the least there may be, it
/// does not.
#[test]
fn control_frames_need_their_room() {
    fn feed(storage: impl Storage) -> (bool, Result<bool, Error>) {
        let wire = Wire::new(Role::Client).ping([7; CONTROL]).into_bytes();
        let (start, end) = wire.split_at(wire.len() - 1);
        let mut receiver = Receiver::new(Role::Server, storage);
        assert_eq!(receiver.feed(&mut &start[..], NOW, &mut ()), Ok(None));
        let result = receiver.feed(&mut &end[..], NOW, &mut ()).map(|event| event.is_some());
        (receiver.longest_message().is_some(), result)
    }
    assert_eq!(feed(Array::<CONTROL>::new()), (true, Ok(true)));
    let memory = Error { violation: Violation::Memory, offset: 0 };
    assert_eq!(feed(Array::<{ CONTROL - 1 }>::new()), (false, Err(memory)));
}
