"""The ONNX project's own node and net tests, read and run by this crate.

    cargo build --example onnx_folder && python tests/long/onnx_suite.py [FOLDER]

FOLDER is the data folder of Debian's libonnx-testdata (1.12.0); without it the tests of the Python package (1.23.2) are
taken: its nodes, small models, converted models of PyTorch, and `light` nets, whose weights are all equal. For each operator: how many tests there are, how many of them apply, and of those passed, refused
with a clear error, and wrong. A wrong one fails the run.

What is done to a test: inputs of the node beside the first become constants, as weights are; of nodes of arithmetic,
`Concat` and `Sum` all inputs become parts of one, taken by `Split` or `Slice`. Of several outputs each is asked for alone. What
does not apply, and why, is listed in `why_not`.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper
from safetensors.numpy import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROGRAM = os.environ.get("ONNX_FOLDER", TARGET / "debug" / "examples" / "onnx_folder")
OPERATORS = set(
    "Add AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape Conv ConvTranspose Div Dropout Elu Flatten Gather Gemm "
    "GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish Identity LRN LeakyRelu MatMul MaxPool Mul Neg PRelu Pad ReduceMean "
    "ReduceSum Relu Reshape Resize Selu Shape Sigmoid Slice Softmax Split Squeeze Sub Sum Tanh Transpose Unsqueeze "
    "Upsample".split()
)
JOINED = {"Add", "Sub", "Mul", "Div", "Sum", "Concat"}
# The relative difference that the runner of ONNX allows; some outputs are written with four digits.
MOST = 1e-3


def tensor(path):
    proto = onnx.TensorProto()
    proto.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(proto)


def why_not(model, inputs):
    """Why a test does not apply, or nothing."""
    graph = model.graph
    ops = {node.op_type for node in graph.node}
    if any(node.domain not in ("", "ai.onnx") for node in graph.node):
        return "operators of another domain"
    if ops - OPERATORS:
        return "further operators"
    if model.functions:
        return "functions in the file"
    if not inputs:
        return "no input"
    first = inputs[0]
    if ops & {"Constant", "ConstantOfShape", "Shape"} == ops:
        return "nothing of the input but its shape"
    if first.dtype != np.float32:
        return "input not in f32"
    if first.ndim < 2:
        return "no axis beside the batch"
    if first.shape[0] == 0 or first.size == 0:
        return "empty input"
    return None


def constant(graph, name, value):
    for index, known in enumerate(graph.input):
        if known.name == name:
            del graph.input[index]
            break
    graph.initializer.append(numpy_helper.from_array(value, name))


def joined(graph, inputs):
    """One input that all are parts of, along the second axis; nothing where they do not go together."""
    names = [value.name for value in graph.input]
    shapes = [value.shape for value in inputs]
    if len(set(names)) < 2 or any(s[:1] + s[2:] != shapes[0][:1] + shapes[0][2:] or len(s) < 2 for s in shapes):
        return None
    whole = np.concatenate(inputs, axis=1)
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info("joined_input", onnx.TensorProto.FLOAT, whole.shape))
    starts = np.cumsum([0] + [shape[1] for shape in shapes])
    nodes = []
    for name, start, end in zip(names, starts, starts[1:]):
        bounds = [f"{name}.{part}" for part in ("start", "end", "axis")]
        for bound, value in zip(bounds, (start, end, 1)):
            graph.initializer.append(numpy_helper.from_array(np.array([value], np.int64), bound))
        nodes.append(helper.make_node("Slice", ["joined_input", *bounds], [name], f"part {name}"))
    old = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + old)
    return whole


def read(case):
    """Model, inputs and outputs of a folder, or None in the place of what holds no numbers."""
    model = onnx.load(case / "model.onnx")
    sets = sorted(case.glob("test_data_set_*"))
    order = lambda path: int(re.findall(r"\d+", path.stem)[-1])
    try:
        inputs = [tensor(path) for path in sorted(sets[0].glob("input_*.pb"), key=order)]
        outputs = [tensor(path) for path in sorted(sets[0].glob("output_*.pb"), key=order)]
    except Exception:
        return model, None, None
    return model, inputs, outputs


def light(path):
    """A net whose input is counted up, as the runner of ONNX does."""
    model = onnx.load(path)
    known = {value.name for value in model.graph.initializer}
    (value,) = [value for value in model.graph.input if value.name not in known]
    shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    x = (np.arange(np.prod(shape)).reshape(shape) / np.prod(shape)).astype(np.float32)
    return model, [x], [tensor(path.with_name(f"{path.stem}_output_0.pb"))]


def cases(folder):
    """Group, name, model, inputs and outputs of every test."""
    package = pathlib.Path(onnx.__file__).parent / "backend/test/data"
    if folder is None:
        from onnx.backend.test.case.node import collect_testcases

        for case in collect_testcases(None):
            plain = all(isinstance(value, (np.ndarray, np.generic)) for values in case.data_sets[0] for value in values)
            sets = [[np.asarray(value) for value in values] for values in case.data_sets[0]] if plain else None
            yield "node", case.name, case.model, *(sets or (None, None))
    for group in ("node", "simple", "pytorch-converted", "pytorch-operator"):
        for case in sorted(((folder or package) / group).glob("test_*")):
            if (case / "model.onnx").exists():
                yield group, case.name, *read(case)
    for path in sorted((package / "light").glob("light_*.onnx")):
        yield "light", path.stem, *light(path)


def prepare(model, inputs, outputs, folder, name):
    """Writes the files of a test: their names, or why it does not apply."""
    if inputs is None:
        return None, "sequences, or types without numbers"
    graph = model.graph
    known = {value.name for value in graph.initializer}
    dynamic = [value.name for value in graph.input if value.name not in known]
    reason = why_not(model, inputs)
    # Words: the vectors are constants.
    op = graph.node[-1].op_type if graph.node else ""
    if reason:
        return None, reason
    x = inputs[0]
    if len(inputs) > 1:
        whole = None
        if op in JOINED and len(graph.node) == 1 and all(value.dtype == np.float32 for value in inputs):
            whole = joined(graph, inputs)
        if whole is None:
            for index, value in reversed(list(enumerate(inputs))):
                if index > 0:
                    constant(graph, dynamic[index], value)
        else:
            x = whole
    opset = {entry.domain: entry.version for entry in model.opset_import}.get("", 0)
    if opset < 21 and model.ir_version < 4:
        model.ir_version = 4
    names = []
    for index, (value, info) in enumerate(zip(outputs, list(graph.output))):
        if value.dtype != np.float32:
            return None, "output not in f32"
        if not value.ndim or value.shape[0] != x.shape[0]:
            return None, "output without the axis of the batch"
        single = onnx.ModelProto()
        single.CopyFrom(model)
        del single.graph.output[:]
        single.graph.output.append(info)
        for node in single.graph.node:
            # What nobody reads is not given.
            if node.op_type in ("MaxPool", "Dropout", "BatchNormalization"):
                del node.output[1:]
        own = f"{name}.{index}"
        (folder / f"{own}.onnx").write_bytes(single.SerializeToString())
        save_file({"x": np.ascontiguousarray(x), "y": np.ascontiguousarray(value)}, folder / f"{own}.safetensors")
        names.append(own)
    return names, None


def main():
    data = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    rows = collections.defaultdict(collections.Counter)
    reasons, refused, wrong, places = collections.Counter(), [], [], {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for group, case, model, inputs, outputs in cases(data):
            # A net counts as one; of a node's test the name is that of the operator.
            op = model.graph.node[-1].op_type if group == "node" and model.graph.node else f"({group})"
            if group == "node" and (op not in OPERATORS or "_expanded" in case):
                continue
            rows[op]["all"] += 1
            names, reason = prepare(model, inputs, outputs, folder, f"{group}.{case}")
            if reason:
                reasons[reason] += 1
                continue
            rows[op]["applicable"] += 1
            places[case, group] = (op, names)
        said = subprocess.run([PROGRAM, "check", folder], check=True, capture_output=True, text=True).stdout
        found = dict(line.split("\t", 1) for line in said.splitlines())
    for (name, group), (op, names) in places.items():
        results = [found[own] for own in names]
        bad = [result for result in results if result.startswith("refused")]
        if bad:
            rows[op]["refused"] += 1
            refused.append(f"{name}: {bad[0]}")
        elif all(float(result) <= MOST for result in results):
            rows[op]["passed"] += 1
        else:
            rows[op]["wrong"] += 1
            wrong.append(f"{name} ({group}): {results}")
    print(f"{'operator':24} {'tests':>6} {'apply':>6} {'passed':>7} {'refused':>8} {'wrong':>6}")
    total = collections.Counter()
    for op, row in sorted(rows.items()):
        total.update(row)
        print(f"{op:24} {row['all']:6} {row['applicable']:6} {row['passed']:7} {row['refused']:8} {row['wrong']:6}")
    print(f"{'total':24} {total['all']:6} {total['applicable']:6} {total['passed']:7} {total['refused']:8} {total['wrong']:6}")
    apart = sorted((float(found[own]) for _, names in places.values() for own in names if found[own][0].isdigit()), reverse=True)
    print(f"\nof {len(apart)} outputs {sum(value <= 1e-5 for value in apart)} are within 1e-5 of the largest value; the others:",
          [f"{value:.1e}" for value in apart if value > 1e-5])
    print("\ndo not apply:")
    for reason, count in reasons.most_common():
        print(f"  {count:4} {reason}")
    print("\nrefused:")
    print("\n".join(f"  {line}" for line in refused))
    if wrong:
        print("\nWRONG:")
        print("\n".join(f"  {line}" for line in wrong))
    sys.exit(bool(wrong))


main()
