//! Ends before the end: closed pipes and Ctrl-C.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use lyncean::image::ImageType;

use crate::support::pictures::picture;
use crate::support::program::{Room, Said};

/// A run over the same picture so many times that it is not done before it is stopped.
fn long_run(room: &Room) -> Child {
    room.write("p.toml", "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"gaussian-blur\"\n");
    room.picture("a.png", &picture(ImageType::Rgb8, 200, 200));
    let mut arguments = vec!["run", "p.toml", "-j", "2"];
    arguments.extend(std::iter::repeat_n("a.png", 20_000));
    room.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_closed_pipe_is_success() {
    let room = Room::new();
    let mut child = long_run(&room);
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"image\":\"a.png\",\"status\":\"ok\""), "{first}");
    // The reader is gone by now.
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (0, ""));
}

#[test]
fn every_command_takes_a_closed_pipe() {
    let room = Room::new();
    for arguments in [&["schema"][..], &["stages"], &["completions", "bash"], &["stages", "--json"]] {
        let mut child =
            room.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let said = Said::of(child.wait_with_output().unwrap());
        assert_eq!(said.code, 0, "{arguments:?} {said:?}");
        assert!(!said.err.contains("panicked"), "{arguments:?} {said:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_what_is_under_way() {
    let room = Room::new();
    let mut child = long_run(&room);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    out.read_line(&mut text).unwrap();
    let status = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    out.read_to_string(&mut text).unwrap();
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{said:?}");
    assert!(text.ends_with("}\n"), "no record is torn");
    let records = text.lines().count();
    assert!((1..20_000).contains(&records));
    for line in text.lines() {
        assert!(line.starts_with("{\"image\":\"a.png\",\"status\":\"ok\""), "{line}");
    }
    assert!(said.err.contains("interrupted"), "{}", said.err);
    let left = 20_000 - records;
    assert!(said.err.contains(&format!("{left} not begun or given up")), "{}", said.err);
}
