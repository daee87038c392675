//! `mailslot ls` and `mailslot info` on a machine's slots.

use crate::Machine;

fn output(machine: &Machine, args: &[&str]) -> (Option<i32>, String, String) {
    let output = machine.program().args(args).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn slots_are_shown() {
    let machine = Machine::new();
    assert_eq!(output(&machine, &["ls"]).0, Some(1), "nobody listens");
    let soda = machine.create("soda");
    machine.open("soda").write(b"12 left").expect("room");
    let (code, shown, _) = output(&machine, &["ls"]);
    assert_eq!(code, Some(0));
    let line: Vec<&str> = shown.lines().nth(1).expect("one slot").split_whitespace().collect();
    assert_eq!((line[0], &line[2..5]), ("soda", &["1", "0", "0"][..]), "{shown}");
    assert!(shown.contains(&format!("process {}", std::process::id())), "{shown}");
    assert_eq!(output(&machine, &["ls", "j*"]).0, Some(1));
    let (code, shown, _) = output(&machine, &["info", "--json", "//./mailslot/SODA"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!((code, &shown["next_size"], &shown["accepted"]), (Some(0), &7.into(), &1.into()));
    let (code, shown, _) = output(&machine, &["info", "soda"]);
    assert!(code == Some(0) && shown.contains("next message:    7 bytes"), "{shown}");
    let (code, _, said) = output(&machine, &["info", "juice"]);
    assert!(code == Some(1) && said.contains("no mailslot 'juice'"), "{said}");
    let (code, _, said) = output(&machine, &["info", "//PC7/mailslot/soda"]);
    assert!(code == Some(2) && said.contains("another machine"), "{said}");
    drop(soda);
}
