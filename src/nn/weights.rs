//! Weights in safetensors files, keyed `layer.param`, with the architecture in the metadata.
//!
//! The layout is PyTorch's, so that the `state_dict` of a model whose modules bear the names of the
//! layers can be read, and weights written here can be read there.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{SafeTensors, TensorView};
use safetensors::{Dtype, serialize};

use super::{Net, Param, Shape, Tensor, arch, half};
use crate::document::Source;
use crate::{Error, Result};

/// The key of the architecture in the metadata. It stays the only one: safetensors writes several in
/// random order, and equal nets shall be equal files.
const ARCHITECTURE: &str = "architecture";

/// How the numbers of a weights file are stored. They are read as singles, whatever they are stored as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Singles: 32 bits, as they are computed with.
    #[default]
    F32,
    /// IEEE 754's binary16: 11 significant bits, up to 65,504.
    F16,
    /// The upper half of a single: 8 significant bits, as far as singles go.
    Bf16,
}

impl Precision {
    fn dtype(self) -> Dtype {
        match self {
            Self::F32 => Dtype::F32,
            Self::F16 => Dtype::F16,
            Self::Bf16 => Dtype::BF16,
        }
    }

    /// Numbers as bytes.
    fn bytes(self, name: &str, tensor: &Tensor) -> Result<Vec<u8>> {
        let narrow = match self {
            Self::F32 => return Ok(tensor.data().iter().flat_map(|value| value.to_le_bytes()).collect()),
            Self::F16 => half::f16_from_f32,
            Self::Bf16 => half::bf16_from_f32,
        };
        let mut bytes = Vec::with_capacity(2 * tensor.data().len());
        for &value in tensor.data() {
            let narrow = narrow(value).ok_or_else(|| {
                let ty = self.dtype();
                let hint =
                    if self == Self::F16 { "`bf16` reaches as far as singles" } else { "store it as `f32`" };
                Error::input(format!("`{name}` has the value {value}, which is too large for {ty:?}"))
                    .with_hint(hint)
            })?;
            bytes.extend(narrow.to_le_bytes());
        }
        Ok(bytes)
    }
}

impl Net {
    /// A net from the bytes of a safetensors file that carries its architecture.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when the file is not such a one; the problems of the
    /// architecture; all mismatches of the weights.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self> {
        let (tensors, architecture) = read(bytes)?;
        let text = architecture.ok_or_else(|| {
            Error::input("the weights do not say which net they are for")
                .with_hint("read the architecture from its own file, and the weights into it")
        })?;
        let mut net = Self::blank(arch::parse(&Source::new("architecture", text))?)?;
        net.take(tensors)?;
        Ok(net)
    }

    /// A net from a safetensors file that carries its architecture.
    ///
    /// # Errors
    /// As [`from_safetensors`](Self::from_safetensors), and [`Io`](crate::ErrorKind::Io).
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = crate::document::read(path, u64::MAX)?;
        Self::from_safetensors(&bytes).map_err(|error| error.within(path.display().to_string()))
    }

    /// Reads weights into this net. Either all fit, or nothing changes.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) with every parameter that is missing, not expected, or of
    /// another shape or type.
    pub fn load_weights(&mut self, bytes: &[u8]) -> Result<()> {
        self.take(read(bytes)?.0)
    }

    /// Reads those weights of a file that this net has too, by name and shape, and gives the names of
    /// those it has not: how a trained trunk gets a new head.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when the file is not one of weights, or none of it fits.
    pub fn load_matching(&mut self, bytes: &[u8]) -> Result<Vec<String>> {
        let (mut tensors, _) = read(bytes)?;
        tensors.retain(|name, _| !name.ends_with(".num_batches_tracked"));
        let mut fit = |param: &mut Param| match tensors.remove(&param.name) {
            Some(Ok(tensor)) if tensor.shape() == param.value.shape() => {
                param.value = tensor;
                true
            }
            Some(other) => {
                tensors.insert(param.name.clone(), other);
                false
            }
            None => false,
        };
        let mut found = 0;
        for param in self.params_mut() {
            found += usize::from(fit(param));
        }
        for buffer in self.buffers_mut() {
            found += usize::from(fit(buffer));
        }
        if found == 0 {
            let name = &self.arch().name;
            return Err(Error::input(format!(
                "no weight of the file is one of net `{name}` by name and shape"
            )));
        }
        Ok(tensors.into_keys().collect())
    }

    /// The weights and the architecture as the bytes of a safetensors file. Equal nets give equal bytes.
    ///
    /// # Errors
    /// [`Internal`](crate::ErrorKind::Internal) when the format cannot hold them.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        self.to_safetensors_in(Precision::F32)
    }

    /// As [`to_safetensors`](Self::to_safetensors), with numbers of a precision: rounded to the nearest, of two alike to
    /// the even one.
    ///
    /// # Errors
    /// As [`to_safetensors`](Self::to_safetensors), and [`Input`](crate::ErrorKind::Input) when a number is too large.
    ///
    /// ```
    /// use lyncean::nn::{Net, Precision, arch};
    ///
    /// let net = Net::build(arch::parse(&arch::builtin("lenet5").unwrap())?, 1)?;
    /// let (full, half) = (net.to_safetensors()?, net.to_safetensors_in(Precision::F16)?);
    /// assert!(half.len() < full.len() * 51 / 100);
    /// let again = Net::from_safetensors(&half)?;
    /// for (a, b) in net.params().zip(again.params()).flat_map(|(a, b)| a.value.data().iter().zip(b.value.data())) {
    ///     assert!((a - b).abs() <= a.abs() / 2048.0 + 1e-7);
    /// }
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    pub fn to_safetensors_in(&self, precision: Precision) -> Result<Vec<u8>> {
        let stored = self.stored().map(|param| (param.name.clone(), &param.value));
        write_in(precision, stored, &self.arch().text)
    }

    /// All that a weights file holds.
    fn stored(&self) -> impl Iterator<Item = &Param> {
        self.params().chain(self.buffers())
    }

    pub(super) fn take(&mut self, mut tensors: Tensors) -> Result<()> {
        // How many batches a norm of PyTorch has seen changes nothing here.
        tensors.retain(|name, _| !name.ends_with(".num_batches_tracked"));
        let mut problems = Vec::new();
        let mut values = BTreeMap::new();
        for param in self.stored() {
            let (name, wanted) = (&param.name, param.value.shape());
            match tensors.remove(name) {
                None => problems.push(format!("`{name}` of {wanted} is missing")),
                Some(Err(error)) => problems.push(format!("`{name}`: {error}")),
                Some(Ok(tensor)) if tensor.shape() != wanted => {
                    problems.push(format!("`{name}`: expected {wanted}, got {}", tensor.shape()));
                }
                Some(Ok(tensor)) => drop(values.insert(name.clone(), tensor)),
            }
        }
        problems.extend(tensors.keys().map(|name| format!("`{name}` is not in the net")));
        if !problems.is_empty() {
            let name = &self.arch().name;
            return Err(Error::input(format!(
                "the weights do not fit net `{name}`: {}",
                problems.join("; ")
            )));
        }
        for param in self.params_mut() {
            param.value = values.remove(&param.name).unwrap_or_else(|| param.value.clone());
        }
        for buffer in self.buffers_mut() {
            buffer.value = values.remove(&buffer.name).unwrap_or_else(|| buffer.value.clone());
        }
        Ok(())
    }
}

/// Tensors as the bytes of a safetensors file, with a text in the metadata.
#[cfg(any(test, feature = "files"))]
pub(super) fn write<'a>(
    tensors: impl Iterator<Item = (String, &'a Tensor)>,
    architecture: &str,
) -> Result<Vec<u8>> {
    write_in(Precision::F32, tensors, architecture)
}

/// As [`write`], with numbers of a precision.
fn write_in<'a>(
    precision: Precision,
    tensors: impl Iterator<Item = (String, &'a Tensor)>,
    architecture: &str,
) -> Result<Vec<u8>> {
    let internal = |error: safetensors::SafeTensorError| {
        Error::new(crate::ErrorKind::Internal, format!("cannot write weights: {error}"))
    };
    let stored = |(name, tensor): (String, &Tensor)| {
        let bytes = precision.bytes(&name, tensor)?;
        Ok((name, tensor.shape(), bytes))
    };
    let tensors = tensors.map(stored).collect::<Result<Vec<(String, Shape, Vec<u8>)>>>()?;
    let dtype = precision.dtype();
    let mut views = Vec::new();
    for (name, shape, bytes) in &tensors {
        views.push((name.as_str(), TensorView::new(dtype, shape.to_vec(), bytes).map_err(internal)?));
    }
    // Which map it is depends on the features of the crate.
    let metadata = [(ARCHITECTURE.to_owned(), architecture.to_owned())].into_iter().collect();
    serialize(views, Some(metadata)).map_err(internal)
}

/// Tensors by name, each with what is wrong with it.
pub(super) type Tensors = BTreeMap<String, Result<Tensor>>;

/// The tensors of a safetensors file, and the architecture's text.
pub(super) fn read(bytes: &[u8]) -> Result<(Tensors, Option<String>)> {
    let wrong = |error| Error::input(format!("not a safetensors file: {error}"));
    let file = SafeTensors::deserialize(bytes).map_err(wrong)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(wrong)?;
    let architecture = metadata.metadata().as_ref().and_then(|entries| entries.get(ARCHITECTURE)).cloned();
    let tensors = file.iter().map(|(name, view)| (name.to_owned(), tensor(&view))).collect();
    Ok((tensors, architecture))
}

fn tensor(view: &TensorView<'_>) -> Result<Tensor> {
    let halves = |widen: fn(u16) -> f32| {
        view.data().as_chunks::<2>().0.iter().map(|bytes| widen(u16::from_le_bytes(*bytes))).collect()
    };
    let values = match view.dtype() {
        Dtype::F32 => view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        Dtype::F16 => halves(half::f32_from_f16),
        Dtype::BF16 => halves(half::f32_from_bf16),
        other => return Err(Error::unsupported(format!("expected F32, F16 or BF16, got {other:?}"))),
    };
    Tensor::from_vec(Shape::new(view.shape())?, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(hidden: usize, seed: u64) -> Net {
        let text = format!(
            "version = 1\nname = \"t\"\ninput = [3]\n[[layer]]\nuse = \"linear\"\nname = \"a\"\nout = {hidden}\n\
             [[layer]]\nuse = \"linear\"\nname = \"b\"\nout = 2\nbias = false\n"
        );
        Net::build(arch::parse(&Source::new("t", text)).unwrap(), seed).unwrap()
    }

    #[test]
    fn weights_come_back_bit_for_bit_and_equal_nets_are_equal_files() {
        let first = net(4, 1);
        let bytes = first.to_safetensors().unwrap();
        assert_eq!(bytes, net(4, 1).to_safetensors().unwrap());
        let second = Net::from_safetensors(&bytes).unwrap();
        assert!(first.params().eq(second.params()));
        assert_eq!(second.arch().text, first.arch().text);
    }

    #[test]
    fn halves_are_read_as_they_were_rounded_and_what_is_too_large_is_refused() {
        let mut first = net(4, 1);
        let rounded = |precision, value: f32| match precision {
            Precision::F16 => half::f32_from_f16(half::f16_from_f32(value).unwrap()),
            _ => half::f32_from_bf16(half::bf16_from_f32(value).unwrap()),
        };
        for precision in [Precision::F16, Precision::Bf16] {
            let second = Net::from_safetensors(&first.to_safetensors_in(precision).unwrap()).unwrap();
            for (a, b) in first.params().zip(second.params()) {
                let wanted = a.value.data().iter().map(|&value| rounded(precision, value));
                assert!(wanted.eq(b.value.data().iter().copied()), "{}", a.name);
            }
        }
        if let Some(bias) = first.params_mut().find(|param| param.name == "a.bias") {
            bias.value.data_mut()[2] = -7e4;
        }
        let error = first.to_safetensors_in(Precision::F16).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`a.bias` has the value -70000, which is too large for F16\nhint: `bf16` reaches as far as singles"
        );
        assert!(first.to_safetensors_in(Precision::Bf16).is_ok());
        let wide = [0u8; 8];
        let view = TensorView::new(Dtype::F64, vec![1], &wide).unwrap();
        assert_eq!(tensor(&view).unwrap_err().message(), "expected F32, F16 or BF16, got F64");
    }

    #[test]
    fn inference_stops_between_layers() {
        let net = net(4, 1);
        let x = Tensor::zeros(Shape::new(&[1, 3]).unwrap());
        let asked = std::cell::Cell::new(0);
        let error = net.forward_until(&x, &|| asked.replace(asked.get() + 1) > 0).unwrap_err();
        assert_eq!((error.kind(), asked.get()), (crate::ErrorKind::Cancelled, 2));
        assert_eq!(net.forward_until(&x, &|| false).unwrap(), net.forward(&x).unwrap());
    }

    #[test]
    fn every_mismatch_is_listed_and_nothing_changes() {
        let mut target = net(4, 1);
        let other = net(5, 2);
        let mut tensors: Vec<(String, Tensor)> =
            other.params().map(|param| (param.name.clone(), param.value.clone())).collect();
        tensors[1].0 = "a.shift".into();
        let bytes = write(tensors.iter().map(|(name, tensor)| (name.clone(), tensor)), "").unwrap();
        let error = target.load_weights(&bytes).unwrap_err();
        assert_eq!(
            error.message(),
            "the weights do not fit net `t`: `a.weight`: expected [4, 3], got [5, 3]; `a.bias` of [4] is missing; \
             `b.weight`: expected [2, 4], got [2, 5]; `a.shift` is not in the net"
        );
        assert!(target.params().eq(net(4, 1).params()));
    }

    #[test]
    fn broken_files_are_errors() {
        let bytes = net(4, 1).to_safetensors().unwrap();
        for len in [0, 7, 8, 60, bytes.len() - 1] {
            assert_eq!(
                Net::from_safetensors(&bytes[..len]).unwrap_err().kind(),
                crate::ErrorKind::Input,
                "{len}"
            );
        }
        let mut huge = bytes;
        huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(Net::from_safetensors(&huge).is_err());
    }
}
