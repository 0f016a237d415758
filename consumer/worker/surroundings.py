"""What does every part of the worker's main thread lean on?"""

from dataclasses import dataclass

from consumer.worker.run_folder import RunFolder
from consumer.worker.signals import Signals
from consumer.worker.view import Board


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where it writes, what it hears, and where it shows how it is."""

    folder: RunFolder
    signals: Signals
    board: Board
