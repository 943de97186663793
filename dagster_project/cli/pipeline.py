"""Verbs that run the pipeline or look at it: `run`, `publish`, `status`, `ui`.

Belongs here: options, progress, exit codes. Does not: what runs (defs/) and how (resources/launch).
"""

import signal
import socket
import subprocess
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dagster_project.cli.data import DEFAULT_MEMBERS, DEFAULT_MONTHS, DEFAULT_SEED, AsJson, has_files, write_demo_files
from dagster_project.cli.guard import check_home, only_run
from dagster_project.cli.terminal import DONE, FAULT, SET_ASIDE, Problem, bars, console, show_json
from dagster_project.settings import REPOSITORY, Settings, load_settings

if TYPE_CHECKING:
    from dagster_project.resources.launch import Outcome, Progress

FIRST_PORT, PORTS = 3000, 50


def run(as_json: AsJson = False) -> int:
    """Read what is new in the landing folder, build the warehouse, check it, publish; say what came of it."""
    from dagster_project.cli import show, summary

    settings = load_settings()
    _check(settings)
    with only_run(settings):
        if not has_files(settings):
            write_demo_files(settings, DEFAULT_MEMBERS, DEFAULT_SEED, DEFAULT_MONTHS)
        outcome = _launch(settings, "everything", quiet=as_json)
    told = summary.of_run(settings, outcome)
    show_json(told) if as_json else show.show_run(settings, told)
    return _exit_code(outcome, [*told.waiting_loads, *told.set_aside_files, *told.left_files])


def publish(as_json: AsJson = False) -> int:
    """Ask the blocking checks again and publish the marts as the warehouse has them."""
    from dagster_project.cli import show, summary

    settings = load_settings()
    if not settings.warehouse.exists():
        raise Problem(f"there is no warehouse at {settings.warehouse}", "Build it first: claimhouse run", SET_ASIDE)
    check_home(settings)
    with only_run(settings):
        outcome = _launch(settings, "publish", quiet=as_json)
    told = summary.of_run(settings, outcome)
    show_json({"outcome": outcome, "publication": told.publication}) if as_json else show.show_publication(
        settings, told
    )
    return _exit_code(outcome, [])


def status(as_json: AsJson = False) -> int:
    """Say how things stand: loads of each feed, what is held or set aside, last runs, what is published or overdue."""
    from dagster_project.cli import show, summary

    settings = load_settings()
    told = summary.of_status(settings)
    show_json(told) if as_json else show.show_status(settings, told)
    return SET_ASIDE if told.waiting_loads or told.failing_checks else DONE


def ui(
    port: Annotated[int | None, typer.Option(help=f"Port; without it the first free one from {FIRST_PORT}.")] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser when the page is there.")
    ] = True,
) -> int:
    """Open the Dagster UI on this home, with its sensor and schedules; stop it with Ctrl-C."""
    settings = load_settings()
    _check(settings)
    _prepare(settings)
    chosen = port or _free_port()
    address = f"http://127.0.0.1:{chosen}"
    console().print(f"Dagster UI on {settings.home}: [bold]{address}[/bold]   (stop it with Ctrl-C)")
    # What is loaded, and its name, stand in pyproject.toml at the root.
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", str(chosen)]
    # A shell that starts this in the background has its children ignore SIGINT: `dagster dev` could not be stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True)
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
    try:
        if browser and sys.stdout.isatty() and _comes_up(chosen, child):
            webbrowser.open(address)
        return DONE if child.wait() in (0, -signal.SIGINT, 128 + signal.SIGINT) else FAULT
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        child.wait()
        return DONE


def _launch(settings: Settings, job_name: str, quiet: bool) -> "Outcome":
    """Runs the job with progress on the terminal."""
    _prepare(settings)
    from dagster_project.definitions import defs
    from dagster_project.resources.launch import planned, run_job

    job = defs().resolve_job_def(job_name)
    if quiet:
        return run_job(settings, job)
    with bars() as shown:
        plan = planned(job)
        titles = {
            "files": "Reading files",
            "warehouse": "Building the warehouse",
            "answers": "Pricing, scoring",
            "checks": "Checking",
            "publication": "Publishing",
        }
        tasks = {
            stage: shown.add_task(title, total=plan[stage], now="") for stage, title in titles.items() if plan[stage]
        }

        def watch(progress: "Progress") -> None:
            for stage, task in tasks.items():
                shown.update(task, completed=min(progress.done[stage], plan[stage]))
            shown.update(tasks["checks"], now=progress.running[:40])

        outcome = run_job(settings, job, watch)
        shown.update(tasks["checks"], now="")
    return outcome


def _prepare(settings: Settings) -> None:
    from dagster_project.resources.home import prepare_home
    from dagster_project.sources.contracts import load_contracts

    load_contracts()  # the graph is made from them: what is wrong in one is told here, in its own words
    prepare_home(settings)


def _check(settings: Settings) -> None:
    """What every step of a run would fall over for want of; nothing is written before, not even demonstration files."""
    from dagster_project.privacy.keys import load_key
    from dagster_project.sources.contracts import load_contracts

    load_contracts()
    check_home(settings)
    load_key(settings)


def _exit_code(outcome: "Outcome", waiting: Sequence[object]) -> int:
    """A blocked publication or a file that waits is the sender's turn; a step that fell over is ours."""
    if any(not step.is_gate for step in outcome.failed_steps):
        return FAULT
    if not outcome.is_success or waiting:
        return SET_ASIDE
    return DONE


def _free_port() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise Problem(f"no free port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1}", "Name one: claimhouse ui --port N")


def _comes_up(port: int, child: "subprocess.Popen[bytes]") -> bool:
    """Waits until the page answers; False when the process ends before."""
    import time

    while child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.3)
    return False
