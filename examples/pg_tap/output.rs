//! Files and standard output, which may be slower than the connections, or closed.
//!
//! Each has a thread that writes, so that lines of two connections never mix, and a slow disk or terminal does not hold
//! up the threads that serve connections. When much waits to be written, connections wait with their messages. But not
//! for ever: where nothing has been taken for [`PATIENCE`], what comes is lost until there is room again. A proxy whose
//! terminal is stopped with Ctrl-S should not stop the database.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

/// How many batches of lines wait to be written. A batch is what one read of 64 KiB has brought.
const ROOM: usize = 64;
/// How long a connection waits for room.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Output {
    batches: Sender<Batch>,
    /// Nobody waits for room.
    stuck: AtomicBool,
    lost: AtomicU64,
}

enum Batch {
    Bytes(Vec<u8>),
    /// All before it has been written.
    Flush(SyncSender<()>),
}

impl Output {
    /// `failed` is called with the first error of writing. What comes after it is dropped.
    pub(crate) fn new(
        to: impl Write + Send + 'static,
        failed: impl FnOnce(io::Error) + Send + 'static,
    ) -> Result<Self, String> {
        let (batches, queue) = channel(ROOM);
        let writes = thread::Builder::new().name("output".into());
        writes.spawn(move || write(queue, to, failed)).map_err(|error| error.to_string())?;
        Ok(Self { batches, stuck: AtomicBool::new(false), lost: AtomicU64::new(0) })
    }

    /// Hands these bytes to the thread. They are lost if it has taken nothing for too long.
    pub(crate) async fn put(&self, bytes: Vec<u8>) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        if self.stuck.load(Relaxed) {
            return self.put_now(bytes);
        }
        // The thread ends with this alone.
        if timeout(PATIENCE, self.batches.send(Batch::Bytes(bytes))).await.is_err() {
            self.stuck.store(true, Relaxed);
            self.lost.fetch_add(length as u64, Relaxed);
        }
    }

    /// As [`put`](Self::put), and waits for nothing.
    pub(crate) fn put_now(&self, bytes: Vec<u8>) {
        let length = bytes.len();
        if length == 0 {
            return;
        }
        let is_there_room = self.batches.try_send(Batch::Bytes(bytes)).is_ok();
        if !is_there_room {
            self.lost.fetch_add(length as u64, Relaxed);
        }
        self.stuck.store(!is_there_room, Relaxed);
    }

    /// Bytes that were lost because nobody took them.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// Waits until all has been written, but not for ever.
    pub(crate) fn finish(&self) {
        let (done, wait) = mpsc::sync_channel(1);
        if self.batches.try_send(Batch::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(PATIENCE);
        }
    }
}

fn write(mut queue: Receiver<Batch>, mut to: impl Write, failed: impl FnOnce(io::Error)) {
    let mut failed = Some(failed);
    while let Some(batch) = queue.blocking_recv() {
        match batch {
            Batch::Bytes(bytes) if failed.is_some() => {
                if let Err(error) = to.write_all(&bytes).and_then(|()| to.flush()) {
                    if let Some(failed) = failed.take() {
                        failed(error);
                    }
                }
            }
            Batch::Bytes(_) => {}
            Batch::Flush(done) => drop(done.try_send(())),
        }
    }
}
