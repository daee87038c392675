//! The states of the differential kit (`shared/win32/p_*.c`), driven through the registry in virtual time. Each
//! function follows one program and makes the lines it would print.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::task::Poll;
use std::time::Duration;

use mailslot::slot::route::{Alignment, Destination, plan};
use mailslot::slot::{
    Access, CreateOptions, Disposition, Info, Mailslot, MailslotError, MailslotWriter, OpenOptions,
    PendingRead, Profile, ReadStart, ReadTimeout, Registry, RegistryConfig, ShareMode, ShareRules, SlotPath,
};

mod data;
mod more;

/// What a call gives, as `probe.h` sees it. The number is the count of bytes, which is 0 after a failure.
#[derive(Debug, Clone)]
enum R {
    Ok(usize),
    Fail(MailslotError),
    Blocked,
    /// 997: goes on in the background.
    Pending,
    /// 996: asked too early.
    Incomplete,
}

impl R {
    fn of<T>(result: &Result<T, MailslotError>) -> Self {
        match result {
            Ok(_) => Self::Ok(0),
            Err(error) => Self::Fail(error.clone()),
        }
    }

    fn sized(result: Result<usize, MailslotError>) -> Self {
        match result {
            Ok(n) => Self::Ok(n),
            Err(error) => Self::Fail(error),
        }
    }

    const fn ok(&self) -> bool {
        matches!(self, Self::Ok(_))
    }

    const fn n(&self) -> usize {
        if let Self::Ok(n) = self { *n } else { 0 }
    }

    fn code(&self) -> u32 {
        match self {
            Self::Fail(error) => error.win32().code(),
            _ => 0,
        }
    }

    fn status(&self) -> u32 {
        match self {
            Self::Fail(error) => error.ntstatus().unwrap_or(0),
            Self::Pending => 0x103,
            _ => 0,
        }
    }
}

/// One run of all programs.
pub(crate) struct Run {
    registry: Registry,
    now: Cell<Duration>,
    lines: RefCell<BTreeMap<String, String>>,
}

const FOREVER: u32 = 0xFFFF_FFFF;
const RW: ShareMode = ShareMode::READ.union(ShareMode::WRITE);
const GW: Access = Access::GENERIC_WRITE;
const GR: Access = Access::GENERIC_READ;

/// Runs everything; the lines by case-id, without the id.
pub(crate) fn run(share_rules: ShareRules) -> BTreeMap<String, String> {
    let registry = Registry::with_config(RegistryConfig { share_rules, ..RegistryConfig::default() });
    let run = Run { registry, now: Cell::default(), lines: RefCell::default() };
    run.names();
    run.open_dispositions();
    run.open_sharing();
    run.roles();
    run.sizes();
    run.small_buffers();
    run.empty_slot();
    run.order_and_depth();
    run.info_values();
    run.info_while_pending();
    run.life();
    run.duplicates();
    run.inherited();
    run.overlapped();
    run.overlapped_ends();
    run.native();
    run.remote();
    assert_eq!(run.registry.names(), [], "a program leaves a slot behind");
    run.lines.into_inner()
}

/// `read`, `write` and so on as the helpers of `probe.h`.
impl Run {
    fn put(&self, id: &str, line: String) {
        let old = self.lines.borrow_mut().insert(id.to_owned(), line);
        assert!(old.is_none(), "{id} is made twice");
    }

    fn out(&self, id: &str, r: &R, data: &str) {
        let line = match r {
            R::Ok(_) => format!("result=ok lasterror=- ntstatus=- data={data}"),
            R::Blocked => format!("result=blocked lasterror=- ntstatus=- data={data}"),
            R::Pending => format!("result=fail lasterror=997(IO_PENDING) ntstatus=0x00000103 data={data}"),
            R::Incomplete => {
                format!("result=fail lasterror=996(IO_INCOMPLETE) ntstatus=0x00000000 data={data}")
            }
            R::Fail(error) => {
                let name = error.win32().name().and_then(|n| n.strip_prefix("ERROR_")).unwrap_or("?");
                format!(
                    "result=fail lasterror={}({name}) ntstatus=0x{:08x} data={data}",
                    r.code(),
                    r.status()
                )
            }
        };
        self.put(id, line);
    }

    fn say(&self, id: &str, data: &str) {
        self.put(id, format!("result=info lasterror=- ntstatus=- data={data}"));
    }

    /// A line of `p_nt.c`; its `iosb=` is left away.
    fn nt(&self, id: &str, r: &R, data: &str) {
        let word = match r {
            R::Ok(_) => "ok",
            R::Pending => "pending",
            _ => "fail",
        };
        self.put(id, format!("result={word} lasterror=- ntstatus=0x{:08x} data={data}", r.status()));
    }

    fn mk(&self, path: &str, max: u32, timeout: u32) -> Result<Mailslot, MailslotError> {
        self.mk_units(&path.encode_utf16().collect::<Vec<_>>(), max, timeout)
    }

    fn mk_units(&self, path: &[u16], max: u32, timeout: u32) -> Result<Mailslot, MailslotError> {
        let options = CreateOptions {
            max_message_size: max,
            read_timeout: ReadTimeout::from_millis(timeout),
            ..Default::default()
        };
        self.registry.create(&SlotPath::from_units(path)?, options)
    }

    fn opx(
        &self,
        path: &[u16],
        access: Access,
        share: ShareMode,
        disp: u32,
    ) -> Result<MailslotWriter, MailslotError> {
        let options = OpenOptions { access, share, disposition: Disposition::new(disp) };
        self.registry.open(&SlotPath::from_units(path)?, options)
    }

    fn op(&self, path: &str) -> Result<MailslotWriter, MailslotError> {
        self.opx(&wide(path), GW, RW, 3)
    }

    /// A fresh slot and a writer.
    fn pair(&self, path: &str, max: u32, timeout: u32) -> (Mailslot, MailslotWriter) {
        let s = self.mk(path, max, timeout).unwrap();
        let w = self.op(path).unwrap();
        (s, w)
    }

    fn advance(&self, millis: u64) {
        self.now.set(self.now.get() + Duration::from_millis(millis));
        self.registry.handle_timeout(self.now.get());
    }

    /// A read that blocks its caller; `event` happens `at` milliseconds after the call.
    fn read_with(&self, s: &Mailslot, buffer: &mut [u8], at: u64, event: impl FnOnce()) -> R {
        let mut read = match s.start_read(self.now.get(), buffer.len()) {
            Ok(ReadStart::Complete(message)) => return fill(buffer, &message.data),
            Ok(ReadStart::Pending(read)) => read,
            Ok(other) => panic!("{other:?}"),
            Err(error) => return R::Fail(error),
        };
        let begun = self.now.get();
        let left = read.deadline().map(|d| d - begun);
        if left.is_none_or(|left| left > Duration::from_millis(at)) {
            self.advance(at);
            event();
        }
        if let Poll::Ready(result) = read.try_finish() {
            return finished(buffer, result);
        }
        let Some(deadline) = read.deadline() else { return R::Blocked };
        assert_eq!(self.registry.poll_timeout(), Some(deadline));
        self.now.set(deadline);
        self.registry.handle_timeout(deadline);
        match read.try_finish() {
            Poll::Ready(result) => finished(buffer, result),
            Poll::Pending => panic!("outlives its deadline"),
        }
    }

    fn rd(&self, s: &Mailslot, buffer: &mut [u8]) -> R {
        self.read_with(s, buffer, 0, || ())
    }

    /// The read's result and how long it took, as `bucket` prints it.
    fn timed(&self, want: u64, read: impl FnOnce() -> R) -> (R, String) {
        let begun = self.now.get();
        let r = read();
        let took = u64::try_from((self.now.get() - begun).as_millis()).unwrap();
        let text = match (want, took) {
            (0, 0..90) => "immediate".to_owned(),
            (want, took) if took + 15 >= want && took < want + 500 => format!("about-{want}ms"),
            (want, took) => format!("{took}ms-instead-of-{want}ms"),
        };
        (r, text)
    }

    fn info_line(&self, id: &str, s: &Mailslot) {
        self.out(id, &R::Ok(0), &info_text(s.info()));
    }
}

fn wr(w: &MailslotWriter, data: &[u8]) -> R {
    R::sized(w.write(data))
}

fn wide(path: &str) -> Vec<u16> {
    path.encode_utf16().collect()
}

fn fill(buffer: &mut [u8], data: &[u8]) -> R {
    buffer[..data.len()].copy_from_slice(data);
    R::Ok(data.len())
}

fn finished(buffer: &mut [u8], result: Result<mailslot::slot::Message, MailslotError>) -> R {
    match result {
        Ok(message) => fill(buffer, &message.data),
        Err(error) => R::Fail(error),
    }
}

fn info_text(info: Info) -> String {
    let next = info.next_size.map_or_else(|| "NO_MESSAGE".to_owned(), |n| n.to_string());
    let timeout = i64::from(info.read_timeout.as_millis().cast_signed());
    format!("max={} next={next} count={} timeout={timeout}", info.max_message_size, info.message_count)
}

fn esc(units: &[u16]) -> String {
    units.iter().fold(String::new(), |mut out, &u| {
        match u8::try_from(u) {
            Ok(byte @ 0x20..0x7F) => out.push(byte.into()),
            _ => write!(out, "{{U+{u:04X}}}").unwrap(),
        }
        out
    })
}

fn text(buffer: &[u8]) -> String {
    String::from_utf8_lossy(buffer).into_owned()
}

/// `p_names.c`.
impl Run {
    fn one(&self, id: &str, path: impl AsRef<[u16]>) {
        let path = path.as_ref();
        let label = if id == "name.null" { "(NULL)".to_owned() } else { esc(path) };
        self.one_as(id, path, &label);
    }

    fn one_as(&self, id: &str, path: &[u16], label: &str) {
        let made = self.mk_units(path, 0, 0);
        let Ok(s) = &made else { return self.out(id, &R::of(&made), &format!("name={label}")) };
        let via = match self.opx(path, GW, RW, 3) {
            Err(error) => format!("reopen=fail:{}", error.win32().code()),
            Ok(w) => {
                let mut buffer = [0; 8];
                let (a, b) = (wr(&w, b"x"), self.rd(s, &mut buffer));
                format!(
                    "reopen=ok write={} read={}",
                    i32::from(a.ok()),
                    i32::from(b.n() == 1 && buffer[0] == b'x')
                )
            }
        };
        let object = format!(r"\Device\MailSlot\{}", esc(s.name().units()));
        self.out(id, &R::Ok(0), &format!("name={label} obj={object} {via}"));
    }

    fn two(&self, id: &str, create: impl AsRef<[u16]>, open: impl AsRef<[u16]>) {
        let (create, open) = (create.as_ref(), open.as_ref());
        let _s = self.mk_units(create, 0, 0).unwrap();
        let opened = self.opx(open, GW, RW, 3);
        self.out(id, &R::of(&opened), &format!("create={} open={}", esc(create), esc(open)));
    }

    fn both(&self, id: &str, first: &str, second: &str) {
        let _s = self.mk(first, 0, 0).unwrap();
        let r = R::of(&self.mk(second, 0, 0));
        self.out(id, &r, &format!("first={first} second={second}"));
    }

    fn names(&self) {
        let below = |rest: &str| wide(&format!(r"\\.\mailslot\{rest}"));
        let units = |rest: &[u16]| [wide(r"\\.\mailslot\").as_slice(), rest].concat();
        for (id, path) in [
            ("basic", r"\\.\mailslot\msp_a"),
            ("upper-class", r"\\.\MAILSLOT\msp_a"),
            ("mixed-class", r"\\.\MaIlSlOt\msp_a"),
            ("path", r"\\.\mailslot\abc\def\ghi"),
            ("deep-path", r"\\.\mailslot\a\b\c\d\e\f\g\h\i\j\k"),
            ("trailing-backslash", r"\\.\mailslot\msp_a\"),
            ("double-backslash-before-leaf", r"\\.\mailslot\\msp_a"),
            ("double-backslash-after-dot", r"\\.\\mailslot\msp_a"),
            ("empty-leaf", r"\\.\mailslot\"),
            ("class-only", r"\\.\mailslot"),
            ("device-root", r"\\.\"),
            ("empty-string", ""),
            ("null", ""),
            ("bare", "blah"),
            ("relative-mailslot", r"mailslot\msp_a"),
            ("one-backslash", r"\mailslot\msp_a"),
            ("two-backslashes-no-dot", r"\\mailslot\msp_a"),
            ("drive", r"C:\mailslot\msp_a"),
            ("class-suffix", r"\\.\mailslotx\msp_a"),
            ("pipe-class", r"\\.\pipe\msp_a"),
            ("con", r"\\.\CON"),
            ("nul", "NUL"),
            ("host-create", r"\\HOST\mailslot\msp_a"),
            ("localhost-create", r"\\localhost\mailslot\msp_a"),
            ("127-create", r"\\127.0.0.1\mailslot\msp_a"),
            ("star-create", r"\\*\mailslot\msp_a"),
            ("fwd-all", "//./mailslot/msp_a"),
            ("fwd-leaf", r"\\.\mailslot/msp_a"),
            ("fwd-inside", r"\\.\mailslot\d/msp_a"),
            ("qmark", r"\\?\mailslot\msp_a"),
            ("ntprefix", r"\??\mailslot\msp_a"),
            ("qmark-fwd", r"\\?\mailslot/msp_a"),
            ("dot-component", r"\\.\mailslot\.\msp_a"),
            ("dotdot-component", r"\\.\mailslot\a\..\msp_a"),
            ("dotdot-escape", r"\\.\mailslot\..\msp_a"),
            ("leaf-dot", r"\\.\mailslot\."),
            ("leaf-dotdot", r"\\.\mailslot\.."),
            ("trailing-dot", r"\\.\mailslot\msp_a."),
            ("trailing-space", r"\\.\mailslot\msp_a "),
            ("leading-space", r"\\.\mailslot\ msp_a"),
            ("inner-space", r"\\.\mailslot\msp a"),
            ("star-in-leaf", r"\\.\mailslot\a*b"),
            ("qmark-in-leaf", r"\\.\mailslot\a?b"),
            ("colon-in-leaf", r"\\.\mailslot\a:b"),
            ("quote-in-leaf", r#"\\.\mailslot\a"b"#),
            ("lt-in-leaf", r"\\.\mailslot\a<b"),
            ("pipe-in-leaf", r"\\.\mailslot\a|b"),
            ("tab-in-leaf", "\\\\.\\mailslot\\a\tb"),
            ("ctrl1-in-leaf", "\\\\.\\mailslot\\a\u{1}b"),
            ("browse", r"\\.\mailslot\browse"),
            ("net-netlogon", r"\\.\mailslot\net\netlogon"),
            ("long-8.3", r"\\.\mailslot\Mymailslot"),
            ("u-eacute", "\\\\.\\mailslot\\caf\u{e9}"),
            ("u-cjk", "\\\\.\\mailslot\\\u{4e2d}\u{6587}"),
            ("u-emoji", "\\\\.\\mailslot\\\u{1f4e8}"),
            ("u-bom", "\\\\.\\mailslot\\\u{feff}"),
        ] {
            self.one(&format!("name.{id}"), wide(path));
        }
        self.one("name.u-lone-surrogate", units(&[0xD83D]));
        self.one_as(
            "name.own-computername-create",
            &wide(r"\\THISBOX\mailslot\msp_a"),
            r"\\<computername>\mailslot\msp_a",
        );
        let plain = || below("msp_a");
        self.two("name.trailing-backslash-vs-plain", below(r"msp_a\"), plain());
        self.two("name.double-backslash-vs-plain", below(r"\msp_a"), plain());
        self.two("name.double-backslash-after-dot-vs-plain", wide(r"\\.\\mailslot\msp_a"), plain());
        self.two("name.fwd-all-vs-back", wide("//./mailslot/msp_a"), plain());
        self.two("name.fwd-inside-vs-back", below("d/msp_a"), below(r"d\msp_a"));
        self.two("name.qmark-vs-dot", wide(r"\\?\mailslot\msp_a"), plain());
        self.two("name.dot-component-vs-plain", below(r".\msp_a"), plain());
        self.two("name.dotdot-component-vs-plain", below(r"a\..\msp_a"), plain());
        self.two("name.trailing-dot-vs-plain", below("msp_a."), plain());
        self.two("name.trailing-space-vs-plain", below("msp_a "), plain());
        self.two("name.long-8.3-vs-truncated", below("Mymailslot"), below("Mymailsl"));
        self.both("name.dir-then-parent", r"\\.\mailslot\p\q", r"\\.\mailslot\p");
        self.both("name.parent-then-dir", r"\\.\mailslot\p", r"\\.\mailslot\p\q");
        self.two("name.open-dir-component", below(r"p\q"), below("p"));
        self.two("name.open-below-slot", below("p"), below(r"p\q"));
        self.two("name.case-open-upper", below("msp_case"), wide(r"\\.\MAILSLOT\MSP_CASE"));
        self.both("name.case-dup", r"\\.\mailslot\msp_case", r"\\.\mailslot\MSP_Case");
        self.two("name.case-path", below(r"Taxes\Sue"), below(r"taxes\SUE"));
        self.two("name.u-eacute-case", below("caf\u{e9}"), below("CAF\u{c9}"));
        self.two("name.u-greek-case", below("\u{3b1}\u{3b2}"), below("\u{391}\u{392}"));
        self.two("name.u-sigma-final-vs-capital", below("\u{3c2}"), below("\u{3a3}"));
        self.two("name.u-sigma-vs-capital", below("\u{3c3}"), below("\u{3a3}"));
        self.two("name.u-cyrillic-case", below("\u{436}"), below("\u{416}"));
        self.two("name.u-kelvin-vs-k", below("\u{212a}"), below("k"));
        self.two("name.u-dotless-i-vs-I", below("\u{131}"), below("I"));
        self.two("name.u-sharp-s-vs-ss", below("\u{df}"), below("ss"));
        self.two("name.u-yuml-case", below("\u{ff}"), below("\u{178}"));
        self.two("name.u-micro-vs-mu-capital", below("\u{b5}"), below("\u{39c}"));
        self.two("name.u-fullwidth-case", below("\u{ff41}"), below("\u{ff21}"));
        self.two("name.u-deseret-case", units(&[0xD801, 0xDC28]), units(&[0xD801, 0xDC00]));
        self.two("name.u-nfc-vs-nfd", below("\u{e9}"), below("e\u{301}"));
        for total in [
            14, 100, 200, 255, 256, 259, 260, 261, 268, 269, 300, 1000, 5000, 16000, 32000, 32740, 32759,
            32760, 32765, 32767, 32768, 40000,
        ] {
            let mut path = wide(r"\\.\mailslot\");
            path.extend((path.len()..total).map(|i| u16::from(b'a') + u16::try_from(i % 26).unwrap()));
            let (id, made) = (format!("name.len.{total}"), self.mk_units(&path, 0, 0));
            if made.is_ok() {
                let word = if self.opx(&path, GW, RW, 3).is_ok() { "ok" } else { "fail" };
                let data = format!("total-chars={total} component={} reopen={word}", total - 13);
                self.out(&id, &R::Ok(0), &data);
            } else {
                self.out(&id, &R::of(&made), &format!("total-chars={total}"));
            }
        }
    }
}

/// `p_open.c`.
impl Run {
    fn open_dispositions(&self) {
        const N: &str = r"\\.\mailslot\msp_open";
        let dispositions =
            ["0", "CREATE_NEW", "CREATE_ALWAYS", "OPEN_EXISTING", "OPEN_ALWAYS", "TRUNCATE_EXISTING", "6"];
        let n = wide(N);
        self.out("open.missing.local", &R::of(&self.op(N)), "");
        self.out("open.missing.local-path", &R::of(&self.op(r"\\.\mailslot\no\such\dir\slot")), "");
        for (value, name) in (0..).zip(dispositions) {
            self.out(&format!("open.missing.disp.{name}"), &R::of(&self.opx(&n, GW, RW, value)), "");
        }
        let s = self.mk(N, 16, 0);
        self.out("create.first", &R::of(&s), "");
        self.out("create.duplicate", &R::of(&self.mk(N, 16, 0)), "");
        self.out("create.duplicate-other-params", &R::of(&self.mk(N, 99, 5)), "");
        self.info_line("create.duplicate-leaves-first-alone", s.as_ref().unwrap());
        let w = self.op(N);
        drop(s);
        self.out("create.after-server-closed-client-open", &R::of(&self.mk(N, 16, 0)), "");
        drop(w);
        let s = self.mk(N, 16, 0);
        self.out("create.after-all-closed", &R::of(&s), "");
        for (value, name) in (0..).zip(dispositions) {
            if name != "OPEN_ALWAYS" {
                let r = R::of(&self.opx(&n, GW, RW, value));
                self.out(&format!("open.present.disp.{name}"), &r, "lasterror-after=0");
            }
        }
        let s = s.unwrap();
        for (name, access) in [
            ("0", Access::empty()),
            ("GENERIC_READ", GR),
            ("GENERIC_WRITE", GW),
            ("GR|GW", GR | GW),
            ("GENERIC_ALL", Access::GENERIC_ALL),
            ("GENERIC_EXECUTE", Access::GENERIC_EXECUTE),
            ("FILE_READ_DATA", Access::FILE_READ_DATA),
            ("FILE_WRITE_DATA", Access::FILE_WRITE_DATA),
            ("FILE_APPEND_DATA", Access::FILE_APPEND_DATA),
            ("FILE_READ_ATTRIBUTES", Access::from_bits_retain(0x80)),
            ("FILE_WRITE_ATTRIBUTES", Access::from_bits_retain(0x100)),
            ("SYNCHRONIZE", Access::SYNCHRONIZE),
            ("DELETE", Access::from_bits_retain(0x1_0000)),
            ("MAXIMUM_ALLOWED", Access::from_bits_retain(0x0200_0000)),
        ] {
            let w = self.opx(&n, access, RW, 3).unwrap();
            let (a, b) = (wr(&w, b"q"), R::sized(w.read(&mut [0; 8])));
            let word = |r: &R| format!("{}:{}", if r.ok() { "ok" } else { "fail" }, r.code());
            self.out(
                &format!("open.access.{name}"),
                &R::Ok(0),
                &format!("write={} read={}", word(&a), word(&b)),
            );
            while s.try_read().is_ok() {}
        }
    }

    fn open_sharing(&self) {
        const N: &str = r"\\.\mailslot\msp_open";
        let n = wide(N);
        let _s = self.mk(N, 16, 0).unwrap();
        let names = ["0", "R", "W", "RW", "D", "RD", "WD", "RWD"];
        let open = |access, share: usize| {
            self.opx(&n, access, ShareMode::from_bits_retain(u32::try_from(share).unwrap()), 3)
        };
        for (share, name) in names.iter().enumerate() {
            self.out(&format!("open.share.GW.{name}"), &R::of(&open(GW, share)), "");
            self.out(&format!("open.share.GR.{name}"), &R::of(&open(GR, share)), "");
        }
        for (share, name) in names.iter().enumerate().skip(1) {
            let first = open(GW, share);
            if first.is_err() {
                self.out(&format!("open.second.first-{name}"), &R::of(&first), "first open refused");
                continue;
            }
            for (second, other) in names.iter().enumerate().take(4).skip(1) {
                let id = format!("open.second.GW-{name}.GW-{other}");
                self.out(&id, &R::of(&open(GW, second)), "");
            }
        }
        let first = open(GR, 1);
        assert!(first.is_ok());
        self.out("open.second.GR-R.GR-R", &R::of(&open(GR, 1)), "first=1");
        self.out("open.second.GR-R.GW-R", &R::of(&open(GW, 1)), "first=1");
        self.out("open.second.GR-R.GW-RW", &R::of(&open(GW, 3)), "first=1");
        drop(first);
        let _first = open(GR | GW, 3).unwrap();
        self.out("open.second.GRW-RW.GRW-RW", &R::of(&open(GR | GW, 3)), "first=1");
    }

    fn roles(&self) {
        const N: &str = r"\\.\mailslot\msp_open";
        let (s, w) = self.pair(N, 16, 0);
        let buffer = &mut [0; 8];
        self.out("role.server-write", &R::sized(s.write(b"zz")), "n=0");
        self.out("role.server-write-0", &R::sized(s.write(b"")), "n=0");
        self.out("role.client-read-empty", &R::sized(w.read(buffer)), "");
        let r = wr(&w, b"hey");
        self.out("role.client-write", &r, &format!("n={}", r.n()));
        self.out("role.client-read-nonempty", &R::sized(w.read(buffer)), "");
        self.info_line("role.server-info", &s);
        let info = w.info();
        self.out(
            "role.client-info",
            &R::of(&info),
            &info.map_or_else(|_| "max=untouched".to_owned(), info_text),
        );
        self.out("role.client-setinfo", &R::of(&w.set_info(ReadTimeout::from_millis(77))), "");
        self.info_line("role.after-client-setinfo", &s);
        drop((s, w));
        let _s = self.mk(N, 0, 0).unwrap();
        let all: Vec<_> = (0..300).map_while(|_| self.op(N).ok()).collect();
        self.say("open.300-clients", &format!("opened={}", all.len()));
    }
}
