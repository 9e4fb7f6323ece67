"""Whatever somebody might send over a WebSocket."""

import json

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

texts = st.one_of(
    st.text(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ).map(json.dumps),
    st.integers(-3, 2**40).map(lambda n: json.dumps({"ack": n})),
    st.just("[" * 50_000),
)
messages = st.lists(st.one_of(texts, st.binary(max_size=200)), max_size=5)
FUZZ = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
