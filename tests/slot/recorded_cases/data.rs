//! `p_data.c`: sizes, buffers, the empty slot, order, depth.

use super::*;

impl Run {
    pub(super) fn sizes(&self) {
        let mut cases = vec![
            ("zero", 0, 0),
            ("zero", 16, 0),
            ("exact", 16, 16),
            ("over", 16, 17),
            ("under", 16, 15),
            ("max1", 1, 1),
            ("max1", 1, 2),
        ];
        cases.extend(
            [
                400, 424, 425, 426, 427, 428, 4093, 4094, 4096, 65534, 65535, 65536, 65537, 131_072, 200_000,
                212_000, 212_960, 262_144, 1_048_576, 4_194_304,
            ]
            .map(|n| ("any", 0, n)),
        );
        cases.push(("max-1", FOREVER, 100));
        let mut buffer = vec![0; (4 << 20) + 16];
        for (tag, max, n) in cases {
            let (s, w) = self.pair(r"\\.\mailslot\msp_data", max, 0);
            let big: Vec<u8> = (0..n).map(|i: usize| ((i * 31 + (i >> 8)) & 0xFF) as u8).collect();
            let a = wr(&w, &big);
            let info = s.info();
            let b = self.rd(&s, &mut buffer);
            let next = info.next_size.map_or(-1, |n| i64::try_from(n).unwrap());
            let read = match &b {
                R::Ok(n) => format!("ok:{n}"),
                other => format!("fail:{}", other.code()),
            };
            let same = if b.ok() && b.n() == n && buffer[..n] == big[..] { "yes" } else { "no" };
            let count = info.message_count;
            let data = format!("written={} next={next} count={count} read={read} same={same}", a.n());
            self.out(&format!("size.{tag}.max{max}.write{n}"), &a, &data);
        }
    }

    pub(super) fn small_buffers(&self) {
        const N: &str = r"\\.\mailslot\msp_data";
        let ten = b"0123456789";
        let buffer = &mut [b'.'; 64];
        let (s, w) = self.pair(N, 0, 0);
        wr(&w, ten);
        let r = self.rd(&s, &mut buffer[..4]);
        self.out("read.small-buffer", &r, &format!("n={} first-bytes={}", r.n(), text(&buffer[..4])));
        self.info_line("read.small-buffer.info-after", &s);
        let r = self.rd(&s, &mut buffer[..9]);
        self.out("read.one-too-small", &r, &format!("n={} first-bytes={}", r.n(), text(&buffer[..9])));
        let r = self.rd(&s, &mut buffer[..10]);
        self.out("read.exact-after-small", &r, &format!("n={} bytes={}", r.n(), text(&buffer[..10])));
        self.info_line("read.info-after-exact", &s);
        wr(&w, ten);
        wr(&w, b"abc");
        let r = self.rd(&s, &mut buffer[..4]);
        self.out("read.small-buffer-then-big.first", &r, &format!("n={}", r.n()));
        let r = self.rd(&s, buffer);
        let got = text(&buffer[..r.n()]);
        self.out("read.small-buffer-then-big.second", &r, &format!("n={} bytes={got}", r.n()));
        drop((s, w));
        let (s, w) = self.pair(N, 0, 0);
        let n = |id: &str, r: &R| self.out(id, r, &format!("n={}", r.n()));
        wr(&w, ten);
        n("read.zero-buffer.message-10", &self.rd(&s, &mut []));
        self.info_line("read.zero-buffer.info-after", &s);
        s.try_read().unwrap();
        wr(&w, b"");
        self.info_line("read.zero-message.info", &s);
        n("read.zero-buffer.message-0", &self.rd(&s, &mut []));
        self.info_line("read.zero-buffer.message-0.info-after", &s);
        wr(&w, b"");
        n("read.big-buffer.message-0", &self.rd(&s, buffer));
        n("read.big-buffer.message-0.again", &self.rd(&s, buffer));
        wr(&w, b"a");
        wr(&w, b"");
        wr(&w, b"bc");
        self.info_line("read.mixed.info0", &s);
        for i in 1..=3 {
            n(&format!("read.mixed.{i}"), &self.rd(&s, buffer));
            self.info_line(&format!("read.mixed.info{i}"), &s);
        }
        n("write.null-buffer-0", &wr(&w, b""));
        self.info_line("write.null.info-after", &s);
    }

    pub(super) fn empty_slot(&self) {
        const N: &str = r"\\.\mailslot\msp_data";
        let buffer = &mut [b'.'; 16];
        let (s, _w) = self.pair(N, 0, 0);
        let (r, took) = self.timed(0, || self.rd(&s, buffer));
        let touched = if buffer[0] == b'.' { "untouched" } else { "touched" };
        self.out("empty.timeout0", &r, &format!("n={} wait={took} buffer={touched}", r.n()));
        let (r, took) = self.timed(0, || self.rd(&s, &mut []));
        self.out("empty.timeout0.zero-buffer", &r, &format!("n={} wait={took}", r.n()));
        s.set_info(ReadTimeout::from_millis(100));
        let (r, took) = self.timed(100, || self.rd(&s, buffer));
        self.out("empty.timeout100", &r, &format!("n={} wait={took}", r.n()));
        let (r, took) = self.timed(100, || self.rd(&s, &mut []));
        self.out("empty.timeout100.zero-buffer", &r, &format!("n={} wait={took}", r.n()));
        s.set_info(ReadTimeout::from_millis(1));
        let (r, took) = self.timed(1, || self.rd(&s, buffer));
        let took = if took == "about-1ms" { "<100ms" } else { "late" };
        self.out("empty.timeout1", &r, &format!("n={} wait={took}", r.n()));
        drop((s, _w));
        for (id, timeout) in [("timeout1000", 1000), ("forever", FOREVER)] {
            let (s, w) = self.pair(N, 0, timeout);
            let (r, took) = self.timed(200, || self.read_with(&s, buffer, 200, || drop(wr(&w, b"late!"))));
            let data = format!("n={} wait={took} bytes={}", r.n(), text(&buffer[..r.n()]));
            self.out(&format!("empty.{id}.write-at-200"), &r, &data);
        }
        let (s, w) = self.pair(N, 0, FOREVER);
        self.out("empty.forever.no-writer", &self.read_with(&s, buffer, 600, || ()), "after=600ms");
        let r = self.read_with(&s, buffer, 200, || drop(wr(&w, b"")));
        self.out("empty.forever.zero-byte-write-at-200", &r, &format!("n={}", r.n()));
        self.info_line("empty.forever.zero-byte-write.info-after", &s);
        let r = self.read_with(&s, &mut buffer[..4], 200, || drop(wr(&w, b"0123456789")));
        self.out("empty.forever.pending-small-buffer", &r, &format!("n={}", r.n()));
        self.info_line("empty.forever.pending-small-buffer.info-after", &s);
        drop((s, w));
        let (s, w) = self.pair(N, 0, 2000);
        let read = || self.read_with(&s, &mut buffer[..4], 200, || drop(wr(&w, b"0123456789")));
        let (r, took) = self.timed(200, read);
        self.out("empty.timeout2000.pending-small-buffer", &r, &format!("n={} wait={took}", r.n()));
    }

    pub(super) fn order_and_depth(&self) {
        const N: &str = r"\\.\mailslot\msp_data";
        let buffer = &mut [0; 64];
        let (s, w) = self.pair(N, 0, 0);
        let second = self.op(N).unwrap();
        for (from, digit) in
            [(&w, b"1"), (&second, b"2"), (&second, b"3"), (&w, b"4"), (&second, b"5"), (&w, b"6")]
        {
            wr(from, digit);
        }
        let got: String = (0..6).map(|_| (self.rd(&s, buffer).ok(), char::from(buffer[0])).1).collect();
        self.say("order.two-writers-interleaved", &format!("second-open=1 sent=123456 got={got}"));
        let accepted = (b'0'..=b'8').filter(|&digit| wr(&w, &[digit]).ok()).count();
        let info = s.info();
        let wrong = (b'0'..=b'8').filter(|&digit| !self.rd(&s, buffer).ok() || buffer[0] != digit).count();
        let (next, count) = (info.next_size.unwrap(), info.message_count);
        self.say(
            "order.nine-of-one-writer",
            &format!("accepted={accepted} next={next} count={count} wrong={wrong}"),
        );
        wr(&w, b"ab");
        wr(&w, b"cd");
        let r = self.rd(&s, buffer);
        self.out(
            "boundary.two-writes-one-read",
            &r,
            &format!("n={} bytes={}", r.n(), text(&buffer[..r.n()])),
        );
        drop((s, w, second));
        for size in [1, 64, 424, 4096, 60_000] {
            let (s, w) = self.pair(N, 0, 0);
            let (data, mut n, mut r) = (vec![7; size], 0, R::Ok(0));
            while n < 2000 && n * size <= 12 << 20 {
                r = wr(&w, &data);
                if !r.ok() {
                    break;
                }
                n += 1;
            }
            let (info, stopped) = (s.info(), if r.ok() { "(stopped by us)" } else { "" });
            let (next, count) = (info.next_size.unwrap(), info.message_count);
            let data = format!("accepted={n}{stopped} next={next} count={count}");
            self.out(&format!("depth.{size}-byte-messages"), &r, &data);
        }
    }
}
