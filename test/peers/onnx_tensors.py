"""A model with a tensor of every type, as the onnx package writes it, and how NumPy and PyTorch round; as the fixture
Fixtures/onnx_tensors.json.

Run with Debian's python3-onnx (1.12.0) and python3-torch (1.13.1): /usr/bin/python3 test/peers/onnx_tensors.py
"""
import base64
import json
import pathlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(0)
floats = dict(FLOAT=np.float32, FLOAT16=np.float16, DOUBLE=np.float64)
integers = dict(UINT8=np.uint8, INT8=np.int8, UINT16=np.uint16, INT16=np.int16, INT32=np.int32, UINT32=np.uint32, INT64=np.int64, BOOL=np.bool_)

tensors, values = [], {}


def add(name, kind, array, expected):
    tensors.append(helper.make_tensor(f"{name}_typed", getattr(TensorProto, name), array.shape, array.reshape(-1)))
    tensors.append(numpy_helper.from_array(array, f"{name}_raw"))
    values[f"{name}_typed"] = values[f"{name}_raw"] = expected


for name, kind in floats.items():
    array = random.normal(0, 100, (3, 5)).astype(kind)
    add(name, kind, array, [float(value) for value in array.astype(np.float32).reshape(-1)])
for name, kind in integers.items():
    if kind is np.bool_:
        array = random.integers(0, 2, (3, 5)).astype(kind)
    else:
        limits = np.iinfo(kind)
        array = np.concatenate([[limits.min, limits.max], random.integers(limits.min, limits.max, 13, dtype=kind, endpoint=True)]).astype(kind).reshape(3, 5)
    # As text: not every 64-bit integer is a number of JSON.
    add(name, kind, array, [str(int(value)) for value in array.reshape(-1)])
array = random.integers(0, 2**63 - 1, (3, 5), dtype=np.uint64)
add("UINT64", np.uint64, array, [str(int(value)) for value in array.reshape(-1)])

brain = torch.tensor(random.normal(0, 100, 15), dtype=torch.float32).bfloat16()
bits = [int(value) & 0xFFFF for value in brain.view(torch.int16)]
tensors.append(TensorProto(name="BFLOAT16_typed", data_type=TensorProto.BFLOAT16, dims=[3, 5], int32_data=bits))
tensors.append(TensorProto(name="BFLOAT16_raw", data_type=TensorProto.BFLOAT16, dims=[3, 5], raw_data=np.array(bits, np.uint16).tobytes()))
values["BFLOAT16_typed"] = values["BFLOAT16_raw"] = [float(value) for value in brain.float()]

output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 5])
graph = helper.make_graph([helper.make_node("Identity", ["FLOAT_raw"], ["y"], name="copy")], "tensors", [], [output], tensors)
model = helper.make_model(graph, producer_name="peer", opset_imports=[helper.make_opsetid("", 13)])
model.ir_version = 8
helper.set_model_props(model, dict(author="nobody"))
onnx.checker.check_model(model)

# Ordinary values, exact ties between neighbours in either type, numbers too small and too large for half.
patterns = np.concatenate([
    random.normal(0, 1, 100).astype(np.float32).view(np.uint32),
    (random.integers(0, 2**15, 40, dtype=np.uint32) << 16 | 0x8000) % 0x7F800000,
    (random.integers(113 << 23, 142 << 23, 40, dtype=np.uint32) & ~np.uint32(0x1FFF)) | 0x1000,
    np.array([0, 0x80000000, 0x7F800000, 0xFF800000, 0x477FF000, 0x477FEFFF, 0x33000000, 0x33000001, 0x7F7FFFFF, 0x00000001], np.uint32),
]).astype(np.uint32)
source = patterns.view(np.float32)
with np.errstate(over="ignore"):
    half = [int(value) for value in source.astype(np.float16).view(np.uint16)]
rounding = dict(
    patterns=[int(value) for value in patterns],
    float16=half,
    bfloat16=[int(value) & 0xFFFF for value in torch.from_numpy(source.copy()).bfloat16().view(torch.int16)])

path = pathlib.Path(__file__).parent.parent / "MLNet.Pruning.Tests" / "Fixtures" / "onnx_tensors.json"
path.write_text(json.dumps(dict(
    model=base64.b64encode(model.SerializeToString()).decode(),
    floats={name: value for name, value in values.items() if not isinstance(value[0], str)},
    integers={name: value for name, value in values.items() if isinstance(value[0], str)},
    rounding=rounding)) + "\n")
