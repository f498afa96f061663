//! Anything both ways, shown to an observer: no panic, a full queue changes nothing, and what it says fits together.
#![no_main]

use feedrate::pg::stream::Begin;
use feedrate_pg::observer::{InStep, Observer, Verdict};
use feedrate_pg::queue::Slot;

/// The types that matter; others come from the input.
const TAGS: &[u8] = b"QPBDECSHFXdcfp123ACDEGHIKNRSTVWZnstv";

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&first, mut rest)) = data.split_first() else { return };
    let slots = vec![Slot::EMPTY; usize::from(first & 15)];
    let mut observer = if first & 16 == 0 { Observer::established(slots) } else { Observer::new(slots) };
    while let [head, length, behind @ ..] = rest {
        let (body, behind) = behind.split_at(usize::from(length & 31).min(behind.len()));
        rest = behind;
        let tag = TAGS.get(usize::from(head >> 1) % (TAGS.len() + 2)).copied().unwrap_or(*length);
        let begin = Begin { tag, length: body.len() as u32 + 4 };
        if head & 1 == 0 {
            let before = format!("{observer:?}");
            let may = observer.expected_frontend();
            match observer.frontend_begins(begin, body) {
                // Where there is doubt, it goes on without room, and says so.
                Err(_) => assert_eq!(format!("{observer:?}"), before),
                Ok(Verdict::Unexpected { expected }) => {
                    assert!(!expected.contains(tag) || !may.contains(tag), "{} in {expected}", tag as char);
                }
                Ok(_) => {}
            }
        } else {
            let _ = observer.backend_begins(begin, body);
        }
        let owed = observer.ready_owed();
        assert!(owed.least <= owed.most, "{observer:?}");
        assert!(!observer.is_idle() || (owed.exact() == Some(0) && observer.in_step() == InStep::Yes), "{observer:?}");
    }
});
