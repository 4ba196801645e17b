//! The stage `rolling-ball`.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Family, ImageValue, Kind, Lowering, Output, Port, PortType, Stage, Value, ValueId, Whole, types,
};
use crate::ops::{Context, rolling_ball};
use crate::{Error, Result};

/// Takes away the background, found by a ball rolled under the picture (Sternberg 1983).
///
/// Scikit-image's `restoration.rolling_ball`, exactly. For bright things on dark ground; put `invert`
/// before and behind it for dark things. The ball is as high as it is wide: for floats of 0..=1 give it a
/// `height`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RollingBall {
    /// Radius of the ball in pixels; larger than what is to be kept.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub radius: f64,
    /// Height of the ball in units of the image; by default its radius.
    #[schemars(range(min = 0.0))]
    pub height: Option<f64>,
    /// What comes out.
    pub output: BallOutput,
}

impl Default for RollingBall {
    fn default() -> Self {
        Self { radius: 100.0, height: None, output: BallOutput::Corrected }
    }
}

/// What comes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BallOutput {
    /// The picture without its background.
    #[default]
    Corrected,
    /// The background.
    Background,
}

/// See [`RollingBall`].
pub const KIND: Kind = Kind::new::<RollingBall>(
    "rolling-ball",
    Family::Points,
    &[Port::new("image", types::GRAY)],
    "use = \"rolling-ball\"\nradius = 12",
);

impl RollingBall {
    fn params(&self) -> rolling_ball::RollingBall {
        let background = self.output == BallOutput::Background;
        rolling_ball::RollingBall { radius: self.radius, height: self.height, background }
    }
}

impl Stage for RollingBall {
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String> {
        Ok(vec![("image", inputs[0])])
    }

    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>> {
        rolling_ball::check(graph.shape(inputs[0])?, &self.params())?;
        let output = graph.meta(inputs[0]);
        Ok(graph.whole(Arc::new(BallStep(self.params())), inputs, vec![output]))
    }
}

struct BallStep(rolling_ball::RollingBall);

impl Whole for BallStep {
    fn name(&self) -> &'static str {
        "rolling-ball"
    }

    fn run(&self, cx: &Context, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<()> {
        let [Value::Image(value)] = inputs else { return Err(Error::shape("expected an image")) };
        let image = cx.share(rolling_ball::rolling_ball(&value.image, &self.0, cx)?);
        outputs.push(Value::Image(ImageValue { image, map: value.map }));
        Ok(())
    }
}
