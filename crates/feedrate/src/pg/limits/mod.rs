//! Limits on declared lengths: those of each direction, by kinds of messages.

pub(crate) mod backend;
pub(crate) mod frontend;

/// The kind of a message in one direction, on which its limit depends: `C` is [`backend::Class`] or
/// [`frontend::Class`].
pub(crate) trait Sent<C> {
    const CLASS: C;
}

/// The limits of one direction: [`BackendLimits`](super::BackendLimits) or [`FrontendLimits`](super::FrontendLimits).
/// CopyData is sent in both.
pub trait Limits: sealed::Limits {}

pub(crate) mod sealed {
    pub trait Limits {
        fn copy_data(&self) -> u32;
    }
}

/// A message that is written under other limits than the default ones: what `within` of
/// [`backend::Message`](super::backend::Message::within) and [`frontend::Message`](super::frontend::Message::within)
/// returns.
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is written before `encode`"]
pub struct Within<'m, M> {
    pub(crate) message: &'m M,
    pub(crate) limit: u32,
}
