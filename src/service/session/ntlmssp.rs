//! The two NTLMSSP messages of an anonymous log-on (MS-NLMP 2.2.1). Little-endian. No name, password or hash is in them.
//!
//! ```text
//! NEGOTIATE     "NTLMSSP\0"  1 (4)  flags (4)  domain (8)  workstation (8)
//! AUTHENTICATE  "NTLMSSP\0"  3 (4)  lm (8) nt (8) domain (8) user (8) workstation (8) session_key (8)  flags (4)  00
//! ```

use crate::wire::{DecodeError, DecodeErrorKind, Layer};

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// NTLMSSP_NEGOTIATE_UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, EXTENDED_SESSIONSECURITY.
const FLAGS: u32 = 0x0008_8205;
const ANONYMOUS: u32 = 0x0000_0800;
/// Where the payload of an AUTHENTICATE begins.
const PAYLOAD: u32 = 64;

pub(super) fn negotiate() -> Vec<u8> {
    let mut out = SIGNATURE.to_vec();
    out.extend_from_slice(&1u32.to_le_bytes());
    out.extend_from_slice(&FLAGS.to_le_bytes());
    out.extend_from_slice(&[0; 16]);
    out
}

/// The answer of somebody who is nobody: one NUL as the LM response, all else empty (MS-NLMP 3.2.5.1.2).
pub(super) fn authenticate() -> Vec<u8> {
    let mut out = SIGNATURE.to_vec();
    out.extend_from_slice(&3u32.to_le_bytes());
    for length in [1u16, 0, 0, 0, 0, 0] {
        let offset = PAYLOAD + u32::from(length == 0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&offset.to_le_bytes());
    }
    out.extend_from_slice(&(FLAGS | ANONYMOUS).to_le_bytes());
    out.push(0);
    out
}

/// Whether `blob` is, or holds, a CHALLENGE; a server may wrap it in SPNEGO.
pub(super) fn check_challenge(blob: &[u8]) -> Result<(), DecodeError> {
    let rest = memchr::memmem::find(blob, SIGNATURE).and_then(|at| blob.get(at + SIGNATURE.len()..));
    match rest.and_then(|rest| rest.first_chunk()) {
        Some([2, 0, 0, 0]) => Ok(()),
        found => {
            let value = found.map_or(0, |found| u32::from_le_bytes(*found));
            let kind = DecodeErrorKind::BadValue { value, expected: "an NTLMSSP CHALLENGE (2)" };
            Err(DecodeError::new(Layer::Smb, "security_blob", 0, kind))
        }
    }
}
