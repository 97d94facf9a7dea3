"""Reads HTML strictly: with the Nu checker where Java and npm have brought it, else html5lib."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import html5lib

NU = Path(__file__).parent / "vnu/node_modules/vnu-jar/build/dist/vnu.jar"
# Safari forgets that a table is one where a narrow screen shows its rows as blocks; the roles
# remind it, which the standard holds to be needless: templates/components/replies_table.html.
MEANT = re.compile("The “role” attribute must not be used on a “(tr|th|td)” element which has")


def _has_nu() -> bool:
    return NU.exists() and shutil.which("java") is not None


def reader_name() -> str:
    return "the Nu checker" if _has_nu() else "html5lib, for want of Java or npm"


def faults_of(sources: Mapping[str, str], folder: Path) -> dict[str, list[str]]:
    """What is wrong with each of these pages, by their names. `folder` is for scratch."""
    return _read_with_nu(sources, folder) if _has_nu() else _read_with_html5lib(sources)


def _read_with_nu(sources: Mapping[str, str], folder: Path) -> dict[str, list[str]]:
    files = {folder / f"{number}.html": name for number, name in enumerate(sources)}
    for path, name in files.items():
        path.write_text(sources[name], encoding="utf-8")
    # One start of Java for all pages: it takes longer than the reading.
    command = ["java", "-jar", str(NU), "--format", "json", "--errors-only", "--exit-zero-always"]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=True)
    faults: dict[str, list[str]] = {name: [] for name in sources}
    for message in json.loads(done.stderr)["messages"]:
        if MEANT.match(message["message"]):
            continue
        name = files[Path(message["url"].removeprefix("file:"))]
        where = message.get("lastLine", "?")
        faults[name].append(f"line {where}: {message['message']} {message.get('extract', '')!r}")
    return faults


def _read_with_html5lib(sources: Mapping[str, str]) -> dict[str, list[str]]:
    faults = {}
    for name, source in sources.items():
        parser = html5lib.HTMLParser()
        parser.parse(source)
        faults[name] = [f"line {line}: {code}" for (line, _), code, _ in parser.errors]
    return faults
