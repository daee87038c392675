//! The laws that every wire type keeps, each stated once. A type without a lifetime of its own can be named
//! by a macro only, so these are macros.

/// A canonical frame: it decodes, comes back byte for byte, says its length, and decodes to the same value again.
/// Gives the value.
macro_rules! canonical {
    ($type:ty, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        let value = <$type as mailslot::wire::Decode>::decode(bytes)
            .unwrap_or_else(|error| panic!("{error}\n{}", hex::encode(bytes)));
        let encoded = mailslot::wire::Encode::to_bytes(&value);
        assert_eq!(hex::encode(&encoded), hex::encode(bytes));
        law!($type, bytes);
        value
    }};
}

/// Whatever decodes can be encoded, says its length, and decodes to the same value. What does not decode names a
/// field and an offset that lies in the bytes or at their end.
macro_rules! law {
    ($type:ty, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        match <$type as mailslot::wire::Decode>::decode(bytes) {
            Ok(value) => {
                let encoded = mailslot::wire::Encode::to_bytes(&value);
                assert_eq!(encoded.len(), mailslot::wire::Encode::encoded_len(&value), "{value:?}");
                let again = <$type as mailslot::wire::Decode>::decode(&encoded);
                assert_eq!(again.as_ref(), Ok(&value), "{}", hex::encode(bytes));
            }
            Err(error) => {
                assert!(!error.field.is_empty());
                assert!(error.offset <= bytes.len(), "{error} in {} bytes", bytes.len());
            }
        }
    }};
}

/// [`law!`] for every prefix of a frame and for every flipped bit.
macro_rules! damaged {
    ($type:ty, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        for length in 0..bytes.len() {
            law!($type, &bytes[..length]);
        }
        let mut flipped = bytes.to_vec();
        for bit in 0..bytes.len() * 8 {
            flipped[bit / 8] ^= 1 << (bit % 8);
            law!($type, &flipped);
            flipped[bit / 8] ^= 1 << (bit % 8);
        }
    }};
}
