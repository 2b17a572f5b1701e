#!/usr/bin/env bash
# One part of a sweep for each task of a job array: no service, no talk between the tasks, one shared folder of results.
#
#     sbatch --array=1-8 scripts/job_array.sh laperm_fig6 --size paper --data ~/data
#     qsub -t 1-8 ...                                     (Grid Engine: SGE_TASK_ID, SGE_TASK_LAST)
#     for i in 1 2 3 4; do TASK=$i TASKS=4 scripts/job_array.sh quickstart & done; wait
#
# The same command again goes on with what is not done; `python -m scripts status NAME` says what that is. Whichever task
# ends last has drawn all of it.
#SBATCH --cpus-per-task=4
#SBATCH --requeue
set -euo pipefail
task=${SLURM_ARRAY_TASK_ID:-${SGE_TASK_ID:-${TASK:?is the number of this part, from 1}}}
tasks=${SLURM_ARRAY_TASK_COUNT:-${SGE_TASK_LAST:-${TASKS:?is the number of parts}}}
cd "${SLURM_SUBMIT_DIR:-$(dirname "$0")/..}"
exec "${PYTHON:-python}" -m scripts run "$@" --shard "$task/$tasks"
