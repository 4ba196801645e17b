//! What a net costs, layer by layer, without building it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Shape;
use super::arch::{Arch, Source};
use super::layer::Reach;
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
    /// Numbers that training changes, without those that only heads need.
    pub parameters: usize,
    /// Numbers that training changes, in all.
    pub parameters_with_aux: usize,
    /// Multiply-adds of a forward pass of one sample in inference.
    pub multiply_adds: u64,
    /// Bytes of the outputs of all layers for one sample, which training keeps.
    pub activation_bytes: u64,
    /// Bytes of the outputs that inference has at once for one sample, at most.
    pub peak_bytes: u64,
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
    /// Height and width of what one output sees of the input of the net; it may reach past the edge.
    pub receptive_field: [f64; 2],
    /// Whether only heads need it, so that inference leaves it out.
    pub is_auxiliary: bool,
    /// What may surprise: rows and columns that are not used.
    pub notes: Vec<String>,
}

/// The table of an architecture.
///
/// # Errors
/// What the layers report.
pub fn summary(arch: &Arch) -> Result<Summary> {
    let mut rows = Vec::with_capacity(arch.layers.len());
    let (needed, fields) = (arch.needed(), seen(arch));
    for ((layer, needed), [field, _]) in arch.layers.iter().zip(&needed).zip(fields) {
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
            receptive_field: field,
            is_auxiliary: !needed,
            notes: layer.spec.notes(&shapes).map_err(named)?,
        });
    }
    let used = || rows.iter().filter(|row| !row.is_auxiliary);
    Ok(Summary {
        name: arch.name.clone(),
        input: arch.input.to_vec(),
        parameters: used().map(|row| row.parameters).sum(),
        parameters_with_aux: rows.iter().map(|row| row.parameters).sum(),
        multiply_adds: used().map(|row| row.multiply_adds).sum(),
        activation_bytes: arch.layers.iter().map(|layer| bytes(layer.output)).sum(),
        peak_bytes: peak(arch, &needed),
        rows,
    })
}

/// Bytes of an output.
fn bytes(shape: Shape) -> u64 {
    4 * shape.count() as u64
}

/// The most bytes of outputs that live at once, where each is dropped after its last reader.
fn peak(arch: &Arch, needed: &[bool]) -> u64 {
    let mut last_use: Vec<usize> = (0..arch.layers.len()).collect();
    for (index, layer) in arch.layers.iter().enumerate().filter(|(index, _)| needed[*index]) {
        for source in &layer.inputs {
            if let Source::Layer(from) = *source {
                last_use[from] = index;
            }
        }
    }
    let (mut live, mut peak) = (bytes(arch.input), 0);
    for index in (0..arch.layers.len()).filter(|&index| needed[index]) {
        live += bytes(arch.layers[index].output);
        peak = peak.max(live);
        let read = arch.layers[index].inputs.iter().filter_map(|source| match *source {
            Source::Layer(from) if last_use[from] == index => Some(from),
            _ => None,
        });
        // A layer may read one output twice.
        let ended: BTreeSet<usize> = read.collect();
        live -= ended.into_iter().map(|from| bytes(arch.layers[from].output)).sum::<u64>();
    }
    peak
}

/// Height and width of what each layer sees of the net's input, and the distance of its neighbours there. An output sees
/// what its inputs see, from the first of its window to the last (Araujo, Norris and Sim, 2019).
pub(super) fn seen(arch: &Arch) -> Vec<[[f64; 2]; 2]> {
    let whole = match *arch.input {
        [.., height, width] => [height as f64, width as f64],
        [length] => [1.0, length as f64],
        [] => [1.0; 2],
    };
    let mut found: Vec<[[f64; 2]; 2]> = Vec::with_capacity(arch.layers.len());
    for layer in &arch.layers {
        let seen = layer.inputs.iter().map(|source| match *source {
            Source::Input => [[1.0; 2]; 2],
            Source::Layer(from) => found[from],
        });
        let [field, step] = seen.fold([[1.0; 2], [0.0f64; 2]], |[field, step], [other, other_step]| {
            [
                [field[0].max(other[0]), field[1].max(other[1])],
                [step[0].max(other_step[0]), step[1].max(other_step[1])],
            ]
        });
        found.push(match layer.spec.reach() {
            Reach::All => [whole.map(|len| len.max(1.0)), step],
            Reach::Window { size, step: by } => {
                let grown = |axis: usize| field[axis] + (size[axis] - 1.0) * step[axis];
                [[grown(0), grown(1)], [step[0] * by[0], step[1] * by[1]]]
            }
        });
    }
    found
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
    fn fields_and_memory_follow_the_layers() {
        let net = summary(&arch::parse(&arch::builtin("resnet50").unwrap()).unwrap()).unwrap();
        let field = |name: &str| net.rows.iter().find(|row| row.name == name).unwrap().receptive_field[0];
        assert_eq!(
            ["conv1", "layer1.2.end", "layer2.3.end", "layer4.2.end"].map(field),
            [7.0, 35.0, 91.0, 427.0]
        );
        assert_eq!(field("fc"), 224.0);
        let net = summary(&arch::parse(&arch::builtin("lenet5").unwrap()).unwrap()).unwrap();
        assert_eq!(net.peak_bytes, 4 * 2 * 6 * 28 * 28 + 4 * 784);
        assert_eq!(net.activation_bytes, 4 * (2 * 4704 + 1176 + 2 * 1600 + 2 * 400 + 240 + 168 + 10));
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
