"""Which pricing scenarios a house has: the repository's demonstrations and its own files.

Belongs here: the two folders, names, reading a file of either form. Does not: what a scenario means (optimization/pricing).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dagster_project.settings import REPOSITORY, Settings
from optimization.pricing.scenario import Scenario, ScenarioError, load_scenario

DEMONSTRATIONS = REPOSITORY / "optimization" / "pricing" / "scenarios"
FORMS = {".yml", ".yaml", ".json"}


@dataclass(frozen=True)
class File:
    """A scenario's file. `scenario_id` is its name without extension; `origin` repository or home."""

    scenario_id: str
    path: Path
    origin: str

    def read(self) -> Scenario:
        """The scenario; an instance in JSON is one whose source is that file. Raises ScenarioError."""
        if self.path.suffix == ".json":
            given = {"scenario": self.scenario_id, "about": f"The instance {self.path.name}."}
            try:
                made = Scenario.model_validate({**given, "source": {"instance": self.path.name}})
            except ValueError as error:
                raise ScenarioError(
                    f"{self.path.name}: give it a name of small letters, digits and _: {error}"
                ) from None
            return made.model_copy(update={"path": self.path})
        made = load_scenario(self.path)
        if made.scenario != self.scenario_id:
            raise ScenarioError(
                f"{self.path.name}: says scenario: {made.scenario}; name the file {made.scenario}{self.path.suffix}"
            )
        return made


def scenario_files(settings: Settings) -> list[File]:
    """All of them by name; a file of the house takes the place of a demonstration of the same name."""
    found: dict[str, File] = {}
    for origin, folder in (("repository", DEMONSTRATIONS), ("home", settings.scenarios)):
        for path in sorted(folder.glob("*")):
            if path.suffix in FORMS and not path.name.startswith("."):
                found[path.stem] = File(path.stem, path, origin)
    return [found[name] for name in sorted(found)]
