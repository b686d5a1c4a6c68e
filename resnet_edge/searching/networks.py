"""Runs in the parent. The network of a configuration: cut, fine-tuned, trained for int8."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from resnet_edge.compression.channel_task import (
    Candidate,
    ChannelRequest,
    Chosen,
    FineTuneChosen,
    MakeCandidate,
    PrepareChannels,
)
from resnet_edge.compression.fine_tune_task import FineTune
from resnet_edge.compression.magnitude_task import PruneMagnitude
from resnet_edge.compression.pruning import PruningTarget, Rules
from resnet_edge.compression.qat_task import RATE, FineTuneForInt8
from resnet_edge.compression.step_latency import TimedAs
from resnet_edge.core.errors import UsageError
from resnet_edge.core.results.search import Configuration
from resnet_edge.models import ModelRequest
from resnet_edge.searching.context import Context
from resnet_edge.searching.sizes import Size, saved, spelled
from resnet_edge.searching.trainings import BY_TFMOT, Trainings, by_keras
from resnet_edge.training.devices import ONE, devices_environment
from resnet_edge.training.recipe import Compressed, Recipe, fitted_to_data, training_grant
from resnet_edge.training.unfinished import checkpoint_folder
from resnet_edge.workers.grant import Grant
from resnet_edge.workers.pool import Worker

NETWORK = "network.keras"


@dataclass(frozen=True, kw_only=True)
class Network:
    """A model to convert; `key` decides what it is."""

    model: ModelRequest
    key: dict[str, Any]


class Networks:
    """Made of the model of a search."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.trainings = Trainings(context)
        self._cutting: Worker | None = None

    def original(self, size: Size | None = None) -> Network:
        """The model itself, or as it was rebuilt for an input size."""
        return Network(model=self._context.at(size).model, key=self._key(size))

    def cut(self, configuration: Configuration) -> Network:
        """As small as it will be, with the weights that are left: what it costs is known by it."""
        if configuration.pruning != "channel":
            return self.original(configuration.input_size)
        _, candidate = self._candidate(configuration)
        return Network(model=self._saved(Path(candidate.file)), key=self._cut_key(configuration))

    def tuned(self, configuration: Configuration) -> Network:
        """Ready to be converted."""
        network = self._fine_tuned(configuration)
        return self._trained_for_int8(network, configuration)

    def _fine_tuned(self, configuration: Configuration) -> Network:
        """What was changed; the model as it came has been trained."""
        changed = configuration.pruning != "none" or configuration.input_size is not None
        if not changed or not configuration.epochs:
            return self.cut(configuration)
        key = {**self._cut_key(configuration), **self._training_key(configuration.epochs)}
        makers = {"channel": self._finished, "magnitude": self._sparse, "none": self._trained_on}
        make = makers[configuration.pruning]
        folder, _ = self._context.store.once(
            "networks", key, Compressed, lambda folder: make(configuration, folder)
        )
        return Network(model=self._saved(folder / NETWORK), key=key)

    def _candidate(self, configuration: Configuration) -> tuple[Path, Candidate]:
        return self._context.store.once(
            "cut", self._cut_key(configuration), Candidate, lambda folder: self._cut(configuration, folder)
        )

    def _key(self, size: Size | None) -> dict[str, Any]:
        key: dict[str, Any] = {"model": self._context.facts.sha256}
        return key if size is None else {**key, "input_size": size}

    def _cut_key(self, configuration: Configuration) -> dict[str, Any]:
        names = ("pruning", "amount", "importance", "multiple", "remove_blocks")
        return {
            **self._key(configuration.input_size),
            "seed": self._context.request.seed,
            **{name: getattr(configuration, name) for name in names},
        }

    def _training_key(self, epochs: int) -> dict[str, Any]:
        training = self._context.request.training
        known = {} if training is None else asdict(training)
        known.pop("data", None)  # wherever they are: their content counts
        return {"epochs": epochs, **known}

    def _saved(self, file: Path) -> ModelRequest:
        return saved(self._context.request.model, self._context.facts, str(file))

    def training_data(self, size: Size | None) -> str:
        """The DATA that networks of an input size are trained on. Raises UsageError, DataError."""
        training = self._context.request.training
        if training is None:
            raise UsageError("pruned networks are fine-tuned: give --train DATA, or leave pruning out")
        if size is None:
            return training.data
        return self._context.sizes.resized(size, training.data, "train", training.sha256)

    def _recipe(self, epochs: int, size: Size | None, *, carried: bool = False) -> Recipe:
        """`carried`: for what trains on the cluster, where there is one."""
        data, training = self.training_data(size), self._context.request.training
        assert training is not None  # else there are no such data
        if carried:
            height, width, _ = self._context.facts.input_shape
            data = self.trainings.data(data, size or (height, width))
        named = carried and self._context.cluster is not None  # a path of its machine is nothing to the user
        title = training.data if size is None else f"{training.data}, resized to {spelled(size)}"
        return Recipe(
            data=data,
            titles=(("data", title),) if named or data != training.data else (),
            epochs=epochs,
            batch_size=training.batch_size,
            learning_rate=training.learning_rate,
            warmup_epochs=min(1.0, epochs / 4),
            seed=training.seed,
        )

    def _pruning(self, configuration: Configuration, out: Path, epochs: int) -> ChannelRequest:
        size, blocks = configuration.input_size, configuration.remove_blocks
        recipe = self._recipe(epochs, size, carried=epochs > 0)
        return ChannelRequest(
            model=fitted_to_data(self._context.at(size).model, recipe),
            recipe=recipe,
            target=None,  # each candidate has its own
            target_latency=None,
            timed=TimedAs(),
            rules=Rules(multiple=configuration.multiple, blocks=blocks > 0),
            importance=configuration.importance,  # type: ignore[arg-type]  # held where the space was read
            sparse_epochs=0,
            sparsity=1e-4,
            out=str(out),
            command=self._context.request.command,
            remove_blocks=blocks or None,
            overwrite=True,
        )

    def _pruner(self, request: ChannelRequest) -> Worker:
        """Opens the model."""
        writes = Grant(writes=(str(self._context.store.folder),))
        grant = training_grant(request.recipe, request.out, request.model) | writes
        return self._context.workers.worker(
            "pruning", self._context.on_progress, grant, env=devices_environment(ONE)
        )

    def _cut(self, configuration: Configuration, folder: Path) -> Candidate:
        """By a worker that keeps the model open for the next one of these rules."""
        base = self._context.scratch / "pruned.keras"
        request = self._pruning(configuration, base, 0)
        blocks, amount = configuration.remove_blocks, configuration.amount
        if self._cutting is None:
            self._cutting = self._pruner(request)
        checkpoint_folder(base).mkdir(exist_ok=True)  # nothing is trained: it stays empty but for the recipe
        self._cutting.run(PrepareChannels(wanted=request))
        return self._cutting.run(
            MakeCandidate(
                wanted=request,
                target=PruningTarget("macs", 1 - amount) if amount else None,
                out=str(folder / "cut.keras"),
                blocks=blocks or None,
            )
        )

    def _finished(self, configuration: Configuration, folder: Path) -> Compressed:
        """Fine-tuned; a search that was ended goes on behind the last epoch."""
        _, candidate = self._candidate(configuration)
        out = folder / NETWORK
        request = self._pruning(configuration, out, configuration.epochs)
        task = FineTuneChosen(wanted=request, chosen=Chosen(candidate, ()))
        return self.trainings.run("fine-tuning", task, request.model, request.recipe, out, by_keras())

    def _sparse(self, configuration: Configuration, folder: Path) -> Compressed:
        """With zeros, while it is fine-tuned."""
        size, out = configuration.input_size, folder / NETWORK
        recipe = self._recipe(configuration.epochs, size, carried=True)
        task = PruneMagnitude(
            model=fitted_to_data(self._context.at(size).model, recipe),
            recipe=recipe,
            amount=configuration.amount,
            schedule="polynomial",
            exclude=None,
            out=str(out),
            command=self._context.request.command,
            overwrite=True,
        )
        return self.trainings.run("pruning by magnitude", task, task.model, recipe, out, BY_TFMOT)

    def _trained_on(self, configuration: Configuration, folder: Path) -> Compressed:
        """Rebuilt for another input size, and used to it by then."""
        size, out = configuration.input_size, folder / NETWORK
        recipe = self._recipe(configuration.epochs, size, carried=True)
        model = fitted_to_data(self._context.at(size).model, recipe)
        task = FineTune(
            model=model, recipe=recipe, out=str(out), command=self._context.request.command, overwrite=True
        )
        return self.trainings.run("fine-tuning", task, model, recipe, out, by_keras())

    def _trained_for_int8(self, network: Network, configuration: Configuration) -> Network:
        if not configuration.qat_epochs:
            return network
        key = {**network.key, "qat": self._training_key(configuration.qat_epochs)}
        folder, _ = self._context.store.once(
            "networks", key, Compressed, lambda folder: self._qat(network, configuration, folder / NETWORK)
        )
        return Network(model=self._saved(folder / NETWORK), key=key)

    def _qat(self, network: Network, configuration: Configuration, out: Path) -> Compressed:
        recipe = self._recipe(configuration.qat_epochs, configuration.input_size, carried=True)
        recipe = replace(recipe, learning_rate=RATE)
        task = FineTuneForInt8(
            model=fitted_to_data(network.model, recipe),
            recipe=recipe,
            out=str(out),
            command=self._context.request.command,
            overwrite=True,
            default_rate=True,
        )
        return self.trainings.run("quantization-aware training", task, task.model, recipe, out, BY_TFMOT)
