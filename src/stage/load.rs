//! The stage `load`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Meta, Output, ParameterError, Port, PortType, Stage, Value, ValueId,
    Whole, types,
};
use crate::document::{Resource, Resources};
use crate::image::{Affine, Image};
use crate::ops::Context;
use crate::ops::row::Shape;
use crate::{Error, Result};

/// A fixed second image from a file, the same for every picture: a reference, a background, a mask.
///
/// It is read once. Its type is that of the file; what is connected to its input is not looked at.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Load {
    /// The picture: a path relative to the pipeline file, or `builtin:NAME`.
    pub file: Resource,
    /// The loaded picture.
    #[serde(skip)]
    #[schemars(skip)]
    loaded: Option<Arc<Image>>,
}

/// See [`Load`].
pub const KIND: Kind = Kind::new::<Load>(
    "load",
    Family::Points,
    &[Port::many("beside", types::PLANE)],
    "use = \"load\"\nfile = \"builtin:coin\"",
);

impl Stage for Load {
    fn prepare(&mut self, resources: &Resources) -> Result<(), ParameterError> {
        self.loaded = Some(super::picture::load(resources, &self.file, "file")?);
        Ok(())
    }

    fn outputs(&self, _inputs: &[PortType]) -> Result<Vec<Output>, String> {
        let image = self.loaded.as_ref().ok_or("the picture is not loaded")?;
        Ok(vec![("image", PortType::Image(image.ty()))])
    }

    fn lower(&self, _inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        let image = self.loaded.clone().ok_or_else(|| Error::pipeline("the picture is not loaded"))?;
        let meta = Meta::Image { shape: Shape::of(&image), map: Affine::IDENTITY };
        Ok(graph.whole(Arc::new(Loaded(image)), &[], vec![meta]))
    }
}

struct Loaded(Arc<Image>);

impl Whole for Loaded {
    fn name(&self) -> &'static str {
        "load"
    }

    fn run(&self, _cx: &Context, _inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        outputs.push(Value::Image(ImageValue { image: Arc::clone(&self.0), map: Affine::IDENTITY }));
        Ok(())
    }
}
