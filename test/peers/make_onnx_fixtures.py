"""Writes the small ONNX models of test/Offline.Tests/Fixtures (python3-onnx): make_onnx_fixtures.py FOLDER."""
import os
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(graph, path, opsets=(("", 13),), **external):
    model = helper.make_model(graph, producer_name="fixtures", opset_imports=[helper.make_opsetid(*o) for o in opsets])
    model.ir_version = 7
    model.domain, model.doc_string, model.model_version = "example.org", "A fixture", 3
    helper.set_model_props(model, {"kept": "0,2", "by": "hand"})
    onnx.checker.check_model(model)
    onnx.save(model, path, **external)


def tensor(name, values, kind=numpy.float32):
    return numpy_helper.from_array(numpy.array(values, kind), name)


def info(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def linear(folder):
    """Score = Features * weight + bias, and its softmax; names of the slots as ML.NET's own export writes them."""
    nodes = [
        helper.make_node("Gemm", ["Features", "weight", "bias"], ["Score"], name="gemm"),
        helper.make_node("Softmax", ["Score"], ["Probabilities.output"], name="softmax"),
        helper.make_node("LabelEncoder", ["one"], ["slots"], name="mlnet.Score.SlotNames", domain="ai.onnx.ml",
                         keys_strings=["cat", "dog"], values_int64s=[0, 1]),
    ]
    weights = [tensor("weight", [[1, -1], [2, 0.5], [-3, 4]]), tensor("bias", [0.25, -2])]
    one = helper.make_tensor("one", TensorProto.STRING, [1], [b"one"])
    graph = helper.make_graph(nodes, "linear", [info("Features", ["batch", 3])],
                              [info("Score", ["batch", 2]), info("Probabilities.output", ["batch", 2])], weights + [one])
    save(graph, os.path.join(folder, "linear.onnx"), (("", 13), ("ai.onnx.ml", 2)))


def external(folder):
    """y = x * weight, the weight in a file beside the model."""
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "weight"], ["y"])], "external",
                              [info("x", [1, 2])], [info("y", [1, 2])], [tensor("weight", [[1, 2], [3, 4]])])
    data = os.path.join(folder, "external.bin")
    if os.path.exists(data):
        os.remove(data)
    save(graph, os.path.join(folder, "external.onnx"), save_as_external_data=True, location="external.bin", size_threshold=0)


def types(folder):
    """Every input comes out as it is; columns.onnx has only the types that columns may have."""
    columns = ["FLOAT", "DOUBLE", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8", "BOOL", "STRING"]
    for name, kinds in ("columns", columns), ("types", columns + ["FLOAT16", "BFLOAT16"]):
        graph = helper.make_graph([helper.make_node("Identity", [kind + "_in"], [kind]) for kind in kinds], name,
                                  [info(kind + "_in", [1, 2], getattr(TensorProto, kind)) for kind in kinds],
                                  [info(kind, [1, 2], getattr(TensorProto, kind)) for kind in kinds])
        save(graph, os.path.join(folder, name + ".onnx"))


def tokens(folder):
    """The mean of the rows of a table that token ids name, of any number of tokens, and the ids less one."""
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("ReduceMean", ["rows"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Sub", ["ids", "one"], ["less"]),
    ]
    graph = helper.make_graph(nodes, "tokens", [info("ids", ["batch", "length"], TensorProto.INT64)],
                              [info("mean", ["batch", 2]), info("less", ["batch", "length"], TensorProto.INT64)],
                              [tensor("table", [[0, 1], [10, -1], [20, 5]]), tensor("one", 1, numpy.int64)])
    save(graph, os.path.join(folder, "tokens.onnx"))


def ranks(folder):
    """A scalar of rank 0, a sequence, and two sizes that are not known."""
    scalar = helper.make_graph([helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0)], "scalar", [info("x", [1, 2])], [info("sum", [])])
    save(scalar, os.path.join(folder, "scalar.onnx"))
    sequence = helper.make_graph([helper.make_node("SequenceConstruct", ["x", "x"], ["pair"])], "sequence", [info("x", [1, 2])],
                                 [helper.make_tensor_sequence_value_info("pair", TensorProto.FLOAT, None)])
    save(sequence, os.path.join(folder, "sequence.onnx"))
    image = helper.make_graph([helper.make_node("Relu", ["image"], ["positive"])], "image", [info("image", ["n", 1, "height", "width"])],
                              [info("positive", ["n", 1, "height", "width"])])
    save(image, os.path.join(folder, "image.onnx"))


if __name__ == "__main__":
    for write in (linear, external, types, tokens, ranks):
        write(sys.argv[1])
