//! Operators that are not read, and what would replace them.

use super::super::proto::Node;
use super::call::place;
use crate::Error;

/// What stands in for an operator that is not read.
const INSTEAD: &[(&[&str], &str)] = &[
    (&["LogSoftmax"], "end the net with `Softmax`, and take logarithms after it"),
    (
        &["Softplus", "Softsign", "Gelu", "Mish", "Erf", "Celu", "ThresholdedRelu", "Shrink", "Hardmax"],
        "`Relu`, `Elu` or `HardSwish`",
    ),
    (
        &[
            "InstanceNormalization",
            "LayerNormalization",
            "GroupNormalization",
            "LpNormalization",
            "MeanVarianceNormalization",
            "RMSNormalization",
        ],
        "`BatchNormalization`",
    ),
    (&["ReduceMax"], "`GlobalMaxPool`"),
    (&["LpPool", "GlobalLpPool", "MaxRoiPool", "RoiAlign", "MaxUnpool"], "`MaxPool` or `AveragePool`"),
    (&["LSTM", "GRU", "RNN"], "`Conv` over the sequence"),
    (&["Loop", "If", "Scan"], "export the net for one input, so that one path is written out"),
    (
        &[
            "QLinearConv",
            "ConvInteger",
            "QLinearMatMul",
            "MatMulInteger",
            "QuantizeLinear",
            "DequantizeLinear",
            "DynamicQuantizeLinear",
        ],
        "the model as it was before quantisation, in float",
    ),
    (&["NonMaxSuppression", "TopK", "ArgMax", "ArgMin"], "end the net before it, and choose `--take`"),
    (&["Expand", "Tile"], "leave it out: `Add`, `Sub`, `Mul` and `Div` spread lengths of 1"),
    (&["Einsum"], "`MatMul` with a constant"),
    (&["DepthToSpace"], "`ConvTranspose`, or `Reshape` and `Transpose`"),
    (&["SpaceToDepth"], "`Reshape` and `Transpose`"),
    (&["Pow"], "`Mul` of the value with itself"),
    (&["Max", "Min"], "`Clip`, where the bounds are constant"),
];

/// The error for an operator that is not read.
pub(super) fn unknown(node: &Node) -> Error {
    let found = INSTEAD.iter().find(|(ops, _)| ops.contains(&node.op_type.as_str()));
    let hint = found.map_or_else(
        || "`docs/onnx.md` lists the operators that are read; end the net before it with `--take`".to_owned(),
        |(_, instead)| format!("in its place: {instead}"),
    );
    Error::unsupported(format!("{} is not read", place(node))).with_hint(hint)
}
