//! ReadAxes (SPEC section 6.3).

use super::body::frame;

frame! {
    /// Where are the axes? The answer is [`Axes`](super::Axes).
    pub struct ReadAxes = 0x2A, from HOST;
}
