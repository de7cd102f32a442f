"""Containers whose items are looked for wherever the container goes."""

from __future__ import annotations

import pytest
from programs import last, module_of, program


@pytest.mark.parametrize(
    "text",
    [
        "node = {}\nfor key in keys:\n    node = node[key]\n    node['x'] = 1\nnode\n",
        "node = []\nwhile keys:\n    for node in node:\n        node.append(1)\nnode\n",
        (
            "class A:\n    _at = {}\n    def down(self, key):\n"
            "        self._at = self._at[key]\n        self._at\n"
        ),
    ],
)
def test_a_container_that_is_replaced_by_an_item_of_itself_comes_to_an_end(text):
    project = program({"m.py": text})
    module = module_of(project, "m.py")
    asked = "self._at" if "_at" in text else "node"

    assert isinstance(project.instance_of(module, last(module, asked)), tuple)
