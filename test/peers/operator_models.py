"""How export_operators.py declares and writes its models."""
import io
import warnings
import zlib

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper, parser
from torch import nn
from torch.onnx import TrainingMode

from weightless import without_weights, write

BATCH = 3
CASES = {}
LAYERS = (nn.Linear, nn.modules.conv._ConvNd)
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


class Call(nn.Module):
    """A function of the value and of parameters of the given shapes."""

    def __init__(self, function, *shapes):
        super().__init__()
        self.function = function
        self.values = nn.ParameterList(nn.Parameter(torch.rand(shape) + 0.5) for shape in shapes)

    def forward(self, *x):
        return self.function(*x, *self.values)


class Both(nn.Module):
    """join(first(x), second(x)); without a second branch, x itself."""

    def __init__(self, join, first, second=None):
        super().__init__()
        self.join, self.first, self.second = join, first, second or nn.Identity()

    def forward(self, x):
        return self.join(self.first(x), self.second(x))


class Recurrent(nn.Module):
    """Sequences [N, 5, 8] through one layer of 8 units a direction: all outputs, or the last states, from zero or from given initial states."""

    def __init__(self, kind, both, sequence, start=None):
        super().__init__()
        self.layer = kind(8, 8, batch_first=True, bidirectional=both)
        self.both, self.sequence, self.start = both, sequence, start
        directions = 2 if both else 1
        self.learned = nn.Parameter(torch.randn(directions, 1, 8)) if start == "learned" else None
        self.computed = nn.Linear(8, 8 * directions) if start == "computed" else None

    def forward(self, x):
        initial = None
        if self.start == "learned":
            initial = self.learned.expand(-1, x.shape[0], -1)
        elif self.start == "computed":
            initial = torch.stack(self.computed(x[:, 0]).split(8, 1))
        if initial is not None and isinstance(self.layer, nn.LSTM):
            initial = (initial, torch.tanh(initial))
        outputs, state = self.layer(x, initial)
        if self.sequence:
            return outputs
        last = state[0] if isinstance(state, tuple) else state
        return torch.cat((last[0], last[1]), 1) if self.both else last[0]


class Attention(nn.Module):
    """Two heads of size 4 with a projection each for queries, keys and values; still [N, H, T, D] inside."""

    def __init__(self, causal=False, fixed=False):
        super().__init__()
        self.queries, self.keys, self.values = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)
        self.causal, self.fixed = causal, fixed

    def heads(self, x):
        return (x.view(-1, 5, 2, 4) if self.fixed else x.view(x.shape[0], x.shape[1], 2, 4)).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.heads(self.queries(x)), self.heads(self.keys(x)), self.heads(self.values(x))
        scores = q @ k.transpose(2, 3) / 2
        if self.causal:
            scores = scores.masked_fill(torch.ones(5, 5).triu(1).bool(), -1e9)
        mixed = (torch.softmax(scores, -1) @ v).transpose(1, 2)
        return mixed.reshape(-1, 5, 8) if self.fixed else mixed.reshape(x.shape[0], x.shape[1], 8)


class Packed(nn.Module):
    """PyTorch's own attention: one matrix projects all three, heads are merged with the batch."""

    def __init__(self, batch_first=True):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=batch_first)
        self.batch_first = batch_first

    def forward(self, x):
        x = x if self.batch_first else x.transpose(0, 1)
        y = self.attention(x, x, x, need_weights=False)[0]
        return y if self.batch_first else y.transpose(0, 1)


def conv(inputs=8, outputs=8, size=3, **options):
    return nn.Conv2d(inputs, outputs, size, padding=size // 2, **options)


def floats(name, *shape):
    return dict(name=name, shape=["N", *shape], type="float")


def case(name, build, *sources, opset=13, training=False, **options):
    """build() makes the module, under the seed of the name."""
    if name in CASES:
        raise ValueError(f"Two cases are called {name}.")
    CASES[name] = lambda: export(name, build, sources, opset, training, options)


def wrapped(operator):
    return operator if isinstance(operator, nn.Module) else Call(operator)


def image(name, operator, out=8, size=6, **options):
    """Images [N, 4, size, size]: convolution 4 -> 8, operator, convolution out -> 4."""
    case(name, lambda: nn.Sequential(conv(4, 8), wrapped(operator()), conv(out, 4)), floats("x", 4, size, size), **options)


def pooled(name, operator, out=8, **options):
    """As image, but the operator's result [N, out] goes into a linear layer."""
    case(name, lambda: nn.Sequential(conv(4, 8), wrapped(operator()), nn.Linear(out, 4)), floats("x", 4, 6, 6), **options)


def rows(name, operator, out=8, **options):
    """Rows [N, 6]: linear 6 -> 8, operator, linear out -> 4."""
    case(name, lambda: nn.Sequential(nn.Linear(6, 8), wrapped(operator()), nn.Linear(out, 4)), floats("x", 6), **options)


def steps(name, operator, out=8, **options):
    """Sequences [N, 5, 6]: linear 6 -> 8, operator, linear out -> 4."""
    case(name, lambda: nn.Sequential(nn.Linear(6, 8), wrapped(operator()), nn.Linear(out, 4)), floats("x", 5, 6), **options)


def values(*shape):
    """Normal; matrices and kernels have a deviation of one over the root of an output's inputs."""
    inputs = {1: 1, 3: shape[-1]}.get(len(shape), numpy.prod(shape[1:]))
    return (torch.randn(shape) / float(inputs) ** 0.5).numpy()


def graph(name, text, weights, outputs="float[N,4] y", inputs="float[N,6] x", opset=13):
    """A graph in ONNX's textual form; weights are shapes to draw, or the values themselves."""
    def make():
        model = parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> {name} ({inputs}) => ({outputs}) {{ {text} }}')
        return complete(name, model, weights, opset)
    CASES[name] = make


def nodes(name, made, weights, x=("N", 6), y=("N", 4), opset=13, domain=None):
    """A graph of nodes, for what the textual form cannot say: inputs left out, subgraphs, other domains."""
    def make():
        value = lambda key, shape: helper.make_tensor_value_info(key, TensorProto.FLOAT, shape)
        imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
        model = helper.make_model(helper.make_graph(made, name, [value("x", x)], [value("y", y)]), opset_imports=imports, ir_version=8)
        return complete(name, model, weights, opset, runs=domain is None)
    CASES[name] = make


def complete(name, model, weights, opset, runs=True):
    for key, value in weights.items():
        value = values(*value) if isinstance(value, tuple) else numpy.array(value)
        model.graph.initializer.append(numpy_helper.from_array(value, key))
    if runs and opset <= onnx.defs.onnx_opset_version():
        onnx.checker.check_model(model, full_check=True)

    def describe(value):
        kind = value.type.tensor_type
        shape = [dim.dim_param or dim.dim_value for dim in kind.shape.dim]
        return dict(name=value.name, shape=shape, type=TensorProto.DataType.Name(kind.elem_type).lower())

    return dict(name=name, opset=opset, inputs=[describe(v) for v in model.graph.input], outputs=[describe(v) for v in model.graph.output],
                runs=runs), model


def export(name, build, sources, opset, training, options):
    model = build().train(training)
    for module in model.modules():
        if isinstance(module, LAYERS):
            nn.init.normal_(module.weight, 0, module.weight[0].numel() ** -0.5)
        elif isinstance(module, NORMS) and module.weight is not None:
            nn.init.uniform_(module.weight, 0.5, 1.5)
        if isinstance(module, LAYERS + NORMS) and module.bias is not None:
            nn.init.normal_(module.bias, 0, 0.3)
        if isinstance(module, nn.MultiheadAttention):
            nn.init.normal_(module.in_proj_bias, 0, 0.3)
        elif isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, 0.1, 0.6)
        elif isinstance(module, nn.RNNBase):
            for value in module.parameters():
                nn.init.normal_(value, 0, 0.6)
    for value in model.buffers():
        if value.is_floating_point():
            nn.init.uniform_(value, 0.5, 1.5)
    shapes = [[dict(N=BATCH).get(size, size) for size in source["shape"]] for source in sources]
    example = tuple(torch.randint(*source["range"], shape) if source["type"] == "int64" else torch.randn(shape)
                    for source, shape in zip(sources, shapes))
    mode = TrainingMode.TRAINING if training else TrainingMode.PRESERVE if options.pop("preserve", False) else TrainingMode.EVAL
    results = model(*example)
    results = results if isinstance(results, tuple) else (results,)
    names = ["y", "z"][:len(results)]
    file = io.BytesIO()
    torch.onnx.export(model, example, file, input_names=[source["name"] for source in sources], output_names=names, opset_version=opset,
                      dynamic_axes={key: {0: "N"} for key in [source["name"] for source in sources] + names}, training=mode, **options)
    exported = onnx.load_from_string(file.getvalue())
    onnx.checker.check_model(exported, full_check=True)
    outputs = [dict(name=key, shape=["N", *value.shape[1:]], type=str(value.dtype).replace("torch.", "").replace("float32", "float"))
               for key, value in zip(names, results)]
    return dict(name=name, opset=opset, inputs=list(sources), outputs=outputs, runs=not training), exported


def write_all():
    """Writes every case, each under the seed of its name."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    models = []
    for name, make in CASES.items():
        torch.manual_seed(zlib.crc32(name.encode()))
        try:
            description, model = make()
            models.append((description, without_weights(model)))
        except Exception as error:
            raise RuntimeError(f"{name} was not made.") from error
    write("operators", models)
