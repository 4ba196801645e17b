//! Stages: parameters, ports and a lowering to operations.
//!
//! A stage is one file: a parameter struct, `impl Stage`, and `pub const KIND`. From that one
//! declaration come defaults, range checks, errors with carets, the schema, the listing and the
//! contract tests. A stage knows neither TOML syntax nor the planner.

pub mod adaptive_threshold;
pub mod arithmetic;
pub mod black_hat;
pub mod box_blur;
pub mod canny;
pub mod channel;
pub mod clahe;
pub mod classify;
pub mod classify_linear;
pub mod clear_border;
pub mod close;
mod closure;
pub mod cnn_detect;
pub mod cnn_verify;
pub mod colormap;
pub mod contours;
pub mod convolve;
pub mod crop;
pub mod difference;
pub mod dilate;
pub mod distance_transform;
pub mod draw;
pub mod encode;
pub mod equalize;
pub mod erode;
pub mod feature_maps;
pub mod fill_holes;
pub mod flat_field;
pub mod flip;
pub mod gamma;
pub mod gaussian_blur;
pub mod gray;
pub mod haar_detect;
pub mod hog;
pub mod hysteresis;
pub mod integral;
pub mod invert;
pub mod label;
pub mod laplacian;
pub mod load;
pub mod log;
mod lower;
pub mod mask_apply;
pub mod match_template;
pub mod median;
pub mod morph_gradient;
pub mod morphology;
pub mod multi_otsu;
pub mod nearest_template;
mod net;
pub mod niblack;
pub mod normalize;
pub mod open;
pub mod pad;
mod picture;
mod port;
pub mod prewitt;
pub mod reconstruct;
pub mod remove_small;
pub mod resize;
pub mod rolling_ball;
pub mod rotate;
pub mod saliency;
pub mod sauvola;
pub(crate) mod scan;
pub mod scharr;
pub mod segment_net;
mod single_shot;
pub mod sobel;
mod templates;
pub mod threshold;
pub mod to_f32;
pub mod to_u8;
pub mod top_hat;
pub mod try_thresholds;
mod value;
pub mod warp_affine;
pub mod watershed;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

pub(crate) use lower::OpKind;
pub use lower::{Finish, Lowering, Meta, ValueId, Whole};
pub use port::{DataType, Port, PortType, types};
pub use value::{Class, ImageValue, Measures, Object, Value};

use crate::document::Resources;
use crate::{Error, Result};

/// An output of a stage: its name, and its type. The first output of a stage is what `in = "name"`
/// means where its type fits; `in = "name.output"` picks one.
pub type Output = (&'static str, PortType);

/// The output in which stages draw the histogram that they took levels from: for the eye, and made only where
/// somebody wants it.
pub const CHART: &str = "histogram";

/// A step of vision with its parameters.
pub trait Stage: Send + Sync {
    /// Loads what the parameters name and checks what a schema cannot say.
    ///
    /// # Errors
    /// A [`ParameterError`] that names the parameter to blame.
    fn prepare(&mut self, _resources: &Resources) -> Result<(), ParameterError> {
        Ok(())
    }

    /// The outputs for inputs of these types.
    ///
    /// # Errors
    /// A message, when the types fit the ports but not the parameters.
    fn outputs(&self, inputs: &[PortType]) -> Result<Vec<Output>, String>;

    /// Adds the stage's operations for these inputs; returns a value for each output.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when sizes do not fit.
    fn lower(&self, inputs: &[ValueId], graph: &mut Lowering) -> Result<Vec<ValueId>>;
}

/// A parameter that cannot be used.
///
/// ```
/// use lyncean::stage::ParameterError;
///
/// // What `Stage::prepare` returns; the message gets the place of `low` in the file.
/// let error = ParameterError::new("low", "is above `high`").with_hint("let them change places");
/// # let _ = error;
/// ```
#[derive(Debug)]
pub struct ParameterError {
    /// The key to blame.
    pub key: &'static str,
    /// What is wrong: lower case, no final period.
    pub error: Error,
}

impl ParameterError {
    /// A parameter with a message.
    pub fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { key, error: Error::pipeline(message) }
    }

    /// Adds a hint.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { key: self.key, error: self.error.with_hint(hint) }
    }

    /// An error met while a resource was loaded.
    pub fn resource(key: &'static str) -> impl Fn(Error) -> Self {
        move |error| Self { key, error }
    }
}

/// What stages are listed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Pixel by pixel.
    Points,
    /// Windows of pixels.
    Filters,
    /// Into foreground and background.
    Segmentation,
    /// Sizes and places.
    Geometry,
    /// Finding things.
    Detection,
    /// Pictures as vectors, and what is told from them.
    Description,
    /// Trained nets.
    Learned,
    /// For the eye.
    Drawing,
}

impl Family {
    /// The name in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Filters => "filters",
            Self::Segmentation => "segmentation",
            Self::Geometry => "geometry",
            Self::Detection => "detection",
            Self::Description => "description",
            Self::Learned => "learned",
            Self::Drawing => "drawing",
        }
    }
}

/// A kind of stage: everything about it but the values of its parameters.
///
/// ```
/// use lyncean::stage::ALL;
///
/// let sobel = ALL.iter().find(|kind| kind.name == "sobel").unwrap();
/// assert_eq!(sobel.family.as_str(), "filters");
/// assert_eq!(sobel.schema()["properties"]["size"]["default"], 3);
/// ```
pub struct Kind {
    /// What `use` says.
    pub name: &'static str,
    /// What it is listed under.
    pub family: Family,
    /// Its inputs.
    pub inputs: &'static [Port],
    /// Its lines in a pipeline file, with `use` and some parameters, for docs and tests.
    pub example: &'static str,
    schema: fn() -> schemars::Schema,
    build: fn(serde_json::Value) -> Result<Box<dyn Stage>, serde_json::Error>,
}

impl Kind {
    /// A kind whose parameters are `S`.
    pub const fn new<S>(
        name: &'static str,
        family: Family,
        inputs: &'static [Port],
        example: &'static str,
    ) -> Self
    where
        S: Stage + DeserializeOwned + JsonSchema + 'static,
    {
        Self { name, family, inputs, example, schema: schema_of::<S>, build: build::<S> }
    }

    /// The JSON Schema of the parameters.
    pub fn schema(&self) -> serde_json::Value {
        (self.schema)().to_value()
    }

    /// The first sentence of its documentation.
    pub fn summary(&self) -> String {
        let doc = self.doc();
        let first = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        first.split_inclusive(". ").next().unwrap_or_default().trim().trim_end_matches('.').to_owned()
    }

    /// Its documentation.
    pub fn doc(&self) -> String {
        let schema = self.schema();
        schema.get("description").and_then(|doc| doc.as_str()).unwrap_or_default().to_owned()
    }

    /// A stage with parameters from JSON; not yet [prepared](Stage::prepare).
    ///
    /// # Errors
    /// What is wrong with the parameters.
    pub fn build(&self, parameters: serde_json::Value) -> Result<Box<dyn Stage>, serde_json::Error> {
        (self.build)(parameters)
    }
}

fn schema_of<S: JsonSchema>() -> schemars::Schema {
    schemars::schema_for!(S)
}

fn build<S>(parameters: serde_json::Value) -> Result<Box<dyn Stage>, serde_json::Error>
where
    S: Stage + DeserializeOwned + 'static,
{
    Ok(Box::new(serde_json::from_value::<S>(parameters)?))
}

/// Every kind of stage of this crate.
pub static ALL: &[&Kind] = &[
    &adaptive_threshold::KIND,
    &arithmetic::KIND,
    &black_hat::KIND,
    &box_blur::KIND,
    &canny::KIND,
    &channel::KIND,
    &clahe::KIND,
    &classify::KIND,
    &classify_linear::KIND,
    &clear_border::KIND,
    &close::KIND,
    &cnn_detect::KIND,
    &cnn_verify::KIND,
    &colormap::KIND,
    &contours::KIND,
    &convolve::KIND,
    &crop::KIND,
    &difference::KIND,
    &dilate::KIND,
    &distance_transform::KIND,
    &draw::KIND,
    &encode::KIND,
    &equalize::KIND,
    &erode::KIND,
    &feature_maps::KIND,
    &fill_holes::KIND,
    &flat_field::KIND,
    &flip::KIND,
    &gamma::KIND,
    &gaussian_blur::KIND,
    &gray::KIND,
    &haar_detect::KIND,
    &hog::KIND,
    &hysteresis::KIND,
    &integral::KIND,
    &invert::KIND,
    &label::KIND,
    &laplacian::KIND,
    &load::KIND,
    &log::KIND,
    &mask_apply::KIND,
    &match_template::KIND,
    &median::KIND,
    &morph_gradient::KIND,
    &multi_otsu::KIND,
    &nearest_template::KIND,
    &niblack::KIND,
    &normalize::KIND,
    &open::KIND,
    &pad::KIND,
    &prewitt::KIND,
    &reconstruct::KIND,
    &remove_small::KIND,
    &resize::KIND,
    &rolling_ball::KIND,
    &rotate::KIND,
    &saliency::KIND,
    &sauvola::KIND,
    &scharr::KIND,
    &segment_net::KIND,
    &sobel::KIND,
    &threshold::KIND,
    &to_f32::KIND,
    &to_u8::KIND,
    &top_hat::KIND,
    &try_thresholds::KIND,
    &warp_affine::KIND,
    &watershed::KIND,
];
