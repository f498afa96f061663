//! Serial ports: raw, exclusive, and with little in the driver's queue. Pseudo terminals stand for them.
#![cfg(unix)]

mod pty;

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use feedrate_io::serial::Port;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Every byte there is, control characters, line ends, XON and XOFF among them.
fn bytes() -> Vec<u8> {
    (0..=255).chain((0..=255).rev()).collect()
}

#[tokio::test]
async fn every_byte_passes_as_it_is() {
    let (mut end, path) = pty::port();
    let mut port = Port::open(path, 115_200).unwrap();
    port.write_all(&bytes()).await.unwrap();
    port.shutdown().await.unwrap();
    let mut there = vec![0; 512];
    end.read_exact(&mut there).unwrap();
    assert_eq!(there, bytes());

    end.write_all(&bytes()).unwrap();
    let mut there = vec![0; 512];
    timeout(Duration::from_secs(5), port.read_exact(&mut there)).await.expect("not held back").unwrap();
    assert_eq!(there, bytes());
}

#[tokio::test]
async fn nobody_else_has_it() {
    let (_end, path) = pty::port();
    let port = Port::open(&path, 9600).unwrap();
    assert_eq!(Port::open(&path, 9600).unwrap_err().kind(), ErrorKind::ResourceBusy);
    drop(port);
    drop(Port::open(&path, 9600).unwrap());
    assert_eq!(Port::open("/nonexistent", 9600).unwrap_err().kind(), ErrorKind::NotFound);
}

/// A peer that is unplugged is noticed.
#[tokio::test]
async fn an_end_that_is_gone() {
    let (end, path) = pty::port();
    let mut port = Port::open(path, 115_200).unwrap();
    drop(end);
    let read = timeout(Duration::from_secs(5), port.read(&mut [0; 9])).await.expect("noticed");
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

/// What the line has not had the time for has not been given to the driver.
#[tokio::test]
async fn little_waits_in_the_driver() {
    let (_end, path) = pty::port();
    // 1152 bytes take a tenth of a second.
    let mut port = Port::open(path, 115_200).unwrap();
    let began = Instant::now();
    let mut written = 0;
    while written < 1152 {
        written += port.write(&[0; 1152][written..]).await.unwrap();
        let ahead = (written as f64 / 11_520.0) - began.elapsed().as_secs_f64();
        assert!(ahead < 0.0095, "{written} bytes are {ahead} s ahead");
    }
    let whole = began.elapsed();
    assert!((0.08..1.0).contains(&whole.as_secs_f64()), "{whole:?}");
}
