"""dbt's names in Dagster's terms: keys `[layer, name]`, groups `<layer>_<domain>`, descriptions for the person on call.

Belongs here: everything that turns a resource of the manifest into an asset's face. Does not: building or running it.

Keys of sources come from `config.meta.dagster.asset_key` in _sources.yml and are left as dagster-dbt reads them: a
translator that rewrites sources makes assets that nothing can execute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

Resource = Mapping[str, Any]

LOADS = dg.AssetKey(["lake", "loads"])
MANY_FEEDS = 5
# Models of the intermediate layer that say which loads count, and what staging has of them, are a group of their own; what lies
# between staging and marts is another, since a group for each domain would draw an arrow from nearly each to nearly each mart.
APART = {"lake", "audit"}


class WarehouseTranslator(DagsterDbtTranslator):
    """Knows the whole manifest, so that a description can say who reads a model and which marts rest on it."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_code_references=False))
        self._readers = Readers(manifest)
        self._after_checks = self._readers.below(("lake", "quality"))

    def get_asset_key(self, dbt_resource_props: Resource) -> dg.AssetKey:
        layer = layer_of(dbt_resource_props)
        return dg.AssetKey([layer, dbt_resource_props["name"]]) if layer else super().get_asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Resource) -> str | None:
        """As dbt_project.yml states it, but for the intermediate layer and for what reads backwards: else the groups
        would form a ring, and the graph could not be read from left to right."""
        layer = layer_of(dbt_resource_props)
        if dbt_resource_props["name"] in self._after_checks:
            return "marts_audit" if layer == "marts" else f"{layer}_quality"
        if layer == "intermediate" and self._readers.rests_on_a_mart(dbt_resource_props["unique_id"]):
            return "intermediate_of_marts"
        if layer == "intermediate" and domain_of(dbt_resource_props) not in APART:
            return "intermediate_tables"
        return super().get_group_name(dbt_resource_props) or "_".join(
            [layer or "lake", *dbt_resource_props["fqn"][2:-1]]
        )

    def get_tags(self, dbt_resource_props: Resource) -> Mapping[str, str]:
        """With the domain, by which the UI can filter where groups go by layer."""
        domain = domain_of(dbt_resource_props)
        return {**super().get_tags(dbt_resource_props), **({"domain": domain} if domain else {})}

    def get_asset_spec(self, manifest: Resource, unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """A model that counts every feed is drawn from lake/loads, which rests on them all: an arrow from each of them
        across the whole page would hide the others."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        others = [dep for dep in spec.deps if dep.asset_key.path[0] != "raw" and dep.asset_key != LOADS]
        if sum(dep.asset_key.path[0] == "raw" for dep in spec.deps) < MANY_FEEDS:
            return spec
        return spec.replace_attributes(deps=[*others, dg.AssetDep(LOADS)])

    def get_description(self, dbt_resource_props: Resource) -> str:
        own = (dbt_resource_props.get("description") or "").strip()
        return "\n\n".join(filter(None, [own, self._readers.sentence(dbt_resource_props["unique_id"])]))

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Resource, unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None or spec.description:
            return spec
        return spec._replace(description=test_description(manifest["nodes"][unique_id]))


def test_description(test: Resource) -> str:
    """dbt's own words for a test if it has any, else its kind and column: 'unique: claim_key'."""
    kind = (test.get("test_metadata") or {}).get("name") or test["name"].removeprefix("assert_").replace("_", " ")
    return test.get("description") or ": ".join(filter(None, [kind, test.get("column_name")]))


def layer_of(resource: Resource) -> str | None:
    """staging, intermediate, marts or seeds; None for a source, whose key _sources.yml gives."""
    if resource["resource_type"] == "seed":
        return "seeds"
    return resource["fqn"][1] if resource["resource_type"] == "model" else None


def domain_of(resource: Resource) -> str | None:
    """The folder of a model below its layer: claims, members, finance, …"""
    return resource["fqn"][2] if resource["resource_type"] == "model" and len(resource["fqn"]) > 3 else None


class Readers:
    """Who reads a model or a feed, from the manifest's own graph: true for as long as the graph is."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._nodes: Mapping[str, Any] = manifest["nodes"]
        self._children: Mapping[str, list[str]] = manifest["child_map"]
        self._parents: Mapping[str, list[str]] = manifest["parent_map"]
        self._sources = {
            tuple(source["config"]["meta"]["dagster"]["asset_key"]): unique_id
            for unique_id, source in manifest["sources"].items()
        }

    def sentence(self, unique_id: str) -> str:
        """'Read by …. If it is wrong, so are …', or that people read it."""
        readers = sorted(self._nodes[child]["name"] for child in self._models_below(unique_id, deep=False))
        marts = sorted(
            self._nodes[child]["name"]
            for child in self._models_below(unique_id, deep=True)
            if layer_of(self._nodes[child]) == "marts"
        )
        if not readers:
            return "Read by people: analysts and finance, from the published files."
        below = f" If it is wrong, so are {', '.join(marts)}." if marts else ""
        return f"Read by {', '.join(readers)}.{below}"

    def below(self, key: tuple[str, ...]) -> set[str]:
        """Names of all models that rest on a source, by its asset key."""
        unique_id = self._sources.get(key)
        return (
            {self._nodes[child]["name"] for child in self._models_below(unique_id, deep=True)} if unique_id else set()
        )

    def above(self, unique_id: str) -> set[str]:
        """All that a model reads, directly or not, by unique id."""
        found: set[str] = set()
        waiting = [unique_id]
        while waiting:
            fresh = {*self._parents.get(waiting.pop(), [])} - found
            found |= fresh
            waiting += fresh
        return found

    def rests_on_a_mart(self, unique_id: str) -> bool:
        """Whether a mart is among what the model reads, directly or not."""
        models = [self._nodes[one] for one in self.above(unique_id) if one.startswith("model.")]
        return any(layer_of(model) == "marts" for model in models)

    def sentence_for_key(self, key: tuple[str, ...]) -> str:
        unique_id = self._sources.get(key)
        return self.sentence(unique_id) if unique_id else "No model reads it."

    def _models_below(self, unique_id: str, deep: bool) -> set[str]:
        found: set[str] = set()
        waiting = [unique_id]
        while waiting:
            for child in self._children.get(waiting.pop(), []):
                if child.startswith("model.") and child not in found:
                    found.add(child)
                    if deep:
                        waiting.append(child)
        return found
