//! `--fields`: the tree of a record's fields, with the bytes and the meaning of each.

use mailslot::wire::dissect::{self, RenderOptions, Tree};
use mailslot::wire::oem::CodePage;

use super::record::{Body, Record};
use crate::json::Json;

/// The tree of the payload, with offsets as in errors; for a datagram put together, also that of its user data.
fn trees<'a>(record: &Record<'a>, payload: &'a [u8], page: CodePage) -> [Option<Tree<'a>>; 2] {
    match &record.body {
        Body::Datagram(decoded) => {
            let whole = decoded.content.filter(|_| decoded.fragments > 0);
            let whole = whole.map(|content| dissect::smb(content.user_data, page));
            [Some(dissect::datagram(payload, page).at(record.base)), whole]
        }
        Body::NameService(_) => [Some(dissect::name_service(payload, page).at(record.base)), None],
        Body::Session(session) if session.packet().is_some() => {
            [Some(dissect::session(payload, page).at(record.base)), None]
        }
        Body::Session(_) | Body::Damaged(_) => [None, None],
    }
}

/// The trees as lines, indented below the record's own.
pub(super) fn write_lines(record: &Record<'_>, payload: &[u8], page: CodePage, out: &mut Vec<u8>) {
    let [tree, whole] = trees(record, payload, page);
    for (heading, tree) in [(None, tree), (Some("the user data, put together"), whole)] {
        let Some(tree) = tree else { continue };
        if let Some(heading) = heading {
            out.extend_from_slice(format!("\n       {heading}").as_bytes());
        }
        for line in tree.render(&RenderOptions::default()).lines() {
            out.extend_from_slice(b"\n       ");
            out.extend_from_slice(line.as_bytes());
        }
    }
}

/// The trees as the keys `fields` and `fields_reassembled`; the caller has begun the object.
pub(super) fn write_json(record: &Record<'_>, payload: &[u8], json: &mut Json<'_>) -> anyhow::Result<()> {
    let [tree, whole] = trees(record, payload, json.page);
    for (key, tree) in [(",\"fields\":", tree), (",\"fields_reassembled\":", whole)] {
        if let Some(tree) = tree {
            json.raw(key);
            serde_json::to_writer(&mut *json.out, &tree)?;
        }
    }
    Ok(())
}
