//! Weights that lie in files beside an ONNX file: where they are, and how they are put back.

use std::collections::BTreeMap;

use super::proto::{self, Graph, TensorData};
use crate::{Error, Result};

/// `data_location` of numbers in another file.
const EXTERNAL: i32 = 1;

/// The names of the files beside an ONNX file that its weights are in, relative to its folder, sorted. PyTorch
/// writes such files (`model.onnx.data`), and whatever is larger than 2 GB has them. [`ImportOptions::external`]
/// takes what they hold.
///
/// [`ImportOptions::external`]: super::ImportOptions::external
///
/// ```
/// use lyncean::nn::onnx::{export, external_files};
///
/// let weights = lyncean::builtin::RESOURCES.iter().find(|(name, _)| *name == "lenet5").unwrap().1;
/// let file = export(&lyncean::nn::Net::from_safetensors(weights)?)?;
/// assert!(external_files(&file)?.is_empty());
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// [`Input`](crate::ErrorKind::Input) when the bytes are not an ONNX file, or a file's name leads out of the folder.
pub fn external_files(bytes: &[u8]) -> Result<Vec<String>> {
    let mut graph = proto::read(bytes)?.graph.unwrap_or_default();
    let mut names = Vec::new();
    for tensor in tensors(&mut graph).filter(|tensor| tensor.data_location == EXTERNAL) {
        names.push(place(tensor)?.file);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Puts the numbers that lie in other files where those of the file itself lie.
pub(super) fn put_back(graph: &mut Graph, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
    for tensor in tensors(graph).filter(|tensor| tensor.data_location == EXTERNAL) {
        let Place { file, offset, length } = place(tensor)?;
        let Some(bytes) = files.get(&file) else {
            return Err(Error::unsupported(format!(
                "the numbers of `{}` are in a file of their own, `{file}`",
                tensor.name
            ))
            .with_hint("`lyncean nets import` reads files beside the ONNX file; or save the model with its weights in it"));
        };
        let end = length.map_or(Some(bytes.len()), |length| offset.checked_add(length));
        let Some(numbers) = end.and_then(|end| bytes.get(offset..end)) else {
            return Err(Error::input(format!(
                "`{file}` is too short for `{}`: expected {} bytes from byte {offset} on, got {} bytes in all",
                tensor.name,
                length.unwrap_or_default(),
                bytes.len()
            )));
        };
        tensor.raw_data = Some(numbers.to_vec());
        tensor.data_location = 0;
    }
    Ok(())
}

/// All constants: initializers and those of nodes.
fn tensors(graph: &mut Graph) -> impl Iterator<Item = &mut TensorData> {
    let of_nodes = graph.node.iter_mut().flat_map(|node| &mut node.attribute).filter_map(|a| a.t.as_mut());
    graph.initializer.iter_mut().chain(of_nodes)
}

/// Where numbers lie.
struct Place {
    file: String,
    offset: usize,
    /// In bytes; up to the end of the file if not given.
    length: Option<usize>,
}

fn place(tensor: &TensorData) -> Result<Place> {
    let entry = |key: &str| {
        tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str())
    };
    let number = |key: &str| -> Result<Option<usize>> {
        let wrong = |value: &str| {
            Error::input(format!("expected a number of bytes as `{key}` of `{}`, got `{value}`", tensor.name))
        };
        entry(key).map(|value| value.parse().map_err(|_| wrong(value))).transpose()
    };
    let file = entry("location").ok_or_else(|| {
        Error::input(format!("`{}` does not say in which file its numbers are", tensor.name))
    })?;
    // A model may come from anywhere, and is to read nothing but what lies beside it.
    let is_inside = |part: &str| !part.is_empty() && part != ".." && !part.contains(['\\', ':']);
    if !file.split('/').all(is_inside) {
        return Err(Error::input(format!(
            "the numbers of `{}` are in `{file}`, which is not beside the model",
            tensor.name
        )));
    }
    Ok(Place {
        file: file.to_owned(),
        offset: number("offset")?.unwrap_or_default(),
        length: number("length")?,
    })
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::super::{ImportOptions, export, import};
    use super::*;
    use crate::nn::{Net, Shape, Tensor, arch};
    use proto::Entry;

    /// A net whose weights are in two files, as bytes.
    fn apart() -> (Net, Vec<u8>, BTreeMap<String, Vec<u8>>) {
        let net = Net::build(arch::parse(&arch::builtin("lenet5").unwrap()).unwrap(), 3).unwrap();
        let mut model = proto::read(&export(&net).unwrap()).unwrap();
        let mut files = BTreeMap::<String, Vec<u8>>::new();
        for (number, tensor) in tensors(model.graph.as_mut().unwrap()).enumerate() {
            let name = ["weights/a.data", "b.data"][number % 2];
            let file = files.entry(name.to_owned()).or_insert_with(|| vec![7; 5 * (number + 1)]);
            let raw = tensor.raw_data.take().unwrap_or_default();
            let entry = |key: &str, value: String| Entry { key: key.into(), value };
            tensor.data_location = EXTERNAL;
            tensor.external_data = vec![
                entry("location", name.into()),
                entry("offset", file.len().to_string()),
                entry("length", raw.len().to_string()),
                entry("checksum", "unread".into()),
            ];
            file.extend(raw);
        }
        (net, model.encode_to_vec(), files)
    }

    #[test]
    fn numbers_in_other_files_are_read() {
        let (net, bytes, external) = apart();
        assert_eq!(external_files(&bytes).unwrap(), ["b.data", "weights/a.data"]);
        let x = Tensor::from_fn(Shape::new(&[2, 1, 28, 28]).unwrap(), |i| (i % 11) as f32 / 11.0);
        let options = ImportOptions { external: external.clone(), ..ImportOptions::default() };
        let again = import(&bytes, &options).unwrap();
        assert_eq!(net.forward(&x).unwrap(), again.forward(&x).unwrap());

        let error = import(&bytes, &ImportOptions::default()).unwrap_err();
        assert!(error.message().contains("are in a file of their own, `"), "{error}");
        let mut short = external;
        short.get_mut("b.data").unwrap().truncate(40);
        let error =
            import(&bytes, &ImportOptions { external: short, ..ImportOptions::default() }).unwrap_err();
        assert!(error.message().starts_with("`b.data` is too short for"), "{error}");
    }

    #[test]
    fn nothing_outside_of_the_folder_is_asked_for() {
        for location in ["../a", "/etc/passwd", "a/../../b", "C:\\a", "", "a//b"] {
            let (_, bytes, _) = apart();
            let mut model = proto::read(&bytes).unwrap();
            model.graph.as_mut().unwrap().initializer[0].external_data[0].value = location.into();
            let error = external_files(&model.encode_to_vec()).unwrap_err();
            assert!(error.message().ends_with("is not beside the model"), "{error}");
        }
        let (_, bytes, _) = apart();
        let mut model = proto::read(&bytes).unwrap();
        model.graph.as_mut().unwrap().initializer[0].external_data[1].value = "-4".into();
        let error = external_files(&model.encode_to_vec()).unwrap_err();
        assert!(error.message().starts_with("expected a number of bytes as `offset`"), "{error}");
    }
}
