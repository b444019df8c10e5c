#!/usr/bin/env bash
# The study as a Slurm array of eight tasks, and what joins them. From the checkout, which all nodes must see:
#   cargo build --release
#   study=$(sbatch --parsable scripts/cluster/slurm.sh --images 1000)
#   sbatch --dependency=afterok:$study --wrap 'target/release/misread study merge study-shards/* --out study'
# A task that was cut off goes on where it stopped when it is sent again (scontrol requeue, or the same sbatch).
#SBATCH --job-name=misread-study
#SBATCH --array=0-7
#SBATCH --cpus-per-task=8
#SBATCH --mem=8G
#SBATCH --time=02:00:00
#SBATCH --requeue
#SBATCH --output=study-%A-%a.log
set -euo pipefail
# The program reads from the array's variables which shard this is, and of how many.
exec target/release/misread study --out "study-shards/$SLURM_ARRAY_TASK_ID" "$@"
