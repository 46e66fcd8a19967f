#!/usr/bin/env bash
# A study on two machines, a process for each GPU; sent again after a time limit, it goes on where it was:
#     sbatch deploy/slurm.sh study maps --networks resnet50 deit_tiny_patch16_224 --data /data/dtd/images --out /data/maps
#SBATCH --nodes=2 --ntasks-per-node=1 --gpus-per-node=4 --cpus-per-task=16 --time=04:00:00
set -euo pipefail
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
srun torchrun --nnodes "$SLURM_NNODES" --nproc-per-node "${SLURM_GPUS_ON_NODE:-1}" \
  --rdzv-backend c10d --rdzv-endpoint "$head:29500" --rdzv-id "$SLURM_JOB_ID" -m vizcore "$@"
