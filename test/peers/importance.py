"""Importances that PyTorch computes by itself, as the fixture Fixtures/importance.json.

Run with Debian's python3-torch (1.13.1): /usr/bin/python3 test/peers/importance.py
"""
import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def flat(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


def images():
    """A small convolutional network with batch normalisation that has seen data."""
    model = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Conv2d(4, 6, 2, stride=2, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(6, 3))
    with torch.no_grad():
        model[1].weight.uniform_(0.5, 1.5)
        model[1].bias.uniform_(-0.5, 0.5)
        model[1].running_mean.uniform_(-0.3, 0.3)
        model[1].running_var.uniform_(0.5, 2)
    return model.eval(), ["conv1", "bn1", None, None, "conv2", None, None, "fc1"]


def dense():
    return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)), ["fc1", None, "fc2", None, "fc3"]


def rounded(model):
    """Values that a 32-bit float holds exactly, so that both sides start from the same."""
    with torch.no_grad():
        for values in list(model.parameters()) + [b for b in model.buffers() if b.dtype == torch.float64]:
            values.copy_(values.float().double())


def case(name, model, names, x, y):
    rounded(model)
    parameters, named = list(model.parameters()), []
    for module, label in zip(model, names):
        if label:
            named += [f"{label}.{n}" for n, _ in module.named_parameters()]
    n = len(x)

    def loss():
        return F.cross_entropy(model(x), y)

    scores = {}
    gradients = torch.autograd.grad(loss(), parameters, create_graph=True)
    weights = [p for p in parameters if p.dim() > 1]
    scores["gradient"] = [g.abs() for g in gradients]
    scores["taylor"] = [(g * w) ** 2 for g, w in zip(gradients, parameters)]
    scores["absolute_taylor"] = [(g * w).abs() for g, w in zip(gradients, parameters)]
    total = sum((g * w).abs().sum() for g, w in zip(gradients, parameters) if w.dim() > 1)
    scores["snip"] = [(g * w).abs() / total for g, w in zip(gradients, parameters)]
    norm = sum((g ** 2).sum() for g in gradients) / 2
    scores["grasp"] = [h * w for h, w in zip(torch.autograd.grad(norm, parameters), parameters)]

    each = [torch.autograd.grad(F.cross_entropy(model(x[i:i + 1]), y[i:i + 1]), parameters) for i in range(n)]
    scores["fisher"] = [w ** 2 * sum(e[k] ** 2 for e in each) / n / 2 for k, w in enumerate(parameters)]

    # Gauss-Newton from the whole Jacobian J of the logits and the Hessian H of the loss at them: diag(J' H J).
    diagonal = [torch.zeros_like(w) for w in parameters]
    for i in range(n):
        logits = model(x[i:i + 1])[0]
        jacobian = [torch.autograd.grad(logits[k], parameters, retain_graph=True) for k in range(len(logits))]
        hessian = torch.autograd.functional.hessian(lambda z: F.cross_entropy(z[None], y[i:i + 1]), logits.detach())
        for k, d in enumerate(diagonal):
            j = torch.stack([row[k].reshape(-1) for row in jacobian])
            d += torch.einsum("ai,ab,bi->i", j, hessian, j).reshape(d.shape) / n
    scores["diagonal_hessian"] = [w ** 2 * d / 2 for w, d in zip(parameters, diagonal)]

    # Wanda: the norm of what meets each weight, from unfolded patches.
    wanda, units = {}, {}
    value = x
    for module, label in zip(model, names):
        if isinstance(module, nn.Linear):
            wanda[label + ".weight"] = module.weight.abs() * value.norm(dim=0)
        elif isinstance(module, nn.Conv2d):
            w, parts = module.weight, []
            for group, filters in zip(value.chunk(module.groups, 1), w.chunk(module.groups, 0)):
                patches = F.unfold(group, module.kernel_size, padding=module.padding, stride=module.stride)
                parts.append(filters.abs() * patches.pow(2).sum(dim=(0, 2)).sqrt().reshape(1, *w.shape[1:]))
            wanda[label + ".weight"] = torch.cat(parts)
        value = module(value)
        if label and not label.startswith("bn"):
            last = label
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.ReLU, nn.Tanh, nn.BatchNorm2d)):
            channels = value.transpose(0, 1).flatten(1)
            units[last + ".weight"] = dict(mean=flat(channels.abs().mean(1)), variance=flat(channels.var(1, unbiased=False)), nonzeros=flat((channels != 0).double().mean(1)))

    # SynFlow as its authors' code: absolute values, rows of ones, evaluation; here batch normalisation is the identity.
    signs = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        for p in parameters:
            p.abs_()
        for module in model:
            if isinstance(module, nn.BatchNorm2d):
                kept = [b.clone() for b in (module.running_mean, module.running_var)]
                module.weight.fill_(1)
                module.bias.zero_()
                module.running_mean.zero_()
                module.running_var.fill_(1)
    total = model(torch.ones_like(x[:1])).sum()
    flow = torch.autograd.grad(total, parameters)
    scores["synflow"] = [(g * w.detach()).abs() / total for g, w in zip(flow, parameters)]
    with torch.no_grad():
        for p, value in zip(parameters, signs):
            p.copy_(value)
        for module in model:
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.copy_(kept[0])
                module.running_var.copy_(kept[1])

    # The loss without each weight, one by one.
    change = []
    with torch.no_grad():
        before = loss()
        for w in parameters:
            out = torch.zeros_like(w)
            for i in range(w.numel()):
                old = w.view(-1)[i].item()
                w.view(-1)[i] = 0
                out.view(-1)[i] = loss() - before
                w.view(-1)[i] = old
            change.append(out)
    scores["loss_change"] = change

    # Movement: plain gradient descent, the sum of -w g on the way.
    start = [p.detach().clone() for p in parameters]
    movement = [torch.zeros_like(p) for p in parameters]
    for _ in range(3):
        gradients = torch.autograd.grad(loss(), parameters)
        with torch.no_grad():
            for m, p, g in zip(movement, parameters, gradients):
                m -= p * g
                p -= 0.05 * g
    scores["movement"] = movement
    with torch.no_grad():
        for p, value in zip(parameters, start):
            p.copy_(value)

    values = {label: flat(p) for label, p in zip(named, parameters)}
    for module, label in zip(model, names):
        if isinstance(module, nn.BatchNorm2d):
            values[label + ".mean"], values[label + ".variance"] = flat(module.running_mean), flat(module.running_var)
    return dict(name=name, values=values, rows=[flat(row) for row in x], targets=[int(t) for t in y], units=units,
                scores={criterion: {label: flat(s) for label, s in zip(named, found)} for criterion, found in scores.items()}
                | dict(wanda={label: flat(s) for label, s in wanda.items()}))


def rows(*shape):
    return torch.randn(*shape).float().double()


model, names = dense()
cases = [case("dense", model, names, rows(12, 5), torch.arange(12) % 3)]
model, names = images()
cases.append(case("images", model, names, rows(12, 2, 6, 6)[:, :, :4, :4].contiguous(), torch.arange(12) % 3))

path = pathlib.Path(__file__).parent.parent / "MLNet.Pruning.Tests" / "Fixtures" / "importance.json"
path.write_text(json.dumps(dict(torch=torch.__version__, cases=cases)) + "\n")
print(path.name, len(cases), "cases")
