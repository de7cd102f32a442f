"""Prints as JSON what markdown-it-py finds in the Markdown on stdin: tasks, headings, links."""

from __future__ import annotations

import json
import sys

from markdown_it import MarkdownIt
from mdit_py_plugins.tasklists import tasklists_plugin

reader = MarkdownIt("gfm-like", {"linkify": False}).use(tasklists_plugin)
tokens = reader.parse(sys.stdin.buffer.read().decode())
items = [token for token in tokens if token.type == "list_item_open"]
inline = [child for token in tokens for child in token.children or []]
print(
    json.dumps(
        {
            "tasks": sum("task-list-item" in str(item.attrs.get("class", "")) for item in items),
            "headings": sum(token.type == "heading_open" for token in tokens),
            "links": sum(child.type in {"link_open", "image"} for child in inline),
        }
    )
)
