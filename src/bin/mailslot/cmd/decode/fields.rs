//! `--fields`: the tree of a record's fields, with the bytes and the meaning of each.

use mailslot::wire::dissect::{self, RenderOptions, Tree};
use mailslot::wire::oem::CodePage;

use super::record::{Body, Record};
use crate::json::Json;

/// A record's trees.
#[derive(Default)]
struct Trees<'a> {
    /// The payload, with offsets as in errors.
    payload: Option<Tree<'a>>,
    /// What these offsets count from, where it is not the frame.
    unit: Option<&'static str>,
    /// The user data of a datagram put together; offsets count from their first byte.
    whole: Option<Tree<'a>>,
}

fn trees<'a>(record: &Record<'a>, payload: &'a [u8], page: CodePage) -> Trees<'a> {
    let mut trees = Trees::default();
    let put_together = record.base == 0;
    let (tree, unit) = match &record.body {
        Body::Datagram(decoded) => {
            let whole = decoded.content.filter(|_| decoded.fragments > 0);
            trees.whole = whole.map(|content| dissect::user_data(content.user_data, page));
            (dissect::datagram(payload, page), "the payload, put together from IP fragments")
        }
        Body::NameService(_) => {
            (dissect::name_service(payload, page), "the payload, put together from IP fragments")
        }
        Body::Session(session) if session.packet().is_some() => {
            (dissect::session(payload, session.answers(), page), "the packet, put together from TCP segments")
        }
        Body::Session(_) | Body::Damaged(_) => return trees,
    };
    trees.payload = Some(tree.at(record.base));
    trees.unit = put_together.then_some(unit);
    trees
}

/// The trees as lines, indented below the record's own.
pub(super) fn write_lines(record: &Record<'_>, payload: &[u8], page: CodePage, out: &mut Vec<u8>) {
    let Trees { payload, unit, whole } = trees(record, payload, page);
    for (heading, tree) in [(unit, payload), (Some("the user data, put together from fragments"), whole)] {
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
    let Trees { payload, whole, .. } = trees(record, payload, json.page);
    for (key, tree) in [(",\"fields\":", payload), (",\"fields_reassembled\":", whole)] {
        if let Some(tree) = tree {
            json.raw(key);
            serde_json::to_writer(&mut *json.out, &tree)?;
        }
    }
    Ok(())
}
