"""Programs that pass the functions `work` and `other` as values."""

from __future__ import annotations

from programs import program

WORK = """\
def work():
    pass


def other():
    pass


"""


def components(text):
    project = program({"app.py": WORK + text})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    work = next(one for one in graph.functions() if one.qualname == "work")
    return project, handed.components_of(work)


def only(text):
    project, found = components(text)
    assert len(found) == 1
    return project, found[0]
