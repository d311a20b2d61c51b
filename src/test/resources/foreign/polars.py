"""Files of observations as polars writes them: `pip install polars==1.44.2`, then `python polars.py`.

Each file has two rows, 42 and null of feature user.age for ann and größe, and differs from usual.parquet in
what its name says.
"""

import datetime
import pathlib
import sys

# Not this file, which has the library's name.
sys.path = [p for p in sys.path if p not in ("", str(pathlib.Path(__file__).parent))]
import polars as pl

HERE = pathlib.Path(__file__).parent / "polars"
FOOTER = {
    "tailrace.kind": "observations",
    "tailrace.schema_version": "1",
    "tailrace.environment_id": "production",
}
T = datetime.datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=datetime.timezone.utc)


def frame(**changed):
    usual = {
        "feature": pl.Series(["user.age", "user.age"]),
        "pkey": pl.Series(["ann", "größe"]),
        "value": pl.Series([42, None], dtype=pl.Int64),
        "observed_at": pl.Series([T, T], dtype=pl.Datetime("us", "UTC")),
        "operation_id": pl.Series(["op-1", "op-2"]),
    }
    usual.update(changed)
    return pl.DataFrame({name: column for name, column in usual.items() if column is not None})


def write(name, frame, type="INT64", **settings):
    frame.write_parquet(HERE / (name + ".parquet"),
                        metadata=dict(FOOTER, **{"tailrace.value_type": type}), **settings)


write("usual", frame())
write("snappy", frame(), compression="snappy")
write("lz4", frame(), compression="lz4")
write("uncompressed", frame(), compression="uncompressed", statistics=False)
write("milliseconds", frame(observed_at=pl.Series([T, T], dtype=pl.Datetime("ms", "UTC"))))
write("nanoseconds", frame(observed_at=pl.Series([T, T], dtype=pl.Datetime("ns", "UTC"))))
write("no-time-zone", frame(observed_at=pl.Series([T.replace(tzinfo=None)] * 2, dtype=pl.Datetime("us"))))
write("categories", frame(feature=pl.Series(["user.age"] * 2, dtype=pl.Categorical),
                          operation_id=pl.Series(["op-1", "op-2"], dtype=pl.Enum(["op-1", "op-2"]))))
write("all-null-columns", frame(resolver_fqn=pl.Series([None, None]), deployment_id=pl.Series([None, None])))
write("all-null-values", frame(value=pl.Series([None, None])))
write("int32-values", frame(value=pl.Series([42, None], dtype=pl.Int32)))
write("uint32-values", frame(value=pl.Series([42, None], dtype=pl.UInt32)))
write("uint64-values", frame(value=pl.Series([42, None], dtype=pl.UInt64)))
write("int128-values", frame(value=pl.Series([42, None], dtype=pl.Int128)))
write("float32-values", frame(value=pl.Series([1.5, None], dtype=pl.Float32)), "FLOAT64")
write("booleans", frame(value=pl.Series([True, None])), "BOOL")
write("dates", frame(value=pl.Series([datetime.date(2026, 1, 1), None])), "DATE")
write("strings", frame(value=pl.Series(["größe", None])), "STRING")
write("bytes", frame(value=pl.Series([b"\x00\xff", None])), "BYTES")
write("lists-of-float32", frame(value=pl.Series([[1.5, -0.25], None], dtype=pl.List(pl.Float32))), "VECTOR")
write("lists-of-float64", frame(value=pl.Series([[1.5, -0.25], None], dtype=pl.List(pl.Float64))), "VECTOR")
write("arrays-of-float32", frame(value=pl.Series([[1.5, -0.25], None], dtype=pl.Array(pl.Float32, 2))), "VECTOR")
write("structs-for-json", frame(value=pl.Series([{"a": 1}, None])), "JSON")
write("json-as-string", frame(value=pl.Series(['{"a": 1}', None])), "JSON")
write("many-row-groups", pl.concat([frame()] * 20), row_group_size=7)
write("no-rows", frame().clear())
write("more-columns", frame(number=pl.Series([1, 2]), time=pl.Series([datetime.time(1), None]),
                            duration=pl.Series([datetime.timedelta(1), None]),
                            decimal=pl.Series([1, 2], dtype=pl.Decimal(10, 2)),
                            VALUE=pl.Series(["x", "y"])))
print("polars", pl.__version__)
