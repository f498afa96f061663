//! The server: a room, and those who are in it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use feedrate_examples::ws as sockets;
use feedrate_io::ws::tls::{ServerTls, accept};
use feedrate_io::ws::{CloseCode, Config, Error, Message};
use tokio::net::TcpStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};

/// How many lines may wait for a member that reads slowly, and how many of those before one that comes is told.
const KEPT: usize = 1024;

/// Everybody is in it.
struct Room {
    last: Mutex<VecDeque<Arc<str>>>,
    news: Sender<Arc<str>>,
}

impl Room {
    /// What was said last, and whatever is said from now on: nothing between the two is missing.
    fn enter(&self) -> (Vec<Arc<str>>, Receiver<Arc<str>>) {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        (last.iter().cloned().collect(), self.news.subscribe())
    }

    fn say(&self, line: &str) {
        let line = Arc::<str>::from(line);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(Arc::clone(&line));
        // It fails where nobody is here.
        let _ = self.news.send(line);
    }
}

/// Until the member leaves.
async fn member(
    socket: TcpStream,
    room: &Room,
    config: &Config,
    tls: Option<&ServerTls>,
) -> Result<(), Error> {
    let (mut reader, writer) = accept(socket, config, tls).await?.split();
    let (last, mut news) = room.enter();
    let hear = async {
        while let Some(message) = reader.next().await? {
            if let Message::Text(text) = message {
                room.say(text.as_str());
            }
        }
        Ok(())
    };
    // While the member takes nothing this waits, and what is said meanwhile is kept for it as far as there is room.
    // Beyond that it has to leave, and may come back.
    let tell = async {
        for line in last {
            writer.send(&*line).await?;
        }
        loop {
            match news.recv().await {
                Ok(line) => writer.send(&*line).await?,
                Err(RecvError::Lagged(missed)) => {
                    let why = format!("too slow: {missed} lines missed");
                    writer.start_close(CloseCode::TRY_AGAIN, &why);
                    return writer.flush().await;
                }
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    };
    tokio::pin!(hear);
    tokio::select! {
        heard = &mut hear => heard,
        told = tell => match told {
            // One of the two has said goodbye.
            Ok(()) | Err(Error::Send(_)) => hear.await,
            told => told,
        },
    }
}

pub(crate) async fn serve(
    listen: &str,
    config: Config,
    tls: Option<ServerTls>,
    connections: usize,
) -> io::Result<()> {
    let room = Room { last: Mutex::default(), news: channel(KEPT).0 };
    let shared = Arc::new((room, config, tls));
    let connection = |socket| {
        let shared = Arc::clone(&shared);
        async move {
            let (room, config, tls) = &*shared;
            member(socket, room, config, tls.as_ref()).await
        }
    };
    sockets::serve("ws_chat", listen, connections, connection).await
}
