"""The pins tool: text in, text out."""

from __future__ import annotations

from tools.pins import pinned, requirements, with_pins

TEXT = """[tool.uv]
package = false
constraint-dependencies = [
  "a==1",
]

[tool.uv.workspace]
members = ["packages/*"]
"""


def test_pins_are_read_back_as_they_were_written() -> None:
    pins = ["b==2 ; sys_platform == 'win32'", "a==1"]
    assert pinned(with_pins(TEXT, pins)) == sorted(pins)


def test_writing_pins_leaves_the_rest_of_the_file_alone() -> None:
    assert with_pins(with_pins(TEXT, []), ["a==1"]) == TEXT


def test_an_export_is_reduced_to_its_pins() -> None:
    exported = '# comment\n-e ./packages/x\na==1\nb==2 ; sys_platform == "win32"\n'
    assert requirements(exported) == ["a==1", "b==2 ; sys_platform == 'win32'"]
