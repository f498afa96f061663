//! A host that sends more than there is room for, and says that it has said everything: all of it is acted on, in its
//! order, and answered.

use std::time::Duration;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Agree, Frame, GetStatus, Halt, ReadMemory};
use feedrate_io::rdp::Ended;
use feedrate_rdp::host::Event;
use feedrate_rdp::session::Checksum;
use feedrate_testkit::machine::Fake;
use feedrate_testkit::rdp::peer::{Peer, Said, bytes, crc_of_body, record};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::{Agent, agent, all, beside, machine, once, run, stream, unseen};

/// More than one inbox holds.
const COMMANDS: usize = 1000;

/// Until this many messages have come.
async fn hear(socket: &mut DuplexStream, peer: &mut Peer<Checksum>, messages: usize) -> Vec<Said> {
    let (mut said, mut read) = (Vec::new(), [0; 4096]);
    while said.len() < messages {
        let n = socket.read(&mut read).await.unwrap();
        assert!(n > 0, "the agent has left after {said:?}");
        said.extend(peer.read(&read[..n]));
    }
    said
}

async fn session(
    socket: &mut DuplexStream,
    agent: &mut Agent<DuplexStream>,
    machine: &mut Fake,
) -> Peer<Checksum> {
    let mut peer = Peer::new(Checksum::new(), [7; 16]);
    beside(agent, machine, async {
        socket.write_all(&record(Channel::Urgent, &peer.hello(&all()))).await.unwrap();
        let state = hear(socket, &mut peer, 2).await.pop().unwrap();
        let agree = bytes(&Frame::Agree(Agree { crc: crc_of_body(&state.bytes) }));
        socket.write_all(&record(Channel::Urgent, &peer.next(Channel::Urgent, &agree))).await.unwrap();
        let done = hear(socket, &mut peer, 1).await;
        assert!(matches!(done[0].frame(), Frame::Done(_)), "{done:?}");
    })
    .await;
    peer
}

/// The agent is served, but not until all has been sent.
#[tokio::test]
async fn what_there_is_no_room_for_waits() {
    let (mut socket, other) = duplex(1 << 16);
    let (mut agent, mut machine) = (agent(), machine());
    agent.connect(other).unwrap();
    let mut peer = session(&mut socket, &mut agent, &mut machine).await;
    let status = bytes(&Frame::GetStatus(GetStatus));
    let commands = (0..COMMANDS).map(|_| record(Channel::Ordinary, &peer.next(Channel::Ordinary, &status)));
    let commands = commands.collect::<Vec<_>>().concat();
    socket.write_all(&commands).await.unwrap();
    let answers = beside(&mut agent, &mut machine, hear(&mut socket, &mut peer, COMMANDS)).await;
    let requests = answers.iter().map(|said| match said.frame() {
        Frame::Status(status) => status.request,
        other => panic!("{other:?}"),
    });
    let first = peer.next - COMMANDS as u32;
    assert!(requests.eq(first..peer.next), "{answers:?}");
}

/// The same, with Halt as the last one, and the end of the stream right behind it.
#[tokio::test]
async fn what_came_before_the_end_is_done() {
    let (mut socket, other) = duplex(1 << 16);
    let (mut agent, mut machine) = (agent(), machine());
    agent.connect(other).unwrap();
    let mut peer = session(&mut socket, &mut agent, &mut machine).await;
    let status = bytes(&Frame::GetStatus(GetStatus));
    let mut sent: Vec<_> = (0..COMMANDS)
        .flat_map(|_| record(Channel::Ordinary, &peer.next(Channel::Ordinary, &status)))
        .collect();
    sent.extend(record(Channel::Urgent, &peer.next(Channel::Urgent, &bytes(&Frame::Halt(Halt)))));
    socket.write_all(&sent).await.unwrap();
    socket.shutdown().await.unwrap();
    let left = loop {
        if let Some(left) = agent.wait().await {
            break left;
        }
        run(&mut agent, &mut machine);
    };
    assert!(machine.stopped && matches!(left.why, Ended::Closed), "{left:?}");
    let mut said = Vec::new();
    timeout(Duration::from_secs(5), socket.read_to_end(&mut said)).await.expect("it hangs up").unwrap();
    assert!(peer.read(&said).iter().any(|said| matches!(said.frame(), Frame::Done(_))), "Halt is answered");
}

/// The agent has answered all of it, and is gone before any of the answers has been looked at.
#[tokio::test]
async fn what_was_answered_before_the_end_is_told() {
    let (a, b) = duplex(1 << 16);
    let (mut agent, mut machine) = (agent(), machine());
    agent.connect(b).unwrap();
    let mut rdp = stream(a);
    beside(&mut agent, &mut machine, rdp.active(unseen)).await.unwrap();
    let reads = (0..4).filter(|addr| rdp.request(&ReadMemory { addr: *addr, length: 250 }).is_ok()).count();
    rdp.request(&Halt).unwrap();
    assert!(once(rdp.next()).is_pending());
    let _ = timeout(Duration::from_millis(50), async {
        loop {
            agent.wait().await;
            run(&mut agent, &mut machine);
        }
    })
    .await;
    drop(agent);
    let mut answers = 0;
    while let Some(event) = rdp.next().await {
        answers += usize::from(matches!(event, Event::Answer(_)));
    }
    assert!(reads > 0 && answers == reads + 1, "{answers} answers to {reads} reads and Halt");
}

/// A peer that is refused while it is still talking hears why: a socket that is closed with bytes unread is reset.
#[tokio::test]
async fn the_last_words_arrive() {
    for round in 0..20 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut agent, mut machine) = (agent(), machine());
        agent.connect(listener.accept().await.unwrap().0).unwrap();
        let mut peer = Peer::new(Checksum::new(), [round; 16]);
        let mut sent = record(Channel::Urgent, &peer.hello(b"nobody"));
        let status = bytes(&Frame::GetStatus(GetStatus));
        sent.extend(
            (0..20 * COMMANDS)
                .flat_map(|_| record(Channel::Ordinary, &peer.next(Channel::Ordinary, &status))),
        );
        let mut said = Vec::new();
        let (mut reading, mut writing) = socket.split();
        let heard = timeout(Duration::from_secs(5), async {
            let (_, heard) = tokio::join!(writing.write_all(&sent), reading.read_to_end(&mut said));
            heard
        });
        beside(&mut agent, &mut machine, heard).await.expect("it hangs up").expect("no reset");
        let said = peer.read(&said);
        assert!(matches!(said[0].frame(), Frame::Error(_)), "{said:?}");
    }
}
