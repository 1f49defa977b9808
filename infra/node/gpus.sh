#!/usr/bin/env bash
# Before `ray start` on a node with GPUs: starts NVIDIA's MPS, so that trials that share a GPU compute at the same time;
# without it they take turns. env.sh tells every shell, hence Ray and its workers, where it is.
# `export OCKHAM_MPS=0` in ~/.ockham/site.sh leaves it off: under MPS what one trial does to the GPU (an illegal access,
# say) ends the work of its neighbours there too; each then runs again from its checkpoint.
set -euo pipefail
if [ -f ~/.ockham/site.sh ]; then . ~/.ockham/site.sh; fi
mps=$HOME/.ockham/mps
stop() { echo quit | nvidia-cuda-mps-control > /dev/null 2>&1 || true; rm -rf "$mps"; }

if ! command -v nvidia-cuda-mps-control > /dev/null || ! nvidia-smi -L > /dev/null 2>&1; then rm -rf "$mps"; exit 0; fi
export CUDA_MPS_PIPE_DIRECTORY=$mps CUDA_MPS_LOG_DIRECTORY=$mps
if [ "${OCKHAM_MPS:-1}" = 0 ]; then stop; exit 0; fi
if echo get_server_list | nvidia-cuda-mps-control > /dev/null 2>&1; then exit 0; fi
# What a daemon left that no longer answers would keep every program from the GPU.
rm -rf "$mps"
(umask 077 && mkdir -p "$mps")
if ! nvidia-cuda-mps-control -d; then
  echo "NVIDIA's MPS does not start: trials that share a GPU take turns on it" >&2
  rm -rf "$mps"
fi
