//! Random pipelines from the examples of all stages: how they are run never changes what they give.

use std::sync::Arc;

use lyncean::document::Source;
use lyncean::image::ImageType;
use lyncean::kernel::Isa;
use lyncean::ops::Context;
use lyncean::ops::row::Shape;
use lyncean::pipeline::{Loader, Pipeline, RunOptions, Save};
use lyncean::stage::{ALL, PortType};
use proptest::prelude::*;

use crate::stage_contracts::assert_same;
use crate::support::pictures::picture;

const TYPES: [ImageType; 6] = [
    ImageType::Gray8,
    ImageType::Gray16,
    ImageType::GrayF32,
    ImageType::Rgb8,
    ImageType::Rgb16,
    ImageType::RgbF32,
];

fn load(text: &str) -> Option<Pipeline> {
    Loader::new().parse(Source::new("chain", text.to_owned())).ok()
}

/// A pipeline of the wished stages, each reading an earlier image, those left out that do not fit.
fn chain(ty: ImageType, wishes: &[(prop::sample::Index, prop::sample::Index)]) -> (String, usize) {
    let mut text = "version = 1\n".to_owned();
    let mut images = vec!["input".to_owned()];
    let mut stages = 0;
    for (kind, input) in wishes {
        let kind = ALL[kind.index(ALL.len())];
        if kind.inputs.len() != 1 {
            continue;
        }
        // Mostly the image made last, so that chains become long.
        let input = &images[images.len() - 1 - input.index(2 * images.len()).saturating_sub(images.len())];
        let name = format!("s{stages}");
        let wider = format!("{text}[[stage]]\n{}\nname = \"{name}\"\nin = \"{input}\"\n", kind.example);
        let fits = load(&wider).filter(|pipeline| {
            pipeline.accepted().contains(&ty)
                && pipeline.plan(Shape::new(ty, 67, 59), &RunOptions::default()).is_ok()
        });
        if let Some(pipeline) = fits {
            text = wider;
            stages += 1;
            let made = pipeline.types(ty).unwrap();
            if made.last().is_some_and(|ports| matches!(ports.first(), Some((_, PortType::Image(_))))) {
                images.push(name);
            }
        }
    }
    (text, stages)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn fused_is_unfused(
        ty in 0..TYPES.len(),
        wishes in prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 4..14),
        (width, height) in (1usize..80, 1usize..70),
        threads in 1usize..4,
        rows in 1usize..20,
        isa in any::<prop::sample::Index>(),
    ) {
        let ty = TYPES[ty];
        let (text, stages) = chain(ty, &wishes);
        prop_assume!(stages > 0);
        let (fused, unfused) = (load(&text).unwrap(), load(&format!("{text}[schedule]\nfuse = false\n")).unwrap());
        let image = Arc::new(picture(ty, width, height));
        let run = |pipeline: &Pipeline, context| {
            pipeline.run_with(Arc::clone(&image), None, &RunOptions { context, save: Save::All })
        };
        let sets = Isa::available();
        let context = Context::default()
            .with_isa(sets[isa.index(sets.len())])
            .with_threads(threads)
            .with_strip_rows(rows);
        match (run(&unfused, Context::default().with_isa(Isa::PORTABLE)), run(&fused, context.clone())) {
            (Ok(expected), Ok(got)) => {
                assert_same(&expected, &got, &text);
                // Memory of another run's images leaves no trace.
                got.reuse(&context);
                let again = run(&fused, context).unwrap();
                assert_same(&expected, &again, &text);
            }
            // Too small for a window: an error either way.
            (expected, got) => prop_assert_eq!(expected.is_ok(), got.is_ok(), "{}", text),
        }
    }
}
