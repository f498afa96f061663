//! Nothing that is queued is lost where one side ends its half, and nothing that was asked for is left undone.

use std::time::Duration;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Frame, Halt};
use feedrate_io::rdp::Ended;
use feedrate_rdp::session::Checksum;
use feedrate_testkit::rdp::peer::{Peer, record};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::{agent, beside, machine, run, serve, stream, unseen};

/// A peer that has no right to anything says Hello, and that it has said everything. It is still told why not.
#[tokio::test]
async fn half_of_a_connection() {
    for round in 0..50 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut agent, mut machine, mut gone) = (agent(), machine(), Vec::new());
        agent.connect(listener.accept().await.unwrap().0).unwrap();
        let mut peer = Peer::new(Checksum::new(), [round; 16]);
        socket.write_all(&record(Channel::Urgent, &peer.hello(b"nobody"))).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut said = Vec::new();
        tokio::select! {
            () = serve(&mut agent, &mut machine, &mut gone) => unreachable!(),
            read = timeout(Duration::from_secs(5), socket.read_to_end(&mut said)) => {
                read.expect("it hangs up").expect("no reset");
            }
        }
        let said = peer.read(&said);
        assert!(said.len() == 1 && matches!(said[0].frame(), Frame::Error(_)), "{said:?}");
        assert!(
            matches!(gone[..], [ref left] if matches!(left.why, Ended::Closed | Ended::Over)),
            "{gone:?}"
        );
    }
}

/// What has been requested is done, although the host is gone at once.
#[tokio::test]
async fn a_halt_and_the_end() {
    for _ in 0..50 {
        let (a, b) = duplex(4096);
        let (mut agent, mut machine) = (agent(), machine());
        agent.connect(b).unwrap();
        let mut rdp = stream(a);
        beside(&mut agent, &mut machine, rdp.active(unseen)).await.unwrap();
        rdp.request(&Halt).unwrap();
        assert!(crate::once(rdp.next()).is_pending());
        drop(rdp);
        let left = loop {
            if let Some(left) = agent.wait().await {
                break left;
            }
            run(&mut agent, &mut machine);
        };
        assert!(machine.stopped && matches!(left.why, Ended::Closed), "{left:?}");
    }
}

/// A reset connection is noticed, and the next one is taken.
#[tokio::test]
async fn a_connection_that_breaks() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (mut agent, mut machine) = (agent(), machine());
    for _ in 0..5 {
        let socket = TcpStream::connect(address).await.unwrap();
        agent.connect(listener.accept().await.unwrap().0).unwrap();
        let mut rdp = stream(socket);
        beside(&mut agent, &mut machine, rdp.active(unseen)).await.unwrap();
        drop(rdp);
        let gone = async {
            loop {
                if let Some(left) = agent.wait().await {
                    run(&mut agent, &mut machine);
                    return left;
                }
                run(&mut agent, &mut machine);
            }
        };
        timeout(Duration::from_secs(5), gone).await.expect("noticed");
    }
}
