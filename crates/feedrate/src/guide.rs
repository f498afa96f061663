//! How to write a protocol of one's own.
