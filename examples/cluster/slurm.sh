#!/bin/bash
#SBATCH --job-name=vae
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --distribution=block
#SBATCH --cpus-per-task=16
#SBATCH --time=04:00:00

# The same program on every node; they find each other by Slurm's variables. A status of 75 means
# that a worker was lost (137 is one that was killed): all start again, and go on from the last
# checkpoint.
for attempt in 1 2 3 4 5; do
    srun --kill-on-bad-exit=0 python run_mnist.py --cluster slurm --seed 0 --no-prompts \
        --batch-size 1024 --layers 800 400 --checkpoint-dir "$SLURM_SUBMIT_DIR/checkpoints"
    status=$?
    case $status in
        75 | 137) echo "attempt $attempt: a worker was lost" >&2 ;;
        *) exit $status ;;
    esac
done
exit $status
