//! Who has a port.

/// Who has a UDP port, as far as /proc shows it to this user.
///
/// The kernel hands its tables out in parts, and leaves entries out when others come and go in between: what is not
/// there is looked for again.
pub(super) fn holder(port: u16) -> Option<String> {
    (0..3).find_map(|_| holder_in_table(port))
}

fn holder_in_table(port: u16) -> Option<String> {
    let table = std::fs::read_to_string("/proc/net/udp").ok()?;
    let wanted = format!(":{port:04X}");
    let mut holders = Vec::new();
    for line in table.lines().skip(1) {
        let mut columns = line.split_whitespace().skip(1);
        if !columns.next().is_some_and(|local| local.ends_with(&wanted)) {
            continue;
        }
        let mut columns = columns.skip(5);
        let (Some(user), Some(inode)) = (columns.next(), columns.nth(1)) else { continue };
        let holder = process_with(&format!("socket:[{inode}]")).unwrap_or_else(|| format!("user {user}"));
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }
    (!holders.is_empty()).then(|| holders.join(", "))
}

fn process_with(file: &str) -> Option<String> {
    (0..3).find_map(|_| find_process_with(file))
}

/// The process that has this file open.
fn find_process_with(file: &str) -> Option<String> {
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        if process.file_name().to_str().is_none_or(|id| id.parse::<u32>().is_err()) {
            continue;
        }
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let has = |entry: std::fs::DirEntry| {
            std::fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == file)
        };
        if files.flatten().any(has) {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (process {})", name.trim(), process.file_name().to_string_lossy()));
        }
    }
    None
}
