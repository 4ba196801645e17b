//! What every stage promises, looped over the registry.

use std::collections::BTreeSet;
use std::sync::Arc;

use lyncean::document::Source;
use lyncean::image::{Image, ImageType, Plane};
use lyncean::pipeline::{Loader, Pipeline, RunOptions, Save};
use lyncean::stage::{ALL, PortType};

use crate::support::pictures::picture;

pub(crate) use crate::support::feeders::pipeline_for;

fn run(pipeline: &Pipeline, image: &Image, options: &RunOptions) -> lyncean::pipeline::Results {
    let options = RunOptions { save: Save::All, ..options.clone() };
    pipeline.run_with(Arc::new(image.clone()), None, &options).unwrap()
}

#[test]
fn names_are_unique_and_kebab_case() {
    let names: BTreeSet<&str> = ALL.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), ALL.len());
    for name in names {
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{name}");
    }
}

#[test]
fn every_file_of_a_stage_is_registered() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stage");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if let Some(after) = text.split("pub const KIND: Kind").nth(1) {
            let name = after.split('"').nth(1).unwrap();
            assert!(ALL.iter().any(|kind| kind.name == name), "`{name}` of {} is not in ALL", path.display());
        }
    }
}

#[test]
fn stages_and_parameters_are_documented() {
    for kind in ALL {
        let schema = kind.schema();
        assert!(kind.summary().len() > 10, "{} has no summary", kind.name);
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        for (key, property) in properties {
            assert!(property["description"].is_string(), "`{key}` of {} is not documented", kind.name);
        }
    }
}

#[test]
fn defaults_are_valid_where_nothing_is_required() {
    for kind in ALL {
        let required = kind.schema()["required"].as_array().is_some_and(|list| !list.is_empty());
        if !required {
            assert!(kind.build(serde_json::json!({})).is_ok(), "defaults of {}", kind.name);
        }
    }
}

#[test]
fn examples_load() {
    for kind in ALL {
        assert!(pipeline_for(kind).is_some(), "the example of {} does not load", kind.name);
    }
}

#[test]
fn declared_types_are_those_made_and_runs_repeat() {
    for kind in ALL {
        let pipeline = pipeline_for(kind).unwrap();
        for &ty in pipeline.accepted() {
            let image = picture(ty, 67, 59);
            let before = image.clone();
            let declared = pipeline.types(ty).unwrap();
            let results = run(&pipeline, &image, &RunOptions::default());
            assert_eq!(image, before, "{} writes its input", kind.name);
            for (stage, declared) in results.stages().iter().zip(&declared) {
                let made: Vec<(&str, PortType)> =
                    stage.values.iter().map(|(name, value)| (*name, value.ty())).collect();
                assert_eq!(&made, declared, "{} on {ty}", kind.name);
            }
            let again = run(&pipeline, &image, &RunOptions::default());
            assert_same(&results, &again, kind.name);
        }
    }
}

#[test]
fn how_never_changes_what() {
    use lyncean::kernel::Isa;
    use lyncean::ops::Context;
    for kind in ALL {
        let pipeline = pipeline_for(kind).unwrap();
        let unfused = unfused(&pipeline);
        for &ty in pipeline.accepted() {
            for (width, height) in [(67, 59), (59, 97)] {
                let image = picture(ty, width, height);
                let plain =
                    RunOptions { context: Context::default().with_isa(Isa::PORTABLE), save: Save::All };
                let expected = run(&unfused, &image, &plain);
                for isa in Isa::available() {
                    for (threads, strip) in [(1, None), (3, None), (2, Some(5)), (1, Some(1))] {
                        let mut context = Context::default().with_isa(isa).with_threads(threads);
                        if let Some(rows) = strip {
                            context = context.with_strip_rows(rows);
                        }
                        let options = RunOptions { context, save: Save::All };
                        let got = run(&pipeline, &image, &options);
                        assert_same(
                            &expected,
                            &got,
                            &format!("{} {ty} {isa:?} {threads} {strip:?}", kind.name),
                        );
                    }
                }
            }
        }
    }
}

/// The same pipeline with every operation over the whole image.
fn unfused(pipeline: &Pipeline) -> Pipeline {
    let text = format!("{}\n[schedule]\nfuse = false\n", pipeline.source().text());
    Loader::new().parse(Source::new("unfused", text)).unwrap()
}

#[test]
fn tiny_and_empty_pictures_are_results_or_errors_but_never_panics() {
    for kind in ALL {
        let pipeline = pipeline_for(kind).unwrap();
        for &ty in pipeline.accepted() {
            for (width, height) in [(0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 2), (3, 5)] {
                let image = picture(ty, width, height);
                // Too small for a window or a template may be an error; it must be said, not panicked.
                if let Err(error) = pipeline.run(&image) {
                    assert!(!error.message().is_empty(), "{} {ty} {width}x{height}", kind.name);
                    assert_ne!(error.kind(), lyncean::ErrorKind::Internal, "{}: {error}", kind.name);
                }
            }
        }
    }
}

/// Equal bit for bit: images and records.
pub(crate) fn assert_same(a: &lyncean::pipeline::Results, b: &lyncean::pipeline::Results, what: &str) {
    use lyncean::stage::Value;
    assert_eq!(a.record(), b.record(), "records of {what}");
    for (a, b) in a.stages().iter().zip(b.stages()) {
        for ((name, a_value), (_, b_value)) in a.values.iter().zip(&b.values) {
            if let (Value::Image(x), Value::Image(y)) = (a_value, b_value) {
                assert_eq!(x.image.ty(), y.image.ty());
                for plane in 0..x.image.ty().planes() {
                    let same = x.image.plane_bytes(plane) == y.image.plane_bytes(plane);
                    assert!(same, "{what}: `{}.{name}` differs", a.name);
                }
            }
        }
    }
}

#[test]
fn masks_hold_0_and_255_only() {
    for kind in ALL {
        let pipeline = pipeline_for(kind).unwrap();
        for &ty in pipeline.accepted() {
            let results = run(&pipeline, &picture(ty, 67, 59), &RunOptions::default());
            if let Some(image) = results.output()
                && let Image::Mask(mask) = &**image
            {
                assert!(mask.as_slice().iter().all(|v| [0, 255].contains(v)), "{}", kind.name);
            }
        }
    }
}

#[test]
fn pictures_of_the_support_differ_by_type_only() {
    let gray = picture(ImageType::Gray8, 9, 4);
    assert!(matches!(gray, Image::Gray8(ref plane) if *plane != Plane::new(9, 4)));
}
