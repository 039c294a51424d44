"""What a release model promises: how much of its weight a synapse transmits at a spike."""

from typing import Any, ClassVar

from neurosim.bodies import check_kind, check_once, check_returns, check_static, plain, starts
from neurosim.checks import Parametrised
from neurosim.contracts.equations import State


class Release(Parametrised):
    """Base of the release models.

    `state` names the variables of each synapse. `release(elapsed, ...)` is a scalar body, run when a
    spike arrives: `elapsed` is the time in ms since the previous one at this synapse (very large for
    the first); its other arguments are picked by name from state and parameters. It returns the
    share of the weight that is transmitted, then the state variables in their declared order.
    Parameters may be numbers, or distributions and arrays with one value per synapse.
    """

    state: ClassVar[dict[str, State]] = {}
    release: ClassVar[Any] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_once(self, self._check_bodies)

    def _check_bodies(self) -> None:
        """Refuse what a class of one's own forgot, when it is first used."""
        check_static(self, ["release"])
        check_kind(self, "state", State, "State(0.0)")
        if self.release is not None:
            p = plain(self)
            check_returns(self, "release", vars(p) | starts(self.state, p) | {"elapsed": 1.0}, ["share", *self.state])
