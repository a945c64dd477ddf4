"""Train on several machines with Ray, whose TensorflowTrainer sets TF_CONFIG in every worker.

Run it on the head node of a Ray cluster: ``python ray_trainer.py``.
"""

from vae_tf1 import Cluster, PeerLost, VariationalAutoencoder
from vae_tf1.data.mnist import get_mnist


def train(config: dict) -> None:
    """Train, as one of the workers."""
    X, _ = get_mnist()
    try:
        with VariationalAutoencoder(
            784, [200, 100], seed=0, cluster=Cluster.from_environment("tf_config")
        ) as vae:
            vae.fit(
                X > 0.5,
                epochs=config["epochs"],
                batch_sz=1024,
                checkpoint_dir=config["checkpoint_dir"],
                plot=False,
            )
    except PeerLost as lost:  # a SystemExit, but Ray restarts what raises an exception
        raise RuntimeError(str(lost)) from None


def main() -> None:
    """Start four workers; after a failure all start again, up to five times."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.tensorflow import TensorflowTrainer

    TensorflowTrainer(
        train,
        train_loop_config={"epochs": 30, "checkpoint_dir": "/shared/checkpoints"},
        scaling_config=ScalingConfig(num_workers=4),
        run_config=RunConfig(failure_config=FailureConfig(max_failures=5)),
    ).fit()


if __name__ == "__main__":
    main()
