"""Graphs without their weights, as the tests keep them: small enough to commit, and complete once weights are drawn.

A float tensor of 16 values or more loses its values; its doc_string then says how to draw them anew: "uniform LOWEST HIGHEST" where all are
positive (scales, variances), else "normal MEAN DEVIATION". Smaller tensors, integers, and masks with few different values stay: they are
meaning rather than weight.
"""
import json
import os
import pathlib
import zipfile

import numpy
from onnx import TensorProto, numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "MLNet.Pruning.Tests" / "Zoo"
SMALL = 16
FEW = 4


def distribution(values):
    if values.min() > 0:
        return f"uniform {values.min():.4g} {values.max():.4g}"
    mean, deviation = values.mean(), values.std()
    # Weights are drawn with a mean of zero; what is left of it by chance would add up over the inputs of a layer.
    return f"normal {mean if abs(mean) > deviation / 10 else 0:.4g} {deviation:.4g}"


def without_weights(model):
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and values.size >= SMALL and len(numpy.unique(values)) > FEW:
            tensor.ClearField("raw_data")
            tensor.doc_string = distribution(values)
    return model


def write(name, models):
    """Writes NAME.zip with a graph for each of the models, pairs of description and ONNX model, and NAME.json, which lists the descriptions."""
    FOLDER.mkdir(exist_ok=True)
    with zipfile.ZipFile(beside(FOLDER / f"{name}.zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for description, model in models:
            # Without the time of day: the same graphs make the same file.
            entry = zipfile.ZipInfo(f"{description['name']}.onnx")
            archive.writestr(entry, model.SerializeToString(), zipfile.ZIP_DEFLATED)
    lines = ",\n".join(json.dumps(description) for description, _ in models)
    beside(FOLDER / f"{name}.json").write_text(f'{{"models": [\n{lines}\n]}}\n')
    for file in (FOLDER / f"{name}.zip", FOLDER / f"{name}.json"):
        os.replace(beside(file), file)
    print(len(models), "models,", (FOLDER / f"{name}.zip").stat().st_size, "bytes")


def beside(file):
    return file.with_name(file.name + ".partial")
