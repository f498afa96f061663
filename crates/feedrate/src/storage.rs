//! Where a message that came in pieces is put together. The caller chooses which kind.

use core::cell::Cell;
use core::fmt;

use crate::error::Fault;

/// Memory for the bytes of one unfinished message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a message for a decoder",
    label = "not a `Storage`",
    note = "use `Array<N>`, `Borrowed`, or `Grow`, which needs feedrate's feature `alloc` (or `std`); \
            `heapless::Vec<u8, N>` is one for heapless 0.8, and for 0.9 with the feature `heapless-09`"
)]
pub trait Storage {
    /// The most bytes that can ever be held: the length of the longest message that is accepted whole.
    fn limit(&self) -> usize;

    /// What is held.
    fn held(&self) -> &[u8];

    /// The held bytes, mutable: a protocol may have to unmask or unstuff them in place.
    fn held_mut(&mut self) -> &mut [u8];

    /// Appends all of `bytes`. The decoder never appends past the limit.
    ///
    /// # Errors
    ///
    /// [`Fault::Memory`] if there is no room. Then nothing has been appended.
    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault>;

    /// Makes sure that this many bytes can be appended, within the limit. A storage of fixed size need not do anything.
    ///
    /// # Errors
    ///
    /// [`Fault::Memory`] if there is not enough.
    fn reserve(&mut self, _bytes: usize) -> Result<(), Fault> {
        Ok(())
    }

    /// Drops the first `n` bytes and moves the others to the front.
    fn discard(&mut self, n: usize);

    /// Drops everything after the first `n` bytes.
    fn truncate(&mut self, n: usize);

    /// Drops all bytes. Memory may be kept for the next message.
    fn clear(&mut self);

    /// Called when the decoder is idle: heap memory should be given back.
    fn release(&mut self) {}
}

/// A fixed storage of `N` bytes, inside the decoder: a message may be `N` bytes long.
#[derive(Clone)]
pub struct Array<const N: usize> {
    memory: [u8; N],
    length: usize,
}

impl<const N: usize> Array<N> {
    /// An empty storage.
    ///
    /// ```
    /// use feedrate::{Array, Storage};
    ///
    /// assert_eq!(Array::<512>::new().limit(), 512);
    /// ```
    pub const fn new() -> Self {
        Self { memory: [0; N], length: 0 }
    }
}

impl<const N: usize> Default for Array<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Storage for Array<N> {
    #[inline]
    fn limit(&self) -> usize {
        N
    }

    #[inline]
    fn held(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    #[inline]
    fn held_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(..self.length).unwrap_or_default()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.length = copy(&mut self.memory, self.length, bytes)?;
        Ok(())
    }

    fn discard(&mut self, n: usize) {
        shift_down(self.memory.get_mut(..self.length).unwrap_or_default(), n);
        self.length = self.length.saturating_sub(n);
    }

    fn truncate(&mut self, n: usize) {
        self.length = self.length.min(n);
    }

    fn clear(&mut self) {
        self.length = 0;
    }
}

/// Shows how many bytes are held, not the bytes: they may contain a password.
impl<const N: usize> fmt::Debug for Array<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array").field("held", &self.length).field("limit", &N).finish()
    }
}

macro_rules! heapless_storage {
    ($heapless:ident) => {
        /// Like [`Array`], but slower where messages come in pieces: it appends byte by byte.
        impl<const N: usize> Storage for $heapless::Vec<u8, N> {
            #[inline]
            fn limit(&self) -> usize {
                N
            }

            #[inline]
            fn held(&self) -> &[u8] {
                self
            }

            #[inline]
            fn held_mut(&mut self) -> &mut [u8] {
                self
            }

            fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
                self.extend_from_slice(bytes).map_err(|_| Fault::Memory { needed: bytes.len() })
            }

            fn discard(&mut self, n: usize) {
                shift_down(self, n);
                self.truncate(self.len().saturating_sub(n));
            }

            fn truncate(&mut self, n: usize) {
                Self::truncate(self, n);
            }

            fn clear(&mut self) {
                Self::truncate(self, 0);
            }
        }
    };
}

heapless_storage!(heapless);
#[cfg(feature = "heapless-09")]
heapless_storage!(heapless_09);

/// A fixed storage in memory that the caller owns: a `static` buffer, a pool's page.
pub struct Borrowed<'s> {
    memory: &'s mut [u8],
    length: usize,
}

impl<'s> Borrowed<'s> {
    /// An empty storage as large as `memory`.
    ///
    /// ```
    /// use feedrate::{Borrowed, Storage};
    ///
    /// let mut memory = [0; 512];
    /// assert_eq!(Borrowed::new(&mut memory).limit(), 512);
    /// ```
    pub const fn new(memory: &'s mut [u8]) -> Self {
        Self { memory, length: 0 }
    }
}

impl Storage for Borrowed<'_> {
    #[inline]
    fn limit(&self) -> usize {
        self.memory.len()
    }

    #[inline]
    fn held(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    #[inline]
    fn held_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(..self.length).unwrap_or_default()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.length = copy(self.memory, self.length, bytes)?;
        Ok(())
    }

    fn discard(&mut self, n: usize) {
        let length = self.length;
        shift_down(self.memory.get_mut(..length).unwrap_or_default(), n);
        self.length = length.saturating_sub(n);
    }

    fn truncate(&mut self, n: usize) {
        self.length = self.length.min(n);
    }

    fn clear(&mut self) {
        self.length = 0;
    }
}

impl fmt::Debug for Borrowed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Borrowed").field("held", &self.length).field("limit", &self.memory.len()).finish()
    }
}

/// Copies `bytes` to `at`, if there is room for all of them, and returns where they end.
#[cfg_attr(target_os = "none", inline(never))]
pub(crate) fn copy(memory: &mut [u8], at: usize, bytes: &[u8]) -> Result<usize, Fault> {
    let fault = Fault::Memory { needed: bytes.len() };
    let end = at.checked_add(bytes.len()).ok_or(fault)?;
    let free = memory.get_mut(at..end).ok_or(fault)?;
    // Not `copy_from_slice`: at opt-level "z" its length check is left in, and with it a panic.
    free.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Ok(end)
}

/// `copy_within(n.., 0)`, without its panic.
#[inline(never)]
pub(crate) fn shift_down(bytes: &mut [u8], n: usize) {
    let cells = Cell::from_mut(bytes).as_slice_of_cells();
    for (to, from) in cells.iter().zip(cells.get(n..).unwrap_or_default()) {
        to.set(from.get());
    }
}

/// A storage on the heap. It grows with the bytes that arrive, up to a limit, and never because of a claimed length. It
/// holds no memory while the decoder is idle.
#[cfg(feature = "alloc")]
#[cfg_attr(docsrs, doc(cfg(feature = "alloc")))]
pub struct Grow {
    bytes: alloc::vec::Vec<u8>,
    limit: usize,
}

#[cfg(feature = "alloc")]
impl Grow {
    /// Memory that is kept between messages that came in pieces, until the decoder is idle.
    // Twice the size of a message of 64 KiB with its overhead, because memory grows by doubling.
    const KEPT: usize = 132 * 1024;

    /// An empty storage for messages of up to `limit` bytes.
    ///
    /// ```
    /// use feedrate::{Grow, Storage};
    ///
    /// let mut storage = Grow::new(1 << 20);
    /// assert_eq!(storage.capacity(), 0);
    /// storage.append(b"some bytes")?;
    /// assert!(storage.capacity() < 100);
    /// # Ok::<(), feedrate::Fault>(())
    /// ```
    pub const fn new(limit: usize) -> Self {
        Self { bytes: alloc::vec::Vec::new(), limit }
    }

    /// Bytes of memory taken from the heap at present.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(feature = "alloc")]
impl Storage for Grow {
    #[inline]
    fn limit(&self) -> usize {
        self.limit
    }

    #[inline]
    fn held(&self) -> &[u8] {
        &self.bytes
    }

    #[inline]
    fn held_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.reserve(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn reserve(&mut self, bytes: usize) -> Result<(), Fault> {
        self.bytes.try_reserve(bytes).map_err(|_| Fault::Memory { needed: bytes })
    }

    fn discard(&mut self, n: usize) {
        shift_down(&mut self.bytes, n);
        self.bytes.truncate(self.bytes.len().saturating_sub(n));
    }

    fn truncate(&mut self, n: usize) {
        self.bytes.truncate(n);
    }

    fn clear(&mut self) {
        self.bytes.clear();
        if self.bytes.capacity() > Self::KEPT {
            self.release();
        }
    }

    fn release(&mut self) {
        self.bytes = alloc::vec::Vec::new();
    }
}

#[cfg(feature = "alloc")]
impl fmt::Debug for Grow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grow")
            .field("held", &self.bytes.len())
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
