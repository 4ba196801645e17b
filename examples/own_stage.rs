//! A stage of one's own in three steps. Ranges, errors with places, the schema and fusing come along.
#![allow(clippy::print_stdout, reason = "a program talks")]

use lyncean::prelude::*;
use lyncean::stage::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};

/// Leaves few levels of gray.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Posterize {
    /// How many levels.
    #[schemars(range(min = 2, max = 128))]
    levels: u8,
}

impl Stage for Posterize {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>, Error> {
        let step = 256 / u16::from(self.levels);
        let map = move |value: u8| (u16::from(value) / step * step) as u8;
        Ok(vec![graph.map_pixels("posterize", inputs[0], ImageType::Gray8, map)?])
    }
}

const IN: &[Port] = &[Port::new("image", &[types::GRAY8])];
static KIND: Kind =
    Kind::new::<Posterize>("posterize", Family::Points, IN, "use = \"posterize\"\nlevels = 4");

fn main() -> Result<(), Error> {
    let load = |text: &str| Loader::new().with_kinds(&[&KIND]).parse(Source::new("own", text));
    let pipeline = load("version = 1\n[[stage]]\nuse = \"posterize\"\nlevels = 4")?;
    let results = pipeline.run(&Image::Gray8(Plane::from_fn(256, 1, |x, _| x as u8)))?;
    assert_eq!(results.output().map(|image| image.plane_bytes(0)[200]), Some(192));
    if let Err(error) = load("version = 1\n[[stage]]\nuse = \"posterize\"\nlevels = 1") {
        println!("{error}");
    }
    Ok(())
}
