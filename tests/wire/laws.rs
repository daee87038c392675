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

/// [`law!`], and all that decodes comes back byte for byte: for types whose documentation names no exception.
macro_rules! lossless {
    ($type:ty, $bytes:expr) => {{
        let bytes: &[u8] = $bytes;
        if let Ok(value) = <$type as mailslot::wire::Decode>::decode(bytes) {
            let encoded = mailslot::wire::Encode::to_bytes(&value);
            assert!(encoded == bytes, "{} became {}", hex::encode(bytes), hex::encode(&encoded));
        }
        law!($type, bytes);
    }};
}

/// A value made by constructors: it says its length and decodes to itself. Gives its bytes.
macro_rules! round_trip {
    ($type:ty, $value:expr) => {{
        let value: &$type = &$value;
        let encoded = mailslot::wire::Encode::to_bytes(value);
        assert_eq!(encoded.len(), mailslot::wire::Encode::encoded_len(value), "{value:?}");
        let again = <$type as mailslot::wire::Decode>::decode(&encoded);
        assert_eq!(again.as_ref(), Ok(value), "{}", hex::encode(&encoded));
        encoded
    }};
}

/// [`law!`] (or another law) for every prefix of a frame and for every flipped bit.
macro_rules! damaged {
    ($type:ty, $bytes:expr) => {
        damaged!($type, $bytes, law)
    };
    ($type:ty, $bytes:expr, $law:ident) => {{
        let bytes: &[u8] = $bytes;
        for length in 0..bytes.len() {
            $law!($type, &bytes[..length]);
        }
        let mut flipped = bytes.to_vec();
        for bit in 0..bytes.len() * 8 {
            flipped[bit / 8] ^= 1 << (bit % 8);
            $law!($type, &flipped);
            flipped[bit / 8] ^= 1 << (bit % 8);
        }
    }};
}

/// The decoder of a type refuses `bytes` with exactly this layer, field, offset and kind.
macro_rules! refused {
    ($type:ty, $bytes:expr, $layer:ident, $field:literal, $offset:expr, $kind:expr) => {{
        let bytes: &[u8] = $bytes;
        let error = <$type as mailslot::wire::Decode>::decode(bytes).expect_err(&hex::encode(bytes));
        let expected =
            mailslot::wire::DecodeError::new(mailslot::wire::Layer::$layer, $field, $offset, $kind);
        assert_eq!(error, expected, "{error}");
    }};
}
