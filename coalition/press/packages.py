"""What tells machines of the files: the Data Package, the OpenAPI document, the checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coalition.press.formats import FORMATS, REPORTING_SAFELY, plain
from coalition.press.queries import ReleaseLine
from coalition.press.schemas import PROFILES, SCHEMAS, Schema

PACKAGE = "datapackage.json"
CHECKSUMS = "sha256sums.txt"
DIALECT = {
    "$schema": f"{PROFILES}/tabledialect.json",
    "delimiter": ",",
    "lineTerminator": "\r\n",
    "quoteChar": '"',
    "doubleQuote": True,
    "header": True,
}


@dataclass(frozen=True)
class Publisher:
    """Whose figures they are."""

    source: str  # the campaign's name
    contact: str  # its mail address, which is public
    site_url: str


def data_package(
    schemas: Sequence[Schema],
    publisher: Publisher,
    *,
    created: datetime | None = None,
    files: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """A Data Package 2 of the CSV files of these tables.

    With `files`, their content by name, it says how long each is and its SHA-256: for copies
    that never change.
    """
    package: dict[str, Any] = {
        "$schema": f"{PROFILES}/datapackage.json",
        "name": "figures",
        "title": f"{publisher.source}: figures",
        "description": REPORTING_SAFELY,
        "homepage": publisher.site_url,
        "contributors": [{"title": publisher.source, "email": publisher.contact}],
        "resources": [_resource(each, files) for each in schemas],
    }
    if created:
        package["created"] = plain(created)
    return package


def _resource(schema: Schema, files: Mapping[str, bytes] | None) -> dict[str, Any]:
    path = f"{schema.name}.csv"
    resource: dict[str, Any] = {
        "$schema": f"{PROFILES}/dataresource.json",
        "name": schema.name,
        "title": schema.title,
        "description": schema.about,
        "type": "table",
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": DIALECT,
        "schema": schema.as_table_schema(),
    }
    if files:
        resource["bytes"] = len(files[path])
        resource["hash"] = f"sha256:{hashlib.sha256(files[path]).hexdigest()}"
    return resource


def checksums(files: Mapping[str, bytes]) -> bytes:
    """What `sha256sum --check` reads."""
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    return "".join(lines).encode()


def release_list(lines: Sequence[ReleaseLine], address: str) -> dict[str, Any]:
    """All frozen copies. `address` is that of the folder which holds them."""
    return {
        "releases": [
            {
                "day": plain(each.day),
                "made_at": plain(each.made_at.replace(microsecond=0)),
                "files": [
                    {
                        "name": file.name,
                        "address": f"{address}/{each.day.isoformat()}/{file.name}",
                        "bytes": file.size,
                        "sha256": file.sha256.hex(),
                    }
                    for file in each.files
                ],
            }
            for each in lines
        ]
    }


# OpenAPI -------------------------------------------------------------------------------------

_PROBLEM = "application/problem+json"


def _problems(*statuses: str) -> dict[str, Any]:
    return {each: {"$ref": f"#/components/responses/{each}"} for each in statuses}


def open_api(publisher: Publisher, *, version: str) -> dict[str, Any]:
    """Every address of figures, as OpenAPI 3.1."""
    paths: dict[str, Any] = {
        f"/press/{schema.name}.{ending}": _file_path(schema, ending)
        for schema in SCHEMAS.values()
        for ending in FORMATS
    }
    paths[f"/press/{PACKAGE}"] = _path(
        "package", "The Data Package of the CSV files.", _json({"type": "object"}), "503"
    )
    paths["/press/releases.json"] = _path(
        "releases", "All weeks' frozen copies, the newest first.", _json(_RELEASES), "503"
    )
    paths["/press/releases/{day}/{file}"] = {
        "parameters": [
            _parameter("day", "A Monday: the copies hold everything before it.", format="date"),
            _parameter("file", "A name from the list of that week's files."),
        ],
        **_path(
            "frozen",
            "A frozen copy, which never changes.",
            {"*/*": {"schema": {"type": "string", "format": "binary"}}},
            "404",
            "503",
        ),
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{publisher.source}: figures",
            "description": REPORTING_SAFELY,
            "version": version,
            "contact": {"email": publisher.contact},
        },
        "servers": [{"url": publisher.site_url}],
        "paths": paths,
        "components": {"responses": {each: _problem(words) for each, words in _WORDS.items()}},
    }


def _file_path(schema: Schema, ending: str) -> dict[str, Any]:
    media_type = FORMATS[ending].media_type
    content: dict[str, Any] = {"schema": {"type": "string"}}
    if ending == "json":
        rows = {"type": "array", "items": schema.as_json_schema()}
        content = {"schema": {"type": "object", "required": ["rows"], "properties": {"rows": rows}}}
    elif ending == "xlsx":
        content = {"schema": {"type": "string", "format": "binary"}}
    return _path(f"{schema.name}-{ending}", schema.about, {media_type: content}, "503")


def _path(name: str, summary: str, content: Mapping[str, Any], *problems: str) -> dict[str, Any]:
    operation = {
        "summary": summary,
        "responses": {
            "200": {
                "description": "The file.",
                "headers": {
                    each: {"schema": {"type": "string"}}
                    for each in ("ETag", "Last-Modified", "Cache-Control")
                },
                "content": content,
            },
            "206": {"description": "A part of the file, as the Range header asks."},
            "304": {"description": "It is still the one that is known."},
            **_problems("412", "416", *problems),
        },
    }
    return {
        "get": {"operationId": name, **operation},
        "head": {"operationId": f"{name}-head", **operation},
    }


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _parameter(name: str, words: str, **schema: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": words,
        "schema": {"type": "string", **schema},
    }


def _problem(words: str) -> dict[str, Any]:
    return {"description": words, "content": {_PROBLEM: {"schema": _PROBLEM_SCHEMA}}}


_WORDS = {
    "404": "There is no such file; it says what there is.",
    "412": "It is not the one that the request names.",
    "416": "The file is shorter than the part that was asked for.",
    "503": "The figures cannot be had just now; it says when to ask again.",
}
_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_FILE = {
    "type": "object",
    "required": ["name", "address", "bytes", "sha256"],
    "properties": {
        "name": {"type": "string"},
        "address": {"type": "string", "format": "uri"},
        "bytes": {"type": "integer"},
        "sha256": {"type": "string"},
    },
}
_RELEASES = {
    "type": "object",
    "required": ["releases"],
    "properties": {
        "releases": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["day", "made_at", "files"],
                "properties": {
                    "day": {"type": "string", "format": "date"},
                    "made_at": {"type": "string", "format": "date-time"},
                    "files": {"type": "array", "items": _FILE},
                },
            },
        }
    },
}
