//! What Samba's nmbd said in the captures is what the machine says, but for the fields that each file names.
//!
//! `testdata/conformance/browser/<case>/`: `setup` is what the machine is, where the frames are from, and for how long it
//! runs after the last input; `NN-input` is a message, `NN-output` one that must be the answer, in order and with nothing
//! between. `differs a..b field: reason` are bytes that must differ.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mailslot::service::browser::{Browser, Config, Event, Input, LanmanAnnounce, Maintain, Slot, Target};
use mailslot::service::{Limits, Machine};
use mailslot::wire::browser::{ElectionOs, ServerType};
use mailslot::wire::name::NetbiosName;

/// A message, or the release of a name.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Message { slot: Slot, from: NetbiosName, to: NetbiosName, data: Vec<u8> },
    Release(NetbiosName),
}

fn parse(text: &str) -> (Step, Vec<Range<usize>>) {
    let mut lines = text.lines();
    let first = lines.next().expect("a line");
    if let Some(name) = first.strip_prefix("release ") {
        return (Step::Release(name.parse().expect("a name")), Vec::new());
    }
    let (slot, ends) = first.split_once(' ').expect("a slot");
    let slot = if slot == "LANMAN" { Slot::Lanman } else { Slot::Browse };
    let (from, to) = ends.split_once(" > ").expect("two names");
    let data = hex::decode(lines.next().expect("a message")).expect("hex");
    let differs = lines.filter_map(|line| line.strip_prefix("differs ")).map(|line| {
        let (range, reason) = line.split_once(' ').expect("a reason");
        assert!(reason.contains(": "), "{line}");
        let (start, end) = range.split_once("..").expect("a range");
        start.parse().expect("a number")..end.parse().expect("a number")
    });
    let differs = differs.collect();
    (
        Step::Message { slot, from: from.parse().expect("a name"), to: to.parse().expect("a name"), data },
        differs,
    )
}

struct World {
    browser: Browser,
    computer: NetbiosName,
    now: Duration,
    said: Vec<Step>,
}

impl World {
    /// Every name is to be had.
    fn drain(&mut self) {
        while let Some(event) = self.browser.poll_event() {
            match event {
                Event::Write { target, slot, data } => {
                    let (Target::Group(to) | Target::Computer(to)) = target else { panic!("{target:?}") };
                    self.said.push(Step::Message { slot, from: self.computer, to, data });
                }
                Event::Claim { name, .. } => {
                    self.browser.handle_input(self.now, Input::Name { name, is_ours: true });
                }
                Event::Release { name } => self.said.push(Step::Release(name)),
                _ => {}
            }
        }
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.browser.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.browser.handle_timeout(at);
            self.drain();
        }
        self.now = end;
    }
}

/// `kind computer "comment" type os-level flag`, where it is from, `for N ms`.
fn set_up(text: &str) -> (World, Duration) {
    let mut lines = text.lines();
    let mut quoted = lines.next().expect("a line").split('"');
    let mut words = quoted.next().expect("words").split_whitespace();
    let (kind, computer) =
        (words.next().expect("a kind"), words.next().expect("a name").parse().expect("a name"));
    let comment = quoted.next().expect("a comment");
    let numbers: Vec<&str> = quoted.next().expect("numbers").split_whitespace().collect();
    let [server_type, os, flag] = numbers[..] else { panic!("{text}") };
    let time = lines.next_back().and_then(|line| line.strip_prefix("for ")?.strip_suffix(" ms"));
    let time = Duration::from_millis(time.expect("a time").parse().expect("a number"));

    let mut config = Config::new(&computer, &"WORKGROUP".parse().expect("a name"));
    config.set_comment(comment.as_bytes()).expect("a comment");
    config.maintain = if flag == "preferred" { Maintain::Auto } else { Maintain::No };
    config.server_type = ServerType::from_bits_retain(u32::from_str_radix(server_type, 16).expect("hex"));
    config.election_os = Some(ElectionOs(u8::from_str_radix(os, 16).expect("hex")));
    config.preferred = flag == "preferred";
    config.lanman = if flag == "lanman" { LanmanAnnounce::Yes } else { LanmanAnnounce::Auto };
    let browser = Browser::new(config, Limits::default(), 5);
    let mut world = World { browser, computer, now: Duration::ZERO, said: Vec::new() };
    if kind == "master" {
        world.browser.start(Duration::ZERO);
        while !world.browser.role().is_master() {
            world.run_for(Duration::from_millis(100));
        }
        world.run_for(Duration::from_secs(300));
        world.said.clear();
    } else {
        world.browser.start(Duration::ZERO);
        world.browser.handle_timeout(Duration::ZERO);
        world.drain();
    }
    if kind == "goodbye" {
        world.said.clear();
        world.browser.stop(Duration::ZERO);
        world.drain();
    }
    (world, time)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_machine_says_what_nmbd_said() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/conformance/browser");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|case| case.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 8);
    for case in cases {
        let (mut world, time) = set_up(&read(&case.join("setup")));
        let mut files: Vec<PathBuf> = fs::read_dir(&case).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let mut expected = Vec::new();
        for file in files.iter().filter(|file| !file.ends_with("setup")) {
            let (step, differs) = parse(&read(file));
            if file.to_string_lossy().ends_with("-output") {
                expected.push((file, step, differs));
                continue;
            }
            let Step::Message { slot, from, to, data } = step else { panic!("{}", file.display()) };
            let input = Input::Message { slot, source: from, destination: to, peer: None, data: &data };
            world.browser.handle_input(world.now, input);
            world.drain();
        }
        world.run_for(time);
        assert_eq!(world.said.len(), expected.len(), "{}: {:?}", case.display(), world.said);
        for (mut ours, (file, theirs, differs)) in world.said.into_iter().zip(expected) {
            if let (Step::Message { data: ours, .. }, Step::Message { data: theirs, .. }) =
                (&mut ours, &theirs)
            {
                for range in differs {
                    assert_ne!(ours[range.clone()], theirs[range.clone()], "{} {range:?}", file.display());
                    ours[range.clone()].copy_from_slice(&theirs[range]);
                }
            }
            assert_eq!(ours, theirs, "{}", file.display());
        }
    }
}
