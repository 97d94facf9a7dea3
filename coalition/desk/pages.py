"""Lists of the desk that go over several pages."""

from __future__ import annotations

import re

from flask import request


def page_number() -> int:
    """Which page is asked for, from 1; the first, if what is asked for is none."""
    typed = request.args.get("page", "1")
    return int(typed) if re.fullmatch(r"[1-9][0-9]{0,5}", typed) else 1
