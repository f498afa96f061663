//! Frames, made and read by the definition in RFC 6455, section 5.2, and not by the code that they test.

use feedrate_ws::Role;

/// The last frame of a message, or its only one.
pub const FIN: u8 = 0x80;
/// A compressed message's first frame.
pub const RSV1: u8 = 0x40;
/// Opcode.
pub const MORE: u8 = 0;
/// Opcode.
pub const TEXT: u8 = 1;
/// Opcode.
pub const BINARY: u8 = 2;
/// Opcode.
pub const CLOSE: u8 = 8;
/// Opcode.
pub const PING: u8 = 9;
/// Opcode.
pub const PONG: u8 = 10;

/// The side that this one talks to.
pub fn peer(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}

/// What one side sends.
#[derive(Debug, Clone)]
pub struct Wire {
    from: Role,
    masks: bool,
    bytes: Vec<u8>,
    key: [u8; 4],
    bad: Option<usize>,
}

impl Wire {
    /// Nothing yet. A client's frames are masked, each with a key of its own.
    pub fn new(from: Role) -> Self {
        let masks = from == Role::Client;
        Self { from, masks, bytes: Vec::new(), key: [0x37, 0xfa, 0x21, 0x3d], bad: None }
    }

    /// Whose.
    pub fn from(&self) -> Role {
        self.from
    }

    /// Masks what must not be masked, and the other way round.
    #[must_use]
    pub fn masked_wrongly(mut self) -> Self {
        self.masks = !self.masks;
        self
    }

    /// The frame that comes next breaks a rule.
    #[must_use]
    pub fn bad(mut self) -> Self {
        self.bad = Some(self.bytes.len());
        self
    }

    /// Where the frame begins that breaks a rule.
    pub fn bad_at(&self) -> Option<usize> {
        self.bad
    }

    /// A frame: its first byte, a length in the fewest bytes, the payload.
    #[must_use]
    pub fn frame(self, first: u8, payload: impl AsRef<[u8]>) -> Self {
        let payload = payload.as_ref();
        self.head(first, payload.len() as u64).masked(payload)
    }

    /// A header whose payload does not come.
    #[must_use]
    pub fn head(self, first: u8, length: u64) -> Self {
        let (short, long) = match length {
            0..126 => (length as u8, Vec::new()),
            126..0x1_0000 => (126, (length as u16).to_be_bytes().to_vec()),
            _ => (127, length.to_be_bytes().to_vec()),
        };
        self.lengths(first, short, &long)
    }

    /// A header whose length is written like this.
    #[must_use]
    pub fn lengths(mut self, first: u8, short: u8, long: &[u8]) -> Self {
        self.bytes.extend([first, short | if self.masks { 0x80 } else { 0 }]);
        self.bytes.extend_from_slice(long);
        if self.masks {
            self.key = self.key.map(|byte| byte.wrapping_mul(5).wrapping_add(0x3b));
            self.bytes.extend_from_slice(&self.key);
        }
        self
    }

    /// The payload of the header before it, or its beginning.
    #[must_use]
    pub fn masked(mut self, payload: &[u8]) -> Self {
        let key = if self.masks { self.key } else { [0; 4] };
        self.bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        self
    }

    /// These bytes, as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A text message.
    #[must_use]
    pub fn text(self, text: impl AsRef<[u8]>) -> Self {
        self.frame(FIN | TEXT, text)
    }

    /// A binary message.
    #[must_use]
    pub fn binary(self, bytes: impl AsRef<[u8]>) -> Self {
        self.frame(FIN | BINARY, bytes)
    }

    /// A ping.
    #[must_use]
    pub fn ping(self, payload: impl AsRef<[u8]>) -> Self {
        self.frame(FIN | PING, payload)
    }

    /// A pong.
    #[must_use]
    pub fn pong(self, payload: impl AsRef<[u8]>) -> Self {
        self.frame(FIN | PONG, payload)
    }

    /// A close frame with a code.
    #[must_use]
    pub fn close(self, code: u16, reason: impl AsRef<[u8]>) -> Self {
        let payload = [&code.to_be_bytes(), reason.as_ref()].concat();
        self.frame(FIN | CLOSE, payload)
    }

    /// A message in frames, each with one of `parts`.
    #[must_use]
    pub fn parts(mut self, first: u8, parts: &[&[u8]]) -> Self {
        for (i, part) in parts.iter().enumerate() {
            let fin = if i + 1 == parts.len() { FIN } else { 0 };
            self = self.frame(fin | if i == 0 { first } else { MORE }, part);
        }
        self
    }

    /// All of it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A frame as it was read.
pub type Frame = (u8, Vec<u8>);

/// Reads what `from` has written, and is strict: its mask, its lengths, its reserved bits save RSV1.
pub fn frames(from: Role, mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (frame, rest) = frame(from, bytes).expect("a frame that is not whole");
        frames.push(frame);
        bytes = rest;
    }
    frames
}

/// The first frame of `bytes`, and what is behind it. `None`: it is not whole.
pub fn frame(from: Role, bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    assert_eq!(first & 0x30, 0, "reserved bits in {first:#x}");
    assert_eq!(second & 0x80 != 0, from == Role::Client, "mask");
    let (length, rest) = match second & 0x7f {
        126 => {
            let (length, rest) = rest.split_first_chunk()?;
            let length = u16::from_be_bytes(*length).into();
            assert!(length > 125, "{length} in 16 bits");
            (length, rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk()?;
            let length = u64::from_be_bytes(*length);
            assert!(length > 0xffff && length >> 63 == 0, "{length} in 64 bits");
            (length as usize, rest)
        }
        short => (short.into(), rest),
    };
    assert!(first & 8 == 0 || (length < 126 && first & FIN != 0), "a long or cut control frame");
    let (key, rest) = if from == Role::Client {
        let (key, rest) = rest.split_first_chunk::<4>()?;
        (*key, rest)
    } else {
        ([0; 4], rest)
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    let payload = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Some(((first, payload), rest))
}

/// `bytes` as DEFLATE has them uncompressed (RFC 1951, section 3.2.4), with the end that RFC 7692 demands of a message.
pub fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for block in bytes.chunks(65_535) {
        let length = block.len() as u16;
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.push(0);
    out
}
