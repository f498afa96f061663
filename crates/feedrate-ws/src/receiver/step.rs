//! Decides what a [`Receiver`](crate::Receiver) does with the next bytes, before anything is lent.

use feedrate::{Decoder, Input, Storage};

use super::assembly::{Assembly, What};
use super::spill::Spill;
use crate::error::Violation;
use crate::frames::{Frames, Look, QUICK};
#[cfg(feature = "deflate")]
use crate::mask;
use crate::mode::Joined;
use crate::part::{FrameError, Part};
use crate::role::Role;

/// What to do next, in plain numbers: so that the borrow of what is handed out comes last.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// The input is empty.
    Idle,
    /// Lend the whole data frame at the front of the input.
    Single,
    /// Lend the payload at the front of the input.
    Lend(What),
    /// Hand out what the storage holds from this offset on.
    Stored(What, usize),
}

/// Whether a payload can be lent from the input.
#[inline(always)]
pub(crate) const fn can_lend<'i, I: Input<'i>>(role: Role) -> bool {
    I::MUTABLE || matches!(role, Role::Client)
}

/// The decoder of frames.
pub(crate) type Source = Decoder<Frames<Joined>, Spill>;

/// [`Decoder::feed`], not inlined in small binaries.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn next<'a, 'i: 'a, I: Input<'i>>(
    frames: &'a mut Source,
    input: &mut I,
) -> Result<Option<Part<'a>>, feedrate::Error<FrameError>> {
    frames.feed(input)
}

// Both are inlined: passing on their results would cost more than their code.

/// Begins the next frame. If it is a data frame that is complete in the input, ends it too.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn header<'i, I: Input<'i>, S: Storage>(
    frames: &mut Source,
    assembly: &mut Assembly<S>,
    input: &mut I,
    whole: bool,
) -> Result<Option<Step>, Violation> {
    let lends = can_lend::<I>(frames.protocol().role());
    // The part of a header that the decoder holds precedes the input.
    let stored = whole && (!lends || assembly.is_inside());
    let look = if !QUICK || stored || !frames.pending().is_empty() {
        None
    } else {
        frames.protocol().look(input.bytes()).filter(Look::is_whole)
    };
    let fed = match look {
        Some(look) if whole && assembly.is_single(&look) => {
            assembly.be_quick();
            return Ok(Some(Step::Single));
        }
        Some(_) if !whole && lends => return Ok(Some(Step::Single)),
        // The payload may be longer than the storage.
        Some(look) if !whole => next(frames, &mut input.take(look.size)),
        _ => next(frames, input),
    };
    let part = match fed {
        Ok(Some(part)) => part,
        Ok(None) => {
            let begun = !frames.pending().is_empty();
            assembly.settle(begun);
            return Ok(Some(Step::Idle));
        }
        Err(error) => {
            assembly.refuse();
            return Err(match error.into_inner() {
                FrameError::Violation(violation) => violation,
                _ => Violation::Memory,
            });
        }
    };
    if let Some(header) = &part.header {
        assembly.begin(header)?;
    }
    if !part.payload.is_empty() {
        assembly.store(&part.payload)?;
    }
    if !part.last || assembly.is_compressed() {
        return Ok(None);
    }
    let fin = frames.protocol().has_ended();
    Ok(assembly.end_frame(fin, whole)?.map(|(what, at)| Step::Stored(what, at)))
}

/// Processes some of a payload.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn payload<'i, I: Input<'i>, S: Storage>(
    frames: &mut Source,
    assembly: &mut Assembly<S>,
    input: &mut I,
    whole: bool,
) -> Result<Option<Step>, Violation> {
    let (remaining, fin) = (frames.protocol().remaining(), frames.protocol().has_ended());
    let lends = can_lend::<I>(frames.protocol().role());
    let here = usize::try_from(remaining).unwrap_or(usize::MAX).min(input.bytes().len());
    if here == 0 {
        return Ok(Some(Step::Idle));
    }
    let all = u64::try_from(here) == Ok(remaining);
    let what = assembly.what(fin);
    let (n, piece) = match what {
        What::Control(_) if lends && all && assembly.is_untouched(whole) => {
            return Ok(Some(Step::Lend(what)));
        }
        What::Data { .. } if lends && (!whole || (all && fin && assembly.is_fresh())) => {
            return Ok(Some(Step::Lend(what)));
        }
        What::Data { .. } if !whole => (here.min(assembly.storage.limit().max(1)), true),
        _ => (here, false),
    };
    let Ok(Some(part)) = next(frames, &mut input.take(n)) else { return Ok(Some(Step::Idle)) };
    let first = assembly.is_fresh();
    assembly.store(&part.payload)?;
    let last = part.last;
    if piece {
        return Ok(Some(Step::Stored(assembly.piece(first, last, fin)?, 0)));
    }
    if !last {
        return Ok(None);
    }
    Ok(assembly.end_frame(fin, whole)?.map(|(what, at)| Step::Stored(what, at)))
}

/// Processes some of a compressed message: takes as much of its payload as can be decompressed now.
#[cfg(feature = "deflate")]
pub(crate) fn compressed<'i, I: Input<'i>, S: Storage>(
    frames: &mut Source,
    assembly: &mut Assembly<S>,
    input: &mut I,
    whole: bool,
) -> Result<Option<Step>, Violation> {
    let (remaining, fin) = (frames.protocol().remaining(), frames.protocol().has_ended());
    let here = usize::try_from(remaining).unwrap_or(usize::MAX).min(input.bytes().len());
    if here == 0 && remaining > 0 && !assembly.is_pending(whole) {
        return Ok(Some(Step::Idle));
    }
    let mut block = [0; 1024];
    let block = block.get_mut(..here.min(1024)).unwrap_or_default();
    block.iter_mut().zip(input.bytes()).for_each(|(to, from)| *to = *from);
    if let Some(key) = frames.protocol().next_key() {
        mask::apply(block, key);
    }
    let ends = fin && u64::try_from(block.len()) == Ok(remaining);
    let (taken, found) = assembly.inflate(block, ends, whole);
    if taken > 0 {
        // The part has been examined already.
        _ = next(frames, &mut input.take(taken));
    }
    let found = found?;
    if !fin && frames.protocol().remaining() == 0 && !assembly.is_pending(whole) {
        assembly.end_fragment();
    }
    Ok(found.map(|what| Step::Stored(what, 0)))
}
