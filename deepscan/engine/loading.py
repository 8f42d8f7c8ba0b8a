"""A model that is loaded beside the work: importing torch alone takes a second, in which workers can do theirs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from deepscan.models.attribution import Attribution
    from deepscan.models.loader import Network


class Loading:
    """A network to be, which is loaded in a thread from now on. It can be asked what a network can, and then waits."""

    def __init__(self, load: Callable[[], Network]) -> None:
        thread = ThreadPoolExecutor(1, "load")
        self._network = thread.submit(load)
        thread.shutdown(wait=False)  # it ends when the model is there

    @property
    def is_over(self) -> bool:
        """Whether :meth:`network` answers, or raises, at once."""
        return self._network.done()

    def when_over(self, call: Callable[[], object]) -> None:
        """Have something called, from any thread, when :meth:`network` answers."""
        self._network.add_done_callback(lambda _: call())

    def network(self) -> Network:
        """The network. Raises what loading it raised."""
        return self._network.result()

    def probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See :meth:`deepscan.models.loader.Network.probabilities`."""
        return self.network().probabilities(batch)

    def sequence_probabilities(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See :meth:`deepscan.models.loader.Network.sequence_probabilities`."""
        return self.network().sequence_probabilities(batch)

    def heat_map(self, pixels: NDArray[np.uint8], seconds: float) -> Attribution:
        """See :meth:`deepscan.models.loader.Network.heat_map`."""
        return self.network().heat_map(pixels, seconds)
