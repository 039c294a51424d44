"""The files of event cameras, written and parsed record by record in plain Python, by what their formats say.

Each format has a writer `write_*(events) -> bytes` and a parser `parse_*(raw) -> list of (x, y, t, p)`, or None for
what is not allowed. They share nothing with `neurosim.datasets.cameras`, which tests and the bench of damaged files
compare.
"""

import struct

WIDTH, HEIGHT = 320, 240


def rows(events):
    """Yield (x, y, t, p) of events as plain numbers."""
    for event in events:
        yield int(event["x"]), int(event["y"]), int(event["t"]), int(event["p"])


def prophesee_head(kind, more=""):
    """The head of a .raw file."""
    return f"% camera none\n% format {kind};height={HEIGHT};width={WIDTH}{more}\n% end\n".encode()


# ---- EVT3 -----------------------------------------------------------------------------------------------------------


def write_evt3(events, vectors=True) -> bytes:
    """EVT3; runs of events in one row, of one time and polarity, become vectors."""
    words, high, low, row = [], None, None, None
    todo = list(rows(events))
    place = 0
    while place < len(todo):
        x, y, t, p = todo[place]
        if high is not None:  # a word of time where the counter begins again, however long nothing happens
            words += [0x8000 | step & 0xFFF for step in range(high + 1, t >> 12) if step % 4096 in (0, 4095)]
        if t >> 12 != high:
            high, low = t >> 12, None
            words.append(0x8000 | high & 0xFFF)
        if t & 0xFFF != low:
            low = t & 0xFFF
            words.append(0x6000 | low)
        if y != row:
            row = y
            words.append(y)
        run = [x]
        while (vectors and place + len(run) < len(todo) and todo[place + len(run)][1:] == (y, t, p)
               and run[-1] < todo[place + len(run)][0] < x + 20):
            run.append(todo[place + len(run)][0])
        if len(run) == 1:
            words.append(0x2000 | p << 11 | x)
        else:
            mask = sum(1 << other - x for other in run)
            words += [0x3000 | p << 11 | x, 0x4000 | mask & 0xFFF, 0x5000 | mask >> 12]
        place += len(run)
    return prophesee_head("EVT3") + struct.pack(f"<{len(words)}H", *words)


def parse_evt3(raw):
    """EVT3, word by word."""
    if len(raw) % 2:
        return None
    found, time, row, base, on, last = [], None, None, None, 0, -1
    high = loops = low = 0
    for word in struct.unpack(f"<{len(raw) // 2}H", raw):
        kind, part = word >> 12, word & 0xFFF
        if kind == 0:
            row = part % 2048
        elif kind == 3:
            base, on = part % 2048, part >> 11
        elif kind == 6:
            low = part
            time = None if time is None else loops * 2**24 + high * 4096 + low
        elif kind == 8:
            if time is None or part != high:
                loops += time is not None and high - part > 2048
                high, low = part, 0
                time = loops * 2**24 + high * 4096
        elif kind in (2, 4, 5):
            if kind == 2:
                on, places = part >> 11, [part % 2048]
            else:
                length = 12 if kind == 4 else 8
                places = [(base or 0) + k for k in range(length) if part >> k & 1]
                if base is None:
                    continue
                base += length
            if time is None or row is None or not places:
                continue
            if time < last or row >= HEIGHT or max(places) >= WIDTH:
                return None
            last = time
            found += [(x, row, time, on) for x in places]
        elif kind not in (7, 10, 14, 15):
            return None
    return found


# ---- EVT2 and EVT2.1 ------------------------------------------------------------------------------------------------


def write_evt2(events) -> bytes:
    """EVT2, one word an event and a word of time where its high bits change."""
    words, high = [], None
    for x, y, t, p in rows(events):
        if t >> 6 != high:
            high = t >> 6
            words.append(8 << 28 | high % 2**28)
        words.append(p << 28 | (t & 63) << 22 | x << 11 | y)
    return prophesee_head("EVT2") + struct.pack(f"<{len(words)}I", *words)


def write_evt21(events, legacy=False) -> bytes:
    """EVT2.1; events of one time, row and polarity within 32 pixels share a word."""
    words, high = [], None
    todo = list(rows(events))
    place = 0
    while place < len(todo):
        x, y, t, p = todo[place]
        if t >> 6 != high:
            high = t >> 6
            words.append((8 << 28 | high % 2**28, 0))
        run = [x]
        while (place + len(run) < len(todo) and todo[place + len(run)][1:] == (y, t, p)
               and run[-1] < todo[place + len(run)][0] < x + 32):
            run.append(todo[place + len(run)][0])
        words.append((p << 28 | (t & 63) << 22 | x << 11 | y, sum(1 << other - x for other in run)))
        place += len(run)
    more = ";endianness=legacy" if legacy else ""
    body = b"".join(struct.pack("<II", *(pair if legacy else pair[::-1])) for pair in words)
    return prophesee_head("EVT21", more) + body


def write_evt21_legacy(events) -> bytes:
    """EVT2.1 as the IMX636 sends it, the upper half of each word first."""
    return write_evt21(events, legacy=True)


def parse_evt2(raw, step=1, at=0):
    """EVT2 and EVT2.1, word by word."""
    if len(raw) % (4 * step):
        return None
    found, high, loops, last = [], None, 0, -1
    halves = struct.unpack(f"<{len(raw) // 4}I", raw)
    for place in range(0, len(halves), step):
        word, valid = halves[place + at], 1 if step == 1 else halves[place + 1 - at]
        kind = word >> 28
        if kind == 8:
            if high is not None and high - word % 2**28 > 2**27:
                loops += 1
            high = word % 2**28
        elif kind in (0, 1):
            x, y = word >> 11 & 2047, word & 2047
            places = [x + k for k in range(32) if valid >> k & 1]
            if high is None or not places:
                continue
            t = loops * 2**34 + high * 64 + (word >> 22 & 63)
            if t < last or y >= HEIGHT or max(places) >= WIDTH:
                return None
            last = t
            found += [(x, y, t, kind) for x in places]
        elif kind not in (10, 14, 15):
            return None
    return found


def parse_evt21(raw):
    """EVT2.1, the lower half of each word first."""
    return parse_evt2(raw, 2, 1)


def parse_evt21_legacy(raw):
    """EVT2.1, the upper half of each word first."""
    return parse_evt2(raw, 2, 0)


# ---- DAT, Event Stream, AEDAT ---------------------------------------------------------------------------------------


def write_dat(events) -> bytes:
    """DAT of version 2."""
    body = b"".join(struct.pack("<II", t % 2**32, p << 28 | y << 14 | x) for x, y, t, p in rows(events))
    head = f"% Data file containing CD events\n% Version 2\n% Width {WIDTH}\n% Height {HEIGHT}\n"
    return head.encode() + b"\x0c\x08" + body


def eights(raw, order):
    """The pairs of words of 32 bits, or None."""
    return None if len(raw) % 8 else list(struct.iter_unpack(order + "II", raw))


def counted(pairs):
    """Times of a counter of 32 bits, unwrapped; None where they run backwards."""
    found, loops, last = [], 0, 0
    for t in pairs:
        if t < last:
            if last - t <= 2**31:
                return None
            loops += 1
        last = t
        found.append(loops * 2**32 + t)
    return found


def within(found):
    """The rows if they are on the sensor, else None."""
    return found if all(0 <= x < WIDTH and 0 <= y < HEIGHT for x, y, _, _ in found) else None


def parse_dat(raw):
    """DAT of version 2."""
    pairs = eights(raw, "<")
    times = None if pairs is None else counted([t for t, _ in pairs])
    if times is None:
        return None
    return within([(a % 2**14, a >> 14 & 2**14 - 1, t, a >> 28 & 1) for t, (_, a) in zip(times, pairs, strict=True)])


def write_es(events) -> bytes:
    """Event Stream, with y from the bottom."""
    body, last = [struct.pack("<12s4B2H", b"Event Stream", 2, 0, 0, 1, WIDTH, HEIGHT)], 0
    for x, y, t, p in rows(events):
        body.append(b"\xff" * ((t - last) // 127) + struct.pack("<BHH", (t - last) % 127 << 1 | p, x, HEIGHT - 1 - y))
        last = t
    return b"".join(body)


def parse_es(raw):
    """Event Stream, byte by byte."""
    found, at, t = [], 0, 0
    while at < len(raw):
        if raw[at] >= 254:
            t += 127 * (raw[at] == 255)
            at += 1
            continue
        if len(raw) - at < 5:
            return None
        t += raw[at] >> 1
        x, y = struct.unpack_from("<HH", raw, at + 1)
        found.append((x, HEIGHT - 1 - y, t, raw[at] & 1))
        at += 5
    return within(found)


def write_aedat2(events) -> bytes:
    """AEDAT 2.0 of a DAVIS, x from the right and y from the bottom, with a frame's sample between events."""
    head = f"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.DAVIS346blue\r\n# {WIDTH} x {HEIGHT}\r\n".encode()
    body = [struct.pack(">II", 259 - y << 22 | 345 - x << 12 | p << 11, t % 2**32) for x, y, t, p in rows(events)]
    return head + struct.pack(">II", 2**31 + 5, 7).join(body)


def parse_aedat2(raw):
    """AEDAT 2.0 of a DAVIS346."""
    pairs = eights(raw, ">")
    pairs = None if pairs is None else [(a, t) for a, t in pairs if not a & (2**31 | 2**10)]
    times = None if pairs is None else counted([t for _, t in pairs])
    if times is None:
        return None
    return within([(345 - (a >> 12 & 1023), 259 - (a >> 22 & 511), t, a >> 11 & 1)
                   for t, (a, _) in zip(times, pairs, strict=True)])


def write_aedat3(events, many=7) -> bytes:
    """AEDAT 3.1 in packets of some events, of which one is not valid, with a packet of another kind between them."""
    head = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: none\r\n#Start-Time: none\r\n#!END-HEADER\r\n"
    todo, body = list(rows(events)), []
    for first in range(0, len(todo), many):
        part = todo[first:first + many]
        cut = next((k for k, row in enumerate(part) if row[2] >> 31 != part[0][2] >> 31), len(part))
        for group in filter(None, (part[:cut], part[cut:])):
            words = [(x << 17 | y << 2 | p << 1 | 1, t % 2**31) for x, y, t, p in group]
            words.insert(len(words) // 2, (0, words[0][1]))
            body.append(struct.pack("<hhiiiiii", 1, 1, 8, 4, group[0][2] >> 31, len(words), len(words), len(words) - 1))
            body += [struct.pack("<II", *pair) for pair in words]
            body.append(struct.pack("<hhiiiiii", 0, 1, 8, 4, 0, 2, 1, 1) + bytes(16))
    return head + b"".join(body)


def parse_aedat3(raw):
    """AEDAT 3.1, packet by packet."""
    found, at, source, last = [], 0, None, -1
    while at < len(raw):
        if len(raw) - at < 28:
            return None
        kind, who, size, place, overflow, capacity, many, valid = struct.unpack_from("<hhiiiiii", raw, at)
        if size < 1 or not 0 <= valid <= many <= capacity or overflow < 0 or len(raw) - at - 28 < size * capacity:
            return None
        if kind == 1:
            if size != 8 or place != 4 or source not in (None, who):
                return None
            source, good = who, 0
            for k in range(many):
                word, t = struct.unpack_from("<II", raw, at + 28 + 8 * k)
                if word & 1:
                    good += 1
                    if t >= 2**31 or overflow * 2**31 + t < last:
                        return None
                    last = overflow * 2**31 + t
                    found.append((word >> 17, word >> 2 & 2**15 - 1, last, word >> 1 & 1))
            if good != valid:
                return None
        at += 28 + size * capacity
    return within(found)


#: End of the name, writer and parser of each format; a parser takes what follows the head.
FORMATS = {
    "evt3": (".raw", write_evt3, parse_evt3), "evt2": (".raw", write_evt2, parse_evt2),
    "evt21": (".raw", write_evt21, parse_evt21), "evt21_legacy": (".raw", write_evt21_legacy, parse_evt21_legacy),
    "dat": (".dat", write_dat, parse_dat), "es": (".es", write_es, parse_es),
    "aedat2": (".aedat", write_aedat2, parse_aedat2), "aedat3": (".aedat", write_aedat3, parse_aedat3),
}


def head_length(name) -> int:
    """Return the bytes before the records of a file of a format."""
    return len(FORMATS[name][1]([]))
