"""The zoo: torchvision's and other common networks as ONNX graphs, for the tests of reading, running and removal.

Writes networks.zip and networks.json of test/MLNet.Pruning.Tests/Zoo, which are committed, so that the tests need no Python; run it again only to
change the networks. The graphs come without weights (see weightless.py). How large the weights are to be is found here: so that every output is of
order one and depends on its input when float inputs are standard normal and ids uniform. What is printed is the deviation of the outputs, overall
and between inputs, on such rows. In the list "N" and "T" are free sizes, and ids lie in low <= id < high.
Run with Debian's python3-torch (1.13.1), python3-torchvision (0.14.1) and python3-onnx (1.12.0): /usr/bin/python3 test/peers/export_zoo.py
"""
import io
import time
import warnings
import zlib

import onnx
import torch
from torch import nn
from torch.onnx import TrainingMode
from torchvision import models
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vgg import VGG, cfgs, make_layers

from weightless import without_weights, write

BATCH = 32
IDS = 50
LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d)
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
NORMS = BATCH_NORMS + (nn.LayerNorm, nn.GroupNorm)


class Recurrent(nn.Module):
    """Token ids [N, T] or float sequences [N, T, F] through recurrent layers; the last state or the mean over time is classified."""

    def __init__(self, kind, layers=1, both=False, features=None, mean=False):
        super().__init__()
        self.embedding = nn.Embedding(IDS, 24) if features is None else None
        self.layers = kind(features or 24, 32, layers, batch_first=True, bidirectional=both)
        self.head = nn.Linear(64 if both else 32, 10)
        self.both, self.mean = both, mean

    def forward(self, x):
        outputs, state = self.layers(x if self.embedding is None else self.embedding(x))
        if self.mean:
            return self.head(outputs.mean(1))
        last = state[0] if isinstance(state, tuple) else state
        return self.head(torch.cat((last[-2], last[-1]), 1) if self.both else last[-1])


class Encoder(nn.Module):
    """Token ids [N, 12] through a transformer encoder of two layers; the mean over time is classified."""

    def __init__(self, activation, norm_first):
        super().__init__()
        self.embedding = nn.Embedding(IDS, 32)
        self.positions = nn.Parameter(torch.zeros(12, 32))
        layer = lambda: nn.TransformerEncoderLayer(32, 4, 64, activation=activation, batch_first=True, norm_first=norm_first)
        self.layers = nn.Sequential(layer(), layer())
        self.head = nn.Linear(32, 10)

    def forward(self, ids):
        return self.head(self.layers(self.embedding(ids) + self.positions).mean(1))


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return torch.relu(self.shortcut(x) + self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x))))))


class SmallCnn(nn.Module):
    """Operators whose attributes became inputs, or whose meaning changed, between opsets 9 and 17."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 24, 3)
        self.conv3 = nn.Conv2d(24, 16, 1)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.norm(torch.nn.functional.relu6(self.conv1(x)))
        x = torch.nn.functional.max_pool2d(x, 2)
        x = torch.relu(self.conv2(torch.nn.functional.pad(x, (1, 1, 1, 1))))
        left, right = torch.split(x, [8, 16], 1)
        x = torch.nn.functional.interpolate(torch.cat((right[:, 4:], left, right[:, :4]), 1), scale_factor=2.0, mode="nearest")
        x = self.dropout(self.conv3(x).clamp(min=-1)).mean((2, 3)).unsqueeze(1).squeeze(1)
        return torch.log_softmax(self.head(x), 1)


def mlp():
    return nn.Sequential(nn.Linear(64, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10))


def lenet5():
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def tiny_resnet():
    return nn.Sequential(nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Residual(16, 16, 1), Residual(16, 32, 2),
                         Residual(32, 32, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))


def vgg(layers):
    """Torchvision's features; the classifier, made for images of 224 and 102 million weights, starts at 2 x 2 and is 256 wide."""
    model = VGG(layers, init_weights=False)
    channels = [layer.out_channels for layer in layers if isinstance(layer, nn.Conv2d)][-1]
    model.avgpool = nn.AdaptiveAvgPool2d(2)
    model.classifier = nn.Sequential(nn.Linear(4 * channels, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, 256), nn.ReLU(), nn.Dropout(),
                                     nn.Linear(256, 20))
    return model


def half(layers):
    return [size if size == "M" else size // 2 for size in layers]


def image(size=64, channels=3):
    return dict(name="input", shape=["N", channels, size, size], type="float")


def ids(steps):
    return dict(name="ids", shape=["N", steps], type="int64", range=[0, IDS])


def sequence(steps, features):
    return dict(name="input", shape=["N", steps, features], type="float")


def classifier(build, **options):
    return lambda: build(weights=None, num_classes=20, **options)


def network(build, source, **options):
    return dict(build=build, input=source, options=options)


NETWORKS = {
    "mlp": network(mlp, dict(name="input", shape=["N", 64], type="float")),
    "lenet5": network(lenet5, image(28, 1)),
    "lenet5_batch1": network(lenet5, dict(image(28, 1), shape=[1, 1, 28, 28])),
    "tiny_resnet": network(tiny_resnet, image(8, 1)),
    "resnet18": network(classifier(models.resnet18), image()),
    "resnet18_train": network(classifier(models.resnet18), image(), training=TrainingMode.PRESERVE, do_constant_folding=False),
    "resnet50": network(classifier(models.resnet50), image()),
    "vgg11_bn": network(lambda: vgg(make_layers(cfgs["A"], batch_norm=True)), image()),
    "vgg16": network(lambda: vgg(make_layers(half(cfgs["D"]))), image()),
    "densenet121": network(classifier(models.densenet121), image()),
    "mobilenet_v2": network(classifier(models.mobilenet_v2), image()),
    "mobilenet_v3_small": network(classifier(models.mobilenet_v3_small), image()),
    "mobilenet_v3_large": network(classifier(models.mobilenet_v3_large), image()),
    "squeezenet1_1": network(classifier(models.squeezenet1_1), image()),
    "shufflenet_v2_x1_0": network(classifier(models.shufflenet_v2_x1_0), image()),
    "efficientnet_b0": network(classifier(models.efficientnet_b0), image()),
    "inception_v3": network(classifier(models.inception_v3, aux_logits=False, transform_input=False, init_weights=False), image(107)),
    "googlenet": network(classifier(models.googlenet, aux_logits=False, transform_input=False, init_weights=False), image()),
    "convnext_tiny": network(classifier(models.convnext_tiny), image()),
    "vit": network(lambda: models.VisionTransformer(32, 8, 3, 4, 64, 128, num_classes=20), image(32)),
    "swin": network(lambda: SwinTransformer([4, 4], 32, [2, 2], [2, 4], [4, 4], num_classes=20), image(32)),
    "lstm": network(lambda: Recurrent(nn.LSTM), ids(12)),
    "lstm2": network(lambda: Recurrent(nn.LSTM, 2, mean=True), ids(12)),
    "bilstm": network(lambda: Recurrent(nn.LSTM, both=True), ids(12)),
    "bilstm2": network(lambda: Recurrent(nn.LSTM, 2, both=True, mean=True), ids(12)),
    "gru": network(lambda: Recurrent(nn.GRU), ids(12)),
    "gru2": network(lambda: Recurrent(nn.GRU, 2, mean=True), ids(12)),
    "bigru": network(lambda: Recurrent(nn.GRU, both=True), ids(12)),
    "bigru2": network(lambda: Recurrent(nn.GRU, 2, both=True, mean=True), ids(12)),
    "rnn": network(lambda: Recurrent(nn.RNN), ids(12)),
    "birnn2": network(lambda: Recurrent(nn.RNN, 2, both=True), ids(12)),
    "lstm_sequence": network(lambda: Recurrent(nn.LSTM, 2, features=6), sequence(16, 6)),
    "lstm_steps": network(lambda: Recurrent(nn.LSTM, mean=True), ids("T")),
    "bigru_steps": network(lambda: Recurrent(nn.GRU, both=True, features=6), sequence("T", 6)),
    "transformer": network(lambda: Encoder("relu", False), ids(12)),
    "transformer_gelu": network(lambda: Encoder("gelu", False), ids(12)),
    "transformer_norm_first": network(lambda: Encoder("relu", True), ids(12)),
    "transformer_norm_first_gelu": network(lambda: Encoder("gelu", True), ids(12)),
    # Opset 8 and below cannot resize, 17 is the newest that PyTorch 1.13 writes.
    **{f"smallcnn_opset{opset}": network(SmallCnn, image(16), opset_version=opset) for opset in range(9, 18)},
}


def draw(source, rows=BATCH):
    """Rows of noise that differ in brightness and contrast, so that uniform noise is within what the network was calibrated for."""
    shape = [rows] + [14 if size == "T" else size for size in source["shape"][1:]]
    if source["type"] == "int64":
        return torch.randint(*source["range"], shape)
    column = [rows] + [1] * (len(shape) - 1)
    return torch.randn(shape) * (0.6 + 0.6 * torch.rand(column)) + 0.4 * torch.randn(column)


def noise(source, rows=BATCH):
    """Standard normal rows, as the tests draw them."""
    return draw(source, rows) if source["type"] == "int64" else torch.randn(rows, *[14 if size == "T" else size for size in source["shape"][1:]])


def randomise(model):
    """As the tests draw weights: those of an output sum to zero, so that means of rectified values do not grow from layer to layer."""
    for module in model.modules():
        if isinstance(module, LAYERS):
            nn.init.kaiming_normal_(module.weight)
            module.weight.data -= module.weight.data.flatten(1).mean(1).view(-1, *[1] * (module.weight.dim() - 1))
        elif isinstance(module, NORMS):
            nn.init.uniform_(module.weight, 0.5, 1.5)
        if isinstance(module, LAYERS + NORMS) and module.bias is not None:
            nn.init.normal_(module.bias, 0, 0.2)
    for name, value in model.named_parameters():
        if name.endswith("layer_scale"):
            nn.init.uniform_(value, 0.5, 1.5)
        elif name.endswith("in_proj_bias"):
            nn.init.normal_(value, 0, 0.2)
        elif name.endswith(("class_token", "pos_embedding", "positions", "relative_position_bias_table")):
            nn.init.normal_(value, 0, 0.5)


def spread(values, axis):
    """Mean over the channels of their deviation: what differs from channel to channel but not from input to input tells nothing."""
    return values.transpose(0, axis).flatten(1).std(1).mean()


@torch.no_grad()
def standardise(layer, inputs, output):
    """Rescales a layer as a whole so that its outputs have about unit deviation over the batch; inputs that hardly differ are not blown up.

    Squeeze-and-excite layers, which see one pixel a row, get smaller weights instead: gates that swing widely multiply into heavy tails, more so
    since larger inputs open them further."""
    gates = output.dim() == 4 and output[0, 0].numel() == 1
    axis = output.dim() - 1 if isinstance(layer, nn.Linear) else 1
    layer.weight.div_(2.5 if gates else spread(output, axis).clamp(min=0.05))
    return layer.forward(*inputs)


@torch.no_grad()
def average(norm, inputs):
    """Gives a batch norm about the averages of what it reads."""
    deviation = spread(inputs[0], 1)
    norm.running_mean.normal_(0, 0.1).mul_(deviation)
    norm.running_var.uniform_(0.5, 1.5).mul_(deviation.square())


@torch.no_grad()
def calibrate(model, source):
    """Scales layer after layer, each by what the layers before it make of a batch."""
    model.eval()
    hooks = [layer.register_forward_hook(standardise) for layer in model.modules() if isinstance(layer, LAYERS) and layer.bias is not None]
    hooks += [norm.register_forward_pre_hook(average) for norm in model.modules() if isinstance(norm, BATCH_NORMS)]
    model(draw(source))
    for hook in hooks:
        hook.remove()


@torch.no_grad()
def repeat_values(model):
    """Equal parameters, of one kind and of two, which PyTorch writes once, behind Identity nodes."""
    first, second = model.layer1[0], model.layer1[1]
    second.bn1.weight.copy_(first.bn1.weight)
    second.bn2.weight.copy_(first.bn1.running_var)
    second.bn2.bias.copy_(first.bn2.bias)


def export(name):
    start = time.perf_counter()
    torch.manual_seed(zlib.crc32(name.encode()))
    chosen = NETWORKS[name]
    source, fixed = chosen["input"], chosen["input"]["shape"][0] != "N"
    model = chosen["build"]()
    randomise(model)
    calibrate(model, source)
    if name == "resnet18_train":
        repeat_values(model)
    example = draw(source, source["shape"][0] if fixed else 2)
    free = {axis: dict(N="batch", T="time")[size] for axis, size in enumerate(source["shape"]) if isinstance(size, str)}
    options = dict(dict(opset_version=13), **chosen["options"])
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, example, file, input_names=[source["name"]], output_names=["output"],
                          dynamic_axes={} if fixed else {source["name"]: free, "output": {0: "batch"}}, **options)
    with torch.no_grad():
        output = model(noise(source))
    target = dict(name="output", shape=[source["shape"][0], output.shape[1]], type="float")
    print(f"{name:30} {len(file.getvalue()) / 1e6:7.2f} MB {time.perf_counter() - start:6.2f} s"
          f"   deviation {output.std():.2f}, between inputs {output.std(0).mean():.2f}", flush=True)
    return dict(name=name, opset=options["opset_version"], inputs=[source], outputs=[target]), without_weights(onnx.load_from_string(file.getvalue()))


torch.set_num_threads(2)
write("networks", [export(name) for name in NETWORKS])
