"""The manifest as a value: what one document declares about one object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal, cast

import attrs

from pmpc_reconcile.diagnostics import Diagnostic, Severity
from pmpc_reconcile.kinds import Kind
from pmpc_reconcile.kinds import kind as kind_named
from pmpc_reconcile.manifests.address import Address
from pmpc_reconcile.manifests.tree import MappingNode, Position
from pmpc_reconcile.manifests.tree import Source as SourceText
from pmpc_reconcile.manifests.walk import place_of
from pmpc_reconcile.values import FieldValue, Secret, SecretMark, desired_fields

PowerState = Literal["running", "stopped"]
Resolution = Literal["ours", "theirs", "ignore"]
Policy = Literal["never", "on-demand", "window", "automatic"]
SECRET_KEY = "$secret"  # noqa: S105  # the name of a key


@attrs.frozen
class CloneSource:
    """Make the guest by cloning a template.

    Attributes:
        template: Its name or vmid.
        full: Copy the disks instead of linking them.
        storage: Where the copies go; None leaves them where the template's are.
    """

    template: str | int
    full: bool = True
    storage: str | None = None


@attrs.frozen
class TemplateSource:
    """Make the container from an image.

    Attributes:
        ostemplate: Volume id of the image: `local:vztmpl/debian-13.tar.zst`.
    """

    ostemplate: str


Source = CloneSource | TemplateSource


@attrs.frozen
class RestartPolicy:
    """When a change that needs it may restart the guest.

    Attributes:
        policy: `never` (only report it), `on-demand`, `window` or `automatic`.
        window: When, for the policy `window`: `sun 02:00`.
    """

    policy: Policy = "never"
    window: str | None = None


@attrs.frozen(kw_only=True)
class Manifest:
    """One declared object.

    Attributes:
        api_version: `pmpc/v1`.
        kind: Name of its kind.
        name: Its name among the manifests.
        labels: For selecting.
        annotations: For other tools.
        spec: What is declared, checked and in canonical form; secrets are `Secret` values.
        position: Where its name stands; None when it did not come from a text.
    """

    api_version: str
    kind: str
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: Mapping[str, Any]
    position: Position | None = attrs.field(default=None, eq=False)
    _node: MappingNode | None = attrs.field(default=None, eq=False, repr=False, alias="node")
    _text: SourceText | None = attrs.field(default=None, eq=False, repr=False, alias="text")

    @property
    def address(self) -> Address:
        """The address of the object."""
        return Address(self.kind, self.name)

    @property
    def kind_data(self) -> Kind:
        """The definition of its kind."""
        return kind_named(self.kind)

    @property
    def vmid(self) -> int | None:
        """The vmid asked for."""
        return self.spec.get("vmid")

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes it may be on; empty for any."""
        return tuple(self.spec.get("placement", {}).get("nodes", ()))

    @property
    def source(self) -> Source | None:
        """What a new object is made from; None for an empty one."""
        source = self.spec.get("source", {})
        if "clone" in source:
            return CloneSource(**source["clone"])
        return TemplateSource(source["template"]) if "template" in source else None

    @property
    def state(self) -> PowerState | None:
        """Whether it should run; None when that is not declared."""
        return self.spec.get("state")

    @property
    def pool(self) -> str | None:
        """The pool it should be in."""
        return self.spec.get("pool")

    @property
    def restart(self) -> RestartPolicy:
        """When it may be restarted."""
        return RestartPolicy(**self.spec.get("restart", {}))

    @property
    def protect(self) -> bool:
        """Whether the engine must never delete or replace it."""
        return bool(self.spec.get("protect", False))

    @property
    def replace(self) -> Literal["forbid", "allow"]:
        """Whether it may be replaced by a new object when a change needs that."""
        return "allow" if self.spec.get("replace") == "allow" else "forbid"

    @property
    def accept_data_loss(self) -> int | None:
        """The vmid of the guest that may be deleted with its disks to be replaced."""
        return self.spec.get("acceptDataLoss")

    @property
    def resolutions(self) -> Mapping[str, Resolution]:
        """How conflicts about fields (or everything below a path) are resolved."""
        return cast("Mapping[str, Resolution]", self.spec.get("conflicts", {}))

    @cached_property
    def fields(self) -> Mapping[str, FieldValue]:
        """The fields it declares: what is compared with the live object."""
        return desired_fields(self.kind_data, self.spec)

    @property
    def create_only(self) -> Mapping[str, Any]:
        """Options that only a creation takes, by PVE's names; secrets are `Secret` values."""
        names = self.kind_data.create_only
        found = {key: value for key, value in self.spec.get("config", {}).items() if key in names}
        if isinstance(self.source, TemplateSource):
            found["ostemplate"] = self.source.ostemplate
        return found

    def to_document(self, fingerprint: Callable[[str], str] | None = None) -> dict[str, Any]:
        """Return the document in canonical form, fit for records: no secret is in it.

        Args:
            fingerprint: Makes the keyed fingerprint that stands for a secret.
        """
        metadata: dict[str, Any] = {"name": self.name}
        if self.labels:
            metadata["labels"] = dict(self.labels)
        if self.annotations:
            metadata["annotations"] = dict(self.annotations)
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": metadata,
            "spec": _without_secrets(self.spec, fingerprint),
        }

    def position_of(self, path: str) -> Position | None:
        """Return the place of a path such as `spec.config.net0.bridge`, as near as there is one."""
        return None if self._node is None else place_of(self._node, path.split("."))

    def diagnose(
        self,
        message: str,
        path: str = "metadata.name",
        *,
        hint: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> Diagnostic:
        """Make a diagnostic about a part of this manifest, with its place in the file."""
        place, address = self.position_of(path), str(self.address)
        if place is None or self._text is None:
            return Diagnostic(severity=severity, message=message, hint=hint, address=address)
        found = self._text.error(place, message, hint=hint, address=address)
        return attrs.evolve(found, severity=severity)


def _without_secrets(value: Any, fingerprint: Callable[[str], str] | None) -> Any:
    if isinstance(value, Secret):
        return {SECRET_KEY: None if fingerprint is None else fingerprint(value.text)}
    if isinstance(value, SecretMark):
        return {SECRET_KEY: value.fingerprint}
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return {key: _without_secrets(entry, fingerprint) for key, entry in entries.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(entry, fingerprint) for entry in cast("list[Any]", value)]
    return value
