"""The notebook as it is stored; `make test-notebook` runs it."""

import nbformat

from tests import ROOT


def test_it_is_stored_as_it_ran_from_top_to_bottom_without_an_error():
    notebook = nbformat.read(ROOT / "examples" / "semantic_ids.ipynb", as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)]
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("Semantic IDs" in str(output.get("data", "")) for output in outputs)
