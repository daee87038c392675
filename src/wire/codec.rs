//! The two traits every wire type keeps, and the law between them.

use bytes::BufMut;

use super::error::DecodeError;

/// A type that can be read from the bytes of one whole unit (a datagram, a message).
///
/// Decoding is tolerant: what real senders do is accepted and kept, so that it can be shown and written
/// again. Offsets in errors count from the start of `bytes`.
pub trait Decode<'a>: Sized {
    /// Reads one value from `bytes`, which must be the whole unit.
    fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError>;
}

/// A type that can be written. Encoding never fails: what could not be written cannot be built.
///
/// For every value `v`: `decode(encode(v)) == v` and `encode(v).len() == v.encoded_len()`; for every byte
/// string `b` that decodes: `encode(decode(b)) == b`, unless the type's documentation names the exception.
pub trait Encode {
    /// Number of bytes that [`Self::encode`] appends.
    fn encoded_len(&self) -> usize;

    /// Appends the value's bytes to `out`.
    fn encode(&self, out: &mut impl BufMut);

    /// The value's bytes in a new vector.
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode(&mut out);
        out
    }
}
