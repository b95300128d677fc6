"""Forms of text and of bodies that the fuzzer cannot make up by itself."""

import schemathesis
from hypothesis import strategies

TAG = r'(W/)?"(0|[1-9][0-9]{0,17}\.[0-9a-f]{16}|[!#-~]{0,20})"'
schemathesis.openapi.format(
    "entity-tags", strategies.just("*") | strategies.from_regex(rf"\A{TAG}(, {TAG}){{0,2}}\Z")
)


@schemathesis.serializer("application/zip")
def as_bytes(ctx, value):
    """Whatever it is, it is sent as it is: hardly ever a ZIP file."""
    return value if isinstance(value, bytes) else str(value).encode()
