use super::*;
use proptest::prelude::*;

const SMALL: &str = r#"<?xml version="1.0"?>
<opencv_storage>
<cascade type_id="opencv-cascade-classifier"><stageType>BOOST</stageType>
  <featureType>HAAR</featureType>
  <height>20</height>
  <width>24</width>
  <featureParams><maxCatCount>0</maxCatCount></featureParams>
  <stages>
    <_><maxWeakCount>2</maxWeakCount>
      <stageThreshold>-1.5e-01</stageThreshold>
      <weakClassifiers>
        <_><internalNodes>0 -1 1 -2.5e-1</internalNodes>
          <leafValues>1. -.5</leafValues></_>
        <_><internalNodes>1 0 0 .5 -1 -2 1 7</internalNodes>
          <leafValues>1 2 3</leafValues></_></weakClassifiers></_></stages>
  <features>
    <_><rects><_>0 0 24 20 -1.</_><_>1 2 3 4 2.</_></rects></_>
    <_><rects><!-- turned --><_>5 0 4 5 1</_></rects>
      <tilted>1</tilted></_></features></cascade>
</opencv_storage>
"#;

fn read(text: &str) -> Result<Cascade> {
    Cascade::from_bytes(text.as_bytes())
}

fn refused(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    read(&SMALL.replacen(from, to, 1)).unwrap_err().to_string()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_small_file_says_what_it_says() {
    let cascade = read(SMALL).unwrap();
    assert_eq!((cascade.width(), cascade.height()), (24, 20));
    assert!(cascade.has_tilted());
    let Features::Haar(features) = cascade.features() else { panic!("Haar features") };
    assert_eq!(features[0].rects.len(), 2);
    let rect = FeatureRect { x: 5, y: 0, width: 4, height: 5, weight: 1.0 };
    assert_eq!(features[1], Feature { rects: vec![rect], tilted: true });
    let stage = &cascade.stages()[0];
    assert_eq!(stage.threshold, -0.15);
    let (left, right) = (Branch::Leaf(1.0), Branch::Leaf(-0.5));
    assert_eq!(stage.trees[0].nodes, [Node { feature: 1, question: Question::Below(-0.25), left, right }]);
    let nodes = [
        Node { feature: 0, question: Question::Below(0.5), left: Branch::Node(1), right: Branch::Leaf(1.0) },
        Node {
            feature: 1,
            question: Question::Below(7.0),
            left: Branch::Leaf(2.0),
            right: Branch::Leaf(3.0),
        },
    ];
    assert_eq!(stage.trees[1].nodes, nodes);
    assert_eq!(Cascade::from_bytes(&gzip(SMALL.as_bytes())).unwrap(), cascade);
}

#[test]
fn the_models_that_ship_are_read() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for (name, size, stages, features) in [("default", 24, 25, 2913), ("alt2", 20, 20, 2094)] {
        let bytes = std::fs::read(root.join(format!("frontalface-{name}.xml.gz"))).unwrap();
        let cascade = Cascade::from_bytes(&bytes).unwrap();
        assert_eq!((cascade.width(), cascade.height()), (size, size));
        assert_eq!((cascade.stages().len(), cascade.features().len()), (stages, features));
        assert!(!cascade.has_tilted());
    }
}

#[test]
fn faults_say_where_and_what() {
    let cases = [
        ("<opencv_storage>", "<storage>", "expected XML"),
        ("BOOST", "FOREST", "line 3: expected the `stageType` `BOOST`, got `FOREST`"),
        ("HAAR", "HARE", "line 3: expected the `featureType` `HAAR` or `LBP`, got `HARE`"),
        ("<width>24", "<width>2", "line 3: expected a window of 3x3 to 65536 pixels, got 2x20"),
        ("<width>24", "<width>", "line 6: expected a whole number for `width`, got ``"),
        ("<width>24", "<width>99999999999999999999", "line 6: expected a whole number for `width`"),
        ("<maxCatCount>0", "<maxCatCount>256", "line 7: expected no categories"),
        ("-1.5e-01", "low", "line 10: expected a number for `stageThreshold`, got `low`"),
        ("-1.5e-01", "1e99", "line 10: expected a number for `stageThreshold`, got `1e99`"),
        ("0 -1 1 -2.5e-1", "0 -1 1", "line 12: expected nodes `left right feature threshold`, got 3"),
        ("0 -1 1 -2.5e-1", "0 -2 1 0", "line 12: expected one of 2 leaves, got branch `-2`"),
        ("0 -1 1 -2.5e-1", "0 -1 2 0", "line 9: stage 0: weak classifier 0: node 0: expected a feature"),
        ("1 0 0 .5", "2 0 0 .5", "weak classifier 1: node 0: expected a branch to a later node"),
        ("1 0 0 .5", "-2147483648 0 0 .5", "expected one of 3 leaves, got branch `-2147483648`"),
        ("5 0 4 5 1", "5 0 4 5", "line 18: expected a rectangle `x y width height weight`, got 4 numbers"),
        ("5 0 4 5 1", "4 0 4 5 1", "line 18: feature 1: tilted rectangle `4 0 4 5` is not inside"),
        ("5 0 4 5 1", "5 0 4 5 NaN", "line 18: expected a number for `weight`, got `NaN`"),
        ("5 0 4 5 1", "-5 0 4 5 1", "line 18: expected a whole number for `x`, got `-5`"),
        ("features>", "marks>", "expected XML"),
        ("<leafValues>1 2 3</leafValues>", "", "line 14: expected `leafValues` in `_`, got none"),
    ];
    for (from, to, expected) in cases {
        let message = refused(from, to);
        assert!(message.starts_with("cascade") && message.contains(expected), "{message}");
    }
    let empty = read("<opencv_storage> </opencv_storage>").unwrap_err();
    assert_eq!(empty.to_string(), "cascade, line 1: expected a cascade, got nothing");
    assert!(read("<a/>").unwrap_err().to_string().contains("expected the root `opencv_storage`, got `a`"));
    assert_eq!(read("").unwrap_err().kind(), ErrorKind::Input);
}

#[test]
fn other_kinds_are_named() {
    let error = read(&SMALL.replace("HAAR", "HOG")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("`HOG`"), "{error}");
    assert!(refused("HAAR", "LBP").contains("expected 256 categories"));
}

#[test]
fn patterns_are_read() {
    let text = SMALL
            .replace("HAAR", "LBP")
            .replace("<maxCatCount>0", "<maxCatCount>256")
            .replace("<internalNodes>0 -1 1 -2.5e-1<", "<internalNodes>0 -1 1 -1 0 1 2 3 4 5 -2147483648<")
            .replace("<_><internalNodes>1 0 0 .5 -1 -2 1 7</internalNodes>\n          <leafValues>1 2 3</leafValues></_>", "")
            .replace("<rects><_>0 0 24 20 -1.</_><_>1 2 3 4 2.</_></rects>", "<rect>0 0 8 6</rect>")
            .replace("<rects><!-- turned --><_>5 0 4 5 1</_></rects>\n      <tilted>1</tilted>", "<rect>3 2 7 6</rect>");
    let cascade = read(&text).unwrap();
    let block = |x, y, width, height| PatternBlock { x, y, width, height };
    assert_eq!(cascade.features(), &Features::Lbp(vec![block(0, 0, 8, 6), block(3, 2, 7, 6)]));
    let node = cascade.stages()[0].trees[0].nodes[0];
    assert_eq!(node.question, Question::Among([u32::MAX, 0, 1, 2, 3, 4, 5, 1 << 31]));
    let error = read(&text.replace("3 2 7 6", "4 2 7 6")).unwrap_err();
    assert!(error.to_string().contains("feature 1: 3x3 cells of `4 2 7 6` are not inside"), "{error}");
    let error = read(&text.replace("4 5 -2147483648", "4 5")).unwrap_err();
    assert!(error.to_string().contains("pattern7`, got 10 numbers"), "{error}");
}

#[test]
fn the_layout_from_before_is_read() {
    let old = r#"<opencv_storage><x type_id="opencv-haar-classifier"><size>24 20</size><stages><_><trees>
            <_><_><feature><rects><_>0 0 24 20 -1.</_><_>1 2 3 4 2.</_></rects><tilted>0</tilted></feature>
                <threshold>-2.5e-1</threshold><left_val>1.</left_val><right_val>-.5</right_val></_></_>
            <_><_><feature><rects><_>5 0 4 5 1</_></rects><tilted>1</tilted></feature>
                <threshold>.5</threshold><left_node>1</left_node><right_val>3.</right_val></_>
               <_><feature><rects><_>0 0 2 2 1</_></rects><tilted>0</tilted></feature>
                <threshold>7</threshold><left_val>1</left_val><right_val>2</right_val></_></_></trees>
            <stage_threshold>-1.5e-01</stage_threshold><parent>-1</parent><next>-1</next></_></stages></x></opencv_storage>"#;
    let cascade = read(old).unwrap();
    assert_eq!((cascade.width(), cascade.height(), cascade.features().len()), (24, 20, 3));
    let [stage] = cascade.stages() else { panic!("one stage") };
    assert_eq!(stage.threshold, -0.15);
    let (left, right) = (Branch::Node(1), Branch::Leaf(3.0));
    assert_eq!(stage.trees[1].nodes[0], Node { feature: 1, question: Question::Below(0.5), left, right });
    assert_eq!(stage.trees[1].nodes[1].left, Branch::Leaf(1.0));
    for (from, to, message) in [
        ("<size>24 20<", "<size>24<", "expected a size `width height`, got 1 numbers"),
        ("0 0 24 20 -1.", "0 0 25 20 -1.", "stage 0: rectangle `0 0 25 20` is not inside"),
        ("<left_node>1<", "<left_node>0<", "expected a branch to a later node"),
        ("<right_val>3.</right_val>", "", "expected `right_node`"),
    ] {
        let error = read(&old.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_calibration_is_read() {
    let with = |text: &str| {
        read(&SMALL.replace("</cascade>", &format!("<calibration>{text}</calibration></cascade>")))
    };
    let calibration = Calibration { slope: 0.5, intercept: -2.25 };
    assert_eq!(with("0.5 -2.25").unwrap().calibration(), Some(calibration));
    assert!((calibration.probability(4.5f64.exp() - 1.0) - 0.5).abs() < 1e-12);
    assert!(calibration.probability(9f64.exp()) > 0.9);
    for wrong in ["", "1", "1 2 3", "0 1", "-1 2", "nan 0", "1 inf"] {
        assert_eq!(with(wrong).unwrap_err().kind(), ErrorKind::Input, "{wrong}");
    }
}

#[test]
fn bombs_are_refused() {
    let entities = r#"<!DOCTYPE a [<!ENTITY b "b">]><opencv_storage>&b;</opencv_storage>"#;
    assert_eq!(read(entities).unwrap_err().kind(), ErrorKind::Input);
    assert!(read(&"<_>".repeat(1 << 20)).is_err());
    let attributes = (0..100).map(|i| format!("a{i}=''")).collect::<Vec<_>>().join(" ");
    assert_eq!(read(&format!("<opencv_storage {attributes}/>")).unwrap_err().kind(), ErrorKind::Limit);
    let spaces = gzip(&vec![b' '; MAX_TEXT + 1]);
    assert!(spaces.len() < 100_000);
    assert_eq!(Cascade::from_bytes(&spaces).unwrap_err().kind(), ErrorKind::Limit);
    let cut = gzip(SMALL.as_bytes());
    assert_eq!(Cascade::from_bytes(&cut[..cut.len() / 2]).unwrap_err().kind(), ErrorKind::Input);
    assert_eq!(Cascade::from_bytes(&[0xff, 0xfe, 0x41]).unwrap_err().kind(), ErrorKind::Input);
}

proptest! {
    /// Any spoilt byte gives a cascade or an error, and a cascade can be run.
    #[test]
    fn spoilt_bytes_do_no_harm(at in 0..SMALL.len(), byte: u8, cut in 0..SMALL.len()) {
        let mut bytes = SMALL.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(cascade) = Cascade::from_bytes(&bytes) {
            let picture = crate::image::Plane::from_fn(40, 40, |x, y| (x * y) as u8);
            cascade.detect(picture.view(), &super::super::Params::default()).unwrap();
        }
        prop_assert!(Cascade::from_bytes(&SMALL.as_bytes()[..cut.min(SMALL.len() - 20)]).is_err());
    }
}
