"""The campaign's logo: a small SVG that draws, and can do nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from coalition.statements.tables import CampaignInvalid

LARGEST = 20_000  # bytes; it is part of every page
NAMESPACE = "{http://www.w3.org/2000/svg}"
ELEMENTS = {
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "title",
    "desc", "defs", "linearGradient", "radialGradient", "stop", "clipPath", "mask", "use", "symbol",
}  # fmt: skip


def parse_logo(text: str) -> str:
    """A drawing without script, style sheet, text in foreign fonts, or anything from elsewhere.

    Raises CampaignInvalid.
    """
    if len(text.encode()) > LARGEST:
        raise CampaignInvalid([f"larger than {LARGEST} bytes; every page carries it"])
    if "<!DOCTYPE" in text or "<!ENTITY" in text or re.search(r"<\?(?!xml )", text):
        raise CampaignInvalid(["must be a plain SVG, without DOCTYPE or processing instruction"])
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (without a DOCTYPE nothing can expand)
    except ElementTree.ParseError as error:
        raise CampaignInvalid([f"not valid SVG: {error}"]) from error
    problems = list(dict.fromkeys(_problems_of(root)))
    if root.tag != f"{NAMESPACE}svg" or "viewBox" not in root.attrib:
        problems.append("must be an <svg> with a viewBox")
    if problems:
        raise CampaignInvalid(problems)
    return text


def _problems_of(root: ElementTree.Element) -> Iterator[str]:
    for element in root.iter():
        name = element.tag.removeprefix(NAMESPACE)
        if name not in ELEMENTS:
            yield f"the element <{name[:40]}> is not allowed in a logo"
        for attribute, value in element.attrib.items():
            if attribute.lower().startswith("on") or attribute == "style":
                yield f"the attribute {attribute[:40]} is not allowed in a logo"
            if attribute.endswith("href") and not value.startswith("#"):
                yield f"a logo may point only to its own parts: {value[:40]}"
            if re.search(r"url\(\s*['\"]?(?!#)", value):
                yield f"a logo may use only its own parts: {value[:40]}"
