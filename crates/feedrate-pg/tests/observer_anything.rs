//! Anything both ways, shown to an observer: a full queue changes nothing, and what it says fits together.

use feedrate::pg::stream::Begin;
use feedrate_pg::observer::{InStep, Observer};
use feedrate_pg::queue::Slot;
use feedrate_testkit::random::Random;

const FRONTEND: &[u8] = b"QPBDECSHFXdcfp";
const BACKEND: &[u8] = b"123ACDEGHIKNRSTVWZcdnstv";

#[test]
fn what_it_says_fits_together() {
    let mut full = 0;
    for seed in 0..30_000 {
        let mut random = Random::new(seed);
        let mut observer = Observer::established(vec![Slot::EMPTY; random.index(12)]);
        for _ in 0..random.below(60) {
            let body: [u8; 4] =
                random.pick(&[*b"I\0\0\0", *b"T\0\0\x01", *b"E\0\0\0", *b"S\0\0\0", *b"P\0\0\x02"]);
            let body = &body[..random.index(5)];
            let length = u32::try_from(body.len() + 4).unwrap();
            if random.below(2) == 0 {
                let begin = Begin { tag: random.pick(FRONTEND), length };
                let before = format!("{observer:?}");
                if observer.frontend_begins(begin, body).is_err() {
                    full += 1;
                    assert_eq!(format!("{observer:?}"), before, "seed {seed}");
                }
            } else {
                let _ = observer.backend_begins(Begin { tag: random.pick(BACKEND), length }, body);
            }
            let owed = observer.ready_owed();
            assert!(owed.least <= owed.most, "seed {seed}: {observer:?}");
            let idle = observer.is_idle();
            assert!(
                !idle || (owed.exact() == Some(0) && observer.in_step() == InStep::Yes),
                "seed {seed}: {observer:?}"
            );
        }
    }
    assert!(full > 1000, "{full}");
}
