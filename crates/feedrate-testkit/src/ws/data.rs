//! Payloads that compress well, badly, or not at all.

/// Bytes that repeat themselves after 251, so that none of them could stand for another that is a block away.
pub fn numbered(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

/// What cannot be foretold, nor compressed.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// What refers to itself from all distances.
pub fn echoes(length: usize) -> Vec<u8> {
    let noise = noise(length.min(40_000), 99);
    let mut out = Vec::with_capacity(length);
    for (i, chunk) in noise.chunks(60).cycle().enumerate() {
        out.extend_from_slice(if i % 3 == 0 { &noise[..chunk.len()] } else { chunk });
        if out.len() >= length {
            out.truncate(length);
            return out;
        }
        let far = [200, 250, 260, 500, 1_000, 2_040, 4_000, 8_100, 16_300, 32_700][i % 10];
        let from = out.len().saturating_sub(far);
        out.extend_from_within(from..(from + 40).min(out.len()));
    }
    out
}
