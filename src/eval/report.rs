//! A comparison as JSON. Words and tables are the command line's.

use serde_json::{Value as Json, json};

use super::compare::{Comparison, Contender, Pair};
use super::metrics::{CONFIDENCE, Interval};

impl Comparison {
    /// All that is known, as JSON. It is the same in every run, but for the times, which are `null`
    /// where every picture failed.
    ///
    /// ```text
    /// {"images": N, "classes": [...], "confidence": 0.95,
    ///  "pipelines": [{"name", "stage", "accuracy", "interval": [low, high], "correct",
    ///                 "failures": [{"image", "kind", "error"}],
    ///                 "median-ms", "min-ms",
    ///                 "by-class": [{"class", "images", "correct", "accuracy"}],
    ///                 "confusion": {"columns": [...], "rows": [[...]], "failed": [...]}}],
    ///  "pairs": [{"first": index, "second": index, "difference", "interval": [low, high],
    ///             "right": {"both", "only-first", "only-second", "neither"},
    ///             "mcnemar": {"method": "exact-binomial" or "chi-square", "statistic", "p"}}]}
    /// ```
    pub fn to_json(&self) -> Json {
        json!({
            "images": self.images,
            "classes": self.classes,
            "confidence": CONFIDENCE,
            "pipelines": self.contenders.iter().map(contender).collect::<Json>(),
            "pairs": self.pairs.iter().map(pair).collect::<Json>(),
        })
    }
}

fn contender(contender: &Contender) -> Json {
    let (accuracy, confusion) = (contender.accuracy(), &contender.confusion);
    let classes = || 0..confusion.classes().len();
    let failures = contender.failures.iter().map(|failure| {
        let error = &failure.error;
        json!({"image": failure.image, "kind": error.kind().as_str(), "error": error.to_string()})
    });
    let by_class = classes().map(|class| {
        let accuracy = confusion.class_accuracy(class);
        json!({
            "class": confusion.classes()[class],
            "images": accuracy.of,
            "correct": accuracy.hits,
            // There is none where the class has no picture.
            "accuracy": (accuracy.of > 0).then(|| accuracy.value()),
        })
    });
    json!({
        "name": contender.name,
        "stage": contender.stage,
        "accuracy": accuracy.value(),
        "interval": interval(accuracy.interval()),
        "correct": accuracy.hits,
        "failures": failures.collect::<Json>(),
        "median-ms": contender.time.map(|time| time.median_ms),
        "min-ms": contender.time.map(|time| time.min_ms),
        "by-class": by_class.collect::<Json>(),
        "confusion": {
            "columns": confusion.columns(),
            "rows": classes().map(|class| confusion.row(class)).collect::<Vec<_>>(),
            "failed": classes().map(|class| confusion.failed(class)).collect::<Vec<_>>(),
        },
    })
}

fn pair(pair: &Pair) -> Json {
    let (counts, test) = (pair.counts, pair.counts.test());
    json!({
        "first": pair.first,
        "second": pair.second,
        "difference": counts.difference(),
        "interval": interval(counts.interval()),
        "right": {
            "both": counts.both,
            "only-first": counts.only_first,
            "only-second": counts.only_second,
            "neither": counts.neither,
        },
        "mcnemar": {"method": test.method(), "statistic": test.statistic, "p": test.p},
    })
}

fn interval(interval: Interval) -> Json {
    json!([interval.low, interval.high])
}
