"""Modules that lie in the current directory are never imported."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

OURS = ("click", "libcst", "msgspec", "pathspec", "platformdirs", "pygments", "rich", "typer")


def run(directory, *words):
    """Run Python in ``directory`` as a shell would, and return what became of it."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def plant(directory, names):
    """Let every module in ``names`` leave a mark when it is imported from ``directory``."""
    witness = directory / "ran"
    for name in names:
        (directory / f"{name}.py").write_text(
            f"with open({str(witness)!r}, 'a') as mark: mark.write('{name} ')\n"
        )
    return witness


def imported_by_python_itself(directory):
    """Return what ``python -m`` imports before it runs the first line of a package."""
    (directory / "nothing").mkdir()
    (directory / "nothing" / "__init__.py").touch()
    (directory / "nothing" / "__main__.py").write_text("import sys; print(*sys.modules)")
    return set(run(directory, "-m", "nothing").stdout.split())


def test_python_m_awaken_imports_nothing_of_the_current_directory(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    names = {*OURS, *sys.stdlib_module_names} - imported_by_python_itself(tmp_path / "a")
    assert {"typing", "pathlib", "random", "subprocess", "typer"} <= names
    witness = plant(tmp_path / "b", names)
    (tmp_path / "b" / "app.py").write_text("a = 1\n")

    done = run(tmp_path / "b", "-m", "awaken", "check", "app.py", "--isolated")

    assert (done.returncode, witness.exists()) == (0, False), done.stderr


def test_a_spawned_worker_imports_nothing_of_the_current_directory(tmp_path):
    (tmp_path / "here").mkdir()
    witness = plant(tmp_path / "here", ("multiprocessing", "random", "tempfile", "selectors"))
    # Started as the command is: from a file that lies elsewhere.
    command = tmp_path / "command.py"
    program = textwrap.dedent(
        """
        import threading
        from awaken.engine.machine.workers import run_many, start_method
        if __name__ == "__main__":
            waiting = threading.Event()
            other = threading.Thread(target=waiting.wait)
            other.start()
            print(start_method(), run_many(abs, [-1, -2, -3], jobs=2))
            waiting.set()
        """
    )
    command.write_text(program)

    done = run(tmp_path / "here", command)

    assert done.stdout == "spawn [1, 2, 3]\n", done.stderr
    assert not witness.exists()
