"""Sessions whose threads sleep while they wait."""

from vae_tf1 import VariationalAutoencoder


def test_the_threads_of_a_model_do_not_spin():
    with VariationalAutoencoder(6, [4, 2], seed=0) as vae:
        assert vae.sess._config.experimental.disable_thread_spinning
