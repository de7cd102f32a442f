from __future__ import annotations

import pytest
from programs import program

from awaken.project.frameworks.resources import openings


@pytest.mark.parametrize(
    "text",
    [
        "import httpx\nhttpx.Client()\n",
        "from httpx import Client as C\nC()\n",
        "import httpx\nMake = httpx.Client\nMake()\n",
        "import httpx\ndef f():\n    from httpx import Client as C\n    D = C\n    D()\n",
        "from other import Make  # a Client\nMake()\n",
        "import other  # has a Client\nother.Make()\n",
        "from other import Make as M  # a Client\nM()\n",
    ],
)
def test_a_client_is_found_by_every_name_that_it_is_given(text):
    project = program({"app.py": text, "other.py": "import httpx\nMake = httpx.Client\n"})

    assert [one.name for one in openings(project, "client")] == ["httpx.Client"]


def test_no_call_is_resolved_that_cannot_be_a_client(monkeypatch):
    text = "import httpx\nhttpx.Client()\n" + "a.b.c(print(1))\n" * 20
    project = program({"app.py": text})
    asked = []
    resolve = project.qualified_name
    monkeypatch.setattr(
        project, "qualified_name", lambda *given: asked.append(1) or resolve(*given)
    )

    assert len(list(openings(project, "client"))) == len(asked) == 1
