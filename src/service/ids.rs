//! Ids, tokens and delays that nobody can foretell who saw the ones before (BadTunnel, MS16-077).

/// The function SipHash-2-4 of a counter, keyed with the seed (Aumasson and Bernstein, 2012).
#[derive(Clone)]
pub(super) struct Ids {
    seed: u64,
    counter: u64,
}

/// The seed is not printed: whoever has it knows all ids.
impl core::fmt::Debug for Ids {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Ids").field("counter", &self.counter).finish_non_exhaustive()
    }
}

impl Ids {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next id.
    pub(super) const fn next(&mut self) -> u16 {
        let [high, low, ..] = self.next_u64().to_be_bytes();
        u16::from_be_bytes([high, low])
    }

    /// The next number.
    pub(super) const fn next_u64(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(1);
        siphash(self.seed, !self.seed, self.counter)
    }
}

const fn round(mut v: [u64; 4]) -> [u64; 4] {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
    v
}

/// SipHash-2-4 of the eight bytes of `message`, little-endian.
const fn siphash(k0: u64, k1: u64, message: u64) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    // The last block holds the message's length in its highest byte.
    let blocks = [message, 8 << 56];
    let mut block = 0;
    while block < blocks.len() {
        v[3] ^= blocks[block];
        v = round(round(v));
        v[0] ^= blocks[block];
        block += 1;
    }
    v[2] ^= 0xff;
    v = round(round(round(round(v))));
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

#[cfg(test)]
mod tests {
    use super::siphash;

    /// From the authors' test vectors: key 00 01 … 0f, message 00 01 … 07.
    #[test]
    fn reference_vector() {
        assert_eq!(
            siphash(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908, 0x0706_0504_0302_0100),
            0x93f5_f579_9a93_2462
        );
    }
}
