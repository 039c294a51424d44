"""The compiled loop of pulse simulations: one for every circuit, because cells are rows of tables.

Times are whole attoseconds in float64. The loop takes all pulses that reach one cell at one time, orders them by the
priorities of the cell's state, and makes the transitions one after the other. It returns to Python when it comes to
rest, reaches the end, meets a broken rule that must be raised, or needs longer arrays; it can then be called again.
"""

from functools import cache

import numpy as np

from neurosim.distributions import normal_quantile
from neurosim.engine import loader, queue
from neurosim.random import philox, uniform53

REST, PAUSED, GROW, STOPPED, LIMIT = range(5)  #: why the loop returned
RAISE, DROP, RECORD, PHYSICAL = range(4)  #: what is done about a broken rule
DEAD, GAP = 1, 2  #: which rule was broken
TAKEN, DROPPED, SWALLOWED, LATE = range(4)  #: what became of the pulse
STREAM = 0x53465100  # "SFQ": far from the streams of networks, which count from 1

FAULT = np.dtype([("time", np.float64), ("earliest", np.float64), ("cell", np.int64), ("port", np.int64),
                  ("rule", np.int64), ("other", np.int64), ("outcome", np.int64)])

_LOW = np.uint64(0xFFFFFFFF)


def broken_rule(cells, ports, transitions, gaps, c, p, row, t, tolerance):
    """Return (rule, input that came too recently, earliest time that is allowed), rule 0 where none is broken."""
    if t < cells[c].busy - tolerance:
        return DEAD, -1, cells[c].busy
    for g in range(transitions[row].first_gap, transitions[row].end_gap):
        other = cells[c].first_port + gaps[g].input
        if t - ports[other].seen < gaps[g].least - tolerance:
            return GAP, other, ports[other].seen + gaps[g].least
    return 0, -1, t


def earliest_turn(cells, ports, gaps, c, p, first, end, t, tolerance):
    """Return the input whose pulse, of those that came too recently, came first."""
    found = -1
    for g in range(first, end):
        other = cells[c].first_port + gaps[g].input
        recent = other != p and t - ports[other].seen < gaps[g].least - tolerance
        if recent and (found < 0 or ports[other].turn < ports[found].turn):
            found = other
    return found


def state_after(cells, ports, transitions, c, p, state, turn):
    """Return the state once the inputs other than p that came from a turn on are handled again, in order."""
    n = cells[c].columns - 1
    last = turn - 1
    while True:
        following = -1
        for q in range(cells[c].first_port, cells[c].first_port + n):
            if q != p and ports[q].turn > last and (following < 0 or ports[q].turn < ports[following].turn):
                following = q
        if following < 0:
            return state
        last = ports[following].turn
        state = transitions[cells[c].table + state * cells[c].columns + following - cells[c].first_port].dest


def random_words(c, firing, slot, sample, key):
    """Return the four random words of one output of one firing of one cell."""
    return philox(np.uint64(c), np.uint64(firing) & _LOW, np.uint64(STREAM + slot), np.uint64(sample), key[0], key[1])


def delay_of(emission, c, firing, slot, sample, key):
    """Return a delay in whole attoseconds, with its jitter."""
    if emission.jitter == 0.0:
        return emission.delay
    words = random_words(c, firing, slot, sample, key)
    return np.rint(emission.delay + emission.jitter * normal_quantile(uniform53(words[2], words[3])))


_TEXT = '''
import numpy as np


def main(cells, ports, wires, transitions, emissions, gaps, batch, time, order, item, given_time, given_port,
         record_time, record_port, faults, counts, last_time, key, sample, policy, tolerance, until, limit, room):
    size, given, n_records, n_faults, n_events = counts[0], counts[1], counts[2], counts[3], counts[4]
    last = n_events + limit
    status = LIMIT
    while n_events < last:
        while given < given_time.size and size < time.size and (size == 0 or given_time[given] <= time[0]):
            p = given_port[given]
            size = push(time, order, item, size, given_time[given], ports[p].cell, p)
            given += 1
        if size + room > time.size or n_records + room > record_time.size or n_faults + room > faults.size:
            status = GROW
            break
        if size == 0:
            status = REST
            break
        t = time[0]
        if t > until:
            status = PAUSED
            break

        last_time[0] = t

        # All that reaches one cell at one time. The last of them stays at the root until something takes its place.
        c = order[0]
        batch[0] = item[0]
        n = 1
        while n < batch.size and ((size > 1 and time[1] == t and order[1] == c)
                                  or (size > 2 and time[2] == t and order[2] == c)):
            size = pop(time, order, item, size)
            batch[n] = item[0]
            n += 1
        hole = True
        cell = cells[c]
        if n > 1:
            base = cell.table + cell.state * cell.columns - cell.first_port
            for k in range(1, n):
                i = batch[k]
                j = k
                while i >= 0 and j > 0 and batch[j - 1] >= 0 and (
                        transitions[base + i].rank < transitions[base + batch[j - 1]].rank):
                    batch[j] = batch[j - 1]
                    j -= 1
                batch[j] = i

        for k in range(n):
            i = batch[k]
            n_events += 1
            dropped = False
            if i < 0:  # a timer, which is stale if anything has happened to the cell since
                if -1 - i != cell.arrivals:
                    n_events -= 1
                    continue
                row = cell.table + cell.state * cell.columns + cell.columns - 1
                cell.arrivals += 1
                state = transitions[row].dest
            else:
                port = ports[i]
                if port.record >= 0:
                    record_time[n_records] = t
                    record_port[n_records] = port.record
                    n_records += 1
                row = cell.table + cell.state * cell.columns + i - cell.first_port
                before = cell.state
                rule = 0
                if t < cell.busy or transitions[row].first_gap < transitions[row].end_gap:
                    rule, other, earliest = broken_rule(cells, ports, transitions, gaps, c, i, row, t, tolerance)
                state = transitions[row].dest
                if rule > 0:
                    outcome = TAKEN
                    if policy == DROP or policy == RAISE:
                        outcome = DROPPED
                    elif policy == PHYSICAL and rule == DEAD and (cell.taken == 0 or cell.cause == i):
                        outcome = SWALLOWED
                    elif policy == PHYSICAL and rule == GAP:
                        first = earliest_turn(cells, ports, gaps, c, i, transitions[row].first_gap,
                                              transitions[row].end_gap, t, tolerance)
                        if other == i or first < 0:
                            outcome = SWALLOWED
                        elif transitions[row].late != 0:
                            outcome = LATE
                            row = cell.table + ports[first].before * cell.columns + i - cell.first_port
                            state = state_after(cells, ports, transitions, c, i, transitions[row].dest,
                                                ports[first].turn)
                    fault = faults[n_faults]
                    fault.time, fault.earliest, fault.cell, fault.port = t, earliest, c, i
                    fault.rule, fault.other, fault.outcome = rule, other, outcome
                    n_faults += 1
                    if policy == RAISE:
                        status = STOPPED
                        break
                    if outcome == DROPPED or outcome == SWALLOWED:
                        continue
                cell.arrivals += 1
                if t - port.seen >= cell.window:
                    port.before = before
                    port.turn = cell.arrivals
                port.seen = t

            made = transitions[row]
            cell.state = state
            if made.dead > 0.0:
                cell.busy = t + made.dead
                cell.cause = i
            if made.first_emission < made.end_emission:
                cell.firings += 1
                passes = True
                if made.probability < 1.0:
                    words = random_words(c, cell.firings, 0, sample, key)
                    passes = uniform53(words[0], words[1]) < made.probability
                if passes:
                    for e in range(made.first_emission, made.end_emission):
                        wire = wires[cell.first_wire + emissions[e].output]
                        if wire.port >= 0:
                            at = t + delay_of(emissions[e], c, cell.firings, e - made.first_emission, sample, key)
                            if hole:
                                replace_root(time, order, item, size, at, wire.cell, wire.port)
                                hole = False
                            else:
                                size = push(time, order, item, size, at, wire.cell, wire.port)
            after = transitions[cell.table + state * cell.columns + cell.columns - 1].after
            if after > 0.0:
                if hole:
                    replace_root(time, order, item, size, t + after, c, -1 - cell.arrivals)
                    hole = False
                else:
                    size = push(time, order, item, size, t + after, c, -1 - cell.arrivals)
        if hole:
            size = pop(time, order, item, size)
        if status == STOPPED:
            break
    counts[0], counts[1], counts[2], counts[3], counts[4] = size, given, n_records, n_faults, n_events
    return status
'''


@cache
def compiled():
    """Return the compiled loop."""
    leaves = {"push": queue.push, "pop": queue.pop, "replace_root": queue.replace_root, "broken_rule": broken_rule,
              "earliest_turn": earliest_turn, "state_after": state_after, "random_words": random_words,
              "delay_of": delay_of, "uniform53": uniform53}
    names = {"REST": REST, "PAUSED": PAUSED, "GROW": GROW, "STOPPED": STOPPED, "LIMIT": LIMIT, "RAISE": RAISE,
             "DROP": DROP, "PHYSICAL": PHYSICAL, "DEAD": DEAD, "GAP": GAP, "TAKEN": TAKEN, "DROPPED": DROPPED,
             "SWALLOWED": SWALLOWED, "LATE": LATE}
    text = "".join(f"{name} = {value}\n" for name, value in names.items()) + _TEXT
    return loader.load_function("sfq_pulses", text, leaves)
