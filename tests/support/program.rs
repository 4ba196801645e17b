//! The built program, run in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lyncean::image::Image;
use lyncean::image::codec::{self, Format, Limits, WriteOptions};
use serde_json::Value as Json;

/// A temporary folder to run the program in.
pub(crate) struct Room(tempfile::TempDir);

/// What the program said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Every line of stdout as JSON.
    pub(crate) fn records(&self) -> Vec<Json> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Room {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders it lies in.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Writes a picture.
    pub(crate) fn picture(&self, name: &str, image: &Image) {
        let format = Format::from_name(name).unwrap();
        self.write(name, codec::encode(image, format, &WriteOptions::default()).unwrap());
    }

    /// Copies one of `fixtures/files`.
    pub(crate) fn fixture(&self, from: &str, name: &str) {
        self.write(name, fixture(from));
    }

    /// Reads a picture that the program wrote.
    pub(crate) fn read(&self, name: &str) -> Image {
        codec::read(self.path(name), &Limits::default()).unwrap().image
    }

    /// Every file below a folder but the run's own (journal, manifest, failures), sorted, with `/`
    /// between the parts.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, found);
                } else {
                    let below = path.strip_prefix(root).unwrap();
                    found.push(below.display().to_string().replace('\\', "/"));
                }
            }
        }
        let root = self.path(folder);
        let mut found = Vec::new();
        if root.is_dir() {
            walk(&root, &root, &mut found);
        }
        found.retain(|name| !["journal.jsonl", "run.json", "failures.jsonl"].contains(&name.as_str()));
        found.sort();
        found
    }

    /// The program with arguments, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lyncean"));
        command.current_dir(self.0.path()).args(arguments).env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }
}

/// The bytes of one of `fixtures/files`.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/files").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
