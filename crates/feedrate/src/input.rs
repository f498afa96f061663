//! Where bytes come from (the caller's slice, which is the cursor, or a [`Buffer`]), and in what form a protocol gets
//! them.

use core::fmt;

use crate::storage::shift_down;

/// What [`Decoder::feed`](crate::Decoder::feed) takes bytes from: `&[u8]`, or `&mut [u8]`. A protocol that has to
/// change its bytes does so in place in the latter; from the former, its frames are copied into the storage first.
pub trait Input<'i>: sealed::Input<'i> {
    /// What has not been taken.
    fn bytes(&self) -> &[u8];

    /// Takes `n` bytes off the front, or as many as there are.
    fn take(&mut self, n: usize) -> Self;

    /// All the bytes, with the caller's lifetime: for a shortcut that bypasses a decoder between two messages.
    fn into_lent(self) -> Lent<'i>;
}

impl<'i> Input<'i> for &'i [u8] {
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline(always)]
    fn take(&mut self, n: usize) -> Self {
        let (taken, rest) = self.split_at_checked(n).unwrap_or((self, &[]));
        *self = rest;
        taken
    }

    #[inline(always)]
    fn into_lent(self) -> Lent<'i> {
        Lent::Shared(self)
    }
}

impl<'i> Input<'i> for &'i mut [u8] {
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline(always)]
    fn take(&mut self, n: usize) -> Self {
        let all = core::mem::take(self);
        let n = n.min(all.len());
        let (taken, rest) = all.split_at_mut_checked(n).unwrap_or_default();
        *self = rest;
        taken
    }

    #[inline(always)]
    fn into_lent(self) -> Lent<'i> {
        Lent::Mutable(self)
    }
}

/// The form in which a protocol gets its frames: [`Protocol::Bytes`](crate::Protocol::Bytes). It is `&'a [u8]` for a
/// protocol that only reads them, `&'a mut [u8]` for one that changes them, [`Lent<'a>`](Lent) for one that changes
/// them if it can.
pub trait Bytes<'a>: sealed::Bytes<'a> + AsRef<[u8]> {}

impl<'a> Bytes<'a> for &'a [u8] {}
impl<'a> Bytes<'a> for &'a mut [u8] {}
impl<'a> Bytes<'a> for Lent<'a> {}

/// Bytes as the input has them, shared or mutable: for a protocol that need not change them in place, because they are
/// copied later anyway.
#[derive(Debug, PartialEq, Eq)]
// Exhaustive: bytes are either shared or mutable.
pub enum Lent<'a> {
    /// They can only be read.
    Shared(&'a [u8]),
    /// They can be changed.
    Mutable(&'a mut [u8]),
}

impl AsRef<[u8]> for Lent<'_> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<'a> Lent<'a> {
    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Mutable(bytes) => bytes,
        }
    }

    /// The bytes, for as long as they are lent.
    #[inline]
    pub fn into_bytes(self) -> &'a [u8] {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Mutable(bytes) => bytes,
        }
    }
}

pub(crate) mod sealed {
    use super::Lent;

    pub trait Input<'i>: Sized {
        /// Whether its bytes can be changed.
        const MUTABLE: bool;

        /// In the form that a protocol wants. `None` if they would have to be changed and cannot be: then they are
        /// copied.
        fn lend<'a, B: Bytes<'a>>(self) -> Option<B>
        where
            'i: 'a;

        fn into_shared(self) -> &'i [u8];
    }

    pub trait Bytes<'a>: Sized {
        /// Whether they can be made from shared bytes.
        const SHARED: bool;

        fn shared(bytes: &'a [u8]) -> Option<Self>;
        fn mutable(bytes: &'a mut [u8]) -> Self;
    }

    impl<'i> Input<'i> for &'i [u8] {
        const MUTABLE: bool = false;

        #[inline(always)]
        fn lend<'a, B: Bytes<'a>>(self) -> Option<B>
        where
            'i: 'a,
        {
            B::shared(self)
        }

        #[inline(always)]
        fn into_shared(self) -> &'i [u8] {
            self
        }
    }

    impl<'i> Input<'i> for &'i mut [u8] {
        const MUTABLE: bool = true;

        #[inline(always)]
        fn lend<'a, B: Bytes<'a>>(self) -> Option<B>
        where
            'i: 'a,
        {
            Some(B::mutable(self))
        }

        #[inline(always)]
        fn into_shared(self) -> &'i [u8] {
            self
        }
    }

    impl<'a> Bytes<'a> for &'a [u8] {
        const SHARED: bool = true;

        #[inline(always)]
        fn shared(bytes: &'a [u8]) -> Option<Self> {
            Some(bytes)
        }

        #[inline(always)]
        fn mutable(bytes: &'a mut [u8]) -> Self {
            bytes
        }
    }

    impl<'a> Bytes<'a> for &'a mut [u8] {
        const SHARED: bool = false;

        #[inline(always)]
        fn shared(_: &'a [u8]) -> Option<Self> {
            None
        }

        #[inline(always)]
        fn mutable(bytes: &'a mut [u8]) -> Self {
            bytes
        }
    }

    impl<'a> Bytes<'a> for Lent<'a> {
        const SHARED: bool = true;

        #[inline(always)]
        fn shared(bytes: &'a [u8]) -> Option<Self> {
            Some(Self::Shared(bytes))
        }

        #[inline(always)]
        fn mutable(bytes: &'a mut [u8]) -> Self {
            Self::Mutable(bytes)
        }
    }
}

/// Memory to read into, which keeps track of what has not been decoded: for a client that pulls its messages
/// ([`Decoder::ready`](crate::Decoder::ready), [`Decoder::take`](crate::Decoder::take)).
///
/// `M` is `[u8; N]`, `Vec<u8>`, `Box<[u8]>` or `&mut [u8]`; its length is the most that one read can return.
///
/// ```
/// use std::io::{self, Read};
///
/// use feedrate::{Array, Buffer, Decoder, Error, Fault, Protocol};
///
/// /// Messages of any protocol, one at a time, from anything that can be read.
/// struct Client<P: Protocol, R> {
///     io: R,
///     decoder: Decoder<P, Array<4096>>,
///     buffer: Buffer<[u8; 4096]>,
/// }
///
/// #[derive(Debug)]
/// enum Failed<E> {
///     Io(io::Error),
///     Protocol(Error<E>),
/// }
///
/// impl<P: Protocol, R: Read> Client<P, R> {
///     fn new(io: R, protocol: P) -> Self {
///         Self { io, decoder: Decoder::new(protocol, Array::new()), buffer: Buffer::new([0; 4096]) }
///     }
///
///     /// `None`: the stream has ended, between two messages.
///     fn next(&mut self) -> Result<Option<P::Message<'_>>, Failed<P::Error>> {
///         let ready = loop {
///             if let Some(ready) = self.decoder.ready(&mut self.buffer).map_err(Failed::Protocol)? {
///                 break ready;
///             }
///             let n = self.io.read(self.buffer.space()).map_err(Failed::Io)?;
///             if n == 0 {
///                 self.decoder.end().map_err(Failed::Protocol)?;
///                 return Ok(None);
///             }
///             self.buffer.filled(n);
///         };
///         // The borrow comes last, or this does not compile.
///         self.decoder.take(ready, &mut self.buffer).map(Some).map_err(Failed::Protocol)
///     }
/// }
///
/// // A protocol that only reads its bytes:
/// # use feedrate::Extent;
/// struct Lines;
/// # impl Protocol for Lines {
/// #     type Bytes<'a> = &'a [u8];
/// #     type Message<'a> = &'a [u8];
/// #     type Error = Fault;
/// #     fn extent(&self, _: &[u8]) -> Result<Extent, Fault> { Ok(Extent::Until(b"\n")) }
/// #     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Fault> { Ok(frame) }
/// # }
/// let mut client = Client::new(&b"one\ntwo\n"[..], Lines);
/// assert_eq!(client.next().unwrap(), Some(&b"one\n"[..]));
/// assert_eq!(client.next().unwrap(), Some(&b"two\n"[..]));
/// assert_eq!(client.next().unwrap(), None);
///
/// // And one that changes its bytes, in the buffer:
/// struct Shouted;
/// # impl Protocol for Shouted {
/// #     type Bytes<'a> = &'a mut [u8];
/// #     type Message<'a> = &'a [u8];
/// #     type Error = Fault;
/// #     fn extent(&self, _: &[u8]) -> Result<Extent, Fault> { Ok(Extent::Until(b"\n")) }
/// #     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Fault> {
/// #         frame.make_ascii_uppercase();
/// #         Ok(frame)
/// #     }
/// # }
/// let mut client = Client::new(&b"one\ntwo\n"[..], Shouted);
/// assert_eq!(client.next().unwrap(), Some(&b"ONE\n"[..]));
/// ```
#[derive(Clone)]
pub struct Buffer<M> {
    memory: M,
    /// What has been read and not decoded.
    start: usize,
    end: usize,
}

impl<M> Buffer<M> {
    /// Nothing has been read yet.
    pub const fn new(memory: M) -> Self {
        Self { memory, start: 0, end: 0 }
    }
}

impl<M: AsRef<[u8]> + AsMut<[u8]>> Buffer<M> {
    /// What has been read and not decoded. After an upgrade, these are the first bytes of the new protocol.
    #[inline]
    pub fn unread(&self) -> &[u8] {
        self.memory.as_ref().get(self.start..self.end).unwrap_or_default()
    }

    /// The same, to be changed where it lies: for endpoints that have no [`Decoder`](crate::Decoder).
    pub fn unread_mut(&mut self) -> &mut [u8] {
        self.memory.as_mut().get_mut(self.start..self.end).unwrap_or_default()
    }

    /// Where to read to. All of the memory whenever [`Decoder::ready`](crate::Decoder::ready) has returned `None`, so
    /// that it is empty only if the memory is.
    pub fn space(&mut self) -> &mut [u8] {
        let memory = self.memory.as_mut();
        if self.start > 0 {
            // Move unread bytes to the front. In a loop that decodes before it reads there are none.
            let unread = self.end.saturating_sub(self.start);
            if unread > 0 {
                shift_down(memory.get_mut(..self.end).unwrap_or_default(), self.start);
            }
            (self.start, self.end) = (0, unread);
        }
        memory.get_mut(self.end..).unwrap_or_default()
    }

    /// Reports that `n` bytes have been read into [`space`](Self::space).
    pub fn filled(&mut self, n: usize) {
        self.end = self.end.saturating_add(n).min(self.memory.as_ref().len());
    }

    /// Where the unread bytes begin. It identifies a message that is ready.
    #[inline]
    pub(crate) const fn start(&self) -> usize {
        self.start
    }

    /// Takes `n` unread bytes off the front, or as many as there are.
    ///
    /// ```
    /// use feedrate::Buffer;
    ///
    /// let mut buffer = Buffer::new([0; 8]);
    /// buffer.space()[..5].copy_from_slice(b"hello");
    /// buffer.filled(5);
    /// assert_eq!(buffer.consume(4), b"hell");
    /// assert_eq!(buffer.unread(), b"o");
    /// ```
    #[inline]
    pub fn consume(&mut self, n: usize) -> &mut [u8] {
        let unread = self.memory.as_mut().get_mut(self.start..self.end).unwrap_or_default();
        let n = n.min(unread.len());
        self.start = self.start.wrapping_add(n);
        unread.get_mut(..n).unwrap_or_default()
    }

    /// The memory, and what is unread in it.
    pub fn into_parts(self) -> (M, core::ops::Range<usize>) {
        (self.memory, self.start..self.end)
    }
}

/// Shows how many bytes are unread, not the bytes: they may contain a password.
impl<M> fmt::Debug for Buffer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("unread", &self.end.saturating_sub(self.start)).finish_non_exhaustive()
    }
}
