"""A Markdown text as plain data, for what is set in type and not shown in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from markdown_it.tree import SyntaxTreeNode

from coalition.statements.markdown import tokens_of

Block = dict[str, Any]


def blocks_of(text: str) -> list[Block]:
    """The paragraphs, headings, lists, quotes, rules and tables of a Markdown text, in order.

    Each says in `is` what it is; words stand in `pieces`, which may hold pieces themselves. The
    address of a link follows its words, a picture is what its text alternative says: on paper
    nothing can be opened.
    """
    return _blocks(SyntaxTreeNode(tokens_of(text)).children)


def _blocks(nodes: Iterable[SyntaxTreeNode]) -> list[Block]:
    return [block for node in nodes if (block := _block(node))]


def _block(node: SyntaxTreeNode) -> Block | None:
    make = _MAKERS.get(node.type)
    return make(node) if make else None


def _paragraph(node: SyntaxTreeNode) -> Block:
    return {"is": node.type, "pieces": _line(node)}


def _bullets(node: SyntaxTreeNode) -> Block:
    return {"is": "bullets", "items": [_blocks(item.children) for item in node.children]}


def _numbers(node: SyntaxTreeNode) -> Block:
    start = int(node.attrs.get("start", 1))
    return {"is": "numbers", "start": start, "items": _bullets(node)["items"]}


def _quote(node: SyntaxTreeNode) -> Block:
    return {"is": "quote", "blocks": _blocks(node.children)}


def _rule(_: SyntaxTreeNode) -> Block:
    return {"is": "rule"}


def _verbatim(node: SyntaxTreeNode) -> Block:
    return {"is": "paragraph", "pieces": [_words(node.content)]}


def _table(node: SyntaxTreeNode) -> Block:
    rows = [
        [{"pieces": _line(cell)} for cell in row.children]
        for part in node.children
        for row in part.children
    ]
    return {"is": "table", "head": [cell["pieces"] for cell in rows[0]], "rows": rows[1:]}


_MAKERS: dict[str, Callable[[SyntaxTreeNode], Block]] = {
    "paragraph": _paragraph,
    "heading": _paragraph,
    "bullet_list": _bullets,
    "ordered_list": _numbers,
    "blockquote": _quote,
    "hr": _rule,
    "fence": _verbatim,
    "code_block": _verbatim,
    "table": _table,
}


def _line(node: SyntaxTreeNode) -> list[Block]:
    return _pieces(each for inline in node.children for each in inline.children)


def _pieces(nodes: Iterable[SyntaxTreeNode]) -> list[Block]:
    return [piece for node in nodes for piece in _piece(node)]


def _piece(node: SyntaxTreeNode) -> list[Block]:
    match node.type:
        case "strong" | "em":
            return [{"is": node.type, "pieces": _pieces(node.children)}]
        case "link":
            return [*_pieces(node.children), _words(f" ({node.attrs.get('href', '')})")]
        case "hardbreak":
            return [{"is": "break"}]
        case "softbreak":
            return [_words(" ")]
        case "image":
            return [_words(f"[{node.content}]")]
    return [_words(node.content)]


def _words(text: str) -> Block:
    return {"is": "text", "text": text}
