//! Reading primitives with the field's name built in.
//!
//! Each is a plain nom function over `&[u8]`; its error remembers the rest of the input, so that the offset is
//! computed once, where a layer's public `decode` turns it into a [`DecodeError`].

use nom::{Err, IResult, Parser, bytes::complete::take, number::complete as number};

use super::error::{DecodeError, DecodeErrorKind, Layer};

/// Where a primitive stopped. The innermost field wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At<'a> {
    rest: &'a [u8],
    field: &'static str,
    kind: DecodeErrorKind,
}

pub(crate) type Parsed<'a, T> = IResult<&'a [u8], T, At<'a>>;

/// An error at the beginning of `rest`.
pub(crate) fn fail<'a, T>(rest: &'a [u8], field: &'static str, kind: DecodeErrorKind) -> Parsed<'a, T> {
    Err(Err::Error(At { rest, field, kind }))
}

/// Turns a primitive's result into the public error of `layer`; `whole` is what the offsets count from.
pub(crate) fn finish<'a, T>(
    result: Parsed<'a, T>,
    whole: &'a [u8],
    layer: Layer,
) -> Result<(&'a [u8], T), DecodeError> {
    result.map_err(|error| match error {
        Err::Error(at) | Err::Failure(at) => {
            DecodeError::new(layer, at.field, whole.len().saturating_sub(at.rest.len()), at.kind)
        }
        // Only nom's streaming parsers ask for more; none is used.
        Err::Incomplete(_) => {
            DecodeError::new(layer, "input", whole.len(), DecodeErrorKind::Truncated { needed: 1, have: 0 })
        }
    })
}

macro_rules! fixed {
    ($(#[$doc:meta] $name:ident: $ty:ty = $parser:path, $size:literal;)*) => {$(
        #[$doc]
        #[inline]
        pub(crate) fn $name<'a>(field: &'static str, input: &'a [u8]) -> Parsed<'a, $ty> {
            $parser.parse(input).map_err(|_: Err<nom::error::Error<&'a [u8]>>| {
                let kind = DecodeErrorKind::Truncated { needed: $size, have: input.len() };
                Err::Error(At { rest: input, field, kind })
            })
        }
    )*};
}

fixed! {
    /// One byte.
    u8: u8 = number::u8, 1;
    /// A little-endian 16-bit number.
    u16_le: u16 = number::le_u16, 2;
    /// A little-endian 32-bit number.
    u32_le: u32 = number::le_u32, 4;
}

/// `count` bytes, borrowed.
#[inline]
pub(crate) fn bytes<'a>(field: &'static str, count: usize, input: &'a [u8]) -> Parsed<'a, &'a [u8]> {
    take(count).parse(input).map_err(|_: Err<nom::error::Error<&'a [u8]>>| {
        let kind = DecodeErrorKind::Truncated { needed: count, have: input.len() };
        Err::Error(At { rest: input, field, kind })
    })
}

/// `N` bytes, copied.
#[inline]
pub(crate) fn array<'a, const N: usize>(field: &'static str, input: &'a [u8]) -> Parsed<'a, [u8; N]> {
    match input.split_first_chunk::<N>() {
        Some((array, rest)) => Ok((rest, *array)),
        None => fail(input, field, DecodeErrorKind::Truncated { needed: N, have: input.len() }),
    }
}
