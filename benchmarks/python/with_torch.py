"""The workloads in torch, eager or through torch.compile. Sums are kept in f32: no TF32, no reductions in f16. numpy is not needed."""

import ctypes
import gc
import math

import torch
import torch.nn.functional as F

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False

GPU = torch.cuda.is_available()


class Library:
    version = torch.__version__
    adapter = torch.cuda.get_device_name() if GPU else "CPU"

    def __init__(self, mode="eager"):
        self.compiles = mode == "compile"

    def compiled(self, fn):
        return torch.compile(fn, dynamic=False) if self.compiles else fn

    def load(self, file, shape):
        return torch.from_file(file, size=math.prod(shape), dtype=torch.float32).reshape(shape)

    def dump(self, x):
        x = x.detach().float().cpu().contiguous()
        return ctypes.string_at(x.data_ptr(), 4 * x.numel())

    def prepare(self, request, arrays):
        dtype = torch.float16 if request["dtype"] == "f16" else torch.float32
        # The files are removed after this: a copy is wanted on the CPU too.
        x = {name: a.to("cuda" if GPU else "cpu", dtype, copy=True) for name, a in arrays.items()}
        return globals()[request["kind"]](self.compiled, x, request)

    def wait(self):
        if GPU:
            torch.cuda.synchronize()

    def forget(self):
        # What was compiled for a workload is no use to another, and counts against torch's limit for a function.
        if self.compiles:
            torch._dynamo.reset()
        gc.collect()
        if GPU:
            torch.cuda.empty_cache()


def forward(fn):
    """A workload that is one function of its inputs."""

    def prepare(compiled, x, request):
        run = compiled(fn)

        def once():
            with torch.no_grad():
                return [run(*x.values())]

        return once

    return prepare


def gate(x):
    a, b = x.chunk(2, -1)
    return a * F.gelu(b)


def conv_gradient(mask, result):
    """Only the gradient that is asked for; what stands for the other operand gives its shape."""

    def prepare(compiled, x, request):
        g = x["g"]
        image = x.get("x", g)
        filters = x["w"] if "w" in x else torch.empty(g.shape[1], image.shape[1], 3, 3, device=g.device)
        step = lambda g, image, filters: torch.ops.aten.convolution_backward(
            g, image, filters, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask
        )[result]
        run = compiled(step)
        return lambda: [run(g, image, filters)]

    return prepare


def attentionGrad(compiled, x, request):
    run = compiled(F.scaled_dot_product_attention)
    leaves = [x[name].requires_grad_() for name in "qkv"]
    return lambda: torch.autograd.grad(run(*leaves), leaves, x["g"])


def chain(step):
    def prepare(compiled, x, request):
        def repeated(start, operand):
            for _ in range(request["repeats"]):
                start = step(start, operand)
            return start

        return forward(repeated)(compiled, x, request)

    return prepare


def trainStep(compiled, x, request):
    names = ["conv1", "conv2", "conv3", "dense"]
    weights = [x[name].requires_grad_() for name in names]
    labels = x["labels"].long()
    before = [w.detach().clone() for w in weights]

    def loss_of(images, labels, conv1, conv2, conv3, dense):
        h = F.relu(F.conv2d(images, conv1, padding=1))
        h = F.relu(F.conv2d(h, conv2, padding=1, stride=2))
        h = F.relu(F.conv2d(h, conv3, padding=1, stride=2))
        return F.cross_entropy(h.flatten(1) @ dense.T, labels)

    run = compiled(loss_of)

    def step():
        loss = run(x["images"], labels, *weights)
        grads = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for w, g in zip(weights, grads):
                w -= request["learningRate"] * g
        return [torch.tensor([loss.item()]), *before, *weights]

    return step


matmul = forward(torch.matmul)
conv3x3 = forward(lambda x, w: F.conv2d(x, w, padding=1))
conv3x3Input = conv_gradient([True, False, False], 0)
conv3x3Weight = conv_gradient([False, True, False], 1)
attention = forward(F.scaled_dot_product_attention)
groupNormSilu = forward(lambda x, weight, bias: F.silu(F.group_norm(x, 32, weight, bias)))
geglu = forward(gate)
feedForward = forward(lambda x, w1, b1, w2, b2: F.linear(gate(F.linear(x, w1, b1)), w2, b2))
add = forward(torch.add)
addChain = chain(torch.add)
matmulChain = chain(torch.matmul)
