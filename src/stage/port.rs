//! What flows between stages: types of ports.

use std::fmt;

use crate::image::ImageType;

/// The type of a value between two stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PortType {
    /// An image.
    Image(ImageType),
    /// Anything else.
    Data(DataType),
}

/// The type of a value that is not an image.
///
/// ```
/// use lyncean::image::ImageType;
/// use lyncean::stage::{DataType, PortType, types};
///
/// assert_eq!(types::GRAY8, PortType::Image(ImageType::Gray8));
/// assert_eq!(PortType::Data(DataType::Objects).as_str(), "objects");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataType {
    /// Boxes with scores, labels and measures.
    Objects,
    /// Labels with probabilities.
    Classes,
    /// Named numbers.
    Measures,
    /// A list of numbers.
    Vector,
    /// Numbers in any number of dimensions.
    Tensor,
}

impl PortType {
    /// The name used by pipelines and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image(ty) => ty.as_str(),
            Self::Data(DataType::Objects) => "objects",
            Self::Data(DataType::Classes) => "classes",
            Self::Data(DataType::Measures) => "measures",
            Self::Data(DataType::Vector) => "vector",
            Self::Data(DataType::Tensor) => "tensor",
        }
    }

    /// The image type, if it is one.
    pub const fn image(self) -> Option<ImageType> {
        if let Self::Image(ty) = self { Some(ty) } else { None }
    }
}

impl fmt::Display for PortType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An input of a stage.
#[derive(Clone, Copy, Debug)]
pub struct Port {
    /// What the input is for.
    pub name: &'static str,
    /// The types it takes; of a stage with several outputs the first that fits is connected.
    pub accepts: &'static [PortType],
    /// Whether it takes any number of values, from none up. Only the last port may.
    pub many: bool,
}

impl Port {
    /// A port that takes one value.
    pub const fn new(name: &'static str, accepts: &'static [PortType]) -> Self {
        Self { name, accepts, many: false }
    }

    /// A last port that takes any number of values.
    pub const fn many(name: &'static str, accepts: &'static [PortType]) -> Self {
        Self { name, accepts, many: true }
    }
}

/// Sets of types that many stages share.
pub mod types {
    use super::{DataType, PortType};
    use crate::image::ImageType as I;

    /// `gray8`.
    pub const GRAY8: PortType = PortType::Image(I::Gray8);
    /// `gray16`.
    pub const GRAY16: PortType = PortType::Image(I::Gray16);
    /// `gray-f32`.
    pub const GRAY_F32: PortType = PortType::Image(I::GrayF32);
    /// `rgb8`.
    pub const RGB8: PortType = PortType::Image(I::Rgb8);
    /// `rgb16`.
    pub const RGB16: PortType = PortType::Image(I::Rgb16);
    /// `rgb-f32`.
    pub const RGB_F32: PortType = PortType::Image(I::RgbF32);
    /// `mask`.
    pub const MASK: PortType = PortType::Image(I::Mask);
    /// `labels`.
    pub const LABELS: PortType = PortType::Image(I::Labels);
    /// `objects`.
    pub const OBJECTS: PortType = PortType::Data(DataType::Objects);

    /// Gray images of any depth.
    pub const GRAY: &[PortType] = &[GRAY8, GRAY16, GRAY_F32];
    /// Gray images of any depth, and masks, whose 0 and 255 are taken as gray values.
    pub const GRAY_OR_MASK: &[PortType] = &[GRAY8, GRAY16, GRAY_F32, MASK];
    /// Gray and colour images of any depth.
    pub const PICTURE: &[PortType] = &[GRAY8, GRAY16, GRAY_F32, RGB8, RGB16, RGB_F32];
    /// Gray and colour images of any depth, and masks.
    pub const PICTURE_OR_MASK: &[PortType] = &[GRAY8, GRAY16, GRAY_F32, RGB8, RGB16, RGB_F32, MASK];
    /// Every image of one plane.
    pub const PLANE: &[PortType] = &[GRAY8, GRAY16, GRAY_F32, RGB8, RGB16, RGB_F32, MASK, LABELS];
}
