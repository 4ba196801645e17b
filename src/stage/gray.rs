//! The stage `gray`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Family, Kind, Lowering, Output, Port, PortType, Stage, ValueId, types};
use crate::Result;
use crate::image::ImageType;
use crate::ops::gray;

/// Turns colour into gray, in the depth of the input; gray pictures and masks pass as they are.
///
/// Luma of ITU-R BT.601, `0.299 r + 0.587 g + 0.114 b`, in OpenCV's fixed point for integers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Gray {}

/// See [`Gray`].
pub const KIND: Kind = Kind::new::<Gray>(
    "gray",
    Family::Points,
    &[Port::new("image", types::PICTURE_OR_MASK)],
    "use = \"gray\"",
);

impl Stage for Gray {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let ty = match inputs[0] {
            PortType::Image(ImageType::Rgb8 | ImageType::Mask) => types::GRAY8,
            PortType::Image(ImageType::Rgb16) => types::GRAY16,
            PortType::Image(ImageType::RgbF32) => types::GRAY_F32,
            other => other,
        };
        Ok(vec![("image", ty)])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let nodes = gray::nodes(graph.shape(inputs[0])?)?;
        Ok(vec![graph.chain(nodes, inputs[0])?])
    }
}
