//! `lyncean compare`: pipelines that classify, side by side on labelled pictures.

use std::io::IsTerminal;
use std::path::PathBuf;

use indicatif::ProgressBar;

use super::{Exit, Outcome, console, load};
use crate::eval::dataset::Dataset;
use crate::eval::metrics::Interval;
use crate::eval::{Comparison, Contender, Options, Pair, compare};
use crate::{Error, Result};

/// Mistakes that a row of the table tells.
const MISTAKES: usize = 3;

/// Failed pictures that are told of each pipeline; `--json` has them all.
const FAILURES: usize = 5;

/// Compare pipelines that classify: accuracy, whether the difference is more than chance, and time.
///
/// The answer of a pipeline is the most probable class of its last stage that gives classes. A
/// picture that fails counts as wrong. Intervals are at 95%: Wilson's for accuracies, Newcombe's for
/// differences. Times are those of one thread from a picture in memory to its results, taken in turns.
/// Exit code: 0 when all went well, 1 when pictures failed, 2 when the command or a pipeline is wrong.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Pipeline files, or `builtin:NAME`
    #[arg(required = true)]
    pipelines: Vec<PathBuf>,
    /// Folder with one folder of pictures for each class, or with IDX files such as MNIST's; of data
    /// with a test split that is taken
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// Take so many pictures at most, at even steps through the data
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Write JSON, with confusion matrices and accuracies by class
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let one_thread = ["schedule.threads=1".to_owned()];
    let load = |path: &PathBuf| load::pipeline(path, &one_thread);
    let pipelines = args.pipelines.iter().map(load).collect::<Result<Vec<_>>>()?;
    let data = Dataset::open_for_test(&args.data)?;
    let limit = args.limit.map(|limit| limit as usize);
    let options = Options { limit, ..Options::default() };
    let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(0));
    let comparison = compare(&pipelines, &data, &options, &mut |done, all| {
        if let Some(bar) = &bar {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        }
    })?;
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if args.json {
        console::print_json(&comparison.to_json())?;
    } else {
        console::print(&tables(&comparison))?;
        let (images, all) = (comparison.images, data.len());
        console::say(&format!("{images} of {all} pictures in {} classes, 1 thread", data.classes().len()));
    }
    for contender in &comparison.contenders {
        for words in doubts(contender) {
            console::warn(&words);
        }
    }
    let is_done = comparison.contenders.iter().all(|contender| contender.failures.is_empty());
    Ok(if is_done { Exit::Done } else { Exit::Imperfect })
}

/// The pipelines, a row each, and below them the pairs.
fn tables(comparison: &Comparison) -> String {
    let header =
        ["pipeline", "accuracy", "95% interval", "right", "failed", "median ms", "min ms", "mistakes"];
    let mut text = console::table(header, comparison.contenders.iter().map(row));
    if !comparison.pairs.is_empty() {
        let header =
            ["first", "second", "points", "95% interval", "only first", "only second", "McNemar p", "test"];
        text += "\n\n";
        text += &console::table(header, comparison.pairs.iter().map(|pair| pair_row(comparison, pair)));
    }
    text
}

fn row(contender: &Contender) -> [String; 8] {
    let (accuracy, confusion) = (contender.accuracy(), &contender.confusion);
    let milliseconds = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), |time| format!("{time:.4}"));
    let mistakes = confusion.mistakes().into_iter().take(MISTAKES).map(|(class, column, count)| {
        format!("{} as {} ({count})", confusion.classes()[class], confusion.columns()[column])
    });
    [
        contender.name.clone(),
        format!("{:.2}%", accuracy.value() * 100.0),
        percent(accuracy.interval(), false),
        format!("{}/{}", accuracy.hits, accuracy.of),
        contender.failures.len().to_string(),
        milliseconds(contender.time.map(|time| time.median_ms)),
        milliseconds(contender.time.map(|time| time.min_ms)),
        mistakes.collect::<Vec<_>>().join(", "),
    ]
}

fn pair_row(comparison: &Comparison, pair: &Pair) -> [String; 8] {
    let (counts, test) = (pair.counts, pair.counts.test());
    let name = |index: usize| comparison.contenders[index].name.clone();
    [
        name(pair.first),
        name(pair.second),
        format!("{:+.2}", counts.difference() * 100.0),
        percent(counts.interval(), true),
        counts.only_first.to_string(),
        counts.only_second.to_string(),
        if test.p < 1e-4 { "< 0.0001".to_owned() } else { format!("{:.4}", test.p) },
        test.method().to_owned(),
    ]
}

/// The ends in percent, with signs where it is a difference.
fn percent(interval: Interval, signed: bool) -> String {
    let (low, high) = (interval.low * 100.0, interval.high * 100.0);
    if signed { format!("{low:+.2} to {high:+.2}") } else { format!("{low:.2} to {high:.2}") }
}

/// What the numbers of a pipeline do not tell.
fn doubts(contender: &Contender) -> Vec<String> {
    let name = &contender.name;
    let told = contender.failures.iter().take(FAILURES);
    let mut words: Vec<String> =
        told.map(|failure| format!("{name}: {}: {}", failure.image, brief(&failure.error))).collect();
    if let more @ 1.. = contender.failures.len().saturating_sub(FAILURES) {
        words.push(format!("{name}: {more} pictures more failed; `--json` lists them all"));
    }
    let strangers = contender.confusion.strangers();
    if !strangers.is_empty() {
        let strangers = strangers.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        words.push(format!("{name}: gave {strangers}, which no class of the data is called"));
    }
    words
}

/// An error in one line.
fn brief(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::eval::metrics::{Confusion, Paired};
    use crate::eval::{Failure, Time};

    fn contender(name: &str, answers: &[(usize, Option<&str>)]) -> Contender {
        let mut confusion = Confusion::new(&["cat", "dog"].map(str::to_owned));
        let mut failures = Vec::new();
        for &(truth, answer) in answers {
            confusion.add(truth, answer);
            if answer.is_none() {
                let error = Arc::new(Error::input("torn").with_hint("glue"));
                failures.push(Failure { image: "dog/1.png".into(), error });
            }
        }
        let time = Some(Time { median_ms: 1.5, min_ms: 0.25 });
        Contender { name: name.into(), stage: "classify".into(), confusion, failures, time }
    }

    #[test]
    fn tables_tell_pipelines_and_pairs_in_order() {
        let first = contender("b", &[(0, Some("cat")), (0, Some("cat")), (1, Some("cat")), (1, None)]);
        let second =
            contender("a", &[(0, Some("cow")), (0, Some("cat")), (1, Some("dog")), (1, Some("dog"))]);
        let counts = Paired { both: 1, only_first: 1, only_second: 2, neither: 0 };
        let comparison = Comparison {
            classes: ["cat", "dog"].map(str::to_owned).to_vec(),
            images: 4,
            contenders: vec![first, second],
            pairs: vec![Pair { first: 0, second: 1, counts }],
        };
        let expected = "\
pipeline|accuracy|95% interval|right|failed|median ms|min ms|mistakes
b|50.00%|15.00 to 85.00|2/4|1|1.5000|0.2500|dog as cat (1)
a|75.00%|30.06 to 95.44|3/4|0|1.5000|0.2500|cat as cow (1)

first|second|points|95% interval|only first|only second|McNemar p|test
b|a|-25.00|-74.69 to +46.13|1|2|1.0000|exact-binomial";
        let cells = |line: &str| {
            let cells = line.trim().split("  ").map(str::trim).filter(|cell| !cell.is_empty());
            cells.collect::<Vec<_>>().join("|")
        };
        let told = tables(&comparison).lines().map(cells).collect::<Vec<_>>().join("\n");
        assert_eq!(told, expected);
        assert_eq!(doubts(&comparison.contenders[0]), ["b: dog/1.png: torn"]);
        assert_eq!(
            doubts(&comparison.contenders[1]),
            ["a: gave `cow`, which no class of the data is called"]
        );
    }

    #[test]
    fn many_failures_are_told_in_short() {
        let words = doubts(&contender("a", &[(1, None); 8]));
        assert_eq!(
            (words.len(), words[5].as_str()),
            (6, "a: 3 pictures more failed; `--json` lists them all")
        );
    }
}
