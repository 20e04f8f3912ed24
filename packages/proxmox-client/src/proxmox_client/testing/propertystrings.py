"""Check property strings such as ``virtio,bridge=vmbr0``, with PVE's own message per key."""

from __future__ import annotations

from collections.abc import Callable

from proxmox_client.schema import ParameterFacts, PropertyFormat
from proxmox_client.testing.complaints import MISSING, UNKNOWN, Checker, Errors
from proxmox_client.testing.formats import FORMATS


class PropertyStringCheck:
    """Checks a property string such as ``virtio,bridge=vmbr0`` key by key.

    Args:
        fmt: Its keys.
        compile_key: Makes the check of one key's value.
    """

    def __init__(
        self, fmt: PropertyFormat, compile_key: Callable[[ParameterFacts], Checker]
    ) -> None:
        self._keys = fmt.keys
        self._default = fmt.default_key
        self._checkers = {
            key: compile_key(facts) for key, facts in fmt.keys.items() if facts.alias is None
        }
        self._required = tuple(
            key for key, facts in fmt.keys.items() if not facts.optional and facts.alias is None
        )

    def complaint(self, path: str, text: str) -> str | None:
        """Return PVE's text about a bad value, None if it is good."""
        try:
            found = self.parse(text)
        except ValueError as error:
            return f"{error}\n"
        errors: Errors = {}
        for key, value in found.items():
            checker = self._checkers.get(key)
            if checker is None:
                errors[f"{path}.{key}"] = UNKNOWN
            else:
                checker(f"{path}.{key}", value, errors)
        for key in self._required:
            if key not in found:
                errors[f"{path}.{key}"] = MISSING
        if not errors:
            return self._as_a_whole(text)
        lines = "".join(f"{name}: {message}\n" for name, message in sorted(errors.items()))
        return "format error\n" + lines

    def _as_a_whole(self, text: str) -> str | None:
        """Apply the rule between keys that retention settings have."""
        if "keep-all" in self._keys:
            try:
                FORMATS["prune-backups"](text)
            except ValueError as error:
                return f"{error}\n"
        return None

    def parse(self, text: str) -> dict[str, str]:
        """Split a property string, resolving the default key and key aliases.

        Raises:
            ValueError: With PVE's sentence, if keys repeat or a value lacks its key.
        """
        found: dict[str, str] = {}
        for part in text.split(","):
            if not part.strip():
                continue
            key, equals, value = part.partition("=")
            if not equals:
                if self._default is None:
                    raise ValueError("value without key, but schema does not define a default key")
                self._put(found, self._default, part)
            elif not key:
                raise ValueError("missing key in comma-separated list property")
            else:
                self._put_named(found, key, value)
        return found

    def _put_named(self, found: dict[str, str], key: str, value: str) -> None:
        facts = self._keys.get(key)
        if facts is not None and facts.alias is not None:
            if facts.key_alias is not None:
                if facts.key_alias in found:
                    raise ValueError(f"key alias '{facts.key_alias}' is already defined")
                found[facts.key_alias] = key
            key = facts.alias
        self._put(found, key, value)

    @staticmethod
    def _put(found: dict[str, str], key: str, value: str) -> None:
        if key in found:
            raise ValueError(f"duplicate key in comma-separated list property: {key}")
        found[key] = value
