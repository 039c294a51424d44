"""A sum of costs that remembers its parts."""

from dataclasses import dataclass, field

from neurosim.reprs import with_unit


@dataclass(frozen=True, repr=False)
class Budget:
    """Energy, time and area by part.

    Adding (`+`) puts two one after the other, each on hardware of its own: energies, times and areas add up.
    `n * budget` repeats one on the same hardware: n times the energy and the time, the same area.

    Args:
        energy: pJ by part.
        latency: ns by part, one after the other.
        area: um^2 by part.

    >>> one = Budget({"read": 2.0}, {"read": 10.0}, {"array": 5.0})
    >>> (3 * one + one).total_energy, (3 * one).total_area
    (8.0, 5.0)
    """

    energy: dict = field(default_factory=dict)
    latency: dict = field(default_factory=dict)
    area: dict = field(default_factory=dict)

    @property
    def total_energy(self) -> float:
        """Energy in pJ."""
        return float(sum(self.energy.values()))

    @property
    def total_latency(self) -> float:
        """Time in ns."""
        return float(sum(self.latency.values()))

    @property
    def total_area(self) -> float:
        """Area in um^2."""
        return float(sum(self.area.values()))

    def __add__(self, other: "Budget") -> "Budget":
        return Budget(_add(self.energy, other.energy), _add(self.latency, other.latency), _add(self.area, other.area))

    def __rmul__(self, n: float) -> "Budget":
        return Budget({part: n * value for part, value in self.energy.items()},
                      {part: n * value for part, value in self.latency.items()}, dict(self.area))

    def __repr__(self):
        return (f"<budget: {with_unit(self.total_energy, 'pJ')}, {with_unit(self.total_latency, 'ns')}, "
                f"{self.total_area:.4g} um^2>")

    def __str__(self):
        lines = [f"{'':<22}{'pJ':>12}{'ns':>10}{'um^2':>12}"]
        parts = dict.fromkeys([*self.energy, *self.latency, *self.area])
        for part in parts:
            lines.append(f"{part:<22}" + "".join(
                f"{column[part]:>{width}.4g}" if part in column else " " * width
                for column, width in ((self.energy, 12), (self.latency, 10), (self.area, 12))))
        lines.append(f"{'total':<22}{self.total_energy:>12.4g}{self.total_latency:>10.4g}{self.total_area:>12.4g}")
        return "\n".join(line.rstrip() for line in lines)


def _add(a, b):
    return {part: a.get(part, 0.0) + b.get(part, 0.0) for part in {**a, **b}}
