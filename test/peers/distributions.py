"""Layer-wise sparsities, as the fixture Fixtures/distributions.json: Erdos-Renyi by the loop of Evci et al. 2020, LAMP by PyTorch.

Run with Debian's python3-torch (1.13.1): /usr/bin/python3 test/peers/distributions.py
"""
import json
import pathlib

import numpy
import torch

torch.manual_seed(0)
cases = []


def erdos_renyi(shapes, sparsity, kernel):
    """RigL's loop: as long as a layer would be denser than dense, the densest becomes dense."""
    sizes = [int(numpy.prod(shape)) for shape in shapes]
    raw = [(sum(shape) / numpy.prod(shape)) if kernel else (shape[0] + shape[1]) / (shape[0] * shape[1]) for shape in shapes]
    keep = sum(sizes) - round(sparsity * sum(sizes))
    dense = set()
    while True:
        divisor = sum(raw[i] * sizes[i] for i in range(len(shapes)) if i not in dense)
        epsilon = (keep - sum(sizes[i] for i in dense)) / divisor
        largest = max(raw[i] for i in range(len(shapes)) if i not in dense)
        if largest * epsilon <= 1:
            break
        dense |= {i for i in range(len(shapes)) if i not in dense and raw[i] == largest}
    return [sizes[i] * (1.0 if i in dense else epsilon * raw[i]) for i in range(len(shapes))]


def lamp(tensors, sparsity):
    scores = []
    for tensor in tensors:
        squares = tensor.double().reshape(-1) ** 2
        ordered, index = torch.sort(squares)
        score = torch.empty_like(squares)
        score[index] = ordered / torch.flip(torch.cumsum(torch.flip(ordered, [0]), 0), [0])
        scores.append(score)
    every = torch.cat(scores)
    drop = round(sparsity * len(every))
    ordered = torch.sort(every)[0]
    # Single precision tells the scores around the threshold apart.
    assert ordered[drop] - ordered[drop - 1] > 1e-5 * ordered[drop], "choose another seed"
    return [[int(value >= ordered[drop]) for value in score] for score in scores]


networks = {
    "lenet300": [(300, 784), (100, 300), (10, 100)],
    "lenet5": [(20, 1, 5, 5), (50, 20, 5, 5), (500, 800), (10, 500)],
    "resnet": [(16, 3, 3, 3), (16, 16, 3, 3), (32, 16, 3, 3), (32, 16, 1, 1), (64, 32, 3, 3), (10, 64)],
}
for name, shapes in networks.items():
    for sparsity in (0.1, 0.5, 0.8, 0.9, 0.98):
        for kernel in (False, True):
            kind = "erdos_renyi_kernel" if kernel else "erdos_renyi"
            cases.append(dict(name=f"{kind} {name} {sparsity}", kind=kind, sparsity=sparsity, shapes=shapes, kept=erdos_renyi(shapes, sparsity, kernel)))
for sparsity in (0.2, 0.5, 0.9):
    shapes = [(12, 9), (7, 12), (4, 3, 3, 3)]
    tensors = [torch.randn(shape) * scale for shape, scale in zip(shapes, (0.1, 1.0, 5.0))]
    cases.append(dict(name=f"lamp {sparsity}", kind="lamp", sparsity=sparsity, shapes=shapes,
                      values=[[float(v) for v in t.reshape(-1)] for t in tensors], masks=lamp(tensors, sparsity)))

path = pathlib.Path(__file__).parent.parent / "MLNet.Pruning.Tests" / "Fixtures" / "distributions.json"
path.write_text(json.dumps(dict(cases=cases)) + "\n")
print(path.name, len(cases), "cases")
