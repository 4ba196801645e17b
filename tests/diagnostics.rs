//! Broken pipeline files, and the exact words said about them, kept beside them in
//! `tests/diagnostics/`. `BLESS=1` writes the words anew.

use std::path::{Path, PathBuf};

use lyncean::pipeline::Pipeline;

/// The broken files, as paths from the root of the package, where tests are started.
fn broken() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("tests/diagnostics").unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    files
}

fn words(path: &Path) -> String {
    let error = match Pipeline::load(path) {
        Ok(_) => panic!("{} is not broken", path.display()),
        Err(error) => error,
    };
    let problems = error.diagnostics().unwrap_or_else(|| panic!("{}: {error}", path.display()));
    let text = format!("{}\n", problems.render());
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

#[test]
fn broken_files_are_told_in_exactly_these_words() {
    let files = broken();
    assert!(files.len() >= 12, "{files:?}");
    let mut wrong = Vec::new();
    for path in files {
        let kept = path.with_extension("txt");
        let words = words(&path);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&kept, &words).unwrap();
        }
        let expected = std::fs::read_to_string(&kept).unwrap_or_default();
        if words != expected {
            wrong.push(format!("{}, expected:\n{expected}\ngot:\n{words}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_problem_of_a_file_is_told_in_its_order() {
    let error = Pipeline::load("tests/diagnostics/three-errors.toml").err().unwrap();
    let problems = error.diagnostics().unwrap();
    let found: Vec<(String, usize)> = problems
        .sorted()
        .iter()
        .map(|problem| (problem.code.to_string(), problems.source().line_column(problem.span.start).0))
        .collect();
    let expected = [("P005", 9), ("P002", 13), ("P006", 16)].map(|(code, line)| (code.to_owned(), line));
    assert_eq!(found, expected);
}

/// One cause, one message: what follows from a wrong stage is not told as well.
#[test]
fn a_wrong_stage_is_not_told_twice() {
    let text =
        "version = 1\n[[stage]]\nuse = \"gary\"\n[[stage]]\nuse = \"canny\"\n[[stage]]\nuse = \"label\"\n";
    let error = Pipeline::from_toml(text).err().unwrap();
    let codes: Vec<String> =
        error.diagnostics().unwrap().sorted().iter().map(|problem| problem.code.to_string()).collect();
    assert_eq!(codes, ["P006"]);
}
