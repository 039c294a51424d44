"""Layers by name: measured technologies with everything that was measured switched on."""

from neurosim.checks import describe_value
from neurosim.errors import ParameterError


def _table():
    from hardware_models.memristor.device import Memristor
    from hardware_models.memristor.nonlinear import NonlinearPulses
    from hardware_models.memristor.pulses import ConstantStep, LinearStep, SoftBounds
    from hardware_models.memristor.technologies import PCM, HfO2, ReRAM, VerifiedReRAM

    bounds = {"weight_low": -0.6, "weight_high": 0.6}
    return {
        "ideal": Memristor,
        "pcm": PCM.measured,
        "reram": lambda **changes: ReRAM(**{"programming_noise": 1.0, **changes}),
        "hfo2": lambda **changes: HfO2(**{"programming_noise": 1.0, **changes}),
        "verified_reram": VerifiedReRAM.measured,
        "random_resistors": lambda **changes: Memristor(**{"read_noise": 0.02, "g_max": 18.757, **changes}),
        "ecram": lambda **changes: LinearStep(**{
            "step_size": 0.002, "gamma_up": 0.1153, "gamma_down": 0.5085, "step_noise": 0.3, "weight_low": -0.8276,
            "weight_high": 1.1724, "weight_max": 1.1724, **changes}),
        "reram_soft_bounds": lambda **changes: SoftBounds(**{
            "step_size": 0.002, "step_noise": 3.75, "weight_low": -0.75, "weight_high": 1.25, "weight_max": 1.25,
            **changes}),
        "gokmen_vlasov": lambda **changes: ConstantStep(**{
            "step_size": 0.0016, "step_noise": 0.3, **bounds, **changes}),
        "ag_si": lambda **changes: NonlinearPulses.labelled(2.4, -4.88, **{
            "pulses_up": 97, "pulses_down": 100, "cycle_noise": 0.035, "g_min": 0.0030769, "g_max": 0.038462,
            **changes}),
    }


def names() -> list[str]:
    """Return the names of all presets."""
    return list(_table())


def preset(name: str, **changes):
    """Return a device layer by name, with some parameters changed.

    | name | what |
    |---|---|
    | ideal | nothing goes wrong |
    | pcm | phase-change memory with programming noise, drift and 1/f noise (`PCM`) |
    | reram | oxide memory one second after writing (`ReRAM`) |
    | hfo2 | oxide memory of 50 to 225 uS (`HfO2`) |
    | verified_reram | oxide memory written until within 0.2 %, which then relaxes (`VerifiedReRAM`) |
    | random_resistors | reads of an array of random resistors (2 % noise); weights from `RandomResistors` |
    | ecram | electrochemical memory, nearly linear pulses (`LinearStep`) |
    | reram_soft_bounds | oxide memory under pulses (`SoftBounds`) |
    | gokmen_vlasov | the device that training on arrays was specified for (`ConstantStep`) |
    | ag_si | silver in amorphous silicon, nonlinear pulses (`NonlinearPulses`) |

    Raises:
        ParameterError: no preset has the name.

    >>> preset("pcm", weight_max=2.0)
    PCM(weight_max=2.0, programming_noise=1.0, flicker_noise=1.0, drift=1.0)
    """
    table = _table()
    if not isinstance(name, str) or name not in table:
        raise ParameterError(f"preset must be one of {', '.join(table)}, got {describe_value(name)}")
    return table[name](**changes)


__all__ = ["names", "preset"]
