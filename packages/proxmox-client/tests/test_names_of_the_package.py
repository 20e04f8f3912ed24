"""What `proxmox_client` offers: every name to whoever asks for all of them, at no cost before."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import proxmox_client


def test_import_of_everything_gives_every_name_that_type_checkers_know() -> None:
    found: dict[str, object] = {}
    exec("from proxmox_client import *", found)
    source = proxmox_client.__file__ or ""
    with open(source, encoding="utf-8") as text:
        declared = {
            line.split(" as ")[1].strip() for line in text if line.startswith("    from prox")
        }
    assert declared
    assert found.keys() - {"__builtins__"} == declared
    assert found["Client"] is import_module("proxmox_client.client").Client


def test_nothing_is_loaded_before_it_is_used() -> None:
    code = (
        "import sys, proxmox_client; loaded = {m for m in sys.modules if 'proxmox_client.' in m};"
        "assert not loaded, loaded; assert '__all__' not in vars(proxmox_client)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
