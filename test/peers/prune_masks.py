"""Masks that torch.nn.utils.prune computes, as the fixture Fixtures/prune_masks.json.

Run with Debian's python3-torch (1.13.1): /usr/bin/python3 test/peers/prune_masks.py
"""
import json
import math
import pathlib

import torch
from torch import nn
from torch.nn.utils import prune

torch.manual_seed(0)


def flat(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


def linear(outputs, inputs):
    return nn.Linear(inputs, outputs)


cases = []


def case(name, modules, steps, apply):
    """Each step is a dictionary the test reads; apply(modules, step) prunes."""
    weights = [dict(shape=list(m.weight.shape), values=flat(m.weight)) for m in modules]
    results = []
    for step in steps:
        apply(modules, step)
        results.append(dict(step=step, masks=[[int(v) for v in m.weight_mask.reshape(-1)] if hasattr(m, "weight_mask") else None for m in modules]))
    cases.append(dict(name=name, weights=weights, results=results))


def unstructured(modules, step):
    prune.l1_unstructured(modules[0], "weight", amount=step["amount"])


def structured(modules, step):
    n = {"inf": math.inf, "-inf": -math.inf}.get(step["n"], step["n"])
    prune.ln_structured(modules[0], "weight", amount=step["amount"], n=n, dim=step["dim"])


def overall(modules, step):
    prune.global_unstructured([(m, "weight") for m in modules], pruning_method=prune.L1Unstructured, amount=step["amount"])


def custom(modules, step):
    mask = torch.tensor(step["mask"]).reshape(modules[0].weight.shape)
    prune.custom_from_mask(modules[0], "weight", mask)


# Fractions whose products end in a half go to the even neighbour: 0.5 of 5 x 5 = 25 is 12, 0.3 of 25 = 7.5 is 8.
for amount in (0.3, 0.5, 0.1, 1, 7, 0.0, 1.0):
    case(f"l1_unstructured {amount}", [linear(5, 5)], [dict(kind="unstructured", amount=amount)], unstructured)
case("l1_unstructured repeated", [linear(8, 7)], [dict(kind="unstructured", amount=a) for a in (0.5, 0.5, 3, 0.25)], unstructured)
case("l1_unstructured conv", [nn.Conv2d(3, 4, 3)], [dict(kind="unstructured", amount=0.6)], unstructured)

for n in (1, 2, 3, "inf", "-inf"):
    for dim in (0, 1, -1):
        case(f"ln_structured n={n} dim={dim}", [linear(6, 9)], [dict(kind="structured", amount=0.4, n=n, dim=dim)], structured)
for dim in range(4):
    case(f"ln_structured conv dim={dim}", [nn.Conv2d(4, 6, 3)], [dict(kind="structured", amount=0.5, n=2, dim=dim)], structured)
case("ln_structured repeated", [linear(9, 5)], [dict(kind="structured", amount=a, n=2, dim=0) for a in (0.5, 0.5, 1)], structured)

case("global_unstructured", [linear(20, 12), linear(7, 20), nn.Conv2d(2, 3, 3)], [dict(kind="global", amount=a) for a in (0.5, 0.5, 10)], overall)


def mixed(modules, step):
    {"unstructured": unstructured, "structured": structured, "global": overall, "custom": custom}[step["kind"]](modules, step)


case("mixed", [linear(6, 8), linear(5, 6)], [
    dict(kind="unstructured", amount=0.5),
    dict(kind="structured", amount=0.34, n=2, dim=0),
    dict(kind="custom", mask=[1, 0] * 24),
    dict(kind="global", amount=0.5),
    dict(kind="structured", amount=1, n=1, dim=1),
], mixed)

module = linear(4, 3)
assert not prune.is_pruned(module)
prune.l1_unstructured(module, "weight", amount=0.5)
assert prune.is_pruned(module)
masked = flat(module.weight)
prune.remove(module, "weight")
assert not prune.is_pruned(module) and flat(module.weight) == masked

path = pathlib.Path(__file__).parent.parent / "MLNet.Pruning.Tests" / "Fixtures" / "prune_masks.json"
path.write_text(json.dumps(dict(torch=torch.__version__, cases=cases)) + "\n")
print(path.name, len(cases), "cases")
