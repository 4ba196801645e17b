//! The stage `hog`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    DataType, Family, Kind, Lowering, Meta, Output, Port, PortType, Stage, Value, ValueId, Whole, types,
};
use crate::ops::{self, Context};
use crate::{Error, Result};

/// Describes the whole image by histograms of oriented gradients.
///
/// The vector is that of `skimage.feature.hog`: blocks from left to right and from top to bottom, in each its cells,
/// in each the bins of directions. Pixels right of and below the last whole cell do not vote.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Hog {
    /// Bins of directions over 180 degrees.
    pub orientations: Orientations,
    /// Size of a cell in pixels: one number, or width and height.
    pub pixels_per_cell: PixelsPerCell,
    /// Size of a block in cells: one number, or width and height.
    pub cells_per_block: CellsPerBlock,
    /// How the histograms of a block are normalised.
    pub block_norm: BlockNorm,
    /// Take the square root of the pixels first; negative ones count as 0.
    pub transform_sqrt: bool,
}

/// A number of bins, 1 to 180.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Orientations(#[schemars(range(min = 1, max = 180))] u32);

impl Default for Orientations {
    fn default() -> Self {
        Self(9)
    }
}

/// Width and height in pixels: one number for both, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PixelsPerCell {
    /// Both alike.
    Square(#[schemars(range(min = 1, max = 1024))] u32),
    /// Width and height.
    Sides(#[schemars(inner(range(min = 1, max = 1024)))] [u32; 2]),
}

impl Default for PixelsPerCell {
    fn default() -> Self {
        Self::Square(8)
    }
}

/// Width and height in cells: one number for both, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CellsPerBlock {
    /// Both alike.
    Square(#[schemars(range(min = 1, max = 64))] u32),
    /// Width and height.
    Sides(#[schemars(inner(range(min = 1, max = 64)))] [u32; 2]),
}

impl Default for CellsPerBlock {
    fn default() -> Self {
        Self::Square(3)
    }
}

/// How the histograms of a block are normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BlockNorm {
    /// Divided by their sum.
    L1,
    /// Divided by their sum, then the square root.
    L1Sqrt,
    /// Divided by the root of the sum of their squares.
    L2,
    /// As `l2`, cut at 0.2, then `l2` again.
    #[default]
    L2Hys,
}

/// See [`Hog`].
pub const KIND: Kind = Kind::new::<Hog>(
    "hog",
    Family::Description,
    &[Port::new("image", types::GRAY_OR_MASK)],
    "use = \"hog\"\norientations = 8\npixels-per-cell = [7, 6]\ncells-per-block = 2",
);

impl Hog {
    fn params(&self) -> ops::Hog {
        let pair = |[width, height]: [u32; 2]| (width as usize, height as usize);
        ops::Hog {
            orientations: self.orientations.0 as usize,
            pixels_per_cell: pair(match self.pixels_per_cell {
                PixelsPerCell::Square(side) => [side, side],
                PixelsPerCell::Sides(sides) => sides,
            }),
            cells_per_block: pair(match self.cells_per_block {
                CellsPerBlock::Square(side) => [side, side],
                CellsPerBlock::Sides(sides) => sides,
            }),
            block_norm: match self.block_norm {
                BlockNorm::L1 => ops::BlockNorm::L1,
                BlockNorm::L1Sqrt => ops::BlockNorm::L1Sqrt,
                BlockNorm::L2 => ops::BlockNorm::L2,
                BlockNorm::L2Hys => ops::BlockNorm::L2Hys,
            },
            transform_sqrt: self.transform_sqrt,
        }
    }
}

impl Stage for Hog {
    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("vector", PortType::Data(DataType::Vector))])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let (shape, params) = (graph.shape(inputs[0])?, self.params());
        params.len(shape.width, shape.height)?;
        Ok(graph.whole(Arc::new(HogStep(params)), inputs, vec![Meta::Data(DataType::Vector)]))
    }
}

struct HogStep(ops::Hog);

impl Whole for HogStep {
    fn name(&self) -> &'static str {
        "hog"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let vector = ops::hog(&value.image, &self.0, cx)?;
        outputs.push(Value::Vector(Arc::new(vector)));
        Ok(())
    }
}
