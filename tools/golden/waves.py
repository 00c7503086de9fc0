"""Numbers by formula, so that golden files hold results and no weights: value[i] = base + scale·sin(0.7310585·i + 0.01·h(name)) in
float32, where h folds the characters of the name by h·31 + code modulo 100003. packages/models/src/testing/waves.ts has the same."""

import math

import torch


def waves(name, shape, base, scale):
    h = 0
    for c in name:
        h = (h * 31 + ord(c)) % 100003
    n = math.prod(shape)
    values = [base + scale * math.sin(0.7310585 * i + 0.01 * h) for i in range(n)]
    return torch.tensor(values, dtype=torch.float64).float().double().reshape(shape)


def parameter(name, shape):
    if len(shape) > 1:
        return waves(name, shape, 0, 0.7 * math.sqrt(2 / (math.prod(shape) / shape[0])))
    return waves(name, shape, 1, 0.1) if name.endswith(".weight") else waves(name, shape, 0, 0.05)


def fill(model):
    """Gives every parameter of a model its number, and computes in float64 from then on."""
    model.double()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(parameter(name, tuple(p.shape)))
    return model.eval()


def summary(output):
    flat = output.detach().reshape(-1)
    return {"shape": list(output.shape), "first8": flat[:8].tolist(), "absSum": flat.abs().sum().item()}


def waves_of_time(t, width, flip_sin_to_cos=False, downscale_freq_shift=1, scale=1, max_period=10000):
    """Diffusers' get_timestep_embedding in float64, of frequencies rounded to float32, as the models here have them."""
    half = width // 2
    rates = torch.exp(-math.log(max_period) * torch.arange(half, dtype=torch.float64) / (half - downscale_freq_shift))
    angles = t[:, None].double() * rates.to(torch.float32).double()[None, :]
    return torch.cat([angles.cos(), angles.sin()] if flip_sin_to_cos else [angles.sin(), angles.cos()], dim=-1)
