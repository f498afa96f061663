//! What TCP is told to do by itself.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use feedrate_io::socket::TcpOptions;
use socket2::SockRef;

fn socket() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    TcpStream::connect(listener.local_addr().unwrap()).unwrap()
}

#[test]
fn a_peer_that_is_gone_is_noticed_by_default() {
    let socket = socket();
    TcpOptions::new().apply(&socket).unwrap();
    let set = SockRef::from(&socket);
    assert!(set.tcp_nodelay().unwrap() && set.keepalive().unwrap());
    #[cfg(target_os = "linux")]
    {
        assert_eq!(set.tcp_keepalive_time().unwrap(), Duration::from_secs(60));
        assert_eq!(set.tcp_keepalive_interval().unwrap(), Duration::from_secs(10));
        assert_eq!(set.tcp_keepalive_retries().unwrap(), 6);
        assert_eq!(set.tcp_user_timeout().unwrap(), Some(Duration::from_secs(120)));
    }
}

#[test]
fn what_is_off_stays_as_the_system_has_it() {
    let socket = socket();
    let options = TcpOptions::new().nodelay(false).no_keepalive().user_timeout(None);
    options.apply(&socket).unwrap();
    let set = SockRef::from(&socket);
    assert!(!set.tcp_nodelay().unwrap() && !set.keepalive().unwrap());
    let second = Duration::from_secs(1);
    options.keepalive(second * 7, second * 3, 4).user_timeout(second * 30).apply(&socket).unwrap();
    assert!(set.keepalive().unwrap());
    let large = set.send_buffer_size().unwrap();
    options.send_buffer(4096).apply(&socket).unwrap();
    assert!(set.send_buffer_size().unwrap() < large.min(20_000), "{large} bytes before");
    #[cfg(target_os = "linux")]
    {
        assert_eq!(set.tcp_keepalive_time().unwrap(), second * 7);
        assert_eq!(set.tcp_user_timeout().unwrap(), Some(second * 30));
    }
}

#[cfg(unix)]
#[test]
fn a_socket_that_is_not_tcps_is_refused() {
    let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    assert!(TcpOptions::new().apply(&socket).is_err());
}
