"""`claimhouse ui` serves the pages of this home with nothing broken on them, and leaves nothing running behind it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from tests.conftest import CLAIMHOUSE

WAIT_SECONDS = 120
QUESTION = """
{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
    __typename ... on PythonError { message }
    ... on RepositoryLocation { repositories {
      assetNodes { assetKey { path } isExecutable } sensors { name } schedules { name } } } } } } }
  instance { daemonHealth { allDaemonStatuses { daemonType required } } } }
"""


def test_the_ui_shows_the_graph_and_stops_when_asked(demo_home):
    port = free_port()
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("CLAIMHOUSE_", "DAGSTER_", "DBT_"))
    }
    command = [CLAIMHOUSE, "ui", "--no-browser", "--port", str(port)]
    process = subprocess.Popen(
        command,
        env={**inherited, "CLAIMHOUSE_HOME": str(demo_home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        told = ask(port, process)
        location = told["workspaceOrError"]["locationEntries"][0]
        assert location["name"] == "claimhouse"
        assert location["locationOrLoadError"]["__typename"] == "RepositoryLocation", location
        repository = location["locationOrLoadError"]["repositories"][0]
        assert len(repository["assetNodes"]) > 80
        assert all(node["isExecutable"] for node in repository["assetNodes"])
        assert [sensor["name"] for sensor in repository["sensors"]] == ["landing_folder"]
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out[-2000:]
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "something still listens"


def ask(port: int, process: subprocess.Popen) -> dict:
    """The answer to the question, as soon as the server gives one with its code loaded."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": QUESTION}).encode(),
        {"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0][-2000:]
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                told = json.load(answer)["data"]
            if told["workspaceOrError"]["locationEntries"]:
                return told
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    raise AssertionError("the page did not come up")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
