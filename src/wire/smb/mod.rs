//! The SMB1 subset: the header, `SMB_COM_TRANSACTION`, and the mailslot write inside it. Little-endian.

mod header;
mod mailslot;
mod transaction;

pub use header::{Command, HEADER_LEN, Header};
pub use mailslot::{Class, HeaderLayout, MAILSLOT_PREFIX, MailslotWrite, NAME_OFFSET, data_offset};
pub use transaction::{TransactionFlags, Words};
