"""Train the variational autoencoder on MNIST, and show what it has learned.

``python run_mnist.py --help`` lists the options.
"""

import sys

from vae_tf1.app import data, job, workers
from vae_tf1.app.errors import run
from vae_tf1.app.options import parse_options
from vae_tf1.app.screen import Album


def main() -> int:
    """Load, build, fit, show; return the exit status."""
    options = parse_options()
    cluster = workers.find(options)
    album = Album(options.output) if workers.is_chief(cluster) else None
    job.announce(options)
    digits = data.load(options)
    with job.build(options, digits, cluster) as vae:
        training = job.fit(vae, digits, options)
        if album is None:
            return training.status
        try:
            ask = options.prompts and not training.interrupted
            job.show(vae, digits, album, ask=ask, page=options.page)
        finally:  # a full disk must not cost the result
            job.report(vae, digits, training, album, options.log_likelihood)
    return training.status


if __name__ == "__main__":
    sys.exit(run(main))
