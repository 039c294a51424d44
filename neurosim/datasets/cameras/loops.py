"""The compiled loops over words of camera files, and what they leave in a state for the next block.

A loop stops at the first fault and notes its kind, its place and what was there; `check` makes the sentence.
"""

import inspect
from functools import cache

import numpy as np

# Places in a state.
HIGH, LOW, LOOPS, Y, BASE, ON, LAST, EARLY, BACK, FAULT, AT, VALUE, RECORD, SEEN, STATES = range(15)
OFF_X, OFF_Y, BACKWARDS, UNKNOWN = 1, 2, 3, 4  # kinds of faults


def new_state() -> np.ndarray:
    """Return the state at the beginning of a file: no time, no row and no event yet."""
    state = np.zeros(STATES, dtype=np.int64)
    state[HIGH] = state[Y] = state[BASE] = state[LAST] = -1
    return state


def check(decoder, at, length):
    """Raise FileError for the fault that a loop noted in a block from byte `at` on, with words of so many bytes."""
    state = decoder.state
    fault, value = int(state[FAULT]), int(state[VALUE])
    if not fault:
        return
    width, height = decoder.sides
    what = {OFF_X: f"x must be in 0 .. {width - 1}, it is {value}",
            OFF_Y: f"y must be in 0 .. {height - 1}, it is {value}",
            BACKWARDS: f"an event must not be earlier than the one before: time runs backwards from {state[LAST]} to "
                       f'{value} us; unsorted="sort" reads it all the same',
            UNKNOWN: f"a word must be of a kind of the format, its kind is {value}"}[fault]
    decoder.refuse(at + int(state[AT]) * length, int(state[RECORD]), what)


# ---- loops ----------------------------------------------------------------------------------------------------------


def count3(words):
    """Return the number of events in words of EVT3."""
    n = 0
    for word in words:
        kind = word >> 12
        if kind == 2:
            n += 1
        elif kind == 4 or kind == 5:
            bits = word & (0xFFF if kind == 4 else 0xFF)
            while bits:
                bits &= bits - 1
                n += 1
    return n


def evt3(words, state, events, width, height, sorting):
    """Decode words of EVT3; return the number of events."""
    high, low, loops, y, base, on, last = (state[HIGH], state[LOW], state[LOOPS], state[Y], state[BASE], state[ON],
                                           state[LAST])
    t = (loops << 24) + (high << 12) + low
    n = 0
    place = 0
    fault = 0
    value = 0
    for word in words:
        kind = word >> 12
        part = np.int64(word & 0xFFF)
        if kind == 0:
            y = part & 0x7FF
        elif kind == 2 or kind == 4 or kind == 5:
            if kind == 2:
                x, on, bits = part & 0x7FF, part >> 11, np.int64(1)
            else:
                x, bits = base, part if kind == 4 else part & 0xFF
                if base >= 0:
                    base += 12 if kind == 4 else 8
            if high < 0 or y < 0 or x < 0:
                while bits:
                    bits &= bits - 1
                    state[EARLY] += 1
            elif bits:
                if t < last:
                    if not sorting:
                        fault, value = BACKWARDS, t
                        break
                    state[BACK] += 1
                if y >= height:
                    fault, value = OFF_Y, y
                    break
                last = t
                while bits:
                    if bits & 1:
                        if x >= width:
                            fault, value = OFF_X, x
                            break
                        events[n].x = x
                        events[n].y = y
                        events[n].t = t
                        events[n].p = on != 0
                        n += 1
                    bits >>= 1
                    x += 1
                if fault:
                    break
        elif kind == 3:
            base, on = part & 0x7FF, part >> 11
        elif kind == 6:
            low = part
            t = (loops << 24) + (high << 12) + low
        elif kind == 8:
            if part != high:
                if part < high and high - part > 2048:
                    loops += 1
                high, low = part, np.int64(0)
                t = (loops << 24) + (high << 12)
        elif kind == 1 or kind == 9 or (kind > 10 and kind < 14):
            fault, value = UNKNOWN, np.int64(kind)
            break
        place += 1
    state[HIGH], state[LOW], state[LOOPS], state[Y], state[BASE], state[ON] = high, low, loops, y, base, on
    state[LAST], state[FAULT], state[AT], state[VALUE], state[RECORD] = last, fault, place, value, state[SEEN] + place
    state[SEEN] += len(words)
    return n


def count2(words, step, at):
    """Return the number of events in words of EVT2 or EVT2.1; (step, at): where in how many halves the address is."""
    n = 0
    for place in range(0, len(words), step):
        if words[place + at] >> 28 < 2:
            bits = np.uint32(1) if step == 1 else words[place + 1 - at]
            while bits:
                bits &= bits - np.uint32(1)
                n += 1
    return n


def evt2(words, state, events, width, height, sorting, step, at):
    """Decode words of EVT2 and EVT2.1; return the number of events."""
    high, loops, last = state[HIGH], state[LOOPS], state[LAST]
    n = 0
    fault = 0
    value = 0
    place = 0
    for place in range(0, len(words), step):
        word = np.int64(words[place + at])
        kind = word >> 28
        if kind < 2:
            bits = np.int64(1) if step == 1 else np.int64(words[place + 1 - at])
            if high < 0:
                while bits:
                    bits &= bits - 1
                    state[EARLY] += 1
                continue
            t = (loops << 34) + (high << 6) + (word >> 22 & 63)
            x, y = word >> 11 & 0x7FF, word & 0x7FF
            if bits and t < last:
                if not sorting:
                    fault, value = BACKWARDS, t
                    break
                state[BACK] += 1
            if bits and y >= height:
                fault, value = OFF_Y, y
                break
            if bits:
                last = t
            while bits:
                if bits & 1:
                    if x >= width:
                        fault, value = OFF_X, x
                        break
                    events[n].x = x
                    events[n].y = y
                    events[n].t = t
                    events[n].p = kind == 1
                    n += 1
                bits >>= 1
                x += 1
            if fault:
                break
        elif kind == 8:
            part = word & 0xFFFFFFF
            if part < high and high - part > 2**27:
                loops += 1
            high = part
        elif kind != 10 and kind != 14 and kind != 15:
            fault, value = UNKNOWN, kind
            break
    state[HIGH], state[LOOPS], state[LAST], state[FAULT] = high, loops, last, fault
    state[AT], state[VALUE], state[RECORD] = place // step, value, state[SEEN] + place // step
    state[SEEN] += len(words) // step
    return n


def es(raw, state, events, width, height, rows):
    """Decode bytes of Event Stream; return how many were used, and the number of events."""
    t = state[LAST]
    n = 0
    at = 0
    fault = 0
    value = 0
    while at < len(raw):
        byte = np.int64(raw[at])
        if byte == 255:
            t += 127
            at += 1
        elif byte == 254:
            at += 1
        elif at + 5 > len(raw):
            break
        else:
            x = np.int64(raw[at + 1]) + (np.int64(raw[at + 2]) << 8)
            y = rows - 1 - np.int64(raw[at + 3]) - (np.int64(raw[at + 4]) << 8)
            if x >= width or y >= height or y < 0:
                fault, value = (OFF_X, x) if x >= width else (OFF_Y, y)
                break
            t += byte >> 1
            events[n].x = x
            events[n].y = y
            events[n].t = t
            events[n].p = byte & 1 != 0
            n += 1
            at += 5
    state[LAST], state[FAULT], state[AT], state[VALUE], state[RECORD] = t, fault, at, value, state[SEEN] + n
    state[SEEN] += n
    return at, n


@cache
def compiled(loop):
    """Return one of the loops above, compiled."""
    from neurosim.engine import loader  # here, as Numba takes long to import and many readers need none

    numbers = {key: value for key, value in globals().items() if key.isupper() and isinstance(value, int)}
    text = "\n".join(["import numpy as np", *(f"{key} = {value}" for key, value in numbers.items()),
                      inspect.getsource(loop).replace(f"def {loop.__name__}", "def main")])
    return loader.load_function(loop.__name__, text, {})
