//! What a browse list of 10,000 servers costs: a master serves it and a client fetches it, page by page, over a real
//! session on loopback. Prints the CPU time of the server, and of both together, for one whole list.
//!
//!     browse_list [SERVERS] [ROUNDS]
//!
//! Each node has a thread of its own, and the kernel says what the thread used: system calls and both ends of the session
//! included.

use core::time::Duration;

use mailslot::node::{ListHost, LoopbackLan, Node, NodeBrowser};
use mailslot::service::Limits;
use mailslot::service::browser::{Config, Maintain, Role};
use mailslot::slot::SlotPath;
use mailslot::wire::Encode;
use mailslot::wire::browser::{Announcement, BrowserFrame, ServerType, Version};
use mailslot::wire::name::Suffix;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

/// The longest that a computer can have.
const COMMENT: &[u8] = b"forty-two bytes of comment, which is most.";

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn node(lan: LoopbackLan, name: &str, limits: Limits) -> Node {
    let node = Node::builder().name(name).loopback(lan).limits(limits).start().await.expect("a node");
    node.ready().await.expect("its names");
    node
}

/// A master whose list has so many servers besides itself; all of them announced themselves.
async fn master(lan: LoopbackLan, servers: usize) -> (Node, NodeBrowser) {
    let mut limits = Limits::default();
    limits.browse_messages_per_source = u32::MAX;
    limits.browse_messages = u32::MAX;
    limits.browse_entries_per_address = usize::MAX;
    // One list after the other, each of many pages.
    limits.browse_answers = u32::MAX;
    let master = node(lan, "MASTER", limits).await;
    let mut config = Config::new(&master.name(), &master.workgroup());
    config.maintain = Maintain::Auto;
    let browser = master.start_browser(config).expect("the slots are free");
    browser.wait_for(|status| status.role == Role::LocalMaster).await;
    let teller = node(lan, "TELLER", limits).await;
    let to = SlotPath::parse(r"\\.\mailslot\BROWSE").expect("a path");
    let group = teller.workgroup().with_suffix(Suffix::LOCAL_MASTER_BROWSER);
    for number in 0..servers {
        let server = format!("SERVER{number:05}");
        let types = ServerType::SERVER | ServerType::NT;
        let frame = Announcement::new(server.as_bytes(), Version::new(10, 0), types, 720_000, COMMENT);
        let frame = BrowserFrame::HostAnnouncement(frame.expect("short")).to_bytes();
        teller.write_to_group(&to, group, &frame).await.expect("sent");
        // No more at a time than the slot holds.
        if number % 100 == 99 {
            browser.wait_for(|status| status.servers.len() > number).await;
        }
    }
    browser.wait_for(|status| status.servers.len() > servers).await;
    (master, browser)
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let servers: usize = arguments.next().unwrap_or(10_000);
    let rounds: usize = arguments.next().unwrap_or(20);
    let lan = LoopbackLan::of_this_process();
    let (asking, mut asked) = mpsc::unbounded_channel::<oneshot::Sender<Duration>>();
    let (ready, is_ready) = oneshot::channel();
    // Ends with the process.
    std::thread::spawn(move || {
        runtime().block_on(async {
            let _master = master(lan, servers).await;
            let _ = ready.send(());
            while let Some(answer) = asked.recv().await {
                let _ = answer.send(cpu());
            }
        });
    });
    let server_cpu = async || {
        let (answer, told) = oneshot::channel();
        asking.send(answer).expect("the master lives");
        told.await.expect("the master lives")
    };
    let measured = runtime().block_on(async {
        is_ready.await.expect("a master");
        let client = node(lan, "CLIENT", Limits::default()).await;
        let mut measured = Vec::new();
        for _ in 0..rounds {
            let before = (server_cpu().await, cpu());
            let list = client.server_enum(
                ListHost::Name("MASTER".parse().expect("a name")),
                ServerType::all(),
                None,
            );
            let list = list.await.expect("a list");
            assert!(list.servers.len() > servers, "{} servers", list.servers.len());
            let after = (server_cpu().await, cpu());
            measured.push((after.0 - before.0, after.1 - before.1));
        }
        measured
    });
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let of_server = median(measured.iter().map(|(server, _)| *server).collect());
    let of_both = median(measured.iter().map(|(server, client)| *server + *client).collect());
    let worst = measured.iter().map(|(server, _)| *server).max().unwrap_or_default().as_secs_f64() * 1e3;
    println!(
        "{} servers, {rounds} lists: CPU of the server {of_server:.2} ms (at most {worst:.2} ms), of both {of_both:.2} ms",
        servers + 1
    );
}
