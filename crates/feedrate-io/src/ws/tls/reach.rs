//! Which of a host's addresses answers: [`reach`].

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::pin::{Pin, pin};
use core::task::Poll;
use core::time::Duration;
use std::io;

use ::tokio::net::{TcpStream, lookup_host};
use ::tokio::time::{Instant, sleep};

/// How long an address may take before the next is tried beside it (RFC 8305, section 5).
const NEXT: Duration = Duration::from_millis(250);

/// A connection to `HOST:PORT`, by whichever of its addresses answers first.
pub(super) async fn reach(address: &str) -> io::Result<TcpStream> {
    first(in_turn(lookup_host(address).await?), TcpStream::connect).await
}

/// Those of IPv6 and of IPv4 in turn, beginning with what the system likes best: often one of the two does not work.
fn in_turn(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut left: Vec<_> = addresses.collect();
    let mut turns = Vec::with_capacity(left.len());
    let mut v6 = left.first().is_some_and(SocketAddr::is_ipv6);
    while !left.is_empty() {
        let at = left.iter().position(|address| address.is_ipv6() == v6).unwrap_or_default();
        turns.push(left.remove(at));
        v6 = !v6;
    }
    turns
}

/// Tries one after the other, the next when one has failed, or has taken long: it goes on then.
async fn first<A, S, F: Future<Output = io::Result<S>>>(
    addresses: Vec<A>,
    connect: impl Fn(A) -> F,
) -> io::Result<S> {
    let mut left = addresses.into_iter();
    let mut trying: Vec<Pin<Box<F>>> = Vec::new();
    let mut failed = None;
    let mut pause = pin!(sleep(Duration::ZERO));
    poll_fn(|cx| {
        loop {
            let mut done = None;
            let tried = trying.len();
            trying.retain_mut(|attempt| match attempt.as_mut().poll(cx) {
                Poll::Pending => true,
                Poll::Ready(Ok(connected)) => {
                    done = Some(connected);
                    false
                }
                Poll::Ready(Err(error)) => {
                    failed = Some(error);
                    false
                }
            });
            if let Some(connected) = done {
                return Poll::Ready(Ok(connected));
            }
            let has_failed = trying.len() < tried;
            if has_failed || trying.is_empty() || pause.as_mut().poll(cx).is_ready() {
                match left.next() {
                    Some(address) => {
                        trying.push(Box::pin(connect(address)));
                        pause.as_mut().reset(Instant::now().checked_add(NEXT).unwrap_or_else(Instant::now));
                        continue;
                    }
                    None if trying.is_empty() => {
                        let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
                        return Poll::Ready(Err(failed.take().unwrap_or_else(none)));
                    }
                    None => {}
                }
            }
            return Poll::Pending;
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::string::ToString;

    use super::*;

    /// Takes so many milliseconds, and works or does not.
    async fn after((ms, works): (u64, bool)) -> io::Result<u64> {
        sleep(Duration::from_millis(ms)).await;
        if works { Ok(ms) } else { Err(io::Error::new(ErrorKind::ConnectionRefused, ms.to_string())) }
    }

    /// Who answered, or failed last, and when.
    async fn raced(addresses: &[(u64, bool)]) -> (Result<u64, io::Error>, u128) {
        let began = Instant::now();
        let done = first(addresses.to_vec(), after).await;
        (done, began.elapsed().as_millis())
    }

    #[::tokio::test(start_paused = true)]
    async fn the_next_address_does_not_wait_for_one_that_is_slow() {
        let dead = (1_000_000, false);
        for (addresses, who, when) in [
            (&[(10, true), (1, true)][..], 10, 10),
            (&[dead, (10, true)], 10, 260),
            (&[dead, dead, (10, true)], 10, 510),
            // It is slow, and first all the same.
            (&[(300, true), (100, true)], 300, 300),
            // One that has failed is followed at once.
            (&[(10, false), (20, false), (30, true)], 30, 60),
            (&[dead, (10, false), (30, true)], 30, 290),
        ] {
            let (done, ms) = raced(addresses).await;
            assert_eq!((done.unwrap(), ms), (who, when), "{addresses:?}");
        }
    }

    #[::tokio::test(start_paused = true)]
    async fn the_last_failure_is_told() {
        let (done, _) = raced(&[(400, false), (10, false)]).await;
        assert_eq!(done.unwrap_err().to_string(), "400");
        assert_eq!(raced(&[]).await.0.unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn both_families_have_their_turn() {
        let addresses = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect::<Vec<_>>();
        let found = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let turns = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(in_turn(found.into_iter()), turns);
        let found = addresses(&["1.1.1.1:1", "2.2.2.2:1", "[::1]:1"]);
        assert_eq!(in_turn(found.into_iter()), addresses(&["1.1.1.1:1", "[::1]:1", "2.2.2.2:1"]));
    }
}
