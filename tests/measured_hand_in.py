"""Makes the hand-in that waits, in a process of its own, and prints what it needed.

The kernel keeps the largest memory of all children that a process ever had, and counts for each
what it shared with its parent at first: in a test it would tell of that test's browser.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tracemalloc
from threading import Event

from coalition.app import create_app
from coalition.petition.hand_in_job import make_next_hand_in
from coalition.settings import Settings


def main() -> None:
    """Prints the peak of Python's own memory, and that of the typesetter, in bytes."""
    with create_app(Settings.from_environment(os.environ)).app_context():
        tracemalloc.start()
        made = make_next_hand_in(Event())
        _, peak = tracemalloc.get_traced_memory()
    typesetter = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    json.dump({"made": made, "peak": peak, "typesetter": typesetter}, sys.stdout)


if __name__ == "__main__":
    main()
