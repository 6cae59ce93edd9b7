"""Writes torchvision's ResNet-18 (1000 classes, 224 x 224, random weights) as an ONNX file and prints its number of parameters."""
import sys
import warnings

import torch
import torchvision

warnings.filterwarnings("ignore")
torch.manual_seed(1)
network = torchvision.models.resnet18(weights=None).eval()
torch.onnx.export(network, torch.zeros(1, 3, 224, 224), sys.argv[1], opset_version=13,
                  input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "N"}, "output": {0: "N"}})
print(sum(parameter.numel() for parameter in network.parameters()), flush=True)
