//! What a net costs, layer by layer, without building it.

use serde::Serialize;

use super::arch::{Arch, Source};
use crate::{Error, Result};

/// The table of a net.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The name of the net.
    pub name: String,
    /// The shape of one input sample.
    pub input: Vec<usize>,
    /// One row a layer.
    pub rows: Vec<SummaryRow>,
    /// Numbers that training changes, in all.
    pub parameters: usize,
    /// Multiply-adds of a forward pass of one sample, in all.
    pub multiply_adds: u64,
}

/// One layer of a net.
#[derive(Clone, Debug, Serialize)]
pub struct SummaryRow {
    /// The name of the layer.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// The names of its inputs.
    pub inputs: Vec<String>,
    /// The shape of one output sample.
    pub output: Vec<usize>,
    /// Numbers that training changes.
    pub parameters: usize,
    /// Multiply-adds of a forward pass of one sample.
    pub multiply_adds: u64,
    /// What may surprise: rows and columns that are not used.
    pub notes: Vec<String>,
}

/// The table of an architecture.
///
/// # Errors
/// What the layers report.
pub fn summary(arch: &Arch) -> Result<Summary> {
    let mut rows = Vec::with_capacity(arch.layers.len());
    for layer in &arch.layers {
        let (shapes, named) = (arch.inputs(layer), |error: Error| error.within(&layer.name));
        let input_name = |source: &Source| match source {
            Source::Input => "input".to_owned(),
            Source::Layer(index) => arch.layers[*index].name.clone(),
        };
        rows.push(SummaryRow {
            name: layer.name.clone(),
            kind: layer.kind.name,
            inputs: layer.inputs.iter().map(input_name).collect(),
            output: layer.output.to_vec(),
            parameters: layer.spec.parameters(&shapes).map_err(named)?,
            multiply_adds: layer.spec.multiply_adds(&shapes).map_err(named)?,
            notes: layer.spec.notes(&shapes).map_err(named)?,
        });
    }
    Ok(Summary {
        name: arch.name.clone(),
        input: arch.input.to_vec(),
        parameters: rows.iter().map(|row| row.parameters).sum(),
        multiply_adds: rows.iter().map(|row| row.multiply_adds).sum(),
        rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::arch;

    #[test]
    fn lenet_has_the_parameters_of_the_book() {
        let arch = arch::parse(&arch::builtin("lenet5").unwrap()).unwrap();
        let summary = summary(&arch).unwrap();
        assert_eq!(summary.parameters, 61_706);
        let of = |name: &str| summary.rows.iter().find(|row| row.name == name).unwrap().parameters;
        assert_eq!(["conv1", "conv2", "fc1", "fc2", "fc3"].map(of), [156, 2416, 48_120, 10_164, 850]);
        assert_eq!(summary.multiply_adds, 784 * 150 + 100 * 2400 + 48_000 + 10_080 + 840);
        assert!(summary.rows.iter().all(|row| row.notes.is_empty()));
    }

    #[test]
    fn unused_columns_are_told() {
        let text = "version = 1\nname = \"t\"\ninput = [3, 32, 32]\n\
                    [[layer]]\nuse = \"conv2d\"\nout = 20\nkernel = 5\npadding = 1\nstride = 2\n";
        let summary = summary(&arch::parse(&crate::document::Source::new("t", text)).unwrap()).unwrap();
        assert_eq!((summary.parameters, &summary.rows[0].output[..]), (1520, &[20, 15, 15][..]));
        assert!(summary.rows[0].notes[1].contains("15.5 is floored to 15: the last column"));
    }
}
