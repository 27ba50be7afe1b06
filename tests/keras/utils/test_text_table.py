import io

import rich.box
import rich.cells
import rich.console
import rich.table
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbeam.keras.utils import text_table

CELLS = st.text(alphabet="ab ()_,", max_size=40).map(str.strip)


@st.composite
def tables(draw):
    count = draw(st.integers(1, 5))
    header = draw(st.lists(CELLS, min_size=count, max_size=count))
    rows = draw(st.lists(st.lists(CELLS, min_size=count, max_size=count), max_size=4))
    asked = draw(st.lists(st.integers(8, 40), min_size=count, max_size=count))
    how = draw(st.lists(st.sampled_from(["left", "right", "center"]), min_size=count, max_size=count))
    return header, rows, asked, how, sum(asked) + draw(st.integers(-count, 30))


@settings(max_examples=80, deadline=None)
@given(given_table=tables(), ascii_only=st.booleans())
def test_same_text_as_rich(given_table, ascii_only):
    header, rows, asked, how, total = given_table
    columns = [rich.table.Column(h, justify=j, width=w) for h, j, w in zip(header, how, asked, strict=True)]
    frame = rich.box.ASCII if ascii_only else rich.box.HEAVY_HEAD
    table = rich.table.Table(*columns, width=total, show_lines=True, box=frame)
    for row in rows:
        table.add_row(*row)
    console = rich.console.Console(file=io.StringIO(), width=total + 1, highlight=False, markup=False)
    console.print(table)
    expected = console.file.getvalue().splitlines()
    widths = text_table.cell_widths(asked, total)
    found = text_table.table(header, rows, widths, how, ascii_only)
    assert [line.rstrip() for line in found] == [line.rstrip() for line in expected]


def test_wide_characters_keep_the_columns_in_line():
    lines = text_table.table(["数据数据数据", "b"], [["a", "数 数数 据据据据据据"]], [7, 7], ["left", "center"])
    assert {rich.cells.cell_len(line) for line in lines} == {21}
    assert lines[1] == "┃ 数据数… ┃    b    ┃"
