"""A comparison in words."""


def tell(comparison) -> str:
    """Return what a comparison found, a sentence a line and a table of the state."""
    a, b = comparison.names
    lines = [f"{population}: {both} spikes in both, {only_a} only in {a}, {only_b} only in {b}"
             for population, (only_a, only_b, both) in comparison.counts.items()]
    if comparison.equal:
        return "\n".join(["equal", *lines])
    first = comparison.first
    time = f"{first.tick * comparison.dt:g} ms (tick {first.tick})" if comparison.dt else f"{first.tick * 1e-9:.9g} ms"
    lines.append(f"The first difference: neuron {first.neuron} of {first.population!r} spikes at {time} in "
                 f"{comparison.names[first.only_in]} alone.")
    for name, found in zip(comparison.names, comparison.causes, strict=True):
        lines += [f"{name}: {cause.name}: {cause.sentence}." for cause in found]
    if comparison.also:
        lines.append("The same spikes would come of: " + "; ".join(f"{each.name} ({each.sentence})"
                                                                    for each in comparison.also) + ".")
    lines += [comparison.why[0].upper() + comparison.why[1:] + "."] if comparison.why else []
    return "\n".join([*lines, *_table(comparison)])


def _table(comparison) -> list[str]:
    if not any(comparison.states):
        return []
    lines = [f"Neuron {comparison.first.neuron} before it, by the rules that were found:",
             f"{'tick':>8}" + "".join(f"  {name[:12] + ':':>13} {'v':>11} {'arrives':>9}" for name in comparison.names)]
    for rows in zip(*comparison.states, strict=True):
        cells = [f"  {'spikes' if spiked else '':>13} {v:>11.6g} {arrived:>9.4g}" for _, v, _, arrived, spiked in rows]
        lines.append(f"{rows[0][0]:>8}" + "".join(cells))
    return lines
