//! The stage `clahe`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Output, Port, PortType, Stage, Value, ValueId, Whole, types,
};
use crate::ops::{Context, clahe};
use crate::{Error, Result};

/// Equalizes the histogram tile by tile, with a limit on contrast (Zuiderveld 1994).
///
/// OpenCV's `CLAHE`, to the bit: 256 values for 8 bit, 65536 for 16 bit; images that the tiles do not fit
/// are mirrored below and on the right.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Clahe {
    /// The greatest count of a value in a tile, as a multiple of the mean count; 0 sets no limit.
    #[schemars(range(min = 0.0, max = 1000000.0))]
    pub clip_limit: f64,
    /// Tiles across and down, 1..=4096 each.
    pub tiles: [u32; 2],
}

impl Default for Clahe {
    fn default() -> Self {
        Self { clip_limit: 40.0, tiles: [8, 8] }
    }
}

/// See [`Clahe`].
pub const KIND: Kind = Kind::new::<Clahe>(
    "clahe",
    Family::Points,
    &[Port::new("image", &[types::GRAY8, types::GRAY16])],
    "use = \"clahe\"\nclip-limit = 2",
);

impl Clahe {
    fn params(&self) -> clahe::Clahe {
        let [across, down] = self.tiles.map(|tiles| tiles as usize);
        clahe::Clahe { clip_limit: self.clip_limit, tiles: (across, down) }
    }
}

impl Stage for Clahe {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        clahe::check(graph.shape(inputs[0])?, &self.params())?;
        let output = graph.meta(inputs[0]);
        Ok(graph.whole(Arc::new(ClaheStep(self.params())), inputs, vec![output]))
    }
}

struct ClaheStep(clahe::Clahe);

impl Whole for ClaheStep {
    fn name(&self) -> &'static str {
        "clahe"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let image = cx.share(clahe::clahe(&value.image, &self.0, cx)?);
        outputs.push(Value::Image(ImageValue { image, map: value.map }));
        Ok(())
    }
}
