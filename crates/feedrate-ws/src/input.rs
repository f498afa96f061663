//! The caller's slice, which is the cursor.

use crate::inbound::BLOCK;
use crate::mask;

/// The bytes that [`Receiver::feed`](crate::Receiver::feed) takes: `&mut [u8]` is unmasked where it lies, and a message that is whole in it is lent from there. From
/// `&[u8]` a masked message is copied, and unmasked on the way.
pub trait Input<'i>: Sealed<'i> {}

impl<'i> Input<'i> for &'i mut [u8] {}
impl<'i> Input<'i> for &'i [u8] {}

pub trait Sealed<'i>: Sized {
    /// Whether the bytes can be unmasked where they lie.
    const MUTABLE: bool;

    fn bytes(&self) -> &[u8];

    /// Takes `n` bytes off the front, or as many as there are.
    fn take(&mut self, n: usize) -> Self;

    /// Unmasks them, if they are mutable, and lends them.
    fn lend(self, key: Option<[u8; 4]>) -> &'i [u8];

    /// The same in blocks that stay in the cache while `check` looks at them.
    fn lend_checked<E>(
        self,
        key: Option<[u8; 4]>,
        check: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<&'i [u8], E>;
}

impl<'i> Sealed<'i> for &'i mut [u8] {
    const MUTABLE: bool = true;

    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline]
    fn take(&mut self, n: usize) -> Self {
        let all = core::mem::take(self);
        let n = n.min(all.len());
        let (taken, rest) = all.split_at_mut_checked(n).unwrap_or_default();
        *self = rest;
        taken
    }

    #[inline]
    fn lend(self, key: Option<[u8; 4]>) -> &'i [u8] {
        if let Some(key) = key {
            mask::apply(self, key);
        }
        self
    }

    #[inline]
    fn lend_checked<E>(
        self,
        key: Option<[u8; 4]>,
        mut check: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<&'i [u8], E> {
        for block in self.chunks_mut(BLOCK) {
            if let Some(key) = key {
                // A block is a multiple of the key.
                mask::apply(block, key);
            }
            check(block)?;
        }
        Ok(self)
    }
}

impl<'i> Sealed<'i> for &'i [u8] {
    const MUTABLE: bool = false;

    #[inline]
    fn bytes(&self) -> &[u8] {
        self
    }

    #[inline]
    fn take(&mut self, n: usize) -> Self {
        let (taken, rest) = self.split_at_checked(n).unwrap_or((self, &[]));
        *self = rest;
        taken
    }

    #[inline]
    fn lend(self, _: Option<[u8; 4]>) -> &'i [u8] {
        self
    }

    #[inline]
    fn lend_checked<E>(
        self,
        _: Option<[u8; 4]>,
        mut check: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<&'i [u8], E> {
        check(self)?;
        Ok(self)
    }
}
