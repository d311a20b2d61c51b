"""Files of observations as DuckDB writes them: `pip install duckdb==1.5.6`, then `python duckdb.py`.

Each file has two rows, 42 and null of feature user.age for ann and größe, and differs from usual.parquet in
what its name says.
"""

import pathlib
import sys

# Not this file, which has the library's name.
sys.path = [p for p in sys.path if p not in ("", str(pathlib.Path(__file__).parent))]
import duckdb

HERE = pathlib.Path(__file__).parent / "duckdb"
db = duckdb.connect()
db.execute("SET TimeZone='UTC'")


def write(name, type="INT64", rows=2, settings="", **changed):
    columns = {
        "feature": "'user.age'",
        "pkey": "CASE i WHEN 0 THEN 'ann' ELSE 'größe' END",
        "value": "CASE i WHEN 0 THEN 42::BIGINT END",
        "observed_at": "TIMESTAMPTZ '2026-01-01 00:00:00.123+00'",
        "operation_id": "'op-' || (i + 1)",
    }
    columns.update(changed)
    db.execute(
        "COPY (SELECT " + ", ".join("%s AS %s" % (sql, name) for name, sql in columns.items() if sql)
        + " FROM range(%d) AS numbers(i)) TO '%s' (FORMAT parquet%s, KV_METADATA {" % (
            rows, HERE / (name + ".parquet"), settings)
        + "'tailrace.kind': 'observations', 'tailrace.schema_version': '1', "
        + "'tailrace.environment_id': 'production', 'tailrace.value_type': '%s'})" % type)


write("usual")
write("version-2", settings=", PARQUET_VERSION V2, COMPRESSION zstd")
write("brotli", settings=", COMPRESSION brotli")
write("lz4", settings=", COMPRESSION lz4")
write("nanoseconds", observed_at="TIMESTAMP_NS '2026-01-01 00:00:00.123'")
write("no-time-zone", observed_at="TIMESTAMP '2026-01-01 00:00:00.123'")
write("enums", feature="'user.age'::ENUM('user.age', 'user.zip')")
write("all-null-columns", resolver_fqn="NULL", deployment_id="NULL")
write("smallint-values", value="CASE i WHEN 0 THEN 42::SMALLINT END")
write("ubigint-values", value="CASE i WHEN 0 THEN 42::UBIGINT END")
write("hugeint-values", value="CASE i WHEN 0 THEN 42::HUGEINT END")
write("decimals", "FLOAT64", value="CASE i WHEN 0 THEN 42.5 END")
write("floats", "FLOAT64", value="CASE i WHEN 0 THEN 42.5::FLOAT END")
write("json", "JSON", value="""CASE i WHEN 0 THEN '{"a": [1, "é"]}'::JSON END""")
write("variants-for-json", "JSON", value="CASE i WHEN 0 THEN {'a': 1}::VARIANT END")
write("lists-of-float", "VECTOR", value="CASE i WHEN 0 THEN [1.5, -0.25]::FLOAT[] END")
write("arrays-of-float", "VECTOR", value="[1.5, -0.25]::FLOAT[2]")
write("lists-of-double", "VECTOR", value="CASE i WHEN 0 THEN [1.5, -0.25]::DOUBLE[] END")
write("lists-of-decimal", "VECTOR", value="CASE i WHEN 0 THEN [1.5, -0.25] END")
write("blobs", "BYTES", value="CASE i WHEN 0 THEN '\\x00\\xFF'::BLOB END")
write("dates", "DATE", value="CASE i WHEN 0 THEN DATE '2026-01-01' END")
write("uuid", observation_id="NULL::UUID")
write("more-columns", number="i", time="TIME '01:00:00'", interval="INTERVAL 1 DAY", map="MAP {'a': 1}",
      huge="1::UHUGEINT", variant="{'a': 1}::VARIANT")
write("no-rows", rows=0)
print("duckdb", duckdb.__version__)
