//! Whole sessions, over everything that carries one.

use feedrate::rdp::frame::{GetStatus, Halt, ReadMemory, Resume, RunState};
use feedrate_io::rdp::host::{Connection, Error};
use feedrate_rdp::host::{Closed, Event, HostConfig};
use feedrate_rdp::session::Checksum;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};

use crate::{Authority, agent, authority, beside, machine, serial, serial_agent, stream, unseen};

/// Halts the program, reads memory, and lets it run again: twenty times.
async fn debug<T: AsyncRead + AsyncWrite + Unpin>(mut rdp: Connection<T>) {
    rdp.active(unseen).await.unwrap();
    assert_eq!(rdp.device().unwrap().name(), "servo");
    let mut stops = 0;
    for n in 0..20_u8 {
        let seen = |event: &Event<'_>| stops += usize::from(matches!(event, Event::Stopped(_)));
        rdp.ask(&Halt, |_| (), seen).await.unwrap().unwrap();
        let status = rdp.ask(&GetStatus, |status| status.run, unseen).await.unwrap();
        assert_eq!(status, Ok(RunState::Stopped));
        let read = ReadMemory { addr: n.into(), length: 250 };
        let memory = rdp.ask(&read, |memory| memory.data.as_slice().to_vec(), unseen).await.unwrap();
        assert_eq!(memory, Ok(vec![n; 250]));
        rdp.ask(&Resume, |_| (), unseen).await.unwrap().unwrap();
    }
    let much = ReadMemory { addr: 7, length: 9999 };
    assert!(rdp.ask(&much, |_| (), unseen).await.unwrap().is_err(), "more than there may be");
    assert_eq!(rdp.close(unseen).await.to_string(), "it was asked for");
    assert!(rdp.next().await.is_none() && rdp.next().await.is_none());
    assert!(matches!(rdp.ask(&Halt, |_| (), unseen).await, Err(Error::Closed(Closed::Ended(_)))));
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (host, agent) = tokio::join!(connect, listener.accept());
    (host.unwrap(), agent.unwrap().0)
}

#[tokio::test]
async fn over_tcp() {
    let (host, other) = sockets().await;
    let (mut agent, mut machine) = (agent(), machine());
    agent.connect(other).unwrap();
    beside(&mut agent, &mut machine, debug(stream(host))).await;
    assert_eq!(machine.misuse, None);
}

#[tokio::test]
async fn over_a_pipe_that_holds_seven_bytes() {
    let (host, other) = duplex(7);
    let (mut agent, mut machine) = (agent(), machine());
    agent.connect(other).unwrap();
    beside(&mut agent, &mut machine, debug(stream(host))).await;
    assert_eq!(machine.misuse, None);
}

#[cfg(feature = "ws")]
#[tokio::test]
async fn over_a_websocket() {
    use feedrate_io::ws::{self, Bytes, ClientConfig, Config, Origins};

    let (host, other) = sockets().await;
    let (client, config) = (ClientConfig::new("example.com", "/"), Config::new(Origins::Any));
    let (host, other) = tokio::join!(ws::connect(host, &client), ws::accept(other, &config));
    let (mut agent, mut machine) = (agent(), machine());
    agent.connect(Bytes::new(other.unwrap())).unwrap();
    beside(&mut agent, &mut machine, debug(stream(Bytes::new(host.unwrap())))).await;
    assert_eq!(machine.misuse, None);
}

#[tokio::test]
async fn over_serial_lanes() {
    for bulk in [false, true] {
        let ((signal, a), (large, b)) = (duplex(64), duplex(512));
        let (mut agent, mut machine) = (serial_agent(bulk), machine());
        agent.connect(a).unwrap();
        if bulk {
            agent.connect_bulk(b);
        }
        beside(&mut agent, &mut machine, debug(serial(signal, bulk.then_some(large)))).await;
        assert_eq!(machine.misuse, None);
    }
}

/// Two pairs of pseudo terminals at 115 200 baud, for both ends.
#[cfg(all(unix, feature = "serial"))]
#[tokio::test]
async fn over_serial_ports() {
    use feedrate_io::serial::Port;

    for bulk in [false, true] {
        let (signals, larges) = (crate::pty::cable(), crate::pty::cable());
        let port = |path: &str| Port::open(path, 115_200).unwrap();
        let (mut agent, mut machine) = (serial_agent(bulk), machine());
        agent.connect(port(&signals.0)).unwrap();
        if bulk {
            agent.connect_bulk(port(&larges.0));
        }
        let rdp = serial(port(&signals.1), bulk.then(|| port(&larges.1)));
        beside(&mut agent, &mut machine, debug(rdp)).await;
        assert_eq!(machine.misuse, None);
    }
}

/// A session goes on without its bulk lane.
#[tokio::test]
async fn a_bulk_lane_that_is_cut() {
    let ((signal, a), (large, b)) = (duplex(64), duplex(512));
    let (mut agent, mut machine) = (serial_agent(true), machine());
    agent.connect(a).unwrap();
    agent.connect_bulk(b);
    let mut rdp = serial(signal, Some(large));
    let read = ReadMemory { addr: 5, length: 250 };
    beside(&mut agent, &mut machine, async {
        rdp.active(unseen).await.unwrap();
        rdp.ask(&read, |_| (), unseen).await.unwrap().unwrap();
    })
    .await;
    assert!(agent.disconnect(feedrate_io::rdp::agent::Place::Bulk));
    beside(&mut agent, &mut machine, debug_on(rdp)).await;
}

async fn debug_on<T: AsyncRead + AsyncWrite + Unpin>(mut rdp: Connection<T>) {
    let read = ReadMemory { addr: 5, length: 250 };
    for _ in 0..3 {
        let memory = rdp.ask(&read, |memory| memory.data.as_slice().len(), unseen).await.unwrap();
        assert_eq!(memory, Ok(250));
    }
    rdp.close(unseen).await;
}

#[tokio::test]
async fn one_operator_and_an_observer() {
    let (mut agent, mut machine) = (agent().observers(authority as Authority, Checksum::new()), machine());
    let [(a, b), (c, d), (e, f)] = [duplex(512), duplex(512), duplex(512)];
    agent.connect(b).unwrap();
    agent.observe(d).unwrap();
    let (mut operator, mut observer) = (stream(a), stream(c));
    beside(&mut agent, &mut machine, async {
        operator.active(unseen).await.unwrap();
        observer.active(unseen).await.unwrap();
    })
    .await;
    // While they have sessions, others are refused, and they are not affected.
    assert!(agent.connect(f).is_err() && !machine.stopped);
    let mut third = stream(e);
    beside(&mut agent, &mut machine, async {
        let why = third.active(unseen).await;
        assert_eq!(why, Err(Error::Closed(Closed::HungUp)));
        operator.ask(&Halt, |_| (), unseen).await.unwrap().unwrap();
        let status = observer.ask(&GetStatus, |status| status.run, unseen).await.unwrap();
        assert_eq!(status, Ok(RunState::Stopped));
        assert!(observer.ask(&Halt, |_| (), unseen).await.unwrap().is_err());
        observer.close(unseen).await;
        operator.close(unseen).await;
    })
    .await;
    assert_eq!(machine.misuse, None);
}

/// Somebody who has no session yields to whoever comes later, and a line that is lost lets go of everything.
#[tokio::test]
async fn who_comes_later() {
    let (mut agent, mut machine) = (agent(), machine());
    let ((_silent, a), (b, c)) = (duplex(512), duplex(512));
    agent.connect(a).unwrap();
    agent.connect(c).unwrap();
    beside(&mut agent, &mut machine, debug(stream(b))).await;
    let (d, e) = duplex(512);
    agent.connect(e).unwrap();
    let mut rdp = stream(d);
    beside(&mut agent, &mut machine, rdp.active(unseen)).await.unwrap();
    drop(rdp);
    let (f, g) = duplex(512);
    let mut other = stream(f);
    beside(&mut agent, &mut machine, tokio::time::sleep(std::time::Duration::from_millis(20))).await;
    agent.connect(g).unwrap();
    beside(&mut agent, &mut machine, other.active(unseen)).await.unwrap();
}

#[tokio::test]
async fn what_is_refused() {
    let (mut agent, mut machine) = (agent(), machine());
    let (a, b) = duplex(512);
    agent.connect(b).unwrap();
    let mut rdp = Connection::stream(a, HostConfig::new(), Checksum::new(), b"nobody").unwrap();
    let why = beside(&mut agent, &mut machine, rdp.active(unseen)).await;
    assert!(matches!(why, Err(Error::Closed(Closed::Refused(_)))), "{why:?}");
    assert!(Connection::stream(duplex(1).0, HostConfig::new(), Checksum::new(), &[0; 385]).is_err());

    // Something else.
    let (mut a, b) = duplex(512);
    let mut rdp = stream(b);
    a.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await.unwrap();
    let why = rdp.active(unseen).await;
    assert_eq!(why.unwrap_err().to_string(), "the stream is not RDPv3");
}
