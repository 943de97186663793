"""An invented world that writes the raw files of every feed, dirt included, with the answers apart.

Belongs here: everything that makes demonstration files. Does not: reading them; no pipeline code reads the answers.
"""

from dagster_project.synthetic.canaries import canaries
from dagster_project.synthetic.world import generate, last_day

__all__ = ["canaries", "generate", "last_day"]
