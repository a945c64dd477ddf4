"""Training: minibatches in, chunks of steps inside the graph, progress out."""

from __future__ import annotations

import math
import signal
import time
from contextlib import closing

from vae_tf1.backend.xla import Compiled
from vae_tf1.data.rows import Rows
from vae_tf1.errors import warn
from vae_tf1.model.graph import Model
from vae_tf1.model.state import Costs
from vae_tf1.training.autosave import NoAutosave
from vae_tf1.training.callbacks import Callbacks
from vae_tf1.training.interrupts import Interrupts
from vae_tf1.training.loop import Loop
from vae_tf1.training.progress import Progress, waiting
from vae_tf1.training.run import Run
from vae_tf1.training.schedule import Pace, Schedule
from vae_tf1.training.team import Alone, Moment
from vae_tf1.training.validation import NoValidation

__all__ = ["Trainer"]

_CHUNK_SECONDS = 0.4  # how long Ctrl-C and the progress bar have to wait
_CHUNK_BYTES = 32 << 20
_MOST_STEPS = 512
_WORTH_COMPILING = 2.0  # seconds of training; compiling takes about one
_FLOPS_PER_SECOND = 60e9  # of a laptop; only a first guess, the clock corrects it
_SECONDS_PER_STEP = 0.4e-3  # what a step costs without XLA, however small the model
_SAVE_FIRST = ("SIGTERM", "SIGHUP")  # signals that wait for a checkpoint, if there is a folder


class Trainer:
    """Trains a model; keeps the loops that it has added to the graph.

    Parameters
    ----------
    model
        The model.
    team
        The workers that train it together; by default this process alone.
    chunk_seconds
        How long a chunk of steps may take.
    chunk_steps
        The most steps of a chunk; by default as many as fit into time and memory.
    worth_compiling
        From how many seconds of training on the loop is compiled, if that is left to the trainer.
    """

    def __init__(
        self,
        model: Model,
        team: Alone | None = None,
        *,
        chunk_seconds: float = _CHUNK_SECONDS,
        chunk_steps: int | None = None,
        worth_compiling: float = _WORTH_COMPILING,
    ) -> None:
        self._model, self._team = model, team or Alone()
        self._chunk_seconds, self._chunk_steps = chunk_seconds, chunk_steps
        self._worth_compiling = worth_compiling
        self._loops: Compiled[Loop] = Compiled(model.graph, "the training")

    def train(
        self,
        rows: Rows,
        epochs: int,
        batch_sz: int,
        *,
        more: bool = False,
        autosave: NoAutosave,
        validation: NoValidation,
        callbacks: Callbacks,
        show_progress: bool = False,
        compile: bool | None = None,
    ) -> Costs:
        """Train the model; see `VariationalAutoencoder.fit`.

        Parameters
        ----------
        rows, epochs, batch_sz
            What to train on, how often each row is seen, and how many rows a step has.
        more
            Whether `epochs` counts from the whole epochs that are done already, in place of from
            the beginning of the training that `autosave` goes on with.
        autosave, validation, callbacks
            Where checkpoints go, what is looked at after an epoch, and who is told.
        show_progress
            Whether to report.
        compile
            Whether to compile the loop; None leaves that to the trainer.

        Returns
        -------
        Costs
            The ELBO per image, in nats, of each step of this training, or of the `more` epochs.
        """
        n_batches = len(rows) // batch_sz
        if n_batches == 0:
            raise ValueError(f"X has {len(rows)} rows, fewer than one batch of {batch_sz}")
        self._team.share(batch_sz)  # refuses too small a batch
        with (
            # around the run, whose last act is to save
            Interrupts(*_signals(autosave)) as interrupts,
            Run(self._model, rows, batch_sz, autosave) as run,
        ):
            epochs_before = self._model.state.epochs_done - run.first_epoch if more else 0
            epochs += epochs_before
            epoch, step = divmod(run.steps_done, n_batches)
            callbacks.train_begin()
            validation.begin(run.first_epoch, at_epoch_end=step == 0)
            if epoch >= epochs:
                warn(
                    f"nothing left to train: {run.first_epoch + epoch} epochs are done in "
                    f"{autosave.path}; ask for more epochs, or for more_epochs=n further ones"
                )
            elif not self._model.stop_training:
                if compile is None:
                    compile = self._is_worth_compiling(run, batch_sz, epochs * n_batches)
                run.compiled = compile
                loop = self._loop(batch_sz, rows, compile, interrupts, show_progress)
                with Progress(
                    epochs, n_batches, show_progress, run.steps_done, rows.binarization
                ) as progress:
                    self._epochs(
                        run, loop, rows, epochs, interrupts, progress, validation, callbacks
                    )
            run.end()
            if validation.restore_best():
                autosave.save_best()
            callbacks.train_end()
            self._team.wait()
            return Costs(run.costs[epochs_before * n_batches :])

    def _epochs(
        self,
        run: Run,
        loop: Loop,
        rows: Rows,
        epochs: int,
        interrupts: Interrupts,
        progress: Progress,
        validation: NoValidation,
        callbacks: Callbacks,
    ) -> None:
        """Make the steps from where `run` is, until so many epochs are done or a callback stops."""
        n_batches = len(rows) // loop.batch_sz
        epoch, step = divmod(run.steps_done, n_batches)
        pace = Pace(loop.capacity, self._chunk_seconds)
        schedule = Schedule(rows, loop.batch_sz, self._model.seed, self._team.share(loop.batch_sz))
        first = run.first_epoch
        chunks = schedule.chunks(first + epoch, step, first + epochs, pace)
        with closing(chunks):
            for chunk in chunks:
                if chunk.first == 0:
                    callbacks.epoch_begin(chunk.epoch)
                began = time.perf_counter()
                elbos = loop.run(chunk.images)
                seconds = time.perf_counter() - began
                costs = (elbos / loop.batch_sz).tolist()
                ended = chunk.first + len(costs) == n_batches
                run.advance(costs, epochs_done=int(ended))
                progress.advance(costs)
                if len(elbos) < len(chunk.images):
                    raise FloatingPointError(
                        f"{self._what_failed()} at step {run.steps_done + 1:,}, in epoch "
                        f"{chunk.epoch + 1}; the weights are those before that step"
                    )
                if ended:
                    logs = {"elbo": math.fsum(self._model.state.costs[-n_batches:]) / n_batches}
                    logs |= validation.observe()
                    progress.epoch_end(logs)
                    callbacks.epoch_end(chunk.epoch, logs)
                # Looked at once: a signal may come at any time.
                now = Moment(seconds, interrupts.received, self._model.stop_training)
                seconds, interrupts.received, self._model.stop_training = self._team.at(now)
                pace.observe(len(chunk.images), seconds)
                asked_to_stop = interrupts.received is not None
                run.save_if_due(now=asked_to_stop)
                if asked_to_stop:
                    interrupts.deliver()
                if ended and self._model.stop_training:
                    return

    def _what_failed(self) -> str:
        rate = self._model.learning_rate
        if rate is not None and not math.isfinite(rate):
            return f"the learning rate is {rate}"
        return "the ELBO, a gradient or a weight is no longer finite"

    def _loop(
        self, batch_sz: int, rows: Rows, compiled: bool, interrupts: Interrupts, show: bool
    ) -> Loop:
        """Return the loop for this kind of data, ready to run; built once."""

        def build(compiled: bool) -> Loop:
            capacity = self._capacity(batch_sz, rows)
            loop = self._team.loop(self._model, batch_sz, rows, capacity, compiled)
            with waiting("compiling, once", shown=show and compiled):
                interrupts.wait_for(loop.prepare)
            return loop

        return self._loops.get((batch_sz, rows.dtype, rows.levels), build, compiled)

    def _is_worth_compiling(self, run: Run, batch_sz: int, steps: int) -> bool:
        """Decide by all the steps of the model, so that many short calls are one long training."""
        if run.compiled is not None:
            return run.compiled
        steps += len(self._model.state.costs) - run.steps_done
        return steps * self._seconds_per_step(batch_sz) > self._worth_compiling

    def _capacity(self, batch_sz: int, rows: Rows) -> int:
        """Return how many steps a chunk may have: a power of two, bounded in time and memory."""
        if self._chunk_steps is not None:
            return self._chunk_steps
        by_time = self._chunk_seconds / self._seconds_per_step(batch_sz)
        step_bytes = batch_sz * (
            self._model.D * rows.dtype.itemsize
            + 4 * self._model.M * self._model.objective.importance_samples
        )
        steps = min(_MOST_STEPS, by_time, _CHUNK_BYTES / step_bytes)
        return 2 ** math.floor(math.log2(max(1, steps)))

    def _seconds_per_step(self, batch_sz: int) -> float:
        """Estimate a step without XLA: three products a weight and code, two operations each."""
        weights = sum(math.prod(v.shape.as_list()) for v in self._model.variables)
        weights *= self._model.objective.importance_samples
        return _SECONDS_PER_STEP + 6 * weights * batch_sz / _FLOPS_PER_SECOND


def _signals(autosave: NoAutosave) -> list[int]:
    """Return the signals to hold back: those that end the process only if there is a folder."""
    ending = _SAVE_FIRST if autosave.path is not None else ()
    return [getattr(signal, name) for name in ("SIGINT", *ending) if hasattr(signal, name)]
