"""Draws random scheduler configurations and records what diffusers makes of each: its plan, its first step and its last.

Run with torch, diffusers and scipy installed; one JSON object a line:
  python tools/golden/schedulers.py --count 4000 --seed 1 > cases.jsonl
  node --conditions=@antipode/source --import tsx tools/golden/schedulers.ts cases.jsonl

Each case is run twice: as diffusers is, in float32, and with its own code in float64 on the same float32 tables. Where the two
differ, rounding in diffusers decides, and not the method.
"""

import argparse
import inspect
import json
import random
import re
import sys
import types
import warnings

import diffusers
import numpy as np
import torch
from diffusers import schedulers
from diffusers.utils import torch_utils

warnings.filterwarnings("ignore")
diffusers.utils.logging.set_verbosity_error()
torch.set_num_threads(1)
np.seterr(all="ignore")

SHAPE = (2, 2, 1, 1)
SAMPLE = [0.3, -1.2, 0.8, 0.1]
CURVES = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"]
EPSILON_V_SAMPLE = ["epsilon", "v_prediction", "sample"]
WITH_FLOW = [*EPSILON_V_SAMPLE, "flow_prediction"]

# What each option is drawn from, where a class has it; the class's own default otherwise.
VALUES = {
    "num_train_timesteps": [40, 100, 500, 1000, 1100],
    "beta_start": [1e-4, 8.5e-4, 0.004],
    "beta_end": [0.012, 0.02, 0.03],
    "beta_schedule": ["linear", "scaled_linear", "squaredcos_cap_v2"],
    "prediction_type": EPSILON_V_SAMPLE,
    "timestep_spacing": ["linspace", "leading", "trailing"],
    "steps_offset": [0, 1, 2],
    "rescale_betas_zero_snr": [True, False],
    "clip_sample": [True, False],
    "clip_sample_range": [0.5, 1.0, 2.0],
    "thresholding": [True, False, False],
    "dynamic_thresholding_ratio": [0.5, 0.9, 0.995],
    "sample_max_value": [0.7, 1.0, 3.0],
    "set_alpha_to_one": [True, False],
    "variance_type": ["fixed_small", "fixed_small_log", "fixed_large"],
    "solver_order": [1, 2, 3],
    "solver_type": ["midpoint", "heun"],
    "algorithm_type": ["dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver"],
    "lower_order_final": [True, False],
    "euler_at_final": [True, False],
    "final_sigmas_type": ["zero", "sigma_min"],
    "use_lu_lambdas": [True, False, False, False],
    "lambda_min_clipped": [-5.1, -3.0],
    "use_flow_sigmas": [True, False],
    "flow_shift": [0.5, 1.0, 3.0],
    "predict_x0": [True, False],
    "disable_corrector": [[], [0], [1, 2]],
    "predictor_order": [1, 2, 3],
    "corrector_order": [1, 2, 3],
    "original_inference_steps": [20, 40, 50],
    "timestep_scaling": [1.0, 10.0],
    "sigma_min": [0.002, 0.03],
    "sigma_max": [20.0, 80.0],
    "sigma_data": [0.5, 1.0],
    "sigma_schedule": ["karras", "exponential"],
    "rho": [3.0, 7.0],
    "clip_denoised": [True, False],
    "shift": [0.7, 1.0, 3.0],
    "shift_terminal": [None, 0.1],
    "invert_sigmas": [True, False, False],
    "stochastic_sampling": [True, False, False],
    "skip_prk_steps": [True, False],
    "interpolation_type": ["linear", "log_linear"],
    "timestep_type": ["discrete", "continuous"],
    # Of step, not of the class.
    "eta": [0.0, 0.5, 1.0],
    "use_clipped_model_output": [True, False],
    "order": [1, 2, 3, 4],
    "s_churn": [0.0, 2.0, 10.0],
    "s_tmin": [0.0, 0.3],
    "s_noise": [1.0, 1.003],
}

# Where a class takes other values, or an option means something else there.
OWN = {
    "DPMSolverMultistepScheduler": {"prediction_type": WITH_FLOW},
    "DPMSolverSinglestepScheduler": {"prediction_type": WITH_FLOW, "algorithm_type": ["dpmsolver++", "dpmsolver", "sde-dpmsolver++"]},
    "DPMSolverMultistepInverseScheduler": {"algorithm_type": ["dpmsolver++", "dpmsolver"], "use_flow_sigmas": None},
    "DEISMultistepScheduler": {"prediction_type": WITH_FLOW, "algorithm_type": None, "solver_type": None},
    "UniPCMultistepScheduler": {"prediction_type": WITH_FLOW, "solver_type": ["bh1", "bh2"], "sigma_min": None, "sigma_max": None, "shift_terminal": None},
    "SASolverScheduler": {"prediction_type": WITH_FLOW, "algorithm_type": ["data_prediction", "noise_prediction"]},
    "EDMDPMSolverMultistepScheduler": {"prediction_type": ["epsilon", "v_prediction"], "algorithm_type": ["dpmsolver++", "sde-dpmsolver++"]},
    "EDMEulerScheduler": {"prediction_type": ["epsilon", "v_prediction"]},
    "PNDMScheduler": {"prediction_type": ["epsilon", "v_prediction"]},
    "CMStochasticIterativeScheduler": {"num_train_timesteps": [40, 100, 201]},
    "EulerDiscreteScheduler": {"sigma_min": [0.03, 0.1], "sigma_max": [10.0, 40.0]},
    "FlowMatchHeunDiscreteScheduler": {"s_churn": None, "s_tmin": None, "s_noise": None},
    "FlowMatchEulerDiscreteScheduler": {"s_churn": None, "s_tmin": None, "s_noise": None},
    "HeunDiscreteScheduler": {"s_churn": None, "s_tmin": None, "s_noise": None},
    "DDIMScheduler": {"variance_type": None},
}

CLASSES = [
    "CMStochasticIterativeScheduler",
    "DDIMInverseScheduler",
    "DDIMScheduler",
    "DDPMScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepInverseScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "EDMDPMSolverMultistepScheduler",
    "EDMEulerScheduler",
    "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler",
    "FlowMatchEulerDiscreteScheduler",
    "FlowMatchHeunDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "LCMScheduler",
    "LMSDiscreteScheduler",
    "PNDMScheduler",
    "SASolverScheduler",
    "TCDScheduler",
    "UniPCMultistepScheduler",
]


def in_float64(cls):
    """The class anew from its own source, with every float32 in it a float64, on tables that stay float32's."""
    original = sys.modules[cls.__module__]
    module = types.ModuleType(cls.__module__ + "_float64")
    module.__package__ = original.__package__
    source = inspect.getsource(original)
    source = re.sub(r"(torch|np)\.float32", r"\1.float64", source)
    # What makes the tables keeps its precision, and the noise its stream.
    source = source.replace("torch.randn_like(", "_randn_like(").replace("torch.Tensor([", "torch.DoubleTensor([")
    module.__dict__["_randn_like"] = lambda x: torch.randn(x.shape).double()
    # LMS asks a quadrature for four digits.
    source = source.replace("epsrel=1e-4", "epsabs=0, epsrel=1e-10")
    # Torch's float32 root is not the nearest float32 on every processor; numpy's is.
    source = source.replace("alphas_bar_sqrt = alphas_cumprod.sqrt()", "alphas_bar_sqrt = torch.from_numpy(np.sqrt(alphas_cumprod.numpy()))")
    exec(compile(source, cls.__name__ + "_float64", "exec"), module.__dict__)
    module.randn_tensor = lambda shape, generator=None, **_: torch_utils.randn_tensor(shape, generator=generator).double()
    copy = getattr(module, cls.__name__)

    def make(**config):
        single, double = cls(**config), copy(**config)
        if config.get("rescale_betas_zero_snr"):
            plain = cls(**config | {"rescale_betas_zero_snr": False})
            single.betas = module.rescale_zero_terminal_snr(plain.betas)
            single.alphas = 1.0 - single.betas
            last = single.alphas_cumprod[-1]
            single.alphas_cumprod = torch.cumprod(single.alphas, dim=0)
            single.alphas_cumprod[-1] = last
            if getattr(single, "final_alpha_cumprod", 1.0) != 1.0:
                single.final_alpha_cumprod = single.alphas_cumprod[0]
        for name in ("betas", "alphas", "alphas_cumprod", "final_alpha_cumprod", "initial_alpha_cumprod", "one"):
            if hasattr(single, name):
                setattr(double, name, torch.as_tensor(getattr(single, name)).double())
        if hasattr(double, "lambda_t"):
            double.alpha_t, double.sigma_t = torch.sqrt(double.alphas_cumprod), torch.sqrt(1 - double.alphas_cumprod)
            double.lambda_t = torch.log(double.alpha_t) - torch.log(double.sigma_t)
        return double

    return make


class NearestLogarithm(types.ModuleType):
    """numpy with a float32 logarithm that is the nearest float32, which its own is not on every processor."""

    def __getattr__(self, name):
        return getattr(np, name)

    def log(self, x):
        x = np.asarray(x)
        return np.log(x.astype(np.float64)).astype(x.dtype) if x.dtype == np.float32 else np.log(x)


def with_nearest_tables(cls):
    """The class anew from its own source, with roots and logarithms of its tables rounded to the nearest float32."""
    original = sys.modules[cls.__module__]
    module = types.ModuleType(cls.__module__ + "_nearest")
    module.__package__ = original.__package__
    ratio = "((1 - self.alphas_cumprod) / self.alphas_cumprod)"
    source = inspect.getsource(original).replace(f"{ratio} ** 0.5", f"torch.from_numpy(np.sqrt({ratio}.numpy()))")
    exec(compile(source, cls.__name__ + "_nearest", "exec"), module.__dict__)
    module.np = NearestLogarithm("numpy")
    return getattr(module, cls.__name__)


def options_of(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


def drawn(rng, name, cls):
    own = OWN.get(name, {})

    def pick(option, likely):
        values = own.get(option, VALUES.get(option))
        return [] if values is None or rng.random() > likely else [(option, rng.choice(values))]

    # Most files have their schedule, and one or two options more.
    usual = {"num_train_timesteps", "beta_schedule", "beta_end", "prediction_type", "timestep_spacing"}
    config = dict(pair for option in options_of(cls.__init__) for pair in pick(option, 0.6 if option in usual else 0.25))
    curves = [curve for curve in CURVES if curve in options_of(cls.__init__)]
    if curves and rng.random() < 0.4:
        config[rng.choice(curves)] = True
    if "beta_start" in config and config["beta_start"] >= config.get("beta_end", 1):
        del config["beta_start"]
    if config.get("prediction_type") == "flow_prediction" and rng.random() < 0.8:
        config["use_flow_sigmas"] = True
    step = dict(pair for option in options_of(cls.step) for pair in pick(option, 0.3))
    return config, step


def request_of(rng, cls, config):
    trained = config.get("num_train_timesteps", 1000)
    if "timesteps" in options_of(cls.set_timesteps) and rng.random() < 0.1 and "Flow" not in cls.__name__:
        return {"timesteps": sorted(rng.sample(range(trained), min(rng.randint(1, 8), trained)), reverse=True)}
    return {"num_inference_steps": rng.choice([1, 2, 3, 4, 5, 7, 8, 10, 13, 16, 20])}


def model(x, t):
    return 0.5 * x + t / 2000


def planned(scheduler, request):
    scheduler.set_timesteps(**request)
    return scheduler


def run(scheduler, step, dtype):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    takes = options_of(type(scheduler).step)
    timesteps = scheduler.timesteps
    x = torch.tensor(SAMPLE).reshape(SHAPE).to(dtype) * getattr(scheduler, "init_noise_sigma", 1.0)
    first = None
    for t in timesteps:
        scaled = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        more = {"generator": generator} if "generator" in takes else {}
        x = scheduler.step(model(scaled, t), t, x, **more, **step).prev_sample
        first = x if first is None else first
    # Beyond the last that a run takes, some classes keep another; of two calls a step KDPM2 keeps the middles elsewhere.
    sigmas = None if "KDPM2" in type(scheduler).__name__ else getattr(scheduler, "sigmas", None)
    return {
        "timesteps": plain(timesteps),
        "sigmas": None if sigmas is None else plain(sigmas[: len(timesteps) + 1]),
        "spread": float(getattr(scheduler, "init_noise_sigma", 1.0)),
        "first": plain(first.flatten()),
        "last": plain(x.flatten()),
    }


def plain(tensor):
    return [round_off(value) for value in torch.as_tensor(tensor).tolist()]


def round_off(value):
    # Nine digits tell every float32.
    return None if value != value or abs(value) == float("inf") else float(f"{value:.9g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a class, for as many cases of it alone")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    names = [options.only] if options.only else CLASSES
    variants = [lambda cls: cls, in_float64, with_nearest_tables]
    made = {name: [variant(getattr(schedulers, name)) for variant in variants] for name in names}
    print(json.dumps({"diffusers": diffusers.__version__, "torch": torch.__version__, "seed": options.seed}))
    for i in range(options.count):
        name = names[i % len(names)]
        cls, double, nearest = made[name]
        config, step = drawn(rng, name, cls)
        request = request_of(rng, cls, config)
        case = {"class": name, "config": config, "step": step, "request": request}
        try:
            single = planned(cls(**config), request)
            case |= run(single, step, torch.float32)
            told = plain(planned(nearest(**config), request).timesteps)
            case |= {} if told == case["timesteps"] else {"nearest": told}
        except Exception as error:  # noqa: BLE001 diffusers raises whatever its dependencies do
            print(json.dumps(case | {"error": f"{type(error).__name__}: {error}"[:160]}))
            continue
        try:
            exact = planned(double(**config), request)
            if "KDPM2" not in name and not config.get("rescale_betas_zero_snr"):
                # One plan for both, so that they differ by the rounding of steps alone; KDPM2 derives its middles from levels, and
                # tables for a terminal SNR of 0 depend on the rounding of roots.
                exact.timesteps = single.timesteps
                if hasattr(single, "sigmas"):
                    exact.sigmas = single.sigmas.double()
            case["float64"] = run(exact, step, torch.float64)
        except Exception as error:  # noqa: BLE001
            case["float64"] = {"error": f"{type(error).__name__}: {error}"[:160]}
        print(json.dumps(case))


main()
