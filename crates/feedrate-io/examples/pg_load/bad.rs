//! Malicious clients, of four kinds. When one is dropped, the next comes a few seconds later.

use std::time::Duration;

use feedrate::Encode;
use feedrate::pg::frontend::Query;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::sleep;

use crate::client::{Result, startup};

pub(crate) async fn run(address: &str, clients: &str) -> Result<()> {
    let address = address.parse()?;
    for number in 0..clients.parse::<u64>()? {
        tokio::spawn(async move {
            loop {
                // Which is what they are for: their errors are nobody's business.
                let _ = come(address, number).await;
                sleep(Duration::from_millis(2000 + number % 97 * 20)).await;
            }
        });
        // Not all at once: the kernel's queue is not what is tested.
        if number % 10 == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    }
    std::future::pending().await
}

async fn come(address: std::net::SocketAddr, number: u64) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    // The kernel's buffers are not what is tested either.
    socket.set_recv_buffer_size(4096)?;
    let mut socket = socket.connect(address).await?;
    socket.set_nodelay(true)?;
    match number % 4 {
        0 => byte_by_byte(&mut socket).await,
        1 => reads_nothing(&mut socket).await,
        2 => garbage(&mut socket, number).await,
        _ => says_nothing(&mut socket).await,
    }
}

fn bytes(message: &impl Encode) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    message.encode(&mut out)?;
    Ok(out)
}

/// All of it is right, and takes its time: also the login, which is too late now and then.
async fn byte_by_byte(socket: &mut TcpStream) -> Result<()> {
    let mut all = bytes(&startup())?;
    let query = bytes(&Query { sql: "1".into() })?;
    loop {
        for byte in all {
            socket.write_all(&[byte]).await?;
            sleep(Duration::from_millis(200)).await;
        }
        all = query.clone();
    }
}

/// It asks for more than is on the way to it, again and again. Not in a flood: that a server of two cores is busy with
/// whatever keeps it busy is no news.
async fn reads_nothing(socket: &mut TcpStream) -> Result<()> {
    socket.write_all(&bytes(&startup())?).await?;
    let query = bytes(&Query { sql: "1000".into() })?;
    loop {
        socket.write_all(&query).await?;
        sleep(Duration::from_secs(3)).await;
    }
}

/// Every other time after the login.
async fn garbage(socket: &mut TcpStream, number: u64) -> Result<()> {
    if number % 8 == 2 {
        socket.write_all(&bytes(&startup())?).await?;
        socket.read_exact(&mut [0; 15]).await?;
    }
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 32) as u8
    })
    .take(2000)
    .collect();
    socket.write_all(&noise).await?;
    says_nothing(socket).await
}

async fn says_nothing(socket: &mut TcpStream) -> Result<()> {
    while socket.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}
