"""Release: how much of its weight a synapse transmits at each spike."""

from neurosim.aliases import PerElement
from neurosim.checks import Parameter
from neurosim.contracts import State
from neurosim.contracts.release import Release
from neurosim.maths import exp


class Fixed(Release):
    """Every spike transmits the whole weight.

    >>> Fixed()
    Fixed()
    """


class TsodyksMarkram(Release):
    r"""Short-term plasticity: at a spike u -> u + u_0 (1 - u), the share u x is released, x -> x - u x.

    Between spikes u decays to 0 with tau_facil and x recovers to 1 with tau_rec. A synapse starts
    rested, u = 0 and x = 1, so that its first spike transmits u_0 times the weight.

    >>> TsodyksMarkram(u_0=0.5, tau_rec=1100.0, tau_facil=50.0)
    TsodyksMarkram(tau_rec=1100.0, tau_facil=50.0)

    Source: Tsodyks, Pawelzik, Markram, Neural Computation 10 (1998) 821; the form in which NEST's
    tsodyks2_synapse has it.
    """

    u_0: PerElement = Parameter(0.5, "", at_least=0, at_most=1, doc="share that a rested synapse releases, U")
    tau_rec: PerElement = Parameter(800.0, "ms", above=0, doc="recovery time constant, D")
    tau_facil: PerElement = Parameter(1e-3, "ms", above=0, doc="facilitation time constant, F")

    state = {"utilisation": State(0.0, "", "u after the last spike"),
             "resources": State(1.0, "", "x after the last spike")}

    @staticmethod
    def release(elapsed, utilisation, resources, u_0, tau_rec, tau_facil):
        """Let both relax for the elapsed time, then release."""
        relaxed = utilisation * exp(-elapsed / tau_facil)
        u = relaxed + u_0 * (1.0 - relaxed)
        x = 1.0 + (resources - 1.0) * exp(-elapsed / tau_rec)
        amount = u * x
        return amount, u, x - amount


__all__ = ["Fixed", "TsodyksMarkram"]
