"""Functions of one name, whose uses are looked for together."""

from growth import steps
from programs import program

WORK = "def work():\n    pass\n\n\n"


def uses_of_one_name(files):
    """Return the steps it takes to say where functions of ``files`` with one name are handed on."""
    text = f"{WORK}def test(work):\n" + 9 * "    print(work)\n"
    project = program({f"test_{number}.py": text for number in range(files)})
    graph, handed = project.calls.graph(), project.calls.passed_functions()
    named = [one for one in graph.functions() if one.qualname == "work"]
    assert len(named) == files
    return steps(lambda: [handed.components_of(one) for one in named])


def test_functions_of_one_name_share_the_search_for_their_uses():
    few, many = uses_of_one_name(10), uses_of_one_name(40)

    assert many < 6 * few  # 10 times if each searches for itself
