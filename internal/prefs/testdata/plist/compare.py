"""Compares edited property lists with their originals as Python's plistlib reads them.

Usage: compare.py DIRECTORY. For each NAME.before there, NAME.after must be the same list, with the same types and order, without the four
binding keys and with a string PlexOnlineToken and a boolean PlexOnlineHome after the last. Prints "same NAME", "unreadable NAME" where
plistlib does not read the original, or "different NAME".
"""

import pathlib
import plistlib
import struct
import sys

BINDING = ("PlexOnlineHome", "PlexOnlineMail", "PlexOnlineToken", "PlexOnlineUsername")


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack(">d", a) == struct.pack(">d", b)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b


for path in sorted(pathlib.Path(sys.argv[1]).glob("*.before")):
    try:
        before = plistlib.loads(path.read_bytes())
    except Exception:
        print("unreadable", path.stem)
        continue
    for key in BINDING:
        before.pop(key, None)
    before["PlexOnlineToken"] = "made-up & <new> 居間 🎬"
    before["PlexOnlineHome"] = True
    after = plistlib.loads(path.with_suffix(".after").read_bytes())
    print("same" if same(before, after) else "different", path.stem)
