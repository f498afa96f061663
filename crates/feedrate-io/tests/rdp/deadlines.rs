//! A peer that is silent, or takes nothing, is noticed in time. The clock stands still but for what is waited for, so
//! that seconds are exact.

use std::time::Duration;

use feedrate::rdp::frame::{Bytes, Force, Halt};
use feedrate_io::rdp::Ended;
use feedrate_io::rdp::agent::Place;
use feedrate_io::rdp::host::Error;
use feedrate_rdp::host::{Closed, Event};
use tokio::io::duplex;
use tokio::time::{Instant, sleep, timeout};

use crate::transport::Valve;
use crate::{agent, beside, machine, serial, serial_agent, serve, stream, unseen};

/// Milliseconds since then.
fn since(began: Instant) -> u128 {
    began.elapsed().as_millis()
}

#[tokio::test(start_paused = true)]
async fn nobody_answers() {
    let (a, _b) = duplex(4096);
    let began = Instant::now();
    let mut rdp = stream(a);
    assert_eq!(rdp.active(unseen).await, Err(Error::Closed(Closed::HandshakeTimeout)));
    assert_eq!(since(began), 5000);
    assert!(rdp.next().await.is_none());
    assert!(since(began) <= 5101, "{}", since(began));

    let (a, _b) = duplex(4096);
    let began = Instant::now();
    let why = serial(a, None).active(unseen).await.unwrap_err();
    assert_eq!(why.to_string(), "nobody answers");
    assert!((5000..=5002).contains(&since(began)), "{}", since(began));
}

#[tokio::test(start_paused = true)]
async fn a_peer_without_a_word_is_dropped() {
    let (_a, b) = duplex(4096);
    let (mut agent, mut machine, mut gone) = (agent(), machine(), Vec::new());
    agent.connect(b).unwrap();
    let began = Instant::now();
    while gone.is_empty() {
        gone.extend(agent.wait().await);
        crate::run(&mut agent, &mut machine);
    }
    assert_eq!(since(began), 5000);
    assert!(matches!((gone[0].place, &gone[0].why), (Place::Operator, Ended::Over)), "{gone:?}");
}

/// The agent does not run any more: a session's host notices within the loss time.
#[tokio::test(start_paused = true)]
async fn an_agent_that_falls_silent() {
    for lanes in [false, true] {
        let (a, b) = duplex(4096);
        let mut agent = if lanes { serial_agent(false) } else { agent() };
        let mut machine = machine();
        agent.connect(b).unwrap();
        let mut rdp = if lanes { serial(a, None) } else { stream(a) };
        beside(&mut agent, &mut machine, async {
            rdp.active(unseen).await.unwrap();
            // It is heard all the time.
            assert!(timeout(Duration::from_secs(3600), rdp.next()).await.is_err());
        })
        .await;
        let began = Instant::now();
        let why = loop {
            if let Event::Closed(why) = rdp.next().await.unwrap() {
                break why;
            }
        };
        assert_eq!(why.to_string(), "the peer was not heard for the loss time");
        // It goes on trying to say goodbye for a second.
        assert!((2000..=4000).contains(&since(began)), "{}", since(began));
        assert!(rdp.next().await.is_none());
        assert!(since(began) <= 5101, "{}", since(began));
    }
}

/// Nothing is awaited by the host any more: the agent lets go of what is forced.
#[tokio::test(start_paused = true)]
async fn a_host_that_stands_still() {
    for lanes in [false, true] {
        let (a, b) = duplex(4096);
        let mut agent = if lanes { serial_agent(false) } else { agent() };
        let mut machine = machine();
        agent.connect(b).unwrap();
        let mut rdp = if lanes { serial(a, None) } else { stream(a) };
        beside(&mut agent, &mut machine, async {
            rdp.active(unseen).await.unwrap();
            let fingerprint = rdp.device().unwrap().fingerprint;
            let value = Bytes::new(&[1, 2, 3, 4]);
            let safe = Bytes::new(&[]);
            let force = Force { addr: 0x2000, lease: 60_000, fingerprint, value, safe };
            rdp.ask(&force, |_| (), unseen).await.unwrap().unwrap();
        })
        .await;
        assert_eq!(machine.held.len(), 1);
        let began = Instant::now();
        let held = async {
            loop {
                sleep(Duration::from_millis(10)).await;
                if since(began) >= 3100 {
                    return;
                }
            }
        };
        beside(&mut agent, &mut machine, held).await;
        assert_eq!(machine.held.len(), 0, "lost after 3 s, lanes: {lanes}");
    }
}

/// A peer that takes nothing is gone after 5 s, and nothing is forced for longer than the loss time.
#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing() {
    let (a, b) = duplex(4096);
    let (mut agent, mut machine, mut gone) = (agent(), machine(), Vec::new());
    let valve = Valve::new(b);
    let shut = valve.shut.clone();
    agent.connect(valve).unwrap();
    let mut rdp = stream(a);
    beside(&mut agent, &mut machine, rdp.active(unseen)).await.unwrap();
    shut.set(true);
    rdp.request(&Halt).unwrap();
    let began = Instant::now();
    tokio::select! {
        () = serve(&mut agent, &mut machine, &mut gone) => unreachable!(),
        () = async {
            while rdp.next().await.is_some() {}
            sleep(Duration::from_secs(10)).await;
        } => {}
    }
    assert!(machine.stopped, "the Halt was taken");
    assert_eq!(gone.len(), 1, "{gone:?}");
    // The host hangs up after its loss time, or it is too late.
    assert!(matches!(gone[0].why, Ended::Late(_) | Ended::Closed | Ended::Over), "{gone:?}");
    assert!(since(began) < 16_000);

    // The same of a host.
    let (a, _b) = duplex(16);
    let began = Instant::now();
    let mut rdp = stream(a);
    assert!(rdp.active(unseen).await.is_err());
    assert!(rdp.next().await.is_none());
    assert!(since(began) <= 5101, "{}", since(began));
}
