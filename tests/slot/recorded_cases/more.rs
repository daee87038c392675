//! `p_info.c`, `p_life.c`, `p_ov.c`, `p_nt.c`, `p_remote.c`.

use super::*;

/// `p_info.c`.
impl Run {
    pub(super) fn info_values(&self) {
        const N: &str = r"\\.\mailslot\msp_info";
        let timeouts = [0, 1, 2, 100, 1000, 60_000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, FOREVER];
        for timeout in timeouts {
            let got = self.mk(N, 0, timeout).unwrap().info().read_timeout.as_millis();
            self.out(&format!("info.create-timeout.{timeout:08x}"), &R::Ok(0), &format!("got={got:08x}"));
        }
        let s = self.mk(N, 0, 0).unwrap();
        for timeout in timeouts {
            s.set_info(ReadTimeout::from_millis(timeout));
            let got = s.info().read_timeout.as_millis();
            self.out(&format!("info.set-timeout.{timeout:08x}"), &R::Ok(0), &format!("got={got:08x}"));
        }
        drop(s);
        for max in [0, 1, 5, 424, 425, 65_535, 65_536, 0x10_0000, 0x7FFF_FFFF, FOREVER] {
            let got = self.mk(N, max, 0).unwrap().info().max_message_size;
            self.out(&format!("info.create-max.{max:08x}"), &R::Ok(0), &format!("got={got:08x}"));
        }
        let buffer = &mut [0; 64];
        let (s, w) = self.pair(N, 64, 100);
        self.info_line("info.empty", &s);
        wr(&w, b"abc");
        self.info_line("info.one", &s);
        wr(&w, b"defg");
        self.info_line("info.two", &s);
        self.rd(&s, buffer);
        self.info_line("info.after-read-1", &s);
        self.rd(&s, buffer);
        self.info_line("info.after-read-2", &s);
        wr(&w, b"");
        self.info_line("info.zero-byte", &s);
        let info = s.info();
        self.out("info.null.only-max", &R::Ok(0), &format!("max={}", info.max_message_size));
        self.out("info.null.only-next", &R::Ok(0), &format!("next={}", info.next_size.unwrap()));
        self.out("info.null.only-count", &R::Ok(0), &format!("count={}", info.message_count));
        self.out("info.null.only-timeout", &R::Ok(0), &format!("timeout={}", info.read_timeout.as_millis()));
        self.rd(&s, buffer);
        self.rd(&s, buffer);
        wr(&w, b"left");
        drop(w);
        self.info_line("info.writer-closed-message-left", &s);
        let r = self.rd(&s, buffer);
        self.out("read.after-writer-closed", &r, &format!("n={}", r.n()));
        for millis in [0, 150] {
            s.set_info(ReadTimeout::from_millis(millis));
            let (r, took) = self.timed(millis.into(), || self.rd(&s, buffer));
            self.out(&format!("setinfo.then-read.{millis}"), &r, &format!("wait={took}"));
        }
        s.set_info(ReadTimeout::FOREVER);
        self.out("setinfo.then-read.forever", &self.read_with(&s, buffer, 500, || ()), "after=500ms");
    }

    pub(super) fn info_while_pending(&self) {
        let (s, w) = self.pair(r"\\.\mailslot\msp_info2", 64, FOREVER);
        let mut read = self.start(&s, 64);
        self.advance(200);
        s.set_info(ReadTimeout::NONE);
        self.out("setinfo.while-read-pending.0.call", &R::Ok(0), "");
        self.advance(700);
        let affected = if read.poll().is_some() { "completed" } else { "pending read not affected" };
        self.say("setinfo.while-read-pending.forever-to-0", affected);
        wr(&w, b"go");
        let r = read.result();
        self.out("setinfo.while-read-pending.forever-to-0.then-write", &r, &format!("n={}", r.n()));
        for (first, second, at) in [(600, FOREVER, 600), (2000, 100, 2000)] {
            s.set_info(ReadTimeout::from_millis(first));
            let set = || s.set_info(ReadTimeout::from_millis(second));
            let (r, took) = self.timed(at, || self.read_with(&s, &mut [0; 64], 100, set));
            let to = if second == FOREVER { "forever".to_owned() } else { second.to_string() };
            self.out(&format!("setinfo.while-read-pending.{first}-to-{to}"), &r, &format!("wait={took}"));
        }
        s.set_info(ReadTimeout::from_millis(1500));
        let mut read = self.start(&s, 64);
        self.advance(200);
        self.info_line("info.while-read-pending", &s);
        wr(&w, b"go");
        let r = read.result();
        self.out("read.pending-finished", &r, &format!("n={}", r.n()));
    }
}

/// `p_life.c`. A handle in another process is a duplicate here; its exit is a drop.
impl Run {
    pub(super) fn life(&self) {
        const N: &str = r"\\.\mailslot\msp_life";
        let buffer = &mut [0; 64];
        let (s, w) = self.pair(N, 0, 0);
        wr(&w, b"one");
        wr(&w, b"two");
        self.info_line("life.before-close", &s);
        drop(s);
        for (id, data) in [("write", &b"x"[..]), ("write0", b"")] {
            let r = wr(&w, data);
            self.out(&format!("life.{id}-after-server-closed"), &r, &format!("n={}", r.n()));
        }
        self.out("life.open-after-server-closed-client-open", &R::of(&self.op(N)), "");
        let s = self.mk(N, 0, 0);
        self.out("life.recreate-while-old-client-open", &R::of(&s), "");
        if let Ok(s) = &s {
            self.info_line("life.recreated-info", s);
            self.out("life.old-client-write-after-recreate", &wr(&w, b"old"), "");
            self.info_line("life.recreated-info-after-old-write", s);
        }
        drop((s, w));
        self.out("life.open-after-all-closed", &R::of(&self.op(N)), "");
        let s = self.mk(N, 0, 0);
        self.out("life.recreate-after-all-closed", &R::of(&s), "");
        let s = s.unwrap();
        self.info_line("life.recreate-info", &s);
        let w = self.op(N);
        self.out("life.reopen", &R::of(&w), "");
        wr(&w.unwrap(), b"new");
        let r = self.rd(&s, buffer);
        self.out("life.reopen-read", &r, &format!("n={} bytes={}", r.n(), text(&buffer[..r.n()])));
        drop(s);
        let (s, w) = self.pair(N, 0, 0);
        wr(&w, b"lost");
        drop((w, s));
        let s = self.mk(N, 0, 0).unwrap();
        self.info_line("life.messages-lost-after-close", &s);
        drop(s);
        let s = self.mk(N, 0, 0).unwrap();
        s.close();
        self.out("life.close", &R::of(&self.mk(N, 0, 0)), "");
    }

    pub(super) fn duplicates(&self) {
        const N: &str = r"\\.\mailslot\msp_life";
        let buffer = &mut [0; 64];
        let (s, w) = self.pair(N, 0, 0);
        let d = s.duplicate();
        self.out("dup.server", &R::Ok(0), "");
        wr(&w, b"d1");
        let r = self.rd(&d, buffer);
        self.out("dup.read-through-duplicate", &r, &format!("n={}", r.n()));
        self.info_line("dup.original-sees-empty", &s);
        d.set_info(ReadTimeout::from_millis(222));
        self.info_line("dup.setinfo-through-duplicate", &s);
        d.set_info(ReadTimeout::NONE);
        drop(s);
        self.out("dup.create-while-duplicate-open", &R::of(&self.mk(N, 0, 0)), "");
        self.out("dup.write-after-original-closed", &wr(&w, b"d2"), "");
        let r = self.rd(&d, buffer);
        self.out("dup.read-after-original-closed", &r, &format!("n={}", r.n()));
        drop(d);
        self.out("dup.write-after-last-server-handle-closed", &wr(&w, b"x"), "");
        drop(w);
        let s = self.mk(N, 0, 0).unwrap();
        let d = s.duplicate_with(GW);
        self.out("dup.server-as-GENERIC_WRITE", &R::Ok(0), "");
        self.out("dup.server-as-GENERIC_WRITE.write", &R::sized(d.write(b"x")), "");
        self.out("dup.server-as-GENERIC_WRITE.read", &self.rd(&d, buffer), "");
        drop(d);
        let d = s.duplicate_with(Access::SYNCHRONIZE);
        self.out("dup.server-as-SYNCHRONIZE", &R::Ok(0), "");
        self.out("dup.server-as-SYNCHRONIZE.read", &self.rd(&d, buffer), "");
        self.info_line("dup.server-as-SYNCHRONIZE.info", &d);
        d.set_info(ReadTimeout::from_millis(9));
        assert_eq!(s.info().read_timeout.as_millis(), 9);
        self.out("dup.server-as-SYNCHRONIZE.setinfo", &R::Ok(0), "");
        drop((s, d));
        let s = self.mk(N, 0, 0).unwrap();
        let w = self.opx(&wide(N), GW, ShareMode::READ, 3).unwrap();
        let d = w.clone();
        wr(&w, b"A");
        self.out("dup.client-write", &wr(&d, b"B"), "");
        drop(w);
        self.out("dup.client-write-after-original-closed", &wr(&d, b"C"), "");
        let got: String = (0..3).map(|_| text(&s.try_read().unwrap().data)).collect();
        self.say("dup.client-order", &format!("got={got}"));
        let second = self.opx(&wide(N), GW, ShareMode::READ, 3);
        self.out("dup.second-open-while-duplicate-holds-share", &R::of(&second), "");
        drop((d, second));
        assert!(self.opx(&wide(N), GW, ShareMode::READ, 3).is_ok(), "the share mode outlives the handles");
    }

    pub(super) fn inherited(&self) {
        const N: &str = r"\\.\mailslot\msp_life";
        let buffer = &mut [0; 64];
        for (group, message) in [("inherit", "for-child"), ("inherit2", "second")] {
            let s = self.mk(N, 0, 0);
            if group == "inherit" {
                self.out("inherit.create-inheritable", &R::of(&s), "");
            }
            let (s, w) = (s.unwrap(), self.op(N).unwrap());
            let child = s.duplicate();
            wr(&w, message.as_bytes());
            let r = self.rd(&child, buffer);
            let data = format!("n={} bytes={}", r.n(), text(&buffer[..r.n()]));
            self.out(&format!("{group}.child-read"), &r, &data);
            self.info_line(&format!("{group}.parent-info-after-child-read"), &s);
            child.set_info(ReadTimeout::from_millis(321));
            self.out(&format!("{group}.child-setinfo"), &R::Ok(0), "");
            self.info_line(&format!("{group}.child-info"), &child);
            self.info_line(&format!("{group}.parent-info-after-child-setinfo"), &s);
            drop(s);
            self.out(&format!("{group}.write-parent-closed-child-holds"), &wr(&w, b"x"), "");
            if group == "inherit" {
                self.out("inherit.create-parent-closed-child-holds", &R::of(&self.mk(N, 0, 0)), "");
            } else {
                self.out("inherit2.open-parent-closed-child-holds", &R::of(&self.op(N)), "");
            }
            drop(child);
            if group == "inherit" {
                self.out("inherit.write-after-child-exit", &wr(&w, b"x"), "");
            } else {
                self.out("inherit2.create-after-child-exit", &R::of(&self.mk(N, 0, 0)), "");
            }
        }
        let (s, w) = self.pair(N, 0, 0);
        let r = wr(&w.clone(), b"inh");
        self.out("inherit.child-client-write", &r, &format!("n={}", r.n()));
        let r = self.rd(&s, buffer);
        self.out("inherit.read-childs-write", &r, &format!("n={}", r.n()));
        let child = self.op(N);
        self.out("proc.child-open", &R::of(&child), "");
        let r = wr(child.as_ref().unwrap(), b"child");
        self.out("proc.child-write", &r, &format!("n={}", r.n()));
        drop(child);
        self.info_line("proc.info-after-child-exit", &s);
        let r = self.rd(&s, buffer);
        self.out("proc.read-childs-message", &r, &format!("n={} bytes={}", r.n(), text(&buffer[..r.n()])));
        drop((s, w));
        let child = self.mk(N, 0, 0);
        self.out("proc.child-create", &R::of(&child), "");
        drop(child);
        self.out("proc.open-after-server-exit", &R::of(&self.op(N)), "");
        self.out("proc.create-after-server-exit", &R::of(&self.mk(N, 0, 0)), "");
    }
}

/// A `ReadFile` with an `OVERLAPPED`: the call's result and, while it is pending, the read.
struct Overlapped {
    call: R,
    read: Option<PendingRead>,
    bytes: Vec<u8>,
    end: Option<R>,
}

impl Overlapped {
    fn set(&mut self, result: Result<mailslot::slot::Message, MailslotError>) {
        self.end = Some(match result {
            Ok(message) => {
                self.bytes = message.data.to_vec();
                R::Ok(message.data.len())
            }
            Err(error) => R::Fail(error),
        });
    }

    fn poll(&mut self) -> Option<R> {
        if let Some(read) = &mut self.read
            && let Poll::Ready(result) = read.try_finish()
        {
            self.read = None;
            self.set(result);
        }
        self.end.clone()
    }

    fn result(&mut self) -> R {
        self.poll().unwrap_or(R::Blocked)
    }

    fn cancel(&mut self) {
        if let Some(read) = self.read.take() {
            self.set(read.cancel().ok_or(MailslotError::Aborted));
        }
    }

    fn bytes(&mut self) -> String {
        self.poll();
        text(&self.bytes)
    }
}

/// `p_ov.c`.
impl Run {
    fn start(&self, s: &Mailslot, capacity: usize) -> Overlapped {
        let mut o = Overlapped { call: R::Pending, read: None, bytes: Vec::new(), end: None };
        match s.start_read(self.now.get(), capacity) {
            Ok(ReadStart::Pending(read)) => o.read = Some(read),
            Ok(ReadStart::Complete(message)) => o.set(Ok(message)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => o.set(Err(error)),
        }
        if let Some(end) = &o.end {
            o.call = end.clone();
        }
        o
    }

    pub(super) fn overlapped(&self) {
        const N: &str = r"\\.\mailslot\msp_ov";
        for id in ["ov.server-handle-kind", "ov.native-handle-kind"] {
            let s = self.mk(N, 0, 400).unwrap();
            self.out(id, &self.start(&s, 64).call, "call-returned-at-once(handle is asynchronous)");
        }
        let (s, w) = self.pair(N, 0, FOREVER);
        wr(&w, b"ready");
        let mut o = self.start(&s, 64);
        self.out("ov.read-with-message.call", &o.call, &format!("n={}", o.call.n()));
        let r = o.result();
        let data = format!("n={} internal={:08x} high={}", r.n(), r.status(), r.n());
        self.out("ov.read-with-message.result", &r, &data);
        let mut o = self.start(&s, 64);
        self.out("ov.read-empty-forever.call", &o.call, "n=0");
        self.out("ov.read-empty-forever.poll", &o.poll().unwrap_or(R::Incomplete), "");
        wr(&w, b"later");
        let r = o.result();
        self.out("ov.read-empty-forever.after-write", &r, &format!("n={} bytes={}", r.n(), o.bytes()));
        let mut o = self.start(&s, 64);
        let mut wait = || if o.poll().is_some() { 0 } else { 258 };
        let before = wait();
        wr(&w, b"h");
        self.say("ov.wait-on-handle", &format!("before={before} after={}", wait()));
        self.out("ov.wait-on-handle.result", &o.result(), &format!("n={}", o.result().n()));
        let (mut o1, mut o2) = (self.start(&s, 64), self.start(&s, 64));
        wr(&w, b"first");
        wr(&w, b"second");
        for (id, o) in [("ov.two-pending.1", &mut o1), ("ov.two-pending.2", &mut o2)] {
            let r = o.result();
            self.out(id, &r, &format!("n={} bytes={}", r.n(), o.bytes()));
        }
        let (mut o1, mut o2) = (self.start(&s, 2), self.start(&s, 64));
        wr(&w, b"longer");
        self.out("ov.two-pending-small-first.1", &o1.result(), "n=0");
        self.out("ov.two-pending-small-first.2", &o2.result(), &format!("n={}", o2.result().n()));
        s.set_info(ReadTimeout::NONE);
        self.info_line("ov.two-pending-small-first.info", &s);
        s.set_info(ReadTimeout::FOREVER);
        let mut o = self.start(&s, 64);
        self.info_line("ov.info-while-pending", &s);
        self.out("ov.cancelio", &R::of(&s.cancel_reads()), "");
        let r = o.result();
        self.out("ov.cancelio.result", &r, &format!("n=0 internal={:08x}", r.status()));
        let (mut o1, mut o2) = (self.start(&s, 64), self.start(&s, 64));
        o1.cancel();
        self.out("ov.cancelioex-one", &R::Ok(0), "");
        self.out("ov.cancelioex-one.result", &o1.result(), "");
        self.out("ov.cancelioex-other-still-pending", &o2.result(), "");
        wr(&w, b"x");
        self.out("ov.cancelioex-other-served", &o2.result(), &format!("n={}", o2.result().n()));
        self.out("ov.cancelioex-nothing-pending", &R::of(&s.cancel_reads()), "");
        self.start(&s, 64).cancel();
        wr(&w, b"keep");
        self.info_line("ov.after-cancel-then-write", &s);
        s.try_read().unwrap();
        s.set_info(ReadTimeout::NONE);
        let r = self.start(&s, 64).result();
        self.out("ov.timeout0.result", &r, &format!("internal={:08x}", r.status()));
        s.set_info(ReadTimeout::from_millis(150));
        let mut o = self.start(&s, 64);
        self.out("ov.timeout150.call", &o.call, "");
        let (r, took) = self.timed(150, || {
            self.advance(149);
            assert!(o.poll().is_none());
            self.advance(1);
            o.result()
        });
        self.out("ov.timeout150.result", &r, &format!("wait={took} internal={:08x} n={}", r.status(), r.n()));
    }

    pub(super) fn overlapped_ends(&self) {
        const N: &str = r"\\.\mailslot\msp_ov";
        let (s, w) = self.pair(N, 0, FOREVER);
        wr(&w, b"0123456789");
        self.out("ov.small-buffer-present.call", &self.start(&s, 4).call, "n=0");
        self.info_line("ov.small-buffer-present.info", &s);
        s.try_read().unwrap();
        let mut o = self.start(&s, 4);
        wr(&w, b"0123456789");
        self.out("ov.small-buffer-pending.result", &o.result(), "n=0");
        self.info_line("ov.small-buffer-pending.info", &s);
        s.try_read().unwrap();
        let (mut sync, mut o) = (self.start(&s, 64), self.start(&s, 64));
        wr(&w, b"A");
        wr(&w, b"B");
        let data = format!(
            "sync={}:{} overlapped={}:{}",
            i32::from(sync.result().ok()),
            sync.bytes(),
            i32::from(o.result().ok()),
            o.bytes()
        );
        self.say("ov.sync-then-overlapped", &data);
        let mut o = self.start(&s, 64);
        drop(s);
        let event = |o: &mut Overlapped| {
            o.poll().map_or_else(|| "wait=258".to_owned(), |r| format!("wait=0 internal={:08x}", r.status()))
        };
        self.say("ov.close-with-pending.event", &event(&mut o));
        self.out("ov.close-with-pending.write-after", &wr(&w, b"z"), "");
        drop(w);
        self.say("ov.close-with-pending.event-after-client-closed", &event(&mut o));
        let s = self.mk(N, 0, 2000);
        self.out("ov.create-after-close-with-pending", &R::of(&s), "");
        let mut o = self.start(s.as_ref().unwrap(), 64);
        drop(s);
        let ended = if o.poll().is_some() { "ended soon after the close" } else { "still blocked" };
        self.say("ov.close-with-sync-pending", &format!("read-ok={} {ended}", i32::from(o.result().ok())));
    }
}

/// `p_nt.c`.
impl Run {
    pub(super) fn native(&self) {
        const N: &str = r"\??\MAILSLOT\msp_nt";
        let ticks = |timeout: ReadTimeout| match timeout.as_millis() {
            FOREVER => -1,
            millis => -10_000 * i64::from(millis),
        };
        let buffer = &mut [0; 64];
        let s = self.mk(N, 8, 0);
        self.nt("nt.create", &R::of(&s), "");
        let s = s.unwrap();
        self.nt("nt.create-dup", &R::of(&self.mk(N, 8, 0)), "");
        self.nt("nt.create-empty-leaf", &R::of(&self.mk(r"\??\MAILSLOT\", 8, 0)), "");
        self.nt("nt.create-device", &R::of(&self.mk(r"\??\MAILSLOT", 8, 0)), "");
        self.nt("nt.create-on-pipe", &R::of(&self.mk(r"\??\PIPE\msp_nt2", 8, 0)), "");
        let nothing = CreateOptions { access: Access::empty(), ..Default::default() };
        let path = SlotPath::parse(r"\??\MAILSLOT\msp_na").unwrap();
        self.nt("nt.create-access-0", &R::of(&self.registry.create(&path, nothing)), "");
        self.nt("nt.create-inner-double-backslash", &R::of(&self.mk(r"\??\MAILSLOT\a\\b", 8, 0)), "");
        let w = self.op(N);
        self.nt("nt.open-client", &R::of(&w), "");
        let w = w.unwrap();
        self.nt("nt.open-missing", &R::of(&self.op(r"\??\MAILSLOT\msp_missing")), "");
        self.nt("nt.read-empty-timeout0", &self.rd(&s, buffer), "");
        self.nt("nt.write-server", &R::sized(s.write(b"abcd")), "");
        self.nt("nt.write-client", &wr(&w, b"abcd"), "");
        self.nt("nt.read-client", &R::sized(w.read(buffer)), "");
        let Info { max_message_size: max, next_size, message_count: avail, read_timeout, .. } = s.info();
        let (next, to) = (next_size.unwrap(), ticks(read_timeout));
        self.nt(
            "nt.query-server",
            &R::Ok(0),
            &format!("max={max} quota=0 next={next} avail={avail} to={to}"),
        );
        let info = w.info();
        self.nt("nt.query-client", &R::of(&info), &info.map_or_else(|_| String::new(), info_text));
        self.nt("nt.read-too-small", &self.rd(&s, &mut [0; 2]), "");
        self.nt("nt.read-after-too-small", &self.rd(&s, buffer), "");
        self.nt("nt.write-over-max", &wr(&w, b"123456789"), "");
        self.nt("nt.read-after-over-max", &self.rd(&s, buffer), "");
        self.nt("nt.write-0", &wr(&w, b""), "");
        self.nt("nt.read-0", &self.rd(&s, buffer), "");
        s.set_info(ReadTimeout::from_millis(100));
        self.nt("nt.set-value-style", &R::Ok(0), "");
        self.nt("nt.set-value-style.query", &R::Ok(0), &format!("to={}", ticks(s.info().read_timeout)));
        drop(s);
        self.nt("nt.write-after-server-closed", &wr(&w, b"abcd"), "");
        drop(w);
        self.nt("nt.recreate-after-all-closed", &R::of(&self.mk(N, 0, 0)), "");
        let path = SlotPath::parse(r"\??\MAILSLOT\msp_nt3").unwrap();
        let options =
            CreateOptions { access: GR | GW, read_timeout: ReadTimeout::FOREVER, ..Default::default() };
        let s = self.registry.create(&path, options);
        self.nt("nt.create-null-timeout-async", &R::of(&s), "");
        let s = s.unwrap();
        self.nt("nt.null-timeout.query", &R::Ok(0), &format!("to={}", ticks(s.info().read_timeout)));
        self.nt("nt.write-server-opened-GRW", &R::sized(s.write(b"abcd")), "");
        let mut o = self.start(&s, 64);
        self.nt("nt.read-async-empty", &o.call, "");
        wr(&self.op(r"\\.\mailslot\msp_nt3").unwrap(), b"data");
        let r = o.result();
        assert_eq!(r.n(), 4);
        self.nt("nt.read-async-after-write", &r, "");
    }
}

/// `p_remote.c`. An open of a remote path checks nothing: it is a path and a plan for the first write.
impl Run {
    pub(super) fn remote(&self) {
        let (s, w) = self.pair(r"\\.\mailslot\msp_rem", 0, 0);
        self.out("remote.dot.open", &R::Ok(0), r"name=\\.\mailslot\msp_rem");
        let buffer = &mut [0; 70_000];
        for size in [0, 1, 400, 401, 424, 425, 426, 427, 428, 443, 512, 65_535] {
            let r = wr(&w, &vec![1; size]);
            let b = self.rd(&s, buffer);
            let data = format!("n={} locally-delivered=yes:{}", r.n(), b.n());
            self.out(&format!("remote.dot.write-{size}"), &r, &data);
        }
        for (tag, path, label) in [
            ("star", r"\\*\mailslot\msp_rem", None),
            ("domain", r"\\WORKGROUP\mailslot\msp_rem", None),
            ("localhost", r"\\localhost\mailslot\msp_rem", None),
            ("loopback-ip", r"\\127.0.0.1\mailslot\msp_rem", None),
            ("own-name", r"\\THISBOX\mailslot\msp_rem", Some(r"\\<computername>\mailslot\msp_rem")),
            ("nosuch-host", r"\\NOSUCHHOST\mailslot\msp_rem", None),
            ("star-missing", r"\\*\mailslot\msp_missing", None),
            ("own-missing", r"\\localhost\mailslot\msp_missing", None),
            ("unc-qmark", r"\\?\UNC\localhost\mailslot\msp_rem", None),
        ] {
            let opened = SlotPath::parse(path).and_then(|path| {
                assert!(!path.is_local());
                plan(&path.name, Destination::Group, 1, Profile::Nt, Alignment::Aligned)
            });
            self.out(
                &format!("remote.{tag}.open"),
                &R::of(&opened),
                &format!("name={}", label.unwrap_or(path)),
            );
        }
    }
}
