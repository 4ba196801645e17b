//! Running a pipeline with a [`Cache`]: only what nobody has computed before.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::cache::{Cache, Key};
use super::plan::{self, Plan, internal};
use super::results::Results;
use super::run::{self, Space};
use super::{Pipeline, RunOptions, alpha_mask, file, graph};
use crate::Result;
use crate::image::{Affine, Image, Plane};
use crate::ops::row::Shape;
use crate::stage::{ImageValue, Meta, OpKind, Value, ValueId};

/// A picture with its alpha, as [`run_cached`](Pipeline::run_cached) asks for it.
pub type Decoded = (Arc<Image>, Option<Plane<u8>>);

impl Pipeline {
    /// Runs on a picture of a type and size, taking from `cache` what is there and putting into it the
    /// results of all stages that had to run. The results are those of [`run_with`](Self::run_with).
    ///
    /// `fingerprint` identifies the picture: a hash of the bytes of its file, say, and its page. It is
    /// read, by `read`, only when a stage needs it. Images between stages are held until the end, since
    /// all are kept.
    ///
    /// Kinds of stages of an application are known by name and parameters: when what they compute
    /// changes, another folder is wanted.
    ///
    /// # Errors
    /// As [`run_with`](Self::run_with), and those of `read`.
    pub fn run_cached(
        &self,
        shape: Shape,
        fingerprint: &str,
        read: impl FnOnce() -> Result<Decoded>,
        cache: &Cache,
        options: &RunOptions,
    ) -> Result<Results> {
        self.accepts(shape.ty)?;
        let cx = self.context(options);
        cx.check()?;
        let mut lowered = graph::lower(&self.file, shape)?;
        let mut kept = plan::kept(&self.file, &lowered, &options.save)?;
        let keys = self.keys(&lowered, fingerprint, cx.isa.name());
        let graph = &mut lowered.graph;

        // From the last operation to the first: what is wanted and not there has to be computed.
        let mut wanted = vec![false; graph.metas.len()];
        for id in &kept {
            wanted[id.0] = true;
        }
        let mut space = Space::default();
        let values = &mut space.values;
        let mut made = Vec::new();
        for op in (0..graph.ops.len()).rev() {
            let outputs: Vec<ValueId> =
                graph.ops[op].outputs.iter().copied().filter(|id| wanted[id.0]).collect();
            if outputs.is_empty() || matches!(graph.ops[op].kind, OpKind::Input) {
                continue;
            }
            let load = |id: &ValueId| {
                let value = cache.load(keys.get(id)?)?;
                fits(&value, &graph.meta(*id)).then_some((*id, value))
            };
            if let Some(loaded) = outputs.iter().map(load).collect::<Option<Vec<_>>>() {
                values.extend(loaded);
                graph.ops[op].kind = OpKind::Input;
                graph.ops[op].inputs.clear();
            } else {
                graph.ops[op].inputs.iter().for_each(|id| wanted[id.0] = true);
                made.extend(outputs.iter().filter(|id| keys.contains_key(id)));
            }
        }
        let needs = |id: ValueId| wanted[id.0];
        let reads = lowered.input.map(needs);
        kept.extend(&made);
        kept.sort_unstable();
        kept.dedup();
        let fuse = self.file.schedule.fuse.unwrap_or(true);
        let plan = Plan::of(&self.file, lowered, kept, fuse, &cx)?;
        if reads != [false; 2] {
            let (image, alpha) = read()?;
            if Shape::of(&image) != shape {
                return Err(internal("a picture is not what its header says"));
            }
            let picture = |image| Value::Image(ImageValue { image, map: Affine::IDENTITY });
            if reads[1] {
                let alpha = Arc::new(alpha_mask(&image, alpha.as_ref())?);
                values.insert(plan.input[1], picture(alpha));
            }
            values.insert(plan.input[0], picture(image));
        }
        run::carry_out(&plan, None, &mut space, &cx)?;
        let values = &space.values;
        for id in made {
            if let (Some(key), Some(value)) = (keys.get(&id), values.get(id)) {
                cache.store(key, value);
            }
        }
        Ok(run::results(&plan, values, (shape.width, shape.height)))
    }

    /// The keys of all outputs of all stages.
    fn keys(&self, lowered: &graph::Lowered, picture: &str, isa: &str) -> HashMap<ValueId, Key> {
        let mut stages: Vec<Key> = Vec::new();
        let mut keys = HashMap::new();
        for (at, stage) in self.file.stages.iter().enumerate() {
            let input = |reference: &file::Reference| {
                let from = match reference.stage {
                    None => picture.to_owned(),
                    Some(stage) => stages[stage].to_hex().to_string(),
                };
                (from, reference.output.clone())
            };
            let inputs: Vec<(String, Option<String>)> = stage.inputs.iter().map(input).collect();
            let all = json!({
                "lyncean": env!("CARGO_PKG_VERSION"),
                "file": file::VERSION,
                "arch": std::env::consts::ARCH,
                "isa": isa,
                "stage": stage.kind.name,
                "parameters": stage.parameters,
                "resources": stage.resources,
                "inputs": inputs,
            });
            let key = blake3::hash(all.to_string().as_bytes());
            stages.push(key);
            for (name, id) in &lowered.outputs[at] {
                // A stage may hand on a value of another, which has its key there.
                if lowered.graph.ops[lowered.graph.producers[id.0]].stage == Some(at) {
                    let mut hasher = blake3::Hasher::new_keyed(key.as_bytes());
                    keys.insert(*id, hasher.update(name.as_bytes()).finalize());
                }
            }
        }
        keys
    }
}

/// Whether a value is of the type and size that the plan expects.
fn fits(value: &Value, meta: &Meta) -> bool {
    match (value, meta) {
        (Value::Image(value), Meta::Image { shape, .. }) => Shape::of(&value.image) == *shape,
        (value, meta) => value.ty() == meta.ty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageType;
    use crate::pipeline::{Loader, Save};

    const COINS: &str = "version = 1\n[[stage]]\nuse = \"gaussian-blur\"\nsigma = 2\n[[stage]]\nuse = \"threshold\"\n\
        method = \"otsu\"\n[[stage]]\nuse = \"label\"\nmin-area = 40\n[[stage]]\nuse = \"draw\"\nin = [\"input\", \"label\"]\n";

    fn load(text: &str, overrides: &[(&str, &str)]) -> Pipeline {
        let add = |loader: Loader<'static>, (key, value): &(&str, &str)| loader.with_override(*key, *value);
        overrides.iter().fold(Loader::new(), add).parse(crate::document::Source::new("test", text)).unwrap()
    }

    fn picture() -> Arc<Image> {
        let bytes = crate::image::builtin::picture("coins").unwrap();
        Arc::new(
            crate::image::codec::read_bytes(bytes, "coins", &crate::image::codec::Limits::default())
                .unwrap()
                .image,
        )
    }

    /// Loaded and stored, after a comparison with a run without cache.
    fn run(pipeline: &Pipeline, folder: &std::path::Path, save: Save) -> (u64, u64) {
        let image = picture();
        let cache = Cache::open(folder).unwrap();
        let options = RunOptions { save, ..RunOptions::default() };
        let read = || Ok((image.clone(), None));
        let got = pipeline.run_cached(Shape::of(&image), "coins", read, &cache, &options).unwrap();
        let expected = pipeline.run_with(image.clone(), None, &options).unwrap();
        assert_eq!(got.record(), expected.record());
        assert_eq!(got.output(), expected.output());
        assert!(cache.problem().is_none());
        (cache.loaded(), cache.stored())
    }

    #[test]
    fn a_changed_stage_recomputes_what_follows() {
        let folder = tempfile::tempdir().unwrap();
        let plain = load(COINS, &[]);
        let (loaded, stored) = run(&plain, folder.path(), Save::Nothing);
        // The blurred image, mask and level, labels and objects, the drawing.
        assert_eq!((loaded, stored), (0, 6));
        let (loaded, stored) = run(&plain, folder.path(), Save::Nothing);
        assert_eq!((loaded, stored), (3, 0), "level, objects and drawing are all that a run gives");
        // Another least area: the mask is there, the level too.
        let changed = load(COINS, &[("label.min-area", "400")]);
        assert_eq!(run(&changed, folder.path(), Save::Nothing), (2, 3));
        // Another blur changes everything.
        let changed = load(COINS, &[("gaussian-blur.sigma", "3")]);
        assert_eq!(run(&changed, folder.path(), Save::Nothing), (0, 6));
        // And the first is still there; of all images only the chart of the levels was never wanted.
        assert_eq!(run(&plain, folder.path(), Save::All).1, 1);
    }

    #[test]
    fn damage_is_recomputed() {
        let folder = tempfile::tempdir().unwrap();
        let plain = load(COINS, &[]);
        run(&plain, folder.path(), Save::Nothing);
        let mut damaged = 0;
        for group in std::fs::read_dir(folder.path()).unwrap() {
            for entry in std::fs::read_dir(group.unwrap().path()).unwrap() {
                let path = entry.unwrap().path();
                let mut bytes = std::fs::read(&path).unwrap();
                match damaged % 3 {
                    0 => bytes.truncate(bytes.len() / 2),
                    1 => *bytes.last_mut().unwrap() ^= 1,
                    _ => bytes.clear(),
                }
                std::fs::write(&path, bytes).unwrap();
                damaged += 1;
            }
        }
        assert_eq!(damaged, 6);
        assert_eq!(run(&plain, folder.path(), Save::Nothing), (0, 6));
        assert_eq!(run(&plain, folder.path(), Save::Nothing), (3, 0));
    }

    /// Every stage's example: values of every type come back with all their bits.
    #[test]
    fn whatever_a_stage_gives_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path()).unwrap();
        let mut tried = 0;
        for kind in crate::stage::ALL {
            let text = format!("version = 1\n[[stage]]\n{}\n", kind.example);
            let source = crate::document::Source::new("example", text);
            let Ok(pipeline) = Loader::new().parse(source) else { continue };
            let ty = pipeline.accepted()[0];
            let image = Arc::new(Image::new(ty, 28, 28));
            let options = RunOptions { save: Save::All, ..RunOptions::default() };
            let read = || Ok((image.clone(), None));
            let Ok(expected) = pipeline.run_with(image.clone(), None, &options) else { continue };
            for _ in 0..2 {
                let got = pipeline.run_cached(Shape::of(&image), kind.name, read, &cache, &options).unwrap();
                assert_eq!(got.record(), expected.record(), "{}", kind.name);
                assert_eq!(format!("{got:?}"), format!("{expected:?}"), "{}", kind.name);
            }
            tried += 1;
        }
        assert!(tried > 30, "{tried} examples stand alone");
        assert!(cache.loaded() >= tried);
        assert_eq!(ImageType::ALL.len(), 10);
    }
}
