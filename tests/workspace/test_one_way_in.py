"""awaken's own source: what is read, listed or parsed of a target goes through the workspace."""

from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path

import pytest

OPENING = {"open", "read_bytes", "read_text", "fdopen", "copyfile", "fromfile", "readlink"}
LISTING = {"glob", "iglob", "rglob", "iterdir", "scandir", "listdir", "fwalk"}
OF_MODULES = {  # names that others have as well: a tree walks, too
    ("os", "walk"): "lists",
    ("os", "read"): "reads",
    ("shutil", "copy"): "reads",
    ("shutil", "copy2"): "reads",
    ("shutil", "copytree"): "reads",
    ("linecache", "getline"): "reads",
    ("linecache", "getlines"): "reads",
    ("runpy", "run_path"): "reads",
    ("awaken.passes.child.libcst_commands.yaml_library", "yaml"): "parses",
    ("json", "loads"): "parses",
    ("json", "load"): "parses",
    ("json", "JSONDecoder"): "parses",
}
PARSING = {"tomllib", "configparser", "yaml", "marshal", "plistlib", "csv"}
PARSING |= {"tomlkit", "configupdater"}
PYTHON_PARSERS = {"ast.parse", "compile", "exec", "eval"}

READS = "reads"
LISTS = "lists"
PARSES = "parses"

ALLOWED = {
    ("awaken/workspace/reading.py", READS): "it is the way in",
    ("awaken/workspace/reading.py", LISTS): "names in a directory, inside and bounded",
    ("awaken/workspace/formats/json_text.py", PARSES): "JSON, every failure one exception",
    ("awaken/workspace/formats/toml_text.py", PARSES): "TOML, measured before and after",
    ("awaken/workspace/discovery.py", LISTS): "the walk: names only, inside, bounded in depth",
    ("awaken/workspace/manifests/project_marks.py", LISTS): "names in a directory and around it",
    (
        "awaken/engine/baseline.py",
        PARSES,
    ): "finds a line in JSON that was parsed; writes JSON",
    ("awaken/engine/explaining/explanation.py", LISTS): "names beside a file that the user named",
    ("awaken/engine/manifests/toml_table.py", PARSES): "TOML that parse_toml has measured, bounded",
    ("awaken/engine/manifests/line_list.py", PARSES): "a setup.cfg to edit, bounded",
    ("awaken/engine/manifests/toml_keys.py", PARSES): "TOML that parse_toml has measured, bounded",
    ("awaken/engine/manifests/ini_keys.py", PARSES): "INI that parse_ini has read, bounded",
    ("awaken/engine/machine/filesystem.py", READS): "writes, and reads back what it wrote",
    (
        "awaken/engine/formatting/formatter.py",
        READS,
    ): "reads what the formatter made, in awaken's directory",
    ("awaken/engine/writing/journal.py", LISTS): "the user's state directory",
    ("awaken/engine/writing/lock.py", READS): "the user's state directory",
    ("awaken/engine/writing/lock.py", LISTS): "the user's state directory",
    ("awaken/engine/writing/undoing.py", LISTS): "whether a directory that it made is empty again",
    ("awaken/engine/remembering/trusted_projects.py", LISTS): "the user's state directory",
    ("awaken/engine/remembering/results_cache.py", READS): "awaken's own code and the cache",
    ("awaken/engine/remembering/results_cache.py", LISTS): "the cache",
    ("awaken/engine/remembering/result_places.py", READS): "awaken's own code",
    ("awaken/engine/remembering/result_places.py", LISTS): "awaken's own code",
    ("awaken/engine/remembering/rule_table.py", READS): "awaken's own data",
    ("awaken/engine/remembering/rule_table.py", LISTS): "where entry points of packages may be",
    (
        "awaken/engine/machine/git.py",
        READS,
    ): "a git directory: regular files, bounded, through links",
    ("awaken/engine/machine/git.py", LISTS): "the names in a git directory, to link them",
    ("awaken/engine/machine/work_limits.py", READS): "what the system says of awaken's own workers",
    ("awaken/knowledge/declarations.py", LISTS): "awaken's own data",
    (
        "awaken/engine/asking/kept_answers.py",
        PARSES,
    ): "writes TOML, which parse_toml has read",
    ("awaken/engine/former_drivers.py", LISTS): "names; what is read goes the way in",
    ("awaken/settings/recipe_tables.py", LISTS): "awaken's own data",
    ("awaken/settings/recipe_tables.py", READS): "awaken's own data",
    ("awaken/engine/machine/programs.py", READS): "writes what a program prints, for awaken",
    ("awaken/preview/html/report_page.py", READS): "the style and the script of this package",
    ("awaken/batch/hosts/api_program.py", PARSES): "what gh and glab print",
    (
        "awaken/batch/manifest/manifest_file.py",
        READS,
    ): "the campaign's manifest, which the user wrote",
    ("awaken/batch/manifest/repository_lists.py", PARSES): "the user's list of repositories",
    ("awaken/batch/manifest/starting.py", PARSES): "writes TOML",
    ("awaken/batch/campaign_run.py", READS): "campaign folders that the user names",
    ("awaken/batch/publishing/publishing.py", READS): "results in the campaign's folder",
    ("awaken/batch/reviewing/review_table.py", READS): "results in the campaign's folder",
    ("awaken/batch/state/campaign_folder.py", LISTS): "the campaign's folder",
    ("awaken/batch/state/campaign_folder.py", READS): "the campaign's folder",
    ("awaken/batch/state/state_log.py", READS): "the log in the campaign's folder",
    ("awaken/batch/working/changing.py", PARSES): "writes JSON",
    ("awaken/batch/working/changing.py", READS): "writes a page next to the clone",
    ("awaken/batch/working/child.py", READS): "the task that awaken wrote next to the clone",
    ("awaken/batch/working/repository_work.py", LISTS): "awaken's own data",
    (
        "awaken/batch/working/repository_work.py",
        READS,
    ): "awaken's own data, and bounded results without links",
    ("awaken/cli/commands/batch/working_commands.py", READS): "a list that the user names",
    ("awaken/verifying/copies.py", READS): "copies what git lists, and follows no link",
    ("awaken/verifying/copies.py", LISTS): "names in the project, and in the state directory",
    (
        "awaken/verifying/suites.py",
        READS,
    ): "the record of the plugin, in the state directory, bounded",
    ("awaken/verifying/suites.py", LISTS): "the records of the plugin, in the state directory",
    ("awaken/verifying/suites.py", PARSES): "a line of a record; one that is none is skipped",
    ("awaken/verifying/plugin/awaken_observer.py", READS): "in the process of the tests",
    ("awaken/verifying/plugin/awaken_observer.py", LISTS): "in the process of the tests",
    ("awaken/verifying/plugin/awaken_observer.py", PARSES): "in the process of the tests",
    (
        "awaken/verifying/requests/sending.py",
        READS,
    ): "bounded files of the copy, and what our script wrote down",
    ("awaken/verifying/requests/sending.py", LISTS): "files of the copy, no links",
    ("awaken/verifying/requests/sending.py", PARSES): "what our script wrote down",
    ("awaken/verifying/requests/child/awaken_requests.py", READS): "in the process of the target",
    ("awaken/verifying/requests/child/awaken_requests.py", PARSES): "in the process of the target",
    ("awaken/verifying/requests/child/awaken_rows.py", READS): "in the process of the target",
    ("awaken/knowledge/typed_tables.py", READS): "awaken's own data",
    ("awaken/knowledge/typed_tables.py", LISTS): "awaken's own data",
    ("awaken/cli/__init__.py", READS): "the null device, for streams that the caller closed",
    ("awaken/preview/streams/output.py", READS): "writes the file that --output-file names",
    ("awaken/passes/child/foreign_serving.py", READS): "pipes, and what foreign code printed",
    ("awaken/passes/child/forking.py", READS): "pipes between processes of foreign code",
    (
        "awaken/passes/child/libcst_commands/command_loading.py",
        PARSES,
    ): "LibCST's own settings, in the process of foreign code",
    ("awaken/testing/accepting.py", READS): "fixtures, which rule authors write",
    ("awaken/testing/cases.py", READS): "fixtures, which rule authors write",
    ("awaken/testing/cases.py", LISTS): "fixtures, which rule authors write",
    (
        "awaken/testing/concurrency/observed_runs.py",
        PARSES,
    ): "what the process that runs cases is asked",
    ("awaken/testing/law_texts.py", READS): "fixtures, which rule authors write",
    ("awaken/testing/law_texts.py", LISTS): "fixtures, which rule authors write",
    ("awaken/cli/rule_skeleton.py", LISTS): "the tree that a new rule is written into",
    ("awaken/testing/pages.py", LISTS): "awaken's own documentation",
    ("awaken/testing/suites/processes.py", READS): "what the process of a suite wrote",
    ("awaken/testing/suites/pytest_runs.py", READS): "the suites of fixtures, by rule authors",
}


def ways_in(source):
    """Return what the functions and modules named in ``source`` do."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            found |= _called(node.func)
        elif isinstance(node, ast.Import):
            found |= {PARSES for alias in node.names if alias.name.split(".")[0] in PARSING}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {(node.module, alias.name) for alias in node.names}
            found |= {OF_MODULES[name] for name in names & OF_MODULES.keys()}
            found |= {PARSES} if node.module.split(".")[0] in PARSING else set()
    return found


def _called(function):
    name = getattr(function, "attr", None) or getattr(function, "id", None)
    holder = getattr(getattr(function, "value", None), "id", None)
    found = {OF_MODULES[holder, name]} if (holder, name) in OF_MODULES else set()
    return found | ({READS} if name in OPENING else {LISTS} if name in LISTING else set())


def modules():
    top = Path(str(resources.files("awaken")))
    return {
        f"awaken/{path.relative_to(top).as_posix()}": path.read_text()
        for path in sorted(top.rglob("*.py"))
    }


def test_every_way_in_is_on_the_list():
    found = {(path, way) for path, text in modules().items() for way in ways_in(text)}

    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "nothing of the kind is there any more"


@pytest.mark.parametrize(
    ("source", "way"),
    [
        ("from pathlib import Path\nPath('x').read_bytes()", READS),
        ("import os\nos.open('x', 0)", READS),
        ("open('x')", READS),
        ("import shutil\nshutil.copyfile('x', 'y')", READS),
        ("root.glob('*.txt')", LISTS),
        ("import os\nos.walk('.')", LISTS),
        ("import tomllib", PARSES),
        ("import json\njson.loads(text)", PARSES),
        ("from json import loads", PARSES),
        ("from os import walk", LISTS),
        ("from configparser import ConfigParser", PARSES),
    ],
)
def test_the_search_sees(source, way):
    assert ways_in(source) == {way}


@pytest.mark.parametrize(
    "source", ["import ast\nast.walk(tree)", "module.walk()", "reading.read(x)", "json.dumps(x)"]
)
def test_the_search_passes_over(source):
    assert ways_in(source) == set()


def test_python_is_never_parsed_under_the_name_of_a_file():
    """To show the line of a SyntaxError, Python opens the file that it is told the text is from.

    That is ``<unknown>`` by default, in the current directory. An expression has no such line.
    """
    named = [
        f"{path}:{node.lineno}"
        for path, text in modules().items()
        if any(word in text for word in PYTHON_PARSERS)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and _parses_python(node) and not _has_no_file(node)
        # its texts are the fixtures of rule authors
        if path not in {"awaken/testing/laws.py", "awaken/testing/law_texts.py"}
    ]

    assert named == []


def _parses_python(call):
    return ast.unparse(call.func) in PYTHON_PARSERS


def _has_no_file(call):
    words = {word.arg: ast.unparse(word.value) for word in call.keywords}
    names = [ast.unparse(argument) for argument in call.args[1:2]]
    return words.get("mode") == "'eval'" or "''" in {words.get("filename"), *names}
