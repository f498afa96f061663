//! How bytes are cut: whole, byte by byte, in sevens, at every place in two.
//!
//! Nothing here knows a decoder, or any other type of the crates that are tested: what is fed is the caller's closure.
//! So unit tests inside of those crates can use it, which see two copies of their own crate otherwise.
//!
//! ```
//! use feedrate_testkit::chunks;
//!
//! chunks::every_way(b"abc", |way, chunks| assert_eq!(chunks.concat(), b"abc", "{way}"));
//! let lines = chunks::always(b"one\ntwo", |chunks| chunks.concat().split(|byte| *byte == b'\n').count());
//! assert_eq!(lines, 2);
//! ```

use std::fmt::Debug;

/// Every byte alone.
pub fn bytewise(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.chunks(1).collect()
}

/// Where to cut in two: everywhere, or where `bytes` are many, near both ends and in the middle.
pub fn cuts(bytes: &[u8]) -> impl Iterator<Item = usize> + use<> {
    let length = bytes.len();
    let few = [1, 5, 6, 8, 11, length / 2, length.saturating_sub(1)];
    (0..=length).filter(move |at| length <= 5_000 || few.contains(at))
}

/// Gives `feed` the bytes in all the ways there are, and what each is called.
pub fn every_way<'b>(bytes: &'b [u8], mut feed: impl FnMut(&str, &[&'b [u8]])) {
    feed("whole", &[bytes]);
    feed("byte by byte", &bytewise(bytes));
    feed("in sevens", &bytes.chunks(7).collect::<Vec<_>>());
    for at in cuts(bytes) {
        let (first, second) = bytes.split_at(at);
        feed(&format!("cut at {at}"), &[first, second]);
    }
}

/// What `feed` makes of the bytes, which is the same however they are cut.
pub fn always<'b, T: Debug + PartialEq>(bytes: &'b [u8], mut feed: impl FnMut(&[&'b [u8]]) -> T) -> T {
    let whole = feed(&[bytes]);
    every_way(bytes, |way, chunks| assert_eq!(feed(chunks), whole, "{way}"));
    whole
}
