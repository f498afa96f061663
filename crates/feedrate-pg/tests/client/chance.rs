//! Against a server that does what it likes, within the rules.

use feedrate_testkit::pg::client::{Outcome, play};
use feedrate_testkit::random::Random;

#[test]
fn what_the_client_says_is_what_the_server_meant() {
    let (mut idle, mut behind) = (0, 0);
    for seed in 0..20_000 {
        let mut random = Random::new(seed);
        let steps = random.below(200);
        match std::panic::catch_unwind(move || play(steps, &mut |n| random.below(n))) {
            Ok(Outcome::Idle) => idle += 1,
            Ok(Outcome::BehindCopy) => behind += 1,
            Err(panic) => {
                println!("seed {seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(idle > 14_000 && behind > 1000, "{idle} runs ended idle, {behind} behind a COPY");
}
