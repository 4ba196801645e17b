//! What flows between stages: values.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::port::{DataType, PortType};
use crate::image::{Affine, Image};

/// An image, and where its pixels lie in the picture as read.
#[derive(Clone, Debug)]
pub struct ImageValue {
    /// The pixels.
    pub image: Arc<Image>,
    /// From coordinates of this image to those of the picture as read.
    pub map: Affine,
}

/// Something found in a picture. Coordinates are those of the picture as read.
///
/// ```
/// use lyncean::stage::{Class, Object};
///
/// let coin = Object { bbox: [3.0, 4.0, 20.0, 21.0], score: Some(0.9), ..Object::default() };
/// assert_eq!((coin.measure("area"), coin.label), (None, None));
/// let class = Class { label: "coin".into(), probability: 0.9 };
/// assert!(class.probability > 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Object {
    /// `[x, y, width, height]` in pixels.
    pub bbox: [f64; 4],
    /// How sure it is; larger is better, the range depends on the stage.
    pub score: Option<f64>,
    /// What it is.
    pub label: Option<String>,
    /// Further numbers: area, centroid, angle ...
    pub measures: Vec<(Cow<'static, str>, f64)>,
    /// The line round it, as `[x, y]` of pixel centres counted from that of the first pixel; empty where it
    /// is not known.
    pub outline: Vec<[f64; 2]>,
}

/// A class with its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// The name of the class.
    pub label: String,
    /// 0..=1.
    pub probability: f64,
}

/// Named numbers.
pub type Measures = Vec<(String, f64)>;

/// A value between two stages.
#[derive(Clone, Debug)]
pub enum Value {
    /// An image.
    Image(ImageValue),
    /// Boxes with scores, labels and measures.
    Objects(Arc<Vec<Object>>),
    /// Labels with probabilities, the most probable first.
    Classes(Arc<Vec<Class>>),
    /// Named numbers.
    Measures(Arc<Measures>),
    /// A list of numbers.
    Vector(Arc<Vec<f32>>),
    /// Numbers in row-major order, and their shape.
    Tensor(Arc<(Vec<usize>, Vec<f32>)>),
}

impl Value {
    /// The type of the value.
    pub fn ty(&self) -> PortType {
        match self {
            Self::Image(value) => PortType::Image(value.image.ty()),
            Self::Objects(_) => PortType::Data(DataType::Objects),
            Self::Classes(_) => PortType::Data(DataType::Classes),
            Self::Measures(_) => PortType::Data(DataType::Measures),
            Self::Vector(_) => PortType::Data(DataType::Vector),
            Self::Tensor(_) => PortType::Data(DataType::Tensor),
        }
    }

    /// Adds what a record says of the value.
    pub fn record(&self, into: &mut Map<String, Json>) {
        match self {
            Self::Image(_) => {}
            Self::Objects(objects) => {
                let objects: Vec<Json> = objects.iter().map(Object::record).collect();
                into.insert("objects".into(), Json::Array(objects));
            }
            Self::Classes(classes) => {
                let classes = classes.iter().map(|c| json!({"label": c.label, "p": number(c.probability)}));
                into.insert("classes".into(), classes.collect());
            }
            Self::Measures(measures) => {
                into.extend(measures.iter().map(|(name, value)| (name.clone(), number(*value))));
            }
            Self::Vector(vector) => {
                into.insert("vector".into(), vector.iter().map(|v| number(f64::from(*v))).collect());
            }
            Self::Tensor(tensor) => {
                into.insert("shape".into(), tensor.0.clone().into());
            }
        }
    }
}

impl Object {
    fn record(&self) -> Json {
        let mut object = Map::new();
        object.insert("box".into(), self.bbox.iter().map(|v| number(*v)).collect());
        if let Some(score) = self.score {
            object.insert("score".into(), number(score));
        }
        if let Some(label) = &self.label {
            object.insert("label".into(), label.clone().into());
        }
        object.extend(self.measures.iter().map(|(name, value)| (name.to_string(), number(*value))));
        if !self.outline.is_empty() {
            let point = |point: &[f64; 2]| point.iter().map(|v| number(*v)).collect::<Json>();
            object.insert("outline".into(), self.outline.iter().map(point).collect());
        }
        Json::Object(object)
    }

    /// The measure of a name.
    pub fn measure(&self, name: &str) -> Option<f64> {
        self.measures.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

/// Whole numbers without a point, the others rounded to six places: records are to be read and
/// compared, and are the same on every platform.
fn number(value: f64) -> Json {
    if value == value.trunc() && value.abs() < 9e15 {
        return json!(value as i64);
    }
    let rounded = (value * 1e6).round() / 1e6;
    if rounded == rounded.trunc() && rounded.abs() < 9e15 { json!(rounded as i64) } else { json!(rounded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_write_whole_numbers_without_a_point() {
        let object = Object { bbox: [1.0, 2.5, 3.0, 4.0], score: Some(0.1234567), ..Object::default() };
        let mut record = Map::new();
        Value::Objects(Arc::new(vec![object])).record(&mut record);
        assert_eq!(Json::Object(record).to_string(), r#"{"objects":[{"box":[1,2.5,3,4],"score":0.123457}]}"#);
    }
}
