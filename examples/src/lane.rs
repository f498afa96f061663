//! The lanes of RDPv3 as a program has them: sockets and serial lines, each read by a thread of its own.
//!
//! The threads and whatever else happens put [`Happening`]s into one channel, and the program's loop takes
//! them out of it one by one. So nothing in the loop blocks but the wait for the next one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
#[cfg(unix)]
use std::os::unix::{fs::FileTypeExt, net::UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::{Duration, Instant};

use feedrate::rdp::packet::Line;
use feedrate_rdp::Millis;
use feedrate_rdp::link::LaneId;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// After how long a peer that takes no bytes is given up. It could not stop the loop for long, so.
const WRITE: Duration = Duration::from_secs(1);

/// What a program's loop waits for.
#[derive(Debug)]
pub enum Happening {
    /// There is a line behind a lane.
    Connected(LaneId, Port),
    /// Bytes arrived on a lane.
    Bytes(LaneId, Vec<u8>),
    /// There is no line behind a lane any more, and this is why.
    Gone(LaneId, String),
    /// A line of standard input.
    Input(String),
    /// The end of standard input.
    EndOfInput,
    /// Somebody pressed Ctrl-C.
    Interrupt,
}

/// Where the other end of a lane is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `tcp:HOST:PORT`: a TCP connection, with stream framing.
    Tcp(String),
    /// `uart:HOST:PORT`: a TCP connection that stands for a serial line (QEMU's `-serial tcp:`).
    Uart(String),
    /// `serial:PATH`: a serial line, a pseudo terminal, or a Unix socket that stands for one (QEMU's
    /// `-serial unix:`).
    Serial(PathBuf),
}

impl Address {
    /// Reads an address. Without anything in front, `HOST:PORT` is TCP.
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

    /// How packets are delimited on a signal lane to there, and how large they may be.
    pub const fn signal(&self) -> Line {
        match self {
            Self::Tcp(_) => Line::TCP,
            Self::Uart(_) | Self::Serial(_) => Line::UART,
        }
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

/// A line behind a lane.
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
        // Elsewhere a serial line is a file too, but how it is set up has to be left to `mode`.
        File::options().read(true).write(true).open(path).map(Self::Terminal)
    }

    /// Another handle of the same line.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            #[cfg(unix)]
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
            Self::Terminal(file) => Self::Terminal(file.try_clone()?),
        })
    }

    /// Hangs up, so that whoever reads it meets its end.
    pub fn hang_up(&self) {
        let _ = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Both),
            #[cfg(unix)]
            Self::Unix(stream) => stream.shutdown(Shutdown::Both),
            Self::Terminal(_) => Ok(()),
        };
    }

    /// Puts what arrives into the channel until the line ends. Answers why it did; `None`: nobody listens to
    /// the channel any more.
    pub fn pass_on(mut self, lane: LaneId, to: &SyncSender<Happening>) -> Option<String> {
        let mut buffer = [0; 4096];
        loop {
            let bytes = match self.read(&mut buffer) {
                Ok(0) => return Some("the other side closed it".into()),
                Ok(length) => buffer[..length].to_vec(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Some(error.to_string()),
            };
            to.send(Happening::Bytes(lane, bytes)).ok()?;
        }
    }

    /// Starts a thread that [passes on](Self::pass_on) what arrives.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn listen(&self, lane: LaneId, to: SyncSender<Happening>) -> io::Result<()> {
        let reader = self.try_clone()?;
        thread::Builder::new().spawn(move || {
            if let Some(why) = reader.pass_on(lane, &to) {
                let _ = to.send(Happening::Gone(lane, why));
            }
        })?;
        Ok(())
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

/// A serial line at 115 200 baud, 8N1, on which every byte is a byte.
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

/// The program's clock, as RDPv3 counts it.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// It is 0 now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start. They wrap.
    pub fn now(&self) -> Millis {
        self.0.elapsed().as_millis() as Millis
    }

    /// How long to wait for a deadline: a millisecond at least, so that one that has passed makes no loop
    /// without a pause.
    pub fn until(&self, deadline: Option<Millis>) -> Duration {
        const LONGEST: Duration = Duration::from_secs(1);
        let Some(deadline) = deadline else { return LONGEST };
        let left = deadline.wrapping_sub(self.now());
        let left = if left > Millis::MAX / 2 { 0 } else { left };
        Duration::from_millis(u64::from(left)).clamp(Duration::from_millis(1), LONGEST)
    }
}

/// Random bytes of the system, for cookies and nonces.
///
/// # Errors
///
/// That there are none.
pub fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| format!("there are no random numbers: {error}"))?;
    Ok(bytes)
}
