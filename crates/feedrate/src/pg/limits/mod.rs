//! Limits on declared lengths, for each direction and kind of message.

pub(crate) mod backend;
pub(crate) mod frontend;

/// The class of a message in one direction, which determines its limit: `C` is [`backend::Class`] or
/// [`frontend::Class`].
pub(crate) trait Sent<C> {
    const CLASS: C;
}

/// The limits of one direction: [`BackendLimits`](super::BackendLimits) or [`FrontendLimits`](super::FrontendLimits).
/// For CopyData, which is sent in both.
pub trait Limits: sealed::Limits {}

pub(crate) mod sealed {
    pub trait Limits {
        fn copy_data(&self) -> u32;
    }
}

/// A message to be written under other than the default limits. It is returned by `within` of
/// [`backend::Message`](super::backend::Message::within) and [`frontend::Message`](super::frontend::Message::within).
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is written before `encode`"]
pub struct Within<'m, M> {
    pub(crate) message: &'m M,
    pub(crate) limit: u32,
}
