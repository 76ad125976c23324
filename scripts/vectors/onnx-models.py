"""Writes the ONNX models that tests load: softmax(x W + b) for three classes, and its relatives.

Usage: pip install onnx && python3 scripts/vectors/onnx-models.py test/vectors/onnx
"""

import sys
from pathlib import Path

from onnx import TensorProto, checker, helper

WEIGHTS = [1.0, 0.0, -1.0, 0.5, 2.0, 0.0]  # [2, 3], row-major
BIAS = [0.0, 0.25, -0.25]


def save(directory, name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, initializer=list(constants))
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, producer_name="touchmark-tests", opset_imports=opset)
    model.ir_version = 8
    checker.check_model(model, full_check=True)
    (directory / f"{name}.onnx").write_bytes(model.SerializeToString())


def softmax_regression(directory, name, batch):
    constants = [
        helper.make_tensor("W", TensorProto.FLOAT, [2, 3], WEIGHTS),
        helper.make_tensor("b", TensorProto.FLOAT, [3], BIAS),
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "W"], ["xW"]),
        helper.make_node("Add", ["xW", "b"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 2])]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [batch]),
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 3]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [batch, 3]),
    ]
    save(directory, name, nodes, inputs, outputs, constants)


def text_model(directory):
    nodes = [helper.make_node("Identity", ["text"], ["label"])]
    text = helper.make_tensor_value_info("text", TensorProto.STRING, ["n"])
    label = helper.make_tensor_value_info("label", TensorProto.STRING, ["n"])
    save(directory, "text", nodes, [text], [label])


target = Path(sys.argv[1])
softmax_regression(target, "softmax", "n")
softmax_regression(target, "softmax-single", 1)
text_model(target)
