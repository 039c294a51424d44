"""Epochs of training until a validation part gets no better, kept on disk so that a killed process goes on."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurosim import __version__
from neurosim.bridge.extra import torch
from neurosim.checks import describe_value
from neurosim.errors import FileError, ParameterError
from neurosim.files import reading, whole_file


@dataclass
class Course:
    """One training: what it changes, when it stops, and where it is kept.

    Each epoch ends with a look at the validation part. The weights of the best epoch are kept, and training ends after
    `patience` epochs in a row that brought nothing, or after `max_epochs`. Where there is a folder, all that the rest
    depends on is written to a file there after each epoch, whole or not at all, under a name that follows from what is
    trained; a process that was killed is begun again and ends with the same weights.

    Args:
        network: a `torch.nn.Module`.
        optimizer: of its parameters.
        generator: the only source of random numbers.
        max_epochs: most epochs.
        patience: how many epochs in a row may bring no improvement.
        folder: of the file, or None for none.
        key: what the training is made of, as a name; see `key_of`.
    """

    network: Any
    optimizer: Any
    generator: Any
    max_epochs: int
    patience: int
    folder: Any = None
    key: str = ""
    n_epochs: int = 0
    best_epoch: int = 0
    best: float = np.inf
    kept: Any = None

    def run(self, epoch: Callable[[], None], judge: Callable[[], float] | None) -> None:
        """Train, and leave the weights of the best epoch in the network.

        Args:
            epoch: one pass through the training part.
            judge: returns the loss on the validation part; None where there is none, and the last epoch is kept.
        """
        path = None if self.folder is None else Path(self.folder) / f"{self.key}.pt"
        if path is not None and path.exists():
            self._resume(path)
        while self.n_epochs < self.max_epochs and self.n_epochs - self.best_epoch < self.patience:
            self.n_epochs += 1
            epoch()
            reached = None if judge is None else judge()
            if reached is None or reached < self.best:
                self.best_epoch = self.n_epochs
                if reached is not None:
                    self.best = reached
                    self.kept = {name: value.clone() for name, value in self.network.state_dict().items()}
            if path is not None:
                self._write(path)
        if self.kept is not None:
            self.network.load_state_dict(self.kept)

    def _write(self, path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = io.BytesIO()
        torch.save({"key": self.key, "n_epochs": self.n_epochs, "best_epoch": self.best_epoch, "best": self.best,
                    "kept": self.kept, "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
                    "generator": self.generator.get_state()}, held)
        with whole_file(path) as file:
            file.write(held.getvalue())

    def _resume(self, path) -> None:
        with reading(path, "a training that was kept"):
            found = torch.load(path, weights_only=True)
            if found["key"] != self.key:
                raise FileError(f"{path} belongs to another training; remove it")
            self.network.load_state_dict(found["network"])
            self.optimizer.load_state_dict(found["optimizer"])
            self.generator.set_state(found["generator"])
            self.n_epochs, self.best_epoch = found["n_epochs"], found["best_epoch"]
            self.best, self.kept = found["best"], found["kept"]


def key_of(estimator: Any, *arrays: np.ndarray) -> str:
    """Return a name that changes with the parameters of an estimator, with its data, and with the versions used.

    Args:
        estimator: one of scikit-learn's; its parameter `checkpoint` does not count.
        arrays: its data.

    >>> from neurosim.bridge import Readout
    >>> key_of(Readout(), np.zeros(3)) == key_of(Readout(seed=1), np.zeros(3))
    False
    """
    given = {name: value for name, value in estimator.get_params().items() if name != "checkpoint"}
    digest = hashlib.sha256(f"{type(estimator).__name__} {sorted(given.items())} {__version__} {torch.__version__}"
                            .encode())
    for array in arrays:
        values = np.ascontiguousarray(array)
        digest.update(f"{values.dtype}{values.shape}".encode())
        digest.update(repr(values.tolist()).encode() if values.dtype.hasobject else values.tobytes())
    return digest.hexdigest()[:32]


def check_folder(name: str, folder: Any) -> None:
    """Refuse what is no folder's name; raise ParameterError."""
    if folder is not None and not isinstance(folder, (str, Path)):
        raise ParameterError(f"{name} must be the name of a folder, or None, got {describe_value(folder)}")
    if folder is not None and Path(folder).exists() and not Path(folder).is_dir():
        raise ParameterError(f"{name} must be the name of a folder, got that of a file: {folder}")


def perceptron(sizes: list[int], generator: Any, between: type = torch.nn.ReLU) -> Any:
    """Return linear layers with an activation in between, in float64; weights are drawn from the generator alone.

    >>> perceptron([4, 8, 2], torch.Generator().manual_seed(1))(torch.zeros(3, 4, dtype=torch.float64)).shape
    torch.Size([3, 2])
    """
    parts = []
    for n_in, n_out in zip(sizes[:-1], sizes[1:], strict=True):
        layer = torch.nn.utils.skip_init(torch.nn.Linear, n_in, n_out, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_((torch.rand(n_out, n_in, generator=generator, dtype=torch.float64) * 2 - 1)
                               * np.sqrt(6 / (n_in + n_out)))
            layer.bias.zero_()
        parts += [layer, between()]
    return torch.nn.Sequential(*parts[:-1])


def stratified(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples are trained on and which are held out, with the same share of each class.

    None are held out where the share is 0 or a class has too few samples to be split.

    >>> [len(part) for part in stratified(np.repeat([0, 1], 10), 0.2, seed=1)]
    [16, 4]
    """
    from sklearn.model_selection import train_test_split

    everything, counts = np.arange(len(labels)), np.bincount(labels)
    held = int(np.ceil(share * len(labels)))
    if held < len(counts) or len(labels) - held < len(counts) or counts.min() < 2:
        return everything, everything[:0]
    return tuple(train_test_split(everything, test_size=held, stratify=labels, random_state=seed % 2**32))
