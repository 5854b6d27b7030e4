#!/bin/bash
# A sweep as an array job of Slurm:
#
#   sbatch --array=0-99 slurm_sweep.sh SIMULATOR DESIGN.toml OUT
#
# A task is one part; Slurm says which by SLURM_ARRAY_TASK_ID, and how many there are by SLURM_ARRAY_TASK_COUNT. A task
# whose node fails is put into the queue again; submit the same command again for whatever else did not end well. OUT
# must be a folder that all nodes see.
#SBATCH --job-name=secagg-sweep
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --open-mode=append
exec "$1" sweep "$2" --of "$SLURM_ARRAY_TASK_COUNT" --out "$3"
