"""The command line: one module per command, which parses options, calls ``awaken.api``, prints.

Begin with ``main`` below, which guards every run, then ``application`` and the smallest command,
``commands/check.py``. ``plain_line`` reads most lines without Typer. ``exit_codes`` has the
numbers, ``outcomes`` says which one a result gives.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from signal import SIGINT

from awaken.cli.exit_codes import BY_SIGNAL, FAILED, READER_GONE
from awaken.engine.machine.memory import no_collections
from awaken.engine.machine.signals import as_interrupts, number_of
from awaken.preview.streams.messages import say
from awaken.preview.streams.visible import visible


def main(arguments: Sequence[str] | None = None) -> int:
    """Run awaken with ``arguments`` (those of the process by default); return the exit code.

    No exception leaves this function but one that ends the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Around all else: an error message, too, needs a stream, and a signal may come at any time.
    details = _log_to_stderr() if _is_verbose(words) else nullcontext()
    with _open_streams(), as_interrupts(), no_collections(), details:
        code = _guarded_number(words)
        if arguments is None:
            # The process ends: no collection needs to visit what is left, neither as soon as they
            # are allowed again nor when the interpreter makes its last one.
            gc.freeze()
        return code


def _guarded_number(words: list[str]) -> int:
    try:
        _never_fail_to_encode()
        code = _run(words)
        sys.stdout.flush()  # here, where a reader that went away is still noticed
    except BrokenPipeError:
        _forget_stdout()
        return READER_GONE
    except KeyboardInterrupt as interrupt:
        number = number_of(interrupt)
        say("Interrupted." if number is SIGINT else f"Stopped by {number.name}.")
        return BY_SIGNAL + number
    except OSError as error:
        say(visible(f"error: {_described_text(error)}"))
        return FAILED
    except Exception as error:  # noqa: BLE001  the last line of defence must catch everything
        _report(error, verbose=_is_verbose(words))
        return FAILED
    return code


def _is_verbose(words: list[str]) -> bool:
    return bool({"-v", "--verbose"} & set(words))


@contextmanager
def _log_to_stderr() -> Iterator[None]:
    """Show where an internal error came from although the run goes on."""
    import logging  # noqa: PLC0415  only details need it

    class Saying(logging.Handler):
        """Says what is logged, as everything is said: the texts of exceptions are foreign."""

        def emit(self, record: logging.LogRecord) -> None:
            say(self.format(record))

    logger = logging.getLogger("awaken")
    handler, level = Saying(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        # A caller of `main` as a function may run again, or use another log.
        logger.removeHandler(handler)
        logger.setLevel(level)


def _run(words: list[str]) -> int:
    from awaken.cli.plain_line import run_plainly  # noqa: PLC0415  an error message needs none

    if not words:
        return _help_for_here()
    code = run_plainly(words)
    return _run_by_typer(words) if code is None else code


def _help_for_here() -> int:
    """Print the help, and which recipes would find something in the project around us."""
    from awaken import api  # noqa: PLC0415  an error message needs none
    from awaken.preview.summary import recipe_hint  # noqa: PLC0415

    code = _run_by_typer(["--help"])
    hint = recipe_hint(api.recipe_hints([Path()]))
    if hint:
        say(hint)
    return code


def _run_by_typer(words: list[str]) -> int:
    from typer import Exit, TyperException  # noqa: PLC0415  a tenth of a second
    from typer.main import get_command  # noqa: PLC0415

    from awaken.cli.application import application  # noqa: PLC0415
    from awaken.cli.options.passes import with_words_of_programs  # noqa: PLC0415

    command = get_command(application())
    if "_AWAKEN_COMPLETE" in os.environ:  # the shell asks how a line could go on
        command.main(words, prog_name="awaken")
    try:
        # Typer's own main would take Ctrl-C and broken pipes into its hands.
        words = with_words_of_programs(words)
        with command.make_context("awaken", words) as context:
            return int(command.invoke(context) or 0)
    except Exit as end:
        return end.exit_code
    except TyperException as error:
        said = _one_sentence(error.format_message())
        hints = (hint for option, hint in _ELSEWHERE.items() if f"No such option: {option}" in said)
        say(visible(f"error: {said}{next(hints, '')}"))
        return FAILED


_ELSEWHERE = {
    "--fix": "; `awaken apply` makes the changes",
    "--recipe": "; `awaken recipes NAME` explains a recipe, and `check` and `diff` take `--recipe`",
}
"""Options that people write, and what does it here."""


def _one_sentence(message: str) -> str:
    return " ".join(message.replace("Value error, ", "").split())


def _described_text(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _report(error: Exception, *, verbose: bool) -> None:
    from importlib.metadata import version  # noqa: PLC0415

    from awaken.contract import UserError  # noqa: PLC0415

    if isinstance(error, UserError):
        say(visible(f"error: {error}"))
        return
    more = "please run the same command with -v and report what it prints"
    if verbose:
        import traceback  # noqa: PLC0415

        say("".join(traceback.format_exception(error)).rstrip("\n"))
        more = "please report it with the lines above"
    what = f"{type(error).__name__}: {_one_sentence(str(error))}".rstrip(": ")
    say(visible(f"internal error in awaken {version('awaken')}: {what}; {more}."))


@contextmanager
def _open_streams() -> Iterator[None]:
    """Give what nobody reads somewhere to go: a stream that the caller closed (`>&-`) is None."""
    given = sys.stdout, sys.stderr
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout, sys.stderr = (stream or nowhere for stream in given)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = given


def _never_fail_to_encode() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _forget_stdout() -> None:
    # Otherwise the interpreter flushes what is left at exit, and complains about it.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
