"""Files of observations as pyarrow writes them: `pip install pyarrow==25.0.1`, then `python pyarrow.py`.

Each file has two rows, 42 and null of feature user.age for ann and bob, and differs from usual.parquet in
what its name says.
"""

import datetime
import pathlib
import sys

# Not this file, which has the library's name.
sys.path = [p for p in sys.path if p not in ("", str(pathlib.Path(__file__).parent))]
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent / "pyarrow"
FOOTER = {
    "tailrace.kind": "observations",
    "tailrace.schema_version": "1",
    "tailrace.environment_id": "production",
}
T = datetime.datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=datetime.timezone.utc)


def columns(**changed):
    usual = {
        "feature": pa.array(["user.age", "user.age"]),
        "pkey": pa.array(["ann", "größe"]),
        "value": pa.array([42, None], pa.int64()),
        "observed_at": pa.array([T, T], pa.timestamp("us", "UTC")),
        "operation_id": pa.array(["op-1", "op-2"]),
    }
    usual.update(changed)
    return {name: column for name, column in usual.items() if column is not None}


def table(type="INT64", **changed):
    footer = dict(FOOTER)
    if type:
        footer["tailrace.value_type"] = type
    return pa.table(columns(**changed)).replace_schema_metadata(footer)


def write(name, table, **settings):
    pq.write_table(table, HERE / (name + ".parquet"), **settings)


write("usual", table())
write("version-1.0", table(), version="1.0")
write("data-pages-of-version-2", table(), data_page_version="2.0", compression="zstd")
write("without-dictionary", table(), use_dictionary=False, compression="none")
write("byte-stream-split", table("FLOAT64", value=pa.array([1.5, None], pa.float64())),
      use_dictionary=False, use_byte_stream_split=["value"])
write("delta-encodings", table(), use_dictionary=False,
      column_encoding={"value": "DELTA_BINARY_PACKED", "pkey": "DELTA_BYTE_ARRAY",
                       "feature": "DELTA_LENGTH_BYTE_ARRAY"})
write("brotli", table(), compression="brotli")
write("gzip", table(), compression="gzip")
write("lz4", table(), compression="lz4")
write("milliseconds", table(observed_at=pa.array([T, T], pa.timestamp("ms", "UTC"))))
write("nanoseconds", table(observed_at=pa.array([T, T], pa.timestamp("ns", "UTC"))))
write("part-of-a-microsecond", table(observed_at=pa.array(
    [1767225600123000001, 1767225600123000000], pa.timestamp("ns", "UTC"))))
write("seconds", table(observed_at=pa.array([T, T], pa.timestamp("s", "UTC"))))
write("int96", table(), use_deprecated_int96_timestamps=True)
write("another-time-zone", table(observed_at=pa.array([T, T], pa.timestamp("us", "Europe/Zurich"))))
write("no-time-zone", table(observed_at=pa.array([T.replace(tzinfo=None)] * 2, pa.timestamp("us"))))
write("large-strings", table(feature=pa.array(["user.age"] * 2, pa.large_string()),
                             pkey=pa.array(["ann", "größe"], pa.large_string())))
write("string-views", table(pkey=pa.array(["ann", "größe"], pa.string_view())))
write("dictionary-columns", table(feature=pa.array(["user.age"] * 2).dictionary_encode(),
                                  operation_id=pa.array(["op-1", "op-2"]).dictionary_encode()))
write("all-null-columns", table(resolver_fqn=pa.nulls(2), deployment_id=pa.nulls(2)))
write("all-null-values", table(value=pa.nulls(2)))
write("int32-values", table(value=pa.array([42, None], pa.int32())))
write("uint32-values", table(value=pa.array([42, None], pa.uint32())))
write("uint64-values", table(value=pa.array([42, None], pa.uint64())))
write("too-large-uint64", table(value=pa.array([42, 2**63], pa.uint64())))
write("int64-keys", table(pkey=pa.array([7, 8], pa.int64())))
write("int16-keys", table(pkey=pa.array([7, 8], pa.int16())))
write("float-keys", table(pkey=pa.array([7.0, 8.0], pa.float64())))
write("floats-for-integers", table(value=pa.array([42.0, None], pa.float64())))
write("float32-values", table("FLOAT64", value=pa.array([1.5, None], pa.float32())))
write("float16-values", table("FLOAT64", value=pa.array([1.5, None], pa.float16())))
write("integers-for-floats", table("FLOAT64", value=pa.array([42, None], pa.int64())))
write("decimals", table("FLOAT64", value=pa.array([42, None], pa.decimal128(10, 2))))
write("booleans", table("BOOL", value=pa.array([True, None])))
write("dates", table("DATE", value=pa.array([datetime.date(2026, 1, 1), None])))
write("date64", table("DATE", value=pa.array([datetime.date(2026, 1, 1), None], pa.date64())))
write("large-binary", table("BYTES", value=pa.array([b"\x00\xff", None], pa.large_binary())))
write("json-as-string", table("JSON", value=pa.array(['{"a": [1, "é"]}', None])))
write("json-extension", table("JSON", value=pa.array(['{"a": 1}', None], pa.json_(pa.string()))))
write("broken-json", table("JSON", value=pa.array(['{"a": 1}', "{broken"])))
write("structs-for-json", table("JSON", value=pa.array([{"a": 1}, None])))
write("lists-of-float32", table("VECTOR", value=pa.array([[1.5, -0.25], None], pa.list_(pa.float32()))))
write("large-lists", table("VECTOR", value=pa.array([[1.5, -0.25], None], pa.large_list(pa.float32()))))
write("fixed-size-lists", table("VECTOR", value=pa.array([[1.5, -0.25], [1, 2]], pa.list_(pa.float32(), 2))))
write("lists-of-two-names", table("VECTOR", value=pa.array([[1.5, -0.25], None], pa.list_(pa.float32()))),
      use_compliant_nested_type=False)
write("lists-of-float64", table("VECTOR", value=pa.array([[1.5, -0.25], [0.1]], pa.list_(pa.float64()))))
write("lists-of-float16", table("VECTOR", value=pa.array([[1.5, -0.25], None], pa.list_(pa.float16()))))
write("null-in-a-list", table("VECTOR", value=pa.array([[1.5, None], [2]], pa.list_(pa.float32()))))
write("uuid", table(observation_id=pa.array(
    [bytes.fromhex("5d5ec4b02b1ad2a7b8a64b95bf1fb0fe"), None], pa.uuid())))
write("id-as-text", table(observation_id=pa.array([None, None], pa.string())))
write("id-as-16-bytes", table(observation_id=pa.array([None, None], pa.binary(16))))
write("more-columns", table(number=pa.array([1, 2]), extra=pa.array([{"a": [1]}, None]),
                            duration=pa.array([1, 2], pa.duration("us")),
                            time=pa.array([1, 2], pa.time64("us")),
                            Value=pa.array(["x", "y"]), PKEY=pa.array([1, 2])))
write("120-more-columns", table(**{"c%d" % i: pa.array([i, i]) for i in range(120)}))
write("no-rows", table().slice(0, 0))
write("page-checksums", table(), write_page_checksum=True)
write("without-value-type", table(None))
write("without-footer", pa.table(columns()))
write("nested-feature-without-namespace", table(feature=pa.array(["user.age", "user.card.limit"])))
write("unsorted-in-many-row-groups", pa.concat_tables([table()] * 2 + [
    table(feature=pa.array(["item.stock", "a.b"]), operation_id=pa.array(["op-3", "op-4"]))]),
    row_group_size=1)

usual = table()
with pq.ParquetWriter(HERE / "an-empty-row-group.parquet", usual.schema) as writer:
    writer.write_table(usual.slice(0, 1))
    writer.write_table(usual.slice(0, 0))
    writer.write_table(usual.slice(1, 1))
with pq.ParquetWriter(HERE / "an-empty-row-group-last.parquet", usual.schema) as writer:
    writer.write_table(usual)
    writer.write_table(usual.slice(0, 0))

twice = pa.Table.from_arrays(list(columns().values()) + [pa.array([1, 2], pa.int64())],
                             names=list(columns()) + ["value"])
write("two-columns-of-one-name", twice.replace_schema_metadata(dict(FOOTER, **{"tailrace.value_type": "INT64"})))
write("deletions", table(None, value=None, feature=pa.array(["user.age", "user."]), deleted=pa.array([True, True])))
write("deletions-without-saying-so", table(None, value=None))
print("pyarrow", pa.__version__)
