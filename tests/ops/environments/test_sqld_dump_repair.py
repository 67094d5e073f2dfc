"""What is made of a dump so that the server takes it back, in pieces of any size."""

import pytest

from ops.environments.sqld_dump_repair import repaired

VALUES = "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) VALUES('table','a','a',0,'"
TRIGGER = "CREATE TRIGGER t AFTER DELETE ON t BEGIN"


@pytest.mark.parametrize(
    ("dumped", "expected"),
    [
        ("INSERT INTO t VALUES('a;','--');\n", "INSERT INTO t VALUES('a;','--');\n"),
        ('CREATE TABLE t (\n  a, -- it\'s\n  "b\nc"\n);\n', 'CREATE TABLE t ( a,   "b\nc" );\n'),
        (f"{TRIGGER}\n  SELECT 1;\nEND;\n", f"{TRIGGER} SELECT 1; END;\n"),
        (f"{VALUES}X(a='',\n b='c')');\n", f"{VALUES}X(a='''',\n b=''c'')');\n"),
        (f"{VALUES}X(a='')');\n", f"{VALUES}X(a='''')');\n"),
        (f"{VALUES}X(a='''',b=''c'')');\n", f"{VALUES}X(a='''',b=''c'')');\n"),  # where it is quoted already
        (f"{VALUES}X(a)');\n", f"{VALUES}X(a)');\n"),
        ("COMMIT;\n", "COMMIT;\n"),
        ("CREATE TABLE t (\n", "CREATE TABLE t (\n"),  # it broke off
    ],
)
def test_a_statement_a_line(dumped: str, expected: str) -> None:
    text = f"BEGIN;\n{dumped}".encode()
    for size in (1, 7, 1000):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        assert b"".join(repaired(pieces)).decode() == f"BEGIN;\n{expected}"
