#!/usr/bin/env bash
# Measures Antipode beside torch, eager and compiled, on this machine's NVIDIA GPU, and prints one table. Libraries get ready side by
# side, so some cores should be free.
#
#   benchmarks/gpu.sh [workload …]      all by default, with matrix products of 4096 in f32 and f16
#
# Wanted: the NVIDIA driver with its Vulkan part (in a container NVIDIA_DRIVER_CAPABILITIES=all), Node 20.19 or later, and a python3
# with a torch built for CUDA. Nothing of that is installed here. The page and all numbers go to runs/gpu.
#
# How to read it: torch sums in f32 as we do (TF32 and f16 reductions are off); short runs are started in groups and waited for
# once, on both sides; with several GPUs, set CUDA_VISIBLE_DEVICES to the one that Vulkan lists first, and see that both names
# below are the same. Clocks are left as they are. Its workloads took four and a half minutes on an H100.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "gpu.sh: $1" >&2; exit 1; }

command -v nvidia-smi > /dev/null || fail 'expected nvidia-smi, got none: this script is for NVIDIA GPUs'
# In one go: torch takes seconds to load.
cuda=$(python3 -c '
import sys, torch
if not torch.cuda.is_available(): sys.exit("torch finds no CUDA")
print(torch.cuda.get_device_name(), "torch", torch.__version__, "CUDA", torch.version.cuda)
') || fail 'expected a python3 with a torch that finds CUDA'
# Without this a software driver beside NVIDIA's may be taken.
for icd in /usr/share/vulkan/icd.d/nvidia_icd*.json /etc/vulkan/icd.d/nvidia_icd*.json; do
  if [ -e "$icd" ]; then export VK_DRIVER_FILES="$icd" VK_ICD_FILENAMES="$icd"; break; fi
done

node scripts/setup.mjs
adapter=$(node scripts/probe-adapter.mjs) || fail 'expected a Vulkan driver for the GPU, got none that Dawn finds'
case "$adapter" in *llvmpipe* | *SwiftShader*) fail "expected the GPU as the adapter, got $adapter" ;; esac
echo "WebGPU: $adapter"
echo "CUDA:   $cuda"
nvidia-smi --query-gpu=name,driver_version,clocks.max.sm,power.limit --format=csv,noheader

if [ $# -eq 0 ]; then
  set -- matmul matmul-4096 matmul-4096-f16 conv3x3 attention group-norm-silu geglu feed-forward add-16M add-chain matmul-chain \
    train-step digits unet-eighth
fi
npm run --silent bench -- "$@" --only antipode,torch,torch.compile --quick --rounds 3 --out runs/gpu
