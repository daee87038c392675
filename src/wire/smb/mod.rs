//! SMB1, as far as mailslots and browsing need it: the header, `SMB_COM_TRANSACTION` and the mailslot write inside
//! it, the commands of an anonymous session, messenger texts, and remote administration (RAP). Little-endian.
//!
//! A datagram holds a [`MailslotWrite`]; a session's messages are [`SmbMessage`]s.

mod block;
mod command;
mod header;
mod mailslot;
mod message;
mod negotiate;
pub mod rap;
mod session_setup;
mod status;
mod text;
mod transaction;
mod tree_connect;

pub use command::{AndX, Body, Empty, MAX_CHAIN, Protocol, Raw, SmbMessage, chain};
pub use header::{Command, Flags, Flags2, HEADER_LEN, Header};
pub use mailslot::{Class, HeaderLayout, MAILSLOT_PREFIX, MailslotWrite, NAME_OFFSET, data_offset};
pub use message::{
    MAX_SEND_TEXT, SendEndRequest, SendMessageRequest, SendStartRequest, SendStartResponse, SendTextRequest,
};
pub use negotiate::{
    Capabilities, LanmanWords, NO_DIALECT, NT_LM_012, NegotiateCore, NegotiateLanman, NegotiateNt,
    NegotiateRequest, NegotiateResponse, NtWords, SecurityMode,
};
pub use session_setup::{
    Logoff, SessionAction, SessionSetupRequest, SessionSetupResponse, SessionSetupWords,
};
pub use status::{DosError, NtStatus};
pub use text::{SmbStr, utf16};
pub use transaction::{
    PIPE_LANMAN, Part, Piece, SessionWrite, TransactionFlags, TransactionRequest, TransactionResponse,
    TransactionSecondary, Words,
};
pub use tree_connect::{SERVICE_ANY, SERVICE_IPC, TreeConnectFlags, TreeConnectRequest, TreeConnectResponse};
