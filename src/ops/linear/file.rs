//! Linear models as safetensors files: `weight` of `[classes, features]` and `bias` of `[classes]`, in
//! `f32`, with method and labels as JSON in the metadata.

use safetensors::tensor::{SafeTensors, TensorView};
use safetensors::{Dtype, serialize};
use serde::{Deserialize, Serialize};

use super::{LinearModel, Method};
use crate::{Error, ErrorKind, Result};

/// The only key of the metadata: several would be written in random order.
const KEY: &str = "linear-model";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Card {
    method: Method,
    labels: Vec<String>,
}

impl LinearModel {
    /// A model from the bytes of its file.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when it is no safetensors file of a linear model.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self> {
        let wrong = |error| Error::input(format!("not a safetensors file: {error}"));
        let file = SafeTensors::deserialize(bytes).map_err(wrong)?;
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(wrong)?;
        let text = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY)).ok_or_else(|| {
            Error::input(format!("the metadata has no `{KEY}`: this is no linear model"))
                .with_hint("models of nets are for `classify`; `lyncean train linear` makes linear ones")
        })?;
        let card: Card = serde_json::from_str(text)
            .map_err(|error| Error::input(format!("`{KEY}` of the metadata: {error}")))?;
        let (weights, shape) = numbers(&file, "weight")?;
        let (bias, _) = numbers(&file, "bias")?;
        if shape.len() != 2 || shape[0] != card.labels.len() {
            let classes = card.labels.len();
            return Err(Error::input(format!(
                "`weight`: expected a row for each of {classes} classes, got {shape:?}"
            )));
        }
        if weights.iter().chain(&bias).any(|value| !value.is_finite()) {
            return Err(Error::input("the model holds weights that are not finite"));
        }
        Self::new(card.method, card.labels, weights, bias).map_err(|error| Error::input(error.message()))
    }

    /// The bytes of its file; equal models give equal bytes.
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) when the format cannot hold it.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        let internal = |error: &dyn std::fmt::Display| {
            Error::new(ErrorKind::Internal, format!("cannot write the model: {error}"))
        };
        let card = Card { method: self.method, labels: self.labels.clone() };
        let text = serde_json::to_string(&card).map_err(|error| internal(&error))?;
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let (weights, bias) = (bytes(&self.weights), bytes(&self.bias));
        let classes = self.labels.len();
        let views = [
            ("bias", TensorView::new(Dtype::F32, vec![classes], &bias)),
            ("weight", TensorView::new(Dtype::F32, vec![classes, self.features], &weights)),
        ];
        let views = views.into_iter().map(|(name, view)| Ok((name, view.map_err(|error| internal(&error))?)));
        let views = views.collect::<Result<Vec<_>>>()?;
        // Which map it is depends on the features of the crate.
        let metadata = [(KEY.to_owned(), text)].into_iter().collect();
        serialize(views, Some(metadata)).map_err(|error| internal(&error))
    }
}

fn numbers(file: &SafeTensors, name: &str) -> Result<(Vec<f32>, Vec<usize>)> {
    let view = file.tensor(name).map_err(|error| Error::input(format!("`{name}`: {error}")))?;
    if view.dtype() != Dtype::F32 {
        return Err(Error::input(format!("`{name}`: expected F32, got {:?}", view.dtype())));
    }
    let (values, _) = view.data().as_chunks::<4>();
    Ok((values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(), view.shape().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_come_back_and_broken_files_are_errors() {
        let labels = ["left", "right"].map(str::to_owned).to_vec();
        let weights = vec![1.5, -2.0, 0.25, 4.0, 5.0, -6.5];
        let model = LinearModel::new(Method::Svm, labels, weights, vec![0.5, -1.0]).unwrap();
        let bytes = model.to_safetensors().unwrap();
        assert_eq!(bytes, model.to_safetensors().unwrap());
        let back = LinearModel::from_safetensors(&bytes).unwrap();
        assert_eq!((back.features(), back.method()), (3, Method::Svm));
        assert_eq!(back, model);
        assert_eq!(back.scores(&[1.0, 2.0, 4.0]).unwrap(), [-1.0, -13.0]);
        for len in [0, 8, 40, bytes.len() - 1] {
            let error = LinearModel::from_safetensors(&bytes[..len]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Input, "{len}");
        }
        let net = include_bytes!("../../../models/lenet5.safetensors");
        assert!(LinearModel::from_safetensors(net).unwrap_err().hint().is_some());
    }
}
