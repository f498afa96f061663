//! The lines that RDPv3 runs on: sockets and serial lines.
//!
//! One thread reads each line and another one writes it. These threads, and all other sources of events, put
//! [`Happening`]s into one channel, from which the program's loop takes them one by one. So the loop blocks only while
//! it waits for the next one: neither a silent peer nor one that accepts no bytes can block it.
//!
//! A reader hands over one piece, and continues when the loop has [taken](Connection::taken) all of it. So data for
//! which the protocol has no room yet waits at the sender.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::{fs::FileTypeExt, net::UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use feedrate::Instant;

/// Roughly how many bytes the system buffers for sending.
#[cfg(unix)]
const SEND_BUFFER: usize = 16 * 1024;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a peer may accept no bytes before it is given up.
const WRITE: Duration = Duration::from_secs(5);

/// What a program's loop waits for.
#[derive(Debug)]
pub enum Happening {
    /// The listener with this number has accepted a connection. The loop keeps the port, or drops it, which closes it.
    Came(usize, Port),
    /// Bytes have arrived on the connection with this number. It continues to read when they have been
    /// [taken](Connection::taken).
    Bytes(u64, Vec<u8>),
    /// The bytes for this connection have been written.
    Written(u64),
    /// The connection with this number has ended, for this reason.
    Gone(u64, String),
    /// A line of standard input.
    Input(String),
    /// The end of standard input.
    EndOfInput,
    /// Somebody pressed Ctrl-C.
    Interrupt,
}

/// Accepts a listener's connections, and passes them on.
pub fn accept(listener: TcpListener, number: usize, to: Sender<Happening>) {
    thread::spawn(move || {
        loop {
            match listener.accept().and_then(|(stream, _)| Port::tcp(stream)) {
                Ok(port) => {
                    if to.send(Happening::Came(number, port)).is_err() {
                        return;
                    }
                }
                // The client has left already, or there are too many open files: both pass.
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    });
}

/// Passes on the lines of standard input.
pub fn read_input(to: Sender<Happening>) {
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if to.send(Happening::Input(line)).is_err() {
                return;
            }
        }
        let _ = to.send(Happening::EndOfInput);
    });
}

/// A line with its two threads. Dropping it closes it, once pending bytes have been written.
#[derive(Debug)]
pub struct Connection {
    number: u64,
    input: Vec<u8>,
    writing: bool,
    to_writer: SyncSender<Vec<u8>>,
    to_reader: SyncSender<()>,
}

impl Connection {
    /// Begins to read. `number` must be unique among the program's connections.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn new(number: u64, port: Port, to: &Sender<Happening>) -> io::Result<Self> {
        let (to_writer, chunks) = sync_channel(1);
        let (to_reader, more) = sync_channel(1);
        let reader = port.try_clone()?;
        let (to_loop, from_writer) = (to.clone(), to.clone());
        thread::Builder::new().spawn(move || read(reader, number, &more, &to_loop))?;
        thread::Builder::new().spawn(move || write(port, number, &chunks, &from_writer))?;
        Ok(Self { number, input: Vec::new(), writing: false, to_writer, to_reader })
    }

    /// The number that happenings name.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// What has arrived and has not been taken.
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// Call this for [`Happening::Bytes`].
    pub fn arrived(&mut self, bytes: Vec<u8>) {
        self.input = bytes;
    }

    /// Reports that the last `left` bytes of [`input`](Self::input) are left. If there are none, the reader continues.
    pub fn taken(&mut self, left: usize) {
        if self.input.is_empty() {
            return;
        }
        self.input.drain(..self.input.len().saturating_sub(left));
        if self.input.is_empty() {
            let _ = self.to_reader.try_send(());
        }
    }

    /// Whether it accepts bytes now.
    pub const fn is_free(&self) -> bool {
        !self.writing
    }

    /// Writes, if it [is free](Self::is_free). [`Happening::Written`] follows.
    pub fn write(&mut self, bytes: Vec<u8>) {
        self.writing = self.to_writer.try_send(bytes).is_ok();
    }

    /// Call this for [`Happening::Written`]: it is free again.
    pub fn written(&mut self) {
        self.writing = false;
    }
}

fn read(mut port: Port, number: u64, more: &Receiver<()>, to: &Sender<Happening>) {
    let mut buffer = [0; 4096];
    let why = loop {
        match port.read(&mut buffer) {
            Ok(0) => break "the other side closed it".to_owned(),
            Ok(length) if to.send(Happening::Bytes(number, buffer[..length].to_vec())).is_err() => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => break error.to_string(),
        }
        // Wait until the loop has taken what has arrived.
        if more.recv().is_err() {
            return;
        }
    };
    let _ = to.send(Happening::Gone(number, why));
}

fn write(mut port: Port, number: u64, chunks: &Receiver<Vec<u8>>, to: &Sender<Happening>) {
    for chunk in chunks {
        if port.write_all(&chunk).is_err() || to.send(Happening::Written(number)).is_err() {
            break;
        }
    }
    // Makes the reader end, too.
    port.hang_up();
}

/// Where the other end of a lane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `tcp:HOST:PORT`: a TCP connection, a byte stream.
    Tcp(String),
    /// `uart:HOST:PORT`: a TCP connection that stands for a serial line (QEMU's `-serial tcp:`).
    Uart(String),
    /// `serial:PATH`: a serial line, a pseudo terminal, or a Unix socket that stands for one (QEMU's
    /// `-serial unix:`).
    Serial(PathBuf),
}

impl Address {
    /// Reads an address. `HOST:PORT` without a prefix is TCP.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected tcp:HOST:PORT, uart:HOST:PORT or serial:PATH";
        let socket = |address: &str| match address.rsplit_once(':').map(|(_, port)| port.parse::<u16>()) {
            Some(Ok(_)) => Ok(address.to_owned()),
            _ => Err(format!("{text:?} is no address: {expected}")),
        };
        match text.split_once(':') {
            Some(("tcp", address)) => socket(address).map(Self::Tcp),
            Some(("uart", address)) => socket(address).map(Self::Uart),
            Some(("serial", path)) if !path.is_empty() => Ok(Self::Serial(path.into())),
            _ => socket(text).map(Self::Tcp),
        }
    }

    /// Whether it is a byte stream, not a serial line.
    pub const fn is_stream(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// Why it could not.
    pub fn connect(&self) -> Result<Port, String> {
        match self {
            Self::Tcp(address) | Self::Uart(address) => {
                Port::connect(address).map_err(|error| format!("cannot connect to {address}: {error}"))
            }
            Self::Serial(path) => {
                Port::open(path).map_err(|error| format!("cannot open {}: {error}", path.display()))
            }
        }
    }
}

/// A socket or a serial line.
#[derive(Debug)]
pub enum Port {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// A terminal.
    Terminal(File),
}

impl Port {
    /// A TCP connection, set up for small packets.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        // Nothing can overtake bytes that the system has buffered, not even a Halt (SPEC section 5.1).
        #[cfg(unix)]
        nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::SndBuf, &SEND_BUFFER)?;
        stream.set_write_timeout(Some(WRITE))?;
        Ok(Self::Tcp(stream))
    }

    fn connect(address: &str) -> io::Result<Self> {
        let mut failure = io::Error::other("there is no such host");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(stream) => return Self::tcp(stream),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    #[cfg(unix)]
    fn open(path: &Path) -> io::Result<Self> {
        let kind = std::fs::metadata(path)?.file_type();
        if kind.is_socket() {
            let stream = UnixStream::connect(path)?;
            stream.set_write_timeout(Some(WRITE))?;
            Ok(Self::Unix(stream))
        } else if kind.is_char_device() {
            terminal(path).map(Self::Terminal)
        } else {
            Err(io::Error::other("it is neither a serial line nor a socket"))
        }
    }

    #[cfg(not(unix))]
    fn open(path: &Path) -> io::Result<Self> {
        // On Windows a serial line is a file too, but has to be set up with `mode`.
        File::options().read(true).write(true).open(path).map(Self::Terminal)
    }

    /// Another handle of the same line.
    fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            #[cfg(unix)]
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Terminal(file) => Self::Terminal(file.try_clone()?),
        })
    }

    /// Hangs up, so that its reader ends.
    fn hang_up(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Terminal(_) => Ok(()),
        };
    }
}

impl Read for Port {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(into),
            Self::Terminal(file) => file.read(into),
        }
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(bytes),
            Self::Terminal(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A serial line at 115 200 baud, 8N1, in raw mode.
#[cfg(unix)]
fn terminal(path: &Path) -> io::Result<File> {
    use nix::sys::termios::{BaudRate, ControlFlags, SetArg, cfmakeraw, cfsetspeed, tcgetattr, tcsetattr};
    use std::os::unix::fs::OpenOptionsExt;

    let file = File::options().read(true).write(true).custom_flags(nix::libc::O_NOCTTY).open(path)?;
    let mut settings = tcgetattr(&file)?;
    cfmakeraw(&mut settings);
    cfsetspeed(&mut settings, BaudRate::B115200)?;
    settings.control_flags.insert(ControlFlags::CLOCAL | ControlFlags::CREAD);
    tcsetattr(&file, SetArg::TCSANOW, &settings)?;
    Ok(file)
}

/// The program's clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock(std::time::Instant);

impl Clock {
    /// It is 0 now.
    #[must_use]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Time since the start.
    pub fn now(&self) -> Instant {
        self.0.elapsed().into()
    }

    /// How long to wait for a deadline: at least a millisecond, so that a passed deadline does not cause a busy loop.
    pub fn until(&self, deadline: Option<Instant>) -> Duration {
        const LONGEST: Duration = Duration::from_secs(1);
        let left = deadline.map_or(LONGEST, |deadline| deadline - self.now());
        left.clamp(Duration::from_millis(1), LONGEST)
    }
}

/// Random bytes from the system, for cookies and nonces.
///
/// # Errors
///
/// If there are none.
pub fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("there are no random numbers: {error}"))?;
    Ok(bytes)
}
