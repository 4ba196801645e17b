//! Whole trainings, on drawn objects.

use std::sync::Arc;

use super::*;
use crate::image::Plane;
use crate::ops::cascade::{Verdict, Windows};

/// Noise with blurred edges in it, at `size`.
struct Ground {
    count: usize,
    size: [usize; 2],
}

fn grain(seed: u64, x: usize, y: usize) -> u8 {
    let random = Random::new(seed);
    let coarse = random.stream((y / 5) as u64).bits((x / 7) as u64) % 120;
    (coarse + random.stream(y as u64 + 1000).bits(x as u64) % 60) as u8
}

impl Negatives for Ground {
    fn len(&self) -> usize {
        self.count
    }

    fn picture(&self, index: usize) -> crate::Result<Arc<Plane<u8>>> {
        let [width, height] = self.size;
        Ok(Arc::new(Plane::from_fn(width, height, |x, y| grain(index as u64, x, y))))
    }
}

/// Bright crosses in a window of 9x9, in noise.
fn crosses(count: usize, seed: u64) -> Crops {
    let mut crops = Crops::new(9, 9);
    for number in 0..count as u64 {
        let bright = |x: usize, y: usize| x.abs_diff(4).min(y.abs_diff(4)) < 2;
        let pixel = |x, y| grain(seed + number, x + 50, y + 50) / 3 + if bright(x, y) { 90 } else { 0 };
        crops.push(Plane::from_fn(9, 9, pixel).view()).unwrap();
    }
    crops
}

fn settings() -> Training {
    Training {
        width: 9,
        height: 9,
        stages: 4,
        negatives: 150,
        min_negatives: Some(5),
        turns: Turns::Mirror,
        feature_share: 0.3,
        ..Training::default()
    }
}

fn ground() -> Ground {
    Ground { count: 6, size: [70, 50] }
}

fn to_the_end(trainer: &mut Trainer<'_>) -> Stop {
    loop {
        if let TrainStep::Stop(stop) = trainer.next_stage(&mut |_| true).unwrap() {
            return stop;
        }
    }
}

/// What was decided on bins while training is what the detector says of the same windows.
#[test]
fn reports_are_what_detection_finds() {
    for boost in [Boost::Gentle, Boost::Discrete] {
        for features in [FeatureSet::Upright, FeatureSet::Tilted] {
            let settings = Training { boost, features, hit_rate: 0.97, ..settings() };
            let (objects, ground) = (crosses(120, 1), ground());
            let mut trainer = Trainer::new(&settings, &objects, None, &ground).unwrap();
            let mut before = trainer.objects.clone();
            let mut stages = 0;
            while let TrainStep::Stage(report) = trainer.next_stage(&mut |_| true).unwrap() {
                stages += 1;
                assert_eq!((report.stage, report.objects), (stages - 1, before.len()));
                let cascade = trainer.cascade().unwrap();
                let left = passing(cascade, &before).unwrap();
                assert_eq!(report.hit_rate, left.len() as f64 / before.len() as f64, "{report:?}");
                assert!(report.hit_rate >= 0.97);
                let reached = report.false_alarm <= settings.false_alarm;
                assert!(reached || report.weak == settings.max_weak, "{report:?}");
                before = before.select(left);
                assert_eq!(report.total_hit_rate, before.len() as f64 / trainer.objects.len() as f64);
            }
            assert!(stages > 1, "{stages}");
            let cascade = trainer.cascade().unwrap();
            assert!(features == FeatureSet::Tilted || !cascade.has_tilted());
            assert!(Cascade::from_bytes(cascade.to_xml().as_bytes()).unwrap() == *cascade);
        }
    }
}

/// Windows that a cascade rejects are rejected by every longer one.
#[test]
fn rejection_is_monotone_and_the_cascade_tells_crosses() {
    let (objects, ground) = (crosses(150, 1), ground());
    let mut trainer = Trainer::new(&settings(), &objects, None, &ground).unwrap();
    let mut rejected: Vec<Vec<bool>> = Vec::new();
    while let TrainStep::Stage(_) = trainer.next_stage(&mut |_| true).unwrap() {
        let picture = ground.picture(2).unwrap();
        let windows = Windows::new(trainer.cascade().unwrap(), picture.view());
        let verdicts = (0..=41).flat_map(|y| (0..=61).map(move |x| (x, y)));
        rejected.push(
            verdicts.map(|(x, y)| !matches!(windows.verdict(x, y), Some(Verdict::Accepted(_)))).collect(),
        );
    }
    for pair in rejected.windows(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(earlier, later)| *later || !*earlier));
    }
    let cascade = trainer.cascade().unwrap();
    let objects = Depths::of_crops(cascade, &crosses(100, 7000)).unwrap();
    let other = Ground { count: 3, size: [64, 64] };
    let background = Depths::of_pictures(cascade, &other, 1.2, &mut || true).unwrap();
    let (hits, alarms) = (objects.share(9), background.share(9));
    assert!(hits > 0.9 && alarms < 0.05, "{hits} {alarms}");
    let roc = roc(&objects, &background);
    assert_eq!(roc.last(), Some(&RocPoint { false_alarm: background.share(0), hit_rate: objects.share(0) }));
    assert!(roc.contains(&RocPoint { false_alarm: alarms, hit_rate: hits }));
    assert_eq!(roc[0].false_alarm, 0.0);
    assert!(roc.windows(2).all(|p| p[0].false_alarm <= p[1].false_alarm && p[0].hit_rate <= p[1].hit_rate));
}

#[test]
fn a_training_that_was_stopped_ends_as_one_that_was_not() {
    let (objects, ground) = (crosses(120, 1), ground());
    let settings = Training { validation: 0.25, ..settings() };
    let mut whole = Trainer::new(&settings, &objects, None, &ground).unwrap();
    let stop = to_the_end(&mut whole);
    assert!(whole.reports().len() > 1 && whole.reports()[0].validation_hit_rate.is_some());

    let mut first = Trainer::new(&settings, &objects, None, &ground).unwrap();
    assert!(matches!(first.next_stage(&mut |_| true), Ok(TrainStep::Stage(_))));
    // It is stopped in the middle of the second stage, and what is left goes through a file.
    let cancelled = first.next_stage(&mut |progress| !matches!(progress, TrainProgress::Boosting { .. }));
    assert_eq!(cancelled.unwrap_err().kind(), crate::ErrorKind::Cancelled);
    let xml = first.cascade().unwrap().to_xml();
    let mut second = Trainer::new(&settings, &objects, None, &ground).unwrap();
    second.resume(Cascade::from_bytes(xml.as_bytes()).unwrap(), first.reports().to_vec()).unwrap();
    assert_eq!(to_the_end(&mut second), stop);
    assert_eq!((second.cascade(), second.reports()), (whole.cascade(), whole.reports()));
    let error = second.resume(whole.cascade().unwrap().clone(), Vec::new()).unwrap_err();
    assert!(error.message().starts_with("expected a cascade of 0 stages"), "{error}");
}

#[cfg(feature = "parallel")]
#[test]
fn any_thread_count_gives_the_same_cascade() {
    let train = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (objects, ground) = (crosses(80, 1), ground());
            let settings = Training { weight_trim: 0.9, stages: 2, ..settings() };
            let mut trainer = Trainer::new(&settings, &objects, None, &ground).unwrap();
            to_the_end(&mut trainer);
            trainer.cascade().unwrap().to_xml()
        })
    };
    let alone = train(1);
    assert_eq!(train(2), alone);
    assert_eq!(train(5), alone);
}

#[test]
fn ends_are_told_plainly() {
    let (objects, ground) = (crosses(60, 1), ground());
    let with = |change: &dyn Fn(&mut Training)| {
        let mut settings = settings();
        change(&mut settings);
        to_the_end(&mut Trainer::new(&settings, &objects, None, &ground).unwrap())
    };
    assert_eq!(with(&|s| s.stages = 1).to_string(), "all 1 stages are trained");
    let stop = with(&|s| s.total_false_alarm = Some(0.4));
    assert!(matches!(stop, Stop::FalseAlarm { rate, .. } if rate <= 0.4), "{stop}");
    let stop = with(&|s| {
        s.negatives = 40_000;
        s.min_negatives = Some(39_999);
    });
    let text = stop.to_string();
    assert!(
        text.starts_with("only ") && text.contains(" of 40,000 negatives could be found after "),
        "{text}"
    );
    let told = Stop::Negatives { found: 312, wanted: 2000, windows: 41_234_567 }.to_string();
    assert!(told.starts_with("only 312 of 2,000 negatives could be found after 41 M windows: the cascade"));
    // Objects that are windows of the ground, all of which must pass one stump.
    let mut same = Crops::new(9, 9);
    for x in 0..60 {
        let picture = ground.picture(x % 6).unwrap();
        same.push(picture.view().crop(crate::image::Rect::new(x, x % 40, 9, 9)).unwrap()).unwrap();
    }
    let settings_of_one = Training { max_weak: 1, hit_rate: 1.0, stages: 500, ..settings() };
    let stop = to_the_end(&mut Trainer::new(&settings_of_one, &same, None, &ground).unwrap());
    assert!(matches!(stop, Stop::Useless(1)), "{stop}");
    let none = Crops::new(9, 9);
    let error = Trainer::new(&settings(), &none, None, &ground).err().unwrap();
    assert_eq!(error.message(), "expected objects to learn from, got 0");
    let wrong = Trainer::new(&settings(), &Crops::new(8, 9), None, &ground).err().unwrap();
    assert_eq!(wrong.message(), "expected objects of 9x9 pixels, got 8x9");
}
